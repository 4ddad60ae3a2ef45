public import BoxState
public import DTLS
import Glibc

/// Who the box is to those who dial its hub: ICE credentials, a DTLS certificate, and the port. Printed codes name all of
/// it, so it is made once and kept for the box's life.
public struct HubIdentity: Sendable {
    /// ICE's user name fragment (RFC 8839 section 5.4).
    public let ufrag: String
    /// ICE's password.
    public let pwd: String
    /// The UDP port, nil before the first start.
    public var port: UInt16?
    /// The certificate and its key.
    public let certificate: DTLSIdentity

    /// A file of the state directory can't be understood.
    public struct DamagedFile: Error, CustomStringConvertible {
        /// The file's path.
        public let path: String
        /// What is wrong with it.
        public let reason: String

        /// What is wrong, and what to do about it.
        public var description: String {
            "\(path): \(reason); if you can't mend it, remove it: the box makes a new one, and the hub's old links "
                + "and printed codes stop working"
        }
    }

    static let ufragLength = 8
    static let pwdLength = 24
    /// What needs no escaping anywhere in a link; all of it are ice-chars (RFC 8839 section 5.1).
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")

    /// Makes an identity of known parts.
    init(ufrag: String, pwd: String, port: UInt16?, certificate: DTLSIdentity) {
        self.ufrag = ufrag
        self.pwd = pwd
        self.port = port
        self.certificate = certificate
    }

    /// Makes a fresh identity without a port.
    /// - Parameter generator: a cryptographically secure generator.
    /// - Throws: `DTLSError` when no certificate can be made.
    public init(using generator: inout some RandomNumberGenerator) throws {
        func word(_ length: Int) -> String {
            String((0..<length).map { _ in Self.alphabet[Int.random(in: 0..<Self.alphabet.count, using: &generator)] })
        }
        self.init(
            ufrag: word(Self.ufragLength), pwd: word(Self.pwdLength), port: nil,
            certificate: try DTLSIdentity.generate())
    }

    // MARK: The state directory

    private static let file = "hub"
    private static let form = "kibitz-local hub 1"
    private static let privateKeyMark = "-----BEGIN PRIVATE KEY-----"

    /// Reads the box's identity, or makes and stores it at the first start.
    /// - Throws: `StateError` when the directory can't be read or written; ``DamagedFile``; `DTLSError`.
    public init(in state: StateDirectory) throws {
        if let bytes = try state.read(Self.file) {
            do { try self.init(text: String(decoding: bytes, as: UTF8.self)) } catch {
                throw DamagedFile(path: state.path(of: Self.file), reason: "\(error)")
            }
        } else {
            var generator = SystemRandomNumberGenerator()
            try self.init(using: &generator)
            try store(in: state)
        }
    }

    /// The port of the identity in a state directory that another process may hold; nil when there is none.
    /// - Parameter path: the directory's path.
    public static func knownPort(inDirectory path: String) -> UInt16? {
        guard let file = fopen("\(path)/\(file)", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, CInt(line.count), file) != nil else { return nil }
        let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let words = text.split(whereSeparator: \.isWhitespace)
        guard text.hasPrefix(form), let last = words.last, let port = UInt16(last), port > 0 else { return nil }
        return port
    }

    /// Keeps the identity.
    /// - Throws: `StateError`.
    public func store(in state: StateDirectory) throws(StateError) {
        try state.write(Array(text.utf8), to: Self.file)
    }

    /// The identity as text: one line, then the certificate and the key in PEM.
    var text: String {
        "\(Self.form) \(ufrag) \(pwd) \(port ?? 0)\n\(certificate.certificatePEM)\(certificate.privateKeyPEM)"
    }

    /// What is wrong with a text that should be an identity.
    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    /// Reads the form of ``text``.
    init(text: String) throws {
        let parts = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let words = parts[0].split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, words.count == 6, words[..<3].joined(separator: " ") == Self.form else {
            throw Malformed(description: "expected a line that begins with \"\(Self.form)\"")
        }
        func isWord(_ text: String, _ length: Int) -> Bool {
            text.count == length && text.allSatisfy { Self.alphabet.contains($0) }
        }
        guard isWord(words[3], Self.ufragLength), isWord(words[4], Self.pwdLength), let port = UInt16(words[5]) else {
            throw Malformed(description: "its first line must hold a ufrag, a password and a port")
        }
        guard let key = parts[1].firstRange(of: Self.privateKeyMark) else {
            throw Malformed(description: "it holds no private key in PEM")
        }
        self.init(
            ufrag: words[3], pwd: words[4], port: port == 0 ? nil : port,
            certificate: try DTLSIdentity(
                certificatePEM: String(parts[1][..<key.lowerBound]),
                privateKeyPEM: String(parts[1][key.lowerBound...])))
    }
}
