public import DataChannel
public import SCTP
public import Wire

/// A peer of a ``WebRTCEndpoint``; never given out twice.
public struct PeerID: Hashable, Sendable, CustomStringConvertible {
    let slot: UInt32
    let generation: UInt32

    /// `slot.generation`.
    public var description: String { "\(slot).\(generation)" }
}

/// Something that happens to a ``WebRTCEndpoint``.
public enum EndpointInput: ~Escapable {
    /// A datagram came.
    /// - from: who sent it.
    /// - to: the address of this machine it was sent to.
    case datagram(RawSpan, from: TransportAddress, to: IPAddress)
    /// Send a message on a peer's channel. A peer that is gone refuses it.
    case send(RawSpan, to: PeerID, channel: UInt16, DataChannelMessageKind)
    /// Open a channel to a peer.
    case openChannel(PeerID, DataChannelParameters)
    /// Close a peer's channel.
    case closeChannel(PeerID, channel: UInt16)
    /// Close the connection to a peer.
    case close(PeerID)
    /// From now on go by these names. Peers that came by another are closed.
    case accept(EndpointAcceptance)
    /// Close the connection to every peer, as before the program ends.
    case closeAll
    /// The time that ``WebRTCEndpoint/handle(_:at:into:)`` asked for has come.
    case wake
}

/// Something a ``WebRTCEndpoint`` tells whoever uses it.
public enum EndpointEvent: Sendable, Equatable {
    /// A peer is there and can open channels.
    case connected(PeerID, EndpointConnection)
    /// A channel of ours got its number; messages may be sent on it.
    case channelOpening(PeerID, channel: UInt16)
    /// A channel is open at both ends.
    /// - isIncoming: whether the peer opened it.
    case channelOpened(PeerID, channel: UInt16, DataChannelParameters, isIncoming: Bool)
    /// A message came; the range is one of ``EndpointOutput/payload``.
    case message(PeerID, channel: UInt16, DataChannelMessageKind, Range<Int>)
    /// A channel is gone. Not told for each channel when the whole peer is gone.
    case channelClosed(PeerID, channel: UInt16)
    /// A peer's packets now come from and go to another address.
    case moved(PeerID, TransportAddress)
    /// The message of this input was not taken.
    case sendRefused(PeerID, channel: UInt16, SendRefusal)
    /// Much waits for the peer: better send it nothing more for now.
    case unwritable(PeerID)
    /// Little waits for the peer any more.
    case writable(PeerID)
    /// A peer is gone; told once for each that was connected.
    case disconnected(PeerID, DisconnectReason)
}

/// What is known of a peer once it is connected.
public struct EndpointConnection: Sendable, Equatable {
    /// Where its packets come from.
    public var address: TransportAddress
    /// The name it came by.
    public var identity: EndpointIdentityKind
    /// The SHA-256 of its certificate, 32 octets; nobody vouches for it.
    public var fingerprint: [UInt8]

    /// Makes a description of a peer.
    public init(address: TransportAddress, identity: EndpointIdentityKind, fingerprint: [UInt8]) {
        self.address = address
        self.identity = identity
        self.fingerprint = fingerprint
    }
}

/// Why a peer is gone. The raw value is a label for counters.
public enum DisconnectReason: String, Sendable, CaseIterable {
    /// Nothing was heard of it for ``ICE/ICEPeer/expiry``.
    case silent
    /// It closed the connection.
    case closedByPeer = "closed_by_peer"
    /// The connection was closed here.
    case closed
    /// Its DTLS session broke.
    case dtlsFailed = "dtls_failed"
    /// Its SCTP association broke: it did not acknowledge, or broke the protocol.
    case sctpFailed = "sctp_failed"
    /// Another peer came from its address and proved to be there.
    case replaced
    /// It did not get its data channels up in time. Such peers were never told of.
    case tooSlow = "too_slow"
    /// It made room for newer ones before it began its DTLS handshake. Such peers were never told of.
    case evicted
    /// It held more than any other when the messages of all held as much as they may (``EndpointLimits/heldBytes``).
    case heldMost = "held_most"
}

/// A datagram to send.
public struct EndpointDatagram: Sendable, Equatable {
    /// The bytes, a range of ``EndpointOutput/written``.
    public var range: Range<Int>
    /// Where to.
    public var destination: TransportAddress
    /// From which address of this machine.
    public var source: IPAddress
}

/// What a ``WebRTCEndpoint`` wants done. One value is used again and again: empty it before each input, or after a few.
public struct EndpointOutput: Sendable {
    /// The bytes of ``datagrams``.
    public var written: [UInt8] { transport.written.bytes }
    /// The bytes of received messages.
    public var payload: [UInt8] { transport.payload }
    /// What to send, in this order.
    public internal(set) var datagrams: [EndpointDatagram] = []
    /// What happened, in this order.
    public internal(set) var events: [EndpointEvent] = []
    var transport = TransportOutput()

    /// Makes an empty output.
    public init() {}

    /// Empties the output and keeps its memory.
    public mutating func removeAll() {
        transport.removeAll()
        datagrams.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
    }
}
