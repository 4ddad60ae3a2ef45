/// Why a WebSocket is closed (RFC 6455, section 7.4).
public struct WebSocketCloseCode: Hashable, Sendable {
    /// The code on the wire.
    public let rawValue: UInt16

    /// Makes a close code.
    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// 1000: the purpose of the connection is fulfilled.
    public static let normal = WebSocketCloseCode(rawValue: 1000)
    /// 1002: the other end broke the protocol.
    public static let protocolError = WebSocketCloseCode(rawValue: 1002)
    /// 1007: a text message was not UTF-8.
    public static let invalidPayload = WebSocketCloseCode(rawValue: 1007)
    /// 1009: a message was too big.
    public static let messageTooBig = WebSocketCloseCode(rawValue: 1009)

    /// Whether an endpoint may send the code: the ones defined for the wire by RFC 6455 section 7.4.1 and the IANA
    /// registry, and those of applications from 3000 on (section 7.4.2).
    public var isSendable: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

/// What a client did that ends its WebSocket (RFC 6455, section 7.1.7).
public enum WebSocketFailure: Error, Hashable, Sendable {
    /// A frame is not masked (section 5.1).
    case unmaskedFrame
    /// A reserved bit is set, and no extension was agreed on (section 5.2).
    case reservedBits
    /// The opcode has no meaning (section 5.2).
    case unknownOpcode
    /// The length is not in its shortest form, or beyond 63 bits (section 5.2).
    case malformedLength
    /// A control frame is longer than 125 bytes, or comes in pieces (section 5.5).
    case malformedControlFrame
    /// A piece continues no message, or a message begins inside another one (section 5.4).
    case misplacedFragment
    /// A close frame has half a code, or a code that no endpoint may send (sections 5.5.1 and 7.4).
    case malformedClose
    /// A text message or the reason of a close frame is not UTF-8 (section 8.1).
    case invalidUTF8
    /// A message has more bytes than this many.
    case messageTooBig(limit: Int)

    /// The code that the close frame for it has.
    public var closeCode: WebSocketCloseCode {
        switch self {
        case .unmaskedFrame, .reservedBits, .unknownOpcode, .malformedLength, .malformedControlFrame,
            .misplacedFragment, .malformedClose:
            .protocolError
        case .invalidUTF8: .invalidPayload
        case .messageTooBig: .messageTooBig
        }
    }

    /// The reason that the close frame for it has: what the client must do otherwise.
    public var reason: String {
        switch self {
        case .unmaskedFrame: "frames of a client must be masked"
        case .reservedBits: "reserved bits are set"
        case .unknownOpcode: "unknown opcode"
        case .malformedLength: "a length must be in its shortest form"
        case .malformedControlFrame: "a control frame may have 125 bytes, in one piece"
        case .misplacedFragment: "a fragment is out of place"
        case .malformedClose: "not a close code"
        case .invalidUTF8: "text must be UTF-8"
        case .messageTooBig(let limit): "a message may have \(limit) bytes"
        }
    }
}
