import HTTPTypes
import Hummingbird
import JSON
import NIOCore
import WebClient
import Wire

/// What devices on the box's own Wi-Fi meet at its web server: every name leads here, so each request is for the box itself,
/// a probe, or for somebody who is not on this network.
///
/// On other networks, and for the box's own names, nothing changes.
struct PortalDoor: RouterMiddleware {
    let configuration: WebConfiguration
    let portal: Portal
    private let files: [String: (type: String, body: ByteBuffer)]

    init(configuration: WebConfiguration, portal: Portal) {
        self.configuration = configuration
        self.portal = portal
        let site = Dictionary(uniqueKeysWithValues: Site.files().map { ($0.path, $0.bytes) })
        files = PortalPage.files.compactMapValues { path in
            site[path].map { (mediaType(of: path), ByteBuffer(bytes: $0)) }
        }
    }

    func handle(
        _ request: Request, context: BoxRequestContext,
        next: (Request, BoxRequestContext) async throws -> Response
    ) async throws -> Response {
        let guest = IPAddress(context.remoteAddress)
        guard let place = portal.place(servingGuest: guest) else { return try await next(request, context) }
        let path = request.uri.path
        let isSecure = context.localAddress?.port == configuration.ports.https
        if path == PortalPage.path { return page(for: guest, request.method) }
        if let file = files[path], request.method == .get || request.method == .head {
            return answer(
                .ok, type: file.type, body: file.body, for: request.method,
                [.cacheControl: "max-age=3600", .xContentTypeOptions: "nosniff"])
        }
        if path == captivePortalAPIPath, isSecure, request.method == .get { return api(for: guest, request, at: place) }
        // A request without a name is from a program of earlier days; it asks the box.
        guard let host = Self.host(of: request.head), !portal.isOwn(host, at: place) else {
            let response = try await next(request, context)
            // Who is in the room knows what the page has to say, and has to stay.
            if path == "/api/session", request.method == .post, response.status == .ok { portal.pass(guest) }
            return response
        }
        guard request.method == .get || request.method == .head else { throw HTTPError(.misdirectedRequest) }
        let hasPassed = portal.hasPassed(guest)
        if hasPassed, let probe = CaptiveProbe(host: host, path: path) {
            let success = probe.success
            return answer(
                success.status, type: success.type, body: ByteBuffer(string: success.body), for: request.method,
                probe.fields)
        }
        let target = hasPassed ? "/" : PortalPage.path
        return answer(
            .found, type: "text/plain; charset=utf-8", body: ByteBuffer(string: "This Wi-Fi has no internet.\n"),
            for: request.method, [.location: "\(origin(of: place, isSecure: false))\(target)"])
    }

    // MARK: Answers

    private func page(for guest: IPAddress, _ method: HTTPRequest.Method) -> Response {
        if method == .post { portal.pass(guest) }
        guard [.get, .head, .post].contains(method) else {
            return Response(status: .methodNotAllowed, headers: [.allow: "GET, HEAD, POST"])
        }
        let html = PortalPage.html(name: configuration.name, hasPassed: portal.hasPassed(guest))
        return answer(
            .ok, type: "text/html; charset=utf-8", body: ByteBuffer(string: html), for: method,
            [
                .contentSecurityPolicy: PortalPage.contentSecurityPolicy, .xContentTypeOptions: "nosniff",
                .referrerPolicy: "no-referrer",
            ])
    }

    /// The captive portal's API (RFC 8908 section 5).
    private func api(for guest: IPAddress, _ request: Request, at place: Portal.Place) -> Response {
        // The page over TLS too, by the very name that the device knows the API by.
        let origin = request.head.authority.map { "https://\($0)" } ?? origin(of: place, isSecure: true)
        var response = jsonResponse { writer in
            writer.object { answer in
                answer.member("captive", !portal.hasPassed(guest))
                answer.member("user-portal-url", "\(origin)\(PortalPage.path)")
            }
        }
        response.headers[.contentType] = "application/captive+json"
        // It is about this device alone (section 4.1).
        response.headers[.cacheControl] = "private, no-store"
        return response
    }

    private func answer(
        _ status: HTTPResponse.Status, type: String?, body: ByteBuffer, for method: HTTPRequest.Method,
        _ more: HTTPFields = [:]
    ) -> Response {
        // What a device keeps of this network would be wrong on the next one.
        var headers: HTTPFields = [.cacheControl: "no-store"]
        for field in more { headers[field.name] = field.value }
        if let type { headers[.contentType] = type }
        guard status != .noContent else { return Response(status: status, headers: headers) }
        guard method != .head else {
            headers[.contentLength] = String(body.readableBytes)
            return Response(status: status, headers: headers)
        }
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: body))
    }

    // MARK: Names

    private func origin(of place: Portal.Place, isSecure: Bool) -> String {
        let (scheme, port, usual) =
            isSecure ? ("https", configuration.ports.https, 443) : ("http", configuration.ports.http, 80)
        return "\(scheme)://\(place.address)\(port == usual ? "" : ":\(port)")"
    }

    /// The name a request is for, in lower case, without a port and the dot of a full name; nil when there is none.
    static func host(of head: HTTPRequest) -> String? {
        guard let authority = head.authority, !authority.isEmpty else { return nil }
        // An IPv6 address stands in brackets, before the port.
        var host =
            authority.hasPrefix("[") ? authority.prefix { $0 != "]" }.dropFirst() : authority.prefix { $0 != ":" }
        if host.hasSuffix(".") { host.removeLast() }
        return host.lowercased()
    }
}
