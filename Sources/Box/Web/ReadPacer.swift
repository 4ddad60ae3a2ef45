import NIOCore

/// Tells whether messages come thick and fast on a connection, so that it is better read now and then.
///
/// A client that has much to say sends each message in a packet of its own, a few microseconds apart. Read as soon as
/// each arrives, every one costs a wake-up, a read, and a write to its receiver. Read a moment later, several come in one
/// piece and pass on in one. A message that comes alone is never held up.
struct ReadPace {
    /// Two reads that are closer than this begin it.
    static let closeness = TimeAmount.microseconds(250)
    /// So long after them the connection is paced: who has sent a burst soon sends another.
    static let memory = TimeAmount.milliseconds(50)

    private var lastRead = NIODeadline.distantPast
    private var end = NIODeadline.distantPast

    /// Whether the next read is to wait.
    var isPaced: Bool { lastRead < end }

    /// Notes that something was read.
    mutating func noteRead(at now: NIODeadline) {
        if now - lastRead < Self.closeness { end = now + Self.memory }
        lastRead = now
    }
}

/// Holds up the reads of paced connections for a moment.
final class ReadPacer {
    /// How long a read waits at most.
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
