public import DataChannel

/// What waits of an echo for a client that reads slowly, within limits: of one client, and of all together.
public struct EchoQueue: Sendable {
    /// Bytes that may wait for a client that does not read: one frame and the pieces on their way.
    public static let limit = 17 << 20
    /// The same for all clients together.
    public static let totalLimit = 64 << 20
    /// Bytes that a message takes beside its content while it waits.
    public static let messageOverhead = 80

    private var waiting: [(message: [UInt8], kind: DataChannelMessageKind)] = []
    /// Where in `waiting` the first one is that still waits.
    private var first = 0
    /// Bytes that wait.
    public private(set) var bytes = 0

    /// Makes an empty queue.
    public init() {}

    /// Whether nothing waits.
    public var isEmpty: Bool { waiting.isEmpty }

    /// Takes a message behind the others.
    /// - Parameter total: bytes that wait in all queues; counted on.
    /// - Returns: false when that is more than may wait: the channel is to be closed.
    public mutating func append(_ message: [UInt8], _ kind: DataChannelMessageKind, total: inout Int) -> Bool {
        let size = message.count + Self.messageOverhead
        guard bytes + size <= Self.limit, total + size <= Self.totalLimit else { return false }
        bytes += size
        total += size
        waiting.append((message, kind))
        return true
    }

    /// Takes out the message that has waited longest.
    /// - Parameter total: bytes that wait in all queues; counted down.
    /// - Returns: nil when nothing waits.
    public mutating func removeFirst(total: inout Int) -> (message: [UInt8], kind: DataChannelMessageKind)? {
        guard first < waiting.count else { return nil }
        let next = waiting[first]
        // Its memory goes with it, not with the array.
        waiting[first].message = []
        first += 1
        if 2 * first >= waiting.count {
            waiting.removeFirst(first)
            first = 0
        }
        bytes -= next.message.count + Self.messageOverhead
        total -= next.message.count + Self.messageOverhead
        return next
    }

    /// The client is gone, and all that waited with it.
    /// - Parameter total: bytes that wait in all queues; counted down.
    public mutating func removeAll(total: inout Int) {
        total -= bytes
        bytes = 0
        waiting = []
        first = 0
    }
}
