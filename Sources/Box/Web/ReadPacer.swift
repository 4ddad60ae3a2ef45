import NIOCore

/// Lets a connection on which messages come thick and fast be read now and then instead of for each message.
///
/// A client that has much to say sends a message in a packet of its own each, a few microseconds apart. Read as soon as
/// each arrives, it costs a wake-up, a read and a write to its receiver; read a moment later, the messages come in one
/// piece and go on in one. A message that comes alone is never held up.
final class ReadPacer {
    /// Reads of a connection that are closer than this are paced.
    static let closeness = TimeAmount.microseconds(250)
    /// For how long a paced connection is not read at most.
    static let pause = TimeAmount.milliseconds(1)

    private let eventLoop: any EventLoop
    private var paused: [WebSocketHandler] = []

    /// Makes a pacer for the connections of an event loop.
    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Reads a connection on after a pause. All that pause at one time go on together, so that many cost one timer.
    func resumeSoon(_ handler: WebSocketHandler) {
        paused.append(handler)
        guard paused.count == 1 else { return }
        eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: Self.pause) {
            let handlers = self.paused
            self.paused.removeAll(keepingCapacity: true)
            for handler in handlers { handler.resume() }
        }
    }
}
