import Wire

/// What a certificate is for: host names and addresses.
struct CertificateNames: Equatable, Sendable {
    /// DNS names in lower case, without a final dot.
    var hosts: [String] = []
    var addresses: [IPAddress] = []

    /// Whether a certificate for `self` does for `other` too.
    func covers(_ other: CertificateNames) -> Bool {
        Set(hosts).isSuperset(of: other.hosts) && Set(addresses).isSuperset(of: other.addresses)
    }
}

/// What the box's own authority may vouch for, and nothing else: names and addresses that mean something only inside a
/// house, so that whoever steals a box's key cannot pose as a site of the Internet to the phones that trust the box.
///
/// Written into the authority as critical name constraints (RFC 5280, section 4.2.1.10), which Chromium, Firefox, Apple's
/// systems and OpenSSL enforce; one that cannot must refuse the authority.
enum PermittedNames {
    /// `local` is every name of multicast DNS (RFC 6762), `localhost` the machine itself (RFC 6761). Without a leading
    /// dot, as RFC 5280 has it, the constraint holds for the name and all below it.
    static let domains = ["local", "localhost"]

    /// The private and link-local ranges of both families (RFC 1918, 3927, 4193, 4291), and loopback.
    static let networks = [
        IPNetwork(.v4(0x0A00_0000), prefixLength: 8),
        IPNetwork(.v4(0xAC10_0000), prefixLength: 12),
        IPNetwork(.v4(0xC0A8_0000), prefixLength: 16),
        IPNetwork(.v4(0xA9FE_0000), prefixLength: 16),
        IPNetwork(.v4(0x7F00_0000), prefixLength: 8),
        IPNetwork(.v6(0, 1), prefixLength: 128),
        IPNetwork(.v6(0xFC00_0000_0000_0000, 0), prefixLength: 7),
        IPNetwork(.v6(0xFE80_0000_0000_0000, 0), prefixLength: 10),
    ]

    /// How many host names, and how many addresses, one certificate has at most.
    static let limit = 64

    /// What a certificate for the wanted names is made for: those that are permitted, and the machine itself.
    /// - Returns: the names, and those of the wanted ones that are not permitted.
    static func select(
        hosts: [String], addresses: [IPAddress]
    ) -> (names: CertificateNames, refused: [String]) {
        var names = CertificateNames(hosts: ["localhost"], addresses: [.v4(0x7F00_0001), .v6(0, 1)])
        var refused: [String] = []
        for host in hosts {
            let name = (host.hasSuffix(".") ? String(host.dropLast()) : host).lowercased()
            if names.hosts.contains(name) { continue }
            if isHostName(name), domains.contains(where: { name == $0 || name.hasSuffix(".\($0)") }),
                names.hosts.count < limit
            {
                names.hosts.append(name)
            } else {
                refused.append(host)
            }
        }
        for address in addresses where !names.addresses.contains(address) {
            if networks.contains(where: { $0.contains(address) }), names.addresses.count < limit {
                names.addresses.append(address)
            } else {
                refused.append(address.description)
            }
        }
        return (names, refused)
    }

    /// RFC 1123, section 2.1: labels of letters, digits and hyphens.
    private static func isHostName(_ name: String) -> Bool {
        name.utf8.count <= 253
            && name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.utf8.first != UInt8(ascii: "-")
                    && label.utf8.last != UInt8(ascii: "-")
                    && label.utf8.allSatisfy {
                        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
                    }
            }
    }
}

extension IPAddress {
    /// The address in network byte order: 4 or 16 octets.
    var octets: [UInt8] {
        switch self {
        case .v4(let value): withUnsafeBytes(of: value.bigEndian) { Array($0) }
        case .v6(let high, let low):
            withUnsafeBytes(of: high.bigEndian) { Array($0) } + withUnsafeBytes(of: low.bigEndian) { Array($0) }
        }
    }

    /// An address from its 4 or 16 octets in network byte order.
    init?(octets: some Collection<UInt8>) {
        func number(_ part: some Sequence<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
        switch octets.count {
        case 4: self = .v4(UInt32(truncatingIfNeeded: number(octets)))
        case 16: self = .v6(number(octets.prefix(8)), number(octets.dropFirst(8)))
        default: return nil
        }
    }
}
