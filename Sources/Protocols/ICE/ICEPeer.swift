public import SansIO
public import Wire

/// Where packets go: a peer's address and the one of ours it uses; for a lite agent, whose candidates are all host
/// candidates, this is a candidate pair (RFC 8445 section 6.1.2.2).
public struct ICEPath: Hashable, Sendable {
    /// The peer's address.
    public var remote: TransportAddress
    /// The machine's address the peer sends to.
    public var local: IPAddress

    /// Makes a path.
    @inlinable
    public init(remote: TransportAddress, local: IPAddress) {
        self.remote = remote
        self.local = local
    }
}

/// What a lite agent keeps of one full agent: its valid paths, the selected one, and when it was last heard.
///
/// **Consent.** RFC 7675 has an agent send checks of its own to learn whether the peer still wants packets. A lite agent
/// sends none, but the full agent's checks and every packet that DTLS authenticates say the same. Chromium checks its
/// selected pair every 2.5 s, Firefox and aiortc every 4 to 6 s, none of them with retransmission: a peer counted out after
/// 8 s would fall to a single lost check of the latter. So after ``quiet`` without a sign of life it is probed,
/// again after each ``probeInterval``, with a packet the peer must acknowledge (an SCTP HEARTBEAT). In the 8 s there are
/// then five probes and one check at least; with 5 % loss each way all of them are lost once in more than a million silences,
/// with 20 % once in 400. Chromium, checking more often than that, is hardly ever probed.
public struct ICEPeer: Sendable {
    /// Silence after which a peer is gone.
    public static let expiry = Duration.seconds(8)
    /// Silence after which a peer is probed.
    public static let quiet = Duration.seconds(3)
    /// Time from one probe to the next.
    public static let probeInterval = Duration.seconds(1)
    /// Paths kept for a peer; a phone has a few addresses, the box has a few. Beyond, the one checked longest ago goes.
    public static let pathLimit = 16
    /// How long a nomination stands against one of lower priority.
    static let settling = Duration.seconds(1)

    struct ValidPath {
        var path: ICEPath
        var checked: Timestamp
        var isNominated: Bool
    }

    /// The path that packets to the peer take; nil before a nomination.
    public private(set) var selected: ICEPath?
    private var selectedPriority: UInt32 = 0
    private var nominated: Timestamp
    private var lastSign: Timestamp
    private var lastProbe: Timestamp
    private(set) var paths: [ValidPath] = []

    /// What a sign of life changed.
    public enum Change: Hashable, Sendable {
        /// Nothing.
        case none
        /// The first path was selected.
        case selected
        /// Another path was selected: the peer moved.
        case moved
    }

    /// Makes a peer that was heard but not checked yet.
    public init(at now: Timestamp) {
        nominated = now
        lastSign = now
        lastProbe = now
    }

    /// Takes in a valid check.
    ///
    /// The latest nomination decides (RFC 8445 section 8.1.1: a full agent that faces a lite one nominates a pair, and a later
    /// one when it changes its mind). Agents of RFC 5245 may nominate every pair they check; among nominations within a
    /// second of each other the highest priority wins (RFC 5245 section 8.1.1.2).
    /// - Parameters:
    ///   - path: where it came from, and to which of our addresses.
    ///   - priority: its PRIORITY.
    ///   - isNominating: whether it has USE-CANDIDATE.
    ///   - now: the present time.
    /// - Returns: what changed, and a remote address that no longer belongs to the peer, if one had to go.
    public mutating func check(
        on path: ICEPath, priority: UInt32, isNominating: Bool, at now: Timestamp
    ) -> (change: Change, forgotten: TransportAddress?) {
        let forgotten = remember(path, isNominating: isNominating, at: now)
        live(at: now)
        guard isNominating else { return (.none, forgotten) }
        if path == selected {
            nominated = now
            selectedPriority = priority
            return (.none, forgotten)
        }
        guard selected == nil || priority >= selectedPriority || now - nominated > Self.settling else {
            return (.none, forgotten)
        }
        return (select(path, priority: priority, at: now), forgotten)
    }

    /// Takes in a packet that was proven to come from the peer.
    ///
    /// One on another path that was nominated before means that the peer uses this path now; it need not wait for the
    /// next nomination.
    /// - Parameters:
    ///   - path: where it came from, and to which of our addresses.
    ///   - now: the present time.
    /// - Returns: what changed.
    public mutating func receive(on path: ICEPath, at now: Timestamp) -> Change {
        live(at: now)
        guard path != selected, paths.contains(where: { $0.isNominated && $0.path == path }) else { return .none }
        return select(path, priority: 0, at: now)
    }

    /// Takes over the paths another peer has checked: the same agent by the name it took when it restarted ICE
    /// (RFC 8445 section 9).
    /// - Parameter other: the peer of the new name.
    public mutating func adopt(_ other: ICEPeer) {
        for path in other.paths where !paths.contains(where: { $0.path == path.path }) && paths.count < Self.pathLimit {
            paths.append(path)
        }
    }

    /// Forgets the paths from an address that is another agent's now.
    /// - Parameter remote: an address that is not the selected path's.
    public mutating func forget(_ remote: TransportAddress) {
        paths.removeAll { $0.path.remote == remote }
    }

    private mutating func select(_ path: ICEPath, priority: UInt32, at now: Timestamp) -> Change {
        let change: Change = selected == nil ? .selected : .moved
        selected = path
        selectedPriority = priority
        nominated = now
        return change
    }

    private mutating func live(at now: Timestamp) {
        lastSign = now
        lastProbe = now
    }

    /// Whether packets may come from `path`: a valid check came on it.
    public func isValid(_ path: ICEPath) -> Bool {
        path == selected || paths.contains { $0.path == path }
    }

    /// The addresses the peer has checked from, each as often as it has paths.
    public var remoteAddresses: [TransportAddress] { paths.map(\.path.remote) }

    private mutating func remember(
        _ path: ICEPath, isNominating: Bool, at now: Timestamp
    ) -> TransportAddress? {
        if let index = paths.firstIndex(where: { $0.path == path }) {
            paths[index].checked = now
            if isNominating { paths[index].isNominated = true }
            return nil
        }
        paths.append(ValidPath(path: path, checked: now, isNominated: isNominating))
        guard paths.count > Self.pathLimit,
            let oldest = paths.indices.filter({ paths[$0].path != selected })
                .min(by: { paths[$0].checked < paths[$1].checked })
        else { return nil }
        let remote = paths.remove(at: oldest).path.remote
        return paths.contains { $0.path.remote == remote } ? nil : remote
    }

    // MARK: Consent

    /// How a peer stands.
    public enum Consent: Hashable, Sendable {
        /// Nothing is to be done before the time given.
        case fresh(until: Timestamp)
        /// The peer is to be probed now. That it was has been noted.
        case probe(until: Timestamp)
        /// The peer is gone.
        case expired
    }

    /// When the peer is gone unless it is heard of before.
    public var expiry: Timestamp { lastSign + Self.expiry }

    /// When ``consent(at:)`` has something new to say.
    public var consentDeadline: Timestamp {
        min(lastSign + Self.expiry, max(lastSign + Self.quiet, lastProbe + Self.probeInterval))
    }

    /// Says how the peer stands, and what to do.
    /// - Parameter now: the present time.
    public mutating func consent(at now: Timestamp) -> Consent {
        if now >= lastSign + Self.expiry { return .expired }
        guard now >= consentDeadline else { return .fresh(until: consentDeadline) }
        lastProbe = now
        return .probe(until: consentDeadline)
    }
}
