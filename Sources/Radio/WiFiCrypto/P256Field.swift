import COpenSSL

// From numbers to points: what SAE makes of a password (IEEE 802.11-2020, 12.4.4.2).

extension P256 {
    /// Says whether a number is the x coordinate of a point, in a time that does not tell.
    ///
    /// The test is blinded: what is raised to Euler's power is the number in question times a random square, or the opposite
    /// of that, which is a square if and only if the other is none. Neither what is computed nor what comes out tells the
    /// answer without the random numbers (IEEE 802.11-2020, 12.4.4.2.2).
    /// - Parameters:
    ///   - x: 32 octets, the highest first; secret.
    ///   - generator: must be cryptographically strong.
    /// - Returns: 0xFF if x is below the prime and x³ + ax + b is a square, else 0.
    public func isAbscissa(
        _ x: SecretBytes, using generator: inout some RandomNumberGenerator
    ) throws(WiFiCryptoError) -> UInt8 {
        let field = try Field(of: self)
        let square = try field.ordinateSquare(try field.number(x))
        let blind = try field.number(SecretBytes(randomCount: Self.octets, using: &generator))
        let blinded = try field.multiply(square, try field.multiply(blind, blind))
        let opposite = try field.subtract(try field.number(0), blinded)
        // Which of the two is tested is chosen by a mask over their octets.
        let coin = 0 &- UInt8(truncatingIfNeeded: generator.next() & 1)
        let chosen = constantTimeSelect(coin, try field.octets(of: opposite), try field.octets(of: blinded))
        let answer = try field.isSquare(try field.number(chosen)) ^ coin
        return answer & constantTimeIsBelow(x, prime)
    }

    /// The point with an x coordinate.
    /// - Parameters:
    ///   - x: 32 octets, the highest first, for which ``isAbscissa(_:using:)`` holds; secret.
    ///   - parity: its lowest bit is that of y; secret.
    public func point(abscissa x: SecretBytes, parity: UInt8) throws(WiFiCryptoError) -> Point {
        let field = try Field(of: self)
        return try field.point(x, ordinateSquare: try field.ordinateSquare(try field.number(x)), parity: parity)
    }

    /// Maps a number to a point by the simplified Shallue–van de Woestijne–Ulas method (IEEE 802.11-2020, 12.4.4.2.3).
    /// - Parameter bytes: 48 octets, the highest first, reduced modulo the prime to u; secret. To reduce them is the one step
    ///   whose time OpenSSL does not promise to hide; it is done once for each password, not when a peer asks.
    public func mapToPoint(_ bytes: SecretBytes) throws(WiFiCryptoError) -> Point {
        let field = try Field(of: self)
        let reduced = try field.space.number()
        try require(
            BN_nnmod(reduced, try field.space.number(bytes), constants.prime.pointer, field.space.context), "BN_nnmod")
        let uOctets = try field.space.octets(of: reduced)
        let u = try field.number(uOctets)

        // z = −10; zu², and m = (zu²)² + zu².
        let zero = try field.number(0)
        let z = try field.subtract(zero, try field.number(10))
        let zu2 = try field.multiply(z, try field.multiply(u, u))
        let m = try field.add(try field.multiply(zu2, zu2), zu2)

        // x1 = b / (za) when m is 0, else (−b / a)(1 + 1 / m).
        let a = constants.a.pointer
        let b = constants.b.pointer
        let exceptional = try field.multiply(b, try field.invert(try field.multiply(z, a)))
        let factor = try field.multiply(try field.subtract(zero, b), try field.invert(a))
        let usual = try field.multiply(factor, try field.add(try field.number(1), try field.invert(m)))
        let x1 = constantTimeSelect(
            constantTimeIs(0, try field.octets(of: m)), try field.octets(of: exceptional), try field.octets(of: usual))
        let x1Form = try field.number(x1)

        // x2 = zu² x1. Where that of x1 is no square, x³ + ax + b of x2 is one.
        let x2Form = try field.multiply(zu2, x1Form)
        let square1 = try field.ordinateSquare(x1Form)
        let square2 = try field.ordinateSquare(x2Form)
        let isFirst = try field.isSquare(square1)
        let x = constantTimeSelect(isFirst, x1, try field.octets(of: x2Form))
        let square = constantTimeSelect(isFirst, try field.octets(of: square1), try field.octets(of: square2))
        return try field.point(x, ordinateSquare: try field.number(square), parity: uOctets.lastOctet)
    }
}

