/// A rate limit: `rate` tokens a second flow into a bucket that holds `burst` of them.
public struct TokenBucket: Sendable {
    /// Tokens that flow in each second.
    public let rate: Double
    /// Tokens the bucket holds at most, and holds at the start.
    public let burst: Double
    private var tokens: Double
    private var last: Timestamp

    /// Makes a full bucket.
    /// - Parameters:
    ///   - rate: tokens a second.
    ///   - burst: the most tokens that can be taken at once.
    ///   - now: the time from which tokens flow.
    public init(rate: Double, burst: Double, now: Timestamp) {
        self.rate = rate
        self.burst = burst
        tokens = burst
        last = now
    }

    /// Takes `count` tokens if there are as many, and says whether there were.
    /// - Parameters:
    ///   - count: tokens wanted.
    ///   - now: the present time; a time before the last call's adds nothing.
    public mutating func take(_ count: Double = 1, at now: Timestamp) -> Bool {
        if now > last {
            tokens = min(burst, tokens + Double((now - last).wholeNanoseconds) / 1e9 * rate)
            last = now
        }
        guard tokens >= count else { return false }
        tokens -= count
        return true
    }
}
