public import IEEE80211
public import WiFiCrypto
public import Wire

/// The AKMs whose handshakes are spoken here, and what each means for them (IEEE 802.11-2020, Tables 9-151 and 12-10).
public enum KeyManagement: Sendable, Hashable, CaseIterable {
    /// 00-0F-AC:2, a pre-shared key with SHA-1.
    case psk
    /// 00-0F-AC:6, a pre-shared key with SHA-256.
    case pskSHA256
    /// 00-0F-AC:8, SAE with SHA-256.
    case sae

    /// The one of a selector; nil for any other.
    public init?(_ suite: AKMSuite) {
        switch suite {
        case .psk: self = .psk
        case .pskSHA256: self = .pskSHA256
        case .sae: self = .sae
        default: return nil
        }
    }

    /// The version of the key descriptor; 0 says that the AKM decides.
    public var descriptorVersion: UInt8 {
        switch self {
        case .psk: 2
        case .pskSHA256: 3
        case .sae: 0
        }
    }

    var derivation: KeyDerivation {
        switch self {
        case .psk: .prfSHA1
        case .pskSHA256, .sae: .kdfSHA256
        }
    }

    var integrity: MessageAuthentication {
        switch self {
        case .psk: .hmacSHA1
        case .pskSHA256, .sae: .aesCMAC
        }
    }
}

/// The keys that a 4-way handshake makes for one station (IEEE 802.11-2020, 12.7.1.3): PTK, for CCMP with 128 bits.
public struct PairwiseTransientKey: Sendable {
    /// Protects EAPOL-Key frames (KCK), 16 octets.
    public let confirmationKey: SecretBytes
    /// Encrypts key data (KEK), 16 octets.
    public let encryptionKey: SecretBytes
    /// Protects the station's frames (TK), 16 octets.
    public let temporalKey: SecretBytes
    private let keyManagement: KeyManagement

    /// Derives the keys.
    /// - Parameters:
    ///   - pmk: the pairwise master key, 32 octets.
    ///   - keyManagement: the AKM.
    ///   - addresses: both ends' addresses, in any order.
    ///   - nonces: both ends' nonces, in any order.
    public init(
        pmk: SecretBytes, keyManagement: KeyManagement, addresses: (MACAddress, MACAddress),
        nonces: ([UInt8], [UInt8])
    ) throws(WiFiCryptoError) {
        let (low, high) = addresses.0 < addresses.1 ? addresses : (addresses.1, addresses.0)
        let firstIsLow = nonces.0.lexicographicallyPrecedes(nonces.1)
        let context =
            low.octets + high.octets + (firstIsLow ? nonces.0 + nonces.1 : nonces.1 + nonces.0)
        let keys = try keyManagement.derivation.derive(
            48, from: pmk, label: "Pairwise key expansion", context: context.span.bytes)
        confirmationKey = keys[0..<16]
        encryptionKey = keys[16..<32]
        temporalKey = keys[32..<48]
        self.keyManagement = keyManagement
    }

    /// Gives a frame its integrity code.
    /// - Returns: the frame's octets.
    public func seal(_ frame: EAPOLKeyFrame) throws(WiFiCryptoError) -> [UInt8] {
        var frame = frame
        frame.information.insert(.integrityCode)
        frame.integrityCode = []
        var octets = frame.encoded
        let code = try keyManagement.integrity.code(of: octets.span.bytes, key: confirmationKey)
        code.withUnsafeBytes { octets.replaceSubrange(EAPOLKeyFrame.integrityCodeRange, with: $0.prefix(16)) }
        return octets
    }

    /// Whether a frame's integrity code is right.
    /// - Parameter bytes: the frame as it came.
    public func verifies(_ bytes: RawSpan) throws(WiFiCryptoError) -> Bool {
        guard let authenticated = EAPOLKeyFrame.authenticated(bytes) else { return false }
        let code = try keyManagement.integrity.code(of: authenticated.span.bytes, key: confirmationKey)
        let received = SecretBytes(bytes.extracting(EAPOLKeyFrame.integrityCodeRange))
        // HMAC-SHA-1-128: the first 16 of 20 octets.
        return code[0..<EAPOLKeyFrame.integrityCodeSize] == received
    }
}
