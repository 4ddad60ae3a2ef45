public import BoxRoom
public import BoxState
import BoxUDP
public import BoxWeb
import DTLS
import Glibc
public import Hub
import ICE
import LANHub
public import Logging
public import NIOCore
import Synchronization
public import WebRTCDirect

/// The LAN hub on a UDP port of this machine: what Kibitz's hosted page dials, what the box's own page goes by when a phone
/// distrusts its certificate, and WebRTC Direct for other programs.
///
/// Every method may be called from any thread.
public final class HubServer: Sendable {
    /// What is served, and where.
    public struct Configuration: Sendable {
        /// The UDP port; nil for the identity's, or the first free one of those that are usual.
        public var port: UInt16?
        /// Whether the well-known identity is answered to.
        public var discovery: Bool
        /// Whether WebRTC Direct is served, with an echo.
        public var echoes: Bool

        /// Makes a configuration.
        public init(port: UInt16? = nil, discovery: Bool = false, echoes: Bool = false) {
            self.port = port
            self.discovery = discovery
            self.echoes = echoes
        }
    }

    /// What happened to the hub's socket.
    public struct SocketCounters: Hashable, Sendable {
        /// Datagrams dropped because they were too long to be taken in one piece.
        public internal(set) var oversized: UInt64 = 0
        /// Datagrams dropped because it is not known where they came from or were sent to.
        public internal(set) var unaddressed: UInt64 = 0
        /// Datagrams not sent because the socket's buffer was full.
        public internal(set) var sendBufferFull: UInt64 = 0
        /// Datagrams the system refused to send: no route, a firewall, or too long for the network.
        public internal(set) var sendRefused: UInt64 = 0

        /// Counters at zero.
        public init() {}
    }

    /// The hub's state at one time.
    public struct Snapshot: Sendable {
        /// The frames and rooms.
        public var hub = Hub.Snapshot()
        /// The packets.
        public var endpoint = EndpointCounters()
        /// Phones that are connected.
        public var peers = 0
        /// The socket.
        public var socket = SocketCounters()

        /// A hub that does nothing.
        public init() {}

        init(_ hub: LANHub.Snapshot, socket: SocketCounters) {
            self.hub = hub.hub
            endpoint = hub.endpoint
            peers = hub.phones
            self.socket = socket
        }
    }

    /// Ports the hub looks for at the first start, in this order.
    public static let usualPorts: [UInt16] = [4711, 4712, 4713, 9711, 19711]

    private let configuration: Configuration
    private let state: StateDirectory
    private let authority: RoomAuthority
    private let room: RoomEntrance
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let onClients: @Sendable () -> Void
    private let present: Mutex<HubIdentity>
    private let engine: NIOLoopBoundBox<HubEngine?>
    private let ids: HubIDs

    /// Makes a hub that does not run yet, and its identity at the first start.
    /// - Parameters:
    ///   - configuration: what is served, and where.
    ///   - state: where the identity is kept.
    ///   - authority: the room's credentials.
    ///   - room: where channels labelled `room` lead.
    ///   - eventLoop: the one event loop that owns the socket.
    ///   - logger: where to log.
    ///   - onClients: called on the event loop when clients of the hub have come or gone; must return soon.
    /// - Throws: errors whose description tells the owner what to do.
    public init(
        configuration: Configuration, state: StateDirectory, authority: RoomAuthority, room: RoomEntrance,
        eventLoop: any EventLoop, logger: Logger, onClients: @escaping @Sendable () -> Void = {}
    ) throws {
        self.onClients = onClients
        self.configuration = configuration
        self.state = state
        self.authority = authority
        self.room = room
        self.eventLoop = eventLoop
        self.logger = logger
        present = Mutex(try HubIdentity(in: state))
        engine = .makeEmptyBox(valueType: HubEngine.self, eventLoop: eventLoop)
        ids = try HubIDs(in: state, logger: logger)
    }

    /// Who the hub is; its port is known once the hub has run.
    public var identity: HubIdentity { present.withLock { $0 } }

    /// Binds the port and serves.
    /// - Throws: ``HubError`` when no port can be had; `StateError` when the identity can't be stored.
    public func start() async throws {
        var identity = identity
        let first = try ids.first()
        let acceptance = try acceptance(of: identity)
        let candidates = (configuration.port ?? identity.port).map { [$0] } ?? Self.usualPorts
        var problem: HubError?
        for port in candidates {
            do {
                try await eventLoop.flatSubmit { self.start(on: port, first, acceptance) }.get()
            } catch let error as SocketError {
                problem = HubError(error, port: port, tried: candidates)
                continue
            }
            if identity.port != port {
                identity.port = port
                let known = identity
                present.withLock { $0 = known }
                try identity.store(in: state)
            }
            logger.info("the LAN hub is served", metadata: ["port": "\(port)"])
            return
        }
        if let problem { throw problem }
    }

