import SansIO

/// How long to wait for an acknowledgement (RFC 9260 section 6.3.1).
struct RetransmissionTimeout: Sendable {
    /// RTO.
    private(set) var current: Duration
    private let minimum: Duration
    private let maximum: Duration
    /// SRTT and RTTVAR in nanoseconds, once a round trip has been measured.
    private var smoothed: (roundTrip: Int64, variation: Int64)?

    init(_ timing: SCTPTiming) {
        current = min(timing.initialRTO, timing.maximumRTO)
        minimum = timing.minimumRTO
        maximum = timing.maximumRTO
    }

    /// SRTT, once a round trip has been measured.
    var smoothedRoundTrip: Duration? { smoothed.map { .nanoseconds($0.roundTrip) } }

    /// Takes a measured round trip in (rules C2, C3, C6, C7).
    mutating func measured(_ roundTrip: Duration) {
        // An hour and more is no round trip; the bound keeps the sums below from overflowing.
        let sample = min(max(0, roundTrip.wholeNanoseconds), 3_600_000_000_000)
        if let (old, variation) = smoothed {
            // RTO.Beta is 1/4 and RTO.Alpha 1/8 (section 16).
            smoothed = (old - old / 8 + sample / 8, variation - variation / 4 + abs(old - sample) / 4)
        } else {
            smoothed = (sample, sample / 2)
        }
        guard let (average, variation) = smoothed else { return }
        current = min(max(.nanoseconds(average + 4 * max(variation, 1)), minimum), maximum)
    }

    /// Doubles the time after an expiry (section 6.3.3, rule E2).
    mutating func backOff() {
        current = min(current * 2, maximum)
    }
}
