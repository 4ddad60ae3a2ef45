public import Authenticator
public import WiFiCrypto
public import Wire

/// The other end of a ``PairwiseAuthenticator``: a phone's side of the handshakes (IEEE 802.11-2020, 12.7.6 and 12.7.7), as
/// careful about reinstallation as phones are since 2017.
public struct Supplicant: Sendable {
    private let pmk: SecretBytes
    private let pmkid: [UInt8]?
    private let keyManagement: KeyManagement
    private let station: MACAddress
    private let bss: MACAddress
    private let elements: [UInt8]
    private let apElements: KeyData
    private let usesManagementFrameProtection: Bool
    private let habits: SupplicantHabits
    private var generator: any RandomNumberGenerator & Sendable

    /// A handshake that goes on: ANonce, SNonce and the keys made of them.
    private var candidate: (apNonce: [UInt8], nonce: [UInt8], keys: PairwiseTransientKey)?
    private var replayCounter: UInt64?
    private var requestCounter: UInt64 = 0

    /// The keys in use.
    public private(set) var keys: PairwiseTransientKey?
    /// The group keys in use by index.
    public private(set) var groupKeys: [UInt8: SecretBytes] = [:]
    /// The group keys for management frames in use by index.
    public private(set) var integrityGroupKeys: [UInt16: SecretBytes] = [:]
    /// Every temporal key that was installed, in this order.
    public private(set) var installations: [SecretBytes] = []

    /// Makes the supplicant of a phone that has just associated.
    /// - Parameters:
    ///   - pmk: the pairwise master key, 32 octets.
    ///   - pmkid: its identifier, held against message 1's if both are there.
    ///   - keyManagement: the AKM of the association.
    ///   - station: the phone's address.
    ///   - bss: the access point's address.
    ///   - elements: RSNE and RSNXE of the association request.
    ///   - apElements: the elements of the beacon.
    ///   - usesManagementFrameProtection: whether the association agreed on it.
    ///   - habits: what it does differently.
    ///   - generator: where SNonces come from.
    /// - Throws: ``EAPOLError`` for a beacon's elements that can't be read.
    public init(
        pmk: SecretBytes, pmkid: [UInt8]? = nil, keyManagement: KeyManagement, station: MACAddress, bss: MACAddress,
        elements: [UInt8], apElements: [UInt8], usesManagementFrameProtection: Bool, habits: SupplicantHabits = [],
        generator: any RandomNumberGenerator & Sendable
    ) throws(EAPOLError) {
        self.pmk = pmk
        self.pmkid = pmkid
        self.keyManagement = keyManagement
        self.station = station
        self.bss = bss
        self.elements = elements
        self.apElements = try KeyData(parsing: apElements.span.bytes)
        self.usesManagementFrameProtection = usesManagementFrameProtection
        self.habits = habits
        self.generator = generator
    }

    /// Whether a 4-way handshake is over.
    public var isConnected: Bool { keys != nil }

    /// Takes in an EAPOL frame of the access point's.
    /// - Parameters:
    ///   - bytes: the frame from the head of IEEE 802.1X on.
    ///   - output: what is to be done is appended here.
    public mutating func receive(_ bytes: RawSpan, into output: inout SupplicantOutput) throws(WiFiCryptoError) {
        let frame: EAPOLKeyFrame
        do throws(EAPOLError) {
            frame = try EAPOLKeyFrame(parsing: bytes)
        } catch {
            return output.events.append(.ignored(.unreadable(error)))
        }
        if let replayCounter, frame.replayCounter <= replayCounter {
            return output.events.append(.ignored(.replayed))
        }
        let flags = frame.information
        let version = keyManagement.descriptorVersion
        if flags == ([.pairwise, .acknowledge] as KeyInformation).with(descriptorVersion: version) {
            try receiveMessage1(frame, into: &output)
        } else if flags
            == ([.pairwise, .install, .acknowledge, .integrityCode, .secure, .encryptedKeyData] as KeyInformation)
            .with(descriptorVersion: version)
        {
            try receiveMessage3(frame, bytes, into: &output)
        } else if flags
            == ([.acknowledge, .integrityCode, .secure, .encryptedKeyData] as KeyInformation)
            .with(descriptorVersion: version)
        {
            try receiveGroupMessage1(frame, bytes, into: &output)
        } else {
            output.events.append(.ignored(.unexpectedFlags(flags)))
        }
    }

    private mutating func receiveMessage1(
        _ frame: EAPOLKeyFrame, into output: inout SupplicantOutput
    ) throws(WiFiCryptoError) {
        guard let keyData = try? KeyData(parsing: frame.keyData.span.bytes) else {
            return output.events.append(.ignored(.wrongKeyData))
        }
        if let pmkid, let named = keyData.pmkid, pmkid != named { return output.events.append(.ignored(.wrongPMKID)) }
        let nonce: [UInt8]
        if let candidate, candidate.apNonce == frame.nonce, !habits.contains(.newNonceEachTime) {
            nonce = candidate.nonce
        } else {
            nonce = (0..<EAPOLKeyFrame.nonceSize).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        }
        let keys = try PairwiseTransientKey(
            pmk: pmk, keyManagement: keyManagement, addresses: (station, bss), nonces: (nonce, frame.nonce))
        candidate = (frame.nonce, nonce, keys)
        try send(
            EAPOLKeyFrame(
                information: .pairwise, replayCounter: frame.replayCounter, nonce: nonce, keyData: elements),
            keys, into: &output)
    }

