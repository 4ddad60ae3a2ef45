public import Wire

/// What a BSS says of itself.
public struct BSSDescription: Hashable, Sendable {
    /// How many octets a network's name has at most (IEEE 802.11-2020, 9.4.2.2).
    public static let maximumSSIDLength = 32

    /// The BSS's address.
    public var bss: MACAddress
    /// The network's name, 1 to ``maximumSSIDLength`` octets.
    public var ssid: [UInt8]
    /// Where it is.
    public var channel: OperatingChannel
    /// Time between beacons, in units of 1.024 ms.
    public var beaconInterval: UInt16 = 100
    /// Its rates without HT.
    public var rates: SupportedRates
    /// The country, where it is known.
    public var country: CountryElement?
    /// Ciphers and AKMs.
    public var rsn: RSNElement
    /// What the RSN element has no bits for; nil leaves the element out.
    public var rsnExtension: RSNXElement?
    /// HT, where the radio has it.
    public var ht: HTCapabilities?
    /// VHT, where the radio has it; used in 5 GHz.
    public var vht: VHTCapabilities?
    /// HE, where the radio has it.
    public var he: HECapabilities?
    /// The extended capabilities that the driver reports, or none.
    public var extendedCapabilities: [UInt8] = []
    /// Whether dozing stations may fetch their frames by trigger (WMM power save), which the driver must support.
    public var hasUAPSD = false
    /// Whether a station is associated that knows no rate beyond 802.11b: 802.11g frames are then announced to it.
    public var hasNonERPStations = false
    /// Whether a station is associated that knows no HT: HT frames are then announced to it.
    public var hasNonHTStations = false

    /// Makes a description.
    public init(
        bss: MACAddress, ssid: [UInt8], channel: OperatingChannel, rates: SupportedRates, country: CountryElement?,
        rsn: RSNElement, rsnExtension: RSNXElement?, ht: HTCapabilities? = nil, vht: VHTCapabilities? = nil,
        he: HECapabilities? = nil
    ) {
        self.bss = bss
        self.ssid = ssid
        self.channel = channel
        self.rates = rates
        self.country = country
        self.rsn = rsn
        self.rsnExtension = rsnExtension
        self.ht = ht
        self.vht = vht
        self.he = he
    }

    /// Whether HT is used: the radio has it, and the channel was not chosen without it.
    public var usesHT: Bool { ht != nil && channel.width != .mhz20NoHT }
    /// Whether VHT is used; it is made for 5 GHz.
    public var usesVHT: Bool { vht != nil && usesHT && channel.band == .ghz5 }
    /// Whether HE is used.
    public var usesHE: Bool { he != nil && usesHT }

    /// What the BSS's capability information says.
    public var capabilities: CapabilityInformation {
        var capabilities: CapabilityInformation = [.ess, .privacy]
        if channel.band == .ghz2 {
            capabilities.formUnion([.shortPreamble, .shortSlotTime])
        }
        return capabilities
    }
}

/// The frames that a driver sends for a BSS on its own, and what they are made of (IEEE 802.11-2020, 9.3.3.2, 9.3.3.10).
public struct BeaconTemplate: Hashable, Sendable {
    /// The beacon from its header up to the traffic indication map, which the driver puts after it:
    /// `NL80211_ATTR_BEACON_HEAD`.
    public let head: [UInt8]
    /// The beacon's elements after the traffic indication map: `NL80211_ATTR_BEACON_TAIL`.
    public let tail: [UInt8]
    /// The elements of association and reassociation responses, in the order of Table 9-35.
    public let associationResponseElements: [UInt8]
    private let description: BSSDescription

    /// Makes the frames of a description.
    public init(_ description: BSSDescription) {
        self.description = description
        var head = ByteWriter(capacity: 128)
        ManagementHeader(
            subtype: .beacon, destination: .broadcast, source: description.bss, bss: description.bss
        ).write(into: &head)
        Self.writeFixedAndFirst(description, into: &head)
        self.head = head.bytes
        var tail = ByteWriter(capacity: 256)
        Self.writeLast(description, into: &tail)
        self.tail = tail.bytes
        var response = ByteWriter(capacity: 256)
        description.rates.writeFirst(into: &response)
        description.rates.writeRest(into: &response)
        Self.writeThroughput(description, into: &response)
        Self.writeAfterThroughput(description, into: &response)
        associationResponseElements = response.bytes
    }

