import BoxCertificates
public import BoxRoom
import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdCore
public import Logging
public import NIOCore
import NIOHTTP1
import NIOPosix
public import ServiceLifecycle

/// The box's web server: HTTP and HTTPS, the page, the APIs, and the broker's WebSocket on both ports.
public final class WebServer: Service {
    /// Why the server could not start.
    public enum Failure: Error, CustomStringConvertible {
        /// Another program holds the port.
        case portInUse(Int, key: String)
        /// The system lets only root, or a program with CAP_NET_BIND_SERVICE, open ports below 1024.
        case portForbidden(Int, key: String)
        /// The port can't be opened for another reason.
        case cannotListen(Int, reason: String)

        /// What is wrong, and what to do about it.
        public var description: String {
            switch self {
            case .portInUse(let port, let key):
                "port \(port) is in use by another program; stop that program ('ss -ltnp sport = :\(port)' names it) or set \(key)"
            case .portForbidden(let port, let key):
                "port \(port) may be opened only by root; run as root or set \(key) to 1024 or more"
            case .cannotListen(let port, let reason):
                "can't listen on port \(port): \(reason)"
            }
        }
    }

    /// How long a connection may wait to be accepted behind others.
    static let backlog = 512

    private let configuration: WebConfiguration
    private let authority: RoomAuthority
    private let signaling: SignalingServer
    private let gate: ConnectionGate
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let metrics: @Sendable () async -> String
    private let onReady: @Sendable () -> Void

    /// Makes a server.
    /// - Parameters:
    ///   - configuration: what it serves and where.
    ///   - authority: the room's credentials.
    ///   - signaling: the broker.
    ///   - gate: bounds the connections of both ports.
    ///   - eventLoop: the loop on which every connection lives; the broker's and the gate's too.
    ///   - logger: where it logs.
    ///   - metrics: makes the text of `/metrics`.
    ///   - onReady: called for each port once it is open.
    public init(
        configuration: WebConfiguration, authority: RoomAuthority, signaling: SignalingServer, gate: ConnectionGate,
        eventLoop: any EventLoop, logger: Logger, metrics: @escaping @Sendable () async -> String,
        onReady: @escaping @Sendable () -> Void
    ) {
        self.configuration = configuration
        self.authority = authority
        self.signaling = signaling
        self.gate = gate
        self.eventLoop = eventLoop
        self.logger = logger
        self.metrics = metrics
        self.onReady = onReady
    }

