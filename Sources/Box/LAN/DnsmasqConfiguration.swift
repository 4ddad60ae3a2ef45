import Wire

/// What dnsmasq is told: addresses, names and router advertisements for the phones on the box's own Wi-Fi.
struct DnsmasqConfiguration: Sendable {
    /// Where the Wi-Fi is.
    var place: AccessNetwork.Place
    /// Where a phone asks whether there is a portal (RFC 8908).
    var captivePortalAPI: String
    /// The file of leases.
    var leases: String

    /// How long an address is a phone's. Phones hide their hardware's address behind a new one whenever the Wi-Fi's name
    /// changes, and some every day: short leases let few addresses serve many. They ask again after half of it.
    static let leaseMinutes = 30
    /// How long a phone keeps a name's address, in seconds: what it learnt here is wrong on any other network.
    static let nameLifetime = 10
    /// Between two router advertisements, in seconds.
    static let advertisementInterval = 60

    /// The text of the configuration file.
    var text: String {
        """
        # Made by kibitz-local at each start of the Wi-Fi; changes are lost.

        # Only this interface, and no other file or server.
        interface=\(place.interface)
        except-interface=lo
        bind-dynamic
        no-hosts
        no-resolv
        no-poll
        pid-file

        # There is no internet: every name is the box, and whatever else is asked of a name there is nothing, which phones
        # learn at once. IPv6 addresses neither: the box's web server speaks IPv4. Names of phones stay out of it.
        local=/#/
        address=/#/\(place.address)
        local-ttl=\(Self.nameLifetime)
        cache-size=0
        dhcp-ignore-names
        # Windows looks for these very addresses before it looks for the portal.
        address=/dns.msftncsi.com/131.107.255.255
        address=/dns.msftncsi.com/fd3e:4f5a:5b81::1
        # What RFC 7050 section 8.2 says of this name, so that no phone takes the box for a translator to IPv4.
        address=/ipv4only.arpa/192.0.0.170
        address=/ipv4only.arpa/192.0.0.171
        local=/ipv4only.arpa/
        # No such name: no proxy, no relay of Apple's, and no names over HTTPS that could not be reached.
        address=/wpad/
        address=/mask.icloud.com/
        address=/mask-h2.icloud.com/
        address=/use-application-dns.net/

        # Addresses.
        dhcp-authoritative
        dhcp-rapid-commit
        dhcp-range=\(place.pool.first),\(place.pool.last),255.255.255.0,\(Self.leaseMinutes)m
        dhcp-lease-max=\(Subnet.poolSize)
        dhcp-leasefile=\(leases)
        # Nobody but this server gives out addresses here, so there is nobody to ask before one is given.
        no-ping
        quiet-dhcp
        quiet-dhcp6
        quiet-ra
        # The box as router, although it routes nothing: phones look for a portal, and stay on a Wi-Fi, only where they have
        # an address, a router and a name server. iOS calls it "no internet" otherwise and never probes; Android leaves
        # after some seconds ("provisioning failed").
        dhcp-option=option:router,\(place.address)
        dhcp-option=option:dns-server,\(place.address)
        # The captive portal's API (RFC 8910 section 2.1).
        dhcp-option=114,"\(captivePortalAPI)"
        \(advertisements)
        """
    }

    private var advertisements: String {
        guard let network = place.networkV6 else { return "" }
        return """

            # A unique-local prefix, from which phones make addresses for each other. With a lifetime of 0 the box is no
            # default router of IPv6: the one of IPv4 is enough to stay.
            enable-ra
            dhcp-range=\(network.base),ra-only,\(network.prefixLength),\(Self.leaseMinutes)m
            ra-param=\(place.interface),\(Self.advertisementInterval),0

            """
    }
}