/// Numbers modulo the prime, in Montgomery's form, and the memory of one computation.
private struct Field {
    let curve: P256
    let space: Workspace

    init(of curve: P256) throws(WiFiCryptoError) {
        self.curve = curve
        space = try Workspace()
    }

    func number(_ octets: borrowing SecretBytes) throws(WiFiCryptoError) -> OpaquePointer {
        try curve.constants.field.enter(try space.number(octets), space)
    }

    func number(_ value: UInt) throws(WiFiCryptoError) -> OpaquePointer {
        try curve.constants.field.enter(try space.number(value), space)
    }

    func octets(of number: OpaquePointer) throws(WiFiCryptoError) -> SecretBytes {
        try space.octets(of: try curve.constants.field.leave(number, space))
    }

    func add(_ left: OpaquePointer, _ right: OpaquePointer) throws(WiFiCryptoError) -> OpaquePointer {
        let sum = try space.number()
        try require(BN_mod_add_quick(sum, left, right, curve.constants.prime.pointer), "BN_mod_add_quick")
        return sum
    }

    func subtract(_ left: OpaquePointer, _ right: OpaquePointer) throws(WiFiCryptoError) -> OpaquePointer {
        let difference = try space.number()
        try require(BN_mod_sub_quick(difference, left, right, curve.constants.prime.pointer), "BN_mod_sub_quick")
        return difference
    }

    func multiply(_ left: OpaquePointer, _ right: OpaquePointer) throws(WiFiCryptoError) -> OpaquePointer {
        try curve.constants.field.multiply(left, right, space)
    }

    /// The inverse; 0 for 0.
    func invert(_ number: OpaquePointer) throws(WiFiCryptoError) -> OpaquePointer {
        try curve.constants.field.power(
            number, curve.constants.inversePower, modulus: curve.constants.prime, space)
    }

    /// 0xFF if a number that is not 0 is a square, else 0.
    func isSquare(_ number: OpaquePointer) throws(WiFiCryptoError) -> UInt8 {
        let euler = try curve.constants.field.power(
            number, curve.constants.squarePower, modulus: curve.constants.prime, space)
        return constantTimeIs(1, try octets(of: euler))
    }

    /// x³ + ax + b.
    func ordinateSquare(_ x: OpaquePointer) throws(WiFiCryptoError) -> OpaquePointer {
        let product = try multiply(try add(try multiply(x, x), curve.constants.a.pointer), x)
        return try add(product, curve.constants.b.pointer)
    }

    /// The point with this x, of 32 octets, whose y has this lowest bit.
    func point(_ x: SecretBytes, ordinateSquare: OpaquePointer, parity: UInt8) throws(WiFiCryptoError) -> P256.Point {
        let root = try curve.constants.field.power(
            ordinateSquare, curve.constants.rootPower, modulus: curve.constants.prime, space)
        let y = try octets(of: root)
        let opposite = try octets(of: try subtract(try number(0), root))
        let isOther = 0 &- ((y.lastOctet ^ parity) & 1)
        return P256.Point(
            secret: try space.octets(
                of: try space.number(x), try space.number(constantTimeSelect(isOther, opposite, y))))
    }
}

extension SecretBytes {
    /// The last octet, which of a number has the lowest bits.
    fileprivate var lastOctet: UInt8 { withUnsafeBytes { $0.last ?? 0 } }
}
