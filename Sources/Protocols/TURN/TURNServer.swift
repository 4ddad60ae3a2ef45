public import SansIO
import STUN
import Wire

/// A STUN and TURN server over UDP without sockets, clocks or threads (RFC 8489, RFC 8656).
///
/// It relays only for clients in the networks it serves, and only to peers in them; data from one of its allocations to
/// another goes straight to the other's client. Whatever it refuses it counts.
public struct TURNServer: ~Copyable {
    /// Gives the password of a user name, or nil when the name is unknown or has expired.
    public typealias PasswordLookup = @Sendable (_ username: String) -> String?

    /// What it has done so far.
    public internal(set) var counters = TURNCounters()
    var configuration: TURNConfiguration
    let passwords: PasswordLookup
    var generator: any RandomNumberGenerator & Sendable
    let nonces: NonceSource
    var challenges: ChallengeLimiter
    var byClient: [FiveTuple: Allocation] = [:]
    var byRelay: [TransportAddress: Allocation] = [:]
    var countByAddress: [IPAddress: Int] = [:]
    var countByUser: [String: Int] = [:]
    var reservations: [UInt64: Reservation] = [:]
    var reservedPorts: Set<TransportAddress> = []
    /// Sockets asked for by allocations that ended before the answer came. Nobody else gets these addresses until then.
    var abandonedRelays: Set<TransportAddress> = []
    /// When the next thing expires; may be early, never late.
    private var deadline: Timestamp?

    /// A port that EVEN-PORT set aside.
    struct Reservation {
        let relay: TransportAddress
        let expires: Timestamp
    }

    /// Makes a server without allocations.
    /// - Parameters:
    ///   - configuration: what it serves, and for whom.
    ///   - generator: must be cryptographically strong: ports, tokens and the key of nonces come from it.
    ///   - passwords: gives the password of a user name.
    public init(
        configuration: TURNConfiguration, generator: any RandomNumberGenerator & Sendable,
        passwords: @escaping PasswordLookup
    ) {
        var generator = generator
        self.configuration = configuration
        self.passwords = passwords
        nonces = NonceSource(lifetime: configuration.limits.nonceLifetime, using: &generator)
        challenges = ChallengeLimiter(limits: configuration.limits)
        self.generator = generator
    }

    /// How many allocations there are.
    public var allocationCount: Int { byClient.count }

    /// Takes in what happened and says what to do about it.
    /// - Parameters:
    ///   - input: what happened.
    ///   - now: the present time.
    ///   - output: what to do is appended to it.
    /// - Returns: when to call again with ``TURNInput/wake`` if nothing happens before, or nil if there is no need.
    public mutating func handle(_ input: TURNInput, at now: Timestamp, into output: inout TURNOutput) -> Timestamp? {
        if let deadline, now >= deadline { sweep(at: now, into: &output) }
        switch input {
        case .datagram(let bytes, let client, let server):
            receive(bytes, FiveTuple(client: client, server: server), at: now, into: &output)
        case .peerDatagram(let bytes, let relay, let peer):
            receiveFromPeer(bytes, relay: relay, peer: peer, at: now, into: &output)
        case .relayOpened(let relay): finishAllocation(relay, at: now, into: &output)
        case .relayFailed(let relay): retryAllocation(relay, into: &output)
        case .changed(let networks, let localAddresses): change(networks, localAddresses)
        case .dropAll:
            for allocation in byClient.values { end(allocation, into: &output) }
            reservations.removeAll()
            reservedPorts.removeAll()
        case .wake: break
        }
        return deadline
    }

