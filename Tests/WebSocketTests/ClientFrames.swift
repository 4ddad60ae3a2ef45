import WebSocket

/// A frame as a client sends it.
struct ClientFrame {
    var opcode: WebSocketOpcode = .text
    var isFinal = true
    var mask: UInt32? = 0x3D21_FA37
    var payload: [UInt8] = []

    /// The bytes on the wire.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        WebSocketFrameHeader(opcode, isFinal: isFinal, mask: mask, payloadByteCount: payload.count).write(to: &bytes)
        let key = withUnsafeBytes(of: mask ?? 0) { Array($0) }
        return bytes + payload.enumerated().map { $1 ^ key[$0 & 3] }
    }

    static func text(_ text: String, isFinal: Bool = true) -> ClientFrame {
        ClientFrame(isFinal: isFinal, payload: Array(text.utf8))
    }

    static func continuation(_ text: String, isFinal: Bool = true) -> ClientFrame {
        ClientFrame(opcode: .continuation, isFinal: isFinal, payload: Array(text.utf8))
    }

    static func close(_ code: UInt16, _ reason: String = "") -> ClientFrame {
        ClientFrame(opcode: .close, payload: [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(reason.utf8))
    }
}

/// What a test expects to come.
enum Arrival: Equatable {
    case text([UInt8])
    case binary([UInt8])
    case ping([UInt8])
    case pong([UInt8])
    case close(UInt16?, [UInt8])
    case failed(WebSocketFailure)

    static func text(_ text: String) -> Arrival { .text(Array(text.utf8)) }
}

extension WebSocketEvents {
    var arrivals: [Arrival] {
        func copy(_ range: Range<Int>) -> [UInt8] { bytes(range).withUnsafeBytes { Array($0) } }
        return events.map { event in
            switch event {
            case .text(let range): .text(copy(range))
            case .binary(let range): .binary(copy(range))
            case .ping(let range): .ping(copy(range))
            case .pong(let range): .pong(copy(range))
            case .close(let code, let payload): .close(code?.rawValue, copy(payload))
            case .failed(let failure): .failed(failure)
            }
        }
    }
}

/// Reads bytes in pieces that end at these places.
func read(_ bytes: [UInt8], endingAt cuts: [Int] = [], limit: Int = 1 << 20) -> [Arrival] {
    var reader = WebSocketReader(maximumMessageBytes: limit)
    var events = WebSocketEvents()
    var arrivals: [Arrival] = []
    var start = 0
    for end in cuts + [bytes.count] {
        reader.read(bytes.span.bytes.extracting(start..<end), into: &events)
        arrivals += events.arrivals
        events.removeAll()
        start = end
    }
    return arrivals
}
