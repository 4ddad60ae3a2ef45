import HTTPTypes
import Hummingbird
import JSON
import NIOCore

/// What Kibitz's app and PeerJS clients ask over HTTP. Open to every origin, as PeerServer is.
struct KibitzRoutes: Sendable {
    let configuration: WebConfiguration
    let desk: RoomDesk
    let signaling: SignalingServer

    /// `GET /api/signal`: where the app finds a broker, at port 443 and path `/` with TLS, or null.
    private struct Signal: ResponseEncodable {
        let host: String?

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(host, forKey: .host)  // An absent host is `null`, not left out.
        }
        private enum Key: CodingKey { case host }
    }

    func add(to router: Router<BoxRequestContext>) {
        let broker = configuration.broker
        let path = broker.path.hasSuffix("/") ? broker.path : broker.path + "/"
        router.get("/api/signal") { request, _ in Signal(host: brokerHost(for: request)) }
        router.get("/api/turn") { _, context in try turn(for: context) }
        if broker.path != "/" {
            router.get(RouterPath(broker.path)) { _, _ in BrokerGreeting.response }
        }
        router.get("\(path)\(broker.key)/id") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: await signaling.freshID())))
        }
        router.get("\(path)\(broker.key)/peers") { request, context -> Response in
            guard broker.discovery else { throw HTTPError(.unauthorized) }
            return try (await signaling.clientIDs()).response(from: request, context: context)
        }
    }

    /// The host the app's page came from can be its broker if it is served where the app will look: TLS on port 443.
    private func brokerHost(for request: Request) -> String? {
        guard configuration.ports.https == 443, let authority = request.head.authority else { return nil }
        return String(authority.split(separator: ":", omittingEmptySubsequences: false).first ?? "")
    }

    /// The members of an `RTCConfiguration` that a page needs.
    private func turn(for context: BoxRequestContext) throws -> Response {
        guard let host = context.boxAddress else {
            throw HTTPError(.serviceUnavailable, message: "The box has no IPv4 address yet.")
        }
        return jsonResponse { writer in
            writer.object { answer in
                answer.member("iceServers") { desk.write(iceServersAt: host, to: &$0) }
                answer.member("configured", configuration.offersTURN)
                answer.member("tier", "open")
            }
        }
    }
}

/// PeerServer says who it is at its path. Where that is `/`, a browser wants the page: there it goes by what the client
/// accepts.
struct BrokerGreeting: RouterMiddleware {
    private static let body =
        #"{"name":"PeerJS Server","description":"A server side element to broker connections between PeerJS clients.","#
        + #""website":"https://peerjs.com/"}"#

    static var response: Response {
        Response(
            status: .ok, headers: [.contentType: "application/json; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
    }

    func handle(
        _ request: Request, context: BoxRequestContext,
        next: (Request, BoxRequestContext) async throws -> Response
    ) async throws -> Response {
        guard request.method == .get, request.uri.path == "/", prefersJSON(request) else {
            return try await next(request, context)
        }
        return Self.response
    }

    private func prefersJSON(_ request: Request) -> Bool {
        guard let accept = request.headers[.accept] else { return false }
        return accept.contains("application/json") && !accept.contains("text/html")
    }
}
