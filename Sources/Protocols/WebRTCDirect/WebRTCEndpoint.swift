import DTLS
import DataChannel
import ICE
public import SansIO
import SCTP
import Wire

/// All phones of one UDP port as one machine: ICE lite (RFC 8445), DTLS, SCTP and data channels (RFC 8831).
///
/// A peer is known by its USERNAME and not by its address, so it may move. Nothing is kept before a valid check; no DTLS before
/// one from the same address. One heap of deadlines serves all.
public struct WebRTCEndpoint: ~Copyable {
    /// What it has done so far.
    public internal(set) var counters = EndpointCounters()
    var configuration: EndpointConfiguration
    let generator: any RandomNumberGenerator & Sendable
    /// Peers by the slot of their ``PeerID``.
    private var slots: [Slot] = []
    private var freeSlots: [Int] = []
    var byUsername: [[UInt8]: Peer] = [:]
    /// Whose packets come from an address.
    var byAddress: [TransportAddress: Peer] = [:]
    /// Who else sent a valid check from the address of a peer that has a DTLS session.
    var challengers: [TransportAddress: Peer] = [:]
    var timers = TimerHeap()
    var ledger: AddressLedger
    /// Peers in the order they came, to find the oldest that is still in its first stage; most of them are long past it.
    private(set) var arrivals: [PeerID] = []
    private var firstArrival = 0
    private var halfOpenCount = 0
    /// Octets of memory held for messages of all peers.
    private(set) var heldBytes = 0
    /// How many peers are connected.
    public private(set) var connectionCount = 0

    private struct Slot {
        var peer: Peer?
        var generation: UInt32 = 0
    }

    /// Makes an endpoint without peers.
    /// - Parameters:
    ///   - configuration: under which names it takes peers, and how many.
    ///   - generator: must be cryptographically strong: SCTP's tags and cookies come from it. Each association gets a copy, so
    ///     copies must not repeat each other's numbers: a seeded one must be a reference.
    public init(configuration: EndpointConfiguration, generator: any RandomNumberGenerator & Sendable) {
        self.configuration = configuration
        self.generator = generator
        ledger = AddressLedger(limits: configuration.limits)
    }

    /// How many peers there are, those included that are not connected yet.
    public var peerCount: Int { byUsername.count }

    /// Octets of messages to a peer that are queued or not yet acknowledged; 0 for one that is gone.
    public func bufferedBytes(of id: PeerID) -> Int {
        peer(id)?.transport?.bufferedBytes ?? 0
    }

    /// Takes in what happened and says what to do about it.
    /// - Parameters:
    ///   - input: what happened.
    ///   - now: the present time.
    ///   - output: what to do is appended to it.
    /// - Returns: when to call again with ``EndpointInput/wake`` if nothing happens before, or nil if there is no need.
    public mutating func handle(
        _ input: borrowing EndpointInput, at now: Timestamp, into output: inout EndpointOutput
    ) -> Timestamp? {
        let sent = output.datagrams.count
        if let next = timers.next, next <= now { serveTimers(at: now, into: &output) }
        switch input {
        case .datagram(let bytes, let source, let local):
            receive(bytes, ICEPath(remote: source, local: local), at: now, into: &output)
        case .send(let bytes, let id, let channel, let kind):
            guard let peer = peer(id) else {
                counters.sendRefusals[.notConnected, default: 0] &+= 1
                output.events.append(.sendRefused(id, channel: channel, .notConnected))
                break
            }
            counters.messagesSent &+= 1
            pass(.send(bytes, stream: channel, kind), to: peer, at: now, into: &output)
        case .openChannel(let id, let parameters):
            if let peer = peer(id) { pass(.openChannel(parameters), to: peer, at: now, into: &output) }
        case .closeChannel(let id, let channel):
            if let peer = peer(id) { pass(.closeChannel(stream: channel), to: peer, at: now, into: &output) }
        case .close(let id):
            if let peer = peer(id) { disconnect(peer, .closed, at: now, into: &output) }
        case .accept(let acceptance):
            configuration.acceptance = acceptance
            for case .some(let peer) in slots.map(\.peer) where !accepts(peer) {
                disconnect(peer, .closed, at: now, into: &output)
            }
        case .closeAll:
            for case .some(let peer) in slots.map(\.peer) { disconnect(peer, .closed, at: now, into: &output) }
        case .wake: break
        }
        if heldBytes > configuration.limits.heldBytes { closeHoarders(at: now, into: &output) }
        for datagram in output.datagrams[sent...] {
            counters.datagramsSent &+= 1
            counters.octetsSent &+= UInt64(datagram.range.count)
        }
        return timers.next
    }

