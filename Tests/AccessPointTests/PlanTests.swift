import IEEE80211
import Stations
import Testing

@testable import AccessPoint

@Suite struct SecurityPlanTests {
    private func plan(
        _ security: AccessPointConfiguration.Security, associates: Bool = false, handshake: Bool = false,
        sae: Bool = false, bip: Bool = true, ccmp: Bool = true
    ) -> SecurityPlan? {
        SecurityPlan(
            security,
            abilities: SecurityAbilities(
                associates: associates, offloadsHandshake: handshake, offloadsSAE: sae,
                ciphers: (ccmp ? [.ccmp] : []) + (bip ? [.bipCMAC128] : [])))
    }

    @Test func aRadioThatOnlySendsFramesDoesEverything() throws {
        let wpa2 = try #require(plan(.wpa2))
        #expect(wpa2.kind == .softMAC)
        #expect(wpa2.rsn.akms == [.psk])
        #expect(wpa2.rsn.capabilities.contains(.managementFrameProtectionCapable))
        #expect(!wpa2.rsn.capabilities.contains(.managementFrameProtectionRequired))
        #expect(wpa2.rsnExtension == nil)
        let wpa3 = try #require(plan(.wpa3))
        #expect(wpa3.rsn.akms == [.sae])
        #expect(wpa3.rsn.capabilities.contains(.managementFrameProtectionRequired))
        #expect(wpa3.rsnExtension?.hashToElement == true)
        let both = try #require(plan(.transition))
        #expect(both.rsn.akms == [.psk, .sae])
        #expect(!both.rsn.capabilities.contains(.managementFrameProtectionRequired))
        #expect(both.rsn.groupManagement == .bipCMAC128)
    }

    @Test func withoutProtectedManagementFramesThereIsNoSAE() throws {
        #expect(plan(.wpa3, bip: false) == nil)
        let both = try #require(plan(.transition, bip: false))
        #expect(both.rsn.akms == [.psk])
        #expect(both.rsn.groupManagement == nil)
        #expect(!both.protectsManagementFrames)
    }

    @Test func aChipThatAssociatesAndDoesNoHandshakeHasNoSAE() throws {
        #expect(plan(.wpa3, associates: true) == nil)
        let both = try #require(plan(.transition, associates: true))
        #expect(both.kind == .fullMAC)
        #expect(both.rsn.akms == [.psk])
        // Message 3 is ours and the beacon the firmware's: what it does not say must not be said.
        #expect(both.rsn.capabilities == [.sixteenPairwiseReplayCounters])
        #expect(both.rsn.groupManagement == nil)
        #expect(both.rsnExtension == nil)
    }

    @Test func anOffloadingChipGetsWhatItCan() throws {
        let both = try #require(plan(.transition, associates: true, handshake: true, sae: true))
        #expect(both.kind == .offloaded)
        #expect(both.offersPSK && both.offersSAE)
        #expect(both.rsn.capabilities.contains(.managementFrameProtectionCapable))
        #expect(both.rsnExtension == nil)
        let plain = try #require(plan(.transition, associates: true, handshake: true))
        #expect(!plain.offersSAE)
        #expect(plan(.wpa3, associates: true, handshake: true) == nil)
        #expect(plan(.wpa3, associates: true, handshake: true, sae: true)?.rsn.akms == [.sae])
    }

    @Test func withoutCCMPThereIsNothing() {
        #expect(plan(.wpa2, ccmp: false) == nil)
    }
}

@Suite struct ChannelPlanTests {
    private static let all =
        Array(stride(from: 2412, through: 2472, by: 5)) + Array(stride(from: 5180, through: 5320, by: 20))

    private func plan(
        request: Int? = nil, countryIsKnown: Bool = true, forbidden: Set<Int> = [], narrow: Set<Int> = [],
        hasHT: Bool = true, hasVHT: Bool = true, limit: ChannelWidth = .mhz80, frequencies: [Int] = all
    ) -> ChannelPlan {
        ChannelPlan(
            reports: frequencies.map {
                ChannelReport(
                    frequency: $0, mayBegin: !forbidden.contains($0) && !(5250...5720).contains($0),
                    allows80: !narrow.contains($0), allows40: (true, true), maximumPower: 20)
            },
            request: request, countryIsKnown: countryIsKnown, hasHT: { _ in hasHT }, hasVHT: hasVHT, widthLimit: limit)
    }

