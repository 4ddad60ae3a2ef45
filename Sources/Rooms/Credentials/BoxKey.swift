import Crypto

/// The box's own secret, from which every other key is derived: made at the first start, kept for the box's life.
///
/// What is signed with it outlives a restart without being stored: session tokens and TURN credentials.
public struct BoxKey: Sendable {
    /// Bytes in a key.
    public static let byteCount = 32

    private let key: SymmetricKey

    /// Makes a fresh key.
    /// - Parameter generator: a cryptographically secure generator.
    public init(using generator: inout some RandomNumberGenerator) {
        key = SymmetricKey(data: randomBytes(Self.byteCount, using: &generator))
    }

    /// The key of a purpose: HKDF with SHA-256 (RFC 5869), the purpose as its `info`.
    /// - Parameter purpose: names the use, so that no two uses share a key.
    func subkey(_ purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: key, info: Array("kibitz-local \(purpose)".utf8), outputByteCount: Self.byteCount)
    }

    // MARK: Text form

    private static let form = "kibitz-local box key 1"

    /// The key as one line of text for a file that only the box may read.
    public var text: String {
        "\(Self.form) \(Base64URL.encode(key.withUnsafeBytes(Array.init)))\n"
    }

    /// Reads the form of `text`.
    /// - Throws: `CredentialFileError`: the file was damaged or belongs to another version.
    public init(text: String) throws(CredentialFileError) {
        let value = try CredentialFileError.value(of: text, form: Self.form)
        guard let bytes = Base64URL.decode(value), bytes.count == Self.byteCount else {
            throw CredentialFileError("the box key is not \(Self.byteCount) bytes in base64url")
        }
        key = SymmetricKey(data: bytes)
    }
}

/// Why a stored key or room can't be read. The fault is the box's storage, or a newer version's file.
public struct CredentialFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, in words.
    public let description: String

    init(_ description: String) { self.description = description }

    /// What follows `form` on the only line of `text`.
    static func value(of text: String, form: String) throws(CredentialFileError) -> String {
        var line = text[...]
        while let last = line.last, last.isNewline { line.removeLast() }
        guard line.hasPrefix(form + " "), !line.contains(where: \.isNewline) else {
            throw CredentialFileError("expected one line that begins with \"\(form)\"")
        }
        return String(line.dropFirst(form.count + 1))
    }
}

/// Bytes from `generator`, eight at a time.
func randomBytes(_ count: Int, using generator: inout some RandomNumberGenerator) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count {
        var word = generator.next()
        for _ in 0..<min(8, count - bytes.count) {
            bytes.append(UInt8(truncatingIfNeeded: word))
            word >>= 8
        }
    }
    return bytes
}

/// Compares two texts in a time that depends on their lengths only, so that a guesser learns nothing from it.
func constantTimeEqual(_ lhs: String, _ rhs: String) -> Bool {
    let (lhs, rhs) = (Array(lhs.utf8), Array(rhs.utf8))
    guard lhs.count == rhs.count else { return false }
    var difference: UInt8 = 0
    for (left, right) in zip(lhs, rhs) { difference |= left ^ right }
    return difference == 0
}
