import SansIO

/// When a panel that failed is tried again: soon at first, later and later while it goes on failing.
struct RetrySchedule: Sendable {
    /// After the first failure: longer than any controller asks for between two resets (120 ms).
    static let first = Duration.milliseconds(250)
    /// At most; each wait is twice the one before.
    static let longest = Duration.seconds(30)
    /// A panel that worked for so long starts anew with `first`.
    static let settled = Duration.seconds(60)

    private var delay = first
    private var lastFailure: Timestamp?

    /// Notes a failure.
    /// - Returns: when to try again.
    mutating func failed(at now: Timestamp) -> Timestamp {
        delay = lastFailure.map { now - $0 < Self.settled } == true ? min(delay * 2, Self.longest) : Self.first
        let next = now + delay
        lastFailure = next
        return next
    }
}
