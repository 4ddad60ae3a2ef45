import Glibc
import NIOCore

/// A TCP connection's descriptor, to write to without the event loop's queue of writes.
///
/// It is a duplicate of the channel's, which can't turn into another connection's when the channel closes its own.
final class DirectSocket {
    private let descriptor: CInt

    /// Duplicates the descriptor of a channel; nil when it is not a socket's, or there are no descriptors left.
    init?(_ channel: any Channel) {
        let copy = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            fcntl($0, F_DUPFD_CLOEXEC, 0)
        }
        guard let copy, copy >= 0 else { return nil }
        descriptor = copy
    }

    deinit { close(descriptor) }

    /// Writes what goes at once.
    /// - Returns: how many bytes went; fewer than all when the kernel takes no more, or the connection is gone.
    func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        while true {
            let count = send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL | MSG_DONTWAIT))
            if count >= 0 { return count }
            guard errno == EINTR else { return 0 }
        }
    }
}
