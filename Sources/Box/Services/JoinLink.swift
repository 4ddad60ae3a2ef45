import BoxConfiguration
import Wire

/// The link in the QR: the box's best address, and the room's secret where no server and no log ever sees it.
struct JoinLink: Sendable, Equatable, CustomStringConvertible {
    let scheme: String
    let host: String
    let port: Int
    let secret: String

    /// - Parameters:
    ///   - configuration: the scheme, the names and the ports.
    ///   - hasOwnersCertificate: whether the box shows a certificate that browsers know.
    ///   - addresses: the box's addresses, best first; not empty.
    ///   - secret: the room's secret.
    init(configuration: BoxConfiguration, hasOwnersCertificate: Bool, addresses: [IPAddress], secret: String) {
        let secure = configuration.link.scheme.isSecure(hasOwnersCertificate: hasOwnersCertificate)
        scheme = secure ? "https" : "http"
        port = Int(secure ? configuration.https.port : configuration.http.port)
        // A certificate of the owner's is for a name; everything else is reached by address, which needs no lookup.
        if hasOwnersCertificate, let name = configuration.names.first {
            host = name
        } else {
            host = addresses.first.map(\.description) ?? "127.0.0.1"
        }
        self.secret = secret
    }

    var description: String {
        let isDefault = port == (scheme == "https" ? 443 : 80)
        return "\(scheme)://\(host)\(isDefault ? "" : ":\(port)")/#\(secret)"
    }
}
