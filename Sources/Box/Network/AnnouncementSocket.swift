import CLinux
import Glibc

/// Opens a socket on which the kernel announces changes (netlink(7)). No read of it waits.
/// - Parameters:
///   - number: whose changes, `NETLINK_ROUTE` for example.
///   - groups: which of them: the bit of each multicast group, that of group 1 first.
///   - operation: what it is for, as the error calls it.
/// - Returns: the socket's descriptor, which is the caller's.
/// - Throws: ``NetworkError`` when the kernel has none of it, or the process may not.
public func announcementSocket(
    _ number: Int32, groups: UInt32, to operation: String
) throws(NetworkError) -> Int32 {
    let descriptor = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue) | O_NONBLOCK | O_CLOEXEC, number)
    guard descriptor >= 0 else { throw NetworkError(operation: operation, code: errno) }
    var address = sockaddr_nl()
    address.nl_family = sa_family_t(AF_NETLINK)
    address.nl_groups = groups
    let bound = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
        }
    }
    guard bound == 0 else {
        let code = errno
        close(descriptor)
        throw NetworkError(operation: operation, code: code)
    }
    return descriptor
}
