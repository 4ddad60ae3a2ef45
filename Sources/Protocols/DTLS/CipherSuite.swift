import COpenSSL

/// The cipher suites offered: forward secret, authenticated by ECDSA, AEAD (RFC 9325 section 4.2).
enum CipherSuite: UInt16 {
    /// `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256` (RFC 5289), which every WebRTC implementation has (RFC 8827 section 6.5).
    case aes128GCM = 0xC02B
    /// `TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384` (RFC 5289).
    case aes256GCM = 0xC02C
    /// `TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256` (RFC 7905).
    case chaCha20Poly1305 = 0xCCA9

    /// All of them, best first. ChaCha20 is the faster one without instructions for AES, as on a Raspberry Pi 4.
    static var byPreference: [CipherSuite] {
        COpenSSL_has_fast_aes() != 0
            ? [.aes128GCM, .aes256GCM, .chaCha20Poly1305] : [.chaCha20Poly1305, .aes128GCM, .aes256GCM]
    }

    /// OpenSSL's name of it.
    var libraryName: String {
        switch self {
        case .aes128GCM: "ECDHE-ECDSA-AES128-GCM-SHA256"
        case .aes256GCM: "ECDHE-ECDSA-AES256-GCM-SHA384"
        case .chaCha20Poly1305: "ECDHE-ECDSA-CHACHA20-POLY1305"
        }
    }

    var keyLength: Int {
        switch self {
        case .aes128GCM: 16
        case .aes256GCM, .chaCha20Poly1305: 32
        }
    }

    /// Octets of the nonce that come from the handshake: RFC 5288 section 3, RFC 7905 section 2.
    var fixedNonceLength: Int {
        switch self {
        case .aes128GCM, .aes256GCM: 4
        case .chaCha20Poly1305: 12
        }
    }

    /// Octets of the nonce that each record carries: RFC 5288 section 3, RFC 7905 section 2.
    var explicitNonceLength: Int {
        switch self {
        case .aes128GCM, .aes256GCM: 8
        case .chaCha20Poly1305: 0
        }
    }

    /// The digest of the pseudorandom function (RFC 5246 section 5).
    var digest: String {
        switch self {
        case .aes128GCM, .chaCha20Poly1305: "SHA256"
        case .aes256GCM: "SHA384"
        }
    }
}

/// OpenSSL's algorithms, found by their names once.
struct Algorithms: ~Copyable, Sendable {
    private let aes128GCM: Handle
    private let aes256GCM: Handle
    private let chaCha20Poly1305: Handle
    let pseudorandomFunction: Handle

    init() throws(DTLSError) {
        let aes128GCM = try Handle(EVP_CIPHER_fetch(nil, "AES-128-GCM", nil), EVP_CIPHER_free, "EVP_CIPHER_fetch")
        let aes256GCM = try Handle(EVP_CIPHER_fetch(nil, "AES-256-GCM", nil), EVP_CIPHER_free, "EVP_CIPHER_fetch")
        let chaCha20Poly1305 = try Handle(
            EVP_CIPHER_fetch(nil, "ChaCha20-Poly1305", nil), EVP_CIPHER_free, "EVP_CIPHER_fetch")
        let pseudorandomFunction = try Handle(EVP_KDF_fetch(nil, "TLS1-PRF", nil), EVP_KDF_free, "EVP_KDF_fetch")
        self.aes128GCM = aes128GCM
        self.aes256GCM = aes256GCM
        self.chaCha20Poly1305 = chaCha20Poly1305
        self.pseudorandomFunction = pseudorandomFunction
    }

    func cipher(of suite: CipherSuite) -> OpaquePointer {
        switch suite {
        case .aes128GCM: aes128GCM.pointer
        case .aes256GCM: aes256GCM.pointer
        case .chaCha20Poly1305: chaCha20Poly1305.pointer
        }
    }
}

/// The keys of a session (RFC 5246 section 6.3), this side's and the peer's.
struct SessionKeys {
    struct Direction {
        var key: [UInt8]
        var fixedNonce: [UInt8]
    }

    let suite: CipherSuite
    let own: Direction
    let peer: Direction

    /// Derives them from the secrets of a handshake that has come to its CertificateVerify or further.
    init(of ssl: OpaquePointer, suite: CipherSuite, role: DTLSRole, _ algorithms: borrowing Algorithms)
        throws(DTLSError)
    {
        self.suite = suite
        var master = [UInt8](repeating: 0, count: 48)
        guard SSL_SESSION_get_master_key(SSL_get_session(ssl), &master, master.count) == master.count else {
            throw .libraryFailed("SSL_SESSION_get_master_key")
        }
        var client = [UInt8](repeating: 0, count: 32)
        var server = [UInt8](repeating: 0, count: 32)
        guard SSL_get_client_random(ssl, &client, 32) == 32, SSL_get_server_random(ssl, &server, 32) == 32 else {
            throw .libraryFailed("SSL_get_client_random")
        }
        let key = suite.keyLength
        let nonce = suite.fixedNonceLength
        // AEAD suites have no MAC keys: client's key, server's key, client's nonce, server's nonce.
        let block = try Self.expand(
            master, Array("key expansion".utf8) + server + client, count: 2 * (key + nonce), digest: suite.digest,
            algorithms)
        let ofClient = Direction(key: Array(block[..<key]), fixedNonce: Array(block[2 * key..<2 * key + nonce]))
        let ofServer = Direction(key: Array(block[key..<2 * key]), fixedNonce: Array(block[(2 * key + nonce)...]))
        own = role == .client ? ofClient : ofServer
        peer = role == .client ? ofServer : ofClient
        OPENSSL_cleanse(&master, master.count)
    }

    /// RFC 5246 section 5: `P_<digest>(secret, seed)`.
    private static func expand(
        _ secret: [UInt8], _ seed: [UInt8], count: Int, digest: String, _ algorithms: borrowing Algorithms
    ) throws(DTLSError) -> [UInt8] {
        let context = try Handle(
            EVP_KDF_CTX_new(algorithms.pseudorandomFunction.pointer), EVP_KDF_CTX_free, "EVP_KDF_CTX_new")
        var output = [UInt8](repeating: 0, count: count)
        try require(
            COpenSSL_tls1_prf(
                context.pointer, digest, secret, secret.count, seed, seed.count, &output, output.count),
            "EVP_KDF_derive")
        return output
    }
}
