import SAE
import TestSupport
import Testing
import WiFiCrypto
import Wire

@Suite struct PasswordTests {
    /// Counts what is drawn of it.
    private struct CountingGenerator: RandomNumberGenerator {
        var base: SeededGenerator
        var count = 0

        mutating func next() -> UInt64 {
            count += 1
            return base.next()
        }
    }

    @Test("Hunting-and-pecking does the same work for every password and address: it never stops early")
    func sameWork() throws {
        let curve = try P256()
        var counts: Set<Int> = []
        for number in 0..<60 as Range<UInt64> {
            let password = try SAEPassword(
                SecretBytes(Array("password \(10 + number)".utf8)), ssid: Array("ssid".utf8), curve: curve)
            var generator = CountingGenerator(base: SeededGenerator(seed: number))
            _ = try password.element(
                by: .huntingAndPecking, for: MACAddress(number), MACAddress(0x0200_0000_0001), using: &generator)
            counts.insert(generator.count)
        }
        // Each round draws a blind and a coin; the octets that are hashed after the hit are drawn before the first.
        #expect(counts.count == 1, "\(counts)")
        #expect((counts.first ?? 0) >= Int(SAEPassword.rounds) * 2)
    }

    @Test(
        "The element is that of password, SSID and addresses, whichever side computes it", arguments: SAEMethod.allCases
    )
    func dependence(_ method: SAEMethod) throws {
        let curve = try P256()
        var generator = SeededGenerator(seed: 1)
        let one = MACAddress(0x0200_0000_0001)
        let other = MACAddress(0x0200_0000_0002)
        let scalar = try curve.randomScalar(using: &generator)
        func element(_ password: String, _ ssid: String, _ first: MACAddress, _ second: MACAddress) throws -> P256
            .Point?
        {
            let password = try SAEPassword(
                SecretBytes(Array(password.utf8)), ssid: Array(ssid.utf8), curve: curve)
            return try password.element(by: method, for: first, second, using: &generator).multiplied(by: scalar)
        }
        let expected = try #require(try element("password", "ssid", one, other))
        #expect(try element("password", "ssid", other, one) == expected)
        #expect(try element("Password", "ssid", one, other) != expected)
        #expect(try element("password", "ssid", one, MACAddress(0x0200_0000_0003)) != expected)
        // Hunting-and-pecking leaves the SSID out.
        #expect(try (element("password", "other", one, other) == expected) == (method == .huntingAndPecking))
    }

    @Test("An empty password and a long one are passwords too", arguments: SAEMethod.allCases)
    func lengths(_ method: SAEMethod) throws {
        let curve = try P256()
        var generator = SeededGenerator(seed: 1)
        for count in [0, 1, 63, 64, 65, 300] {
            let password = try SAEPassword(
                SecretBytes([UInt8](repeating: 65, count: count)), ssid: [1], curve: curve)
            let element = try password.element(
                by: method, for: MACAddress(1), MACAddress(2), using: &generator)
            let point = try #require(try element.multiplied(by: try curve.randomScalar(using: &generator)))
            #expect(try curve.point(point.secret.bytes) == point)
        }
    }
}
