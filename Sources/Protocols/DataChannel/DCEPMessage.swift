public import SCTP
import Wire

/// What both ends of a data channel agree on (RFC 8831 section 6.4).
public struct DataChannelParameters: Sendable, Equatable {
    /// A name for the application; need not be unique.
    public var label: String
    /// The subprotocol spoken, as of WebSocket; empty for none.
    public var subprotocol: String
    /// Whether messages arrive in the order sent.
    public var isOrdered: Bool
    /// How long to try to deliver a message.
    public var reliability: SCTPReliability
    /// Weight against other channels (RFC 8831 section 6.4): 128, 256, 512 or 1024; carried, not acted upon.
    public var priority: UInt16

    /// Makes the parameters of a channel; reliable and ordered unless told.
    public init(
        label: String, subprotocol: String = "", isOrdered: Bool = true, reliability: SCTPReliability = .reliable,
        priority: UInt16 = 256
    ) {
        self.label = label
        self.subprotocol = subprotocol
        self.isOrdered = isOrdered
        self.reliability = reliability
        self.priority = priority
    }
}

/// A message of the Data Channel Establishment Protocol (RFC 8832 section 5).
public enum DCEPMessage: Sendable, Equatable {
    /// DATA_CHANNEL_OPEN: opens a channel on the stream it comes on.
    case open(DataChannelParameters)
    /// DATA_CHANNEL_ACK: the channel is open at the other end too.
    case acknowledgement

    /// The payload protocol identifier of DCEP (RFC 8832 section 8.1).
    public static let ppid: UInt32 = 50

    /// Message types (RFC 8832 section 8.2.1).
    private enum Kind {
        static let acknowledgement: UInt8 = 0x02
        static let open: UInt8 = 0x03
    }

    /// Channel types (RFC 8832 section 5.1); the highest bit means unordered.
    private enum ChannelType {
        static let reliable: UInt8 = 0x00
        static let retransmits: UInt8 = 0x01
        static let lifetime: UInt8 = 0x02
        static let unordered: UInt8 = 0x80
    }

    /// Reads a message.
    /// - Parameters:
    ///   - bytes: an SCTP message with the identifier ``ppid``.
    ///   - textLimit: the most octets of a label, and of a subprotocol.
    /// - Throws: why it is none. The sender's fault.
    public init(_ bytes: RawSpan, textLimit: Int = .max) throws(DCEPError) {
        var reader = ByteReader(bytes)
        switch reader.readUInt8() {
        case Kind.acknowledgement:
            self = .acknowledgement
        case Kind.open:
            guard let type = reader.readUInt8(), let priority = reader.readUInt16(),
                let parameter = reader.readUInt32(), let labelLength = reader.readUInt16(),
                let subprotocolLength = reader.readUInt16()
            else { throw .malformed }
            guard Int(labelLength) <= textLimit, Int(subprotocolLength) <= textLimit else { throw .textTooLong }
            guard let label = reader.readBytes(Int(labelLength)),
                let subprotocol = reader.readBytes(Int(subprotocolLength)), reader.remaining == 0,
                let labelText = label.utf8Text, let subprotocolText = subprotocol.utf8Text
            else { throw .malformed }
            let reliability: SCTPReliability
            switch type & ~ChannelType.unordered {
            case ChannelType.reliable: reliability = .reliable
            // The field is 32 bits wide, SCTP's counts here are 16: more retries than 65,535 nobody lives to see.
            case ChannelType.retransmits: reliability = .retransmits(UInt16(clamping: parameter))
            case ChannelType.lifetime: reliability = .lifetime(.milliseconds(Int64(parameter)))
            default: throw .unknownChannelType
            }
            self = .open(
                DataChannelParameters(
                    label: labelText, subprotocol: subprotocolText, isOrdered: type & ChannelType.unordered == 0,
                    reliability: reliability, priority: priority))
        default:
            throw .malformed
        }
    }

    /// Appends the message to `buffer`. Text is cut at 65,535 octets, the most its length can say.
    public func write(to buffer: inout [UInt8]) {
        switch self {
        case .acknowledgement:
            buffer.append(Kind.acknowledgement)
        case .open(let parameters):
            let type: UInt8
            let parameter: UInt32
            switch parameters.reliability {
            case .reliable: (type, parameter) = (ChannelType.reliable, 0)
            case .retransmits(let count): (type, parameter) = (ChannelType.retransmits, UInt32(count))
            case .lifetime(let duration):
                let (seconds, attoseconds) = duration.components
                let milliseconds = Double(seconds) * 1e3 + Double(attoseconds) / 1e15
                (type, parameter) = (
                    ChannelType.lifetime, UInt32(exactly: min(max(0, milliseconds.rounded()), 4_294_967_295)) ?? 0
                )
            }
            let label = parameters.label.utf8.prefix(Int(UInt16.max))
            let subprotocol = parameters.subprotocol.utf8.prefix(Int(UInt16.max))
            var writer = ByteWriter(capacity: 12 + label.count + subprotocol.count)
            writer.write(Kind.open)
            writer.write(parameters.isOrdered ? type : type | ChannelType.unordered)
            writer.write(parameters.priority)
            writer.write(parameter)
            writer.write(UInt16(label.count))
            writer.write(UInt16(subprotocol.count))
            writer.write(bytes: label)
            writer.write(bytes: subprotocol)
            buffer += writer.bytes
        }
    }
}

/// Why bytes are no message of DCEP. The sender is at fault.
public enum DCEPError: Error, Sendable, Equatable {
    /// Cut short, too long, of an unknown kind, or with text that is not UTF-8.
    case malformed
    /// A channel type that is not known (RFC 8832 section 8.2.2).
    case unknownChannelType
    /// A label or subprotocol longer than is allowed here.
    case textTooLong
}

extension RawSpan {
    fileprivate var utf8Text: String? {
        withUnsafeBytes { String(validating: $0, as: UTF8.self) }
    }
}
