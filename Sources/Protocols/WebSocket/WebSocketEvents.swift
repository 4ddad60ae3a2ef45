/// What has come from the other end of a WebSocket; each range is of the bytes it came with.
public enum WebSocketEvent: Hashable, Sendable {
    /// A whole text message, valid UTF-8.
    case text(Range<Int>)
    /// A whole binary message.
    case binary(Range<Int>)
    /// A ping, to be answered by a pong of the same payload (RFC 6455, section 5.5.2).
    case ping(Range<Int>)
    /// A pong.
    case pong(Range<Int>)
    /// A close frame, the last event: its code if it has one, and its whole payload, to be sent back (section 5.5.1).
    case close(WebSocketCloseCode?, payload: Range<Int>)
    /// The client broke the protocol, the last event: the connection is to be closed for it (section 7.1.7).
    case failed(WebSocketFailure)
}

/// What one read brought. Reuse one: `removeAll` keeps its storage.
public struct WebSocketEvents: Sendable {
    /// Bytes of storage that `removeAll` keeps at most: what a burst of ordinary messages needs.
    public static let keptByteCount = 16 << 10

    /// What has come, in order.
    public internal(set) var events: [WebSocketEvent] = []
    /// Payloads with the mask taken off; beyond `count` there is only room.
    private var storage: [UInt8] = []
    private var count = 0

    /// Makes an empty list.
    public init() {}

    /// The bytes of an event.
    /// - Parameter range: an event's; what lies outside of the bytes is left out.
    @_lifetime(borrow self)
    public func bytes(_ range: Range<Int>) -> RawSpan {
        storage.span.bytes.extracting(range.clamped(to: 0..<count))
    }

    /// Empties the list for the next read.
    public mutating func removeAll() {
        events.removeAll(keepingCapacity: true)
        count = 0
        // A long message is rare; its storage is not kept.
        if storage.count > Self.keptByteCount { storage = [] }
    }

    /// Appends bytes with the mask taken off (RFC 6455, section 5.3).
    ///
    /// Eight bytes at a time and into storage that is there: this stands in the path of every message.
    /// - Parameters:
    ///   - masked: bytes as they came, the first under the first octet of the mask.
    ///   - mask: the octets of the masking key as they lie in memory.
    /// - Returns: where they are, and whether all are ASCII.
    mutating func append(_ masked: RawSpan, mask: UInt32) -> (range: Range<Int>, isASCII: Bool) {
        let start = count
        let byteCount = masked.byteCount
        makeRoom(for: byteCount)
        count += byteCount
        var seen: UInt64 = 0
        storage.withUnsafeMutableBytes { target in
            masked.withUnsafeBytes { source in
                let word = UInt64(mask) << 32 | UInt64(mask)
                var offset = 0
                while offset &+ 8 <= byteCount {
                    let value = source.loadUnaligned(fromByteOffset: offset, as: UInt64.self) ^ word
                    target.storeBytes(of: value, toByteOffset: start &+ offset, as: UInt64.self)
                    seen |= value
                    offset &+= 8
                }
                withUnsafeBytes(of: mask) { key in
                    while offset < byteCount {
                        let value = source[offset] ^ key[offset & 3]
                        target[start &+ offset] = value
                        seen |= UInt64(value)
                        offset &+= 1
                    }
                }
            }
        }
        return (start..<count, seen & 0x8080_8080_8080_8080 == 0)
    }

    /// Appends bytes as they are.
    mutating func append(_ bytes: [UInt8]) -> Range<Int> {
        append(bytes.span.bytes, mask: 0).range
    }

    /// Forgets the bytes appended last.
    mutating func removeLast(_ range: Range<Int>) { count = min(count, range.lowerBound) }

    private mutating func makeRoom(for byteCount: Int) {
        let missing = count + byteCount - storage.count
        guard missing > 0 else { return }
        storage.append(contentsOf: repeatElement(0, count: max(missing, storage.count)))
    }
}
