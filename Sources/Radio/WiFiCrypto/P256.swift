import COpenSSL

/// Arithmetic on the elliptic curve P-256 (FIPS 186-5), which is group 19 of SAE, by OpenSSL.
///
/// Everything here that meets a secret takes a time that does not tell it: OpenSSL's multiplication of points with a window
/// of fixed size, Montgomery's multiplication and exponentiation of numbers of fixed size, masks instead of branches. What
/// remains is how many of the highest 64-bit words of a number are zero, which happens by chance once in 2⁶⁴.
///
/// A value holds the curve's constants, never changes, and may be shared.
public final class P256: Sendable {
    /// Octets of a coordinate and of a scalar.
    public static let octets = 32

    let constants: Constants

    /// Prepares the curve's constants.
    public init() throws(WiFiCryptoError) {
        constants = try Constants()
    }

    /// The prime of the field: 32 octets, the highest first. It is no secret.
    public var prime: SecretBytes { constants.primeOctets }

    // MARK: Values

    /// A number from 0 to below the group's order.
    public struct Scalar: Equatable, Sendable {
        /// 32 octets, the highest first.
        public let secret: SecretBytes

        /// Whether it is 0 or 1, which no commit may show.
        public var isTrivial: Bool {
            constantTimeIs(0, secret) | constantTimeIs(1, secret) != 0
        }
    }

    /// A point of the curve that is not the one at infinity.
    public struct Point: Equatable, Sendable {
        /// The coordinates x and y, 32 octets each, the highest first.
        public let secret: SecretBytes

        /// The coordinate x.
        public var x: SecretBytes { secret[0..<P256.octets] }
        /// The coordinate y.
        public var y: SecretBytes { secret[P256.octets..<(2 * P256.octets)] }
    }

    /// Takes a scalar, as from the air.
    /// - Parameter bytes: 32 octets, the highest first.
    /// - Returns: nil unless 1 < scalar < order, as IEEE 802.11-2020, 12.4.5.4 demands.
    public func scalar(_ bytes: RawSpan) throws(WiFiCryptoError) -> Scalar? {
        guard bytes.byteCount == Self.octets else { return nil }
        let space = try Workspace()
        let scalar = Scalar(secret: SecretBytes(bytes))
        guard BN_cmp(try space.number(bytes), constants.order.pointer) < 0, !scalar.isTrivial else { return nil }
        return scalar
    }

    /// Takes a point, as from the air.
    /// - Parameter bytes: the coordinates x and y, 32 octets each.
    /// - Returns: nil unless both are below the prime and the point is on the curve, as IEEE 802.11-2020, 12.4.5.4 demands;
    ///   the point at infinity has no coordinates.
    public func point(_ bytes: RawSpan) throws(WiFiCryptoError) -> Point? {
        guard bytes.byteCount == 2 * Self.octets else { return nil }
        let space = try Workspace()
        let point = Point(secret: SecretBytes(bytes))
        let x = try space.number(point.x)
        let y = try space.number(point.y)
        guard BN_cmp(x, constants.prime.pointer) < 0, BN_cmp(y, constants.prime.pointer) < 0 else { return nil }
        let checked = try LibraryPoint(constants)
        guard
            EC_POINT_set_affine_coordinates(constants.group.pointer, checked.pointer, x, y, space.context) == 1
        else {
            ERR_clear_error()
            return nil
        }
        return point
    }

    // MARK: Scalars

    /// A random scalar that is not zero.
    /// - Parameter generator: must be cryptographically strong.
    public func randomScalar(using generator: inout some RandomNumberGenerator) throws(WiFiCryptoError) -> Scalar {
        let space = try Workspace()
        while true {
            let scalar = Scalar(secret: SecretBytes(randomCount: Self.octets, using: &generator))
            let number = try space.number(scalar.secret)
            // What is passed over tells nothing of what is taken.
            if BN_is_zero(number) == 0, BN_cmp(number, constants.order.pointer) < 0 { return scalar }
        }
    }

    /// The sum of two scalars, modulo the group's order.
    public func sum(_ left: Scalar, _ right: Scalar) throws(WiFiCryptoError) -> Scalar {
        let space = try Workspace()
        let sum = try space.number()
        try require(
            BN_mod_add_quick(
                sum, try space.number(left.secret), try space.number(right.secret), constants.order.pointer),
            "BN_mod_add_quick")
        return Scalar(secret: try space.octets(of: sum))
    }

    /// The product of two scalars, modulo the group's order.
    public func product(_ left: Scalar, _ right: Scalar) throws(WiFiCryptoError) -> Scalar {
        let space = try Workspace()
        // Of two factors one is in Montgomery's form: so the product is not.
        let factor = try constants.scalars.enter(try space.number(left.secret), space)
        let product = try constants.scalars.multiply(factor, try space.number(right.secret), space)
        return Scalar(secret: try space.octets(of: product))
    }

    /// The scalar 1 + (number mod (order − 1)), as hash-to-element makes one of a hash (IEEE 802.11-2020, 12.4.5.2).
    /// - Parameter bytes: the number, the highest octet first; not secret.
    public func nonzeroScalar(reducing bytes: RawSpan) throws(WiFiCryptoError) -> Scalar {
        let space = try Workspace()
        let modulus = try space.number()
        try require(BN_sub(modulus, constants.order.pointer, BN_value_one()), "BN_sub")
        let scalar = try space.number()
        try require(BN_nnmod(scalar, try space.number(bytes), modulus, space.context), "BN_nnmod")
        try require(BN_add_word(scalar, 1), "BN_add_word")
        return Scalar(secret: try space.octets(of: scalar))
    }

    // MARK: Points

    /// A multiple of a point; nil for the point at infinity.
    /// - Parameters:
    ///   - point: what is multiplied.
    ///   - scalar: how many times.
    public func multiply(_ point: Point, by scalar: Scalar) throws(WiFiCryptoError) -> Point? {
        let space = try Workspace()
        let product = try LibraryPoint(point, constants, space)
        try require(
            EC_POINT_mul(
                constants.group.pointer, product.pointer, nil, product.pointer, try space.number(scalar.secret),
                space.context),
            "EC_POINT_mul")
        return try product.value(constants, space)
    }

    /// The sum of two points; nil for the point at infinity.
    public func add(_ left: Point, _ right: Point) throws(WiFiCryptoError) -> Point? {
        let space = try Workspace()
        let sum = try LibraryPoint(left, constants, space)
        let other = try LibraryPoint(right, constants, space)
        try require(
            EC_POINT_add(constants.group.pointer, sum.pointer, sum.pointer, other.pointer, space.context),
            "EC_POINT_add")
        return try sum.value(constants, space)
    }

    /// The inverse of a point: the one with the opposite y.
    public func negate(_ point: Point) throws(WiFiCryptoError) -> Point {
        let space = try Workspace()
        let y = try space.number()
        try require(
            BN_mod_sub_quick(y, try space.number(), try space.number(point.y), constants.prime.pointer),
            "BN_mod_sub_quick")
        return Point(secret: try space.octets(of: try space.number(point.x), y))
    }
}
