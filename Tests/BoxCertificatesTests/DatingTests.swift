import Testing

@testable import BoxCertificates

@Suite struct DatingTests {
    private let day = Validity.day
    private let made = Dating.softwareMade

    private func server(_ clock: ClockReading, _ authority: Validity, after present: Validity? = nil) -> Validity {
        Dating.server(at: Dating.time(clock: clock, authority: authority, present: present), within: authority)
    }

    /// The clock starts years behind; phones have the right time.
    @Test func aClockThatStartsInThePastMakesCertificatesThatPhonesAccept() {
        for clock in [0, 1_000_000_000, made - 900 * day] {
            let reading = ClockReading(seconds: clock, isSynchronized: false)
            let authority = Dating.authority(at: reading)
            let server = server(reading, authority)
            for phone in [made, made + 400 * day, made + 760 * day] {
                #expect(authority.notBefore < phone && phone < authority.notAfter)
                #expect(server.notBefore < phone && phone < server.notAfter)
            }
            #expect(server.notAfter - server.notBefore == Dating.serverSpan)
        }
    }

    @Test func theTimeDoesNotGoBackUnlessATimeServiceSaysSo() {
        let authority = Dating.authority(at: ClockReading(seconds: made, isSynchronized: false))
        let present = server(ClockReading(seconds: made + 500 * day, isSynchronized: true), authority)
        let behind = ClockReading(seconds: made + 3 * day, isSynchronized: false)
        #expect(Dating.time(clock: behind, authority: authority, present: present) == made + 500 * day)
        #expect(!Dating.isDue(server: present, authority: authority, time: made + 500 * day))
        // The same clock, and right: the certificate was issued while it ran ahead, and no phone accepts it.
        let right = ClockReading(seconds: made + 3 * day, isSynchronized: true)
        let time = Dating.time(clock: right, authority: authority, present: present)
        #expect(time == made + 3 * day)
        #expect(Dating.isDue(server: present, authority: authority, time: time))
    }

    @Test func aClockThatJumpsPastTheAuthoritysEndIsDisbelievedUnlessATimeServiceSetIt() {
        let authority = Dating.authority(at: ClockReading(seconds: made, isSynchronized: false))
        let jumped = ClockReading(seconds: authority.notAfter + 1, isSynchronized: false)
        #expect(!Dating.isEnding(authority: authority, clock: jumped))
        #expect(Dating.time(clock: jumped, authority: authority, present: nil) == made)
        #expect(
            Dating.isEnding(authority: authority, clock: ClockReading(seconds: jumped.seconds, isSynchronized: true)))
    }

    /// A clock that was years ahead when the authority was made.
    @Test func anAuthorityMadeInTheFutureIsValidInThePresent() {
        let authority = Dating.authority(at: ClockReading(seconds: made + 30_000 * day, isSynchronized: false))
        #expect(authority.notBefore < made)
        let server = server(ClockReading(seconds: made, isSynchronized: true), authority)
        #expect(server.notBefore < made && server.notAfter > made + 700 * day)
    }

    @Test func renewalComesInTimeAndOnlyThen() {
        let authority = Dating.authority(at: ClockReading(seconds: made, isSynchronized: true))
        var present = server(ClockReading(seconds: made, isSynchronized: true), authority)
        var renewals = 0
        for day in 0..<3600 {
            let clock = ClockReading(seconds: made + Int64(day) * Validity.day, isSynchronized: true)
            let time = Dating.time(clock: clock, authority: authority, present: present)
            if Dating.isDue(server: present, authority: authority, time: time) {
                present = server(clock, authority, after: present)
                renewals += 1
                #expect(!Dating.isDue(server: present, authority: authority, time: time))
            }
            #expect(present.notBefore < clock.seconds && clock.seconds < present.notAfter)
            #expect(present.notAfter <= authority.notAfter)
            #expect(!Dating.isEnding(authority: authority, clock: clock))
        }
        #expect(renewals == 4)
    }

    @Test func theSystemsClockIsRead() {
        let reading = ClockReading.system()
        #expect(reading.seconds > 1_700_000_000)
    }
}
