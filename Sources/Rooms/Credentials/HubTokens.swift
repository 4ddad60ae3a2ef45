import Crypto

/// Issues and verifies the tokens by which a client of the LAN hub gets its id back.
///
/// A token is `<id>.<tag>`, the tag HMAC-SHA256 (RFC 2104) of the id, cut to 128 bits, in base64url: it needs no
/// escaping in JSON, and nothing of it is stored, so it outlives a restart of the box.
public struct HubTokens: Sendable {
    /// The longest token worth looking at, in bytes of UTF-8.
    public static let maximumLength = 64
    private static let tagLength = 16

    private let key: SymmetricKey

    /// Makes the issuer of one box.
    public init(key: BoxKey) {
        self.key = key.subkey("hub resume token 1")
    }

    /// Issues the token of an id.
    public func issue(id: Int64) -> String { "\(id).\(tag(of: "\(id)"))" }

    /// Reads a token.
    /// - Returns: its id; nil if this box has not issued it.
    public func verify(_ token: String) -> Int64? {
        guard token.utf8.count <= Self.maximumLength else { return nil }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, constantTimeEqual(String(parts[1]), tag(of: String(parts[0]))),
            let id = Int64(parts[0]), id > 0
        else { return nil }
        return id
    }

    private func tag(of body: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Array(body.utf8), using: key)
        return Base64URL.encode(Array(code.prefix(Self.tagLength)))
    }
}
