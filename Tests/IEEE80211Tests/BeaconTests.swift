import IEEE80211
import Testing
import Wire

@Suite struct BeaconTests {
    static let bss = MACAddress(0x0200_0000_0001)
    static let rsn = RSNElement(
        akms: [.psk, .sae], capabilities: [.managementFrameProtectionCapable, .sixteenPairwiseReplayCounters],
        groupManagement: .bipCMAC128)
    /// What mac80211_hwsim reports, as an example of a radio with everything.
    static let ht = HTCapabilities(
        information: 0x107E, ampduFactor: 3, ampduDensity: 0,
        mcsSet: [0xFF, 0xFF] + [UInt8](repeating: 0, count: 10) + [1, 0, 0, 0])
    static let vht = VHTCapabilities(information: 0x0139_71BE, mcsSet: [0xFA, 0xFF, 0, 0, 0xFA, 0xFF, 0, 0])
    static let he = HECapabilities(
        mac: [0x03, 0x10, 0x08, 0x00, 0x40, 0x00],
        phy: [0x1E, 0x70, 0xCE, 0xB2, 0x03, 0x9C, 0x80, 0x00, 0x00, 0x00, 0x00],
        mcsSet: [0xFA, 0xFF, 0xFA, 0xFF, 0xFA, 0xFF, 0xFA, 0xFF, 0xFA, 0xFF, 0xFA, 0xFF],
        ppeThresholds: [0x79, 0x1C, 0xC7, 0x71, 0x1C, 0xC7, 0x71] + [UInt8](repeating: 0, count: 18))
    static let rates24 = [10, 20, 55, 110, 60, 90, 120, 180, 240, 360, 480, 540]
    static let rates5 = [60, 90, 120, 180, 240, 360, 480, 540]

    static func description(
        frequency: Int, width: ChannelWidth, hasEverything: Bool = true
    ) throws -> BSSDescription {
        let channel = try #require(OperatingChannel(frequency: frequency, width: width))
        let is24 = channel.band == .ghz2
        return BSSDescription(
            bss: bss, ssid: Array("Kibitz-7Q4M".utf8), channel: channel,
            rates: SupportedRates(hundredKilobits: is24 ? rates24 : rates5, band: channel.band),
            country: is24
                ? CountryElement(code: "DE", band: .ghz2, channels: (1...13).map { ($0, 20) })
                : CountryElement(
                    code: "DE", band: .ghz5, channels: [(36, 23), (40, 23), (44, 23), (48, 23), (149, 14)]),
            rsn: rsn, rsnExtension: RSNXElement(hashToElement: true), ht: hasEverything ? ht : nil,
            vht: hasEverything ? vht : nil, he: hasEverything ? he : nil)
    }

    private func elements(_ bytes: some Collection<UInt8>) -> [(id: Int, body: [UInt8])] {
        let bytes = Array(bytes)
        var reader = ElementReader(bytes.span.bytes)
        var elements: [(Int, [UInt8])] = []
        while let element = reader.next() {
            elements.append(
                (
                    element.extensionID.map { 255_000 + Int($0.rawValue) } ?? Int(element.id.rawValue),
                    element.body.copied
                ))
        }
        let isMalformed = reader.isMalformed
        #expect(!isMalformed)
        return elements
    }

    @Test func headOctets() throws {
        let template = BeaconTemplate(try Self.description(frequency: 2437, width: .mhz20))
        var expected: [UInt8] = [0x80, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]
        expected += [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0, 0]
        expected += [0, 0, 0, 0, 0, 0, 0, 0, 100, 0, 0x31, 0x04]
        expected += [0, 11] + Array("Kibitz-7Q4M".utf8)
        expected += [1, 8, 0x82, 0x84, 0x8B, 0x96, 12, 18, 24, 36]
        expected += [3, 1, 6]
        #expect(template.head == expected)
    }

