import Synchronization

/// What pages and programs are told of the LAN hub. It changes while the box runs: addresses do, and so does the room's secret.
public final class HubFacts: Sendable {
    /// How the hub is dialled.
    public struct Dialling: Sendable, Equatable {
        /// The blob by which a client dials.
        public var blob: String
        /// The link for Kibitz's hosted page, the room's secret behind `#`.
        public var link: String
        /// Where that page is, without `/` at its end, such as `https://kibitz.chat`.
        public var base: String
        /// What a page needs for WebRTC Direct; nil where that is not served.
        public var direct: Direct?
        /// Whether the hub answers to the well-known identity, so that anyone on the network can pose as it.
        public var discovery: Bool

        /// Makes a description.
        public init(blob: String, link: String, base: String, direct: Direct?, discovery: Bool) {
            self.blob = blob
            self.link = link
            self.base = base
            self.direct = direct
            self.discovery = discovery
        }
    }

    /// What a page needs to dial WebRTC Direct without a word from the box but this.
    public struct Direct: Sendable, Equatable {
        /// The SHA-256 of the certificate, in hexadecimal.
        public var fingerprint: String
        /// The UDP port.
        public var port: Int
        /// IPv4 addresses, best first.
        public var addresses: [String]

        /// Makes a description.
        public init(fingerprint: String, port: Int, addresses: [String]) {
            self.fingerprint = fingerprint
            self.port = port
            self.addresses = addresses
        }
    }

    private let present = Mutex<Dialling?>(nil)

    /// There is no hub, until there is one.
    public init() {}

    /// How the hub is dialled at present; nil while there is none.
    public var dialling: Dialling? {
        get { present.withLock { $0 } }
        set { present.withLock { $0 = newValue } }
    }
}
