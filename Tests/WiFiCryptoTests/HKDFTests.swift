import Testing
import WiFiCrypto

@Suite struct HKDFTests {
    @Test("RFC 5869, A.3: a salt of zeros, no info")
    func rfc() throws {
        let key = try HKDF.extract(
            [UInt8](repeating: 0x0B, count: 22).span.bytes, salt: [UInt8](repeating: 0, count: 32))
        #expect(key == SecretBytes(octets("19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04")))
        #expect(
            try HKDF.expand(42, from: key, info: "")
                == SecretBytes(
                    octets("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")))
    }

    @Test("IEEE 802.11-2020, J.10: a salt and an info of SAE")
    func sae() throws {
        let key = try HKDF.extract(
            Array("mekmitasdigoatpsk4internet".utf8).span.bytes, salt: Array("byteme".utf8))
        #expect(key == SecretBytes(octets("3bd53fe9223dc0280fbfce17d7a3564064e20f48c6ec72246ce367b5569a22af")))
        #expect(
            try HKDF.expand(48, from: key, info: "SAE Hash to Element u1 P1")
                == SecretBytes(
                    octets(
                        "a5044469ab16f25b6abf1e0e37a36b56f50be73369053df8db87989a6b66fd1a491f1cdacbd07931620f83008ffc0ecc"
                    )))
    }

    @Test("As long as it can be, a shorter one is its beginning")
    func lengths() throws {
        let key = SecretBytes([UInt8](repeating: 7, count: 32))
        let longest = try HKDF.expand(HKDF.maximumOctets, from: key, info: "length")
        for count in [0, 1, 31, 32, 33, 64, 65, 1000] {
            #expect(try HKDF.expand(count, from: key, info: "length") == longest[0..<count])
        }
    }
}
