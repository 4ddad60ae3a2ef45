import COpenSSL

/// AES key wrap (RFC 3394), by which group keys travel in EAPOL-Key frames (IEEE 802.11-2020, 12.7.2).
public enum AESKeyWrap {
    /// Octets that wrapping adds.
    public static let overhead = 8
    /// The fewest octets that can be wrapped (RFC 3394 section 2).
    public static let minimumOctets = 16

    /// Wraps octets.
    /// - Parameters:
    ///   - plaintext: what to wrap: a multiple of 8 octets, ``minimumOctets`` at least.
    ///   - key: the key encryption key of 16, 24 or 32 octets.
    /// - Returns: ``overhead`` octets more than the plaintext.
    public static func wrap(
        _ plaintext: RawSpan, key: borrowing SecretBytes
    ) throws(WiFiCryptoError) -> [UInt8] {
        precondition(canWrap(plaintext.byteCount), "octets of this count cannot be wrapped")
        let context = try prepare(key, wraps: true)
        // OpenSSL wants room for a block more than it writes.
        var output = [UInt8](repeating: 0, count: plaintext.byteCount + overhead + 16)
        var written: Int32 = 0
        let result = plaintext.withUnsafeBytes {
            EVP_CipherUpdate(
                context.pointer, &output, &written, $0.bindMemory(to: UInt8.self).baseAddress, Int32(clamping: $0.count)
            )
        }
        try require(
            result == 1 && Int(written) == plaintext.byteCount + overhead ? 1 : 0, "EVP_CipherUpdate")
        output.removeLast(output.count - Int(written))
        return output
    }

    /// Unwraps octets.
    /// - Parameters:
    ///   - ciphertext: what was wrapped.
    ///   - key: the key encryption key of 16, 24 or 32 octets.
    /// - Returns: the plaintext, or nil when the ciphertext is not authentic or of an impossible length.
    public static func unwrap(
        _ ciphertext: RawSpan, key: borrowing SecretBytes
    ) throws(WiFiCryptoError) -> SecretBytes? {
        let count = ciphertext.byteCount - overhead
        guard canWrap(count) else { return nil }
        let context = try prepare(key, wraps: false)
        var isAuthentic = false
        let room = SecretBytes(count: ciphertext.byteCount + 16) { output in
            var written: Int32 = 0
            let result = ciphertext.withUnsafeBytes {
                EVP_CipherUpdate(
                    context.pointer, output.bindMemory(to: UInt8.self).baseAddress, &written,
                    $0.bindMemory(to: UInt8.self).baseAddress, Int32(clamping: $0.count))
            }
            isAuthentic = result == 1 && Int(written) == count
        }
        guard isAuthentic else {
            ERR_clear_error()
            return nil
        }
        return room[0..<count]
    }

    /// Whether octets of this count can be wrapped. The upper bound keeps the count in OpenSSL's integer.
    private static func canWrap(_ count: Int) -> Bool {
        count >= minimumOctets && count % 8 == 0 && count <= 1 << 20
    }

    private static func prepare(_ key: borrowing SecretBytes, wraps: Bool) throws(WiFiCryptoError) -> Handle {
        try prepareLibrary()
        let cipher: OpaquePointer? =
            switch key.count {
            case 16: EVP_aes_128_wrap()
            case 24: EVP_aes_192_wrap()
            case 32: EVP_aes_256_wrap()
            default: throw WiFiCryptoError("EVP_aes_wrap")
            }
        let context = try Handle(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free, "EVP_CIPHER_CTX_new")
        // Without this flag OpenSSL before 3 refuses to wrap; 3 ignores it.
        EVP_CIPHER_CTX_set_flags(context.pointer, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW)
        let result = key.withUnsafeBytes {
            EVP_CipherInit_ex2(
                context.pointer, cipher, $0.bindMemory(to: UInt8.self).baseAddress, nil, wraps ? 1 : 0, nil)
        }
        try require(result, "EVP_CipherInit_ex2")
        return context
    }
}
