import SansIO
import WiFiCrypto
import Wire

// MARK: What the station sends

extension PairwiseAuthenticator {
    mutating func receive(
        _ bytes: RawSpan, _ protection: EAPOLProtection, at now: Timestamp, into output: inout HandshakeOutput
    ) throws(WiFiCryptoError) {
        // What is not protected by a key that is there is dropped (12.9.2.6); the kernel makes an exception for EAPOL.
        if isEstablished && protection == .plaintext { return output.discard = .plaintext }
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