    /// Serves both ports until graceful shutdown or failure.
    /// - Throws: ``Failure`` when a port can't be opened.
    public func run() async throws {
        let responder = router().buildResponder()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await self.serve(
                    responder, port: self.configuration.ports.http, key: "http.port", certificates: nil)
            }
            group.addTask {
                try await self.serve(
                    responder, port: self.configuration.ports.https, key: "https.port",
                    certificates: self.configuration.certificates)
            }
            // The first failure ends the other port too.
            for try await _ in group {}
        }
    }

    private func serve(
        _ responder: RouterResponder<BoxRequestContext>, port: Int, key: String, certificates: CertificateSource?
    ) async throws {
        let gate = gate
        let signaling = signaling
        let onReady = onReady
        var logger = logger
        // The library tells of each connection at info; an owner's log is for what concerns them.
        logger.logLevel = max(logger.logLevel, .notice)
        let channel = WebChannel(
            responder: Self.answer(by: responder, logger), gate: gate, signaling: signaling, certificates: certificates)
        let server = channel.server(
            configuration: ServerConfiguration(address: .hostname("0.0.0.0", port: port), backlog: Self.backlog),
            onServerRunning: { _ in onReady() }, eventLoopGroup: eventLoop, logger: logger)
        do {
            try await server.run()
        } catch let error as IOError {
            switch error.errnoCode {
            case EADDRINUSE: throw Failure.portInUse(port, key: key)
            case EACCES, EPERM: throw Failure.portForbidden(port, key: key)
            default: throw Failure.cannotListen(port, reason: String(cString: strerror(error.errnoCode)))
            }
        }
    }

    /// How a request is answered. The library's `Application` does this too, and besides wakes the machine each second, whether
    /// anybody asks or not, to have the time for a header field at hand.
    private static func answer(
        by responder: RouterResponder<BoxRequestContext>, _ logger: Logger
    ) -> HTTPChannelHandler.Responder {
        { request, writer, channel in
            let context = BoxRequestContext(source: ApplicationRequestContextSource(channel: channel, logger: logger))
            var response: Response
            do {
                response = try await responder.respond(to: request, context: context)
            } catch let error as HTTPParserError {
                // The request's body is none; whoever reads requests answers that.
                throw error
            } catch {
                logger.debug("a request failed: \(error)")
                response = Response(status: .internalServerError)
            }
            response.headers[.date] = date(time(nil))
            do {
                try await writer.write(response: response.head, body: response.body)
            } catch is HTTPParserError {
                // The answer has begun: there can't be another.
                throw ChannelError.inputClosed
            }
        }
    }

    /// A time as header fields have it (RFC 9110, section 5.6.7).
    /// - Parameter seconds: since 1970.
    static func date(_ seconds: time_t) -> String {
        var seconds = seconds
        var parts = tm()
        gmtime_r(&seconds, &parts)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
            String(
                decoding: UnsafeRawBufferPointer(
                    start: text.baseAddress,
                    count: strftime(text.baseAddress!, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)),
                as: UTF8.self)
        }
    }

    private func router() -> Router<BoxRequestContext> {
        let router = Router(context: BoxRequestContext.self)
        if let portal = configuration.portal {
            router.add(middleware: PortalDoor(configuration: configuration, portal: portal))
        }
        router.add(middleware: OpenToOtherOrigins(brokerPath: configuration.broker.path))
        if configuration.broker.path == "/" { router.add(middleware: BrokerGreeting()) }
        if let root = configuration.siteRoot {
            router.add(middleware: DirectorySite(root: root, threadPool: .singleton, logger: logger))
        } else {
            router.add(middleware: DirectPage(configuration: configuration))
            router.add(middleware: PanelPage())
            router.add(middleware: EmbeddedSite())
        }
        let desk = RoomDesk(configuration: configuration, authority: authority)
        RoomRoutes(desk: desk).add(to: router)
        KibitzRoutes(configuration: configuration, desk: desk, signaling: signaling).add(to: router)
        HubRoutes(configuration: configuration).add(to: router)
        PanelRoutes(configuration: configuration, desk: desk).add(to: router)
        CertificateRoutes(certificates: configuration.certificates).add(to: router)
        router.get("/metrics") { [metrics, configuration] request, context in
            // Figures of the owner's, not the guests': elsewhere the page does not exist.
            guard configuration.isOwn(request, context) else { throw HTTPError(.notFound) }
            return Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: await metrics())))
        }
        return router
    }
}

/// Lets pages of every origin use the broker and the two questions of Kibitz's app, as PeerServer does: its answers
/// hold nothing that belongs to one visitor.
struct OpenToOtherOrigins: RouterMiddleware {
    let brokerPath: String

    func handle(
        _ request: Request, context: BoxRequestContext,
        next: (Request, BoxRequestContext) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        guard
            path == brokerPath || path == "/api/signal" || path == "/api/turn" || path.hasSuffix("/id")
                || path.hasSuffix("/peers")
        else { return try await next(request, context) }
        if request.method == .options {
            return Response(
                status: .noContent,
                headers: [
                    .accessControlAllowOrigin: "*", .accessControlAllowMethods: "GET, HEAD, OPTIONS",
                    .accessControlAllowHeaders: request.headers[.accessControlRequestHeaders] ?? "*",
                ])
        }
        var response = try await next(request, context)
        response.headers[.accessControlAllowOrigin] = "*"
        return response
    }
}
