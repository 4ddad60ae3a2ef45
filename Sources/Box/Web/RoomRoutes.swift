import BoxCertificates
import BoxRoom
import Credentials
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// What the room page asks over HTTP: facts about the box, and a session for whoever holds the room's secret.
struct RoomRoutes: Sendable {
    /// Session requests of one address: each second, and at once. A page makes one for each start.
    static let sessionRate = 4.0
    static let sessionBurst = 40.0

    let configuration: WebConfiguration
    let authority: RoomAuthority
    private let limiter = AddressRateLimiter(rate: sessionRate, burst: sessionBurst)

    /// `GET /api/room`; holds nothing secret.
    private struct Room: ResponseEncodable {
        let name: String
        let version: String
        let generation: UInt32
        let http: Int
        let https: Int
        /// `own`: browsers warn until the box's authority is installed; `owner`: a certificate browsers know.
        let certificate: String
    }

    /// `POST /api/session`.
    private struct SessionRequest: Decodable {
        let secret: String
        let token: String?
    }

    private struct Session: ResponseEncodable {
        let id: String
        let token: String
        let generation: UInt32
        let name: String
    }

    /// Why there is no session, for the page (`error`) and in plain words (`message`).
    private struct Refusal: ResponseEncodable {
        let error: String
        let message: String
    }

    init(configuration: WebConfiguration, authority: RoomAuthority) {
        self.configuration = configuration
        self.authority = authority
    }

    func add(to router: Router<BoxRequestContext>) {
        router.get("/api/room") { _, _ in
            Room(
                name: configuration.name, version: configuration.version,
                generation: authority.credentials.generation, http: configuration.ports.http,
                https: configuration.ports.https,
                certificate: configuration.certificates.status.origin == .owner ? "owner" : "own")
        }
        router.post("/api/session", use: openSession)
    }

    @Sendable private func openSession(request: Request, context: BoxRequestContext) async throws -> Response {
        func answer(_ status: HTTPResponse.Status, _ body: some ResponseEncodable) throws -> Response {
            var response = try body.response(from: request, context: context)
            response.status = status
            response.headers[.cacheControl] = "no-store"
            return response
        }
        guard limiter.allows(context.remoteAddress?.ipAddress ?? "") else {
            return try answer(
                .tooManyRequests, Refusal(error: "slow-down", message: "Too many tries. Wait a moment, then try again.")
            )
        }
        guard let wanted = try? await request.decode(as: SessionRequest.self, context: context) else {
            return try answer(
                .badRequest,
                Refusal(error: "malformed", message: "Send {\"secret\": \"…\"}, and \"token\" if you have one."))
        }
        guard let session = authority.openSession(secret: wanted.secret, previousToken: wanted.token) else {
            return try answer(
                .forbidden,
                Refusal(
                    error: "rotated",
                    message: "This code is not valid any more. Scan the code that the box shows now."))
        }
        return try answer(
            .ok,
            Session(id: session.id, token: session.token, generation: session.generation, name: configuration.name))
    }
}