    private mutating func receiveMessage3(
        _ frame: EAPOLKeyFrame, _ bytes: RawSpan, into output: inout SupplicantOutput
    ) throws(WiFiCryptoError) {
        guard let candidate, candidate.apNonce == frame.nonce else {
            return output.events.append(.ignored(.wrongNonce))
        }
        guard try candidate.keys.verifies(bytes) else { return output.events.append(.ignored(.wrongIntegrityCode)) }
        replayCounter = frame.replayCounter
        guard let keyData = try unwrap(frame, candidate.keys), keyData.groupKey != nil,
            (keyData.integrityGroupKey != nil) == usesManagementFrameProtection
        else { return output.events.append(.ignored(.wrongKeyData)) }
        guard keyData.rsn == apElements.rsn, keyData.rsnExtension == apElements.rsnExtension else {
            return output.events.append(.failed(.elementMismatch))
        }
        try send(
            EAPOLKeyFrame(
                information: habits.contains(.noSecureFlag) ? .pairwise : [.pairwise, .secure],
                replayCounter: frame.replayCounter),
            candidate.keys, into: &output)
        // The same key is never installed twice.
        if installations.last != candidate.keys.temporalKey {
            installations.append(candidate.keys.temporalKey)
            output.events.append(.installedPairwise(candidate.keys.temporalKey))
        }
        install(keyData, sequence: frame.receiveSequence, into: &output)
        keys = candidate.keys
        output.events.append(.connected)
    }

    private mutating func receiveGroupMessage1(
        _ frame: EAPOLKeyFrame, _ bytes: RawSpan, into output: inout SupplicantOutput
    ) throws(WiFiCryptoError) {
        guard let keys else { return output.events.append(.ignored(.unexpectedFlags(frame.information))) }
        guard try keys.verifies(bytes) else { return output.events.append(.ignored(.wrongIntegrityCode)) }
        replayCounter = frame.replayCounter
        guard let keyData = try unwrap(frame, keys), keyData.groupKey != nil else {
            return output.events.append(.ignored(.wrongKeyData))
        }
        try send(EAPOLKeyFrame(information: .secure, replayCounter: frame.replayCounter), keys, into: &output)
        install(keyData, sequence: frame.receiveSequence, into: &output)
    }

    private mutating func install(_ keyData: KeyData, sequence: UInt64, into output: inout SupplicantOutput) {
        if let gtk = keyData.groupKey, groupKeys[gtk.index] != gtk.key {
            groupKeys[gtk.index] = gtk.key
            output.events.append(.installedGroup(gtk.key, index: gtk.index, sequence: sequence))
        }
        if let igtk = keyData.integrityGroupKey, integrityGroupKeys[igtk.index] != igtk.key {
            integrityGroupKeys[igtk.index] = igtk.key
            output.events.append(
                .installedIntegrityGroup(igtk.key, index: igtk.index, sequence: igtk.sequence))
        }
    }

    private func unwrap(_ frame: EAPOLKeyFrame, _ keys: PairwiseTransientKey) throws(WiFiCryptoError) -> KeyData? {
        guard let plain = try AESKeyWrap.unwrap(frame.keyData.span.bytes, key: keys.encryptionKey) else { return nil }
        return try? KeyData(parsing: plain.bytes)
    }

    private func send(
        _ frame: EAPOLKeyFrame, _ keys: PairwiseTransientKey, into output: inout SupplicantOutput
    ) throws(WiFiCryptoError) {
        var frame = frame
        frame.protocolVersion = 1
        frame.information = frame.information.with(descriptorVersion: keyManagement.descriptorVersion)
        var octets = try keys.seal(frame)
        if habits.contains(.trailingZeros) { octets.append(contentsOf: [UInt8](repeating: 0, count: 24)) }
        let isEncrypted = isConnected && !(habits.contains(.plaintextMessage4) && frame.information.contains(.pairwise))
        output.frames.append(SupplicantOutput.Transmission(octets: octets, isEncrypted: isEncrypted))
    }

    /// Asks for a new handshake (12.7.2, Request).
    /// - Parameters:
    ///   - information: ``KeyInformation/pairwise`` for a 4-way handshake, nothing for a group key handshake.
    ///   - output: the frame is appended here; none when there are no keys.
    public mutating func request(
        _ information: KeyInformation, into output: inout SupplicantOutput
    ) throws(WiFiCryptoError) {
        guard let keys else { return }
        requestCounter += 1
        try send(
            EAPOLKeyFrame(
                information: information.union([.request, .secure]), replayCounter: requestCounter), keys,
            into: &output)
    }
}
