/// What lets a person into the room: a secret, which is in the link and the QR code, and the generation it belongs
/// to, which counts up with each rotation.
public struct RoomCredentials: Hashable, Sendable {
    /// Which secret this is: 1 at the first start, one more after each rotation.
    public let generation: UInt32
    /// 128 random bits in base64url: 22 characters that need no escaping in a link's fragment.
    public let secret: String

    private init(generation: UInt32, secret: String) {
        self.generation = generation
        self.secret = secret
    }

    /// Makes the credentials of a new box: generation 1.
    /// - Parameter generator: a cryptographically secure generator.
    public init(using generator: inout some RandomNumberGenerator) {
        self.init(generation: 1, secret: Self.freshSecret(using: &generator))
    }

    /// The next generation, with a fresh secret.
    ///
    /// After 4,294,967,295 rotations the count begins again at 1.
    /// - Parameter generator: a cryptographically secure generator.
    public func rotated(using generator: inout some RandomNumberGenerator) -> RoomCredentials {
        RoomCredentials(
            generation: generation == .max ? 1 : generation + 1, secret: Self.freshSecret(using: &generator))
    }

    /// Whether `candidate` is the room's secret, in a time that does not depend on how much of it is right.
    public func admits(secret candidate: String) -> Bool { constantTimeEqual(candidate, secret) }

    private static func freshSecret(using generator: inout some RandomNumberGenerator) -> String {
        Base64URL.encode(randomBytes(16, using: &generator))
    }

    // MARK: Text form

    private static let form = "kibitz-local room 1"

    /// The credentials as one line of text for a file that only the box may read.
    public var text: String { "\(Self.form) \(generation) \(secret)\n" }

    /// Reads the form of `text`.
    /// - Throws: `CredentialFileError`: the file was damaged or belongs to another version.
    public init(text: String) throws(CredentialFileError) {
        let parts = try CredentialFileError.value(of: text, form: Self.form)
            .split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let generation = UInt32(parts[0]), generation > 0 else {
            throw CredentialFileError("the room needs a generation from 1 to \(UInt32.max) and a secret")
        }
        guard Base64URL.decode(parts[1])?.count == 16 else {
            throw CredentialFileError("the room's secret is not 16 bytes in base64url")
        }
        self.init(generation: generation, secret: parts[1])
    }
}
