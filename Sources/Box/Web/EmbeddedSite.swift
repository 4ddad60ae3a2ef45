import Crypto
import HTTPTypes
import Hummingbird
import NIOCore
import WebClient

/// Serves the room page out of the executable.
struct EmbeddedSite<Context: RequestContext>: RouterMiddleware {
    /// What the page may load and talk to: itself, and the box's WebSocket on either port.
    static var contentSecurityPolicy: String {
        "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self' ws: wss:; "
            + "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    }

    private struct Entry {
        let body: ByteBuffer
        let type: String
        let entityTag: String
    }

    private let entries: [String: Entry]

    init() {
        var entries: [String: Entry] = [:]
        for file in Site.files() {
            // The tag is a hash of the contents: it survives a restart of the box, and a new version changes it.
            let tag = SHA256.hash(data: file.bytes).prefix(12).map { byte in
                String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
            }.joined()
            entries["/" + file.path] = Entry(
                body: ByteBuffer(bytes: file.bytes), type: mediaType(of: file.path), entityTag: "\"\(tag)\"")
        }
        entries["/"] = entries["/index.html"]
        self.entries = entries
    }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard request.method == .get || request.method == .head, let entry = entries[request.uri.path] else {
            return try await next(request, context)
        }
        var headers: HTTPFields = [
            .eTag: entry.entityTag,
            // Asked for again each time: a few bytes on a local network, and never an old page after an update.
            .cacheControl: "no-cache",
            .xContentTypeOptions: "nosniff",
            .referrerPolicy: "no-referrer",
        ]
        if request.headers[values: .ifNoneMatch].contains(where: { $0 == "*" || $0.contains(entry.entityTag) }) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = entry.type
        headers[.contentSecurityPolicy] = Self.contentSecurityPolicy
        if request.method == .head {
            headers[.contentLength] = String(entry.body.readableBytes)
            return Response(status: .ok, headers: headers)
        }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: entry.body))
    }
}

/// The media type of a file by its name's ending.
func mediaType(of path: String) -> String {
    switch path.split(separator: ".").last.map(String.init) ?? "" {
    case "html": "text/html; charset=utf-8"
    case "js", "mjs": "text/javascript; charset=utf-8"
    case "css": "text/css; charset=utf-8"
    case "json": "application/json"
    case "webmanifest": "application/manifest+json"
    case "svg": "image/svg+xml"
    case "png": "image/png"
    case "ico": "image/vnd.microsoft.icon"
    case "txt": "text/plain; charset=utf-8"
    default: "application/octet-stream"
    }
}

extension HTTPField.Name {
    static let referrerPolicy = Self("Referrer-Policy")!
}
