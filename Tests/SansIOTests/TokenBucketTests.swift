import SansIO
import Testing

@Suite struct TokenBucketTests {
    /// Whether each of the takes, given as tokens and milliseconds since the start, succeeded.
    private func outcomes(
        rate: Double, burst: Double, from start: Int = 0, _ takes: [(tokens: Double, at: Int)]
    ) -> [Bool] {
        var bucket = TokenBucket(rate: rate, burst: burst, now: .zero + .milliseconds(start))
        return takes.map { bucket.take($0.tokens, at: .zero + .milliseconds($0.at)) }
    }

    @Test func startsFullAndRefuses() {
        #expect(outcomes(rate: 10, burst: 3, [(1, 0), (1, 0), (1, 0), (1, 0)]) == [true, true, true, false])
    }

    @Test func refillsAtItsRateUpToTheBurst() {
        #expect(outcomes(rate: 10, burst: 3, [(3, 0), (1, 99), (1, 101)]) == [true, false, true])
        #expect(outcomes(rate: 10, burst: 3, [(3, 0), (4, 60_000), (3, 60_000)]) == [true, false, true])
    }

    @Test func aClockThatGoesBackAddsNothing() {
        #expect(
            outcomes(rate: 1000, burst: 1, from: 10_000, [(1, 10_000), (1, 5_000), (1, 10_000)])
                == [true, false, false])
    }
}
