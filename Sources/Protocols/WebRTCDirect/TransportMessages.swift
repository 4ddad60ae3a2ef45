public import DTLS
public import DataChannel
public import SCTP
public import Wire

/// Something that happens to a ``DataChannelTransport``.
public enum TransportInput: ~Escapable {
    /// Begin the DTLS handshake; only for its client.
    case start
    /// A datagram of DTLS came from the peer.
    case datagram(RawSpan)
    /// Send a message on a channel.
    case send(RawSpan, stream: UInt16, DataChannelMessageKind)
    /// Open a channel and tell the peer (RFC 8832), or do so once there is a connection.
    case openChannel(DataChannelParameters)
    /// Take a stream for a channel the peer knows of by other means, or do so once there is a connection.
    case negotiateChannel(stream: UInt16, DataChannelParameters)
    /// Close a channel.
    case closeChannel(stream: UInt16)
    /// Ask the peer for a sign of life.
    case probe
    /// End at once and tell the peer.
    case close
    /// The time that ``DataChannelTransport/handle(_:at:into:)`` asked for has come.
    case wake
}

/// Something a ``DataChannelTransport`` tells whoever uses it.
public enum TransportEvent: Sendable, Equatable {
    /// DTLS and SCTP are set up: channels can be opened.
    case connected(DTLSPeer)
    /// A channel of ours got its stream; messages may be sent on it.
    case channelOpening(stream: UInt16)
    /// A channel is open at both ends.
    /// - isIncoming: whether the peer opened it.
    case channelOpened(stream: UInt16, DataChannelParameters, isIncoming: Bool)
    /// A message came; the range is one of ``TransportOutput/payload``.
    case message(stream: UInt16, DataChannelMessageKind, Range<Int>)
    /// A channel is gone.
    case channelClosed(stream: UInt16)
    /// The message of this input was not taken.
    case sendRefused(stream: UInt16, SendRefusal)
    /// More than ``TransportLimits/highWater`` octets wait for the peer: better send nothing more for now.
    case unwritable
    /// Fewer than ``TransportLimits/lowWater`` octets are left waiting.
    case writable
    /// The peer, or a limit, refused something of the data channels.
    case refused(DataChannelRefusal)
    /// The transport is over.
    case closed(TransportCloseReason)
}

/// Why a ``DataChannelTransport`` is over.
public enum TransportCloseReason: Sendable, Equatable {
    /// We closed it.
    case closed
    /// The peer closed it: by an alert of DTLS, or by ending its SCTP association.
    case closedByPeer
    /// The DTLS handshake failed, or the session broke.
    case dtlsFailed(DTLSFailure)
    /// The SCTP association broke.
    case sctpFailed(SCTPCloseReason)
}

/// The most a ``DataChannelTransport`` lets wait, and what its parts keep.
public struct TransportLimits: Sendable {
    /// Octets waiting beyond which the transport calls itself unwritable.
    public var highWater = 262_144
    /// Octets waiting below which it is writable again.
    public var lowWater = 65_536
    /// Of data channels.
    public var channels = DataChannelLimits()

    /// The defaults.
    public init() {}
}

/// What a ``DataChannelTransport`` wants done. One value is used again and again, for any number of transports.
public struct TransportOutput: Sendable {
    /// The bytes of ``datagrams``, and whatever the user puts there.
    public internal(set) var written = ByteWriter(capacity: 4_096)
    /// Ranges of ``written``, each to be sent as one datagram, in this order.
    public internal(set) var datagrams: [Range<Int>] = []
    /// The bytes of received messages.
    public internal(set) var payload: [UInt8] = []
    /// What happened, in this order.
    public internal(set) var events: [TransportEvent] = []
    /// What the parts say; emptied before each use.
    var dtls = DTLSOutput()
    var records = DTLSOutput()
    var sctp = SCTPOutput()
    var replies = SCTPOutput()
    var channels = DataChannelOutput()

    /// Makes an empty output.
    public init() {}

    /// Empties the output and keeps its memory.
    public mutating func removeAll() {
        written.removeAll()
        payload.removeAll(keepingCapacity: true)
        consume()
    }

    /// Forgets what was told and keeps the bytes.
    mutating func consume() {
        datagrams.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
    }

    /// Takes the writer out to append to it; it must be put back.
    mutating func takeWriter() -> ByteWriter {
        var writer = ByteWriter()
        swap(&writer, &written)
        return writer
    }
    /// Takes over the datagrams of ``dtls``.
    mutating func takeDatagrams() {
        let bytes = dtls.written
        for range in dtls.datagrams { append(bytes.span.bytes.extracting(range)) }
    }

    /// Takes over the datagrams of ``records``.
    mutating func takeRecords() {
        let bytes = records.written
        for range in records.datagrams { append(bytes.span.bytes.extracting(range)) }
    }

    private mutating func append(_ bytes: RawSpan) {
        let start = written.count
        written.write(bytes)
        datagrams.append(start..<written.count)
    }
}
