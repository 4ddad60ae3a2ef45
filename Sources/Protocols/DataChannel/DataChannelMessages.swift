/// How the bytes of a message are meant.
public enum DataChannelMessageKind: Sendable, Equatable {
    /// UTF-8 text. That it is, the receiver checks when it reads it.
    case text
    /// Bytes.
    case binary
}

/// The payload protocol identifiers of messages (RFC 8831 section 8).
enum PPID {
    static let text: UInt32 = 51
    /// Part of a binary message; deprecated.
    static let partialBinary: UInt32 = 52
    static let binary: UInt32 = 53
    /// Part of a text message; deprecated.
    static let partialText: UInt32 = 54
    static let emptyText: UInt32 = 56
    static let emptyBinary: UInt32 = 57
}

/// Something that happens to a ``DataChannelTable``.
public enum DataChannelInput: ~Escapable {
    /// A message came on a stream.
    case message(RawSpan, stream: UInt16, ppid: UInt32)
    /// The peer reset its outgoing streams; an empty list means all.
    case streamsReset([UInt16])
    /// The peer confirmed the reset of these streams of ours, or can't have it; either way they are done.
    case outgoingReset([UInt16])
    /// The peer lost its state: every channel is gone.
    case restarted
    /// Open a channel and tell the peer; it gets the lowest free identifier of our parity.
    case open(DataChannelParameters)
    /// Take a stream for a channel the peer knows of by other means (RFC 8831 section 6.4); nothing is sent.
    case negotiate(stream: UInt16, DataChannelParameters)
    /// Close a channel (RFC 8831 section 6.7).
    case close(stream: UInt16)
}

/// Something a ``DataChannelTable`` tells or asks for.
public enum DataChannelEvent: Sendable, Equatable {
    /// Send these bytes of ``DataChannelOutput/written`` on a stream, with ``DCEPMessage/ppid``, ordered and reliable.
    case send(stream: UInt16, Range<Int>)
    /// Reset our outgoing stream.
    case reset(stream: UInt16)
    /// A channel of ours got its stream; messages may be sent, though the peer has not said yes.
    case opening(stream: UInt16)
    /// A channel is open at both ends.
    /// - isIncoming: whether the peer opened it.
    case opened(stream: UInt16, DataChannelParameters, isIncoming: Bool)
    /// The message of this input is for the application; its one octet means nothing if it is empty.
    case message(stream: UInt16, DataChannelMessageKind, isEmpty: Bool)
    /// A channel is gone; told once for each channel that was opening or open.
    case closed(stream: UInt16)
    /// The input was refused or ignored.
    case refused(DataChannelRefusal)
}

/// Why a ``DataChannelTable`` refused or ignored something. The raw value is a label for counters.
public enum DataChannelRefusal: String, Sendable, CaseIterable {
    /// A message of DCEP that can't be read, or in the wrong place. The peer's fault.
    case malformedDCEP = "malformed_dcep"
    /// A channel type that is not known.
    case unknownChannelType = "unknown_channel_type"
    /// A label or subprotocol longer than ``DataChannelLimits/textBytes``.
    case textTooLong = "text_too_long"
    /// The peer opened a channel on a stream of our parity (RFC 8832 section 6). The peer's fault.
    case wrongParity = "wrong_parity"
    /// The stream has a channel already.
    case streamInUse = "stream_in_use"
    /// As many channels as ``DataChannelLimits/channels``.
    case tooManyChannels = "too_many_channels"
    /// A message on a stream without a channel, or whose channel is closed.
    case noChannel = "no_channel"
    /// A payload protocol identifier that data channels do not have, or a deprecated one.
    case unknownPPID = "unknown_ppid"
}

/// The most a ``DataChannelTable`` keeps.
public struct DataChannelLimits: Sendable {
    /// Channels at once, closing ones included.
    public var channels = 64
    /// Octets of a label, and of a subprotocol.
    public var textBytes = 1_024

    /// The defaults.
    public init() {}
}

/// What a ``DataChannelTable`` wants done. One value is used again and again: empty it before each input.
public struct DataChannelOutput: Sendable {
    /// The bytes of DCEP messages to send.
    public internal(set) var written: [UInt8] = []
    /// What happened and is to be done, in this order.
    public internal(set) var events: [DataChannelEvent] = []

    /// Makes an empty output.
    public init() {}

    /// Empties the output and keeps its memory.
    public mutating func removeAll() {
        written.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
    }
}
