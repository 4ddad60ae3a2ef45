import HTTPTypes
import Hummingbird
import NIOCore
import Wire

/// What decides whether a request was made by a program on this machine that may see the room's secret.
///
/// The address alone does not: a page of anybody's in a browser here can reach this server by a name of its own that leads to
/// 127.0.0.1 (DNS rebinding), and a reverse proxy here passes on what others ask. So the request must be for an address or a
/// name that is this box's own, must not be passed on, and must not come from another site's page (Fetch Metadata, section 2.2).
/// A proxy that hides all that poses as a program of this machine; its owner has trusted it with this server.
struct LocalRequest {
    /// Where the request comes from.
    let remote: IPAddress
    /// The box's address that it reached.
    let local: IPAddress?
    /// The request.
    let head: HTTPRequest

    /// What a proxy adds (RFC 7239, RFC 9110 section 7.6.3, and what was used before those).
    private static let marksOfProxies =
        ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"].compactMap { HTTPField.Name($0) }
    private static let fetchSite = HTTPField.Name("Sec-Fetch-Site")

    init(remote: IPAddress, local: IPAddress?, head: HTTPRequest) {
        self.remote = remote
        self.local = local
        self.head = head
    }

    init(_ request: Request, _ context: BoxRequestContext) {
        self.init(remote: IPAddress(context.remoteAddress), local: context.boxAddress, head: request.head)
    }

    /// Whether it was made on this machine, for this box.
    /// - Parameter names: the box's own names.
    func isOwn(names: () -> [String]) -> Bool {
        // Whoever speaks from the very address it speaks to is this machine.
        guard remote.isLoopback || remote == local, isForTheBox(names),
            Self.marksOfProxies.allSatisfy({ head.headerFields[$0] == nil })
        else { return false }
        if let origin = head.headerFields[.origin], !isOwn(origin) { return false }
        guard let name = Self.fetchSite, let site = head.headerFields[name] else { return true }
        return site == "none" || site == "same-origin"
    }

    private func isForTheBox(_ names: () -> [String]) -> Bool {
        guard let host = PortalDoor.host(of: head) else { return false }
        if let address = IPAddress(ipv4: host) { return address.isLoopback || address == local }
        return host == "localhost" || names().contains { $0.lowercased() == host }
    }

    private func isOwn(_ origin: String) -> Bool {
        guard let authority = head.authority else { return false }
        return origin == "http://\(authority)" || origin == "https://\(authority)"
    }
}
