import TestSupport
import Testing
import WiFiCrypto

@Suite struct P256Tests {
    private let curve: P256
    private let order = octets("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
    /// The base point of FIPS 186-5, and its double.
    private let base = octets(
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
            + "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
    private let double = octets(
        "7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978"
            + "07775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1")

    init() throws {
        curve = try P256()
    }

    private func number(_ value: UInt8) -> [UInt8] { [UInt8](repeating: 0, count: 31) + [value] }

    private func point(_ bytes: [UInt8]) throws -> P256.Point {
        let point = try curve.point(bytes.span.bytes)
        return try #require(point)
    }

    private func scalar(_ bytes: [UInt8]) throws -> P256.Scalar {
        let scalar = try curve.scalar(bytes.span.bytes)
        return try #require(scalar)
    }

    @Test("Points of the curve add up, and a point and its opposite are no point")
    func points() throws {
        let base = try point(base)
        let double = try point(double)
        #expect(try curve.add(base, base) == double)
        #expect(try curve.multiply(base, by: try scalar(number(2))) == double)
        #expect(try curve.add(double, try curve.negate(base)) == base)
        #expect(try curve.add(base, try curve.negate(base)) == nil)
        #expect(try curve.negate(try curve.negate(base)) == base)
        // The order less one is the opposite of one.
        var last = order
        last[31] -= 1
        #expect(try curve.multiply(base, by: try scalar(last)) == curve.negate(base))
    }

    @Test("Only scalars above 1 and below the order are taken")
    func scalars() throws {
        for bytes in [number(0), number(1), order, [UInt8](repeating: 255, count: 32), [], [9], number(2) + [0]] {
            #expect(try curve.scalar(bytes.span.bytes) == nil)
        }
        var last = order
        last[31] -= 1
        #expect(try scalar(last).secret == SecretBytes(last))
        #expect(try scalar(number(2)).secret == SecretBytes(number(2)))
    }

    @Test("Only points of the curve are taken")
    func invalidPoints() throws {
        let prime = octets("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff")
        let zero = number(0)
        let invalid: [[UInt8]] = [
            zero + zero, base.dropLast(1), base + [0], Array(base.reversed()), [], prime + zero,
            Array(base.prefix(32)) + zero, zero + Array(base.suffix(32)), [UInt8](repeating: 255, count: 64),
        ]
        for bytes in invalid {
            #expect(try curve.point(bytes.span.bytes) == nil)
        }
        for bit in 0..<512 {
            var bytes = base
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(try curve.point(bytes.span.bytes) == nil, "bit \(bit)")
        }
        // Coordinates have one form: x = 5 lies on the curve, x = 5 + p means the same and is refused.
        let five = try curve.point(abscissa: SecretBytes(number(5)), parity: 0)
        let y = five.y.withUnsafeBytes { [UInt8]($0) }
        #expect(try curve.point((number(5) + y).span.bytes) == five)
        let beyond = octets("ffffffff00000001000000000000000000000001000000000000000000000004")
        #expect(try curve.point((beyond + y).span.bytes) == nil)
    }

    @Test("Scalars add up and multiply modulo the order", arguments: 0..<50 as Range<UInt64>)
    func arithmetic(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let base = try point(base)
        let a = try curve.randomScalar(using: &generator)
        let b = try curve.randomScalar(using: &generator)
        let sum = try #require(try curve.multiply(base, by: try curve.sum(a, b)))
        let first = try #require(try curve.multiply(base, by: a))
        let second = try #require(try curve.multiply(base, by: b))
        #expect(try curve.add(first, second) == sum)
        #expect(try curve.multiply(first, by: b) == curve.multiply(base, by: try curve.product(a, b)))
        #expect(try curve.product(a, b) == curve.product(b, a))
    }

    @Test("A hash becomes a scalar that is not zero")
    func reducing() throws {
        var last = order
        last[31] -= 1
        #expect(try curve.nonzeroScalar(reducing: number(0).span.bytes).secret == SecretBytes(number(1)))
        #expect(try curve.nonzeroScalar(reducing: last.span.bytes).secret == SecretBytes(number(1)))
        #expect(try curve.nonzeroScalar(reducing: order.span.bytes).secret == SecretBytes(number(2)))
        last[31] -= 1
        var expected = order
        expected[31] -= 1
        #expect(try curve.nonzeroScalar(reducing: last.span.bytes).secret == SecretBytes(expected))
    }

    @Test("What is told to be a coordinate is one, and what is not is none; half of all numbers are")
    func abscissas() throws {
        var generator = SeededGenerator(seed: 3)
        var count = 0
        for _ in 0..<400 {
            let x = SecretBytes(randomCount: 32, using: &generator)
            let answer = try curve.isAbscissa(x, using: &generator)
            // The blinding does not change the answer.
            #expect(try curve.isAbscissa(x, using: &generator) == answer)
            #expect(answer == 0 || answer == 0xFF)
            for parity in [0, 1] as [UInt8] {
                let candidate = try curve.point(abscissa: x, parity: parity)
                let isPoint = try curve.point(candidate.secret.bytes) != nil
                #expect(isPoint == (answer == 0xFF))
                #expect(candidate.y.withUnsafeBytes { ($0.last ?? 0) & 1 } == parity)
            }
            count += answer == 0xFF ? 1 : 0
        }
        #expect((150...250).contains(count))
        // Not below the prime, though 5 lies on the curve.
        #expect(try curve.isAbscissa(SecretBytes(number(5)), using: &generator) == 0xFF)
        let beyond = octets("ffffffff00000001000000000000000000000001000000000000000000000004")
        #expect(try curve.isAbscissa(SecretBytes(beyond), using: &generator) == 0)
    }

    @Test(
        "RFC 9380, J.1.1: the map of P256_XMD:SHA-256_SSWU_RO_, for the empty message",
        arguments: [
            (
                "ad5342c66a6dd0ff080df1da0ea1c04b96e0330dd89406465eeba11582515009",
                "ab640a12220d3ff283510ff3f4b1953d09fad35795140b1c5d64f313967934d5",
                "dccb558863804a881d4fff3455716c836cef230e5209594ddd33d85c565b19b1"
            ),
            (
                "8c0f1d43204bd6f6ea70ae8013070a1518b43873bcd850aafa0a9e220e2eea5a",
                "51cce63c50d972a6e51c61334f0f4875c9ac1cd2d3238412f84e31da7d980ef5",
                "b45d1a36d00ad90e5ec7840a60a4de411917fbe7c82c3949a6e699e5a1b66aac"
            ),
        ])
    func map(_ u: String, _ x: String, _ y: String) throws {
        #expect(try curve.mapToPoint(SecretBytes(octets(u))).secret == SecretBytes(octets(x + y)))
    }

    @Test("The map's exceptional number is mapped too, and longer ones are reduced")
    func mapEdges() throws {
        // u = 0 makes the denominator 0.
        let zero = try curve.mapToPoint(SecretBytes(number(0)))
        #expect(try curve.point(zero.secret.bytes) == zero)
        let prime = octets("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff")
        #expect(try curve.mapToPoint(SecretBytes([UInt8](repeating: 0, count: 16) + prime)) == zero)
        #expect(
            try curve.mapToPoint(SecretBytes([UInt8](repeating: 0, count: 16) + number(3)))
                == curve.mapToPoint(SecretBytes(number(3))))
    }
}
