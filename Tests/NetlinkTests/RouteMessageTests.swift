import Testing
import Wire

@testable import Netlink

struct RouteMessageTests {
    private func encode(_ request: RouteRequest) -> [UInt8] {
        var writer = NetlinkWriter()
        request.encode(sequence: 3, into: &writer)
        return writer.bytes
    }

    @Test func `an interface is taken up by its flag alone`() {
        #expect(
            encode(.setLink(index: 4, isUp: true))
                == host(UInt32(32), UInt16(16), UInt16(5), UInt32(3), UInt32(0))
                + host(UInt32(0), UInt32(4), UInt32(1), UInt32(1)))
        #expect(
            encode(.setLink(index: 4, isUp: false)).suffix(16)
                == host(UInt32(0), UInt32(4), UInt32(0), UInt32(1))[...])
    }

    @Test func `an interface that shall be alone leaves its bridge`() {
        #expect(
            encode(.setLink(index: 4, isUp: false, isAlone: true))
                == host(UInt32(40), UInt16(16), UInt16(5), UInt32(3), UInt32(0))
                + host(UInt32(0), UInt32(4), UInt32(0), UInt32(1)) + host(UInt16(8), UInt16(10), UInt32(0)))
    }

    /// As an interface leaves its bridge the kernel tells that the port is gone, by the same message as of an interface that
    /// is gone but for the family: the access point began anew for it.
    @Test func `a bridge's port is no interface`() {
        for type in [16, 17] as [UInt16] {
            var bytes = linkMessage(type: type)
            bytes[16] = 7
            #expect(routeEvent(in: bytes) == nil)
        }
    }

    @Test func `lists are asked for with the dump's flags`() {
        #expect(encode(.getLinks).prefix(8) == host(UInt32(32), UInt16(18), UInt16(0x301))[...])
        #expect(encode(.getAddresses).prefix(8) == host(UInt32(24), UInt16(22), UInt16(0x301))[...])
        #expect(RouteRequest.getLinks.isDump && !RouteRequest.getLink(index: 1).isDump)
    }

    @Test func `an IPv4 address is given with its network's broadcast address`() {
        let address = InterfaceAddress(interface: 4, address: .v4(0x0A4D_0001), prefixLength: 24)
        #expect(
            encode(.addAddress(address))
                == host(UInt32(16 + 8 + 24), UInt16(20), UInt16(0x505), UInt32(3), UInt32(0))
                + [2, 24, 0, 0] + host(UInt32(4)) + host(UInt16(8), UInt16(2)) + [10, 77, 0, 1]
                + host(UInt16(8), UInt16(1)) + [10, 77, 0, 1] + host(UInt16(8), UInt16(4)) + [10, 77, 0, 255])
    }

    @Test(arguments: [
        InterfaceAddress(interface: 7, address: .v4(0x0A4D_0001), prefixLength: 24),
        InterfaceAddress(interface: 7, address: .v4(0x0A4D_0001), prefixLength: 32, scope: 254),
        InterfaceAddress(interface: 7, address: .v4(0), prefixLength: 0),
        InterfaceAddress(
            interface: 9, address: .v6(0xFD00_0000_0000_0001, 1), prefixLength: 64,
            flags: InterfaceAddress.noDuplicateAddressDetection),
    ])
    func `an address is read as it was written, and no truncation traps`(_ address: InterfaceAddress) {
        let bytes = encode(.addAddress(address))
        #expect(routeEvent(in: bytes) == .address(address))
        for count in 16..<bytes.count {
            let cut = host(UInt32(count)) + bytes[4..<count]
            if case .address(let read) = routeEvent(in: cut) {
                #expect(read.address == address.address && read.prefixLength == address.prefixLength)
            }
        }
    }

    @Test func `a machine is asked at its address`() {
        #expect(
            encode(.getNeighbours) == host(UInt32(28), UInt16(30), UInt16(0x301), UInt32(3))
                + [UInt8](repeating: 0, count: 16))
        #expect(
            encode(.askNeighbour(interface: 4, .v4(0x0A4D_000A)))
                == host(UInt32(36), UInt16(28), UInt16(5), UInt32(3), UInt32(0)) + [2, 0, 0, 0]
                + host(UInt32(4), UInt16(0x10), UInt16(0)) + host(UInt16(8), UInt16(1)) + [10, 77, 0, 10])
        #expect(encode(.askNeighbour(interface: 4, .v6(1, 2)))[16] == 10)
        #expect(RouteRequest.getNeighbours.isDump)
    }

    @Test func `a machine is read, and no truncation traps`() {
        // As a kernel tells of one that is stale: address, hardware address, age.
        let payload =
            [2, 0, 0, 0] + host(UInt32(4), UInt16(4), UInt16(1 << 8)) + host(UInt16(8), UInt16(1)) + [10, 77, 0, 10]
            + host(UInt16(10), UInt16(2)) + [2, 0, 0, 0, 0, 9, 0, 0] + host(UInt16(8), UInt16(4), UInt32(0))
        let machine = LinkNeighbour(
            interface: 4, address: .v4(0x0A4D_000A), macAddress: MACAddress(0x0200_0000_0009))
        #expect(LinkNeighbour(payload.span.bytes) == machine)
        for count in payload.indices {
            let read = LinkNeighbour(payload.span.bytes.extracting(0..<count))
            #expect(read == nil || read == machine)
        }
        // One that does not answer has no hardware address.
        #expect(LinkNeighbour(payload.span.bytes.extracting(0..<20)) == nil)
    }

    /// What a kernel tells of an interface: header, name, MTU, state, address.
    private func linkMessage(type: UInt16) -> [UInt8] {
        var writer = NetlinkWriter()
        writer.beginMessage(type: type, flags: [], sequence: 0)
        writer.write(UInt16(0))
        writer.write(UInt16(1))
        writer.write(UInt32(4))
        writer.write(UInt32(0x1_1043))
        writer.write(UInt32(0))
        writer.put(3, "wlan0")
        writer.put(4, UInt32(1500))
        writer.put(16, UInt8(6))
        writer.put(1, MACAddress(0x0200_0000_0001))
        writer.endMessage()
        return writer.bytes
    }

    @Test func `links come and go`() {
        let link = Link(
            index: 4, name: "wlan0", macAddress: MACAddress(0x0200_0000_0001), flags: Link.Flags(rawValue: 0x1_1043),
            operationalState: .up, mtu: 1500)
        #expect(link.flags.isSuperset(of: [.up, .running, .lowerUp]))
        for (type, event) in [(16, RouteEvent.link(link)), (17, .linkRemoved(link))] as [(UInt16, RouteEvent)] {
            let bytes = linkMessage(type: type)
            #expect(routeEvent(in: bytes) == event)
        }
    }

    @Test func `no truncation of a link traps, and the header alone is enough`() {
        let bytes = linkMessage(type: 16)
        for count in 16..<bytes.count {
            let cut = host(UInt32(count)) + bytes[4..<count]
            let event = routeEvent(in: cut)
            guard count >= 32 else {
                #expect(event == nil)
                continue
            }
            guard case .link(let link) = event else {
                Issue.record("\(count) octets are a link")
                continue
            }
            #expect(link.index == 4)
        }
    }

    @Test func `a state that is not known is none`() {
        var bytes = linkMessage(type: 16)
        // The octet of IFLA_OPERSTATE: header, ifinfomsg, name, MTU, then the attribute's header.
        bytes[16 + 16 + 12 + 8 + 4] = 99
        guard case .link(let link) = routeEvent(in: bytes) else {
            Issue.record("no link")
            return
        }
        #expect(link.operationalState == nil && link.name == "wlan0")
    }

    /// An interface's announcement.
    private func announcement(
        _ index: UInt32, controller: UInt32?, family: UInt8 = 0, type: UInt16 = 16, name: String? = nil
    ) -> [UInt8] {
        let name = host(UInt16(10), UInt16(3)) + Array((name ?? "wlan\(index - 4)").utf8) + [0, 0, 0]
        let payload =
            [family, 0] + host(UInt16(1), index, UInt32(0x1003), UInt32(0)) + name
            + (controller.map { host(UInt16(8), UInt16(10), $0) } ?? [])
        return host(UInt32(16 + payload.count), type, UInt16(0), UInt32(0), UInt32(0)) + payload
    }

    private func isDisplaced(_ bytes: [UInt8]) -> Bool { Link.isDisplaced(4, "wlan0", by: bytes.span.bytes) }

    /// A bridge on the Wi-Fi's cable was only looked for, twice a minute.
    @Test func `an interface that becomes a bridge's port, or gives way to another, is seen`() {
        #expect(isDisplaced(announcement(4, controller: 9)))
        #expect(!isDisplaced(announcement(4, controller: nil)) && !isDisplaced(announcement(4, controller: 0)))
        #expect(!isDisplaced(announcement(5, controller: 9)), "another's")
        #expect(isDisplaced(announcement(5, controller: 9) + announcement(4, controller: 9)))
        // One that was plugged in again is another one with the same name.
        #expect(isDisplaced(announcement(6, controller: nil, name: "wlan0")))
        #expect(!isDisplaced(announcement(6, controller: nil, type: 17, name: "wlan0")))
        // The bridge tells of its ports by itself, and of one that goes by the same number.
        #expect(!isDisplaced(announcement(4, controller: 9, family: 7)))
        #expect(!isDisplaced(announcement(4, controller: 9, type: 17)))
        #expect(!isDisplaced([]))
    }

    @Test func `a datagram that is cut off may have been about the interface`() {
        let whole = announcement(5, controller: 9)
        for count in 1..<whole.count { #expect(isDisplaced(Array(whole[..<count]))) }
    }
}
