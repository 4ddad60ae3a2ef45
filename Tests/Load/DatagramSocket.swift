import CLinux
import Glibc
import Wire

/// One UDP socket that sends from as many addresses of 127.0.0.0/8 as there are phones, by bare system calls, so that
/// the load costs little beside what it measures. All of these addresses are this machine's own.
final class DatagramSocket {
    /// Datagrams of one system call.
    private static let batch = 64
    /// More than any datagram of the hub's.
    private static let largest = 2_048
    /// Octets of a control message with an `in_pktinfo`, headers and padding included (ip(7), cmsg(3)).
    private static let controlSize = 32
    /// The address of the first phone, 127.1.0.1.
    private static let firstAddress: UInt32 = 0x7F01_0001

    private let descriptor: Int32
    private let storage: UnsafeMutableRawPointer
    private let controls: UnsafeMutableRawPointer
    private let messages: UnsafeMutablePointer<CLinux_mmsghdr>
    private let vectors: UnsafeMutablePointer<iovec>
    private let name: UnsafeMutablePointer<sockaddr_in>
    /// Datagrams written for the next call, in the second half of `storage`, `messages` and so on.
    private var pending = 0
    /// Datagrams that the kernel did not take.
    private(set) var unsent = 0

    /// Makes a socket.
    /// - Parameters:
    ///   - host: the server's IPv4 address.
    ///   - port: its port.
    init(host: String, port: Int) throws(Failure) {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw Failure("socket: \(String(cString: strerror(errno)))") }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_IP), IP_PKTINFO, &on, socklen_t(MemoryLayout<Int32>.size))
        // All phones' datagrams wait in one queue.
        var size: Int32 = 8 << 20
        for option in [SO_RCVBUF, SO_SNDBUF, SO_RCVBUFFORCE, SO_SNDBUFFORCE] {
            setsockopt(descriptor, SOL_SOCKET, option, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var own = sockaddr_in()
        own.sin_family = sa_family_t(AF_INET)
        let bound = withUnsafePointer(to: &own) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0 else { throw Failure("bind: \(String(cString: strerror(errno)))") }
        var server = sockaddr_in()
        server.sin_family = sa_family_t(AF_INET)
        server.sin_port = in_port_t(UInt16(truncatingIfNeeded: port).bigEndian)
        guard inet_pton(AF_INET, host, &server.sin_addr) == 1 else { throw Failure("\(host) is not an IPv4 address") }

        self.descriptor = descriptor
        let slots = 2 * Self.batch
        storage = .allocate(byteCount: slots * Self.largest, alignment: 16)
        controls = .allocate(byteCount: slots * Self.controlSize, alignment: 16)
        messages = .allocate(capacity: slots)
        vectors = .allocate(capacity: slots)
        name = .allocate(capacity: 1)
        name.initialize(to: server)
        controls.initializeMemory(as: UInt8.self, repeating: 0, count: slots * Self.controlSize)
        for slot in 0..<slots {
            vectors[slot] = iovec(iov_base: storage + slot * Self.largest, iov_len: Self.largest)
            messages[slot] = CLinux_mmsghdr()
            messages[slot].msg_hdr.msg_iov = vectors + slot
            messages[slot].msg_hdr.msg_iovlen = 1
            messages[slot].msg_hdr.msg_control = controls + slot * Self.controlSize
            messages[slot].msg_hdr.msg_controllen = Self.controlSize
            guard slot >= Self.batch else { continue }
            messages[slot].msg_hdr.msg_name = UnsafeMutableRawPointer(name)
            messages[slot].msg_hdr.msg_namelen = socklen_t(MemoryLayout<sockaddr_in>.size)
            let control = controls + slot * Self.controlSize
            control.storeBytes(
                of: MemoryLayout<cmsghdr>.size + MemoryLayout<in_pktinfo>.size, toByteOffset: 0, as: Int.self)
            control.storeBytes(of: Int32(IPPROTO_IP), toByteOffset: 8, as: Int32.self)
            control.storeBytes(of: IP_PKTINFO, toByteOffset: 12, as: Int32.self)
        }
    }

    deinit {
        Glibc.close(descriptor)
        storage.deallocate()
        controls.deallocate()
        messages.deallocate()
        vectors.deallocate()
        name.deallocate()
    }

    /// Waits for a datagram.
    /// - Parameter milliseconds: how long at most.
    func wait(milliseconds: Int32) {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        Glibc.poll(&poll, 1, milliseconds)
    }

    /// Takes what has come, up to a batch.
    /// - Parameter body: gets each datagram and the number of the phone it is for.
    /// - Returns: how many there were.
    func receive(_ body: (_ phone: Int, RawSpan) -> Void) throws(Failure) -> Int {
        for slot in 0..<Self.batch { messages[slot].msg_hdr.msg_controllen = Self.controlSize }
        let count = CLinux_recvmmsg(descriptor, messages, UInt32(Self.batch), Int32(MSG_DONTWAIT), nil)
        guard count >= 0 else {
            // A port that nobody listens on any more is told so (ICMP).
            guard errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED else {
                throw Failure("recvmmsg: \(String(cString: strerror(errno)))")
            }
            return 0
        }
        for slot in 0..<Int(count) {
            // `in_pktinfo`: the interface, the local address, the address in the header.
            let address = controls.loadUnaligned(
                fromByteOffset: slot * Self.controlSize + MemoryLayout<cmsghdr>.size + 8, as: UInt32.self)
            let phone = UInt32(bigEndian: address) &- Self.firstAddress
            let bytes = UnsafeRawBufferPointer(
                start: storage + slot * Self.largest, count: Int(messages[slot].msg_len))
            body(Int(phone), RawSpan(_unsafeBytes: bytes))
        }
        return Int(count)
    }

    /// Writes a datagram from a phone; it goes with the next ``flush()`` at the latest.
    func send(_ bytes: RawSpan, from phone: Int) throws(Failure) {
        guard bytes.byteCount <= Self.largest else { throw Failure("a datagram of \(bytes.byteCount) bytes") }
        if pending == Self.batch { try flush() }
        let slot = Self.batch + pending
        let place = UnsafeMutableRawBufferPointer(start: storage + slot * Self.largest, count: Self.largest)
        bytes.withUnsafeBytes { place.copyMemory(from: $0) }
        vectors[slot].iov_len = bytes.byteCount
        let address = (Self.firstAddress &+ UInt32(phone)).bigEndian
        controls.storeBytes(
            of: address, toByteOffset: slot * Self.controlSize + MemoryLayout<cmsghdr>.size + 4, as: UInt32.self)
        pending += 1
    }

    /// Sends what was written.
    func flush() throws(Failure) {
        var sent = 0
        while sent < pending {
            let count = CLinux_sendmmsg(descriptor, messages + Self.batch + sent, UInt32(pending - sent), 0)
            if count > 0 {
                sent += Int(count)
            } else if errno != EINTR {
                guard errno == EAGAIN || errno == ENOBUFS || errno == ECONNREFUSED else {
                    throw Failure("sendmmsg: \(String(cString: strerror(errno)))")
                }
                // Lost, as on any network.
                unsent += 1
                sent += 1
            }
        }
        pending = 0
    }
}
