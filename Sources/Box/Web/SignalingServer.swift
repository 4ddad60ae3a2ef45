public import BoxRoom
import Credentials
import HummingbirdCore
public import Logging
public import NIOCore
import NIOWebSocket
public import PeerBroker
import SansIO
import Wire

/// The shell of the broker: WebSockets in, the core's actions out, one timer.
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

    /// Beyond these many bytes that a client has not read, it counts as a slow reader; the broker gives it time.
    static let writeBufferWaterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 16 << 10, high: 64 << 10)

    /// Bytes of the storage for unmasking that are kept from one message to the next.
    static let keptScratch = 16 << 10

    private final class State {
        var broker: PeerBroker
        var output = PeerBroker.Output()
        var connections: [ConnectionID: Connection] = [:]
        /// Connections that were written to since the last flush.
        var unflushed: [Connection] = []
        /// Where a message is unmasked; kept, so that a message costs no allocation.
        var scratch = ByteBuffer()
        var lastNumber: UInt64 = 0
        var timer: (deadline: Timestamp, task: Scheduled<Void>)?
        var protocolErrors: UInt64 = 0

        init(broker: PeerBroker) {
            self.broker = broker
        }
    }

    private final class Connection {
        let handler: WebSocketHandler
        let context: ChannelHandlerContext
        /// Frames that go out with the next flush, in one piece.
        private var unsent = ByteBuffer()

        init(handler: WebSocketHandler, context: ChannelHandlerContext) {
            self.handler = handler
            self.context = context
        }

        /// Queues a text message.
        /// - Returns: whether it is the first since the last flush.
        func queue(_ text: ArraySlice<UInt8>) -> Bool {
            let isFirst = unsent.readableBytes == 0
            unsent.writeTextFrame(text)
            return isFirst
        }

        func flush() {
            guard unsent.readableBytes > 0 else { return }
            var frames = ByteBuffer()
            swap(&frames, &unsent)
            handler.writeAndFlush(frames)
        }
    }

    private let authority: RoomAuthority
    private let webSocketPath: String
    private let loop: any EventLoop
    private let logger: Logger
    private let state: NIOLoopBoundBox<State>
    /// Bytes of one WebSocket message; beyond it the connection is closed.
    let maxFrameSize: Int

    /// Makes a broker with nobody in it.
    /// - Parameters:
    ///   - configuration: where it is found, and whom it serves.
    ///   - authority: the room's credentials.
    ///   - eventLoop: the one loop on which every connection lives.
    ///   - logger: where it logs.
    public init(configuration: Configuration, authority: RoomAuthority, eventLoop: any EventLoop, logger: Logger) {
        self.authority = authority
        self.logger = logger
        loop = eventLoop
        // PeerServer's WebSocket is at <path>/peerjs, whatever the key.
        webSocketPath = configuration.path == "/" ? "/peerjs" : configuration.path + "/peerjs"
        // The core answers a message that is a little too long in words; the decoder cuts off what is far beyond.
        maxFrameSize = 2 * configuration.limits.frameBytes
        let broker = PeerBroker(
            key: configuration.key, generation: authority.credentials.generation, tokens: authority.sessionTokens,
            limits: configuration.limits, generator: SystemRandomNumberGenerator())
        state = NIOLoopBoundBox.makeBoxSendingValue(State(broker: broker), eventLoop: eventLoop)
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
        await onLoop { self.handle(.rotated(generation: self.authority.credentials.generation)) }
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
    /// A WebSocket was accepted.
    func opened(_ context: ChannelHandlerContext, handler: WebSocketHandler, uri: String) -> ConnectionID {
        let state = state.value
        state.lastNumber += 1
        let id = ConnectionID(state.lastNumber)
        state.connections[id] = Connection(handler: handler, context: context)
        let query = URI(uri).query ?? ""
        func value(_ name: String) -> String? { queryValue(name, in: query) }
        handle(
            .opened(
                id,
                PeerBroker.Opening(
                    key: value("key"), id: value("id"), token: value("token"), version: value("version"),
                    address: IPAddress(context.remoteAddress))))
        return id
    }

    /// A text message has come, in one frame and masked.
    func received(_ id: ConnectionID, text: ByteBuffer, maskedWith key: WebSocketMaskingKey) {
        let state = state.value
        var scratch = ByteBuffer()
        swap(&scratch, &state.scratch)
        scratch.clear()
        scratch.writeUnmasked(text, key)
        handle(.text(id, scratch.readableBytesSpan))
        // A long message is rare; its storage is not kept.
        if scratch.capacity <= Self.keptScratch { swap(&scratch, &state.scratch) }
    }

    /// A text message has come.
    func received(_ id: ConnectionID, text: ByteBuffer) { handle(.text(id, text.readableBytesSpan)) }

    /// A binary message has come.
    func receivedBinary(_ id: ConnectionID) { handle(.binary(id)) }

    /// A pong has come.
    func receivedPong(_ id: ConnectionID) { handle(.pong(id)) }

    /// The connection's outgoing buffer is full, or has room again.
    func writabilityChanged(_ id: ConnectionID, _ isWritable: Bool) { handle(.writable(id, isWritable)) }

    /// The connection is gone.
    func closed(_ id: ConnectionID) {
        guard state.value.connections.removeValue(forKey: id) != nil else { return }
        handle(.closed(id))
    }

    /// The box is going down: tells everyone, and lets nobody in any more.
    func shutDown() {
        handle(.shutdown)
        flush()
    }

    /// A client broke the WebSocket protocol.
    func countProtocolError() { state.value.protocolErrors += 1 }

    /// Sends what was written: once for all the messages of one read, not once for each.
    func flush() {
        let state = state.value
        for connection in state.unflushed { connection.flush() }
        state.unflushed.removeAll(keepingCapacity: true)
    }

    private func handle(_ input: borrowing PeerBroker.Input) {
        let state = state.value
        // Carrying out an action may bring the next input (a write that fails closes its connection): each call has
        // an output of its own then, and the common case reuses one.
        var output = PeerBroker.Output()
        swap(&output, &state.output)
        let deadline = state.broker.handle(input, at: .now, into: &output)
        schedule(deadline)
        for action in output.actions { carryOut(action, bytes: output.bytes) }
        for event in output.events { log(event) }
        output.removeAll()
        swap(&output, &state.output)
    }

    private func carryOut(_ action: PeerBroker.Action, bytes: [UInt8]) {
        let state = state.value
        switch action {
        case .send(let id, let range):
            guard let connection = state.connections[id] else { return }
            if connection.queue(bytes[range]) { state.unflushed.append(connection) }
        case .ping(let id):
            guard let connection = state.connections[id] else { return }
            connection.flush()
            connection.handler.write(connection.context, opcode: .ping, ByteBuffer())
            connection.context.flush()
        case .close(let id, let code, let reason):
            guard let connection = state.connections.removeValue(forKey: id) else { return }
            connection.flush()
            connection.handler.close(
                connection.context, code: WebSocketErrorCode(codeNumber: Int(code.rawValue)), reason: reason)
        }
    }

    private func schedule(_ deadline: Timestamp?) {
        let state = state.value
        guard let deadline else { return }
        // An earlier call than asked for does no harm, and saves a rescheduling for each frame.
        if let timer = state.timer, timer.deadline <= deadline { return }
        state.timer?.task.cancel()
        let task = loop.assumeIsolatedUnsafeUnchecked().scheduleTask(
            deadline: .uptimeNanoseconds(min(deadline.nanoseconds, UInt64(Int64.max)))
        ) {
            state.timer = nil
            self.handle(.timer)
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

extension IPAddress {
    /// The address of a socket's other end; the unspecified one when it is gone.
    init(_ address: SocketAddress?) {
        guard case .v4? = address else {
            self = .v4(0)
            return
        }
        self = .v4(
            address?.withSockAddr { pointer, size in
                // struct sockaddr_in (ip(7)): family, port, then the address in network byte order.
                UInt32(bigEndian: UnsafeRawPointer(pointer).loadUnaligned(fromByteOffset: 4, as: UInt32.self))
            } ?? 0)
    }
}
