import CLinux
import Glibc
public import Wire

/// A bound UDP socket that sends at once or not at all.
///
/// The event loop reads from a duplicate of the descriptor. Sending does not go through the event loop's channel for two
/// reasons: a channel cannot say from which of the machine's addresses a datagram leaves, and it closes itself at
/// errors that come and go, as when a network is unreachable for a while or a firewall says no.
public final class UDPSocket {
    /// What came of sending a datagram.
    public enum SendResult: Sendable {
        /// The kernel has it.
        case sent
        /// The socket's buffer is full; the datagram is dropped, as a router would.
        case full
        /// The kernel refused it: too big, no route, forbidden by a firewall.
        case refused
    }

    /// Octets of the socket's buffers: enough for about 1,500 datagrams of video that come while the process waits for
    /// a processor. The kernel counts its own overhead, about as much as the data.
    private static let bufferSize: CInt = 2 * 1024 * 1024
    /// Octets of control data for the source address, IPv4 or IPv6: a `cmsghdr` and an `in_pktinfo` or `in6_pktinfo`.
    static let controlCapacity = 64

    /// The address the socket is bound to.
    public let address: TransportAddress
    let descriptor: CInt
    private let message: UnsafeMutablePointer<msghdr>
    private let vectors: UnsafeMutablePointer<iovec>
    private let name: UnsafeMutablePointer<sockaddr_storage>
    private let control: UnsafeMutableRawPointer
    /// Made when many datagrams are sent at once for the first time.
    lazy var batch = SendBatch()

