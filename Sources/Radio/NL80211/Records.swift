public import Netlink
public import Wire

/// A wireless interface (`NL80211_CMD_NEW_INTERFACE`).
public struct WirelessInterface: Hashable, Sendable {
    /// Its index; nil for one without a network device, such as Wi-Fi Direct's.
    public var index: UInt32?
    /// Its name.
    public var name: String
    /// The radio it belongs to.
    public var wiphy: UInt32
    /// Its number among all wireless devices.
    public var device: UInt64?
    /// What it is for.
    public var type: InterfaceType
    /// Its address.
    public var macAddress: MACAddress?
    /// The name of the network it is in or makes.
    public var ssid: [UInt8]?
    /// Its channel's centre in MHz.
    public var frequency: UInt32?

    /// Makes an interface.
    public init(index: UInt32?, name: String, wiphy: UInt32, type: InterfaceType, macAddress: MACAddress? = nil) {
        self.index = index
        self.name = name
        self.wiphy = wiphy
        self.type = type
        self.macAddress = macAddress
    }

    /// Reads one message's attributes; nil without radio.
    public init?(_ attributes: borrowing NetlinkAttributes) {
        guard let wiphy = attributes.first(Attribute.wiphy)?.uint32 else { return nil }
        self.init(index: nil, name: "", wiphy: wiphy, type: InterfaceType(rawValue: 0))
        var attributes = attributes.again()
        while let attribute = attributes.next() {
            switch attribute.type {
            case Attribute.interface: index = attribute.uint32
            case Attribute.interfaceName: name = attribute.string
            case Attribute.wdev: device = attribute.uint64
            case Attribute.interfaceType: type = InterfaceType(rawValue: attribute.uint32 ?? 0)
            case Attribute.mac: macAddress = attribute.macAddress
            case Attribute.ssid: ssid = attribute.bytes
            case Attribute.frequency: frequency = attribute.uint32
            default: break
            }
        }
    }
}

/// What the law of a place allows (`NL80211_CMD_GET_REG`).
public struct RegulatoryDomain: Hashable, Sendable {
    /// Rules kept; the longest list of Linux's database has fewer.
    public static let maximumRules = 128

    /// A range of frequencies, and what may be sent there.
    public struct Rule: Hashable, Sendable {
        /// The range, in kHz.
        public var start: UInt32
        /// Its end, in kHz.
        public var end: UInt32
        /// The widest channel, in kHz.
        public var maximumBandwidth: UInt32
        /// The greatest power (EIRP), in hundredths of dBm.
        public var maximumPower: UInt32
        /// `NL80211_RRF_…`.
        public var flags: UInt32
    }

    /// The country's two letters; `00` for what is legal everywhere, `99` and `98` for mixtures.
    public var alpha2: String
    /// The radio, when it is one's own.
    public var wiphy: UInt32?
    /// Whose radar rules hold; 0 none, 1 FCC, 2 ETSI, 3 Japan.
    public var dfsRegion: UInt8
    /// The rules.
    public var rules: [Rule]

    /// Makes a domain.
    public init(alpha2: String, wiphy: UInt32? = nil, dfsRegion: UInt8 = 0, rules: [Rule] = []) {
        self.alpha2 = alpha2
        self.wiphy = wiphy
        self.dfsRegion = dfsRegion
        self.rules = rules
    }

