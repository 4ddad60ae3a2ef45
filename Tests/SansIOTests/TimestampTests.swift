import SansIO
import Testing

@Suite struct TimestampTests {
    @Test func addsAndSubtractsDurations() {
        let start = Timestamp(nanoseconds: 5_000_000_000)
        #expect(start + .seconds(2) == Timestamp(nanoseconds: 7_000_000_000))
        #expect(start + .milliseconds(-500) == Timestamp(nanoseconds: 4_500_000_000))
        #expect((start + .seconds(3)) - start == .seconds(3))
        #expect(start - (start + .seconds(3)) == .seconds(-3))
        #expect(start < start + .nanoseconds(1))
    }

    @Test func saturatesAtBothEndsOfTheClock() {
        let end = Timestamp(nanoseconds: .max)
        #expect(end + .seconds(1) == end)
        #expect(Timestamp.zero + .seconds(-1) == .zero)
        #expect(end - .zero == .nanoseconds(Int64.max))
        #expect(Timestamp.zero - end == .nanoseconds(-Int64.max))
    }

    @Test func durationsBeyondInt64Saturate() {
        #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max)
        #expect(Duration.seconds(Int64.min).wholeNanoseconds == .min)
        #expect(Duration.microseconds(-3).wholeNanoseconds == -3000)
        #expect(Duration.seconds(1.5).wholeNanoseconds == 1_500_000_000)
    }
}
