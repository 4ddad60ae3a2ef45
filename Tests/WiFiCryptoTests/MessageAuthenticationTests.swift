import Testing

@testable import WiFiCrypto

@Suite struct MessageAuthenticationTests {
    struct Vector: Sendable {
        var key: [UInt8]
        var message: [UInt8]
        var code: [UInt8]
    }

    static let rfc2202 = [
        Vector(
            key: [UInt8](repeating: 0x0b, count: 20), message: Array("Hi There".utf8),
            code: octets("b617318655057264e28bc0b6fb378c8ef146be00")),
        Vector(
            key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8),
            code: octets("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")),
        Vector(
            key: [UInt8](repeating: 0xaa, count: 80),
            message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            code: octets("aa4ae5e15272d00e95705637ce8a3b55ed402112")),
    ]

    static let rfc4231 = [
        Vector(
            key: [UInt8](repeating: 0x0b, count: 20), message: Array("Hi There".utf8),
            code: octets("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")),
        Vector(
            key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8),
            code: octets("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")),
        Vector(
            key: [UInt8](repeating: 0xaa, count: 131),
            message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            code: octets("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")),
    ]

    /// RFC 4493 section 4.
    static let rfc4493 = [
        (0, "bb1d6929e95937287fa37d129b756746"), (16, "070a16b46b4d4144f79bdd9dd04a287c"),
        (40, "dfa66747de9ae63030ca32611497c827"), (64, "51f0bebf7e3b9d92fc49741779363cfe"),
    ]

    @Test("HMAC-SHA-1: vectors of RFC 2202", arguments: rfc2202)
    func hmacSHA1(_ vector: Vector) throws {
        let code = try MessageAuthentication.hmacSHA1.code(
            of: vector.message.span.bytes, key: SecretBytes(vector.key))
        #expect(code == SecretBytes(vector.code))
    }

    @Test("HMAC-SHA-256: vectors of RFC 4231", arguments: rfc4231)
    func hmacSHA256(_ vector: Vector) throws {
        let code = try MessageAuthentication.hmacSHA256.code(
            of: vector.message.span.bytes, key: SecretBytes(vector.key))
        #expect(code == SecretBytes(vector.code))
    }

    @Test("AES-CMAC: vectors of RFC 4493", arguments: rfc4493)
    func aesCMAC(_ length: Int, _ code: String) throws {
        let key = SecretBytes(octets("2b7e151628aed2a6abf7158809cf4f3c"))
        let message = octets(
            """
            6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51
            30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710
            """)
        #expect(
            try MessageAuthentication.aesCMAC.code(of: Array(message.prefix(length)).span.bytes, key: key)
                == SecretBytes(octets(code)))
    }

    @Test("A key that AES does not have is an error, not a trap")
    func wrongKey() {
        #expect(throws: WiFiCryptoError.self) {
            try MessageAuthentication.aesCMAC.code(of: [UInt8]([1, 2, 3]).span.bytes, key: SecretBytes([1, 2, 3]))
        }
    }
}
