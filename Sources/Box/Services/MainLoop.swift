import NIOCore
import NIOPosix
import Synchronization

/// The event loop of all that is neither the radio's nor the panel's. It is made by who needs it first, because the beacon
/// does not: a thread takes time to begin.
final class MainLoop: Sendable {
    private let made = Mutex<(any EventLoop)?>(nil)

    /// The loop.
    var value: any EventLoop {
        made.withLock { made in
            let loop = made ?? MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
            made = loop
            return loop
        }
    }
}
