import SansIO
import WiFiCrypto
import Wire

// MARK: What the station sends

extension PairwiseAuthenticator {
    mutating func receive(
        _ bytes: RawSpan, _ protection: EAPOLProtection, at now: Timestamp, into output: inout HandshakeOutput
    ) throws(WiFiCryptoError) {
        let frame: EAPOLKeyFrame
        do throws(EAPOLError) {
            frame = try EAPOLKeyFrame(parsing: bytes)
        } catch {
            return output.discard = .unreadable(error)
        }
        let information = frame.information
        guard information.contains(.integrityCode), information.isDisjoint(with: [.acknowledge, .encryptedKeyData])
        else { return output.discard = .unexpectedFlags }
        guard information.descriptorVersion == keyManagement.descriptorVersion else {
            return output.discard = .wrongVersion
        }
        if protection == .plaintext, mustBeEncrypted(information) { return output.discard = .plaintext }
        if information.contains(.request) {
            try receiveRequest(frame, bytes, at: now, into: &output)
        } else if information.contains(.error) {
            output.discard = .unexpectedFlags
        } else if !information.contains(.pairwise) {
            try receiveGroupMessage2(frame, bytes, into: &output)
        } else if frame.keyData.isEmpty {
            // Message 2 has the station's elements, message 4 has nothing; the flag Secure tells them apart only where
            // supplicants set it right.
            try receiveMessage4(frame, bytes, at: now, into: &output)
        } else {
            try receiveMessage2(frame, bytes, at: now, into: &output)
        }
    }

    /// Whether a frame with these flags is dropped if it was not encrypted. What is not protected by a key that is there is
    /// dropped (12.9.2.6); the kernel makes an exception for EAPOL, and leaves it to us.
    ///
    /// Answers in a 4-way handshake that goes on are taken all the same: wpa_supplicant holds the key for not installed
    /// from message 3 of a later handshake on, and sends message 4 in plaintext. Their integrity codes are under the new key.
    private func mustBeEncrypted(_ information: KeyInformation) -> Bool {
        guard isEstablished else { return false }
        switch state {
        case .awaitingMessage2, .awaitingMessage4:
            return information.contains(.request) || !information.contains(.pairwise)
        case .idle, .established, .failed: return true
        }
    }

    /// The station asks for a handshake (12.7.2, Request; 12.7.6.1). Its counter is its own, and must grow.
    private mutating func receiveRequest(
        _ frame: EAPOLKeyFrame, _ bytes: RawSpan, at now: Timestamp, into output: inout HandshakeOutput
    ) throws(WiFiCryptoError) {
        guard let keys else { return output.discard = .notExpected }
        if let requestCounter, frame.replayCounter <= requestCounter { return output.discard = .replayed }
        guard try keys.verifies(bytes) else { return output.discard = .wrongIntegrityCode }
        requestCounter = frame.replayCounter
        guard !frame.information.contains(.error) else { return output.discard = .failureReport }
        guard case .established(let handshake) = state else { return output.discard = .notExpected }
        if let lastRequest, now - lastRequest < limits.requestInterval { return output.discard = .tooSoon }
        lastRequest = now
        guard frame.information.contains(.pairwise) else { return output.events.append(.groupRekeyRequested) }
        // A group key handshake that goes on is begun anew afterwards.
        if let handshake { nextGroup = handshake.keys }
        beginFourWay(nonce: try makeNonce(), at: now, into: &output)
    }
}
