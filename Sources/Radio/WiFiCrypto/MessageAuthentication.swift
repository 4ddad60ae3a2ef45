import COpenSSL

/// A keyed hash of a message.
public enum MessageAuthentication: Sendable, Hashable, CaseIterable {
    /// HMAC with SHA-1 (RFC 2104), 20 octets.
    case hmacSHA1
    /// HMAC with SHA-256 (RFC 2104), 32 octets.
    case hmacSHA256
    /// CMAC with AES (RFC 4493; IEEE 802.11-2020 calls AES-128-CMAC), 16 octets. The key has 16.
    case aesCMAC

    /// How many octets a code has.
    public var octets: Int {
        switch self {
        case .hmacSHA1: 20
        case .hmacSHA256: 32
        case .aesCMAC: 16
        }
    }

    private var libraryName: String {
        switch self {
        case .hmacSHA1, .hmacSHA256: "HMAC"
        case .aesCMAC: "CMAC"
        }
    }

    private var libraryAlgorithm: String {
        switch self {
        case .hmacSHA1: "SHA1"
        case .hmacSHA256: "SHA256"
        case .aesCMAC: "AES-128-CBC"
        }
    }

    /// Computes the code of a message.
    /// - Parameters:
    ///   - message: what to authenticate.
    ///   - key: the key; not empty.
    /// - Throws: ``WiFiCryptoError`` when OpenSSL fails, also for a key of a length that the algorithm does not have.
    public func code(of message: RawSpan, key: borrowing SecretBytes) throws(WiFiCryptoError) -> SecretBytes {
        try prepareLibrary()
        let count = octets
        return try SecretBytes(count: count) { output throws(WiFiCryptoError) in
            var written = 0
            let code = key.withUnsafeBytes { key in
                message.withUnsafeBytes { message in
                    EVP_Q_mac(
                        nil, libraryName, nil, libraryAlgorithm, nil, key.baseAddress, key.count,
                        message.bindMemory(to: UInt8.self).baseAddress, message.count,
                        output.bindMemory(to: UInt8.self).baseAddress, output.count, &written)
                }
            }
            try require(code != nil && written == count ? 1 : 0, "EVP_Q_mac")
        }
    }
}
