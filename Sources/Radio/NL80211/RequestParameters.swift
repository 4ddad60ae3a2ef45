public import IEEE80211
public import Wire

/// What an interface is for (`enum nl80211_iftype`).
public struct InterfaceType: RawRepresentable, Hashable, Sendable {
    /// The number.
    public let rawValue: UInt32

    /// Makes one of its number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// A station of someone else's access point.
    public static let station = InterfaceType(rawValue: 2)
    /// An access point.
    public static let accessPoint = InterfaceType(rawValue: 3)
    /// Listens to everything.
    public static let monitor = InterfaceType(rawValue: 6)
    /// Wi-Fi Direct's control, without a network device.
    public static let p2pDevice = InterfaceType(rawValue: 10)
}

/// The parts of a beacon and of what is answered to probes and associations (`START_AP`, `SET_BEACON`).
public struct BeaconParameters: Hashable, Sendable {
    /// The frame up to the TIM element, from its header on (`BEACON_HEAD`).
    public var head: [UInt8]
    /// The elements behind the TIM (`BEACON_TAIL`).
    public var tail: [UInt8]
    /// A whole probe response, for radios that answer probes themselves (`PROBE_RESP`).
    public var probeResponse: [UInt8]?
    /// Elements that a driver adds to beacons it makes itself (`IE`).
    public var extraElements: [UInt8]?
    /// Elements that a driver adds to probe responses it makes itself (`IE_PROBE_RESP`).
    public var probeResponseElements: [UInt8]?
    /// Elements that a driver adds to association responses it makes itself (`IE_ASSOC_RESP`).
    public var associationResponseElements: [UInt8]?

    /// Makes the parts.
    public init(
        head: [UInt8], tail: [UInt8], probeResponse: [UInt8]? = nil, extraElements: [UInt8]? = nil,
        probeResponseElements: [UInt8]? = nil, associationResponseElements: [UInt8]? = nil
    ) {
        self.head = head
        self.tail = tail
        self.probeResponse = probeResponse
        self.extraElements = extraElements
        self.probeResponseElements = probeResponseElements
        self.associationResponseElements = associationResponseElements
    }
}

/// Where the frames of the 4-way handshake go (`CONTROL_PORT` and its like).
public struct ControlPort: Hashable, Sendable {
    /// The Ethernet type of EAPOL (IEEE 802.1X-2020, 11.1.4).
    public static let ethertype: UInt16 = 0x888E

    /// They pass over nl80211, as ``NL80211Event/controlPortFrame(_:)``, and not over the network interface.
    public var isOverNL80211: Bool
    /// They are never encrypted, as WPA's first version wanted it.
    public var isUnencrypted: Bool
    /// Only ``ethertype`` passes over nl80211, and not also that of pre-authentication.
    public var hasNoPreauthentication: Bool

    /// Makes one.
    public init(isOverNL80211: Bool, isUnencrypted: Bool = false, hasNoPreauthentication: Bool = false) {
        self.isOverNL80211 = isOverNL80211
        self.isUnencrypted = isUnencrypted
        self.hasNoPreauthentication = hasNoPreauthentication
    }
}

/// All that an access point is started with (`NL80211_CMD_START_AP`).
public struct AccessPointParameters: Hashable, Sendable {
    /// How the name is hidden (`enum nl80211_hidden_ssid`).
    public enum HiddenSSID: UInt32, Hashable, Sendable {
        /// It is told.
        case notHidden = 0
        /// The beacon's SSID has no octets.
        case zeroLength = 1
        /// The beacon's SSID has its length, in zeros.
        case zeroContents = 2
    }

    /// Which 802.11 authentication stations do (`enum nl80211_auth_type`).
    public enum Authentication: UInt32, Hashable, Sendable {
        /// Open System.
        case open = 0
        /// SAE.
        case sae = 4
        /// Any that fit the rest: what the kernel takes when it is told none.
        case automatic = 8
    }

    /// Which versions of WPA (`enum nl80211_wpa_versions`).
    public struct WPAVersions: OptionSet, Hashable, Sendable {
        /// The bits.
        public let rawValue: UInt32

        /// Makes versions of their bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// WPA2.
        public static let wpa2 = WPAVersions(rawValue: 2)
        /// WPA3.
        public static let wpa3 = WPAVersions(rawValue: 4)
    }

    /// How SAE finds its password element (`enum nl80211_sae_pwe_mechanism`).
    public enum SAEPasswordElement: UInt8, Hashable, Sendable {
        /// By hunting and pecking.
        case huntingAndPecking = 1
        /// By hash to element.
        case hashToElement = 2
        /// By either, as the station asks.
        case both = 3
    }

