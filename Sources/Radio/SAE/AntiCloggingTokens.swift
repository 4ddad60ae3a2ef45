import SansIO
import WiFiCrypto
import Wire

/// Tokens that prove that a sender gets what is sent to its address, kept by nobody but the sender (IEEE 802.11-2020, 12.4.6).
///
/// A token is a code over the address, by a key that is replaced from time to time. The one before is taken too, so a token
/// holds for at least one lifetime and less than two.
struct AntiCloggingTokens: Sendable {
    static let octets = 32

    private let lifetime: Duration
    private var current: SecretBytes
    private var previous: SecretBytes
    private var replaced: Timestamp?

    init(lifetime: Duration, using generator: inout some RandomNumberGenerator) {
        self.lifetime = lifetime
        current = SecretBytes(randomCount: Self.octets, using: &generator)
        previous = SecretBytes(randomCount: Self.octets, using: &generator)
    }

    /// Replaces the key if it is old.
    mutating func age(at now: Timestamp, using generator: inout some RandomNumberGenerator) {
        guard let replaced else {
            replaced = now
            return
        }
        guard now - replaced >= lifetime else { return }
        // Nobody may come with a token that is older than two lifetimes.
        let isOld = now - replaced >= lifetime * 2
        previous = isOld ? SecretBytes(randomCount: Self.octets, using: &generator) : current
        current = SecretBytes(randomCount: Self.octets, using: &generator)
        self.replaced = now
    }

    func token(for address: MACAddress) throws(WiFiCryptoError) -> SecretBytes {
        try MessageAuthentication.hmacSHA256.code(of: address.octets.span.bytes, key: current)
    }

    func isValid(_ token: RawSpan, of address: MACAddress) throws(WiFiCryptoError) -> Bool {
        guard token.byteCount == Self.octets else { return false }
        for key in [current, previous] {
            let expected = try MessageAuthentication.hmacSHA256.code(of: address.octets.span.bytes, key: key)
            if token.isEqualInConstantTime(to: expected.bytes) { return true }
        }
        return false
    }
}
