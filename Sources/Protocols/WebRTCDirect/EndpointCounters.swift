public import DataChannel
public import SCTP

/// What a ``WebRTCEndpoint`` has done since it was made.
public struct EndpointCounters: Sendable, Equatable {
    /// Datagrams received.
    public internal(set) var datagramsReceived: UInt64 = 0
    /// Octets in ``datagramsReceived``.
    public internal(set) var octetsReceived: UInt64 = 0
    /// Datagrams sent.
    public internal(set) var datagramsSent: UInt64 = 0
    /// Octets in ``datagramsSent``.
    public internal(set) var octetsSent: UInt64 = 0
    /// Checks answered with success.
    public internal(set) var checks: UInt64 = 0
    /// DTLS handshakes begun.
    public internal(set) var handshakes: UInt64 = 0
    /// Peers that got connected.
    public internal(set) var connections: UInt64 = 0
    /// Times a connected peer's packets began to take another path.
    public internal(set) var moves: UInt64 = 0
    /// Messages received.
    public internal(set) var messagesReceived: UInt64 = 0
    /// Messages taken for sending.
    public internal(set) var messagesSent: UInt64 = 0
    /// What was refused or dropped, by cause; a cause that never occurred is not in it.
    public internal(set) var refusals: [EndpointRefusal: UInt64] = [:]
    /// Messages not taken for sending, by cause.
    public internal(set) var sendRefusals: [SendRefusal: UInt64] = [:]
    /// What was refused or ignored of data channels, by cause.
    public internal(set) var channelRefusals: [DataChannelRefusal: UInt64] = [:]
    /// Peers that went, by reason, those included that never got connected.
    public internal(set) var disconnections: [DisconnectReason: UInt64] = [:]

    /// Counters at zero.
    public init() {}

    /// How often something was refused for `cause`.
    public subscript(_ cause: EndpointRefusal) -> UInt64 { refusals[cause] ?? 0 }

    /// How many peers went for `reason`.
    public subscript(_ reason: DisconnectReason) -> UInt64 { disconnections[reason] ?? 0 }

    mutating func refuse(_ cause: EndpointRefusal) {
        refusals[cause, default: 0] &+= 1
    }
}

/// Why a ``WebRTCEndpoint`` refused or dropped a datagram. The raw value is a label for counters.
public enum EndpointRefusal: String, Sendable, CaseIterable {
    /// Neither STUN nor DTLS, or damaged. The sender's fault.
    case malformed
    /// RTP or RTCP, which is not served here yet.
    case media
    /// STUN, but not what a lite agent takes.
    case unexpectedSTUN = "unexpected_stun"
    /// A check without credentials.
    case badRequest = "bad_request"
    /// A check for a name that is not ours.
    case unknownName = "unknown_name"
    /// A check whose integrity is wrong.
    case unauthenticated
    /// A check with an attribute that must be understood and is not.
    case unknownAttribute = "unknown_attribute"
    /// A check of an agent that does not control.
    case roleConflict = "role_conflict"
    /// A check for a DTLS session that is gone; its sender is told to begin anew.
    case stale
    /// More checks than may come.
    case checkRate = "check_rate"
    /// A refusal that was not sent, because there were too many or it was longer than what it answers.
    case unansweredRefusal = "unanswered_refusal"
    /// As many peers as there may be, in all or from the address.
    case tooManyPeers = "too_many_peers"
    /// DTLS from an address without a valid check.
    case uncheckedAddress = "unchecked_address"
    /// DTLS that begins no handshake, from a peer without one.
    case unexpectedDTLS = "unexpected_dtls"
    /// More handshakes than may be under way or begin.
    case handshakeRate = "handshake_rate"
    /// More DTLS datagrams of a peer than may come.
    case datagramRate = "datagram_rate"
    /// A DTLS session could not be made. This machine's fault.
    case noMemory = "no_memory"
}