    /// Reads one message's attributes; nil without country.
    public init?(_ attributes: borrowing NetlinkAttributes) {
        guard let alpha2 = attributes.first(Attribute.regulatoryAlpha2)?.string else { return nil }
        self.init(
            alpha2: alpha2, wiphy: attributes.first(Attribute.wiphy)?.uint32,
            dfsRegion: attributes.first(Attribute.dfsRegion)?.uint8 ?? 0)
        guard let attribute = attributes.first(Attribute.regulatoryRules) else { return }
        var list = attribute.nested
        while let item = list.next(), rules.count < Self.maximumRules {
            let rule = item.nested
            guard let start = rule.first(RuleAttribute.start)?.uint32, let end = rule.first(RuleAttribute.end)?.uint32
            else { continue }
            rules.append(
                Rule(
                    start: start, end: end,
                    maximumBandwidth: rule.first(RuleAttribute.maximumBandwidth)?.uint32 ?? 0,
                    maximumPower: rule.first(RuleAttribute.maximumPower)?.uint32 ?? 0,
                    flags: rule.first(RuleAttribute.flags)?.uint32 ?? 0))
        }
    }
}

/// How busy a channel is (`NL80211_CMD_NEW_SURVEY_RESULTS`).
public struct SurveyEntry: Hashable, Sendable {
    /// The channel's centre in MHz.
    public var frequency: UInt32
    /// Noise in dBm.
    public var noise: Int8?
    /// Whether the radio is on it now.
    public var isInUse: Bool
    /// Milliseconds the radio was on it.
    public var time: UInt64?
    /// Milliseconds of ``time`` in which it was busy.
    public var timeBusy: UInt64?

    /// Makes an entry.
    public init(
        frequency: UInt32, noise: Int8? = nil, isInUse: Bool = false, time: UInt64? = nil, timeBusy: UInt64? = nil
    ) {
        self.frequency = frequency
        self.noise = noise
        self.isInUse = isInUse
        self.time = time
        self.timeBusy = timeBusy
    }

    /// Reads one message's attributes; nil without channel.
    public init?(_ attributes: borrowing NetlinkAttributes) {
        guard let info = attributes.first(Attribute.surveyInfo)?.nested,
            let frequency = info.first(SurveyAttribute.frequency)?.uint32
        else { return nil }
        self.init(
            frequency: frequency, noise: info.first(SurveyAttribute.noise)?.int8,
            isInUse: info.first(SurveyAttribute.inUse) != nil, time: info.first(SurveyAttribute.time)?.uint64,
            timeBusy: info.first(SurveyAttribute.timeBusy)?.uint64)
    }
}

/// A network that a scan found (`NL80211_CMD_NEW_SCAN_RESULTS`).
public struct ScanResult: Hashable, Sendable {
    /// The access point's address.
    public var bssid: MACAddress
    /// The channel's centre in MHz.
    public var frequency: UInt32
    /// The signal in hundredths of dBm; nil when the driver has another measure.
    public var signal: Int32?
    /// Its capability information (IEEE 802.11-2020, 9.4.1.4).
    public var capability: UInt16
    /// Time units between beacons.
    public var beaconInterval: UInt16
    /// Milliseconds since it was heard.
    public var age: UInt32
    /// The elements of its probe response, or of its beacon.
    public var elements: [UInt8]

    /// Makes a result.
    public init(
        bssid: MACAddress, frequency: UInt32, signal: Int32? = nil, capability: UInt16 = 0,
        beaconInterval: UInt16 = 0, age: UInt32 = 0, elements: [UInt8] = []
    ) {
        self.bssid = bssid
        self.frequency = frequency
        self.signal = signal
        self.capability = capability
        self.beaconInterval = beaconInterval
        self.age = age
        self.elements = elements
    }

    /// Reads one message's attributes; nil without address or channel.
    public init?(_ attributes: borrowing NetlinkAttributes) {
        guard let bss = attributes.first(Attribute.bss)?.nested,
            let bssid = bss.first(BSSAttribute.bssid)?.macAddress,
            let frequency = bss.first(BSSAttribute.frequency)?.uint32
        else { return nil }
        self.init(
            bssid: bssid, frequency: frequency, signal: bss.first(BSSAttribute.signalMBM)?.int32,
            capability: bss.first(BSSAttribute.capability)?.uint16 ?? 0,
            beaconInterval: bss.first(BSSAttribute.beaconInterval)?.uint16 ?? 0,
            age: bss.first(BSSAttribute.seenMillisecondsAgo)?.uint32 ?? 0,
            elements: bss.first(BSSAttribute.elements)?.bytes ?? bss.first(BSSAttribute.beaconElements)?.bytes ?? [])
    }
}

