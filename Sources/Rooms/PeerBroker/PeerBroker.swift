public import Credentials
public import SansIO
import Wire

/// PeerServer's rules (peers/peerjs-server 1.0.2) and the room's.
///
/// A client opens a WebSocket with an id and a token, gets `OPEN`, and from then on messages with that id as their
/// `dst` reach it. Ids that begin with `kl-` belong to members of the room: their tokens are signed by the box, they
/// see who else is there, and they keep their place through a lost connection. Members and other clients do not hear
/// each other.
///
/// The broker has no socket and no clock. The shell passes every happening to `handle`, carries out the actions it
/// answers, and calls again with `.timer` at the time it asks for.
public struct PeerBroker {
    /// The key of PeerJS's clients unless told otherwise.
    public static let standardKey = "peerjs"

    let key: String
    let tokens: SessionTokens
    var generation: UInt32
    var limits: Limits
    var generator: any RandomNumberGenerator & Sendable

    /// Every connection that has not been closed.
    var connections: [ConnectionID: Connection] = [:]
    /// How many of them come from each address.
    var connectionsOfAddress: [IPAddress: Int] = [:]
    /// The connection that holds each id.
    var holders: [String: ConnectionID] = [:]
    /// The connections that wait for an id while its holder is probed, in the order in which they came.
    var waiting: [String: [ConnectionID]] = [:]
    /// Ids that have lost their holder during this call, for which somebody waits.
    var freed: [String] = []
    var queues = MessageQueues()
    var room = Room()
    var counters = Counters()
    var isShutDown = false
    /// No later than the first time at which there is something to do.
    var wake: Timestamp?

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

    /// Takes one input and says what to do.
    /// - Parameters:
    ///   - input: what has happened.
    ///   - now: the present time.
    ///   - output: gets what to do and what to log, behind what it holds already.
    /// - Returns: when to call again with `.timer`; nil if there is nothing to wait for. Each call's answer replaces
    ///   the one before.
    public mutating func handle(_ input: borrowing Input, at now: Timestamp, into output: inout Output) -> Timestamp? {
        switch copy input {
        case .opened(let connection, let opening): open(connection, opening, now, &output)
        case .text(let connection, let frame): receive(frame, from: connection, now, &output)
        case .binary(let connection): receiveBinary(from: connection, now, &output)
        case .pong(let connection): receivePong(from: connection, now, &output)
        case .writable(let connection, let isWritable): setWritable(isWritable, connection, now)
        case .closed(let connection): detach(connection, because: .closed, now, &output)
        case .timer: break
        case .rotated(let generation): rotate(to: generation, &output)
        case .limits(let limits): self.limits = limits
        case .shutdown: shutDown(&output)
        }
        if let wake, wake <= now { expire(now, &output) }
        settle(now, &output)
        return wake
    }

    /// A fresh id that no client holds, for `GET /<key>/id`.
    public mutating func freshPeerID() -> String {
        var id = Identifiers.freshPeer(using: &generator)
        while holders[id] != nil { id = Identifiers.freshPeer(using: &generator) }
        return id
    }

    /// The ids of connected clients for `GET /<key>/peers`, sorted. Members are not among them: their ids are the
    /// room's affair.
    public var peerIDs: [String] {
        holders.keys.filter { !$0.hasPrefix(Identifiers.memberPrefix) }.sorted()
    }

    /// Counts the changes of who is in the room and of how their links do: while it stays, so do the people of ``snapshot``.
    public var peopleRevision: UInt64 { room.revision &+ room.linkRevision }

    /// The state for `status` and metrics.
    public var snapshot: Snapshot {
        let people = room.inOrder.map { member in
            Person(
                id: member.id, name: member.name, camera: member.camera, microphone: member.microphone,
                away: member.isAway, links: member.links, address: member.address)
        }
        return Snapshot(
            generation: generation, people: people,
            plainClients: connections.values.count { !$0.isWaiting && !$0.isMember },
            waiting: connections.values.count(where: \.isWaiting), queuedMessages: queues.count,
            queuedBytes: queues.byteCount, counters: counters)
    }

    // MARK: The end of each call

    /// Asks to be called at `time` at the latest.
    mutating func schedule(_ time: Timestamp) {
        wake = wake.map { min($0, time) } ?? time
    }

    /// Does what the call has left to do: lets in those who wait for a freed id, and sends out the roster.
    private mutating func settle(_ now: Timestamp, _ output: inout Output) {
        while let id = freed.popLast() { admitWaiting(for: id, now, &output) }
        for (id, connection) in room.takePush(at: now) { sendRoster(to: id, on: connection, now, &output) }
        // A roster may have found a slow reader and closed it.
        while let id = freed.popLast() { admitWaiting(for: id, now, &output) }
    }

    // MARK: Everyone out

    private mutating func rotate(to generation: UInt32, _ output: inout Output) {
        guard generation != self.generation else { return }
        self.generation = generation
        output.events.append(.rotated(generation: generation, connections: connections.count))
        closeAll(.rotated, reason: "rotated", because: .rotated, &output) { isMember, output in
            // A PeerJS client has no use for a type it does not know.
            if isMember { output.write(.rotated) } else { nil }
        }
    }

    private mutating func shutDown(_ output: inout Output) {
        isShutDown = true
        closeAll(.goingAway, reason: "the box is going down", because: .shutdown, &output) { _, _ in nil }
    }

    private mutating func closeAll(
        _ code: CloseCode, reason: String, because departure: Departure, _ output: inout Output,
        farewell: (_ isMember: Bool, inout Output) -> Range<Int>?
    ) {
        for (connection, state) in connections.sorted(by: { $0.key < $1.key }) {
            if let message = farewell(state.isMember, &output) { output.actions.append(.send(connection, message)) }
            output.actions.append(.close(connection, code, reason: reason))
            if !state.isWaiting { output.events.append(.detached(connection, id: state.id, departure)) }
        }
        connections = [:]
        connectionsOfAddress = [:]
        holders = [:]
        waiting = [:]
        freed = []
        queues = MessageQueues()
        room = Room()
        wake = nil
    }
}