    private mutating func receive(
        _ bytes: RawSpan, _ tuple: FiveTuple, at now: Timestamp, into output: inout TURNOutput
    ) {
        var reader = ByteReader(bytes)
        // Nobody can be answered at port 0 (RFC 6335 section 6).
        guard let firstOctet = reader.readUInt8(), tuple.client.port != 0 else { return counters.refuse(.malformed) }
        if ChannelData.isLikely(firstOctet: firstOctet) {
            return receiveChannelData(bytes, tuple, at: now, into: &output)
        }
        let message: STUNMessage
        do { message = try STUNMessage(bytes) } catch { return counters.refuse(.malformed) }
        switch (message.messageClass, message.method) {
        case (.indication, .send):
            receiveSend(message, tuple, at: now, into: &output)
        case (.indication, .binding):
            // A keep-alive (RFC 8489 section 3) asks for nothing.
            break
        case (.request, .binding), (.request, .allocate), (.request, .refresh), (.request, .createPermission),
            (.request, .channelBind):
            guard configuration.serves(tuple.client.address) else { return counters.refuse(.clientNotAllowed) }
            guard configuration.relays || message.method == .binding else { return counters.refuse(.unexpected) }
            guard !message.hasFingerprint || message.isFingerprintValid else { return counters.refuse(.malformed) }
            if message.method == .binding {
                answerBinding(message, tuple, into: &output)
            } else {
                receiveRequest(message, tuple, at: now, into: &output)
            }
        default:
            counters.refuse(.unexpected)
        }
    }

    // MARK: Time

    /// Makes sure the server is called at `time` at the latest.
    mutating func wake(by time: Timestamp) {
        deadline = min(deadline ?? time, time)
    }

    private mutating func sweep(at now: Timestamp, into output: inout TURNOutput) {
        deadline = nil
        for allocation in byClient.values {
            if allocation.expires <= now {
                end(allocation, into: &output)
            } else {
                wake(by: allocation.sweep(at: now))
            }
        }
        for (token, reservation) in reservations {
            if reservation.expires <= now {
                reservations[token] = nil
                reservedPorts.remove(reservation.relay)
            } else {
                wake(by: reservation.expires)
            }
        }
    }

    // MARK: Policy

    private mutating func change(_ networks: [IPNetwork], _ localAddresses: [IPAddress]) {
        configuration.networks = networks
        configuration.localAddresses = localAddresses
        // Nothing is ended: an address that comes back, as when a cable was loose, finds its allocations working.
        for allocation in byClient.values {
            allocation.isAllowed = configuration.serves(allocation.tuple.client.address)
            for permission in allocation.permissions.values {
                permission.isAllowed = refusal(ofPeer: permission.address, of: allocation) == nil
            }
            for channel in allocation.channels.values {
                channel.isPeerOwn = configuration.isOwn(channel.peer.address)
                channel.permission.isAllowed = refusal(ofPeer: channel.peer.address, of: allocation) == nil
            }
        }
    }

    /// Why no data of an allocation may go to or come from `address` at all; nil when it may.
    ///
    /// A peer is in a network of the client's own: the relay is no way from the box's Wi-Fi into what hangs on its cable.
    /// People in different networks meet by relayed addresses at both ends, which the next paragraph lets pass.
    ///
    /// The machine's own addresses pass: other allocations' relayed addresses are there. That nothing else on them is
    /// reached is seen to for each address with port.
    func refusal(ofPeer address: IPAddress, of allocation: Allocation) -> TURNRefusal? {
        if configuration.isOwn(address) { return nil }
        return configuration.serves(address, beside: allocation.tuple.client.address)
            && !configuration.isForMany(address) ? nil : .peerNotAllowed
    }

    /// Why a client may not have `peer`; nil when it may. Port 0 stands for any, as CreatePermission ignores ports
    /// (RFC 8656 section 10.2).
    func refusal(ofPeer peer: TransportAddress, of allocation: Allocation) -> TURNRefusal? {
        if configuration.isOwn(peer.address), peer.port != 0, !configuration.relayPorts.contains(peer.port) {
            return .peerIsOwnService
        }
        return refusal(ofPeer: peer.address, of: allocation)
    }

    // MARK: Ends

    /// Ends an allocation and closes its socket; one still being opened is closed when it comes.
    mutating func end(_ allocation: Allocation, into output: inout TURNOutput) {
        byClient[allocation.tuple] = nil
        byRelay[allocation.relay] = nil
        Self.decrement(&countByAddress, allocation.tuple.client.address)
        Self.decrement(&countByUser, allocation.credentials.username)
        switch allocation.state {
        case .open: output.commands.append(.close(allocation.relay))
        case .opening: abandonedRelays.insert(allocation.relay)
        }
    }

    private static func decrement<Key>(_ counts: inout [Key: Int], _ key: Key) {
        guard let count = counts[key] else { return }
        counts[key] = count > 1 ? count - 1 : nil
    }
}
