public import Wire

extension AccessNetwork {
    /// The box's public ports, which phones on the Wi-Fi may reach.
    public struct Ports: Hashable, Sendable {
        /// TCP port of HTTP; port 80 leads there too.
        public var http: Int
        /// TCP port of HTTPS.
        public var https: Int
        /// UDP port of STUN and TURN.
        public var stun: Int
        /// UDP port of the LAN hub, or nil.
        public var hub: Int?
        /// UDP ports of relayed media, or nil.
        public var relay: ClosedRange<Int>?

        /// Makes a set of ports.
        public init(http: Int, https: Int, stun: Int, hub: Int?, relay: ClosedRange<Int>?) {
            self.http = http
            self.https = https
            self.stun = stun
            self.hub = hub
            self.relay = relay
        }
    }

    /// Where the box is on its own Wi-Fi.
    public struct Place: Hashable, Sendable {
        /// The access point's interface.
        public var interface: String
        /// The box's IPv4 address.
        public var address: IPAddress
        /// The IPv4 network.
        public var network: IPNetwork
        /// The box's IPv6 address; nil where the machine has no IPv6.
        public var addressV6: IPAddress?
        /// The IPv6 network.
        public var networkV6: IPNetwork?
        /// The first and the last address that phones get.
        var pool: (first: IPAddress, last: IPAddress) { subnet.pool }
        private let subnet: Subnet

        init(interface: String, subnet: Subnet, prefix: UniqueLocalPrefix?) {
            self.interface = interface
            self.subnet = subnet
            address = subnet.box
            network = subnet.network
            addressV6 = prefix?.box
            networkV6 = prefix?.network
        }
    }
}
