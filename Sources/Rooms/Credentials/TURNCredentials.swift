import Crypto

/// A user name and its password for the box's TURN server.
public struct TURNCredential: Hashable, Sendable {
    /// `<unix expiry>:<generation>:<id>`.
    public let username: String
    /// The password that goes with it.
    public let password: String
}

/// Makes TURN credentials that expire by themselves, and finds the password of a user name.
///
/// The scheme of draft-uberti-behave-turn-rest-00, section 2.2: the user name begins with the time of expiry, and the
/// password is an HMAC of the user name under a key only the box has, so that the server stores nothing. The draft
/// uses HMAC-SHA1; both ends being the box, this uses HMAC-SHA256.
public struct TURNCredentials: Sendable {
    /// The longest user name worth looking at, in bytes of UTF-8 (RFC 8489 section 14.3 allows 508).
    public static let maximumUsernameLength = 160

    private let key: SymmetricKey

    /// Makes the issuer of one box.
    public init(key: BoxKey) {
        self.key = key.subkey("turn credential 1")
    }

    /// Issues a credential.
    /// - Parameters:
    ///   - id: whose it is: a member's id or any other text without a colon.
    ///   - generation: the room's present generation.
    ///   - expiry: until when it is valid, in seconds since 1970.
    public func issue(id: String, generation: UInt32, expiry: UInt64) -> TURNCredential {
        let username = "\(expiry):\(generation):\(id)"
        return TURNCredential(username: username, password: password(of: username))
    }

    /// The credential that stands in the LAN hub's links and printed codes: good for a generation of the room, however
    /// long that is, and short, of letters, digits, `-` and `_` only.
    /// - Parameter generation: the room's present generation.
    public func hubCredential(generation: UInt32) -> TURNCredential {
        let username = "\(Self.hubPrefix)\(generation)"
        return TURNCredential(username: username, password: hubPassword(of: username))
    }

    private static let hubPrefix = "hub-"

    private func hubPassword(of username: String) -> String {
        // 128 bits: 22 characters.
        Base64URL.encode(Array(HMAC<SHA256>.authenticationCode(for: Array(username.utf8), using: key).prefix(16)))
    }

    /// The password of a user name a client gave.
    /// - Parameters:
    ///   - username: what the client sent.
    ///   - now: the present time, in seconds since 1970.
    ///   - generation: the room's present generation.
    /// - Returns: nil if the name is malformed, expired, or of another generation.
    public func password(forUsername username: String, at now: UInt64, generation: UInt32) -> String? {
        guard username.utf8.count <= Self.maximumUsernameLength else { return nil }
        if username.hasPrefix(Self.hubPrefix) {
            return username == "\(Self.hubPrefix)\(generation)" ? hubPassword(of: username) : nil
        }
        let parts = username.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let expiry = UInt64(parts[0]), let issued = UInt32(parts[1]), !parts[2].isEmpty,
            now < expiry, issued == generation
        else { return nil }
        return password(of: username)
    }

    private func password(of username: String) -> String {
        Base64URL.encode(Array(HMAC<SHA256>.authenticationCode(for: Array(username.utf8), using: key)))
    }
}
