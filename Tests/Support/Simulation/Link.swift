import SansIO
import TestSupport

/// How a link treats datagrams. Every number is drawn from the seed.
public struct LinkCharacter: Sendable {
    /// The share of datagrams lost, 0 to 1.
    public var loss = 0.0
    /// The share of datagrams that come twice, 0 to 1.
    public var duplication = 0.0
    /// Milliseconds on the way, at least.
    public var delay = 1
    /// Milliseconds more on the way, at most; more than the distance of two datagrams reorders them.
    public var jitter = 0

    /// A link that does nothing to datagrams but carry them.
    public init() {}

    init(using generator: inout SeededGenerator) {
        // A third of all links are good, the others lose up to a fifth.
        loss = Int.random(in: 0..<3, using: &generator) == 0 ? 0 : Double.random(in: 0...0.2, using: &generator)
        duplication = Double.random(in: 0...0.1, using: &generator)
        delay = Int.random(in: 1...60, using: &generator)
        jitter = Int.random(in: 0...50, using: &generator)
    }
}

/// One direction between a phone and the box.
///
/// What happens to a datagram depends on the seed and on its place among those sent, never on its bytes: signatures in DTLS
/// are random and differ in length from run to run.
struct Link {
    let character: LinkCharacter
    private var generator: SeededGenerator

    init(_ character: LinkCharacter, seed: UInt64) {
        self.character = character
        generator = SeededGenerator(seed: seed)
    }

    /// When a datagram sent now arrives: never, once or twice.
    mutating func arrivals(at now: Timestamp) -> [Timestamp] {
        let isLost = Double.random(in: 0..<1, using: &generator) < character.loss
        let isDoubled = Double.random(in: 0..<1, using: &generator) < character.duplication
        let first = time(at: now)
        let second = time(at: now)
        if isLost { return [] }
        return isDoubled ? [first, second] : [first]
    }

    private mutating func time(at now: Timestamp) -> Timestamp {
        let microseconds = 1_000 * character.delay + Int.random(in: 0...(1_000 * character.jitter), using: &generator)
        return now + .microseconds(microseconds)
    }
}
