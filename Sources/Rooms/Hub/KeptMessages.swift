/// The messages a client has not acknowledged yet, numbered without a gap, oldest first.
///
/// One run of bytes and one of ends, both reused: keeping a message allocates nothing once they have grown.
struct KeptMessages: Sendable {
    /// The messages as they go out, one behind the other.
    private var bytes: [UInt8] = []
    /// Where each of them ends, counted from the first byte ever kept.
    private var ends: [UInt64] = []
    /// How many of `ends` are of messages already let go.
    private var gone = 0
    /// How many bytes were let go, all told, and where in `bytes` the oldest kept one begins.
    private var origin: UInt64 = 0
    private var start = 0

    /// The number of the next message.
    private(set) var next: UInt64 = 1

    /// How many messages are kept.
    var count: Int { ends.count - gone }
    /// Bytes that are kept.
    var byteCount: Int { bytes.count - start }
    /// The number of the oldest message that is kept; that of the next one when none is.
    var first: UInt64 { next - UInt64(count) }

    /// Keeps the next message.
    mutating func append(_ message: ArraySlice<UInt8>) {
        bytes.append(contentsOf: message)
        ends.append(origin + UInt64(bytes.count - start))
        next += 1
    }

    /// Gives the next message a number without keeping it, or any before it.
    mutating func skip() {
        removeAll()
        next += 1
    }

    /// Keeps nothing of before, and gives no number up to this one any more.
    mutating func skip(through number: UInt64) {
        removeAll()
        next = max(next, number + 1)
    }

    /// Lets go of the oldest message.
    mutating func removeFirst() {
        guard gone < ends.count else { return }
        let end = ends[gone]
        gone += 1
        start += Int(end - origin)
        origin = end
        if gone == ends.count {
            removeAll()
        } else if start > bytes.count / 2, start > 4096 {
            bytes.removeSubrange(..<start)
            start = 0
            ends.removeSubrange(..<gone)
            gone = 0
        }
    }

    /// Lets go of every message up to this number.
    mutating func remove(through number: UInt64) {
        while count > 0, first <= number { removeFirst() }
    }

    /// Lets go of all messages; the numbers go on.
    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: bytes.capacity <= 4096)
        ends.removeAll(keepingCapacity: ends.capacity <= 256)
        gone = 0
        start = 0
        origin = 0
    }

    /// Hands over each message, the oldest first.
    func forEach(_ body: (ArraySlice<UInt8>) -> Void) {
        var begin = start
        var last = origin
        for index in gone..<ends.count {
            let end = begin + Int(ends[index] - last)
            last = ends[index]
            body(bytes[begin..<end])
            begin = end
        }
    }
}