    private func acceptance(of identity: HubIdentity) throws -> EndpointAcceptance {
        func named(_ kind: EndpointIdentityKind, _ identity: HubIdentity) throws -> EndpointIdentity? {
            guard let credentials = ICECredentials(fragment: identity.ufrag, password: identity.pwd) else { return nil }
            return EndpointIdentity(
                kind, credentials: credentials,
                context: try DTLSContext(identity: identity.certificate, role: .server))
        }
        let own = try named(.own, identity)
        let wellKnown = configuration.discovery ? try named(.wellKnown, WellKnownIdentity.identity()) : nil
        return EndpointAcceptance(
            identities: [own, wellKnown].compactMap(\.self), direct: configuration.echoes ? own?.context : nil)
    }

    private func start(
        on port: UInt16, _ ids: ClosedRange<Int64>, _ acceptance: EndpointAcceptance
    ) -> EventLoopFuture<Void> {
        guard engine.value == nil else { return eventLoop.makeFailedFuture(HubError.alreadyRunning) }
        let hub = LANHub(
            endpoint: EndpointConfiguration(acceptance: acceptance),
            hub: Hub(ids: ids, retired: authority.retiredSecrets, tokens: authority.hubTokens),
            hasEcho: configuration.echoes, generator: SystemRandomNumberGenerator())
        let engine = HubEngine(
            hub, room: room, eventLoop: eventLoop, logger: logger, onClients: onClients,
            reserve: { [ids = self.ids] in ids.reserve(through: $0) })
        do {
            let listening = try engine.listen(on: port)
            self.engine.value = engine
            return listening.flatMapErrorThrowing { error in
                // The next port is tried with a new one.
                self.engine.value?.stop()
                self.engine.value = nil
                throw error
            }
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
    }

    /// Closes every connection and the socket.
    public func stop() async {
        await withCheckedContinuation { continuation in
            eventLoop.execute {
                self.engine.value?.stop()
                self.engine.value = nil
                continuation.resume()
            }
        }
    }

    /// The room's secret was changed: whoever is in the room of the former one is told so and closed.
    public func retire(_ secret: String) async {
        await withCheckedContinuation { continuation in
            eventLoop.execute {
                self.engine.value?.retire(secret)
                continuation.resume()
            }
        }
    }

    /// The present state; empty while the hub does not run.
    public func snapshot() async -> Snapshot {
        await withCheckedContinuation { continuation in
            eventLoop.execute { continuation.resume(returning: self.engine.value?.snapshot ?? Snapshot()) }
        }
    }
}

/// Why a ``HubServer`` does not start. The description says what to do.
public enum HubError: Error, Equatable, CustomStringConvertible {
    /// Other programs have the ports.
    case portInUse([UInt16])
    /// The port needs a privilege.
    case portForbidden(UInt16)
    /// The system refused for another reason.
    case socket(String)
    /// The hub runs already.
    case alreadyRunning

    init(_ error: SocketError, port: UInt16, tried: [UInt16]) {
        self =
            switch error.number {
            case EADDRINUSE: .portInUse(tried)
            case EACCES, EPERM: .portForbidden(port)
            default: .socket("\(error)")
            }
    }

    /// What went wrong and what to do about it.
    public var description: String {
        switch self {
        case .portInUse(let ports) where ports.count == 1:
            "UDP port \(ports[0]), the LAN hub's, is taken by another program; stop that one "
                + "(`ss -ulpn 'sport = :\(ports[0])'` shows it), set hub.port to another (old hub links then stop working), "
                + "or set hub.enabled to false"
        case .portInUse(let ports):
            "the UDP ports of the LAN hub (\(ports.map { "\($0)" }.joined(separator: ", "))) are all taken by other "
                + "programs; set hub.port to a free one, or hub.enabled to false"
        case .portForbidden(let port):
            "UDP port \(port) may not be used by this user; run with CAP_NET_BIND_SERVICE or set hub.port above 1023"
        case .socket(let reason): "the UDP socket of the LAN hub cannot be opened: \(reason)"
        case .alreadyRunning: "the LAN hub is running already"
        }
    }
}
