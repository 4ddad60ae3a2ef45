import SansIO
import TestSupport
import Testing
import WiFiCrypto
import WiFiSupplicant
import Wire

@testable import Authenticator

/// The key reinstallation attacks (Vanhoef and Piessens, CCS 2017 and 2018), from the authenticator's side: whatever is lost,
/// late, doubled or replayed, no key is installed twice and no message 3 or 4 of one handshake counts in another.
@Suite struct KeyReinstallationTests {
    @Test("Message 4 again, however often: the key is installed once", arguments: KeyManagement.allCases)
    func replayedMessage4(_ keyManagement: KeyManagement) throws {
        var harness = try Harness(keyManagement)
        let message1 = try harness.start()
        let message2 = try harness.answer(to: message1)
        let message3 = try harness.reply(to: message2)
        let message4 = try harness.answer(to: message3)
        for protection in [EAPOLProtection.plaintext, .unknown, .encrypted, .plaintext] {
            _ = harness.deliver(toAuthenticator: message4, protection)
        }
        #expect(harness.installations.count == 1)
        #expect(harness.discard == .plaintext)
    }

    @Test(
        "Message 4 was lost: message 3 goes out again, its second answer installs the key, the first one then nothing")
    func lostMessage4() throws {
        var harness = try Harness()
        let message1 = try harness.start()
        let message2 = try harness.answer(to: message1)
        let message3 = try harness.reply(to: message2)
        let held = try harness.answer(to: message3)
        let again = harness.wait() ?? []
        #expect(again.count == 1)
        #expect(try read(again[0]).replayCounter > read(message3).replayCounter)
        let second = try harness.answer(to: again[0])
        #expect(harness.supplicant.installations.count == 1, "the phone does not install it again")
        _ = harness.deliver(toAuthenticator: second)
        #expect(harness.installations == harness.supplicant.installations)
        _ = harness.deliver(toAuthenticator: held)
        #expect(harness.installations.count == 1)
        #expect(harness.events.filter { $0 == .authorized }.count == 1)
    }

    @Test("Message 2 again after the handshake: no message 3, no key")
    func replayedMessage2() throws {
        var harness = try Harness()
        let message1 = try harness.start()
        let message2 = try harness.answer(to: message1)
        try harness.exchange(harness.deliver(toAuthenticator: message2))
        #expect(harness.deliver(toAuthenticator: message2).isEmpty)
        #expect(harness.discard == .notExpected)
        #expect(harness.installations.count == 1)
    }

