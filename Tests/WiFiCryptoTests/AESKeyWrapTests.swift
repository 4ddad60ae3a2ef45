import Testing

@testable import WiFiCrypto

@Suite struct AESKeyWrapTests {
    static let key = octets("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F")
    static let plaintext = octets("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F")

    /// RFC 3394 section 4: octets of the key, of the plaintext, the ciphertext.
    static let rfc3394 = [
        (16, 16, "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5"),
        (24, 16, "96778B25AE6CA435F92B5B97C050AED2468AB8A17AD84E5D"),
        (32, 16, "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7"),
        (24, 24, "031D33264E15D33268F24EC260743EDCE1C6C7DDEE725A936BA814915C6762D2"),
        (32, 24, "A8F9BC1612C68B3FF6E6F4FBE30E71E4769C8B80A32CB8958CD5D17D6B254DA1"),
        (32, 32, "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21"),
    ]

    @Test("Vectors of RFC 3394 section 4, both ways", arguments: rfc3394)
    func vectors(_ keyCount: Int, _ count: Int, _ ciphertext: String) throws {
        let key = SecretBytes(Self.key.prefix(keyCount))
        let plaintext = Array(Self.plaintext.prefix(count))
        #expect(try AESKeyWrap.wrap(plaintext.span.bytes, key: key) == octets(ciphertext))
        #expect(try AESKeyWrap.unwrap(octets(ciphertext).span.bytes, key: key) == SecretBytes(plaintext))
    }

    @Test("Any bit changed, any octet missing: not authentic")
    func forged() throws {
        let key = SecretBytes(Self.key.prefix(16))
        let wrapped = try AESKeyWrap.wrap(Self.plaintext.span.bytes, key: key)
        for bit in 0..<(wrapped.count * 8) {
            var forged = wrapped
            forged[bit / 8] ^= 1 << (bit % 8)
            #expect(try AESKeyWrap.unwrap(forged.span.bytes, key: key) == nil)
        }
        for count in 0..<wrapped.count {
            #expect(try AESKeyWrap.unwrap(Array(wrapped.prefix(count)).span.bytes, key: key) == nil)
        }
        #expect(try AESKeyWrap.unwrap(wrapped.span.bytes, key: SecretBytes(Self.key.suffix(16))) == nil)
    }

    @Test("A key that AES does not have is an error, not a trap")
    func wrongKey() {
        #expect(throws: WiFiCryptoError.self) {
            try AESKeyWrap.wrap(Self.plaintext.span.bytes, key: SecretBytes([1, 2, 3]))
        }
    }
}
