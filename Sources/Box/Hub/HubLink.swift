import DTLS
public import Wire

/// All a client needs to dial the hub: the code's `galaxy` field, the blob of kibitz-offline.
public struct HubBlob: Sendable, Equatable, CustomStringConvertible {
    /// Where TURN is, and what lets one in.
    public struct TURN: Sendable, Equatable {
        /// The UDP port.
        public var port: UInt16
        /// The user name; without `|` and `,`.
        public var username: String
        /// The password; without `|` and `,`, and of characters that need no escaping in a link.
        public var password: String

        /// Makes a description of a TURN server.
        public init(port: UInt16, username: String, password: String) {
            self.port = port
            self.username = username
            self.password = password
        }
    }

    private let text: String

    /// Makes a blob; nil when there is nothing to dial.
    /// - Parameters:
    ///   - identity: who the hub is; with its port.
    ///   - addresses: the box's IPv4 addresses, best first; others are left out.
    ///   - names: its `.local` names, which come last.
    ///   - turn: the box's TURN, nil for none.
    public init?(identity: HubIdentity, addresses: [IPAddress], names: [String], turn: TURN?) {
        guard let port = identity.port else { return nil }
        let hosts =
            addresses.compactMap { if case .v4 = $0 { "\($0)" } else { nil } }
            + names.filter { !$0.contains("|") && !$0.contains("~") }
        guard !hosts.isEmpty else { return nil }
        var fields = [
            turn == nil ? "g1" : "g2", identity.ufrag, identity.pwd,
            Self.base64URL(identity.certificate.fingerprint),
        ]
        if let turn { fields.append("\(turn.port),\(turn.username),\(turn.password)") }
        fields += hosts.map { "\($0)~\(port)" }
        text = fields.joined(separator: "|")
    }

    /// The blob itself.
    public var description: String { text }

    /// Base64 with the URL-safe alphabet and without padding (RFC 4648 section 5).
    private static func base64URL(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        var text = ""
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                text.append(alphabet[Int(bits >> count & 63)])
            }
        }
        if count > 0 { text.append(alphabet[Int(bits << (6 - count) & 63)]) }
        return text
    }
}

/// The link that opens the room on Kibitz's hosted page, through the hub: `<base>/?galaxy=<blob>#<room>`.
public struct HubLink: Sendable, Equatable, CustomStringConvertible {
    /// Where the page is, without `/` at its end.
    public let base: String
    private let text: String

    /// Makes a link.
    /// - Parameters:
    ///   - base: where the page is, such as `https://kibitz.chat`, with or without `/` at its end.
    ///   - blob: the hub.
    ///   - room: the room's secret. What follows `#` never leaves the phone by itself.
    public init(base: String, blob: HubBlob, room: String) {
        var base = base[...]
        while base.last == "/" { base.removeLast() }
        self.base = String(base)
        text = "\(base)/?galaxy=\(blob)#\(room)"
    }

    /// The link itself.
    public var description: String { text }
}
