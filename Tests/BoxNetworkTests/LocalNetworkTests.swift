import Testing
import Wire

@testable import BoxNetwork

@Suite struct LocalNetworkTests {
    private typealias Found = (interface: Interface, address: IPAddress, prefixLength: Int)

    private func found(_ interface: Interface, _ address: String, _ prefixLength: Int = 24) throws -> Found {
        (interface, try #require(IPAddress(ipv4: address)), prefixLength)
    }

    private let loopback = Interface(name: "lo", index: 1, isLoopback: true)
    private let ethernet = Interface(name: "eth0", index: 2, isHardware: true, defaultRouteMetric: 100)
    private let wifi = Interface(name: "wlan0", index: 3, isHardware: true, defaultRouteMetric: 600)
    private let accessPoint = Interface(name: "wlan1", index: 4, isHardware: true)
    private let vpn = Interface(name: "wg0", index: 5, isPointToPoint: true, defaultRouteMetric: 0)
    private let docker = Interface(name: "docker0", index: 6)
    private let bridge = Interface(name: "br0", index: 7, defaultRouteMetric: 50)
    private let virtual = Interface(name: "dummy0", index: 8)

    @Test func thePhonesLikeliestAddressIsFirst() throws {
        let best: [Found] = try [
            found(bridge, "192.168.2.1"), found(ethernet, "192.168.1.5"), found(wifi, "192.168.1.6"),
            found(accessPoint, "10.42.0.1"), found(accessPoint, "10.42.0.2"), found(wifi, "169.254.7.7", 16),
            found(virtual, "10.0.0.1"), found(vpn, "10.8.0.2"), found(docker, "172.17.0.1", 16),
        ]
        for _ in 0..<20 {
            let network = LocalNetwork(best.shuffled() + [try found(loopback, "127.0.0.1", 8)])
            #expect(network.addresses.map(\.address) == best.map(\.address))
        }
    }

    @Test func publicAndCarrierGradeAddressesAreNotServed() throws {
        let network = LocalNetwork([
            try found(ethernet, "203.0.113.9"), try found(wifi, "100.64.1.1", 10), try found(accessPoint, "10.42.0.1"),
        ])
        #expect(network.addresses.map(\.description) == ["10.42.0.1/24 on wlan1"])
        #expect(network.neighbourhoods.count == 3)
    }

    @Test func anAddressOnTwoInterfacesIsListedOnce() throws {
        let network = LocalNetwork([try found(ethernet, "10.0.0.1"), try found(wifi, "10.0.0.1")])
        #expect(network.addresses.map(\.interface) == ["eth0"])
    }

    @Test func theListsAreBounded() throws {
        let many: [Found] = (0..<1000).map { (ethernet, .v4(0x0A00_0001 + $0 << 8), 24) }
        let network = LocalNetwork(many)
        #expect(network.addresses.map(\.address) == many.prefix(LocalNetwork.limit).map(\.address))
        #expect(network.neighbourhoods.count == LocalNetwork.limit)
    }

    @Test func aMachineWithoutANetworkServesItself() throws {
        for list in [[], [try found(loopback, "127.0.0.1", 8)]] {
            let network = LocalNetwork(list)
            #expect(network.addresses.map(\.address) == [.v4(0x7F00_0001)])
            #expect(network.isNeighbour(.v4(0x7F00_0001)))
            #expect(!network.isNeighbour(.v4(0xC0A8_0101)))
        }
    }

    @Test func neighboursAreThoseInTheMachinesNetworks() throws {
        let global: Found = (wifi, .v6(0x2001_0DB8_0000_0001, 5), 64)
        let network = LocalNetwork([
            try found(wifi, "192.168.1.6"), try found(vpn, "10.8.0.2"), global, try found(loopback, "127.0.0.1", 8),
        ])
        #expect(network.isNeighbour(.v4(0xC0A8_01FE)))
        #expect(!network.isNeighbour(.v4(0xC0A8_0201)))
        #expect(network.isNeighbour(.v6(0x2001_0DB8_0000_0001, 0xFFFF)))
        #expect(!network.isNeighbour(.v6(0x2001_0DB8_0000_0002, 5)))
        #expect(!network.isNeighbour(.v4(0x0A08_0001)), "the far side of a VPN")
        #expect(network.isNeighbour(.v6(0, 1)))
    }

    @Test func theDefaultRoutesOfTheKernelsTable() {
        let text = """
            Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
            wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
            eth0\t00000000\t0101A8C0\t0003\t0\t0\t200\t00000000\t0\t0\t0
            eth0\t00000000\t0201A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
            eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
            tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0
            down0\t00000000\t0101A8C0\t0002\t0\t0\t1\t00000000\t0\t0\t0
            torn\t00000000
            """
        #expect(defaultRoutes(in: text) == ["wlan0": 600, "eth0": 100])
        #expect(defaultRoutes(in: "").isEmpty)
    }

    @Test func multicastNames() {
        #expect(LocalNetwork.localName(hostname: "Kibitz-Box") == "kibitz-box.local")
        #expect(LocalNetwork.localName(hostname: "box.example.org") == "box.local")
        for none in ["", "localhost", "-a", "a-", "a b", "ä", String(repeating: "a", count: 64), ".x"] {
            #expect(LocalNetwork.localName(hostname: none) == nil)
        }
    }

    @Test func thisMachineHasAnAddress() throws {
        let network = try LocalNetwork.current()
        #expect(!network.addresses.isEmpty)
        #expect(network.addresses.allSatisfy { $0.address.isPrivate || $0.address.isLoopback })
        #expect(network.neighbourhoods.allSatisfy { network.isNeighbour($0.address) })
    }
}
