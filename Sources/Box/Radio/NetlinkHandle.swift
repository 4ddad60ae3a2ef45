import CLinux
import CNetlink
import Glibc
import NL80211
import Netlink

/// libnl's socket, freed with its owner.
struct NetlinkHandle: ~Copyable {
    /// Octets of messages that may wait to be read. A list of radios and a burst of frames from 32 phones fit well.
    static let receiveBufferSize: Int32 = 1 << 20
    /// Octets of requests that may wait to be taken.
    static let sendBufferSize: Int32 = 64 * 1024
    /// Octets of the longest datagram that the kernel sends: it makes lists in pieces of at most 32 KB
    /// (netlink_dump of net/netlink/af_netlink.c).
    static let datagramCapacity = 32 * 1024

    private let socket: OpaquePointer
    /// What is read and written.
    let descriptor: CInt

    /// `SOL_NETLINK` and options of it (linux/netlink.h), `SO_RCVBUFFORCE` (asm/socket.h).
    private enum Option {
        static let level: Int32 = 270
        static let capAcknowledgement: Int32 = 10
        static let extendedAcknowledgement: Int32 = 11
        static let forcedReceiveBuffer: Int32 = 33
    }

    deinit { nl_socket_free(socket) }

    private init(socket: OpaquePointer, descriptor: CInt) {
        self.socket = socket
        self.descriptor = descriptor
    }

    /// Opens a socket.
    /// - Parameter number: the protocol, `NETLINK_ROUTE` or `NETLINK_GENERIC`.
    static func open(protocol number: Int32) throws(RadioSocketError) -> NetlinkHandle {
        guard let socket = nl_socket_alloc() else {
            throw RadioSocketError("open a netlink socket", reason: "out of memory")
        }
        let code = nl_connect(socket, number)
        guard code >= 0 else {
            nl_socket_free(socket)
            throw error("open a netlink socket", code)
        }
        // Sequence numbers and acknowledgements are NetlinkClient's.
        nl_socket_disable_seq_check(socket)
        nl_socket_disable_auto_ack(socket)
        nl_socket_set_buffer_size(socket, receiveBufferSize, sendBufferSize)
        let handle = NetlinkHandle(socket: socket, descriptor: nl_socket_get_fd(socket))
        // Beyond the system's limit, which only root may.
        handle.set(receiveBufferSize, level: SOL_SOCKET, Option.forcedReceiveBuffer)
        // Old kernels have neither; then refusals come without words.
        handle.set(1, level: Option.level, Option.extendedAcknowledgement)
        handle.set(1, level: Option.level, Option.capAcknowledgement)
        return handle
    }

    private func set(_ value: Int32, level: Int32, _ option: Int32) {
        var value = value
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Joins a multicast group.
    func join(_ group: Int32) throws(RadioSocketError) {
        let code = nl_socket_add_membership(socket, group)
        guard code >= 0 else { throw Self.error("join a netlink group", code) }
    }

    /// The number that the kernel gave a generic family.
    func resolve(family: String) throws(RadioSocketError) -> UInt16 {
        let number = genl_ctrl_resolve(socket, family)
        guard number >= 0, let family = UInt16(exactly: number) else {
            throw Self.error(
                "find the kernel's Wi-Fi (\(family))", number,
                advice: "No Wi-Fi driver is loaded: is there a radio, and its firmware?")
        }
        return family
    }

    /// The number that the kernel gave a multicast group of a generic family.
    func resolve(group: String, of family: String) throws(RadioSocketError) -> Int32 {
        let number = genl_ctrl_resolve_grp(socket, family, group)
        guard number >= 0 else { throw Self.error("find the group \(group) of \(family)", number) }
        return number
    }

    /// From now on no call waits.
    func setNonBlocking() throws(RadioSocketError) {
        let code = nl_socket_set_nonblocking(socket)
        guard code >= 0 else { throw Self.error("set up a netlink socket", code) }
    }

    /// Hands a message to the kernel, which carries it out before this returns.
    /// - Returns: 0, or `errno`.
    func send(_ bytes: [UInt8]) -> Int32 {
        while true {
            let sent = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, 0) }
            if sent == bytes.count { return 0 }
            if sent >= 0 { return EMSGSIZE }
            if errno != EINTR { return errno }
        }
    }

    private static func error(_ operation: String, _ code: Int32, advice: String? = nil) -> RadioSocketError {
        RadioSocketError(operation, reason: String(cString: nl_geterror(code)), advice: advice)
    }
}
