import COpenSSL

/// What OpenSSL's sessions share.
final class LibraryContext: Sendable {
    let context: Handle
    let bioMethod: Handle
    let algorithms: Algorithms

    /// The most octets of certificates a peer may show; a self-signed one has some hundred.
    private static let maximumCertificates = 8_192

    init(identity: DTLSIdentity, role: DTLSRole, srtpProfiles: [SRTPProfile], cipherSuites: [CipherSuite])
        throws(DTLSError)
    {
        // Without its configuration file, which could add providers and engines, and without the words of its errors, which
        // nobody reads.
        try require(COpenSSL_init(), "OPENSSL_init_ssl")
        bioMethod = try makeDatagramBIOMethod()
        algorithms = try Algorithms()
        let method =
            switch role {
            case .client: DTLS_client_method()
            case .server: DTLS_server_method()
            }
        context = try Handle(SSL_CTX_new(method), SSL_CTX_free, "SSL_CTX_new")
        // DTLS 1.2 only: Debian 12's and 13's OpenSSL have no 1.3 (RFC 9147), and 1.0 is gone (RFC 8996). Browsers that
        // offer 1.3 speak 1.2 too. With 1.3, ``Flight`` and ``RecordCipher`` would need its record format.
        try require(COpenSSL_CTX_set_version(context.pointer, DTLS1_2_VERSION), "SSL_CTX_set_min_proto_version")
        COpenSSL_CTX_set_preferences(context.pointer)
        COpenSSL_CTX_set_max_cert_list(context.pointer, Self.maximumCertificates)
        // 112 bits, whatever the system's policy says.
        SSL_CTX_set_security_level(context.pointer, 2)
        try setAlgorithms(cipherSuites, srtpProfiles)
        try require(
            SSL_CTX_use_certificate_ASN1(
                context.pointer, Int32(clamping: identity.certificate.count), identity.certificate),
            "SSL_CTX_use_certificate_ASN1")
        try require(
            SSL_CTX_use_PrivateKey_ASN1(
                EVP_PKEY_EC, context.pointer, identity.privateKey, identity.privateKey.count),
            "SSL_CTX_use_PrivateKey_ASN1")

        // Any certificate will do, and there must be one: who may come in is decided by its fingerprint. Nothing is built
        // or checked of a chain, dates or names.
        SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        SSL_CTX_set_cert_verify_callback(context.pointer, { _, _ in 1 }, nil)
        SSL_CTX_set_info_callback(context.pointer, noteAlert)
    }

    private func setAlgorithms(_ cipherSuites: [CipherSuite], _ srtpProfiles: [SRTPProfile]) throws(DTLSError) {
        let suites = cipherSuites.map(\.libraryName).joined(separator: ":")
        try require(SSL_CTX_set_cipher_list(context.pointer, suites), "SSL_CTX_set_cipher_list")
        // The last two are for the peer's certificate, whose curve OpenSSL looks for here, too. For the key exchange it never takes
        // them: who takes our certificate knows P-256, which we prefer.
        let groups = [NID_X25519, NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1]
        try require(COpenSSL_CTX_set1_groups(context.pointer, groups, Int32(groups.count)), "SSL_CTX_set1_groups")
        // Certificates of ECDSA are what RFC 8827 section 6.5 asks for; applications may still choose RSA.
        try require(
            COpenSSL_CTX_set1_sigalgs_list(
                context.pointer, "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:RSA-PSS+SHA256:RSA+SHA256"),
            "SSL_CTX_set1_sigalgs_list")
        guard !srtpProfiles.isEmpty else { return }
        let names = srtpProfiles.map(\.libraryName).joined(separator: ":")
        // This one answers 0 when it succeeds.
        try require(
            SSL_CTX_set_tlsext_use_srtp(context.pointer, names) == 0 ? 1 : 0, "SSL_CTX_set_tlsext_use_srtp")
    }
}

/// The SHA-256 of a certificate in DER.
func sha256(ofCertificate certificate: OpaquePointer) throws(DTLSError) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    try require(X509_digest(certificate, EVP_sha256(), &digest, &length), "X509_digest")
    return digest
}
