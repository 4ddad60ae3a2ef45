import BoxNetwork
import TestSupport
import Testing
import Wire

@testable import BoxLAN

@Suite struct SubnetTests {
    private func network(_ text: String) throws -> IPNetwork {
        let parts = text.split(separator: "/")
        return IPNetwork(try #require(IPAddress(ipv4: parts[0])), prefixLength: try #require(Int(parts[1])))
    }

    @Test func theBoxIsFirst() throws {
        let subnet = try #require(Subnet.free(of: []))
        #expect(subnet.description == "10.77.0.0/24")
        #expect(subnet.box.description == "10.77.0.1")
        #expect(subnet.pool.first.description == "10.77.0.10")
        #expect(subnet.pool.last.description == "10.77.0.250")
        #expect(subnet.network.contains(subnet.pool.first) && subnet.network.contains(subnet.pool.last))
        #expect(Subnet(containing: .v6(0, 1)) == nil)
        #expect(Subnet(containing: try #require(IPAddress(ipv4: "192.168.50.77")))?.description == "192.168.50.0/24")
    }

    @Test(arguments: [
        // What is in use, and what is taken then.
        (["192.168.1.0/24"], "10.77.0.0/24"),
        (["10.77.0.0/24"], "10.78.0.0/24"),
        // A part of it, the whole of it, and an address as an interface has it.
        (["10.77.0.128/25"], "10.78.0.0/24"), (["10.76.0.0/15"], "10.78.0.0/24"), (["10.77.0.9/16"], "10.78.0.0/24"),
        (["10.0.0.0/8"], "172.27.77.0/24"),
        (["10.0.0.0/8", "172.16.0.0/12"], "192.168.77.0/24"),
        // A default route leads everywhere and is no network.
        (["0.0.0.0/0"], "10.77.0.0/24"),
        // Nor is the one of a VPN that comes before it.
        (["0.0.0.0/1", "128.0.0.0/1"], "10.77.0.0/24"), (["0.0.0.0/1", "10.77.0.0/24"], "10.78.0.0/24"),
    ])
    func aFreeOneIsTaken(_ used: [String], _ expected: String) throws {
        #expect(Subnet.free(of: try used.map(network))?.description == expected)
    }

    @Test func thereMayBeNone() throws {
        let used = try ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map(network)
        #expect(Subnet.free(of: used) == nil)
        #expect(Subnet.free(of: used + [IPNetwork(.v6(0xFD00 << 48, 0), prefixLength: 8)]) == nil)
    }

    @Test func routesAreRead() {
        // Of a machine with an uplink, a VPN for 10.0.0.0/8, and a line that is cut off.
        let text = """
            Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
            eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
            eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
            tun0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0
            tun0\t0000
            """
        let routes = MachineAddresses.routes(in: text)
        #expect(routes.map(\.interface) == ["eth0", "tun0"])
        #expect(routes.map(\.network.description) == ["192.168.1.0/24", "10.0.0.0/8"])
        var machine = MachineAddresses()
        machine.routes = routes
        machine.entries = [.init(interface: "wlan0", address: .v4(0x0A4D_0001), prefixLength: 24)]
        #expect(machine.networks(besides: "wlan0").map(\.description) == ["192.168.1.0/24", "10.0.0.0/8"])
        #expect(machine.networks(besides: "tun0").map(\.description) == ["10.77.0.1/24", "192.168.1.0/24"])
        #expect(MachineAddresses.routes(in: "").isEmpty)
    }
}

@Suite struct UniqueLocalPrefixTests {
    @Test func isUniqueLocal() {
        var generator = SeededGenerator(seed: 1)
        var seen: Set<UniqueLocalPrefix> = []
        for _ in 0..<1000 {
            let prefix = UniqueLocalPrefix(using: &generator)
            guard case .v6(let high, let low) = prefix.network.base else {
                Issue.record("not IPv6")
                return
            }
            // RFC 4193 section 3.1: fc00::/7 with the bit that says "chosen locally", and subnet 0.
            #expect(high >> 56 == 0xFD && high & 0xFFFF == 0 && low == 0)
            #expect(prefix.box == .v6(high, 1))
            #expect(UniqueLocalPrefix(text: prefix.text) == prefix, "\(prefix.text)")
            seen.insert(prefix)
        }
        #expect(seen.count == 1000)
    }

    @Test(arguments: [
        "", "kibitz-local lan 1", "kibitz-local lan 1 ", "kibitz-local lan 1 fd123456789a",
        "kibitz-local lan 2 fd123456789a\n", "kibitz-local lan 1 fc123456789a\n", "kibitz-local lan 1 FD123456789A\n",
        "kibitz-local lan 1 fd123456789\n", "kibitz-local lan 1 fd123456789ab\n", "kibitz-local lan 1 fd12345678zz\n",
        "kibitz-local lan 1 +d123456789a\n", "kibitz-local lan 1 fd123456789a\nx\n", "a b c fd123456789a\n",
    ])
    func damagedTextIsRefused(_ text: String) {
        #expect(UniqueLocalPrefix(text: text) == nil)
    }

    /// Zeros in the prefix shorten the text of its addresses.
    @Test func zerosInItAreRead() {
        struct Zeros: RandomNumberGenerator {
            mutating func next() -> UInt64 { 0 }
        }
        var zeros = Zeros()
        let prefix = UniqueLocalPrefix(using: &zeros)
        #expect(UniqueLocalPrefix(text: prefix.text) == prefix, "\(prefix.text)")
    }
}
