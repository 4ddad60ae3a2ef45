public import Wire

/// One address of this machine.
public struct LocalAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address.
    public let address: IPAddress
    /// The network the address is in, as its interface has it: every address in it is a neighbour.
    public let network: IPNetwork
    /// The name of the interface that has it, for example `wlan0`.
    public let interface: String

    /// Makes an address.
    /// - Parameters:
    ///   - address: the address.
    ///   - prefixLength: how many leading bits are its network's.
    ///   - interface: the name of its interface.
    public init(_ address: IPAddress, prefixLength: Int, interface: String) {
        self.address = address
        self.network = IPNetwork(address, prefixLength: prefixLength)
        self.interface = interface
    }

    /// For example `192.168.1.5/24 on wlan0`.
    public var description: String { "\(address)/\(network.prefixLength) on \(interface)" }
}

/// Where this machine is on its networks, at one moment.
public struct LocalNetwork: Hashable, Sendable {
    /// How many entries each list has at most; the best are kept.
    public static let limit = 64

    /// Every private IPv4 address of the machine, the one a phone most likely reaches first; 127.0.0.1 alone when
    /// there is none, so that a laptop without a network still works.
    ///
    /// The order, each rule only among the equals of the one before it; it does not change from one start to the
    /// next:
    /// 1. hardware (Wi-Fi, Ethernet) and what the default route leads through; then other interfaces made by
    ///    software; then point-to-point ones (a VPN); then those of containers and virtual machines;
    /// 2. assigned addresses before self-assigned ones (169.254.0.0/16, RFC 3927);
    /// 3. interfaces with a default route before those without, the lower metric first;
    /// 4. the older interface first, on one interface the lower address.
    public let addresses: [LocalAddress]

    /// The machine's addresses on every network it is joined to, of both families and any scope, without loopback and
    /// point-to-point interfaces: whoever is in one of their networks is a neighbour. In the order of ``addresses``,
    /// IPv4 first. Loopback when there is no other.
    public let neighbourhoods: [LocalAddress]

    /// Makes a picture of a network.
    public init(addresses: [LocalAddress], neighbourhoods: [LocalAddress]) {
        self.addresses = addresses
        self.neighbourhoods = neighbourhoods
    }

    /// Whether `address` is in a network the machine is joined to, or is the machine itself by loopback.
    public func isNeighbour(_ address: IPAddress) -> Bool {
        address.isLoopback || neighbourhoods.contains { $0.network.contains(address) }
    }

    /// A machine that is joined to no network.
    static let loopback: LocalNetwork = {
        let address = LocalAddress(.v4(0x7F00_0001), prefixLength: 8, interface: "lo")
        return LocalNetwork(
            addresses: [address],
            neighbourhoods: [address, LocalAddress(.v6(0, 1), prefixLength: 128, interface: "lo")])
    }()
}

/// What is known of a network interface.
struct Interface: Equatable, Sendable {
    var name: String
    /// The kernel's number for it; later ones are higher.
    var index: UInt32
    var isLoopback = false
    var isPointToPoint = false
    /// Whether a device stands behind it (Wi-Fi, Ethernet), not software alone.
    var isHardware = false
    /// The metric of its IPv4 default route, the lowest if there are several.
    var defaultRouteMetric: UInt32?

    /// The first rule of ``LocalNetwork/addresses``; lower is better.
    var rank: Int {
        if isPointToPoint { return 2 }
        if defaultRouteMetric != nil || isHardware { return 0 }
        return Self.containerPrefixes.contains { name.hasPrefix($0) } ? 3 : 1
    }

    /// How Docker, Podman, LXC, libvirt, VirtualBox, VMware and Kubernetes name their interfaces.
    static let containerPrefixes = [
        "docker", "br-", "veth", "podman", "lxcbr", "lxdbr", "virbr", "vnet", "vboxnet", "vmnet", "cni", "flannel",
        "cali", "kube",
    ]
}

extension LocalNetwork {
    /// Sorts what the system listed.
    /// - Parameter found: each interface that is up and has a carrier, with an address of its own.
    init(_ found: [(interface: Interface, address: IPAddress, prefixLength: Int)]) {
        let sorted =
            found
            .filter { !$0.interface.isLoopback && !$0.address.isLoopback }
            .sorted {
                Self.order($0.interface, $0.address).lexicographicallyPrecedes(Self.order($1.interface, $1.address))
            }
        var addresses: [LocalAddress] = []
        var neighbourhoods: [LocalAddress] = []
        for (interface, address, prefixLength) in sorted {
            let local = LocalAddress(address, prefixLength: prefixLength, interface: interface.name)
            if case .v4 = address, address.isPrivate, addresses.count < Self.limit,
                !addresses.contains(where: { $0.address == address })
            {
                addresses.append(local)
            }
            if !interface.isPointToPoint, neighbourhoods.count < Self.limit { neighbourhoods.append(local) }
        }
        self.init(
            addresses: addresses.isEmpty ? Self.loopback.addresses : addresses,
            neighbourhoods: neighbourhoods.isEmpty ? Self.loopback.neighbourhoods : neighbourhoods)
    }

    /// The sort key that ``addresses`` describes, IPv4 before IPv6 on top.
    private static func order(_ interface: Interface, _ address: IPAddress) -> [UInt64] {
        let family: UInt64
        let isSelfAssigned: Bool
        let value: (UInt64, UInt64)
        switch address {
        case .v4(let bits):
            (family, isSelfAssigned, value) = (4, bits >> 16 == 0xA9FE, (0, UInt64(bits)))
        case .v6(let high, let low):
            (family, isSelfAssigned, value) = (6, high >> 54 == 0x3FA, (high, low))
        }
        let metric = interface.defaultRouteMetric.map { UInt64($0) } ?? .max
        return [
            family, UInt64(interface.rank), isSelfAssigned ? 1 : 0, metric, UInt64(interface.index), value.0, value.1,
        ]
    }
}
