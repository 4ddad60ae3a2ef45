public import BoxCertificates
import Hummingbird

/// What the web server needs to know.
public struct WebConfiguration: Sendable {
    /// The ports phones are told.
    public struct Ports: Sendable {
        /// TCP port of HTTP.
        public var http: Int
        /// TCP port of HTTPS.
        public var https: Int
        /// UDP port of STUN and TURN.
        public var stun: Int

        /// Makes a set of ports.
        public init(http: Int, https: Int, stun: Int) {
            self.http = http
            self.https = https
            self.stun = stun
        }
    }

    /// How PeerJS clients find the broker.
    public struct Broker: Sendable {
        /// The path below which the broker answers, `/` or `/something`.
        public var path: String
        /// The key clients must name.
        public var key: String
        /// Whether `GET <path>/<key>/peers` lists the clients.
        public var discovery: Bool

        /// Makes the broker's settings.
        public init(path: String, key: String, discovery: Bool) {
            self.path = path
            self.key = key
            self.discovery = discovery
        }
    }

    /// The room's name.
    public var name: String
    /// The software's version.
    public var version: String
    /// The ports phones are told.
    public var ports: Ports
    /// How PeerJS clients find the broker.
    public var broker: Broker
    /// A directory served instead of the built-in page.
    public var siteRoot: String?
    /// Whether `/api/turn` hands out TURN besides STUN.
    public var offersTURN: Bool
    /// How long credentials of `/api/turn` are valid, in seconds.
    public var turnLifetime: UInt64
    /// The certificate of HTTPS.
    public var certificates: CertificateSource
    /// Whether links to the room begin with `https`, by whether the certificate is the owner's.
    public var linksAreSecure: @Sendable (_ hasOwnersCertificate: Bool) -> Bool
    /// The LAN hub.
    public var hub: HubFacts
    /// The portal of the box's own Wi-Fi; nil for a box that never makes one.
    public var portal: Portal?
    /// The names that the box has for itself, `localhost` aside.
    public var ownNames: @Sendable () -> [String]
    /// Makes the PNG of what the panel shows; nil for a box that has none to show.
    public var panel: (@Sendable () async throws -> [UInt8])?

    /// Makes a configuration.
    public init(
        name: String, version: String, ports: Ports, broker: Broker, siteRoot: String?, offersTURN: Bool,
        turnLifetime: UInt64, certificates: CertificateSource,
        linksAreSecure: @escaping @Sendable (_ hasOwnersCertificate: Bool) -> Bool, hub: HubFacts,
        portal: Portal? = nil, ownNames: @escaping @Sendable () -> [String] = { [] },
        panel: (@Sendable () async throws -> [UInt8])? = nil
    ) {
        self.name = name
        self.version = version
        self.ports = ports
        self.broker = broker
        self.siteRoot = siteRoot
        self.offersTURN = offersTURN
        self.turnLifetime = turnLifetime
        self.certificates = certificates
        self.linksAreSecure = linksAreSecure
        self.hub = hub
        self.portal = portal
        self.ownNames = ownNames
        self.panel = panel
    }

    /// Whether a request was made on this machine, by a program that may see what is the owner's.
    func isOwn(_ request: Request, _ context: BoxRequestContext) -> Bool {
        LocalRequest(request, context).isOwn(names: ownNames)
    }
}
