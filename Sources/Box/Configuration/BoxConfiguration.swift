public import Wire

/// The settings of a box, with the names they have in the configuration file: `http.port` is `http.port` here.
///
/// The initial values are the defaults. ``ConfigurationLoader`` fills in what the owner set.
public struct BoxConfiguration: Sendable, Equatable {
    /// Who runs the process; some defaults depend on it.
    public enum Role: Sendable {
        /// A person at a terminal: ports that need no privilege, and the join QR on the terminal.
        case person
        /// The box's own service: the ports a browser expects, and no terminal.
        case service
    }

    /// The box's name, on the page and on the panel; 1 to 32 characters.
    public var name = "Kibitz Local"
    /// The IPv4 addresses to serve and to announce, best first; empty when the box shall find them by itself.
    public var addresses: [IPAddress] = []
    /// DNS names of the box besides `<hostname>.local`, in lower case.
    public var names: [String] = []
    /// The HTTP server.
    public var http: Server
    /// The HTTPS server.
    public var https: Server
    /// The join link.
    public var link = Link()
    /// The owner's certificate; nil when the box makes its own.
    public var certificate: Certificate? {
        get {
            guard let chain = certificateChain, let key = certificateKey else { return nil }
            return Certificate(chain: chain, key: key)
        }
        set {
            certificateChain = newValue?.chain
            certificateKey = newValue?.key
        }
    }
    /// The built-in web server's content.
    public var web = Web()
    /// The STUN server.
    public var stun = Server(port: 3478)
    /// The TURN server, which answers on the STUN server's port.
    public var turn = TURN()
    /// The LAN hub.
    public var hub = Hub()
    /// Whether the hub answers to the well-known identity too, by which Kibitz's app finds hubs without a code, and as
    /// which anyone on the network can pose.
    public var discovery = false
    /// What the hub's port does for programs that speak WebRTC Direct.
    public var direct = Direct.off
    /// The PeerServer-compatible broker.
    public var broker = Broker()
    /// The room.
    public var room = Room()
    /// Where the box is, as an ISO 3166 code of two capital letters, which says what its radio may send; nil when the
    /// owner has not said.
    public var country: String?
    /// The box's own Wi-Fi.
    public var wifi = WiFi()
    /// Where the codes and the state are shown.
    public var panel: Panel
    /// The language of the panel.
    public var language = Language.english
    /// The button on the box.
    public var button = Button()
    /// The local control socket.
    public var control = Control()
    /// The log.
    public var log = Log()

    // Set apart while loading, so that one without the other can be reported instead of lost.
    var certificateChain: String?
    var certificateKey: String?

    /// Makes the defaults for `role`.
    public init(for role: Role) {
        switch role {
        case .person:
            http = Server(port: 8080)
            https = Server(port: 8443)
            panel = Panel(model: .terminal)
        case .service:
            http = Server(port: 80)
            https = Server(port: 443)
            panel = Panel(model: .none)
            wifi.mode = .auto
        }
    }
}

extension BoxConfiguration {
    /// A server's socket.
    public struct Server: Sendable, Equatable {
        /// The port it listens on, 1 to 65535.
        public var port: UInt16

        /// Makes the settings of a server at `port`.
        public init(port: UInt16) {
            self.port = port
        }
    }

    /// How the join link is made.
    public struct Link: Sendable, Equatable {
        /// The link's scheme.
        public enum Scheme: String, Sendable, CaseIterable {
            /// `https` if the owner gave a certificate that phones trust, else `http`.
            case auto
            /// Always `http`.
            case http
            /// Always `https`, even with the box's own certificate, which each phone must be told to trust.
            case https

            /// Whether links begin with `https`.
            /// - Parameter hasOwnersCertificate: whether the box shows a certificate that phones trust.
            public func isSecure(hasOwnersCertificate: Bool) -> Bool {
                switch self {
                case .http: false
                case .https: true
                // The box's own certificate would greet each guest with a warning; the page offers it for the camera.
                case .auto: hasOwnersCertificate
                }
            }
        }

        /// The link's scheme.
        public var scheme = Scheme.auto
    }

    /// The owner's certificate, as files.
    public struct Certificate: Sendable, Equatable {
        /// The path of the PEM file with the certificate and its issuers.
        public var chain: String
        /// The path of the PEM file with the private key.
        public var key: String

        /// Makes the settings of a certificate.
        public init(chain: String, key: String) {
            self.chain = chain
            self.key = key
        }
    }

    /// What the web server serves.
    public struct Web: Sendable, Equatable {
        /// The directory of a static site to serve instead of the built-in page; nil for the built-in page.
        public var root: String?
    }

    /// The TURN server.
    public struct TURN: Sendable, Equatable {
        /// Whether the box relays media for phones that cannot reach each other.
        public var enabled = true
        /// The UDP ports of relayed addresses (RFC 8656, section 7.2).
        public var ports: ClosedRange<UInt16> = 49152...65535
        /// How long the credentials handed to a phone are good.
        public var lifetime: Duration = .seconds(3600)
    }

    /// The LAN hub, which Kibitz's hosted page dials.
    public struct Hub: Sendable, Equatable {
        /// Whether there is one.
        public var enabled = true
        /// Its UDP port; nil for the first free one of those that are usual, and from then on the same.
        public var port: UInt16?
        /// The page that the hub's link opens.
        public var base = "https://kibitz.chat"
    }

    /// What the hub's port does for programs that speak WebRTC Direct.
    public enum Direct: String, Sendable, CaseIterable {
        /// Nothing.
        case off
        /// It sends back what it gets; the page `/direct` shows it.
        case echo
    }

    /// The PeerServer-compatible broker.
    public struct Broker: Sendable, Equatable {
        /// The API key that clients must name.
        public var key = "peerjs"
        /// The path below which the broker answers; starts and ends with `/`.
        public var path = "/"
        /// Whether anyone may list the ids of all clients.
        public var discovery = false
        /// Whether PeerJS clients that are not in the room may use the broker.
        public var open = true
        /// The most clients at one time.
        public var clients = 256
    }

    /// The room.
    public struct Room: Sendable, Equatable {
        /// The most people at one time.
        public var people = 12
        /// How long the place of a person who dropped out is kept.
        public var grace: Duration = .seconds(120)
    }

    /// The local control socket.
    public struct Control: Sendable, Equatable {
        /// The system group whose members may use the socket besides root.
        public var group = "kibitz"
    }

    /// The log.
    public struct Log: Sendable, Equatable {
        /// How bad or how important an event must be to be logged; the names are those of swift-log.
        public enum Level: String, Sendable, CaseIterable {
            /// Everything.
            case trace
            /// What helps to find a fault.
            case debug
            /// What an owner may like to know.
            case info
            /// What is normal but matters.
            case notice
            /// What is not right but does no harm yet.
            case warning
            /// What failed.
            case error
            /// What stops the box.
            case critical
        }

        /// The least level that is logged.
        public var level = Level.info
    }
}
