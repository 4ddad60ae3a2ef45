/// The bytes of messages on their way out: appended at the end, freed at the front, and named by positions that count from
/// the first byte ever appended.
struct ByteQueue: Sendable {
    /// Empty, or a power of two in length.
    private var storage: [UInt8] = []
    /// The position of the first byte that is kept.
    private(set) var start: UInt64 = 0
    /// The position behind the last byte.
    private(set) var end: UInt64 = 0

    var count: Int { Int(end &- start) }
    /// Octets of memory held.
    var footprint: Int { storage.capacity }

    /// Appends bytes.
    mutating func append(_ bytes: RawSpan) {
        let length = bytes.byteCount
        if count + length > storage.count { grow(to: count + length) }
        let offset = index(of: end)
        let early = min(length, storage.count - offset)
        storage.withUnsafeMutableBytes { target in
            bytes.withUnsafeBytes { source in
                target.baseAddress.map { base in
                    guard let from = source.baseAddress else { return }
                    (base + offset).copyMemory(from: from, byteCount: early)
                    base.copyMemory(from: from + early, byteCount: length - early)
                }
            }
        }
        end &+= UInt64(length)
    }

    /// Appends a copy of some bytes to `target`.
    /// - Parameters:
    ///   - position: of the first one; must be kept still.
    ///   - length: how many.
    func copy(from position: UInt64, length: Int, to target: inout [UInt8]) {
        precondition(position >= start && length >= 0 && position + UInt64(length) <= end)
        let offset = index(of: position)
        let early = min(length, storage.count - offset)
        storage.withUnsafeBytes { bytes in
            target.append(contentsOf: bytes[offset..<(offset + early)])
            if early < length { target.append(contentsOf: bytes[..<(length - early)]) }
        }
    }

    /// Frees the bytes before `position`.
    mutating func discard(before position: UInt64) {
        start = min(max(start, position), end)
    }

    /// Gives the memory back if nothing is in it.
    mutating func releaseIfEmpty() {
        if start == end { storage = [] }
    }

    private func index(of position: UInt64) -> Int {
        Int(truncatingIfNeeded: position) & (storage.count &- 1)
    }

    private mutating func grow(to needed: Int) {
        var capacity = max(1024, storage.count)
        while capacity < needed { capacity *= 2 }
        var larger: [UInt8] = []
        larger.reserveCapacity(capacity)
        // The kept bytes go where their positions put them in the larger storage.
        let offset = Int(truncatingIfNeeded: start) & (capacity - 1)
        let kept = count
        let early = min(kept, capacity - offset)
        if early < kept { copy(from: start + UInt64(early), length: kept - early, to: &larger) }
        larger.append(contentsOf: repeatElement(0, count: offset - larger.count))
        if early > 0 { copy(from: start, length: early, to: &larger) }
        larger.append(contentsOf: repeatElement(0, count: capacity - larger.count))
        storage = larger
    }
}
