import Testing
import Wire

@Suite struct IPAddressTests {
    @Test(arguments: [
        ("0.0.0.0", 0), ("192.168.1.5", 0xC0A8_0105), ("255.255.255.255", UInt32.max), ("10.0.0.1", 0x0A00_0001),
    ])
    func readsDottedDecimal(text: String, value: UInt32) {
        #expect(IPAddress(ipv4: text) == .v4(value))
        #expect(IPAddress(ipv4: text)?.description == text)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.999", "01.2.3.4", "1.2.3.04", "1..2.3", "1.2.3.", ".1.2.3",
        " 1.2.3.4", "1.2.3.4 ", "+1.2.3.4", "-1.2.3.4", "0x1.2.3.4", "1.2.3.4\n", "١.2.3.4", "1.2.3.1234", "a.b.c.d",
        "00.0.0.0",
    ])
    func refusesOtherText(text: String) {
        #expect(IPAddress(ipv4: text) == nil)
    }

    @Test(arguments: [
        ("10.255.0.1", true), ("11.0.0.1", false), ("172.15.255.255", false), ("172.16.0.0", true),
        ("172.31.255.255", true), ("172.32.0.0", false), ("192.168.0.0", true), ("192.169.0.0", false),
        ("169.254.1.1", true), ("169.253.1.1", false), ("127.0.0.1", false), ("8.8.8.8", false),
    ])
    func knowsPrivateIPv4(text: String, expected: Bool) throws {
        let address = try #require(IPAddress(ipv4: text))
        #expect(address.isPrivate == expected)
    }

    @Test func knowsPrivateIPv6() {
        #expect(IPAddress.v6(0xFC00_0000_0000_0000, 1).isPrivate)
        #expect(IPAddress.v6(0xFDFF_0000_0000_0000, 1).isPrivate)
        #expect(!IPAddress.v6(0xFE00_0000_0000_0000, 1).isPrivate)
        #expect(IPAddress.v6(0xFE80_0000_0000_0000, 1).isPrivate)
        #expect(IPAddress.v6(0xFEBF_0000_0000_0000, 1).isPrivate)
        #expect(!IPAddress.v6(0xFEC0_0000_0000_0000, 1).isPrivate)
        #expect(!IPAddress.v6(0x2001_0DB8_0000_0000, 1).isPrivate)
    }

    @Test func knowsLoopback() {
        #expect(IPAddress.v4(0x7F00_0001).isLoopback)
        #expect(IPAddress.v4(0x7FFF_FFFF).isLoopback)
        #expect(!IPAddress.v4(0x8000_0001).isLoopback)
        #expect(IPAddress.v6(0, 1).isLoopback)
        #expect(!IPAddress.v6(0, 2).isLoopback)
        #expect(!IPAddress.v6(1, 1).isLoopback)
    }

    @Test(
        arguments: [
            (0, 0, "::"), (0, 1, "::1"), (0x2001_0DB8_0000_0000, 1, "2001:db8::1"),
            (0x2001_0DB8_0000_0001, 0x0001_0001_0001_0001, "2001:db8:0:1:1:1:1:1"),
            (0x2001_0000_0000_0001, 0x0000_0000_0000_0001, "2001:0:0:1::1"),
            (0x2001_0DB8_0000_0000, 0x0001_0000_0000_0001, "2001:db8::1:0:0:1"),
            (0xFE80_0000_0000_0000, 0, "fe80::"), (0x0001_0002_0003_0004, 0x0005_0006_0007_0008, "1:2:3:4:5:6:7:8"),
        ] as [(UInt64, UInt64, String)])
    func writesIPv6AsRFC5952(high: UInt64, low: UInt64, text: String) {
        #expect(IPAddress.v6(high, low).description == text)
    }

    @Test func transportAddressesBracketIPv6() {
        #expect(TransportAddress(.v4(0x7F00_0001), port: 80).description == "127.0.0.1:80")
        #expect(TransportAddress(.v6(0, 1), port: 3478).description == "[::1]:3478")
    }
}

@Suite struct IPNetworkTests {
    @Test(arguments: [
        ("192.168.1.7", 24, "192.168.1.255", true), ("192.168.1.7", 24, "192.168.2.0", false),
        ("10.0.0.0", 8, "10.255.255.255", true), ("10.0.0.0", 8, "11.0.0.0", false),
        ("1.2.3.4", 32, "1.2.3.4", true), ("1.2.3.4", 32, "1.2.3.5", false), ("1.2.3.4", 0, "255.0.0.1", true),
        ("1.2.3.4", 99, "1.2.3.5", false), ("1.2.3.4", 99, "1.2.3.4", true),
    ])
    func containsIPv4(base: String, prefix: Int, address: String, expected: Bool) throws {
        let base = try #require(IPAddress(ipv4: base))
        let address = try #require(IPAddress(ipv4: address))
        #expect(IPNetwork(base, prefixLength: prefix).contains(address) == expected)
    }

    @Test(arguments: [0, 1, 10, 63, 64, 65, 127, 128])
    func containsIPv6ExactlyUpToThePrefix(prefix: Int) {
        let (high, low) = (0x2001_0DB8_1234_5678 as UInt64, 0x9ABC_DEF0_1357_9BDF as UInt64)
        let network = IPNetwork(.v6(high, low), prefixLength: prefix)
        for bit in 0..<128 {
            let flipped: IPAddress =
                bit < 64 ? .v6(high ^ 1 << UInt64(63 - bit), low) : .v6(high, low ^ 1 << UInt64(127 - bit))
            #expect(network.contains(flipped) == (bit >= prefix), "bit \(bit)")
        }
    }

    @Test func familiesDoNotMix() {
        #expect(!IPNetwork(.v4(0), prefixLength: 0).contains(.v6(0, 0)))
        #expect(!IPNetwork(.v6(0, 0), prefixLength: 0).contains(.v4(0)))
        #expect(IPNetwork(.v4(0x0A000000), prefixLength: 8).description == "10.0.0.0/8")
    }
}
