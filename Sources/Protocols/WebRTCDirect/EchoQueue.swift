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

    /// Sends what waits, in order, as long as there is room.
    /// - Parameters:
    ///   - total: bytes that wait in all queues; counted down.
    ///   - hasRoom: asked before each message.
    ///   - send: gets each message.
    public mutating func drain(
        total: inout Int, while hasRoom: () -> Bool, send: ([UInt8], DataChannelMessageKind) -> Void
    ) {
        var sent = 0
        while sent < waiting.count, hasRoom() {
            let (message, kind) = waiting[sent]
            send(message, kind)
            bytes -= message.count + Self.messageOverhead
            total -= message.count + Self.messageOverhead
            sent += 1
        }
        waiting.removeFirst(sent)
    }

    /// The client is gone, and all that waited with it.
    /// - Parameter total: bytes that wait in all queues; counted down.
    public mutating func removeAll(total: inout Int) {
        total -= bytes
        bytes = 0
        waiting = []
    }
}