    /// The interface's index.
    public var interface: UInt32
    /// The beacon.
    public var beacon: BeaconParameters
    /// Time units of 1024 µs between beacons.
    public var beaconInterval: UInt32
    /// Beacons from one DTIM to the next.
    public var dtimPeriod: UInt32
    /// The name, at most 32 octets.
    public var ssid: [UInt8]
    /// Whether the name is hidden.
    public var hiddenSSID: HiddenSSID
    /// The channel.
    public var channel: OperatingChannel
    /// The 802.11 authentication.
    public var authentication: Authentication
    /// Whether data is encrypted.
    public var isPrivate: Bool
    /// Versions of WPA.
    public var wpaVersions: WPAVersions
    /// Ciphers for one station.
    public var pairwiseCiphers: [CipherSuite]
    /// The cipher for all stations.
    public var groupCipher: CipherSuite?
    /// Key managements.
    public var akms: [AKMSuite]
    /// Where EAPOL goes; nil where the radio does the handshake.
    public var controlPort: ControlPort?
    /// The PMK of WPA2, 32 octets, where the radio does the handshake.
    public var pmk: [UInt8]?
    /// The password, where the radio does SAE.
    public var saePassword: [UInt8]?
    /// How the radio's SAE finds the password element.
    public var saePasswordElement: SAEPasswordElement?
    /// Seconds after which the driver gives a silent station up, where it can (``WiphyFeatures/inactivityTimer``).
    public var inactivityTimeout: UInt16?
    /// Whether the access point ends when the socket does.
    public var isOwnedBySocket: Bool

    /// Makes parameters of an access point without encryption; the rest is set one by one.
    public init(
        interface: UInt32, beacon: BeaconParameters, ssid: [UInt8], channel: OperatingChannel,
        beaconInterval: UInt32 = 100, dtimPeriod: UInt32 = 2
    ) {
        self.interface = interface
        self.beacon = beacon
        self.beaconInterval = beaconInterval
        self.dtimPeriod = dtimPeriod
        self.ssid = ssid
        self.channel = channel
        hiddenSSID = .notHidden
        authentication = .automatic
        isPrivate = false
        wpaVersions = []
        pairwiseCiphers = []
        akms = []
        isOwnedBySocket = true
    }
}

/// How stations of a BSS share the air (`NL80211_CMD_SET_BSS`); what is nil stays as it is.
public struct BSSParameters: Hashable, Sendable {
    /// The interface's index.
    public var interface: UInt32
    /// Whether stations that know no OFDM are protected.
    public var usesCTSProtection: Bool?
    /// Whether short preambles may be used.
    public var usesShortPreamble: Bool?
    /// Whether slots are short.
    public var usesShortSlotTime: Bool?
    /// Whether stations cannot reach each other.
    public var isIsolated: Bool?
    /// Basic rates, in units of 500 kb/s.
    public var basicRates: [UInt8]?
    /// The HT operation mode (IEEE 802.11-2020, 9.4.2.56, octets 2 and 3 of the HT Operation Information).
    public var htOperationMode: UInt16?

    /// Makes parameters that change nothing.
    public init(interface: UInt32) { self.interface = interface }
}

/// The state of a station, as bits (`enum nl80211_sta_flags`).
public struct StationFlags: OptionSet, Hashable, Sendable {
    /// The bits.
    public let rawValue: UInt32

    /// Makes flags of their bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Its data passes.
    public static let authorized = StationFlags(rawValue: 1 << 1)
    /// It can receive short preambles.
    public static let shortPreamble = StationFlags(rawValue: 1 << 2)
    /// It knows WMM.
    public static let wmm = StationFlags(rawValue: 1 << 3)
    /// Its management frames are protected.
    public static let managementFrameProtection = StationFlags(rawValue: 1 << 4)
    /// It did the 802.11 authentication.
    public static let authenticated = StationFlags(rawValue: 1 << 5)
    /// It is associated.
    public static let associated = StationFlags(rawValue: 1 << 7)
}

/// What the kernel is told of a station (`NL80211_CMD_NEW_STATION`, `SET_STATION`); what is nil stays as it is.
///
/// A new one needs ``aid``, ``listenInterval`` and ``supportedRates``. Of a station that exists, everything but the
/// flags may be set only until it is associated.
public struct StationParameters: Hashable, Sendable {
    /// The interface's index.
    public var interface: UInt32
    /// The station's address.
    public var address: MACAddress
    /// Flags that ``flags`` says something about.
    public var flagsMask: StationFlags
    /// The flags that are set, of ``flagsMask``.
    public var flags: StationFlags
    /// Its association identifier, 1 to 2007.
    public var aid: UInt16?
    /// Beacon intervals for which it may sleep.
    public var listenInterval: UInt16?
    /// Its rates, in units of 500 kb/s, without the bit for basic ones.
    public var supportedRates: [UInt8]?
    /// Its capability information (IEEE 802.11-2020, 9.4.1.4).
    public var capability: CapabilityInformation?
    /// Its extended capabilities, without element header.
    public var extendedCapabilities: [UInt8]?
    /// Its HT Capabilities, 26 octets.
    public var ht: [UInt8]?
    /// Its VHT Capabilities, 12 octets.
    public var vht: [UInt8]?
    /// Its HE Capabilities, without the element header and extension.
    public var he: [UInt8]?
    /// Its QoS Info of WMM: queues it triggers, and how many frames it gets at once.
    public var qosInformation: UInt8?

