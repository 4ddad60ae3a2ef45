import BoxNetwork
import Wire

/// The addresses and routes of this machine, as far as they decide where the Wi-Fi's own may be.
struct MachineAddresses {
    /// Every address the system lists.
    var entries: [AddressEntry] = []
    /// The destinations of IPv4 routes, each with its interface.
    var routes: [(interface: String, network: IPNetwork)] = []

    /// Reads them.
    static func current() -> MachineAddresses {
        MachineAddresses(entries: (try? AddressEntry.all()) ?? [], routes: routes(in: routeTable()))
    }

    /// What other interfaces than `interface` use.
    func networks(besides interface: String) -> [IPNetwork] {
        entries.filter { $0.interface != interface }.map { IPNetwork($0.address, prefixLength: $0.prefixLength) }
            + routes.filter { $0.interface != interface }.map(\.network)
    }

    /// The addresses of an interface, without link-local ones of IPv6.
    func addresses(of interface: String) -> [(address: IPAddress, prefixLength: Int)] {
        entries.filter { $0.interface == interface && !Self.isLinkLocal($0.address) }.map {
            ($0.address, $0.prefixLength)
        }
    }

    /// Whether an interface has a link-local address of IPv6.
    func hasLinkLocal(_ interface: String) -> Bool {
        entries.contains { $0.interface == interface && Self.isLinkLocal($0.address) }
    }

    /// RFC 4291, section 2.5.6; IPv4 has none here.
    private static func isLinkLocal(_ address: IPAddress) -> Bool {
        if case .v6(let high, _) = address { high >> 54 == 0x3FA } else { false }
    }

    /// The routes in the text of `/proc/net/route`. Columns (proc_pid_net(5)): interface, destination, gateway, flags,
    /// references, use, metric, mask, …; numbers are in the machine's byte order, addresses in the network's.
    static func routes(in text: String) -> [(interface: String, network: IPNetwork)] {
        text.split(separator: "\n").dropFirst().compactMap { line in
            let columns = line.split { $0 == "\t" || $0 == " " }
            guard columns.count >= 8, let destination = UInt32(columns[1], radix: 16),
                let mask = UInt32(columns[7], radix: 16), mask != 0
            else { return nil }
            return (
                String(columns[0]),
                IPNetwork(.v4(UInt32(bigEndian: destination)), prefixLength: mask.nonzeroBitCount)
            )
        }
    }
}
