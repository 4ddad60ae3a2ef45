/// How an ``SCTPAssociation`` behaves.
public struct SCTPConfiguration: Sendable {
    /// This side's port: the `a=sctp-port` of its description (RFC 8841).
    public var localPort: UInt16 = 5000
    /// The peer's port.
    public var remotePort: UInt16 = 5000
    /// Octets of the longest SCTP packet, its headers included; those of DTLS, UDP and IP come on top. The default leaves room
    /// for them, and for those of TURN, in the 1,280 octets that every IPv6 path carries (RFC 8831 section 5).
    public var maximumPacketSize = 1_172
    /// Octets of the longest message sent or received: the `a=max-message-size` of this side's description.
    public var maximumMessageSize = 262_144
    /// Whether to offer and use packets without a checksum (RFC 9653): DTLS already finds every damaged packet.
    public var omitsChecksums = true
    /// Times and retries.
    public var timing = SCTPTiming()
    /// The most that is kept.
    public var limits = SCTPLimits()

    /// The defaults.
    public init() {}
}

/// Times and retries of an ``SCTPAssociation``. Where a default is not that of RFC 9260 section 16, it says why.
public struct SCTPTiming: Sendable {
    /// RTO.Initial: how long to wait for an answer while no round trip has been measured. Half the recommended second: a local
    /// network answers within milliseconds, a sleeping phone within three beacons (about 310 ms).
    public var initialRTO = Duration.milliseconds(500)
    /// RTO.Min. Less than the recommended second, so that a lost packet on Wi-Fi costs less; more than the 200 ms for which a
    /// peer may hold an acknowledgement back, plus a round trip.
    public var minimumRTO = Duration.milliseconds(400)
    /// RTO.Max. Less than the recommended minute: after a gap in the radio, traffic goes on within this time.
    public var maximumRTO = Duration.seconds(3)
    /// How long an acknowledgement is held back for others to join it (section 6.2: at most 500 ms).
    public var acknowledgementDelay = Duration.milliseconds(200)
    /// How many packets with data are acknowledged at once (section 6.2).
    public var packetsPerAcknowledgement = 2
    /// Association.Max.Retrans: how many retransmissions in a row may go unanswered.
    public var maximumRetransmissions = 10
    /// Max.Init.Retransmits: how often INIT, and then COOKIE ECHO, are sent again.
    public var maximumInitRetransmissions = 8
    /// Max.Burst: packets of data sent at once (section 6.1, rule D).
    public var maximumBurst = 4
    /// HB.Interval: how long a quiet association waits before it asks whether the peer is there; nil never asks, which is
    /// right where something else finds that out, as ICE consent does (RFC 7675).
    public var heartbeatInterval: Duration? = .seconds(30)
    /// Valid.Cookie.Life: how long a handshake may take.
    public var cookieLifetime = Duration.seconds(60)
    /// How long empty buffers are kept after a burst before their memory is given back.
    public var bufferRetention = Duration.seconds(1)

    /// The defaults.
    public init() {}
}

/// The most an ``SCTPAssociation`` keeps. A peer can make nothing grow beyond these.
public struct SCTPLimits: Sendable {
    /// Octets of messages queued or not yet acknowledged. A message is taken whole or not at all.
    public var sendBufferBytes = 1_048_576
    /// Messages queued, without those that have left.
    public var sendBufferMessages = 8_192
    /// Chunks sent and not yet acknowledged. Acknowledgements can name 65,535 at most (RFC 9260 section 3.3.4).
    public var outstandingChunks = 4_096
    /// Octets held of messages that are unfinished or must wait for others, with what it costs to keep them. This is the window
    /// offered to the peer (a_rwnd). At least ``SCTPConfiguration/maximumMessageSize``.
    public var reassemblyBytes = 524_288
    /// Separate runs of fragments held.
    public var reassemblyRuns = 1_024
    /// Separate gaps in what has been received.
    public var gaps = 1_024
    /// Streams in use in each direction. 65,535 are offered (RFC 8831 section 6.2), but few are ever used.
    public var streams = 1_024
    /// Answers to one packet beyond its acknowledgement: HEARTBEAT ACK, ERROR, and the like.
    public var repliesPerPacket = 4

    /// The defaults.
    public init() {}
}
