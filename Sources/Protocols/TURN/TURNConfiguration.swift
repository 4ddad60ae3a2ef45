public import Wire

/// What a ``TURNServer`` serves, and for whom.
public struct TURNConfiguration: Sendable {
    /// Whether anything is relayed; without it only Binding requests are answered.
    public var relays = true
    /// The realm of the credentials.
    public var realm: String
    /// The text of SOFTWARE in an Allocate answer; empty to leave it out.
    public var software: String
    /// The networks of those served: clients and peers must be in one of them.
    public var networks: [IPNetwork]
    /// The machine's own addresses: never peers, but for the relayed addresses of other allocations.
    public var localAddresses: [IPAddress]
    /// The ports of relayed addresses.
    public var relayPorts: ClosedRange<UInt16>
    /// How much of everything.
    public var limits: TURNLimits

    /// Makes a configuration.
    /// - Parameters:
    ///   - realm: the realm of the credentials.
    ///   - software: the text of SOFTWARE; empty to leave it out.
    ///   - networks: the networks of those served.
    ///   - localAddresses: the machine's own addresses.
    ///   - relayPorts: the ports of relayed addresses; the dynamic ones of RFC 6335 unless given.
    ///   - limits: how much of everything.
    public init(
        realm: String, software: String = "", networks: [IPNetwork], localAddresses: [IPAddress],
        relayPorts: ClosedRange<UInt16> = 49152...65535, limits: TURNLimits = TURNLimits()
    ) {
        self.realm = realm
        self.software = software
        self.networks = networks
        self.localAddresses = localAddresses
        self.relayPorts = relayPorts
        self.limits = limits
    }

    /// Whether a client or peer at `address` is served at all.
    func serves(_ address: IPAddress) -> Bool {
        networks.contains { $0.contains(address) }
    }

    /// Whether a peer at `address` is served to a client: one of the networks holds both.
    func serves(_ address: IPAddress, beside client: IPAddress) -> Bool {
        // On the machine itself are its own programs, which reach its networks anyway.
        isOwn(client) ? serves(address) : networks.contains { $0.contains(address) && $0.contains(client) }
    }

    /// Whether `address` is this machine's.
    func isOwn(_ address: IPAddress) -> Bool {
        address.isLoopback || localAddresses.contains(address)
    }

    /// Whether `address` means more than one host, or none: multicast, the unspecified address, or the broadcast
    /// address of a network served.
    func isForMany(_ address: IPAddress) -> Bool {
        switch address {
        case .v4(let value):
            value >> 28 >= 0xE || value == 0
                || networks.contains { network in
                    guard case .v4 = network.base, network.prefixLength < 31, network.contains(address) else {
                        return false
                    }
                    let hostBits = UInt32.max >> UInt32(max(0, network.prefixLength))
                    return value & hostBits == hostBits
                }
        case .v6(let high, let low):
            high >> 56 == 0xFF || (high == 0 && low == 0)
        }
    }
}

/// The most a ``TURNServer`` keeps or does. A client can make nothing grow beyond these.
public struct TURNLimits: Sendable {
    /// Allocations at once.
    public var allocations = 1024
    /// Allocations at once of one client address. A browser makes up to three for each link to another phone.
    public var allocationsPerAddress = 128
    /// Allocations at once of one user name.
    public var allocationsPerUser = 128
    /// Peer addresses an allocation lets in.
    public var permissionsPerAllocation = 64
    /// Channels of an allocation.
    public var channelsPerAllocation = 64
    /// Ports set aside by EVEN-PORT at once.
    public var reservations = 32
    /// Ports tried for an allocation before it is refused.
    public var portAttempts = 16
    /// How long an allocation lives when the client asks for nothing (RFC 8656 section 2.2: ten minutes).
    public var defaultLifetime = Duration.seconds(600)
    /// How long an allocation lives at most without a Refresh (RFC 8656 section 7.2: an hour).
    public var maximumLifetime = Duration.seconds(3600)
    /// How long a permission lasts (RFC 8656 section 9: always five minutes).
    public let permissionLifetime = Duration.seconds(300)
    /// How long a channel lasts (RFC 8656 section 12: always ten minutes).
    public let channelLifetime = Duration.seconds(600)
    /// How long a reserved port waits (RFC 8656 section 7.2: at least 30 seconds).
    public let reservationLifetime = Duration.seconds(30)
    /// How long a nonce is taken (RFC 8489 section 9.2: at most an hour).
    public var nonceLifetime = Duration.seconds(3600)
    /// Challenges and refusals a second to one address for requests without valid credentials; as many may come at once.
    /// They are up to four times as long as what asks for them, and whoever forges a sender can turn them on another.
    public var challengesPerAddress = 1000.0
    /// Octets a second of such answers to all; as many may come at once.
    public var challengeOctets = 2_000_000.0
    /// Addresses whose challenges are counted one by one; those beyond share one allowance.
    public var addressesCounted = 1024

    /// The defaults.
    public init() {}
}
