public import BoxRoom
import Credentials
import HummingbirdCore
public import Logging
public import NIOCore
public import PeerBroker
import SansIO

/// The shell of the broker: what comes over the connections in, the core's actions out, one timer.
///
/// All of its state lives on one event loop.
public final class SignalingServer: Sendable {
    /// Where the broker is found, and whom it serves.
    public struct Configuration: Sendable {
        /// The path below which the broker answers, `/` or `/something`.
        public var path: String
        /// The key clients must name.
        public var key: String
        /// What clients can make grow at most.
        public var limits: PeerBroker.Limits

        /// Makes a configuration.
        public init(path: String, key: String, limits: PeerBroker.Limits) {
            self.path = path
            self.key = key
            self.limits = limits
        }
    }

    private final class State {
        var broker: PeerBroker
        var output = PeerBroker.Output()
        var connections: [ConnectionID: Connection] = [:]
        /// Connections that were written to since the last flush.
        var unflushed: [Connection] = []
        var lastNumber: UInt64 = 0
        var timer: (deadline: Timestamp, task: Scheduled<Void>)?
        var protocolErrors: UInt64 = 0
        /// The broker's when `onPeople` was last called.
        var peopleRevision: UInt64 = 0
        let webSocketBuffers: WebSocketBuffers

        init(broker: PeerBroker, eventLoop: any EventLoop) {
            self.broker = broker
            webSocketBuffers = WebSocketBuffers(eventLoop: eventLoop)
        }
    }

    private final class Connection {
        let transport: any SignalingTransport
        var isUnflushed = false

        init(_ transport: any SignalingTransport) {
            self.transport = transport
        }
    }

    private let authority: RoomAuthority
    private let webSocketPath: String
    private let loop: any EventLoop
    private let logger: Logger
    private let onPeople: @Sendable () -> Void
    private let state: NIOLoopBoundBox<State>
    /// Bytes of one message; beyond it a transport ends the connection by itself rather than gather them.
    public let maximumMessageBytes: Int

    /// Makes a broker with nobody in it.
    /// - Parameters:
    ///   - configuration: where it is found, and whom it serves.
    ///   - authority: the room's credentials.
    ///   - eventLoop: the one loop on which every connection lives.
    ///   - logger: where it logs.
    ///   - onPeople: called on the event loop when people of the room, or their links, have changed; must return soon.
    public init(
        configuration: Configuration, authority: RoomAuthority, eventLoop: any EventLoop, logger: Logger,
        onPeople: @escaping @Sendable () -> Void = {}
    ) {
        self.authority = authority
        self.logger = logger
        self.onPeople = onPeople
        loop = eventLoop
        // PeerServer's WebSocket is at <path>/peerjs, whatever the key.
        webSocketPath = configuration.path == "/" ? "/peerjs" : configuration.path + "/peerjs"
        // The core answers a message that is a little too long in words; the transport cuts off what is far beyond.
        maximumMessageBytes = 2 * configuration.limits.frameBytes
        let broker = PeerBroker(
            key: configuration.key, generation: authority.credentials.generation, tokens: authority.sessionTokens,
            limits: configuration.limits, generator: SystemRandomNumberGenerator())
        state = NIOLoopBoundBox.makeBoxSendingValue(
            State(broker: broker, eventLoop: eventLoop), eventLoop: eventLoop)
    }

    /// Whether a WebSocket is served at this request target.
    func accepts(_ target: String) -> Bool {
        URI(target).path == webSocketPath
    }
}

// MARK: From the box, on any thread

extension SignalingServer {
    /// Sends everyone out: the authority's credentials have changed.
    public func rotate() async {
        await onLoop {
            self.handle(.rotated(generation: self.authority.credentials.generation), self.state.value)
        }
    }

    /// The broker's state, and how many WebSockets were closed for breaking the protocol.
    public func snapshot() async -> (broker: PeerBroker.Snapshot, protocolErrors: UInt64) {
        await onLoop { (self.state.value.broker.snapshot, self.state.value.protocolErrors) }
    }

    /// A fresh id that no client holds.
    func freshID() async -> String {
        await onLoop { self.state.value.broker.freshPeerID() }
    }

    /// The ids of connected PeerJS clients.
    func clientIDs() async -> [String] {
        await onLoop { self.state.value.broker.peerIDs }
    }

    private func onLoop<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        if let result = try? await loop.submit({
            defer { self.flush() }
            return body()
        }).get() {
            return result
        }
        // The loop lives as long as the process: it is never shut down before its users.
        preconditionFailure("the event loop ended before the broker")
    }
}

// MARK: From the connections, on the event loop

