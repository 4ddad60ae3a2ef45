import TestSupport

/// A generator whose copies share one state, so that no two associations draw the same numbers.
final class SharedGenerator: RandomNumberGenerator, @unchecked Sendable {
    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    func next() -> UInt64 { generator.next() }
}
