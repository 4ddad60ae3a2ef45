import HTTPTypes
import Hummingbird
import JSON
import NIOCore

/// What is asked over HTTP about the LAN hub.
struct HubRoutes: Sendable {
    let configuration: WebConfiguration

    func add(to router: Router<BoxRequestContext>) {
        router.get("/link") { request, context in
            guard let link = configuration.hub.dialling?.link else {
                throw HTTPError(.notFound, message: "This box has no LAN hub.")
            }
            // The room's secret, behind `#`, goes to this machine only: on the network it would let everyone in.
            let text = configuration.isOwn(request, context) ? link : String(link.prefix { $0 != "#" })
            return Response(
                status: .ok, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text + "\n")))
        }
        router.get("/api/direct") { _, _ in
            guard let direct = configuration.hub.dialling?.direct else { throw HTTPError(.notFound) }
            return jsonResponse { writer in
                writer.object { answer in
                    answer.member("fingerprint", direct.fingerprint)
                    answer.member("port", direct.port)
                    answer.member("addresses") { $0.array { for address in direct.addresses { $0.string(address) } } }
                }
            }
        }
    }
}

/// Hides the page of WebRTC Direct where that is not served. A site of the owner's has its own `/direct`, or none.
struct DirectPage: RouterMiddleware {
    let configuration: WebConfiguration

    func handle(
        _ request: Request, context: BoxRequestContext,
        next: (Request, BoxRequestContext) async throws -> Response
    ) async throws -> Response {
        guard request.uri.path == "/direct" || request.uri.path == "/direct.html" else {
            return try await next(request, context)
        }
        guard configuration.hub.dialling?.direct != nil else { throw HTTPError(.notFound) }
        var head = request.head
        head.path = "/direct.html"
        return try await next(Request(head: head, body: request.body), context)
    }
}

/// An answer in JSON that nobody may keep.
func jsonResponse(_ status: HTTPResponse.Status = .ok, _ body: (inout JSONWriter) -> Void) -> Response {
    var writer = JSONWriter()
    body(&writer)
    return Response(
        status: status, headers: [.contentType: "application/json; charset=utf-8", .cacheControl: "no-store"],
        body: ResponseBody(byteBuffer: ByteBuffer(bytes: writer.bytes)))
}
