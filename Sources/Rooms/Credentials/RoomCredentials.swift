/// What lets a person into the room: a secret, which is in the link and the QR code; what lets a phone onto the box's
/// own Wi-Fi; and the generation both belong to, which counts up with each rotation.
public struct RoomCredentials: Hashable, Sendable {
    /// Which secret this is: 1 at the first start, one more after each rotation.
    public let generation: UInt32
    /// 128 random bits in base64url: 22 characters that need no escaping in a link's fragment.
    public let secret: String
    /// What lets a phone onto the box's own Wi-Fi, where the box makes one.
    public let wifi: WiFiCredentials

    private init(generation: UInt32, secret: String, wifi: WiFiCredentials) {
        self.generation = generation
        self.secret = secret
        self.wifi = wifi
    }

    private init(generation: UInt32, using generator: inout some RandomNumberGenerator) {
        self.init(
            generation: generation, secret: Base64URL.encode(randomBytes(16, using: &generator)),
            wifi: WiFiCredentials(using: &generator))
    }

    /// Makes the credentials of a new box: generation 1.
    /// - Parameter generator: a cryptographically secure generator.
    public init(using generator: inout some RandomNumberGenerator) {
        self.init(generation: 1, using: &generator)
    }

    /// The next generation: a fresh secret, and a fresh name and passphrase of the Wi-Fi.
    ///
    /// After 4,294,967,295 rotations the count begins again at 1.
    /// - Parameter generator: a cryptographically secure generator.
    public func rotated(using generator: inout some RandomNumberGenerator) -> RoomCredentials {
        RoomCredentials(generation: generation == .max ? 1 : generation + 1, using: &generator)
    }

    /// Whether `candidate` is the room's secret, in a time that does not depend on how much of it is right.
    public func admits(secret candidate: String) -> Bool { constantTimeEqual(candidate, secret) }

    // MARK: Text form

    private static let form = "kibitz-local room 2"
    /// The form of boxes that had no Wi-Fi of their own.
    private static let formWithoutWiFi = "kibitz-local room 1"

    /// The credentials as one line of text for a file that only the box may read.
    public var text: String { "\(Self.form) \(generation) \(secret) \(wifi.suffix) \(wifi.passphrase)\n" }

    /// Reads the form of `text`, or the one before it, which tells nothing of the Wi-Fi: that is made then, and the
    /// caller has to write the file anew.
    /// - Parameter generator: a cryptographically secure generator.
    /// - Throws: `CredentialFileError`: the file was damaged or belongs to another version.
    public init(text: String, using generator: inout some RandomNumberGenerator) throws(CredentialFileError) {
        let isOld = text.hasPrefix(Self.formWithoutWiFi + " ")
        let parts = try CredentialFileError.value(of: text, form: isOld ? Self.formWithoutWiFi : Self.form)
            .split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == (isOld ? 2 : 4), let generation = UInt32(parts[0]), generation > 0 else {
            throw CredentialFileError(
                "the room needs a generation from 1 to \(UInt32.max), a secret, and the Wi-Fi's suffix and passphrase")
        }
        guard Base64URL.decode(parts[1])?.count == 16 else {
            throw CredentialFileError("the room's secret is not 16 bytes in base64url")
        }
        self.init(
            generation: generation, secret: parts[1],
            wifi: isOld
                ? WiFiCredentials(using: &generator)
                : try WiFiCredentials(suffix: parts[2], passphrase: parts[3]))
    }
}
