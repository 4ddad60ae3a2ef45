import Testing

@testable import WiFiCrypto

@Suite struct KeyDerivationTests {
    /// IEEE 802.11-2020, J.3.2.
    static let prfVectors: [([UInt8], String, [UInt8], String)] = [
        (
            [UInt8](repeating: 0x0b, count: 20), "prefix", Array("Hi There".utf8),
            """
            bcd4c650b30b9684951829e0d75f9d54b862175ed9f00606e17d8da35402ffee
            75df78c3d31e0f889f012120c0862beb67753e7439ae242edb8373698356cf5a
            """
        ),
        (
            Array("Jefe".utf8), "prefix", Array("what do ya want for nothing?".utf8),
            """
            51f4de5b33f249adf81aeb713a3c20f4fe631446fabdfa58244759ae58ef9009
            a99abf4eac2ca5fa87e692c440eb40023e7babb206d61de7b92f41529092b8fc
            """
        ),
        (
            [UInt8](repeating: 0xaa, count: 20), "prefix", [UInt8](repeating: 0xdd, count: 50),
            """
            e1ac546ec4cb636f9976487be5c86be17a0252ca5d8d8df12cfb0473525249ce
            9dd8d177ead710bc9b590547239107aef7b4abd43d87f0a68f1cbd9e2b6f7607
            """
        ),
    ]

    @Test("PRF: vectors of IEEE 802.11-2020 J.3.2, whole and shortened", arguments: prfVectors)
    func prf(_ key: [UInt8], _ label: String, _ context: [UInt8], _ expected: String) throws {
        let expected = octets(expected)
        // PRF-192, PRF-256, PRF-384, PRF-512: a shorter output is the beginning of a longer one.
        for count in [0, 24, 32, 48, 64] {
            let derived = try KeyDerivation.prfSHA1.derive(
                count, from: SecretBytes(key), label: label, context: context.span.bytes)
            #expect(derived == SecretBytes(expected.prefix(count)))
        }
    }

    /// IEEE 802.11-2020, J.4.2.
    static let pskVectors = [
        ("password", "IEEE", "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"),
        ("ThisIsAPassword", "ThisIsASSID", "0dc0d6eb90555ed6419756b9a15ec3e3209b63df707dd508d14581f8982721af"),
        (
            String(repeating: "a", count: 32), String(repeating: "Z", count: 32),
            "becb93866bb8c3832cb777c2f559807c8c59afcb6eae734885001300a981cc62"
        ),
    ]

    @Test("PSK of a passphrase: vectors of IEEE 802.11-2020 J.4.2", arguments: pskVectors)
    func psk(_ passphrase: String, _ ssid: String, _ expected: String) throws {
        #expect(
            try KeyDerivation.psk(passphrase: passphrase, ssid: Array(ssid.utf8)) == SecretBytes(octets(expected)))
    }

    @Test("KDF: the rounds are counted from 1, and the length is hashed with them")
    func kdf() throws {
        let key = SecretBytes([UInt8](repeating: 7, count: 32))
        let context: [UInt8] = [0xc0, 0xff]
        // IEEE 802.11-2020, 12.7.1.6.2, written out for two rounds.
        let first = try MessageAuthentication.hmacSHA256.code(
            of: ([1, 0] + Array("label".utf8) + context + [0x80, 0x01]).span.bytes, key: key)
        let second = try MessageAuthentication.hmacSHA256.code(
            of: ([2, 0] + Array("label".utf8) + context + [0x80, 0x01]).span.bytes, key: key)
        let derived = try KeyDerivation.kdfSHA256.derive(
            48, from: key, label: "label", context: context.span.bytes)
        #expect(derived[0..<32] == first)
        #expect(derived[32..<48] == second[0..<16])
        let shorter = try KeyDerivation.kdfSHA256.derive(
            32, from: key, label: "label", context: context.span.bytes)
        #expect(shorter != first, "the length makes it another key")
    }

    @Test("The PRF's counter goes on beyond 20 octets a round to the most that can be derived")
    func longest() throws {
        let key = SecretBytes([1, 2, 3])
        for derivation in [KeyDerivation.prfSHA1, .kdfSHA256] {
            let long = try derivation.derive(
                KeyDerivation.maximumOctets, from: key, label: "", context: [UInt8]().span.bytes)
            let octets = long.withUnsafeBytes { [UInt8]($0) }
            let blocks = Set(stride(from: 0, to: 4_080, by: 16).map { Array(octets[$0..<($0 + 16)]) })
            #expect(blocks.count == 255, "no round repeats another")
        }
    }
}
