/// HKDF with SHA-256 (RFC 5869).
public enum HKDF {
    /// The most octets that can be expanded at once (section 2.3).
    public static let maximumOctets = 255 * 32

    /// A pseudorandom key of keying material (section 2.2).
    /// - Parameters:
    ///   - keyingMaterial: what has the entropy.
    ///   - salt: not secret, not empty.
    /// - Returns: 32 octets.
    public static func extract(_ keyingMaterial: RawSpan, salt: [UInt8]) throws(WiFiCryptoError) -> SecretBytes {
        try MessageAuthentication.hmacSHA256.code(of: keyingMaterial, key: SecretBytes(salt))
    }

    /// Makes a key of a pseudorandom key (section 2.3).
    /// - Parameters:
    ///   - octets: how many; ``maximumOctets`` at most.
    ///   - key: a pseudorandom key.
    ///   - info: what for.
    public static func expand(
        _ octets: Int, from key: borrowing SecretBytes, info: String
    ) throws(WiFiCryptoError) -> SecretBytes {
        precondition((0...maximumOctets).contains(octets), "a key of this length cannot be derived")
        let info = Array(info.utf8)
        return try SecretBytes(count: octets) { output throws(WiFiCryptoError) in
            var filled = 0
            var number: UInt8 = 1
            var part = SecretBytes([])
            while filled < output.count {
                let tail = info + [number]
                let message = SecretBytes(count: part.count + tail.count) { memory in
                    part.withUnsafeBytes { memory.copyMemory(from: $0) }
                    UnsafeMutableRawBufferPointer(rebasing: memory[part.count...]).copyBytes(from: tail)
                }
                part = try MessageAuthentication.hmacSHA256.code(of: message.bytes, key: key)
                let count = min(part.count, output.count - filled)
                part.withUnsafeBytes { part in
                    UnsafeMutableRawBufferPointer(rebasing: output[filled...])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: part[..<count]))
                }
                filled += count
                number &+= 1
            }
        }
    }
}
