import SansIO

/// When a panel that failed is tried again: soon at first, later and later while it goes on failing.
struct RetrySchedule: Sendable {
    /// After the first failure.
    let first: Duration
    /// At most; each wait is twice the one before.
    let longest: Duration
    /// A panel that worked for so long starts anew with `first`.
    static let settled = Duration.seconds(60)

    private var delay: Duration
    private var lastFailure: Timestamp?

    init(first: Duration, longest: Duration) {
        self.first = first
        self.longest = longest
        delay = first
    }

    /// Notes a failure.
    /// - Returns: when to try again.
    mutating func failed(at now: Timestamp) -> Timestamp {
        delay = lastFailure.map { now - $0 < Self.settled } == true ? min(delay * 2, longest) : first
        let next = now + delay
        lastFailure = next
        return next
    }
}
