public import WiFiCrypto
import Wire

/// What a commit shows: a scalar and an element, both checked (IEEE 802.11-2020, 12.4.5.4).
public struct SAEShare: Sendable, Equatable {
    /// Above 1 and below the group's order.
    public let scalar: P256.Scalar
    /// On the curve.
    public let element: P256.Point

    /// Makes a share of what was checked.
    public init(scalar: P256.Scalar, element: P256.Point) {
        self.scalar = scalar
        self.element = element
    }
}

/// One side's secrets of an exchange, and the share that its commit shows (IEEE 802.11-2020, 12.4.5.2).
public struct SAESecrets: Sendable {
    /// What the commit shows.
    public let share: SAEShare
    private let element: PasswordElement
    private let rand: P256.Scalar

    /// Draws secrets.
    /// - Parameters:
    ///   - element: the password element of this side and the other.
    ///   - generator: must be cryptographically strong.
    public init(
        for element: PasswordElement, using generator: inout some RandomNumberGenerator
    ) throws(WiFiCryptoError) {
        while true {
            let rand = try element.curve.randomScalar(using: &generator)
            let mask = try element.curve.randomScalar(using: &generator)
            guard let secrets = try SAESecrets(for: element, rand: rand, mask: mask) else { continue }
            self = secrets
            return
        }
    }

    /// Makes secrets of two random scalars, as tests with the standard's numbers do.
    /// - Parameters:
    ///   - element: the password element.
    ///   - rand: a random scalar that is not zero.
    ///   - mask: another.
    /// - Returns: nil when their sum is 0 or 1, in which case others must be drawn.
    public init?(
        for element: PasswordElement, rand: P256.Scalar, mask: P256.Scalar
    ) throws(WiFiCryptoError) {
        let scalar = try element.curve.sum(rand, mask)
        guard !scalar.isTrivial, let masked = try element.multiplied(by: mask) else { return nil }
        share = SAEShare(scalar: scalar, element: try element.curve.negate(masked))
        self.element = element
        self.rand = rand
    }

    /// The keys that both sides have if both know the password (12.4.5.4).
    /// - Parameters:
    ///   - peer: what the other side's commit showed.
    ///   - salt: the groups that were rejected, as the commits listed them; empty when none were.
    /// - Returns: nil when the peer's share leads to the point at infinity, which only a forged one does.
    public func keys(with peer: SAEShare, salt: [UInt8]) throws(WiFiCryptoError) -> SAEKeys? {
        let curve = element.curve
        guard let scaled = try element.multiplied(by: peer.scalar), let sum = try curve.add(scaled, peer.element),
            let shared = try curve.multiply(sum, by: rand)
        else { return nil }
        return try SAEKeys(
            shared: shared.x, salt: salt, own: share, peer: peer, sum: try curve.sum(share.scalar, peer.scalar))
    }
}

/// What an exchange ends with: the key for its confirms and the pairwise master key.
public struct SAEKeys: Sendable {
    private let own: SAEShare
    let peer: SAEShare
    /// The key confirmation key.
    public let kck: SecretBytes
    /// The pairwise master key.
    public let pmk: SecretBytes
    /// The name of the pairwise master key.
    public let pmkid: [UInt8]

    /// Derives the keys.
    /// - Parameters:
    ///   - shared: the x coordinate of the element that both sides compute (k).
    ///   - salt: the rejected groups.
    ///   - own: what our commit showed.
    ///   - peer: what the other side's commit showed.
    ///   - sum: the sum of both scalars.
    init(
        shared: SecretBytes, salt: [UInt8], own: SAEShare, peer: SAEShare, sum: P256.Scalar
    ) throws(WiFiCryptoError) {
        let salt = salt.isEmpty ? [UInt8](repeating: 0, count: 32) : salt
        let seed = try HKDF.extract(shared.bytes, salt: salt)
        let keys = try KeyDerivation.kdfSHA256.derive(
            64, from: seed, label: "SAE KCK and PMK", context: sum.secret.bytes)
        self.own = own
        self.peer = peer
        kck = keys[0..<32]
        pmk = keys[32..<64]
        pmkid = sum.secret[0..<16].withUnsafeBytes { [UInt8]($0) }
    }

    /// The code of our confirm (12.4.5.5).
    /// - Parameter counter: the confirm's send-confirm counter.
    public func confirmation(_ counter: UInt16) throws(WiFiCryptoError) -> SecretBytes {
        try code(counter, own, peer)
    }

    /// The code that the peer's confirm must have (12.4.5.6).
    /// - Parameter counter: the confirm's send-confirm counter.
    public func expectedConfirmation(_ counter: UInt16) throws(WiFiCryptoError) -> SecretBytes {
        try code(counter, peer, own)
    }

    private func code(_ counter: UInt16, _ first: SAEShare, _ second: SAEShare) throws(WiFiCryptoError) -> SecretBytes {
        var message = ByteWriter(capacity: 2 + 2 * 3 * P256.octets)
        message.write(counter.byteSwapped)
        for share in [first, second] {
            message.write(share.scalar.secret.bytes)
            message.write(share.element.secret.bytes)
        }
        return try MessageAuthentication.hmacSHA256.code(of: message.bytes.span.bytes, key: kck)
    }
}
