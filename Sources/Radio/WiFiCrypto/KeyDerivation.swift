import COpenSSL

/// How keys are made of other keys (IEEE 802.11-2020, 12.7.1).
public enum KeyDerivation: Sendable, Hashable {
    /// PRF-Length with HMAC-SHA-1 (12.7.1.2), for AKMs 00-0F-AC:2 and older ones.
    case prfSHA1
    /// KDF-SHA-256-Length (12.7.1.6.2), for AKMs 00-0F-AC:6, 00-0F-AC:8 and newer ones.
    case kdfSHA256

    /// The most octets that can be derived at once; more would not fit the PRF's counter of one octet or the KDF's length
    /// of 16 bits.
    public static let maximumOctets = 4_096

    /// Derives a key.
    /// - Parameters:
    ///   - octets: how many; ``maximumOctets`` at most.
    ///   - key: the key to derive from.
    ///   - label: what for, such as `Pairwise key expansion`.
    ///   - context: what else the key depends on.
    public func derive(
        _ octets: Int, from key: borrowing SecretBytes, label: String, context: RawSpan
    ) throws(WiFiCryptoError) -> SecretBytes {
        precondition((0...Self.maximumOctets).contains(octets), "a key of this length cannot be derived")
        let algorithm: MessageAuthentication =
            switch self {
            case .prfSHA1: .hmacSHA1
            case .kdfSHA256: .hmacSHA256
            }
        // What is hashed round by round; the round's number is at its end or at its beginning.
        let message: [UInt8]
        let counter: Range<Int>
        switch self {
        case .prfSHA1:
            message = Array(label.utf8) + [0] + context.withUnsafeBytes { [UInt8]($0) } + [0]
            counter = (message.count - 1)..<message.count
        case .kdfSHA256:
            let bits = UInt16(octets * 8)
            message =
                [1, 0] + Array(label.utf8) + context.withUnsafeBytes { [UInt8]($0) } + [
                    UInt8(bits & 0xFF), UInt8(bits >> 8),
                ]
            counter = 0..<2
        }
        return try SecretBytes(count: octets) { output throws(WiFiCryptoError) in
            var message = message
            var filled = 0
            while filled < output.count {
                let part = try algorithm.code(of: message.span.bytes, key: key)
                let count = min(part.count, output.count - filled)
                part.withUnsafeBytes { part in
                    UnsafeMutableRawBufferPointer(rebasing: output[filled..<(filled + count)])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: part[..<count]))
                }
                filled += count
                // The KDF's counter is little-endian.
                for index in counter {
                    message[index] &+= 1
                    if message[index] != 0 { break }
                }
            }
        }
    }

    /// The PSK of a passphrase: PBKDF2 with HMAC-SHA-1, 4,096 rounds, the SSID as salt (IEEE 802.11-2020, J.4).
    ///
    /// It takes milliseconds, some ten on a slow processor: compute it once.
    /// - Parameters:
    ///   - passphrase: 8 to 63 octets of printable ASCII; not checked here.
    ///   - ssid: the network's name, 32 octets at most.
    /// - Returns: 32 octets.
    public static func psk(passphrase: String, ssid: [UInt8]) throws(WiFiCryptoError) -> SecretBytes {
        try prepareLibrary()
        let passphrase = SecretBytes(Array(passphrase.utf8))
        return try SecretBytes(count: 32) { output throws(WiFiCryptoError) in
            let result = passphrase.withUnsafeBytes { passphrase in
                PKCS5_PBKDF2_HMAC(
                    passphrase.bindMemory(to: CChar.self).baseAddress, Int32(clamping: passphrase.count), ssid,
                    Int32(clamping: ssid.count), 4_096, EVP_sha1(), Int32(output.count),
                    output.bindMemory(to: UInt8.self).baseAddress)
            }
            try require(result, "PKCS5_PBKDF2_HMAC")
        }
    }
}
