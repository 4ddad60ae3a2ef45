public import WiFiCrypto
public import Wire

/// A password as SAE on group 19 uses it, with what can be computed of it in advance.
///
/// Two things were learned from the Dragonblood attacks of 2019. Hash-to-element has nothing to measure: the element PT is
/// made when the password is set, and what depends on a peer's address depends on nothing secret. Hunting-and-pecking does
/// the same work whatever the password: at least 40 rounds, all alike, a blinded test in each, and nothing but masks to keep
/// the first hit; the rounds after that hash random octets instead of the password.
public struct SAEPassword: Sendable {
    /// How many rounds hunting-and-pecking always goes (k of IEEE 802.11-2020, 12.4.4.2.2). One password and pair of addresses
    /// in 2⁴⁰ needs more.
    public static let rounds: UInt8 = 40

    let curve: P256
    private let password: SecretBytes
    private let base: P256.Point

    /// Prepares a password.
    /// - Parameters:
    ///   - password: the octets of the password, with those of a password identifier behind them if it has one.
    ///   - ssid: the network's name.
    ///   - curve: the curve.
    public init(_ password: SecretBytes, ssid: [UInt8], curve: P256) throws(WiFiCryptoError) {
        self.curve = curve
        self.password = password
        // IEEE 802.11-2020, 12.4.4.2.3. The prime has 32 octets, the numbers hashed to it half as many again.
        let seed = try HKDF.extract(password.bytes, salt: ssid)
        let first = try curve.mapToPoint(try HKDF.expand(48, from: seed, info: "SAE Hash to Element u1 P1"))
        let second = try curve.mapToPoint(try HKDF.expand(48, from: seed, info: "SAE Hash to Element u2 P2"))
        // A sum at infinity has the chance of guessing a key.
        base = try curve.add(first, second) ?? first
    }

    /// The element PT of hash-to-element.
    public var pt: P256.Point { base }

    /// The password element for two stations.
    /// - Parameters:
    ///   - method: how it is found.
    ///   - one: the address of either.
    ///   - other: the address of the other one.
    ///   - generator: must be cryptographically strong.
    public func element(
        by method: SAEMethod, for one: MACAddress, _ other: MACAddress,
        using generator: inout some RandomNumberGenerator
    ) throws(WiFiCryptoError) -> PasswordElement {
        let addresses = max(one, other).octets + min(one, other).octets
        switch method {
        case .hashToElement:
            // 12.4.5.2. Nothing of this is secret but PT.
            let zeros = SecretBytes([UInt8](repeating: 0, count: 32))
            let hash = try MessageAuthentication.hmacSHA256.code(of: addresses.span.bytes, key: zeros)
            return PasswordElement(curve: curve, base: base, factor: try curve.nonzeroScalar(reducing: hash.bytes))
        case .huntingAndPecking:
            let point = try hunt(SecretBytes(addresses), using: &generator)
            return PasswordElement(curve: curve, base: point, factor: nil)
        }
    }

    /// Hunting-and-pecking (IEEE 802.11-2020, 12.4.4.2.2).
    private func hunt(
        _ addresses: SecretBytes, using generator: inout some RandomNumberGenerator
    ) throws(WiFiCryptoError) -> P256.Point {
        let dummy = SecretBytes(randomCount: password.count, using: &generator)
        var x = SecretBytes(count: P256.octets) { _ in }
        var parity = x
        var isFound: UInt8 = 0
        var round: UInt8 = 1
        repeat {
            let hashed = constantTimeSelect(isFound, dummy, password)
            let message = SecretBytes(count: hashed.count + 1) { memory in
                hashed.withUnsafeBytes { memory.copyMemory(from: $0) }
                memory[hashed.count] = round
            }
            let seed = try MessageAuthentication.hmacSHA256.code(of: message.bytes, key: addresses)
            let value = try KeyDerivation.kdfSHA256.derive(
                P256.octets, from: seed, label: "SAE Hunting and Pecking", context: curve.prime.bytes)
            let isHit = try curve.isAbscissa(value, using: &generator) & ~isFound
            x = constantTimeSelect(isHit, value, x)
            parity = constantTimeSelect(isHit, seed, parity)
            isFound |= isHit
            round += 1
        } while round <= Self.rounds || (isFound == 0 && round < .max)
        return try curve.point(abscissa: x, parity: parity.withUnsafeBytes { $0.last ?? 0 })
    }
}

/// The password element PWE of two stations, of which multiples are wanted and never itself.
public struct PasswordElement: Sendable {
    let curve: P256
    private let base: P256.Point
    private let factor: P256.Scalar?

    /// Makes an element that is `factor` times `base`; hash-to-element need not multiply them.
    init(curve: P256, base: P256.Point, factor: P256.Scalar?) {
        self.curve = curve
        self.base = base
        self.factor = factor
    }

    /// A multiple of the element; nil for the point at infinity.
    public func multiplied(by scalar: P256.Scalar) throws(WiFiCryptoError) -> P256.Point? {
        guard let factor else { return try curve.multiply(base, by: scalar) }
        return try curve.multiply(base, by: try curve.product(scalar, factor))
    }
}