extension SignalingServer {
    /// A connection was accepted.
    /// - Parameters:
    ///   - transport: what carries it. The broker may use it, or close it, before this returns.
    ///   - opening: with what it was opened.
    /// - Returns: its name for the other calls.
    public func opened(_ transport: any SignalingTransport, _ opening: PeerBroker.Opening) -> ConnectionID {
        let state = state.value
        state.lastNumber += 1
        let id = ConnectionID(state.lastNumber)
        state.connections[id] = Connection(transport)
        handle(.opened(id, opening), state)
        return id
    }

    /// A text message has come.
    public func received(_ id: ConnectionID, text: RawSpan) { handle(.text(id, text), state.value) }

    /// A binary message has come.
    public func receivedBinary(_ id: ConnectionID) { handle(.binary(id), state.value) }

    /// A pong has come, or another sign that the other end lives.
    public func receivedPong(_ id: ConnectionID) { handle(.pong(id), state.value) }

    /// The connection's outgoing buffer is full, or has room again.
    public func writabilityChanged(_ id: ConnectionID, _ isWritable: Bool) {
        handle(.writable(id, isWritable), state.value)
    }

    /// The connection is gone. Once for each is enough; of one that the broker has closed it need not be told.
    public func closed(_ id: ConnectionID) {
        let state = state.value
        guard state.connections.removeValue(forKey: id) != nil else { return }
        handle(.closed(id), state)
    }

    /// Sends what was written: a transport calls it once for all the messages of one read, not once for each.
    public func flush() {
        let state = state.value
        guard !state.unflushed.isEmpty else { return }
        // A write that fails may end its connection, which may bring the next messages: they are for a later flush.
        var connections: [Connection] = []
        swap(&connections, &state.unflushed)
        for connection in connections {
            connection.isUnflushed = false
            connection.transport.flush()
        }
        connections.removeAll(keepingCapacity: true)
        if state.unflushed.isEmpty { swap(&connections, &state.unflushed) } else { flush() }
    }

    /// The box is going down: tells everyone, and lets nobody in any more.
    func shutDown() {
        handle(.shutdown, state.value)
        flush()
    }

    /// A client broke the WebSocket protocol.
    func countProtocolError() { state.value.protocolErrors += 1 }

    /// What all WebSockets of the event loop share.
    var webSocketBuffers: WebSocketBuffers { state.value.webSocketBuffers }

    private func handle(_ input: borrowing PeerBroker.Input, _ state: State) {
        // Carrying out an action may bring the next input (a write that fails closes its connection): each call has
        // an output of its own then, and the common case reuses one.
        var output = PeerBroker.Output()
        swap(&output, &state.output)
        let deadline = state.broker.handle(input, at: .now, into: &output)
        schedule(deadline, state)
        for action in output.actions { carryOut(action, output.bytes, state) }
        for event in output.events { log(event) }
        output.removeAll()
        swap(&output, &state.output)
        if state.broker.peopleRevision != state.peopleRevision {
            state.peopleRevision = state.broker.peopleRevision
            onPeople()
        }
    }

    private func carryOut(_ action: PeerBroker.Action, _ bytes: [UInt8], _ state: State) {
        switch action {
        case .send(let id, let range):
            guard let connection = state.connections[id] else { return }
            connection.transport.send(bytes.span.bytes.extracting(range))
            if !connection.isUnflushed {
                connection.isUnflushed = true
                state.unflushed.append(connection)
            }
        case .ping(let id):
            state.connections[id]?.transport.ping()
        case .close(let id, let code, let reason):
            state.connections.removeValue(forKey: id)?.transport.close(code: code, reason: reason)
        }
    }

    private func schedule(_ deadline: Timestamp?, _ state: State) {
        guard let deadline else { return }
        // An earlier call than asked for does no harm, and saves a rescheduling for each frame.
        if let timer = state.timer, timer.deadline <= deadline { return }
        state.timer?.task.cancel()
        let task = loop.assumeIsolatedUnsafeUnchecked().scheduleTask(
            deadline: .uptimeNanoseconds(min(deadline.nanoseconds, UInt64(Int64.max)))
        ) {
            state.timer = nil
            self.handle(.timer, state)
            self.flush()
        }
        state.timer = (deadline, task)
    }

    private func log(_ event: PeerBroker.Event) {
        switch event {
        case .attached(_, let id, let address, let again):
            logger.info("\(id) \(again ? "is back" : "came") from \(address)")
        case .refused(_, let id, let address, let refusal):
            logger.info("refused \(id ?? "a client without an id") from \(address): \(refusal.rawValue)")
        case .detached(_, let id, let departure):
            logger.info("\(id) lost its connection: \(departure.rawValue)")
        case .left(let id):
            logger.info("\(id) has left the room")
        case .rotated(let generation, let connections):
            logger.notice("\(connections) connections were closed for generation \(generation)")
        }
    }
}

extension Timestamp {
    /// The present reading of the event loops' clock.
    static var now: Timestamp { Timestamp(nanoseconds: NIODeadline.now().uptimeNanoseconds) }
}
