import NIOCore
import Wire

extension IPAddress {
    /// The address of a socket's other end; the unspecified one when it is gone.
    init(_ address: SocketAddress?) {
        guard case .v4? = address else {
            self = .v4(0)
            return
        }
        self = .v4(
            address?.withSockAddr { pointer, size in
                // struct sockaddr_in (ip(7)): family, port, then the address in network byte order.
                UInt32(bigEndian: UnsafeRawPointer(pointer).loadUnaligned(fromByteOffset: 4, as: UInt32.self))
            } ?? 0)
    }
}