/// What is known of a station (`NL80211_ATTR_STA_INFO`).
public struct StationInfo: Hashable, Sendable {
    /// The interface's index.
    public var interface: UInt32
    /// The station.
    public var address: MACAddress
    /// Milliseconds since it was heard.
    public var inactiveMilliseconds: UInt32?
    /// Seconds since it was associated.
    public var connectedSeconds: UInt32?
    /// The last frame's signal in dBm.
    public var signal: Int8?
    /// The signal's mean in dBm.
    public var signalAverage: Int8?
    /// The rate of frames to it, in units of 100 kb/s.
    public var transmitRate: UInt32?
    /// The rate of frames from it, in units of 100 kb/s.
    public var receiveRate: UInt32?
    /// Octets from it.
    public var receivedBytes: UInt64?
    /// Octets to it.
    public var sentBytes: UInt64?
    /// Frames to it that were sent again.
    public var transmitRetries: UInt32?
    /// Frames to it that were given up.
    public var transmitFailed: UInt32?
    /// Its state; nil when the driver does not say.
    public var flags: StationFlags?
    /// The elements of its association request, where the radio associated it (`NL80211_ATTR_IE`).
    public var associationElements: [UInt8]?

    /// Makes a station of which only the address is known.
    public init(interface: UInt32, address: MACAddress) {
        self.interface = interface
        self.address = address
    }

    /// Reads one message's attributes; nil without interface or address.
    public init?(_ attributes: borrowing NetlinkAttributes) {
        guard let interface = attributes.first(Attribute.interface)?.uint32,
            let address = attributes.first(Attribute.mac)?.macAddress
        else { return nil }
        self.init(interface: interface, address: address)
        associationElements = attributes.first(Attribute.elements)?.bytes
        guard let info = attributes.first(Attribute.stationInfo) else { return }
        var list = info.nested
        while let attribute = list.next() {
            switch attribute.type {
            case StationInfoAttribute.inactiveTime: inactiveMilliseconds = attribute.uint32
            case StationInfoAttribute.connectedTime: connectedSeconds = attribute.uint32
            case StationInfoAttribute.signal: signal = attribute.int8
            case StationInfoAttribute.signalAverage: signalAverage = attribute.int8
            case StationInfoAttribute.transmitRate: transmitRate = Self.rate(attribute.nested)
            case StationInfoAttribute.receiveRate: receiveRate = Self.rate(attribute.nested)
            // The short counters wrap at 4 GB; the long ones are there with every driver of today.
            case StationInfoAttribute.receivedBytes32:
                receivedBytes = receivedBytes ?? attribute.uint32.map(UInt64.init)
            case StationInfoAttribute.sentBytes32: sentBytes = sentBytes ?? attribute.uint32.map(UInt64.init)
            case StationInfoAttribute.receivedBytes: receivedBytes = attribute.uint64
            case StationInfoAttribute.sentBytes: sentBytes = attribute.uint64
            case StationInfoAttribute.transmitRetries: transmitRetries = attribute.uint32
            case StationInfoAttribute.transmitFailed: transmitFailed = attribute.uint32
            case StationInfoAttribute.flags:
                // struct nl80211_sta_flag_update: the mask, then what is set of it.
                flags = attribute.payload.hostUInt32(at: 4).map(StationFlags.init(rawValue:))
            default: break
            }
        }
    }

    private static func rate(_ attributes: borrowing NetlinkAttributes) -> UInt32? {
        attributes.first(RateAttribute.rate)?.uint32 ?? attributes.first(RateAttribute.rate16)?.uint16.map(UInt32.init)
    }
}
