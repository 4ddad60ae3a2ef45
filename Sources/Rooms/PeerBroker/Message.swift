import JSON

/// What the broker itself says to a client.
enum Message: Sendable {
    /// The client has its id.
    case open
    /// Another client has the id.
    case idTaken
    /// The client is turned away: words for people, and for a page of the room a code.
    case error(String, code: String?)
    /// `source` is not there and what was sent to it has not been delivered.
    case expire(source: String, destination: String)
    /// `source` is gone.
    case leave(source: String, destination: String)
    /// The answer to a member's own.
    case heartbeat
    /// The room's codes were changed.
    case rotated

    /// For whom a notice is.
    var destination: String? {
        switch self {
        case .expire(_, let destination), .leave(_, let destination): destination
        case .open, .idTaken, .error, .heartbeat, .rotated: nil
        }
    }

    /// Writes the message.
    func write(into writer: inout JSONWriter) {
        switch self {
        case .open: write("OPEN", into: &writer) { _ in }
        case .heartbeat: write("HEARTBEAT", into: &writer) { _ in }
        case .idTaken: write("ID-TAKEN", into: &writer) { $0.payload("ID is taken", code: nil) }
        case .error(let text, let code): write("ERROR", into: &writer) { $0.payload(text, code: code) }
        case .rotated:
            write("ROTATED", into: &writer) {
                $0.payload(
                    "The codes of this room were changed. Scan the new code on the box to come back.", code: nil)
            }
        case .expire(let source, let destination):
            write("EXPIRE", into: &writer) { $0.pair(source: source, destination: destination) }
        case .leave(let source, let destination):
            write("LEAVE", into: &writer) { $0.pair(source: source, destination: destination) }
        }
    }

    private func write(_ type: String, into writer: inout JSONWriter, _ members: (inout JSONWriter) -> Void) {
        writer.object { message in
            message.member("type", type)
            members(&message)
        }
    }
}

extension JSONWriter {
    fileprivate mutating func payload(_ text: String, code: String?) {
        member("payload") {
            $0.object { payload in
                payload.member("msg", text)
                if let code { payload.member("code", code) }
            }
        }
    }

    fileprivate mutating func pair(source: String, destination: String) {
        member("src", source)
        member("dst", destination)
    }
}

extension PeerBroker.Output {
    /// Writes a message and returns where its bytes are.
    mutating func write(_ message: Message) -> Range<Int> {
        let start = writer.bytes.count
        message.write(into: &writer)
        return start..<writer.bytes.count
    }

    /// Writes JSON text that is ready to be sent, and returns where its bytes are.
    mutating func write(_ text: [UInt8]) -> Range<Int> {
        let start = writer.bytes.count
        writer.raw(text.span.bytes)
        return start..<writer.bytes.count
    }
}
