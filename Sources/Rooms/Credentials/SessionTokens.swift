import Crypto

/// What a valid session token says.
public struct SessionClaims: Hashable, Sendable {
    /// The member's id.
    public let id: String
    /// The room's generation in which the token was issued.
    public let generation: UInt32

    /// Makes claims.
    public init(id: String, generation: UInt32) {
        self.id = id
        self.generation = generation
    }
}

/// Issues and verifies the tokens by which a member keeps its id through reloads and restarts of the box.
///
/// A token is `<generation>.<id>.<tag>`, the tag HMAC-SHA256 (RFC 2104) of the rest, cut to 128 bits, in base64url.
/// It needs no escaping in a URL, and the same claims always give the same token.
public struct SessionTokens: Sendable {
    /// The longest token worth looking at, in bytes of UTF-8.
    public static let maximumLength = 128
    private static let tagLength = 16

    private let key: SymmetricKey

    /// Makes the issuer of one box.
    public init(key: BoxKey) {
        self.key = key.subkey("session token 1")
    }

    /// Issues a token.
    /// - Parameter claims: what it says; the id of letters, digits, `-` and `_`.
    public func issue(_ claims: SessionClaims) -> String {
        let body = "\(claims.generation).\(claims.id)"
        return "\(body).\(tag(of: body))"
    }

    /// Reads a token.
    /// - Returns: its claims, of whichever generation; nil if this box has not issued it.
    public func verify(_ token: String) -> SessionClaims? {
        guard token.utf8.count <= Self.maximumLength else { return nil }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, constantTimeEqual(String(parts[2]), tag(of: "\(parts[0]).\(parts[1])")),
            let generation = UInt32(parts[0])
        else { return nil }
        return SessionClaims(id: String(parts[1]), generation: generation)
    }

    private func tag(of body: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Array(body.utf8), using: key)
        return Base64URL.encode(Array(code.prefix(Self.tagLength)))
    }
}
