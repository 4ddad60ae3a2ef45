/// What a ``TURNServer`` has done since it was made.
public struct TURNCounters: Sendable, Equatable {
    /// Binding requests answered.
    public internal(set) var bindings: UInt64 = 0
    /// Allocations made.
    public internal(set) var allocations: UInt64 = 0
    /// Datagrams that clients sent towards peers.
    public internal(set) var packetsToPeers: UInt64 = 0
    /// Octets of application data in ``packetsToPeers``.
    public internal(set) var octetsToPeers: UInt64 = 0
    /// Datagrams that came from peers for clients.
    public internal(set) var packetsToClients: UInt64 = 0
    /// Octets of application data in ``packetsToClients``.
    public internal(set) var octetsToClients: UInt64 = 0
    /// Of these, datagrams from one allocation to another, which count once in either direction.
    public internal(set) var packetsBetweenClients: UInt64 = 0
    /// Octets of application data in ``packetsBetweenClients``.
    public internal(set) var octetsBetweenClients: UInt64 = 0
    /// What was refused or dropped, by cause; a cause that never occurred is not in it.
    public internal(set) var refusals: [TURNRefusal: UInt64] = [:]

    /// Counters at zero.
    public init() {}

    /// How often something was refused for `cause`.
    public subscript(_ cause: TURNRefusal) -> UInt64 { refusals[cause] ?? 0 }

    mutating func refuse(_ cause: TURNRefusal) {
        refusals[cause, default: 0] &+= 1
    }
}

/// Why a ``TURNServer`` refused or dropped something. The raw value is a label for counters.
public enum TURNRefusal: String, Sendable, CaseIterable {
    /// The bytes are neither STUN nor ChannelData, or damaged. The sender's fault.
    case malformed
    /// A STUN message of a kind no server takes: a response, or an indication it does not know.
    case unexpected
    /// The sender is not in the networks served.
    case clientNotAllowed = "client_not_allowed"
    /// The peer is not in the networks served, or is a multicast or broadcast address.
    case peerNotAllowed = "peer_not_allowed"
    /// The peer is a service of this machine.
    case peerIsOwnService = "peer_is_own_service"
    /// Data to or from a peer without a permission.
    case noPermission = "no_permission"
    /// Data from a client without an allocation.
    case noAllocation = "no_allocation"
    /// Data on a channel that is not bound.
    case noChannel = "no_channel"
    /// A request without credentials; the usual first step.
    case challenged
    /// A request whose user name or password is wrong or has expired.
    case unauthenticated
    /// A request whose nonce is forged, of another address, or too old.
    case staleNonce = "stale_nonce"
    /// A request that lacks something or contradicts itself.
    case badRequest = "bad_request"
    /// A request with an attribute that must be understood and is not.
    case unknownAttribute = "unknown_attribute"
    /// A request for an allocation that is not there, or already is.
    case allocationMismatch = "allocation_mismatch"
    /// A request of another user than the allocation's.
    case wrongCredentials = "wrong_credentials"
    /// A relay over something else than UDP.
    case unsupportedTransport = "unsupported_transport"
    /// An address family that is not served, or not the allocation's.
    case addressFamily = "address_family"
    /// A client or user with as many allocations as it may have.
    case quota
    /// The server, or the allocation, is full, or has no free port.
    case capacity
    /// A request without valid credentials, left unanswered because there were too many of them.
    case rateLimited = "rate_limited"
}
