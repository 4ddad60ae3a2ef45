import IEEE80211
import SansIO
import Testing
import WiFiCrypto
import WiFiSupplicant
import Wire

@testable import Authenticator

@Suite struct FourWayHandshakeTests {
    @Test("Both ends have the same keys, each installed once", arguments: KeyManagement.allCases)
    func completes(_ keyManagement: KeyManagement) throws {
        var harness = try Harness(keyManagement)
        try harness.exchange(harness.give(.start))
        #expect(
            harness.events == [.installPairwise(try #require(harness.supplicant.installations.first)), .authorized])
        #expect(harness.supplicant.installations.count == 1)
        #expect(harness.supplicant.groupKeys == [1: harness.group.gtk])
        #expect(harness.supplicant.integrityGroupKeys == (keyManagement == .psk ? [:] : [4: harness.group.igtk]))
        #expect(harness.deadline == nil, "nothing is waited for")
    }

    @Test(
        "The messages have the flags of 12.7.6, one counter each, and are not encrypted",
        arguments: KeyManagement.allCases)
    func flags(_ keyManagement: KeyManagement) throws {
        var harness = try Harness(keyManagement)
        let version = UInt16(keyManagement.descriptorVersion)
        let begun = harness.give(.start) { #expect($0.frames.map(\.isEncrypted) == [false]) }
        let message1 = try #require(begun.first)
        let first = try read(message1)
        #expect(first.information.rawValue == 0x0088 | version)
        #expect(first.replayCounter == 1)
        #expect(first.keyLength == 16)
        #expect(first.integrityCode == [UInt8](repeating: 0, count: 16))
        // A PSK's identifier would let others guess the passphrase without a phone.
        let pmkid = try KeyData(parsing: first.keyData.span.bytes).pmkid
        #expect((pmkid != nil) == (keyManagement == .sae))
        let message2 = try harness.answer(to: message1)
        let answers = harness.give(.eapol(message2.span.bytes, .plaintext)) {
            #expect($0.frames.map(\.isEncrypted) == [false])
        }
        let message3 = try #require(answers.first)
        let third = try read(message3)
        #expect(third.information.rawValue == 0x13c8 | version)
        #expect(third.replayCounter == 2)
        #expect(third.nonce == first.nonce)
    }

    @Test("Message 3 has the beacon's elements, filled up to what can be wrapped")
    func message3Elements() throws {
        var harness = try Harness(.sae)
        harness.group.gtkSequence = 0x0102_0304_0506
        harness.group.igtkSequence = 0x0a0b_0c0d_0e0f
        _ = harness.give(.groupRekey(harness.group))
        let message1 = try harness.start()
        let message2 = try harness.answer(to: message1)
        let message3 = try harness.reply(to: message2)
        let keys = try PairwiseTransientKey(
            pmk: harness.pmk, keyManagement: .sae, addresses: (Harness.bss, Harness.station),
            nonces: (try read(message1).nonce, try read(message2).nonce))
        let frame = try read(message3)
        #expect(frame.receiveSequence == 0x0102_0304_0506)
        #expect(Array(message3[65..<73]) == [6, 5, 4, 3, 2, 1, 0, 0], "the low octet first")
        let plain = try #require(try AESKeyWrap.unwrap(frame.keyData.span.bytes, key: keys.encryptionKey))
        #expect(plain.count % 8 == 0)
        let keyData = try KeyData(parsing: plain.bytes)
        #expect(keyData.rsn == Harness.rsn(.sae, capabilities: 0xcc))
        #expect(keyData.rsnExtension == [0xf4, 1, 0x20])
        #expect(keyData.groupKey == KeyData.GroupKey(index: 1, key: harness.group.gtk))
        #expect(keyData.integrityGroupKey?.sequence == 0x0a0b_0c0d_0e0f)
        #expect(keyData.integrityGroupKey?.index == 4)
    }

    @Test(
        "A station is told the IGTK if it protects management frames, by whichever AKM it came",
        arguments: KeyManagement.allCases, [true, false])
    func managementFrameProtection(_ keyManagement: KeyManagement, _ isProtected: Bool) throws {
        var harness = try Harness(keyManagement, usesManagementFrameProtection: isProtected)
        try harness.exchange(harness.give(.start))
        #expect(harness.supplicant.isConnected)
        let next = harness.group.next(using: &harness.generator)
        try harness.exchange(harness.give(.groupRekey(next)))
        #expect(
            harness.supplicant.integrityGroupKeys == (isProtected ? [4: harness.group.igtk, 5: next.igtk] : [:]))
    }

    // MARK: Answers that do not come

    @Test(
        "Message 1 is sent 4 times, after 100 ms and then each second, each time with another counter; then it is over")
    func message1Lost() throws {
        var harness = try Harness()
        var frames = harness.give(.start)
        var times: [Duration] = [.zero]
        while let more = harness.wait(), harness.failure == nil {
            frames += more
            times.append(harness.now - .zero)
        }
        #expect(times == [.zero, .milliseconds(100), .milliseconds(1_100), .milliseconds(2_100)])
        #expect(try counters(frames) == [1, 2, 3, 4])
        #expect(Set(try frames.map { try read($0).nonce }).count == 1, "one handshake, one ANonce")
        #expect(harness.events == [.failed(.timedOut)])
        #expect(HandshakeFailure.timedOut.reasonCode == .fourWayHandshakeTimeout)
        #expect(harness.now - .zero == .milliseconds(3_100))
        #expect(harness.deadline == nil)
    }

    @Test("A first message 1 that the link layer acknowledged is given a second more")
    func message1Acknowledged() throws {
        var harness = try Harness()
        _ = harness.give(.start)
        _ = harness.give(.acknowledged)
        #expect(harness.deadline == .zero + .milliseconds(1_100))
        _ = harness.give(.acknowledged)
        #expect(harness.deadline == .zero + .milliseconds(1_100), "once")
        _ = harness.wait()
        _ = harness.give(.acknowledged)
        #expect(harness.deadline == .zero + .milliseconds(2_100))
    }

    @Test("Message 3 is sent 4 times; its nonce and keys stay, its counter grows")
    func message3Lost() throws {
        var harness = try Harness()
        let message1 = try harness.start()
        let message2 = try harness.answer(to: message1)
        var frames = harness.deliver(toAuthenticator: message2)
        while let more = harness.wait(), harness.failure == nil { frames += more }
        #expect(try counters(frames) == [2, 3, 4, 5])
        #expect(Set(try frames.map { try read($0).nonce }) == [try read(message1).nonce])
        #expect(Set(try frames.map { try read($0).keyData }).count == 1)
        #expect(harness.events == [.failed(.timedOut)])
    }

    @Test("Message 4 may answer any message 3 that was sent", arguments: [0, 1, 2, 3])
    func lateMessage4(_ which: Int) throws {
        var harness = try Harness()
        let message1 = try harness.start()
        let message2 = try harness.answer(to: message1)
        var frames = harness.deliver(toAuthenticator: message2)
        for _ in 0..<3 { frames += harness.wait() ?? [] }
        let message4 = try harness.answer(to: frames[which])
        _ = harness.deliver(toAuthenticator: message4)
        #expect(
            harness.events == [.installPairwise(try #require(harness.supplicant.installations.first)), .authorized])
    }

    @Test("Message 2 may answer any message 1 that was sent", arguments: [0, 1, 2, 3])
    func lateMessage2(_ which: Int) throws {
        var harness = try Harness()
        var frames = harness.give(.start)
        for _ in 0..<3 { frames += harness.wait() ?? [] }
        let message2 = try harness.answer(to: frames[which])
        try harness.exchange(harness.deliver(toAuthenticator: message2))
        #expect(harness.installations == harness.supplicant.installations)
        #expect(harness.installations.count == 1)
    }

    @Test("A phone that takes another SNonce for each message 1 connects although its first answer was used")
    func renewedNonce() throws {
        var harness = try Harness(habits: .newNonceEachTime)
        var frames = harness.give(.start)
        frames += harness.wait() ?? []
        let answers = [try harness.answer(to: frames[0]), try harness.answer(to: frames[1])]
        #expect(try read(answers[0]).nonce != read(answers[1]).nonce)
        // The phone has forgotten the nonce of the first answer when message 3 comes.
        let stale = harness.deliver(toAuthenticator: answers[0])
        try harness.exchange(stale)
        #expect(harness.phoneEvents.last == .ignored(.wrongIntegrityCode))
        try harness.exchange(harness.deliver(toAuthenticator: answers[1]))
        #expect(harness.installations == harness.supplicant.installations)
        #expect(harness.installations.count == 1)
        #expect(harness.supplicant.isConnected)
    }

    @Test("The same message 2 twice: message 3 goes out once")
    func doubledMessage2() throws {
        var harness = try Harness()
        let message1 = try harness.start()
        let message2 = try harness.answer(to: message1)
        #expect(harness.deliver(toAuthenticator: message2).count == 1)
        #expect(harness.deliver(toAuthenticator: message2).isEmpty)
        #expect(harness.discard == .replayed)
    }

    @Test("Phones that leave out the flag Secure or fill frames up with zeros connect too")
    func habits() throws {
        for habits in [SupplicantHabits.noSecureFlag, .trailingZeros] {
            var harness = try Harness(.sae, habits: habits)
            try harness.exchange(harness.give(.start))
            #expect(harness.supplicant.isConnected)
            #expect(harness.events.last == .authorized)
        }
    }

    // MARK: Passphrases and elements

    @Test("A wrong passphrase: known 100 ms after the second wrong answer", arguments: KeyManagement.allCases)
    func wrongPassphrase(_ keyManagement: KeyManagement) throws {
        var harness = try Harness(keyManagement, passphrase: 8)
        let message1 = try harness.start()
        let message2 = try harness.answer(to: message1)
        let again = harness.deliver(toAuthenticator: message2)
        #expect(harness.discard == .wrongIntegrityCode)
        #expect(try counters(again) == [2])
        #expect(harness.authenticator.hasSeenWrongPassphrase)
        #expect(harness.events.isEmpty, "one wrong answer may be anybody's")
        try harness.exchange(again)
        #expect(harness.events.isEmpty, "a right answer might still come")
        _ = harness.wait()
        #expect(harness.events == [.failed(.wrongPassphrase)])
        #expect(harness.now - .zero == .milliseconds(100))
        #expect(HandshakeFailure.wrongPassphrase.reasonCode == .fourWayHandshakeTimeout)
        #expect(!harness.supplicant.isConnected)
        #expect(harness.deadline == nil)
    }

    @Test("A wrong answer, then none: the passphrase is held for wrong when the time is over")
    func wrongThenSilent() throws {
        var harness = try Harness(passphrase: 8)
        let message1 = try harness.start()
        let message2 = try harness.answer(to: message1)
        _ = harness.deliver(toAuthenticator: message2)
        while harness.failure == nil, harness.wait() != nil {}
        #expect(harness.events == [.failed(.wrongPassphrase)])
    }

    @Test("A forged message 2 before the phone's own does not keep it out, however often it is repeated")
    func forgedMessage2() throws {
        var harness = try Harness()
        var forger = try Harness(passphrase: 8)
        let message1 = try harness.start()
        let forged = try forger.answer(to: message1)
        let honest = try harness.answer(to: message1)
        for _ in 0..<10 {
            // To each message 1 that is sent again.
            for again in harness.deliver(toAuthenticator: forged) {
                let forgedAgain = try forger.answer(to: again)
                #expect(harness.deliver(toAuthenticator: forgedAgain).isEmpty, "no storm of messages 1")
            }
        }
        #expect(harness.events.isEmpty)
        try harness.exchange(harness.deliver(toAuthenticator: honest))
        #expect(harness.events.last == .authorized)
        #expect(!harness.authenticator.hasSeenWrongPassphrase)
    }

    @Test("Elements of message 2 that are not the association's end it: a downgrade")
    func elementMismatch() throws {
        let cases: [(KeyManagement, [UInt8])] = [
            (.psk, Harness.rsn(.psk, capabilities: 0x80)),
            (.psk, Harness.rsn(.psk, capabilities: 0) + [0xf4, 1, 0x20]),
            (.psk, [0xf4, 1, 0x20]),
            (.psk, [0x30, 0x14, 1]),
            (.sae, Harness.rsn(.sae, capabilities: 0xc0)),
            (.sae, Harness.rsn(.sae, capabilities: 0xc0) + [0xf4, 1, 0x00]),
            (.sae, Harness.rsn(.sae, capabilities: 0x00) + [0xf4, 1, 0x20]),
        ]
        for (keyManagement, elements) in cases {
            var harness = try Harness(keyManagement, phoneElements: elements)
            try harness.exchange(harness.give(.start))
            #expect(harness.events == [.failed(.elementMismatch)])
            #expect(HandshakeFailure.elementMismatch.reasonCode == .elementMismatch)
            #expect(!harness.supplicant.isConnected)
        }
    }

    @Test("A beacon that says otherwise than message 3: the phone leaves, and no key was installed here")
    func forgedBeacon() throws {
        var harness = try Harness(.sae, beacon: Harness.rsn(.sae, capabilities: 0x8c) + [0xf4, 1, 0x20])
        try harness.exchange(harness.give(.start))
        #expect(harness.phoneEvents == [.failed(.elementMismatch)])
        #expect(harness.events.isEmpty)
    }

    // MARK: What is ignored

    @Test("Frames with wrong flags, versions, counters or codes are ignored, and nothing of them is kept")
    func ignored() throws {
        var harness = try Harness(.sae)
        let message1 = try harness.start()
        let message2 = try harness.answer(to: message1)
        func changed(_ change: (inout EAPOLKeyFrame) -> Void) throws -> [UInt8] {
            var frame = try read(message2)
            change(&frame)
            return frame.encoded
        }
        var pairwise = try read(message2)
        pairwise.information.remove(.pairwise)
        let cases: [([UInt8], HandshakeDiscard)] = [
            (try changed { $0.information.remove(.integrityCode) }, .unexpectedFlags),
            (try changed { $0.information.insert(.acknowledge) }, .unexpectedFlags),
            (try changed { $0.information.insert(.encryptedKeyData) }, .unexpectedFlags),
            (try changed { $0.information.insert(.error) }, .unexpectedFlags),
            (try changed { $0.information = $0.information.with(descriptorVersion: 2) }, .wrongVersion),
            (try changed { $0.information.insert(.request) }, .notExpected),
            (try changed { $0.replayCounter = 0 }, .replayed),
            (try changed { $0.replayCounter = 2 }, .replayed),
            (try changed { $0.keyData = [] }, .notExpected),
            (pairwise.encoded, .notExpected),
            (Array(message2.dropLast()), .unreadable(.truncated)),
            ([1, 1, 0, 0], .unreadable(.otherPacket(1))),
            ([1, 3, 0, 1, 254], .unreadable(.otherDescriptor(254))),
            ([], .unreadable(.truncated)),
        ]
        for (frame, reason) in cases {
            #expect(harness.deliver(toAuthenticator: frame).isEmpty)
            #expect(harness.discard == reason)
        }
        #expect(harness.events.isEmpty)
        #expect(!harness.authenticator.hasSeenWrongPassphrase)
        try harness.exchange(harness.deliver(toAuthenticator: message2))
        #expect(harness.events.last == .authorized)
    }

    @Test("Any bit of message 2 or 4 changed: no key, no failure, and the true frame still counts")
    func everyBit() throws {
        let reference = try Harness.connected(.sae)
        for message in [2, 4] {
            var harness = try Harness(.sae)
            let message1 = try harness.start()
            var frame = try harness.answer(to: message1)
            if message == 4 {
                frame = try harness.answer(to: harness.reply(to: frame))
            }
            for bit in 0..<(frame.count * 8) {
                var copy = harness
                var changed = frame
                changed[bit / 8] ^= 1 << (bit % 8)
                _ = copy.deliver(toAuthenticator: changed)
                #expect(copy.events.isEmpty, "bit \(bit) of message \(message)")
                #expect(copy.discard != nil)
                try copy.exchange(copy.deliver(toAuthenticator: frame))
                #expect(copy.events == reference.events, "bit \(bit) of message \(message)")
            }
        }
    }

    @Test("Nothing is taken in before the start or after the end, and a second start is none")
    func outside() throws {
        var harness = try Harness(passphrase: 8)
        let frame = EAPOLKeyFrame(information: [.pairwise, .integrityCode], replayCounter: 1, keyData: [1]).encoded
        #expect(harness.deliver(toAuthenticator: frame).isEmpty)
        let message1 = harness.give(.start)
        #expect(harness.give(.start).isEmpty)
        try harness.exchange(message1)
        _ = harness.wait()
        #expect(harness.failure == .wrongPassphrase)
        let events = harness.events.count
        #expect(harness.give(.start).isEmpty)
        #expect(harness.give(.wake).isEmpty)
        #expect(harness.give(.groupRekey(harness.group)).isEmpty)
        #expect(harness.deliver(toAuthenticator: frame).isEmpty)
        #expect(harness.events.count == events)
    }
}