    /// Tells the protocols apart by the first octet (RFC 7983).
    private mutating func receive(
        _ bytes: RawSpan, _ path: ICEPath, at now: Timestamp, into output: inout EndpointOutput
    ) {
        counters.datagramsReceived &+= 1
        counters.octetsReceived &+= UInt64(bytes.byteCount)
        var reader = ByteReader(bytes)
        // Nobody can be answered at port 0 (RFC 6335 section 6).
        guard let first = reader.readUInt8(), path.remote.port != 0 else { return counters.refuse(.malformed) }
        switch first {
        case 0...3: receiveCheck(bytes, path, at: now, into: &output)
        case 20...63: receiveDTLS(bytes, path, at: now, into: &output)
        case 128...191: counters.refuse(.media)
        default: counters.refuse(.malformed)
        }
    }

    // MARK: Peers

    func peer(_ id: PeerID) -> Peer? {
        guard id.slot < slots.count, slots[Int(id.slot)].generation == id.generation else { return nil }
        return slots[Int(id.slot)].peer
    }

    /// Whether the name a peer came by is still one of ours.
    private func accepts(_ peer: Peer) -> Bool {
        if peer.name.kind.isDirect { return configuration.acceptance.direct === peer.name.context }
        return configuration.acceptance.identities.contains {
            $0.kind == peer.name.kind && $0.context === peer.name.context
                && peer.username.starts(with: $0.credentials.fragment.utf8)
        }
    }

