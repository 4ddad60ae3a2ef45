import BoxRoom
import Credentials
import HTTPTypes
import Hummingbird
import NIOCore
import Wire

/// The panel's picture. It holds the Wi-Fi's passphrase and the room's secret, so it is for this machine, and for whoever
/// knows the secret already.
struct PanelRoutes: Sendable {
    let configuration: WebConfiguration
    let desk: RoomDesk

    func add(to router: Router<BoxRequestContext>) {
        guard let panel = configuration.panel else { return }
        router.get("/panel.png") { request, context in
            guard configuration.isOwn(request, context) || knowsSecret(request, context) else {
                throw HTTPError(.forbidden, message: "Join the room first: the panel shows its codes.")
            }
            let picture: [UInt8]
            do { picture = try await panel() } catch {
                throw HTTPError(.serviceUnavailable, message: "\(error)")
            }
            return Response(
                status: .ok,
                headers: [.contentType: "image/png", .cacheControl: "no-store", .xContentTypeOptions: "nosniff"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: picture)))
        }
    }

    private func knowsSecret(_ request: Request, _ context: BoxRequestContext) -> Bool {
        guard let words = request.headers[.authorization]?.split(separator: " "), words.count == 2,
            words[0].lowercased() == "bearer", desk.allows(IPAddress(context.remoteAddress))
        else { return false }
        return desk.authority.credentials.admits(secret: String(words[1]))
    }
}

/// Serves the page of the panel at `/panel`. A site of the owner's has its own, or none.
struct PanelPage: RouterMiddleware {
    func handle(
        _ request: Request, context: BoxRequestContext,
        next: (Request, BoxRequestContext) async throws -> Response
    ) async throws -> Response {
        guard request.uri.path == "/panel" else { return try await next(request, context) }
        var head = request.head
        head.path = "/panel.html"
        return try await next(Request(head: head, body: request.body), context)
    }
}
