import JSON

/// What a page says to be let into the room: the body of `POST /api/session`, and the payload of the frame `SESSION` on a data
/// channel, `{"type":"SESSION","payload":{"secret":"…","token":"…"}}`.
public struct SessionRequest: Sendable, Equatable {
    /// The secret in the room's link.
    public let secret: String
    /// The token of an earlier session, from someone who was here before.
    public let token: String?

    /// Reads a request.
    /// - Parameter object: JSON with `secret` and, if there is one, `token`.
    /// - Returns: nil when it is not that.
    public init?(parsing object: RawSpan) {
        guard let root = try? JSONValue(parsing: object), case .object = root.kind,
            let secret = root.member("secret", in: object)?.string(in: object)
        else { return nil }
        let token = root.member("token", in: object)
        guard token == nil || token?.kind == .null || token?.string(in: object) != nil else { return nil }
        self.secret = secret
        self.token = token?.string(in: object)
    }

    /// Where the payload of a frame `SESSION` stands.
    ///
    /// The type has to stand near the frame's begin, where pages write it: all other frames are the broker's, and are not read
    /// twice.
    /// - Parameter frame: a text message.
    /// - Returns: nil for any other frame; nil inside for a `SESSION` without a payload.
    public static func payload(of frame: RawSpan) -> Range<Int>?? {
        guard mayBeSession(frame), let root = try? JSONValue(parsing: frame),
            root.member("type", in: frame)?.isString("SESSION", in: frame) == true
        else { return nil }
        return .some(root.member("payload", in: frame)?.range)
    }

    private static let word = Array("SESSION".utf8)

    private static func mayBeSession(_ frame: RawSpan) -> Bool {
        let last = min(frame.byteCount - word.count, 64)
        guard last >= 0 else { return false }
        return (0...last).contains { start in
            word.indices.allSatisfy { frame.unsafeLoad(fromByteOffset: start + $0, as: UInt8.self) == word[$0] }
        }
    }
}