    /// Makes a peer for a valid check, if there is room for one.
    mutating func addPeer(
        _ username: [UInt8], _ name: Name, _ path: ICEPath, at now: Timestamp, into output: inout EndpointOutput
    ) -> Peer? {
        let limits = configuration.limits
        // First its own address' share: nobody makes room for one that may not stay.
        guard ledger.addPeer(at: path.remote.address, now) else {
            counters.refuse(.tooManyPeers)
            return nil
        }
        if halfOpenCount >= limits.halfOpen { evictOldest(at: now, into: &output) }
        guard peerCount < limits.peers else {
            ledger.removePeer(at: path.remote.address, now)
            counters.refuse(.tooManyPeers)
            return nil
        }
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = slots.count
            slots.append(Slot())
        }
        let id = PeerID(slot: UInt32(truncatingIfNeeded: slot), generation: slots[slot].generation)
        let peer = Peer(id, username: username, name, home: path.remote.address, limits: limits, at: now)
        slots[slot].peer = peer
        byUsername[username] = peer
        arrivals.append(id)
        halfOpenCount += 1
        timers.update(peer)
        return peer
    }

    private mutating func evictOldest(at now: Timestamp, into output: inout EndpointOutput) {
        while firstArrival < arrivals.count {
            let id = arrivals[firstArrival]
            firstArrival += 1
            if let peer = peer(id), case .checked = peer.stage {
                disconnect(peer, .evicted, at: now, into: &output)
                break
            }
        }
    }

    /// Forgets arrivals that are past their first stage; the list holds no more than those of one connect time.
    private mutating func trimArrivals() {
        while firstArrival < arrivals.count {
            if let peer = peer(arrivals[firstArrival]), case .checked = peer.stage { break }
            firstArrival += 1
        }
        // The first may stay where it is for as long as it checks and begins nothing; what came after it moves up.
        if arrivals.count > 2 * configuration.limits.peers {
            arrivals = arrivals[firstArrival...].filter {
                if let peer = peer($0), case .checked = peer.stage { true } else { false }
            }
            firstArrival = 0
        }
        if firstArrival > 64, firstArrival > arrivals.count / 2 {
            arrivals.removeFirst(firstArrival)
            firstArrival = 0
        }
    }

    /// Notes how far a peer is.
    mutating func advance(_ peer: Peer, to stage: Peer.Stage, at now: Timestamp) {
        switch peer.stage {
        case .checked: halfOpenCount -= 1
        case .handshaking: ledger.endHandshake(at: peer.home, now)
        case .connected: connectionCount -= 1
        case .gone: break
        }
        peer.stage = stage
        switch stage {
        case .checked, .handshaking: break
        case .connected: connectionCount += 1
        case .gone: trimArrivals()
        }
    }

    /// Ends a peer's connection from our side.
    mutating func disconnect(
        _ peer: Peer, _ reason: DisconnectReason, at now: Timestamp, into output: inout EndpointOutput
    ) {
        _ = peer.transport?.handle(.close, at: now, into: &output.transport)
        output.takeDatagrams(of: peer)
        output.transport.consume()
        remove(peer, reason, at: now, into: &output)
    }

    /// Forgets a peer whose transport is over, or that had none.
    mutating func remove(
        _ peer: Peer, _ reason: DisconnectReason, at now: Timestamp, into output: inout EndpointOutput
    ) {
        if case .gone = peer.stage { return }
        counters.disconnections[reason, default: 0] &+= 1
        if case .connected = peer.stage { output.events.append(.disconnected(peer.id, reason)) }
        advance(peer, to: .gone, at: now)
        peer.transport = nil
        countHeld(by: peer)
        timers.remove(peer)
        if byUsername[peer.username] === peer { byUsername[peer.username] = nil }
        for address in peer.ice.remoteAddresses { release(address, by: peer) }
        ledger.removePeer(at: peer.home, now)
        slots[Int(peer.id.slot)].peer = nil
        slots[Int(peer.id.slot)].generation &+= 1
        freeSlots.append(Int(peer.id.slot))
    }

    /// Notes what a peer's messages hold now.
    private mutating func countHeld(by peer: Peer) {
        let held = peer.transport?.heldBytes ?? 0
        heldBytes += held - peer.heldBytes
        peer.heldBytes = held
    }

    /// Closes those that hold most until all together hold no more than they may. There is a walk through the peers for each one
    /// that is closed, and then somebody must fill its share again.
    private mutating func closeHoarders(at now: Timestamp, into output: inout EndpointOutput) {
        while heldBytes > configuration.limits.heldBytes,
            let peer = slots.lazy.compactMap(\.peer).max(by: { $0.heldBytes < $1.heldBytes })
        {
            disconnect(peer, .heldMost, at: now, into: &output)
        }
    }

    /// The peer whose address this is.
    func owner(of address: TransportAddress) -> Peer? {
        guard let peer = byAddress[address] else { return nil }
        if case .gone = peer.stage { return nil }
        return peer
    }

    /// An address is no longer a peer's; who else checked from it gets it.
    mutating func release(_ address: TransportAddress, by peer: Peer) {
        if challengers[address] === peer { challengers[address] = nil }
        if byAddress[address] === peer { byAddress[address] = challengers.removeValue(forKey: address) }
    }

    // MARK: Transports

    /// Hands something to a peer's transport.
    mutating func pass(
        _ input: borrowing TransportInput, to peer: Peer, at now: Timestamp, into output: inout EndpointOutput
    ) {
        peer.transportDeadline = peer.transport?.handle(input, at: now, into: &output.transport) ?? nil
        finish(peer, at: now, into: &output)
    }

    /// Carries out what a peer's transport said.
    mutating func finish(_ peer: Peer, at now: Timestamp, into output: inout EndpointOutput) {
        output.takeDatagrams(of: peer)
        var ending: DisconnectReason?
        for event in output.transport.events {
            switch event {
            case .message(let stream, let kind, let range):
                counters.messagesReceived &+= 1
                output.events.append(.message(peer.id, channel: stream, kind, range))
            case .connected(let other):
                advance(peer, to: .connected, at: now)
                peer.connectDeadline = nil
                counters.connections &+= 1
                output.events.append(
                    .connected(
                        peer.id,
                        EndpointConnection(
                            address: peer.path?.remote ?? TransportAddress(peer.home, port: 0),
                            identity: peer.name.kind, fingerprint: other.fingerprint)))
            case .channelOpening(let stream):
                output.events.append(.channelOpening(peer.id, channel: stream))
            case .channelOpened(let stream, let parameters, let isIncoming):
                output.events.append(.channelOpened(peer.id, channel: stream, parameters, isIncoming: isIncoming))
            case .channelClosed(let stream): output.events.append(.channelClosed(peer.id, channel: stream))
            case .sendRefused(let stream, let cause):
                counters.sendRefusals[cause, default: 0] &+= 1
                output.events.append(.sendRefused(peer.id, channel: stream, cause))
            case .unwritable: output.events.append(.unwritable(peer.id))
            case .writable: output.events.append(.writable(peer.id))
            case .refused(let cause): counters.channelRefusals[cause, default: 0] &+= 1
            case .closed(let reason):
                switch reason {
                case .closed: ending = .closed
                case .closedByPeer: ending = .closedByPeer
                case .dtlsFailed: ending = .dtlsFailed
                case .sctpFailed: ending = .sctpFailed
                }
            }
        }
        output.transport.consume()
        countHeld(by: peer)
        if let ending { return remove(peer, ending, at: now, into: &output) }
        if case .gone = peer.stage { return }
        peer.updateDeadline()
        timers.update(peer)
    }

    // MARK: Time

    private mutating func serveTimers(at now: Timestamp, into output: inout EndpointOutput) {
        while let peer = timers.due(at: now) {
            serve(peer, at: now, into: &output)
            // A deadline that has come and stays would keep us here for ever.
            if peer.timerPlace >= 0, peer.deadline <= now { peer.deadline = now + .milliseconds(1) }
        }
    }

    private mutating func serve(_ peer: Peer, at now: Timestamp, into output: inout EndpointOutput) {
        if let deadline = peer.connectDeadline, deadline <= now {
            // One that checks and checks and begins no handshake has one behind it, with an endpoint before this.
            guard case .checked = peer.stage, !peer.isStale, now < peer.ice.expiry else {
                return disconnect(peer, .tooSlow, at: now, into: &output)
            }
            return peer.condemn(at: now)
        }
        var isProbing = false
        if peer.consentDeadline <= now {
            switch peer.ice.consent(at: now) {
            case .fresh(let until): peer.consentDeadline = until
            case .probe(let until):
                peer.consentDeadline = until
                isProbing = true
            case .expired: return disconnect(peer, .silent, at: now, into: &output)
            }
        }
        if isProbing {
            pass(.probe, to: peer, at: now, into: &output)
            // Its timers are served with it, and the last of them ends the connection.
            if case .gone = peer.stage { return }
        }
        pass(.wake, to: peer, at: now, into: &output)
    }
}

extension EndpointOutput {
    /// Addresses the datagrams of a peer's transport.
    mutating func takeDatagrams(of peer: Peer) {
        guard !transport.datagrams.isEmpty, let path = peer.path else { return }
        for range in transport.datagrams {
            datagrams.append(EndpointDatagram(range: range, destination: path.remote, source: path.local))
        }
    }
}