    @Test("Each handshake has another ANonce and another key; frames of the one before count for nothing")
    func rekey() throws {
        var harness = try Harness(.sae)
        let message1 = try harness.start()
        let message2 = try harness.answer(to: message1)
        let message3 = try harness.reply(to: message2)
        let message4 = try harness.answer(to: message3)
        _ = harness.deliver(toAuthenticator: message4)
        var nonces = [try read(message1).nonce]
        for round in 1...5 {
            harness.now = harness.now + .seconds(60)
            let request = try harness.request(.pairwise)
            let begun = harness.deliver(toAuthenticator: request, .encrypted)
            #expect(begun.count == 1)
            nonces.append(try read(begun[0]).nonce)
            // What the first handshake was made of, at every step of the new one.
            for old in [message2, message4] { #expect(harness.deliver(toAuthenticator: old, .encrypted).isEmpty) }
            let answer = try harness.answer(to: begun[0])
            let third = harness.deliver(toAuthenticator: answer, .encrypted)
            #expect(try read(third[0]).nonce == nonces.last)
            for old in [message2, message4] { #expect(harness.deliver(toAuthenticator: old, .encrypted).isEmpty) }
            #expect(harness.installations.count == round)
            let fourth = try harness.answer(to: third[0])
            _ = harness.deliver(toAuthenticator: fourth, .encrypted)
            #expect(harness.installations.count == round + 1)
        }
        #expect(Set(nonces).count == nonces.count)
        #expect(Set(harness.installations.map { $0.bytes.copied }).count == harness.installations.count)
        #expect(harness.installations == harness.supplicant.installations)
        #expect(harness.events.filter { $0 == .authorized }.count == 1, "the station was authorized all the time")
    }

    @Test("The frames of a rekey are encrypted under the key that is there, and their counters go on")
    func rekeyIsEncrypted() throws {
        var harness = try Harness.connected(.sae)
        let request = try harness.request(.pairwise)
        let begun = harness.give(.eapol(request.span.bytes, .encrypted)) {
            #expect($0.frames.map(\.isEncrypted) == [true])
        }
        #expect(try counters(begun) == [3])
        let answer = try harness.answer(to: begun[0])
        _ = harness.give(.eapol(answer.span.bytes, .encrypted)) { #expect($0.frames.map(\.isEncrypted) == [true]) }
    }

    @Test("A group message 2 again: the keys are acknowledged once, and no other handshake hears of it")
    func replayedGroupMessage2() throws {
        var harness = try Harness.connected(.sae)
        let next = harness.group.next(using: &harness.generator)
        let first = harness.give(.groupRekey(next))
        let answer = try harness.answer(to: first[0])
        _ = harness.deliver(toAuthenticator: answer, .encrypted)
        #expect(harness.events.last == .groupKeysAcknowledged(gtkIndex: 2))
        let count = harness.events.count
        _ = harness.deliver(toAuthenticator: answer, .encrypted)
        #expect(harness.discard == .notExpected)
        let later = next.next(using: &harness.generator)
        _ = harness.give(.groupRekey(later))
        _ = harness.deliver(toAuthenticator: answer, .encrypted)
        #expect(harness.discard == .replayed)
        #expect(harness.events.count == count)
    }

    @Test("The group keys of a message 3 that comes again are the same: the phone installs none twice")
    func groupKeyInMessage3() throws {
        var harness = try Harness(.sae)
        let message1 = try harness.start()
        let message2 = try harness.answer(to: message1)
        let message3 = try harness.reply(to: message2)
        _ = try harness.answer(to: message3)
        let again = harness.wait() ?? []
        #expect(try read(again[0]).keyData == read(message3).keyData)
        _ = try harness.answer(to: again[0])
        let installed = harness.phoneEvents.filter { if case .installedGroup = $0 { true } else { false } }
        #expect(installed.count == 1)
    }

    @Test("A pairwise rekey tells the same group keys again, so no phone installs them anew")
    func groupKeyInRekey() throws {
        var harness = try Harness.connected(.sae)
        harness.phoneEvents = []
        let request = try harness.request(.pairwise)
        try harness.exchange(harness.deliver(toAuthenticator: request))
        #expect(harness.installations.count == 2)
        #expect(
            !harness.phoneEvents.contains {
                switch $0 {
                case .installedGroup, .installedIntegrityGroup: true
                default: false
                }
            })
    }

    @Test("Group keys alternate between their indices and never repeat")
    func alternate() {
        var generator = SeededGenerator(seed: 99)
        var keys = GroupKeys.fresh(usesManagementFrameProtection: true, using: &generator)
        var seen: Set<[UInt8]> = []
        for round in 0..<50 {
            #expect(keys.gtkIndex == (round % 2 == 0 ? 1 : 2))
            #expect(keys.igtkIndex == (round % 2 == 0 ? 4 : 5))
            #expect(keys.gtkSequence == 0 && keys.igtkSequence == 0)
            let isNews = seen.insert(keys.gtk.bytes.copied).inserted
            #expect(isNews)
            let isNewIGTK = seen.insert(keys.igtk?.bytes.copied ?? []).inserted
            #expect(isNewIGTK)
            keys = keys.next(using: &generator)
        }
        #expect(GroupKeys.fresh(usesManagementFrameProtection: false, using: &generator).igtk == nil)
    }

    @Test("Two associations with the same generator's beginning have other nonces, and so has each station")
    func nonces() throws {
        var generator = SeededGenerator(seed: 99)
        var seen: Set<[UInt8]> = []
        for _ in 0..<50 {
            var authenticator = try PairwiseAuthenticator(
                pmk: SecretBytes([UInt8](repeating: 7, count: 32)), pmkid: nil, keyManagement: .psk,
                station: Harness.station, bss: Harness.bss, stationElements: [UInt8]().span.bytes,
                apElements: [UInt8]().span.bytes,
                group: GroupKeys.fresh(usesManagementFrameProtection: false, using: &generator),
                usesManagementFrameProtection: false, using: &generator)
            for _ in 0..<4 {
                let nonce = try authenticator.makeNonce()
                #expect(seen.insert(nonce).inserted)
            }
        }
    }
}
