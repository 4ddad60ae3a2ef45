public import DTLS
public import DataChannel
public import ICE
public import SCTP
public import STUN
public import WebRTCDirect
public import Wire

/// How a ``WebRTCClient`` reaches an endpoint and what it does there.
public struct ClientConfiguration: Sendable {
    /// The client's own user name fragment, 4 to 256 ice-chars.
    public var fragment: String
    /// The endpoint's fragment and password.
    public var remote: ICECredentials
    /// The client's DTLS identity, in the role of the client.
    public var context: DTLSContext
    /// The SHA-256 of the certificate the endpoint must show; nil takes any.
    public var fingerprint: [UInt8]?
    /// Time from one consent check to the next; each is up to a fifth sooner or later. Chromium has 2.5 s, Firefox 5 s.
    public var checkInterval = Duration.milliseconds(2_500)
    /// Silence after which the client gives up.
    public var consentExpiry = Duration.seconds(15)
    /// How SCTP behaves.
    public var association = SCTPConfiguration()
    /// What is kept.
    public var limits = TransportLimits()

    /// Makes a configuration.
    public init(fragment: String, remote: ICECredentials, context: DTLSContext, fingerprint: [UInt8]? = nil) {
        self.fragment = fragment
        self.remote = remote
        self.context = context
        self.fingerprint = fingerprint
    }
}

/// Something that happens to a ``WebRTCClient``.
public enum ClientInput: ~Escapable {
    /// Send the first check.
    case start
    /// A datagram came from the endpoint.
    case datagram(RawSpan)
    /// Send a message on a channel.
    case send(RawSpan, channel: UInt16, DataChannelMessageKind)
    /// Open a channel.
    case openChannel(DataChannelParameters)
    /// Take a channel the endpoint knows of.
    case negotiateChannel(UInt16, DataChannelParameters)
    /// Close a channel.
    case closeChannel(UInt16)
    /// The client's address changed: check and nominate from the new one.
    case moved
    /// End at once and tell the endpoint.
    case close
    /// The time that ``WebRTCClient/handle(_:at:into:)`` asked for has come.
    case wake
}

/// Something a ``WebRTCClient`` tells.
public enum ClientEvent: Sendable, Equatable {
    /// A check was answered; the endpoint sees the client at this address.
    case checked(TransportAddress)
    /// What the data channels tell.
    case transport(TransportEvent)
    /// It is over.
    case ended(ClientEnd)
}

/// Why a ``WebRTCClient`` is over.
public enum ClientEnd: Sendable, Equatable {
    /// The transport ended.
    case transport(TransportCloseReason)
    /// A check was refused for good, as 403 is by an endpoint that has lost the session.
    case refused(STUNErrorCode)
    /// No check was answered for ``ClientConfiguration/consentExpiry``.
    case silent
    /// The certificate is not the one expected.
    case impostor
}

/// What a ``WebRTCClient`` wants done. One value is used again and again, for any number of clients; empty it before each
/// input.
public struct ClientOutput: Sendable {
    /// The bytes of ``datagrams``.
    public internal(set) var written = ByteWriter(capacity: 4_096)
    /// Ranges of ``written`` to send to the endpoint, each as a datagram.
    public internal(set) var datagrams: [Range<Int>] = []
    /// The bytes of received messages.
    public var payload: [UInt8] { transport.payload }
    /// What happened, in this order.
    public internal(set) var events: [ClientEvent] = []
    var transport = TransportOutput()

    /// Makes an empty output.
    public init() {}

    /// Empties the output and keeps its memory.
    public mutating func removeAll() {
        written.removeAll()
        datagrams.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
        transport.removeAll()
    }
}
