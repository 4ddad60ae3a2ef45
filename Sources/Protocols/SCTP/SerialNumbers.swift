/// A transmission sequence number. TSNs wrap around and compare by serial number arithmetic (RFC 9260 section 1.6,
/// RFC 1982).
struct TSN: Hashable, Sendable {
    let value: UInt32

    init(_ value: UInt32) {
        self.value = value
    }

    var next: TSN { TSN(value &+ 1) }
    var previous: TSN { TSN(value &- 1) }

    /// How far this one is ahead of `other`; negative when it is behind.
    func distance(from other: TSN) -> Int {
        Int(Int32(bitPattern: value &- other.value))
    }

    func advanced(by count: Int) -> TSN {
        TSN(value &+ UInt32(truncatingIfNeeded: count))
    }

    func precedes(_ other: TSN) -> Bool {
        distance(from: other) < 0
    }
}

extension UInt16 {
    /// Whether this stream sequence number comes before `other` (RFC 9260 section 1.6).
    func precedes(serial other: UInt16) -> Bool {
        Int16(bitPattern: self &- other) < 0
    }
}

extension UInt32 {
    /// Whether this request sequence number comes before `other` (RFC 6525 section 4.1, as for TSNs).
    func precedes(serial other: UInt32) -> Bool {
        Int32(bitPattern: self &- other) < 0
    }
}
