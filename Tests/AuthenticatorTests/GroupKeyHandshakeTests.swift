import IEEE80211
import SansIO
import Testing
import WiFiCrypto
import WiFiSupplicant
import Wire

@testable import Authenticator

@Suite struct GroupKeyHandshakeTests {
    @Test("The phone has the old keys and the new ones", arguments: KeyManagement.allCases)
    func completes(_ keyManagement: KeyManagement) throws {
        var harness = try Harness.connected(keyManagement)
        let next = harness.group.next(using: &harness.generator)
        let frames = harness.give(.groupRekey(next)) { #expect($0.frames.map(\.isEncrypted) == [true]) }
        #expect(try read(frames[0]).information.rawValue == 0x1380 | UInt16(keyManagement.descriptorVersion))
        #expect(try read(frames[0]).replayCounter == 3)
        try harness.exchange(frames)
        #expect(harness.events.last == .groupKeysAcknowledged(gtkIndex: 2))
        #expect(harness.supplicant.groupKeys == [1: harness.group.gtk, 2: next.gtk])
        if keyManagement != .psk {
            #expect(harness.supplicant.integrityGroupKeys == [4: harness.group.igtk, 5: next.igtk])
        }
        #expect(harness.deadline == nil)
        // The next ones take the place of the first.
        let third = next.next(using: &harness.generator)
        try harness.exchange(harness.give(.groupRekey(third)))
        #expect(harness.supplicant.groupKeys == [1: third.gtk, 2: next.gtk])
    }

    @Test("It is sent 4 times, after 500 ms and then each second; any of them may be answered", arguments: 0..<5)
    func lost(_ answered: Int) throws {
        var harness = try Harness.connected()
        let next = harness.group.next(using: &harness.generator)
        var frames = harness.give(.groupRekey(next))
        var times: [Duration] = []
        while frames.count < 4, let more = harness.wait() {
            frames += more
            times.append(harness.now - .zero)
        }
        #expect(times == [.milliseconds(500), .milliseconds(1_500), .milliseconds(2_500)])
        #expect(try counters(frames) == [3, 4, 5, 6])
        if answered < 4 {
            let answer = try harness.answer(to: frames[answered])
            _ = harness.deliver(toAuthenticator: answer)
            #expect(harness.events.last == .groupKeysAcknowledged(gtkIndex: 2))
        } else {
            _ = harness.wait()
            #expect(harness.events.last == .failed(.groupTimedOut))
            #expect(HandshakeFailure.groupTimedOut.reasonCode == .groupKeyHandshakeTimeout)
        }
    }

    @Test(
        "Group keys that change during a 4-way handshake: message 3 has those in use, the others follow",
        arguments: [1, 2])
    func duringFourWay(_ messages: Int) throws {
        var harness = try Harness(.sae)
        let next = harness.group.next(using: &harness.generator)
        let message1 = try harness.start()
        var frames = [message1]
        if messages == 2 {
            let message2 = try harness.answer(to: message1)
            frames = harness.deliver(toAuthenticator: message2)
        }
        #expect(harness.give(.groupRekey(next)).isEmpty)
        try harness.exchange(frames)
        #expect(harness.supplicant.groupKeys == [1: harness.group.gtk, 2: next.gtk])
        #expect(harness.events.suffix(2) == [.authorized, .groupKeysAcknowledged(gtkIndex: 2)])
    }

    @Test("Group keys that change before the start are those of message 3")
    func beforeStart() throws {
        var harness = try Harness(.sae)
        let next = harness.group.next(using: &harness.generator)
        _ = harness.give(.groupRekey(next))
        try harness.exchange(harness.give(.start))
        #expect(harness.supplicant.groupKeys == [2: next.gtk])
        #expect(harness.events.last == .authorized)
    }

    @Test("Group keys that change while others are not acknowledged: the latest count, with attempts of their own")
    func overtaken() throws {
        var harness = try Harness.connected(.sae)
        let second = harness.group.next(using: &harness.generator)
        let third = second.next(using: &harness.generator)
        let old = harness.give(.groupRekey(second))
        for _ in 0..<3 { _ = harness.wait() }
        let new = harness.give(.groupRekey(third))
        let late = try harness.answer(to: old[0])
        _ = harness.deliver(toAuthenticator: late)
        #expect(harness.discard == .replayed)
        try harness.exchange(new)
        #expect(harness.events.last == .groupKeysAcknowledged(gtkIndex: 1))
        #expect(harness.supplicant.groupKeys[1] == third.gtk)
    }

    @Test("A pairwise rekey in the middle of a group key handshake: both are finished")
    func pairwiseRekeyDuring() throws {
        var harness = try Harness.connected(.sae)
        let next = harness.group.next(using: &harness.generator)
        let lost = harness.give(.groupRekey(next))
        #expect(lost.count == 1)
        let request = try harness.request(.pairwise)
        try harness.exchange(harness.deliver(toAuthenticator: request))
        #expect(harness.installations.count == 2)
        #expect(harness.installations == harness.supplicant.installations)
        #expect(harness.events.last == .groupKeysAcknowledged(gtkIndex: 2))
        #expect(harness.supplicant.groupKeys == [1: harness.group.gtk, 2: next.gtk])
    }

    // MARK: Requests

    @Test("A request for group keys is passed on, one for a handshake begins one")
    func requests() throws {
        var harness = try Harness.connected(.sae)
        let group = try harness.request([])
        #expect(harness.deliver(toAuthenticator: group, .encrypted).isEmpty)
        #expect(harness.events.last == .groupRekeyRequested)
        harness.now = harness.now + .seconds(11)
        let pairwise = try harness.request(.pairwise)
        try harness.exchange(harness.deliver(toAuthenticator: pairwise))
        #expect(harness.installations.count == 2)
    }

    @Test("A request is taken once, with a right code, and not more than once in 10 s")
    func refusedRequests() throws {
        var harness = try Harness.connected(.sae)
        let first = try harness.request(.pairwise)
        var forged = first
        forged[20] ^= 1
        #expect(harness.deliver(toAuthenticator: forged).isEmpty)
        #expect(harness.discard == .wrongIntegrityCode)
        try harness.exchange(harness.deliver(toAuthenticator: first))
        #expect(harness.installations.count == 2)
        // The key is another one now; even so the counter alone would do.
        _ = harness.deliver(toAuthenticator: first)
        #expect(harness.discard == .replayed)
        let second = try harness.request(.pairwise)
        _ = harness.deliver(toAuthenticator: second)
        #expect(harness.discard == .tooSoon)
        harness.now = harness.now + .seconds(10)
        _ = harness.deliver(toAuthenticator: second)
        #expect(harness.discard == .replayed, "a request too soon is used up")
        let third = try harness.request(.pairwise)
        try harness.exchange(harness.deliver(toAuthenticator: third))
        #expect(harness.installations.count == 3)
    }

    @Test("A report of TKIP's is ignored, and costs nobody a key")
    func failureReport() throws {
        var harness = try Harness.connected(.psk)
        let report = try harness.request([.pairwise, .error])
        #expect(harness.deliver(toAuthenticator: report).isEmpty)
        #expect(harness.discard == .failureReport)
        #expect(harness.installations.count == 1)
    }

    // MARK: Frames that are not encrypted (FragAttacks)

    @Test("Once the station has a key, EAPOL frames that are not encrypted are ignored, with a right code too")
    func plaintext() throws {
        var harness = try Harness.connected(.sae)
        let next = harness.group.next(using: &harness.generator)
        let frames = harness.give(.groupRekey(next))
        let answer = try harness.answer(to: frames[0])
        let request = try harness.request(.pairwise)
        for frame in [answer, request] {
            #expect(harness.deliver(toAuthenticator: frame, .plaintext).isEmpty)
            #expect(harness.discard == .plaintext)
        }
        _ = harness.deliver(toAuthenticator: answer, .encrypted)
        #expect(harness.events.last == .groupKeysAcknowledged(gtkIndex: 2))
    }

    @Test("In a later 4-way handshake, answers that are not encrypted count: wpa_supplicant's message 4 is none")
    func plaintextRekey() throws {
        var harness = try Harness.connected(.sae)
        let request = try harness.request(.pairwise)
        let begun = harness.deliver(toAuthenticator: request, .encrypted)
        let another = try harness.request([])
        _ = harness.deliver(toAuthenticator: another, .plaintext)
        #expect(harness.discard == .plaintext, "a request has the key that is there")
        let message2 = try harness.answer(to: begun[0])
        let message3 = harness.deliver(toAuthenticator: message2, .plaintext)
        let message4 = try harness.answer(to: message3[0])
        _ = harness.deliver(toAuthenticator: message4, .plaintext)
        #expect(harness.installations.count == 2)
        #expect(harness.installations == harness.supplicant.installations)
        _ = harness.deliver(toAuthenticator: message4, .plaintext)
        #expect(harness.discard == .plaintext)
        #expect(harness.installations.count == 2)
    }

    @Test("Before there is a key, frames are taken in as they are; what a driver does not tell is no reason to refuse")
    func beforeKeys() throws {
        for protection in [EAPOLProtection.plaintext, .unknown] {
            var harness = try Harness(.sae)
            let message1 = try harness.start()
            let message2 = try harness.answer(to: message1)
            let message3 = harness.deliver(toAuthenticator: message2, protection)
            let message4 = try harness.answer(to: message3[0])
            _ = harness.deliver(toAuthenticator: message4, protection)
            #expect(harness.events.last == .authorized)
        }
    }
}