    /// A probe response (IEEE 802.11-2020, 9.3.3.10): the beacon without traffic indication map, to one station.
    /// - Parameter station: who asked; `NL80211_ATTR_PROBE_RESP` wants any address, and puts the right one in.
    public func probeResponse(to station: MACAddress) -> [UInt8] {
        var writer = ByteWriter(capacity: head.count + tail.count)
        ManagementHeader(
            subtype: .probeResponse, destination: station, source: description.bss, bss: description.bss
        ).write(into: &writer)
        Self.writeFixedAndFirst(description, into: &writer)
        writer.write(bytes: tail)
        return writer.bytes
    }

    private static func writeFixedAndFirst(_ description: BSSDescription, into writer: inout ByteWriter) {
        // The driver writes the time when it sends.
        writer.write(UInt64(0))
        writer.write(little: description.beaconInterval)
        writer.write(little: description.capabilities.rawValue)
        writer.write(element: .ssid, body: description.ssid.prefix(BSSDescription.maximumSSIDLength))
        description.rates.writeFirst(into: &writer)
        if description.channel.band == .ghz2 {
            writer.write(element: .dsParameter, body: [description.channel.number])
        }
    }

    private static func writeLast(_ description: BSSDescription, into writer: inout ByteWriter) {
        description.country?.write(into: &writer)
        if description.channel.band == .ghz2 {
            // NonERP_Present and Use_Protection.
            writer.write(element: .erp, body: [description.hasNonERPStations ? 0x03 : 0])
        }
        description.rates.writeRest(into: &writer)
        description.rsn.write(into: &writer)
        writeThroughput(description, into: &writer)
        writeAfterThroughput(description, into: &writer)
    }

    private static func writeThroughput(_ description: BSSDescription, into writer: inout ByteWriter) {
        let channel = description.channel
        if description.usesHT, let ht = description.ht {
            writer.write(element: .htCapabilities, body: ht.body(width: channel.width))
            writer.write(element: .htOperation, body: htOperation(description))
        }
        writeExtendedCapabilities(description, into: &writer)
        if description.usesVHT, let vht = description.vht {
            writer.write(element: .vhtCapabilities, body: vht.body)
            // Width 1 is 80 MHz and names the centre; with width 0 HT operation says how wide it is. Every station
            // must know MCS 0 to 7 with one stream.
            let isWide = channel.width == .mhz80
            writer.write(
                element: .vhtOperation,
                body: [isWide ? 1 : 0, isWide ? UInt8(clamping: channel.centerNumber) : 0, 0, 0xFC, 0xFF])
        }
        if description.usesHE, let he = description.he {
            writer.write(element: .heCapabilities, body: he.body(channel: channel))
            writer.write(element: .heOperation, body: heOperation)
        }
    }

    private static func writeAfterThroughput(_ description: BSSDescription, into writer: inout ByteWriter) {
        description.rsnExtension?.write(into: &writer)
        WMM.writeParameters(hasUAPSD: description.hasUAPSD, into: &writer)
    }

    /// The HT operation element's body (9.4.2.56): primary and secondary channel, and how stations without HT are
    /// spared.
    private static func htOperation(_ description: BSSDescription) -> [UInt8] {
        let channel = description.channel
        let offset: UInt8 =
            switch channel.secondaryOffset {
            case 1: 1
            case -1: 3
            default: 0
            }
        // Any width is allowed to stations when there is a secondary channel.
        let information = offset | (offset == 0 ? 0 : 0x04)
        // HT protection: mixed mode. Non-greenfield stations are always taken for present.
        let protection: UInt8 = (description.hasNonHTStations ? 0x03 : 0) | 0x04
        return [channel.number, information, protection] + [UInt8](repeating: 0, count: 19)
    }

    /// The HE operation element's body (IEEE 802.11ax-2021, 9.4.2.249): no RTS threshold by time, colouring off (it
    /// needs a driver's help to find a colour that no neighbour has), and MCS 0 to 7 with one stream for everyone.
    private static let heOperation: [UInt8] = [0xF0, 0x3F, 0x00, 0x80 | 0x01, 0xFC, 0xFF]

    private static func writeExtendedCapabilities(_ description: BSSDescription, into writer: inout ByteWriter) {
        var octets = description.extendedCapabilities
        if description.usesVHT {
            // Operating mode notification, bit 62: a VHT station must have it (11.40).
            if octets.count < 8 { octets += [UInt8](repeating: 0, count: 8 - octets.count) }
            octets[7] |= 0x40
        }
        guard octets.contains(where: { $0 != 0 }) else { return }
        writer.write(element: .extendedCapabilities, body: octets)
    }
}
