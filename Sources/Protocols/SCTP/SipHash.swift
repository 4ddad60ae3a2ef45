/// SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed function whose answer for a short message nobody can guess without
/// the key. It signs cookies, as it does in TCP's SYN cookies of Linux.
struct SipHash: Sendable {
    private let key0: UInt64
    private let key1: UInt64

    /// Makes a function with a key of 16 octets, each half read with its low octet first.
    init(key0: UInt64, key1: UInt64) {
        self.key0 = key0
        self.key1 = key1
    }

    /// The tag of a message.
    func tag(of message: UnsafeRawBufferPointer) -> UInt64 {
        var rounds = Rounds(key0, key1)
        var offset = 0
        while offset + 8 <= message.count {
            rounds.take(UInt64(littleEndian: message.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        var last = UInt64(truncatingIfNeeded: message.count) << 56
        for index in offset..<message.count { last |= UInt64(message[index]) << UInt64(8 * (index - offset)) }
        rounds.take(last)
        return rounds.finish()
    }

    private struct Rounds {
        var v0: UInt64
        var v1: UInt64
        var v2: UInt64
        var v3: UInt64

        init(_ key0: UInt64, _ key1: UInt64) {
            v0 = key0 ^ 0x736F_6D65_7073_6575
            v1 = key1 ^ 0x646F_7261_6E64_6F6D
            v2 = key0 ^ 0x6C79_6765_6E65_7261
            v3 = key1 ^ 0x7465_6462_7974_6573
        }

        mutating func take(_ word: UInt64) {
            v3 ^= word
            round()
            round()
            v0 ^= word
        }

        mutating func finish() -> UInt64 {
            v2 ^= 0xFF
            for _ in 0..<4 { round() }
            return v0 ^ v1 ^ v2 ^ v3
        }

        private mutating func round() {
            v0 &+= v1
            v2 &+= v3
            v1 = v1.rotated(by: 13) ^ v0
            v3 = v3.rotated(by: 16) ^ v2
            v0 = v0.rotated(by: 32)
            v2 &+= v1
            v0 &+= v3
            v1 = v1.rotated(by: 17) ^ v2
            v3 = v3.rotated(by: 21) ^ v0
            v2 = v2.rotated(by: 32)
        }
    }
}

extension UInt64 {
    fileprivate func rotated(by bits: UInt64) -> UInt64 {
        self &<< bits | self &>> (64 &- bits)
    }
}
