import CLinux
import Glibc

/// A reading of the machine's calendar clock.
public struct ClockReading: Hashable, Sendable {
    /// Seconds since 1970-01-01 00:00:00 UTC, without leap seconds.
    public var seconds: Int64
    /// Whether the clock is known to be right: a time service set it since the machine started.
    public var isSynchronized: Bool

    /// Makes a reading.
    /// - Parameters:
    ///   - seconds: seconds since 1970-01-01 00:00:00 UTC.
    ///   - isSynchronized: whether the clock is known to be right.
    public init(seconds: Int64, isSynchronized: Bool) {
        self.seconds = seconds
        self.isSynchronized = isSynchronized
    }

    /// What the machine's clock says now; that it is right is the kernel's word, as its time service told it
    /// (adjtimex(2), `STA_UNSYNC`).
    public static func system() -> ClockReading {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var state = timex()
        let answer = adjtimex(&state)
        let isSynchronized = answer >= 0 && answer != TIME_ERROR
        return ClockReading(seconds: Int64(time.tv_sec), isSynchronized: isSynchronized)
    }
}

/// The span in which a certificate is valid, in seconds since 1970-01-01 00:00:00 UTC.
struct Validity: Equatable, Sendable {
    var notBefore: Int64
    var notAfter: Int64

    static let day: Int64 = 86_400
}

/// How the box dates its certificates although its clock may be wrong.
///
/// A Raspberry Pi has no clock battery. Without the Internet it starts with the time of its last shutdown, or of its
/// image, which can be years behind, and the clock jumps forward when a time service is reached. The phones that
/// judge the certificates have the right time. So:
///
/// - **The time is taken as the latest that is known to have passed**: the clock's, the day this software was made, the
///   day the present certificate was issued. Only a clock that a time service has set may move it back: that repairs a
///   certificate issued while the clock ran ahead.
/// - **The authority's certificate** is valid from a fixed day before this software, so no clock that is behind makes it
///   "not yet valid", until ten years after the time it was made. It is replaced, which costs a visit to every phone,
///   only when a clock that is known to be right says that it ends; a clock that merely jumped past its end is
///   disbelieved.
/// - **The server's certificate** is valid for 820 days: Apple's systems refuse more than 825 for authorities a person
///   installed (support.apple.com/103769; the 398 days of support.apple.com/102028 bind only the authorities that come
///   with the system), and other browsers set no limit to those. 30 of the days lie in the past, for phones that are
///   behind. A box whose clock is two years late still serves a certificate that phones accept. It is renewed 60 days
///   before its end, which no phone notices.
enum Dating {
    /// 2026-11-01: this software did not exist before.
    static let softwareMade: Int64 = 1_793_491_200
    /// 2025-01-01.
    static let authorityStart: Int64 = 1_735_689_600
    /// Ten years.
    static let authoritySpan: Int64 = 3653 * Validity.day
    /// The authority is replaced this long before its end.
    static let authorityMargin: Int64 = 30 * Validity.day
    /// How long a server's certificate is valid.
    static let serverSpan: Int64 = 820 * Validity.day
    /// How much of that lies before the time of issue.
    static let serverBackdate: Int64 = 30 * Validity.day
    /// A server's certificate is renewed this long before its end.
    static let serverMargin: Int64 = 60 * Validity.day

    /// The time to go by.
    /// - Parameters:
    ///   - clock: what the clock says.
    ///   - authority: the authority's validity; a clock that is beyond it and that nobody set is disbelieved.
    ///   - present: the server's certificate in use, a witness that its time of issue has passed.
    static func time(clock: ClockReading, authority: Validity, present: Validity?) -> Int64 {
        if clock.isSynchronized { return max(clock.seconds, softwareMade) }
        let issued = present.map { $0.notBefore + serverBackdate } ?? softwareMade
        let isBeyond = clock.seconds > authority.notAfter - authorityMargin
        return max(isBeyond ? softwareMade : clock.seconds, issued, softwareMade)
    }

    /// The validity of a new authority.
    static func authority(at clock: ClockReading) -> Validity {
        Validity(notBefore: authorityStart, notAfter: max(clock.seconds, softwareMade) + authoritySpan)
    }

    /// Whether the authority must be replaced.
    static func isEnding(authority: Validity, clock: ClockReading) -> Bool {
        clock.isSynchronized && clock.seconds > authority.notAfter - authorityMargin
    }

    /// The validity of a new server's certificate, within its authority's.
    static func server(at time: Int64, within authority: Validity) -> Validity {
        let notBefore = max(time - serverBackdate, authority.notBefore)
        return Validity(notBefore: notBefore, notAfter: min(notBefore + serverSpan, authority.notAfter))
    }

    /// Whether the server's certificate must be renewed; false when a new one would end on the same day.
    static func isDue(server: Validity, authority: Validity, time: Int64) -> Bool {
        time < server.notBefore || (time > server.notAfter - serverMargin && server.notAfter < authority.notAfter)
    }
}
