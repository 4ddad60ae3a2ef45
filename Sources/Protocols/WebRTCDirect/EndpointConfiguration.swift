public import DTLS
public import ICE
public import SCTP

/// What a ``WebRTCEndpoint`` is known as, and what it allows.
public struct EndpointConfiguration: Sendable {
    /// Under which names peers may come.
    public var acceptance: EndpointAcceptance
    /// How SCTP behaves.
    public var association: SCTPConfiguration
    /// The most that is kept.
    public var limits: EndpointLimits

    /// Makes a configuration.
    /// - Parameters:
    ///   - acceptance: under which names peers may come.
    ///   - association: how SCTP behaves.
    ///   - limits: the most that is kept.
    public init(
        acceptance: EndpointAcceptance, association: SCTPConfiguration = .ofEndpoint,
        limits: EndpointLimits = EndpointLimits()
    ) {
        self.acceptance = acceptance
        self.association = association
        self.limits = limits
    }
}

extension SCTPConfiguration {
    /// The defaults, without heartbeats: consent finds out sooner that a peer is gone (RFC 7675).
    public static var ofEndpoint: SCTPConfiguration {
        var configuration = SCTPConfiguration()
        configuration.timing.heartbeatInterval = nil
        return configuration
    }
}

/// Under which names peers may come to a ``WebRTCEndpoint``.
public struct EndpointAcceptance: Sendable {
    /// Names with a password that peers learn beforehand.
    public var identities: [EndpointIdentity]
    /// The DTLS identity for peers that choose the password themselves (WebRTC Direct); nil refuses them.
    public var direct: DTLSContext?

    /// Makes the names.
    /// - Parameters:
    ///   - identities: names with a password that peers learn beforehand.
    ///   - direct: the DTLS identity for peers that choose the password themselves; nil refuses them.
    public init(identities: [EndpointIdentity], direct: DTLSContext? = nil) {
        self.identities = identities
        self.direct = direct
    }
}

/// A name of a ``WebRTCEndpoint``: what a peer must know to reach it, and the certificate it then meets.
public struct EndpointIdentity: Sendable {
    /// Which of the endpoint's names this is.
    public var kind: EndpointIdentityKind
    /// The user name fragment and the password.
    public var credentials: ICECredentials
    /// The certificate, in the role of the server.
    public var context: DTLSContext

    /// Makes a name.
    /// - Parameters:
    ///   - kind: which of the endpoint's names this is.
    ///   - credentials: the user name fragment and the password.
    ///   - context: the certificate, in the role of the server.
    public init(_ kind: EndpointIdentityKind, credentials: ICECredentials, context: DTLSContext) {
        self.kind = kind
        self.credentials = credentials
        self.context = context
    }
}

/// The name a peer came by. The raw value is a label.
public enum EndpointIdentityKind: String, Sendable, CaseIterable {
    /// The box's own: whoever has it, has it from the box.
    case own
    /// The well-known one, whose private key is public.
    case wellKnown = "well_known"
    /// libp2p's WebRTC Direct, version 1: fragment and password are one random string behind a prefix, on both sides.
    case libp2pV1 = "libp2p_v1"
    /// libp2p's WebRTC Direct, version 2: the endpoint's fragment and password are the client's password behind a prefix.
    case libp2pV2 = "libp2p_v2"
    /// The crate webrtc-direct: fragment and password are 64 hexadecimal digits, on both sides.
    case hexadecimal

    /// Whether the peer chose the password, so that it speaks WebRTC Direct and expects channel 0 without DCEP.
    public var isDirect: Bool {
        switch self {
        case .own, .wellKnown: false
        case .libp2pV1, .libp2pV2, .hexadecimal: true
        }
    }
}

/// The most a ``WebRTCEndpoint`` keeps and does. Loopback addresses are this machine's own: what counts by address does not
/// count for them.
public struct EndpointLimits: Sendable {
    /// Peers at once, those included that are not connected yet.
    public var peers = 4_096
    /// Peers at once from one address.
    public var peersPerAddress = 16
    /// Peers that are not connected yet. Beyond them the oldest that has not begun its DTLS handshake makes room for the
    /// newest, so that a spray holds nobody up who goes on at once.
    public var halfOpen = 1_024
    /// DTLS handshakes under way.
    public var handshakes = 512
    /// DTLS handshakes under way from one address.
    public var handshakesPerAddress = 32
    /// DTLS handshakes begun in a second. Beyond, clients try again by themselves within a second.
    public var handshakesPerSecond = 400.0
    /// DTLS handshakes begun in a second from one address.
    public var handshakesPerSecondPerAddress = 50.0
    /// Checks in a second from an address, those aside that name the peer at their port; each costs two HMACs.
    public var newChecksPerSecondPerAddress = 100.0
    /// The same for all addresses together.
    public var newChecksPerSecond = 10_000.0
    /// Checks in a second that are proven to be one peer's.
    public var checksPerSecond = 50
    /// Datagrams of DTLS and checks in a second from one peer's addresses, before they are proven; SCTP's congestion control keeps
    /// below once some are dropped.
    public var datagramsPerSecond = 10_000
    /// Refusals of checks sent in a second.
    public var refusalsPerSecond = 200.0
    /// Addresses about which something is remembered; beyond, all others share one allowance.
    public var addresses = 4_096
    /// Octets of memory that messages of all peers hold together: those that wait or are not acknowledged, and those received in
    /// part. One peer may hold 1.5 MB for as long as it is there; beyond this much in all, the peer that holds most is closed.
    public var heldBytes = 67_108_864
    /// How long a peer may take from its first check until its data channels can be used.
    public var connectTime = Duration.seconds(10)
    /// Of each peer's data channels.
    public var transport = TransportLimits()

    /// The defaults.
    public init() {}
}
