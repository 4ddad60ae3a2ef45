import BoxUDP
import Glibc
public import Logging
public import NIOCore
public import TURN
public import Wire

/// STUN and TURN on a UDP port of this machine (RFC 8489, RFC 8656), on one event loop.
///
/// Every method may be called from any thread.
public final class RelayServer: Sendable {
    /// What is served, and where.
    public struct Configuration: Sendable {
        /// The UDP port; 0 for any free one.
        public var port: UInt16
        /// Whether IPv6 is served too, where the machine has it.
        public var servesIPv6: Bool
        /// Whom the server serves, and how much.
        public var turn: TURNConfiguration

        /// Makes a configuration.
        /// - Parameters:
        ///   - port: the UDP port; STUN's own, 3478, unless given.
        ///   - servesIPv6: whether IPv6 is served too.
        ///   - turn: whom the server serves, and how much.
        public init(port: UInt16 = 3478, servesIPv6: Bool = false, turn: TURNConfiguration) {
            self.port = port
            self.servesIPv6 = servesIPv6
            self.turn = turn
        }
    }

    private let configuration: Configuration
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let passwords: TURNServer.PasswordLookup
    private let engine: NIOLoopBoundBox<RelayEngine?>

    /// Makes a server that does not run yet.
    /// - Parameters:
    ///   - configuration: what is served, and where.
    ///   - eventLoop: the one event loop that owns the sockets.
    ///   - logger: where to log.
    ///   - passwords: gives the password of a user name, nil when it is unknown or has expired; called on the event loop
    ///     for each request that does not belong to a living allocation, so it must be quick.
    public init(
        configuration: Configuration, eventLoop: any EventLoop, logger: Logger,
        passwords: @escaping TURNServer.PasswordLookup
    ) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.logger = logger
        self.passwords = passwords
        engine = .makeEmptyBox(valueType: RelayEngine.self, eventLoop: eventLoop)
    }

    /// Binds the port and serves.
    /// - Returns: the port.
    /// - Throws: ``RelayError`` when the port cannot be had.
    @discardableResult
    public func start() async throws -> UInt16 {
        let port = try await eventLoop.flatSubmit { self.startOnLoop() }.get()
        logger.info("STUN and TURN are served", metadata: ["port": "\(port)"])
        return port
    }

    private func startOnLoop() -> EventLoopFuture<UInt16> {
        guard engine.value == nil else { return eventLoop.makeFailedFuture(RelayError.alreadyRunning) }
        let engine = RelayEngine(
            configuration: configuration.turn, eventLoop: eventLoop, logger: logger, passwords: passwords)
        let first: EventLoopFuture<UInt16>
        do {
            first = try engine.listen(on: TransportAddress(.v4(0), port: configuration.port))
        } catch {
            return eventLoop.makeFailedFuture(RelayError(error, port: configuration.port))
        }
        self.engine.value = engine
        guard configuration.servesIPv6 else { return first }
        return first.flatMap { port in
            do {
                guard let engine = self.engine.value else { return self.eventLoop.makeSucceededFuture(port) }
                return try engine.listen(on: TransportAddress(.v6(0, 0), port: port))
            } catch {
                self.logger.notice("STUN and TURN are served on IPv4 only", metadata: ["error": "\(error)"])
                return self.eventLoop.makeSucceededFuture(port)
            }
        }
    }

    /// Ends every allocation and closes every socket; ``start()`` may follow.
    public func stop() async {
        await withCheckedContinuation { continuation in
            eventLoop.execute {
                self.engine.value?.stop()
                self.engine.value = nil
                continuation.resume()
            }
        }
    }

    /// Takes over whom the server serves and which addresses are the machine's; allocations live on, and relay again
    /// when their networks come back.
    public func update(networks: [IPNetwork], localAddresses: [IPAddress]) {
        eventLoop.execute { self.engine.value?.change(networks: networks, localAddresses: localAddresses) }
    }

    /// Ends every allocation, for when the credentials they were made with are no longer good.
    public func dropAll() {
        eventLoop.execute { self.engine.value?.dropAll() }
    }

    /// What the server has done since it started and what it holds; all zero while it does not run.
    public func counters() async -> RelayCounters {
        await withCheckedContinuation { continuation in
            eventLoop.execute { continuation.resume(returning: self.engine.value?.currentCounters ?? RelayCounters()) }
        }
    }
}

/// What a ``RelayServer`` has done since it started, and what it holds.
public struct RelayCounters: Sendable, Equatable {
    /// What the protocol did and refused, by cause.
    public internal(set) var turn = TURNCounters()
    /// Allocations at present.
    public internal(set) var allocations = 0
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

    /// Binding requests answered.
    public var bindings: UInt64 { turn.bindings }

    /// Datagrams relayed, one from client to client counted once.
    public var relayedPackets: UInt64 {
        turn.packetsToPeers &+ turn.packetsToClients &- turn.packetsBetweenClients
    }

    /// Octets of application data relayed, those from client to client counted once.
    public var relayedBytes: UInt64 {
        turn.octetsToPeers &+ turn.octetsToClients &- turn.octetsBetweenClients
    }

    /// What was refused or dropped, over all causes. A client's first request, sent without credentials to learn what
    /// is wanted, is not among it.
    public var refusals: UInt64 {
        turn.refusals.reduce(oversized &+ unaddressed &+ sendBufferFull &+ sendRefused) {
            $1.key == .challenged ? $0 : $0 &+ $1.value
        }
    }
}

/// Why a ``RelayServer`` does not start. The description says what to do.
public enum RelayError: Error, Equatable, CustomStringConvertible {
    /// Another program has the port.
    case portInUse(UInt16)
    /// The port needs a privilege.
    case portForbidden(UInt16)
    /// The system refused for another reason.
    case socket(String)
    /// The server runs already.
    case alreadyRunning

    init(_ error: SocketError, port: UInt16) {
        self =
            switch error.number {
            case EADDRINUSE: .portInUse(port)
            case EACCES, EPERM: .portForbidden(port)
            default: .socket("\(error)")
            }
    }

    /// What went wrong and what to do about it.
    public var description: String {
        switch self {
        case .portInUse(let port):
            "UDP port \(port) is taken by another program, often another TURN server; stop that one "
                + "(`ss -ulpn 'sport = :\(port)'` shows it) or set stun.port to another"
        case .portForbidden(let port):
            "UDP port \(port) may not be used by this user; run with CAP_NET_BIND_SERVICE or set stun.port above 1023"
        case .socket(let reason): "the UDP socket of STUN and TURN cannot be opened: \(reason)"
        case .alreadyRunning: "STUN and TURN are running already"
        }
    }
}
