import SansIO
import WiFiCrypto
import Wire

// MARK: The group key handshake (IEEE 802.11-2020, 12.7.7)

extension PairwiseAuthenticator {
    mutating func rekeyGroup(
        _ keys: GroupKeys, at now: Timestamp, into output: inout HandshakeOutput
    ) throws(WiFiCryptoError) {
        switch state {
        case .idle: group = keys
        // Message 3 tells the keys in use, so that the station hears what is sent to all before every other station has
        // the new ones.
        case .awaitingMessage2, .awaitingMessage4: nextGroup = keys
        case .established: try beginGroupHandshake(keys, at: now, into: &output)
        case .failed: break
        }
    }

    mutating func beginGroupHandshake(
        _ keys: GroupKeys, at now: Timestamp, into output: inout HandshakeOutput
    ) throws(WiFiCryptoError) {
        try sendGroupMessage1(GroupHandshake(keys: keys), at: now, into: &output)
    }

    /// 12.7.7.2.
    mutating func sendGroupMessage1(
        _ handshake: GroupHandshake, at now: Timestamp, into output: inout HandshakeOutput
    ) throws(WiFiCryptoError) {
        guard let keys else { return }
        var handshake = handshake
        let counter = nextReplayCounter()
        var frame = EAPOLKeyFrame(
            information: [.acknowledge, .secure, .encryptedKeyData], replayCounter: counter,
            keyData: try groupKeyData(handshake.keys).wrapped(key: keys.encryptionKey))
        frame.information = frame.information.with(descriptorVersion: keyManagement.descriptorVersion)
        frame.receiveSequence = handshake.keys.gtkSequence
        output.send(try keys.seal(frame), isEncrypted: true)
        handshake.message1.sent(counter, at: now, limits.groupFirstTimeout, limits.timeout)
        state = .established(handshake)
    }

    /// 12.7.7.3.
    mutating func receiveGroupMessage2(
        _ frame: EAPOLKeyFrame, _ bytes: RawSpan, into output: inout HandshakeOutput
    ) throws(WiFiCryptoError) {
        guard let keys, case .established(.some(let handshake)) = state else { return output.discard = .notExpected }
        guard handshake.message1.counters.contains(frame.replayCounter) else { return output.discard = .replayed }
        guard try keys.verifies(bytes) else { return output.discard = .wrongIntegrityCode }
        group = handshake.keys
        state = .established(nil)
        output.events.append(.groupKeysAcknowledged(gtkIndex: handshake.keys.gtkIndex))
    }

    /// The KDEs that tell the station group keys.
    func groupKeyData(_ keys: GroupKeys) -> KeyData {
        var keyData = KeyData()
        keyData.groupKey = KeyData.GroupKey(index: keys.gtkIndex, key: keys.gtk)
        if usesManagementFrameProtection, let igtk = keys.igtk {
            keyData.integrityGroupKey = KeyData.IntegrityGroupKey(
                index: UInt16(keys.igtkIndex), sequence: keys.igtkSequence, key: igtk)
        }
        return keyData
    }
}
