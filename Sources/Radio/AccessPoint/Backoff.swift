import SansIO

/// How long to wait before the next attempt: twice as long after each failure, up to a limit.
struct Backoff: Sendable {
    /// After the first failure.
    static let first = Duration.milliseconds(100)
    /// After many.
    static let limit = Duration.seconds(10)
    /// An access point that was up this long begins again with ``first``.
    static let forgiveness = Duration.seconds(30)

    /// Failures since the last success that lasted.
    private(set) var failures = 0

    /// Counts a failure.
    /// - Returns: how long to wait.
    mutating func fail() -> Duration {
        // The count goes on: by it the radios have their turns.
        defer { failures &+= 1 }
        return min(Self.limit, Self.first * (1 << min(failures, 16)))
    }

    /// The access point has been up for `time`.
    mutating func succeed(after time: Duration) {
        if time >= Self.forgiveness { failures = 0 }
    }

    /// Begins anew: something has changed, so that the next attempt may go better.
    mutating func reset() { failures = 0 }
}
