import COpenSSL

/// A certificate of ECDSA on P-256 with its private key: who an endpoint is.
public final class DTLSIdentity: Sendable {
    /// The certificate, in PEM.
    public let certificatePEM: String
    /// The private key, in PEM (PKCS #8, or as it was given).
    public let privateKeyPEM: String
    /// The SHA-256 of the certificate in DER, 32 octets (RFC 8122 section 5).
    public let fingerprint: [UInt8]
    let certificate: Handle
    let privateKey: Handle

    /// Takes a certificate and its key.
    /// - Parameters:
    ///   - certificatePEM: an X.509 certificate with a key on P-256.
    ///   - privateKeyPEM: the private key, in PKCS #8 or SEC 1, not encrypted.
    /// - Throws: ``DTLSError`` when they are unreadable or do not belong together.
    public init(certificatePEM: String, privateKeyPEM: String) throws(DTLSError) {
        try startLibrary()
        let certificateText = try Handle.memory(holding: certificatePEM)
        certificate = try Handle(
            PEM_read_bio_X509(certificateText.pointer, nil, nil, nil), X509_free, orThrow: .certificateUnreadable)
        let keyText = try Handle.memory(holding: privateKeyPEM)
        // Without a callback OpenSSL would ask for an encrypted key's passphrase on the terminal.
        privateKey = try Handle(
            PEM_read_bio_PrivateKey(keyText.pointer, nil, { _, _, _, _ in -1 }, nil), EVP_PKEY_free,
            orThrow: .privateKeyUnreadable)
        self.certificatePEM = certificatePEM
        self.privateKeyPEM = privateKeyPEM
        fingerprint = try sha256(ofCertificate: certificate.pointer)
        guard Self.isP256(privateKey.pointer) else { throw .notP256 }
        guard X509_check_private_key(certificate.pointer, privateKey.pointer) == 1 else {
            ERR_clear_error()
            throw .privateKeyMismatch
        }
    }

    /// Makes a new key and a self-signed certificate of it that is valid from 2000 to 2049.
    ///
    /// A peer compares the fingerprint and nothing else (RFC 8827 section 6.5). The dates are the same always, because a box
    /// without a clock does not know today's.
    /// - Throws: ``DTLSError/libraryFailed(_:)``.
    public static func generate() throws(DTLSError) -> DTLSIdentity {
        try startLibrary()
        let key = try Handle(COpenSSL_generate_p256(), EVP_PKEY_free, "EVP_PKEY_Q_keygen")
        let certificate = try Handle(X509_new(), X509_free, "X509_new")
        // X.509 version 3, whose number is 2 (RFC 5280 section 4.1.2.1).
        try require(X509_set_version(certificate.pointer, 2), "X509_set_version")
        try require(
            ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.pointer), .random(in: 1...(.max >> 1))),
            "ASN1_INTEGER_set_uint64")
        try require(
            ASN1_TIME_set_string(X509_getm_notBefore(certificate.pointer), "20000101000000Z"), "ASN1_TIME_set_string")
        try require(
            ASN1_TIME_set_string(X509_getm_notAfter(certificate.pointer), "20491231235959Z"), "ASN1_TIME_set_string")
        let name = X509_get_subject_name(certificate.pointer)
        // WebRTC's certificates carry no name that tells who made them (RFC 8827 section 6.5 asks for none).
        try require(
            X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, "WebRTC", -1, -1, 0), "X509_NAME_add_entry_by_txt")
        try require(X509_set_issuer_name(certificate.pointer, name), "X509_set_issuer_name")
        try require(X509_set_pubkey(certificate.pointer, key.pointer), "X509_set_pubkey")
        guard X509_sign(certificate.pointer, key.pointer, EVP_sha256()) > 0 else {
            ERR_clear_error()
            throw .libraryFailed("X509_sign")
        }

        let certificateText = try Handle.memory()
        try require(PEM_write_bio_X509(certificateText.pointer, certificate.pointer), "PEM_write_bio_X509")
        let keyText = try Handle.memory()
        try require(
            PEM_write_bio_PKCS8PrivateKey(keyText.pointer, key.pointer, nil, nil, 0, nil, nil),
            "PEM_write_bio_PKCS8PrivateKey")
        return try DTLSIdentity(certificatePEM: certificateText.text(), privateKeyPEM: keyText.text())
    }

    private static func isP256(_ key: OpaquePointer) -> Bool {
        var name = [CChar](repeating: 0, count: 32)
        var length = 0
        guard EVP_PKEY_get_group_name(key, &name, name.count, &length) == 1 else {
            ERR_clear_error()
            return false
        }
        return name.prefix(length).elementsEqual("prime256v1".utf8.map { CChar($0) })
    }
}

/// The SHA-256 of a certificate in DER.
func sha256(ofCertificate certificate: OpaquePointer) throws(DTLSError) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    try require(X509_digest(certificate, EVP_sha256(), &digest, &length), "X509_digest")
    return digest
}
