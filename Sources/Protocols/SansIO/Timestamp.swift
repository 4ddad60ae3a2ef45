/// A reading of a monotonic clock, in nanoseconds since an arbitrary start.
///
/// Cores never read a clock: their shell passes a `Timestamp` with every input, and a core answers with the
/// one at which it wants to be called again.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Nanoseconds since the clock's start.
    public var nanoseconds: UInt64

    /// Makes a timestamp.
    /// - Parameter nanoseconds: nanoseconds since the clock's start.
    @inlinable
    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// The clock's start.
    public static let zero = Timestamp(nanoseconds: 0)

    /// Whether `lhs` is the earlier one.
    @inlinable
    public static func < (lhs: Timestamp, rhs: Timestamp) -> Bool {
        lhs.nanoseconds < rhs.nanoseconds
    }

    /// The timestamp `rhs` later; saturates at both ends of the clock instead of trapping.
    @inlinable
    public static func + (lhs: Timestamp, rhs: Duration) -> Timestamp {
        let delta = rhs.wholeNanoseconds
        if delta >= 0 {
            let (sum, overflow) = lhs.nanoseconds.addingReportingOverflow(UInt64(delta))
            return Timestamp(nanoseconds: overflow ? .max : sum)
        }
        let magnitude = delta.magnitude
        return Timestamp(nanoseconds: lhs.nanoseconds > magnitude ? lhs.nanoseconds - magnitude : 0)
    }

    /// The time from `rhs` to `lhs`; negative when `rhs` is the later one.
    @inlinable
    public static func - (lhs: Timestamp, rhs: Timestamp) -> Duration {
        lhs.nanoseconds >= rhs.nanoseconds
            ? .nanoseconds(Int64(clamping: lhs.nanoseconds - rhs.nanoseconds))
            : .nanoseconds(-Int64(clamping: rhs.nanoseconds - lhs.nanoseconds))
    }
}

extension Duration {
    /// The duration in nanoseconds, saturating at the ends of `Int64` (about 292 years).
    @inlinable
    public var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, carry) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carry ? (seconds < 0 ? .min : .max) : sum
    }
}
