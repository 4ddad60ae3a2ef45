/// A certificate of ECDSA on P-256 and its private key.
public final class DTLSIdentity: Sendable {
    /// The certificate.
    public let certificatePEM: String
    /// The private key, in PKCS #8.
    public let privateKeyPEM: String
    /// The SHA-256 of the certificate's DER, 32 octets.
    public let fingerprint: [UInt8]

    /// Takes a certificate and its key.
    public init(certificatePEM: String, privateKeyPEM: String) throws(DTLSError) {
        self.certificatePEM = certificatePEM
        self.privateKeyPEM = privateKeyPEM
        fingerprint = []
    }

    /// Makes a new key and a self-signed certificate of it, valid for decades: browsers compare only the fingerprint.
    public static func generate() throws(DTLSError) -> DTLSIdentity {
        throw .libraryFailed("")
    }
}