    /// Binds a socket.
    /// - Parameters:
    ///   - address: what to bind to; port 0 for any.
    ///   - wantsDestinations: whether what is read tells which of the machine's addresses it was sent to.
    /// - Throws: ``SocketError``.
    public init(binding address: TransportAddress, wantsDestinations: Bool) throws(SocketError) {
        let isIPv6 = if case .v6 = address.address { true } else { false }
        let kind = CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, kind, 0)
        guard descriptor >= 0 else { throw SocketError("socket", errno) }
        name = .allocate(capacity: 1)
        name.initialize(to: sockaddr_storage())
        message = .allocate(capacity: 1)
        message.initialize(to: msghdr())
        vectors = .allocate(capacity: 2)
        vectors.initialize(repeating: iovec(), count: 2)
        control = .allocate(byteCount: Self.controlCapacity, alignment: 8)
        control.initializeMemory(as: UInt8.self, repeating: 0, count: Self.controlCapacity)
        self.descriptor = descriptor
        // Stands until the port is known; `deinit` needs every member.
        var bound = address
        var failure: SocketError?
        if isIPv6, !Self.set(descriptor, CInt(IPPROTO_IPV6), IPV6_V6ONLY, 1) {
            failure = SocketError("IPV6_V6ONLY", errno)
        }
        if wantsDestinations {
            let isSet =
                isIPv6
                ? Self.set(descriptor, CInt(IPPROTO_IPV6), IPV6_RECVPKTINFO, 1)
                : Self.set(descriptor, CInt(IPPROTO_IP), IP_PKTINFO, 1)
            if !isSet { failure = SocketError("IP_PKTINFO", errno) }
        }
        // Beyond the system's limit only with the privilege; without it the system's limit does.
        for (forced, plain) in [(SO_RCVBUFFORCE, SO_RCVBUF), (SO_SNDBUFFORCE, SO_SNDBUF)]
        where !Self.set(descriptor, SOL_SOCKET, forced, Self.bufferSize) {
            _ = Self.set(descriptor, SOL_SOCKET, plain, Self.bufferSize)
        }
        if failure == nil {
            let length = Self.write(address, to: name)
            let result = name.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
            if result != 0 { failure = SocketError("bind", errno) }
        }
        if failure == nil {
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            _ = name.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
            // The port is at the same place in both families.
            bound.port = UInt16(
                bigEndian: UnsafeRawPointer(name).load(fromByteOffset: SocketName.port, as: UInt16.self))
        }
        self.address = bound
        if let failure { throw failure }
    }

    deinit {
        close(descriptor)
        message.deallocate()
        vectors.deallocate()
        name.deallocate()
        control.deallocate()
    }

    /// A duplicate of the descriptor for an event loop to read from and to close.
    public func duplicate() throws(SocketError) -> CInt {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw SocketError("fcntl", errno) }
        return copy
    }

    /// Sends a datagram of two parts.
    /// - Parameters:
    ///   - head: its first bytes; may be empty.
    ///   - body: the bytes behind them.
    ///   - destination: where to, of the socket's family.
    ///   - source: which of the machine's addresses it leaves from; nil for a socket bound to one.
    public func send(
        _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, to destination: TransportAddress,
        from source: IPAddress?
    ) -> SendResult {
        // The kernel does not write to what it sends.
        vectors[0] = iovec(iov_base: UnsafeMutableRawPointer(mutating: head.baseAddress), iov_len: head.count)
        vectors[1] = iovec(iov_base: UnsafeMutableRawPointer(mutating: body.baseAddress), iov_len: body.count)
        let length = Self.write(destination, to: name)
        message.pointee = msghdr(
            msg_name: name, msg_namelen: length, msg_iov: vectors, msg_iovlen: 2, msg_control: nil,
            msg_controllen: 0, msg_flags: 0)
        if let source {
            message.pointee.msg_control = control
            message.pointee.msg_controllen = Self.writeControl(source, to: control)
        }
        while true {
            if sendmsg(descriptor, message, 0) >= 0 { return .sent }
            switch errno {
            case EINTR: continue
            case EAGAIN, ENOBUFS, ENOMEM: return .full
            default: return .refused
            }
        }
    }

    /// Writes the control message that sets a datagram's source (ip(7), ipv6(7)).
    /// - Returns: its octets with padding.
    static func writeControl(_ source: IPAddress, to control: UnsafeMutableRawPointer) -> Int {
        let data = control + MemoryLayout<cmsghdr>.size
        var header = cmsghdr()
        let size: Int
        switch source {
        case .v4(let value):
            size = PacketInfo.v4Size
            header.cmsg_level = CInt(IPPROTO_IP)
            header.cmsg_type = IP_PKTINFO
            data.storeBytes(of: 0, as: UInt32.self)
            data.storeBytes(of: value.bigEndian, toByteOffset: PacketInfo.v4Source, as: UInt32.self)
            data.storeBytes(of: 0, toByteOffset: PacketInfo.v4Destination, as: UInt32.self)
        case .v6(let high, let low):
            size = PacketInfo.v6Size
            header.cmsg_level = CInt(IPPROTO_IPV6)
            header.cmsg_type = IPV6_PKTINFO
            data.storeBytes(of: high.bigEndian, as: UInt64.self)
            data.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            data.storeBytes(of: 0, toByteOffset: 16, as: UInt32.self)
        }
        header.cmsg_len = MemoryLayout<cmsghdr>.size + size
        control.storeBytes(of: header, as: cmsghdr.self)
        return MemoryLayout<cmsghdr>.size + (size + 7) & ~7
    }

    static func write(
        _ address: TransportAddress, to name: UnsafeMutablePointer<sockaddr_storage>
    ) -> socklen_t {
        let raw = UnsafeMutableRawPointer(name)
        raw.storeBytes(of: address.port.bigEndian, toByteOffset: SocketName.port, as: UInt16.self)
        switch address.address {
        case .v4(let value):
            raw.storeBytes(of: sa_family_t(AF_INET), as: sa_family_t.self)
            raw.storeBytes(of: value.bigEndian, toByteOffset: SocketName.v4Address, as: UInt32.self)
            return socklen_t(SocketName.v4Size)
        case .v6(let high, let low):
            raw.storeBytes(of: sa_family_t(AF_INET6), as: sa_family_t.self)
            raw.storeBytes(of: 0, toByteOffset: SocketName.v6Flow, as: UInt32.self)
            raw.storeBytes(of: high.bigEndian, toByteOffset: SocketName.v6Address, as: UInt64.self)
            raw.storeBytes(of: low.bigEndian, toByteOffset: SocketName.v6Address + 8, as: UInt64.self)
            raw.storeBytes(of: 0, toByteOffset: SocketName.v6Scope, as: UInt32.self)
            return socklen_t(SocketName.v6Size)
        }
    }

    private static func set(_ descriptor: CInt, _ level: CInt, _ option: CInt, _ value: CInt) -> Bool {
        var value = value
        return setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size)) == 0
    }
}

// Several modules import these structures from C, and which of them the compiler takes their members to belong to differs
// between debug and release builds; so their parts are found by place.

/// Octets and places of the parts of a `sockaddr_in` (ip(7)) and a `sockaddr_in6` (ipv6(7)).
enum SocketName {
    static let port = 2
    static let v4Address = 4
    static let v4Size = 16
    static let v6Flow = 4
    static let v6Address = 8
    static let v6Scope = 24
    static let v6Size = 28
}

/// Octets and places of the parts of an `in_pktinfo` (ip(7)) and an `in6_pktinfo` (ipv6(7)).
private enum PacketInfo {
    static let v4Source = 4
    static let v4Destination = 8
    static let v4Size = 12
    static let v6Size = 20
}

/// A system call about a socket that failed.
public struct SocketError: Error, CustomStringConvertible {
    /// What failed.
    public let call: String
    /// The system's error number.
    public let number: CInt

    init(_ call: String, _ number: CInt) {
        self.call = call
        self.number = number
    }

    /// What failed, and why, in the system's words.
    public var description: String { "\(call): \(String(cString: strerror(number)))" }
}
