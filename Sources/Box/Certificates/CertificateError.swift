public import BoxState

/// Why a certificate cannot be used, and what mends it.
public enum CertificateError: Error, Hashable, Sendable {
    /// A file of the owner's could not be read; the system's words for it.
    case unreadable(path: String, words: String)
    /// A file of the owner's is larger than any certificate; the limit, in bytes.
    case tooLarge(path: String, limit: Int)
    /// The file holds no certificate in PEM form.
    case noCertificate(path: String)
    /// The file holds no private key in PEM form.
    case noKey(path: String)
    /// The private key is protected by a passphrase, which the box has nobody to ask for.
    case protectedKey(path: String)
    /// The file is damaged, or uses something that is not supported; what the parser says.
    case damaged(path: String, words: String)
    /// The private key is not the first certificate's; whether it is a later one's.
    case mismatch(chain: String, key: String, isOrderWrong: Bool)
    /// The box's own certificate could not be kept.
    case state(StateError)
    /// The box's own certificate could not be made: a fault of the box. The library's words.
    case internalFault(String)
}

extension CertificateError: CustomStringConvertible {
    /// What happened and what to do, in one or two sentences.
    public var description: String {
        switch self {
        case .unreadable(let path, let words):
            "cannot read \(path): \(words). Check certificate.chain and certificate.key, and that the box's user may "
                + "read the files."
        case .tooLarge(let path, let limit):
            "\(path) is larger than \(limit) bytes: that is no certificate. Check certificate.chain and certificate.key."
        case .noCertificate(let path):
            "\(path) holds no certificate in PEM form (-----BEGIN CERTIFICATE-----). Check certificate.chain."
        case .noKey(let path):
            "\(path) holds no private key in PEM form (-----BEGIN PRIVATE KEY-----). Check certificate.key."
        case .protectedKey(let path):
            "the private key in \(path) is protected by a passphrase. Give the key without one: "
                + "openssl pkey -in KEY -out NEW."
        case .damaged(let path, let words):
            "\(path) is damaged or of an unsupported kind (\(words)). Have the certificate issued again."
        case .mismatch(let chain, let key, let isOrderWrong):
            isOrderWrong
                ? "the certificates in \(chain) are in the wrong order: the server's own must be the first."
                : "the private key in \(key) does not belong to the certificate in \(chain). Give the two that were "
                    + "issued together."
        case .state(let error): error.description
        case .internalFault(let words): "the box could not make its certificate: \(words). This is a fault of the box."
        }
    }
}
