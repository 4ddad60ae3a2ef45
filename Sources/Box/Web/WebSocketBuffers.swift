import NIOCore
import WebSocket

/// Storage that all WebSockets of an event loop share: only one is read at a time, and few are written to between two
/// flushes, so that a message costs no allocation and an idle connection no memory.
final class WebSocketBuffers {
    /// Empty buffers that are kept for the next frames, and the most bytes of one.
    private static let spareLimit = 8
    private static let spareByteCount = 16 << 10

    /// What the read that is under way brought.
    var events = WebSocketEvents()
    let pacer: ReadPacer
    private var spares: [[UInt8]] = []

    init(eventLoop: any EventLoop) {
        pacer = ReadPacer(eventLoop: eventLoop)
    }

    /// An empty buffer for outgoing frames.
    func take() -> [UInt8] { spares.popLast() ?? [] }

    /// Gives a buffer back; its bytes are not needed any more.
    func recycle(_ buffer: consuming [UInt8]) {
        // A long message is rare; its storage is not kept.
        guard spares.count < Self.spareLimit, buffer.capacity <= Self.spareByteCount else { return }
        buffer.removeAll(keepingCapacity: true)
        spares.append(buffer)
    }
}
