/// A generator that gives the same numbers for the same seed (SplitMix64): a failure is reproduced by its seed.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Makes a generator.
    public init(seed: UInt64) { state = seed }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}

/// A ``SeededGenerator`` whose copies share one state, so that no two users of it draw the same numbers.
public final class SharedGenerator: RandomNumberGenerator, @unchecked Sendable {
    private var generator: SeededGenerator

    /// Makes a generator; without a seed each gives other numbers.
    public init(seed: UInt64 = .random(in: .min ... .max)) { generator = SeededGenerator(seed: seed) }

    /// The next number.
    public func next() -> UInt64 { generator.next() }
}
