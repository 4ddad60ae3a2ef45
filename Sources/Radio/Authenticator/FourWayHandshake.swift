import SansIO
import WiFiCrypto
import Wire

// MARK: The 4-way handshake (IEEE 802.11-2020, 12.7.6)

extension PairwiseAuthenticator {
    /// Octets of the pairwise key: CCMP with 128 bits.
    private static let pairwiseKeyLength: UInt16 = 16

    mutating func beginFourWay(nonce: [UInt8], at now: Timestamp, into output: inout HandshakeOutput) {
        hasSeenWrongPassphrase = false
        sendMessage1(FourWay(nonce: nonce), at: now, into: &output)
    }

    /// 12.7.6.2.
    mutating func sendMessage1(_ fourWay: FourWay, at now: Timestamp, into output: inout HandshakeOutput) {
        var fourWay = fourWay
        let counter = nextReplayCounter()
        var keyData = KeyData()
        keyData.pmkid = pmkid
        var frame = EAPOLKeyFrame(
            information: [.pairwise, .acknowledge], replayCounter: counter, nonce: fourWay.nonce,
            keyData: keyData.encoded.bytes.copied)
        frame.information = frame.information.with(descriptorVersion: keyManagement.descriptorVersion)
        frame.keyLength = Self.pairwiseKeyLength
        output.send(frame.encoded, isEncrypted: isEstablished)
        fourWay.message1.sent(counter, at: now, limits.firstTimeout, limits.timeout)
        state = .awaitingMessage2(fourWay)
    }

    /// 12.7.6.3. Comes also when message 3 was sent already: where message 1 was sent twice, some supplicants answer the
    /// second one with another SNonce, and no longer know the first.
    mutating func receiveMessage2(
        _ frame: EAPOLKeyFrame, _ bytes: RawSpan, at now: Timestamp, into output: inout HandshakeOutput
    ) throws(WiFiCryptoError) {
        var fourWay: FourWay
        switch state {
        case .awaitingMessage2(let waiting): fourWay = waiting
        case .awaitingMessage4(let keyed):
            guard frame.nonce != keyed.stationNonce else { return output.discard = .replayed }
            fourWay = keyed.fourWay
        case .idle, .established, .failed: return output.discard = .notExpected
        }
        guard fourWay.message1.counters.contains(frame.replayCounter) else { return output.discard = .replayed }
        let keys = try PairwiseTransientKey(
            pmk: pmk, keyManagement: keyManagement, addresses: (bss, station), nonces: (fourWay.nonce, frame.nonce))
        guard try keys.verifies(bytes) else {
            output.discard = .wrongIntegrityCode
            // Only where no right one came: that one has proven the passphrase.
            guard case .awaitingMessage2 = state else { return }
            return receiveWrongMessage2(fourWay, frame.replayCounter, at: now, into: &output)
        }
        // Both are held against each other octet by octet (12.7.6.3): who changed the association request to get weaker
        // keys could not change this frame.
        guard let elements = try? KeyData(parsing: frame.keyData.span.bytes), elements.rsn == stationElements.rsn,
            elements.rsnExtension == stationElements.rsnExtension
        else { return fail(.elementMismatch, into: &output) }
        hasSeenWrongPassphrase = false
        fourWay.message1.counters.removeAll { $0 <= frame.replayCounter }
        try sendMessage3(
            KeyedFourWay(fourWay: fourWay, keys: keys, stationNonce: frame.nonce), at: now, into: &output)
    }

    /// A wrong integrity code is ignored, since anybody may have sent it; most likely the passphrase is wrong, though. So
    /// message 1 is sent again at once. When that is answered wrongly too, a right answer has a moment left to come.
    private mutating func receiveWrongMessage2(
        _ fourWay: FourWay, _ counter: UInt64, at now: Timestamp, into output: inout HandshakeOutput
    ) {
        var fourWay = fourWay
        hasSeenWrongPassphrase = true
        guard fourWay.wronglyAnswered.insert(counter).inserted else { return }
        if fourWay.wronglyAnswered.count >= limits.wrongIntegrityCodes {
            fourWay.message1.attempts = limits.attempts
            fourWay.message1.deadline = min(fourWay.message1.deadline, now + limits.firstTimeout)
            state = .awaitingMessage2(fourWay)
        } else if fourWay.message1.attempts < limits.attempts {
            sendMessage1(fourWay, at: now, into: &output)
        } else {
            state = .awaitingMessage2(fourWay)
        }
    }

    /// 12.7.6.4.
    mutating func sendMessage3(
        _ keyed: KeyedFourWay, at now: Timestamp, into output: inout HandshakeOutput
    ) throws(WiFiCryptoError) {
        var keyed = keyed
        let counter = nextReplayCounter()
        var keyData = groupKeyData(group)
        keyData.rsn = apElements.rsn
        keyData.rsnExtension = apElements.rsnExtension
        var frame = EAPOLKeyFrame(
            information: [.pairwise, .install, .acknowledge, .secure, .encryptedKeyData], replayCounter: counter,
            nonce: keyed.fourWay.nonce, keyData: try keyData.wrapped(key: keyed.keys.encryptionKey))
        frame.information = frame.information.with(descriptorVersion: keyManagement.descriptorVersion)
        frame.keyLength = Self.pairwiseKeyLength
        frame.receiveSequence = group.gtkSequence
        output.send(try keyed.keys.seal(frame), isEncrypted: isEstablished)
        keyed.message3.sent(counter, at: now, limits.firstTimeout, limits.timeout)
        state = .awaitingMessage4(keyed)
    }

    /// 12.7.6.5.
    mutating func receiveMessage4(
        _ frame: EAPOLKeyFrame, _ bytes: RawSpan, at now: Timestamp, into output: inout HandshakeOutput
    ) throws(WiFiCryptoError) {
        guard case .awaitingMessage4(let keyed) = state else { return output.discard = .notExpected }
        guard keyed.message3.counters.contains(frame.replayCounter) else { return output.discard = .replayed }
        guard try keyed.keys.verifies(bytes) else { return output.discard = .wrongIntegrityCode }
        let isFirst = keys == nil
        keys = keyed.keys
        state = .established(nil)
        output.events.append(.installPairwise(keyed.keys.temporalKey))
        if isFirst { output.events.append(.authorized) }
        if let next = nextGroup {
            nextGroup = nil
            try beginGroupHandshake(next, at: now, into: &output)
        }
    }
}
