import CLinux
import Glibc
import Wire

/// Adds and removes addresses of an interface by rtnetlink(7), one request and its answer at a time.
struct InterfaceAddresses: ~Copyable {
    /// What the system said.
    struct Failure: Error, Equatable, CustomStringConvertible {
        /// The number of the error.
        let code: Int32
        var description: String { String(cString: strerror(code)) }
    }

    /// How long the kernel may take for an answer.
    static let limit = timeval(tv_sec: 2, tv_usec: 0)

    private let socket: Int32
    private let index: UInt32

    /// - Parameter interface: the interface's name.
    init(interface: String) throws(Failure) {
        index = if_nametoindex(interface)
        guard index != 0 else { throw Failure(code: ENODEV) }
        let number = Glibc.socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), NETLINK_ROUTE)
        guard number >= 0 else { throw Failure(code: errno) }
        socket = number
        var limit = Self.limit
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(socket) }

    /// Switches the interface on, if it is not.
    func switchOn() throws(Failure) {
        // struct ifinfomsg: family, padding, type, index, flags, and which flags are meant.
        var body: [UInt8] = [0, 0, 0, 0]
        append(index, to: &body)
        append(UInt32(IFF_UP), to: &body)
        append(UInt32(IFF_UP), to: &body)
        try send(UInt16(RTM_NEWLINK), flags: 0, body)
    }

    /// Gives the interface an address; one that it has already is fine.
    func add(_ address: IPAddress, prefixLength: Int, broadcast: IPAddress? = nil) throws(Failure) {
        var attributes: [(type: Int, bytes: [UInt8])] = [(IFA_LOCAL_, octets(of: address))]
        if let broadcast { attributes.append((IFA_BROADCAST_, octets(of: broadcast))) }
        try request(
            UInt16(RTM_NEWADDR), flags: UInt16(NLM_F_CREATE | NLM_F_REPLACE), address, prefixLength, attributes)
    }

    /// Takes an address from the interface; one that it has not is fine.
    func remove(_ address: IPAddress, prefixLength: Int) throws(Failure) {
        do throws(Failure) {
            try request(
                UInt16(RTM_DELADDR), flags: 0, address, prefixLength, [(IFA_LOCAL_, octets(of: address))])
        } catch {
            guard error.code == EADDRNOTAVAIL else { throw error }
        }
    }

    // linux/if_addr.h
    private var IFA_ADDRESS_: Int { 1 }
    private var IFA_LOCAL_: Int { 2 }
    private var IFA_BROADCAST_: Int { 4 }
    private var IFA_F_NODAD_: UInt8 { 0x02 }

    private func request(
        _ type: UInt16, flags: UInt16, _ address: IPAddress, _ prefixLength: Int,
        _ attributes: [(type: Int, bytes: [UInt8])]
    ) throws(Failure) {
        var body: [UInt8] = []
        let isV6 = if case .v6 = address { true } else { false }
        // struct ifaddrmsg. Nobody else has the box's address, so it is not asked about before it is used (`nodad`).
        body += [
            UInt8(isV6 ? AF_INET6 : AF_INET), UInt8(prefixLength), isV6 ? IFA_F_NODAD_ : 0,
            UInt8(RT_SCOPE_UNIVERSE.rawValue),
        ]
        append(index, to: &body)
        for (type, bytes) in attributes + [(IFA_ADDRESS_, octets(of: address))] {
            // struct rtattr, filled up to four octets.
            append(UInt16(4 + bytes.count), to: &body)
            append(UInt16(type), to: &body)
            body += bytes
            while body.count % 4 != 0 { body.append(0) }
        }
        try send(type, flags: flags, body)
    }

    private func send(_ type: UInt16, flags: UInt16, _ body: [UInt8]) throws(Failure) {
        // struct nlmsghdr.
        var message: [UInt8] = []
        append(UInt32(16 + body.count), to: &message)
        append(type, to: &message)
        append(flags | UInt16(NLM_F_REQUEST | NLM_F_ACK), to: &message)
        append(UInt32(1), to: &message)
        append(UInt32(0), to: &message)
        message += body
        guard Glibc.send(socket, message, message.count, 0) == message.count else { throw Failure(code: errno) }
        var answer = [UInt8](repeating: 0, count: 4096)
        let count = recv(socket, &answer, answer.count, 0)
        guard count >= 0 else { throw Failure(code: errno) }
        // struct nlmsgerr: after the header, the negative number of an error, or 0.
        guard count >= 20 else { throw Failure(code: EPROTO) }
        let (kind, result) = answer.withUnsafeBytes {
            ($0.loadUnaligned(fromByteOffset: 4, as: UInt16.self), $0.loadUnaligned(fromByteOffset: 16, as: Int32.self))
        }
        guard kind == UInt16(NLMSG_ERROR) else { throw Failure(code: EPROTO) }
        if result != 0 { throw Failure(code: result == .min ? EPROTO : -result) }
    }

    /// Netlink speaks in the machine's byte order.
    private func append(_ value: some FixedWidthInteger & BitwiseCopyable, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value) { bytes += $0 }
    }

    private func octets(of address: IPAddress) -> [UInt8] {
        switch address {
        case .v4(let value): withUnsafeBytes(of: value.bigEndian) { Array($0) }
        case .v6(let high, let low):
            withUnsafeBytes(of: high.bigEndian) { Array($0) } + withUnsafeBytes(of: low.bigEndian) { Array($0) }
        }
    }
}