    @Test func elementsOf24GHz() throws {
        let template = BeaconTemplate(try Self.description(frequency: 2437, width: .mhz20))
        let tail = elements(template.tail)
        #expect(tail.map(\.id) == [7, 42, 50, 48, 45, 61, 255_035, 255_036, 244, 221])
        #expect(tail[0].body == Array("DE ".utf8) + [1, 13, 20])
        #expect(tail[1].body == [0])
        #expect(tail[2].body == [48, 72, 96, 108])
        #expect(tail[3].body == Array(Self.rsn.bytes.dropFirst(2)))
        // Short guard interval in 20 MHz, greenfield and receive power save off, and nothing of 40 MHz.
        #expect(Array(tail[4].body.prefix(3)) == [0x3C, 0x00, 0x03])
        #expect(tail[4].body.count == HTCapabilities.byteCount)
        #expect(tail[5].body == [6, 0, 4] + [UInt8](repeating: 0, count: 19))
        // Never 40 MHz in 2.4 GHz; and of three MCS sets only the one for up to 80 MHz.
        #expect(tail[6].body.count == 6 + 11 + 4 + 7)
        #expect(tail[6].body[6] == 0)
        #expect(tail[8].body == [0x20])
        #expect(tail[9].body.count == 24)
        #expect(
            tail[9].body == [
                0, 0x50, 0xF2, 2, 1, 1, 0, 0, 0x03, 0xA4, 0, 0, 0x27, 0xA4, 0, 0, 0x42, 0x43, 94, 0, 0x62, 0x32, 47, 0,
            ])
    }

    @Test func elementsOf5GHz() throws {
        let template = BeaconTemplate(try Self.description(frequency: 5200, width: .mhz80))
        #expect(elements(template.head.dropFirst(36)).map(\.id) == [0, 1])
        let tail = elements(template.tail)
        #expect(tail.map(\.id) == [7, 48, 45, 61, 127, 191, 192, 255_035, 255_036, 244, 221])
        // Two runs: 36 to 48 with one limit, 149 with another; then an octet of padding.
        #expect(tail[0].body == Array("DE ".utf8) + [36, 4, 23, 149, 1, 14, 0])
        // Channel 40 is the upper one of its pair, so the secondary is below.
        #expect(Array(tail[3].body.prefix(2)) == [40, 0x07])
        #expect(tail[4].body == [0, 0, 0, 0, 0, 0, 0, 0x40])
        // 80 MHz around 5210 MHz, which is number 42.
        #expect(tail[6].body == [1, 42, 0, 0xFC, 0xFF])
        // No 160 MHz, in VHT and in HE.
        #expect(tail[5].body[0] & 0x4C == 0)
        #expect(tail[7].body[6] == 0x04)
        let narrow = BeaconTemplate(try Self.description(frequency: 5180, width: .mhz20))
        let body = try #require(elements(narrow.tail).first { $0.id == 192 }?.body)
        #expect(body == [0, 0, 0, 0xFC, 0xFF])
    }

    @Test func withoutHTThereIsNeitherVHTNorHE() throws {
        let template = BeaconTemplate(try Self.description(frequency: 5180, width: .mhz20NoHT))
        #expect(elements(template.tail).map(\.id) == [7, 48, 244, 221])
        let plain = BeaconTemplate(try Self.description(frequency: 2412, width: .mhz20, hasEverything: false))
        #expect(elements(plain.tail).map(\.id) == [7, 42, 50, 48, 244, 221])
    }

    @Test func othersAreWarned() throws {
        var description = try Self.description(frequency: 2412, width: .mhz20)
        description.hasNonERPStations = true
        description.hasNonHTStations = true
        let tail = elements(BeaconTemplate(description).tail)
        #expect(tail.first { $0.id == 42 }?.body == [3])
        #expect(tail.first { $0.id == 61 }?.body[2] == 0x07)
    }

    @Test func probeResponseIsTheBeaconWithoutTheMap() throws {
        let template = BeaconTemplate(try Self.description(frequency: 2462, width: .mhz20))
        let phone = MACAddress(0x0200_0000_0102)
        let response = template.probeResponse(to: phone)
        let frame = try ManagementFrame(response.span.bytes)
        #expect(frame.header.subtype == .probeResponse)
        #expect(frame.header.destination == phone)
        #expect(Array(response.dropFirst(24)) == Array(template.head.dropFirst(24)) + template.tail)
    }

    @Test func associationResponseHasNoRSNElement() throws {
        let template = BeaconTemplate(try Self.description(frequency: 2462, width: .mhz20))
        #expect(
            elements(template.associationResponseElements).map(\.id) == [1, 50, 45, 61, 255_035, 255_036, 244, 221])
    }

    @Test(arguments: [
        (2412, ChannelWidth.mhz20, 2412, 0), (2484, .mhz20, 2484, 0), (5180, .mhz40, 5190, 1), (5200, .mhz40, 5190, -1),
        (5240, .mhz80, 5210, -1), (5180, .mhz80, 5210, 1), (5745, .mhz80, 5775, 1), (5785, .mhz80, 5775, 1),
        (5805, .mhz40, 5795, -1), (5500, .mhz80, 5530, 1), (5825, .mhz20, 5825, 0),
    ])
    func channels(frequency: Int, width: ChannelWidth, center: Int, offset: Int) throws {
        let channel = try #require(OperatingChannel(frequency: frequency, width: width))
        #expect(channel.frequency == frequency)
        #expect(channel.centerFrequency == center)
        #expect(channel.secondaryOffset == offset)
    }

    @Test func channelsThatAreNot() {
        #expect(OperatingChannel(frequency: 2437, width: .mhz40) == nil)
        #expect(OperatingChannel(frequency: 2413, width: .mhz20) == nil)
        #expect(OperatingChannel(frequency: 5825, width: .mhz40) == nil)
        #expect(OperatingChannel(frequency: 5825, width: .mhz80) == nil)
        #expect(OperatingChannel(frequency: 5190, width: .mhz20) == nil)
        #expect(OperatingChannel(frequency: 5955, width: .mhz20) == nil)
    }

    @Test func theWorldIsNoCountry() {
        #expect(CountryElement(code: "00", band: .ghz2, channels: [(1, 20)]) == nil)
        #expect(CountryElement(code: "DE", band: .ghz2, channels: []) == nil)
    }

    @Test func rawCapabilitiesMustBeWhole() {
        #expect(HTCapabilities(information: 0, ampduFactor: 0, ampduDensity: 0, mcsSet: [1]) == nil)
        #expect(VHTCapabilities(information: 0, mcsSet: [1]) == nil)
        // PPE thresholds are said to be there, and are not.
        var phy = [UInt8](repeating: 0, count: 11)
        phy[6] = 0x80
        let mac = [UInt8](repeating: 0, count: 6)
        #expect(HECapabilities(mac: mac, phy: phy, mcsSet: [0, 0, 0, 0], ppeThresholds: []) == nil)
        #expect(HECapabilities(mac: mac, phy: phy, mcsSet: [0, 0, 0, 0], ppeThresholds: [0x79, 0]) == nil)
    }
}
