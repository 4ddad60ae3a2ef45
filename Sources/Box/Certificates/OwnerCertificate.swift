import Glibc
import NIOSSL
import SwiftASN1
import X509

/// The files of a certificate that the owner gives, both in PEM.
public struct OwnerCertificateFiles: Hashable, Sendable {
    /// The path of the certificates, the server's own first (certbot's `fullchain.pem`).
    public var chain: String
    /// The path of the private key (certbot's `privkey.pem`).
    public var key: String

    /// Makes the pair.
    public init(chain: String, key: String) {
        self.chain = chain
        self.key = key
    }

    /// Reads the files and checks that they belong together.
    /// - Returns: words on what is odd but does not stop their use, one sentence each; empty when all is well.
    /// - Throws: ``CertificateError``.
    public func check(at clock: ClockReading = .system()) throws(CertificateError) -> [String] {
        try OwnerCertificate(self).warnings(at: clock)
    }
}

/// A certificate of the owner's, loaded.
struct OwnerCertificate {
    let certificates: [Certificate]
    private let files: OwnerCertificateFiles
    private let keyPEM: [UInt8]

    /// The largest files that are read, in bytes.
    static let chainLimit = 256 * 1024
    static let keyLimit = 64 * 1024
    /// How many certificates a chain has at most.
    static let chainLengthLimit = 16

    init(_ files: OwnerCertificateFiles) throws(CertificateError) {
        self.files = files
        let chainBytes = try Self.read(files.chain, limit: Self.chainLimit)
        keyPEM = try Self.read(files.key, limit: Self.keyLimit)

        let chain = try Self.documents(chainBytes, of: files.chain).filter { $0.discriminator == "CERTIFICATE" }
        guard !chain.isEmpty else { throw .noCertificate(path: files.chain) }
        guard chain.count <= Self.chainLengthLimit else {
            throw .damaged(path: files.chain, words: "more than \(Self.chainLengthLimit) certificates")
        }
        certificates = try Self.parse(files.chain) { try chain.map { try Certificate(pemDocument: $0) } }

        // An EC PARAMETERS document may stand before the key.
        let keys = try Self.documents(keyPEM, of: files.key).filter { $0.discriminator.hasSuffix("PRIVATE KEY") }
        guard let document = keys.first else { throw .noKey(path: files.key) }
        // RFC 7468, section 11, and the older form of RFC 1421, section 4.6.1.1.
        guard document.discriminator != "ENCRYPTED PRIVATE KEY" else { throw .protectedKey(path: files.key) }
        let key = try Self.parse(files.key) { try Certificate.PrivateKey(pemDocument: document) }
        guard certificates[0].publicKey == key.publicKey else {
            let isOrderWrong = certificates.contains { $0.publicKey == key.publicKey }
            throw .mismatch(chain: files.chain, key: files.key, isOrderWrong: isOrderWrong)
        }
    }

    /// A TLS configuration with the certificate.
    func context() throws(CertificateError) -> NIOSSLContext {
        try Self.parse(files.chain) {
            let chain = try certificates.map { try NIOSSLCertificate(bytes: $0.der(), format: .der) }
            return try makeContext(chain: chain, key: NIOSSLPrivateKey(bytes: keyPEM, format: .pem))
        }
    }

    /// Whether it was issued after the time that the clock tells, which nobody has set.
    func isAhead(of clock: ClockReading) -> Bool {
        !clock.isSynchronized && clock.seconds < certificates[0].validity.notBefore
    }

    /// What is odd but does not stop the use: a clock that is wrong must not take a good certificate from the box.
    func warnings(at clock: ClockReading) -> [String] {
        var warnings: [String] = []
        let leaf = certificates[0]
        let validity = leaf.validity
        let doubt = clock.isSynchronized ? "" : " (or the box's clock is wrong: no time service has set it)"
        if clock.seconds > validity.notAfter {
            warnings.append("The certificate in \(files.chain) has expired\(doubt). Renew it.")
        } else if isAhead(of: clock) {
            warnings.append(
                "The box's clock is wrong: it is behind the day on which the certificate in \(files.chain) was issued, and "
                    + "no time service has set it. Set it, or let the box see the internet for a minute.")
        } else if clock.seconds < validity.notBefore {
            warnings.append("The certificate in \(files.chain) is not valid yet.")
        } else if clock.seconds > validity.notAfter - 7 * Validity.day {
            warnings.append("The certificate in \(files.chain) expires within a week\(doubt). Renew it.")
        }
        if leaf.names == CertificateNames() {
            warnings.append("The certificate in \(files.chain) names no host, so browsers refuse it.")
        }
        if certificates.count == 1, leaf.issuer != leaf.subject {
            warnings.append(
                "\(files.chain) holds the server's certificate alone. Phones may refuse it without the intermediate "
                    + "ones: give the full chain (certbot's fullchain.pem).")
        }
        if zip(certificates, certificates.dropFirst()).contains(where: { $0.issuer != $1.subject }) {
            warnings.append("The certificates in \(files.chain) do not form a chain: each must be issued by the next.")
        }
        return warnings
    }

    private static func documents(_ bytes: [UInt8], of path: String) throws(CertificateError) -> [PEMDocument] {
        let text = String(decoding: bytes, as: UTF8.self)
        if text.contains("Proc-Type: 4,ENCRYPTED") { throw .protectedKey(path: path) }
        return try parse(path) { try PEMDocument.parseMultiple(pemString: text) }
    }

    private static func parse<Value>(_ path: String, _ body: () throws -> Value) throws(CertificateError) -> Value {
        do {
            return try body()
        } catch {
            throw .damaged(path: path, words: "\(error)")
        }
    }

    private static func read(_ path: String, limit: Int) throws(CertificateError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw .unreadable(path: path, words: String(cString: strerror(errno))) }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count <= limit {
            let more = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress! + count, $0.count - count) }
            if more < 0, errno == EINTR { continue }
            guard more >= 0 else { throw .unreadable(path: path, words: String(cString: strerror(errno))) }
            if more == 0 { break }
            count += more
        }
        guard count <= limit else { throw .tooLarge(path: path, limit: limit) }
        return Array(bytes[..<count])
    }
}