    /// Makes parameters that change nothing.
    public init(interface: UInt32, address: MACAddress) {
        self.interface = interface
        self.address = address
        flagsMask = []
        flags = []
    }
}

/// A key to install (`NL80211_CMD_NEW_KEY`).
public struct KeyParameters: Hashable, Sendable {
    /// The interface's index.
    public var interface: UInt32
    /// Whose pairwise key it is; nil for a group key.
    public var station: MACAddress?
    /// Its index: 0 pairwise, 1 and 2 (GTK), 4 and 5 (IGTK).
    public var index: UInt8
    /// Its cipher.
    public var cipher: CipherSuite
    /// The key.
    public var key: [UInt8]
    /// The sequence counter to begin with, least octet first; nil for 0.
    public var sequence: [UInt8]?

    /// Makes a key.
    public init(
        interface: UInt32, station: MACAddress?, index: UInt8, cipher: CipherSuite, key: [UInt8],
        sequence: [UInt8]? = nil
    ) {
        self.interface = interface
        self.station = station
        self.index = index
        self.cipher = cipher
        self.key = key
        self.sequence = sequence
    }
}

/// What a default key is for.
public enum DefaultKey: Hashable, Sendable {
    /// Frames to all stations.
    case multicast
    /// Frames to one station and to all.
    case any
    /// Management frames to all stations.
    case management
}

/// A management frame to send (`NL80211_CMD_FRAME`).
public struct FrameParameters: Hashable, Sendable {
    /// The interface's index.
    public var interface: UInt32
    /// The frame, from its header on, without checksum.
    public var frame: [UInt8]
    /// The channel's centre in MHz; nil for the interface's own.
    public var frequency: UInt32?
    /// Whether ``NL80211Event/frameTransmitted(_:)`` is wanted: its cookie is that of the answer.
    public var wantsStatus: Bool

    /// Makes a frame to send.
    public init(interface: UInt32, frame: [UInt8], frequency: UInt32? = nil, wantsStatus: Bool = false) {
        self.interface = interface
        self.frame = frame
        self.frequency = frequency
        self.wantsStatus = wantsStatus
    }
}

/// An EAPOL frame to send (`NL80211_CMD_CONTROL_PORT_FRAME`).
public struct ControlPortFrameParameters: Hashable, Sendable {
    /// The interface's index.
    public var interface: UInt32
    /// To whom.
    public var destination: MACAddress
    /// The frame, from the 802.1X header on.
    public var frame: [UInt8]
    /// Whether it is sent in the clear even when a key is installed.
    public var isUnencrypted: Bool
    /// Whether ``NL80211Event/controlPortFrameTransmitted(_:)`` is wanted: its cookie is that of the answer.
    public var wantsStatus: Bool

    /// Makes a frame to send.
    public init(
        interface: UInt32, destination: MACAddress, frame: [UInt8], isUnencrypted: Bool, wantsStatus: Bool = false
    ) {
        self.interface = interface
        self.destination = destination
        self.frame = frame
        self.isUnencrypted = isUnencrypted
        self.wantsStatus = wantsStatus
    }
}

/// What to scan for (`NL80211_CMD_TRIGGER_SCAN`).
public struct ScanParameters: Hashable, Sendable {
    /// The interface's index.
    public var interface: UInt32
    /// Channels' centres in MHz; all there are when empty.
    public var frequencies: [UInt32]
    /// Whether probe requests are sent; otherwise it only listens.
    public var isActive: Bool
    /// Whether what was found before is forgotten.
    public var flushes: Bool
    /// Whether it may scan while it is an access point, and stations wait (``WiphyFeatures/accessPointScan``).
    public var isAllowedWhileAccessPoint: Bool

    /// Makes a scan.
    public init(
        interface: UInt32, frequencies: [UInt32] = [], isActive: Bool = true, flushes: Bool = true,
        isAllowedWhileAccessPoint: Bool = false
    ) {
        self.interface = interface
        self.frequencies = frequencies
        self.isActive = isActive
        self.flushes = flushes
        self.isAllowedWhileAccessPoint = isAllowedWhileAccessPoint
    }
}

/// A station to remove (`NL80211_CMD_DEL_STATION`).
public struct StationRemoval: Hashable, Sendable {
    /// The interface's index.
    public var interface: UInt32
    /// The station; nil for all of them.
    public var address: MACAddress?
    /// The reason that a driver puts in the frame it sends; nil for the driver's own.
    public var reason: ReasonCode?

    /// Makes a removal.
    public init(interface: UInt32, address: MACAddress?, reason: ReasonCode? = nil) {
        self.interface = interface
        self.address = address
        self.reason = reason
    }
}
