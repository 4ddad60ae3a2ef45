public import Credentials
public import SansIO

/// PeerServer's rules (peers/peerjs-server 1.0.2) and the room's.
///
/// A client opens a WebSocket with an id and a token, gets `OPEN`, and from then on messages with that id as their
/// `dst` reach it. Ids that begin with `kl-` belong to members of the room: their tokens are signed by the box, they
/// see who else is there, and they keep their place through a lost connection. Members and other clients do not hear
/// each other.
///
/// The broker has no socket and no clock. The shell passes every happening to `handle`, carries out the actions it
/// answers, and calls again with `.timer` at the time it asks for.
public struct PeerBroker: Sendable {
    /// What `GET /` tells of a PeerServer, and the key of its clients unless told otherwise.
    public static let standardKey = "peerjs"

    /// Makes a broker with nobody in it.
    /// - Parameters:
    ///   - key: what clients must give as `key`.
    ///   - generation: the room's present generation.
    ///   - tokens: verifies members' tokens.
    ///   - limits: what clients can make grow at most.
    ///   - generator: a cryptographically secure generator, for fresh ids.
    public init(
        key: String = PeerBroker.standardKey, generation: UInt32, tokens: SessionTokens, limits: Limits = Limits(),
        generator: any RandomNumberGenerator & Sendable
    ) {
        self.key = key
        self.generation = generation
        self.tokens = tokens
        self.limits = limits
        self.generator = generator
    }

    let key: String
    var generation: UInt32
    let tokens: SessionTokens
    var limits: Limits
    var generator: any RandomNumberGenerator & Sendable
    var counters = Counters()

    /// Takes one input and says what to do.
    /// - Parameters:
    ///   - input: what has happened.
    ///   - now: the present time.
    ///   - output: gets what to do and what to log, behind what it holds already.
    /// - Returns: when to call again with `.timer` at the latest; nil if there is nothing to wait for. Each call's
    ///   answer replaces the one before.
    public mutating func handle(_ input: borrowing Input, at now: Timestamp, into output: inout Output) -> Timestamp? {
        nil
    }

    /// A fresh id that no client holds, for `GET /<key>/id`.
    public mutating func freshPeerID() -> String { Identifiers.freshPeer(using: &generator) }

    /// The ids of connected clients for `GET /<key>/peers`, sorted. Members are not among them: their ids are the
    /// room's affair.
    public var peerIDs: [String] { [] }

    /// The state for `status` and metrics.
    public var snapshot: Snapshot {
        Snapshot(
            generation: generation, people: [], plainClients: 0, waiting: 0, queuedMessages: 0, queuedBytes: 0,
            counters: counters)
    }
}
