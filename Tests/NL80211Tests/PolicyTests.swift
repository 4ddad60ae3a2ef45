import IEEE80211
import KernelPolicy
import Netlink
import Testing
import Wire

@testable import NL80211

struct PolicyTests {
    static func encode(_ request: NL80211Request) -> [UInt8] {
        var writer = NetlinkWriter()
        request.encode(family: 22, sequence: 5, into: &writer)
        #expect(!writer.isOverfull)
        return writer.bytes
    }

    @Test(arguments: Requests.all)
    func `the kernel's policy has nothing against it`(_ request: NL80211Request) {
        #expect(KernelPolicy.objections(to: Self.encode(request)) == [])
    }

    @Test func `every command of the table is asked for, and no other`() {
        #expect(Set(Requests.all.map(\.command.rawValue)) == Set(KernelPolicy.commands.keys))
    }

    @Test func `every attribute of the table is used somewhere`() {
        // What no request has would be checked against nothing.
        var seen: Set<UInt16> = []
        for request in Requests.all {
            let bytes = Self.encode(request)
            var attributes = NetlinkAttributes(bytes.span.bytes.extracting(20..<bytes.count))
            while let attribute = attributes.next() { seen.insert(attribute.type) }
        }
        // IE and IE_PROBE_RESP are for drivers that make their own beacons.
        #expect(Set(KernelPolicy.attributes.keys).subtracting(seen) == [42, 127])
    }

    @Test func `headers are those of a request, or of one for a list`() {
        for request in Requests.all {
            let bytes = Self.encode(request)
            guard let header = NetlinkHeader(bytes.span.bytes) else {
                Issue.record("no header")
                continue
            }
            #expect(header.length == bytes.count && header.type == 22 && header.sequence == 5 && header.port == 0)
            #expect(header.flags == (request.isDump ? [.request, .dump] : [.request, .acknowledge]))
            #expect(Array(bytes[16..<20]) == [request.command.rawValue, 0, 0, 0])
        }
    }

    @Test func `the table finds what the kernel would refuse`() {
        var wrong = Requests.offloadedPSK
        wrong.pmk = [UInt8](repeating: 0, count: 16)
        wrong.ssid = []
        wrong.beacon.tail.removeLast()
        wrong.inactivityTimeout = nil
        #expect(
            KernelPolicy.objections(to: Self.encode(.startAccessPoint(wrong)))
                == ["15 is no elements", "52 has 0 octets", "254 has 16 octets"])
        var station = Requests.newStation
        station.aid = nil
        station.ht = [1]
        #expect(
            KernelPolicy.objections(to: Self.encode(.newStation(station))) == ["31 has 1 octets", "16 is missing"])
        #expect(
            KernelPolicy.objections(
                to: Self.encode(
                    .newInterface(
                        wiphy: 0, name: "sixteen-letters-", type: .accessPoint, address: nil, isOwnedBySocket: false)))
                == ["4 is no text of 15"])
    }

    /// The attributes behind a request's first octets, each as the kernel finds it.
    private func attributes(_ request: NL80211Request) -> [UInt16: [UInt8]] {
        let bytes = Self.encode(request)
        var reader = NetlinkAttributes(bytes.span.bytes.extracting(20..<bytes.count))
        var attributes: [UInt16: [UInt8]] = [:]
        while let attribute = reader.next() { attributes[attribute.type] = attribute.bytes }
        return attributes
    }

    private func word(_ values: UInt32...) -> [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: value) { [UInt8]($0) } }
    }

    @Test func `WPA2 is handed to the radio with its PMK and no control port`() {
        let found = attributes(.startAccessPoint(Requests.offloadedPSK))
        var expected: [UInt16: [UInt8]] = [
            3: word(4), 12: word(100), 13: word(2), 52: Array("Kibitz-7F3A".utf8), 126: word(0), 53: word(0),
            38: word(2437), 159: word(1), 160: word(2437), 70: [], 75: word(2), 73: word(0x000F_AC04),
            74: word(0x000F_AC04), 76: word(0x000F_AC02), 254: (0..<32).map { UInt8($0) }, 204: [],
        ]
        expected[14] = Requests.offloadedPSK.beacon.head
        expected[15] = Requests.offloadedPSK.beacon.tail
        expected[128] = Requests.offloadedPSK.beacon.associationResponseElements
        #expect(found == expected)
    }

    @Test func `SAE is handed to the radio with its password`() {
        let found = attributes(.startAccessPoint(Requests.offloadedSAE))
        #expect(found[277] == Array("correct horse battery".utf8))
        #expect(found[298] == [3] && found[53] == word(4) && found[75] == word(4))
        #expect(found[76] == word(0x000F_AC08))
        #expect(found[254] == nil && found[68] == nil)
    }

    @Test func `any authentication is asked for by naming none`() {
        // Its number is one more than the kernel takes: a radio with SAE and WPA2 in one network would not start.
        var parameters = Requests.offloadedSAE
        parameters.authentication = .automatic
        #expect(attributes(.startAccessPoint(parameters))[53] == nil)
        #expect(KernelPolicy.objections(to: Self.encode(.startAccessPoint(parameters))) == [])
    }

    @Test func `a control port over nl80211 comes with the owner it needs`() {
        var parameters = Requests.softMAC
        parameters.isOwnedBySocket = false
        let found = attributes(.startAccessPoint(parameters))
        // validate_pae_over_nl80211 refuses one without SOCKET_OWNER.
        #expect(found[264] == [] && found[204] == [])
        #expect(found[68] == [] && found[286] == [])
        let ethertype = withUnsafeBytes(of: UInt16(0x888E)) { [UInt8]($0) }
        #expect(found[102] == ethertype)
    }

    @Test func `a station's flags are set within their mask only`() {
        let found = attributes(.newStation(Requests.newStation))
        #expect(found[67] == word(1 << 5 | 1 << 7 | 1 << 3 | 1 << 4, 1 << 5 | 1 << 3))
        var reader = found[129] ?? []
        // QoS Info 0x6F: all four queues, service periods of the third length.
        #expect(reader.count == 16)
        reader = [reader[4], reader[12]]
        #expect(reader == [0x0F, 3])
    }

    @Test func `rates beyond what a kernel holds are left out`() {
        var station = Requests.newStation
        station.supportedRates = [UInt8](repeating: 2, count: 40)
        #expect(attributes(.newStation(station))[19]?.count == 32)
        #expect(KernelPolicy.objections(to: Self.encode(.newStation(station))) == [])
    }

    @Test func `40 and 80 MHz have their centres`() throws {
        for (width, number, center) in [(ChannelWidth.mhz40, 2, 5190), (.mhz80, 3, 5210)]
            as [(ChannelWidth, UInt32, UInt32)]
        {
            var parameters = Requests.fullMAC
            parameters.channel = try #require(OperatingChannel(frequency: 5180, width: width))
            let found = attributes(.startAccessPoint(parameters))
            #expect(found[38] == word(5180) && found[159] == word(number) && found[160] == word(center))
        }
    }
}