    @Test func withACountryTheWideBandIsTaken() throws {
        let plan = plan()
        #expect(plan.candidates.allSatisfy { $0.band == .ghz5 && $0.width == .mhz80 })
        let channel = try #require(plan.choose(neighbours: []))
        #expect(channel.number == 36)
        #expect(channel.centerFrequency == 5210)
    }

    @Test func withoutACountryOnlyWhatIsLegalEverywhere() {
        #expect(plan(countryIsKnown: false).candidates.map(\.number) == [1, 6, 11])
        #expect(plan(request: 13, countryIsKnown: false).requestIsRefused)
        #expect(plan(request: 36, countryIsKnown: false).candidates.map(\.number) == [1, 6, 11])
        #expect(plan(request: 9, countryIsKnown: false).candidates.map(\.number) == [9])
    }

    @Test func aChannelThatIsAskedForIsTakenIfItMay() {
        #expect(plan(request: 13).candidates.map(\.number) == [13])
        #expect(plan(request: 44).candidates.map(\.number) == [44])
        // Radar: another is taken, and it is said.
        let refused = plan(request: 52)
        #expect(refused.requestIsRefused)
        #expect(!refused.candidates.isEmpty)
    }

    @Test func theWidthIsWhatIsAllowedAllAround() {
        #expect(plan(hasHT: false).candidates.allSatisfy { $0.width == .mhz20NoHT })
        #expect(plan(hasVHT: false).candidates.allSatisfy { $0.width == .mhz40 })
        #expect(plan(limit: .mhz20).candidates.allSatisfy { $0.width == .mhz20 })
        // A hole in the group of four leaves pairs and single ones.
        let holed = plan(forbidden: [5240])
        #expect(holed.candidates.map(\.width) == [.mhz40, .mhz40, .mhz20])
        #expect(plan(narrow: [5180]).candidates.first?.width == .mhz40)
    }

    @Test func theQuietestOf1And6And11IsTaken() throws {
        let narrow = plan(frequencies: Self.all.filter { $0 < 3000 })
        #expect(narrow.scanFrequencies == [2412, 2437, 2462])
        let loud = [Neighbour(frequency: 2412, signal: -40), Neighbour(frequency: 2462, signal: -50)]
        #expect(narrow.choose(neighbours: loud)?.number == 6)
        // One strong neighbour disturbs more than three faint ones.
        let mixed =
            [Neighbour(frequency: 2412, signal: -40)] + (0..<3).map { _ in Neighbour(frequency: 2437, signal: -90) }
            + [Neighbour(frequency: 2462, signal: -70)]
        #expect(narrow.choose(neighbours: mixed)?.number == 6)
        #expect(narrow.choose(neighbours: [], busy: [2412: 0.9, 2437: 0.5, 2462: 0.1])?.number == 11)
    }

    @Test func aRadioWithoutAnythingThatMayBegin() {
        let none = plan(forbidden: Set(Self.all))
        #expect(none.candidates.isEmpty)
        #expect(none.choose(neighbours: []) == nil)
    }
}

@Suite struct BackoffTests {
    @Test func waitsDoubleUpToALimitAndBeginAgain() {
        var backoff = Backoff()
        let waits = (0..<9).map { _ in backoff.fail() }
        #expect(waits.prefix(4) == [.milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800)])
        #expect(waits.last == Backoff.limit)
        backoff.succeed(after: .seconds(1))
        #expect(backoff.fail() == Backoff.limit)
        backoff.succeed(after: Backoff.forgiveness)
        #expect(backoff.fail() == Backoff.first)
    }

    /// Every third failure another radio has its turn, by this count: it stood still at 16, and with it the turns.
    @Test func failuresAreCountedOn() {
        var backoff = Backoff()
        for _ in 0..<100 { #expect(backoff.fail() <= Backoff.limit) }
        #expect(backoff.failures == 100)
    }
}
