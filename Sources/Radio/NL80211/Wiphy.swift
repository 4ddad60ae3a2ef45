public import IEEE80211
public import Netlink
public import Wire

/// A channel of a radio.
public struct WiphyChannel: Hashable, Sendable {
    /// Its centre in MHz.
    public var frequency: UInt32
    /// Not to be used here.
    public var isDisabled = false
    /// Nothing may be sent unless someone else is heard: no access point.
    public var forbidsInitiation = false
    /// Radar has to be looked for first.
    public var needsRadarDetection = false
    /// Only inside buildings.
    public var isIndoorOnly = false
    /// No 40 MHz with the channel below.
    public var forbidsHT40Minus = false
    /// No 40 MHz with the channel above.
    public var forbidsHT40Plus = false
    /// No 80 MHz.
    public var forbids80MHz = false
    /// No 20 MHz with OFDM.
    public var forbids20MHz = false
    /// No HE.
    public var forbidsHE = false
    /// The greatest power, in hundredths of dBm.
    public var maximumPower: UInt32?

    /// Makes a channel that is free to use.
    public init(frequency: UInt32) { self.frequency = frequency }

    /// Whether an access point may be here at once.
    public var allowsAccessPoint: Bool {
        !isDisabled && !forbidsInitiation && !needsRadarDetection && !forbids20MHz
    }

    init?(_ attributes: consuming NetlinkAttributes) {
        guard let frequency = attributes.first(FrequencyAttribute.frequency)?.uint32 else { return nil }
        self.init(frequency: frequency)
        while let attribute = attributes.next() {
            switch attribute.type {
            case FrequencyAttribute.disabled: isDisabled = true
            case FrequencyAttribute.noInitiation: forbidsInitiation = true
            case FrequencyAttribute.radar: needsRadarDetection = true
            case FrequencyAttribute.indoorOnly: isIndoorOnly = true
            case FrequencyAttribute.noHT40Minus: forbidsHT40Minus = true
            case FrequencyAttribute.noHT40Plus: forbidsHT40Plus = true
            case FrequencyAttribute.no80MHz: forbids80MHz = true
            case FrequencyAttribute.no20MHz: forbids20MHz = true
            case FrequencyAttribute.noHE: forbidsHE = true
            case FrequencyAttribute.maximumPower: maximumPower = attribute.uint32
            default: break
            }
        }
    }
}

/// A band of a radio (`NL80211_ATTR_WIPHY_BANDS`).
public struct WiphyBand: Hashable, Sendable {
    /// Which band (`enum nl80211_band`).
    public struct ID: RawRepresentable, Hashable, Sendable {
        /// The number.
        public let rawValue: UInt16

        /// Makes one of its number.
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// 2.4 GHz.
        public static let ghz2 = ID(rawValue: 0)
        /// 5 GHz.
        public static let ghz5 = ID(rawValue: 1)
        /// 6 GHz.
        public static let ghz6 = ID(rawValue: 3)
    }

    /// HE, for the kinds of interface that have it so.
    public struct HE: Hashable, Sendable {
        /// The kinds of interface.
        public var types: Set<InterfaceType>
        /// What they can do.
        public var capabilities: HECapabilities
    }

    /// Which band.
    public var id: ID
    /// Its channels.
    public var channels: [WiphyChannel] = []
    /// Its rates without HT, in units of 100 kb/s.
    public var rates: [UInt32] = []
    /// HT, where the radio has it.
    public var ht: HTCapabilities?
    /// VHT, where the radio has it.
    public var vht: VHTCapabilities?
    /// HE, where the radio has it.
    public var he: [HE] = []

    /// Makes a band without channels.
    public init(id: ID) { self.id = id }

    /// HE of an access point; nil without.
    public var accessPointHE: HECapabilities? {
        he.first { $0.types.contains(.accessPoint) }?.capabilities
    }

    mutating func merge(_ attributes: consuming NetlinkAttributes) {
        var htInformation: UInt16?
        var htMCSSet: [UInt8] = []
        var ampduFactor: UInt8 = 0
        var ampduDensity: UInt8 = 0
        var vhtInformation: UInt32?
        var vhtMCSSet: [UInt8] = []
        while let attribute = attributes.next() {
            switch attribute.type {
            case BandAttribute.frequencies:
                var list = attribute.nested
                while let item = list.next(), channels.count < Wiphy.maximumChannels {
                    if let channel = WiphyChannel(item.nested) { channels.append(channel) }
                }
            case BandAttribute.rates:
                var list = attribute.nested
                while let item = list.next(), rates.count < Wiphy.maximumRates {
                    if let rate = item.nested.first(BitrateAttribute.rate)?.uint32 { rates.append(rate) }
                }
            case BandAttribute.htCapabilities: htInformation = attribute.uint16
            case BandAttribute.htMCSSet: htMCSSet = attribute.bytes
            case BandAttribute.htAMPDUFactor: ampduFactor = attribute.uint8 ?? 0
            case BandAttribute.htAMPDUDensity: ampduDensity = attribute.uint8 ?? 0
            case BandAttribute.vhtCapabilities: vhtInformation = attribute.uint32
            case BandAttribute.vhtMCSSet: vhtMCSSet = attribute.bytes
            case BandAttribute.interfaceTypeData:
                var list = attribute.nested
                while let item = list.next(), he.count < Wiphy.maximumInterfaceTypes {
                    if let data = HE(item.nested) { he.append(data) }
                }
            default: break
            }
        }
        if let htInformation {
            ht = HTCapabilities(
                information: htInformation, ampduFactor: ampduFactor, ampduDensity: ampduDensity, mcsSet: htMCSSet)
        }
        if let vhtInformation { vht = VHTCapabilities(information: vhtInformation, mcsSet: vhtMCSSet) }
    }
}

extension WiphyBand.HE {
    init?(_ attributes: consuming NetlinkAttributes) {
        var types: Set<InterfaceType> = []
        var mac: [UInt8] = []
        var phy: [UInt8] = []
        var mcsSet: [UInt8] = []
        var ppe: [UInt8] = []
        while let attribute = attributes.next() {
            switch attribute.type {
            case BandInterfaceTypeAttribute.types: types = Wiphy.interfaceTypes(attribute.nested)
            case BandInterfaceTypeAttribute.heMAC: mac = attribute.bytes
            case BandInterfaceTypeAttribute.hePHY: phy = attribute.bytes
            case BandInterfaceTypeAttribute.heMCSSet: mcsSet = attribute.bytes
            case BandInterfaceTypeAttribute.hePPE: ppe = attribute.bytes
            default: break
            }
        }
        guard let capabilities = HECapabilities(mac: mac, phy: phy, mcsSet: mcsSet, ppeThresholds: ppe) else {
            return nil
        }
        self.init(types: types, capabilities: capabilities)
    }
}

/// A radio, as its driver reports it (`NL80211_CMD_NEW_WIPHY`).
public struct Wiphy: Hashable, Sendable {
    /// Channels kept of one band; the widest band has 59.
    public static let maximumChannels = 256
    /// Rates kept of one band; the most there are is 12.
    public static let maximumRates = 32
    /// Kinds of interface kept.
    public static let maximumInterfaceTypes = 32
    /// Radios kept of one list.
    public static let maximumCount = 128
    /// Bands kept of one radio.
    public static let maximumBands = 8

    /// Its index.
    public var index: UInt32
    /// Its name, such as `phy0`.
    public var name = ""
    /// Its bands.
    public var bands: [WiphyBand] = []
    /// What its interfaces can be.
    public var interfaceTypes: Set<InterfaceType> = []
    /// Ciphers it knows.
    public var cipherSuites: [CipherSuite] = []
    /// Key managements it knows; empty when it does not say.
    public var akmSuites: [AKMSuite] = []
    /// Its features.
    public var features: WiphyFeatures = []
    /// Its extended features, bit by bit.
    public var extendedFeatures: [UInt8] = []
    /// Commands it knows.
    public var commands: Set<NL80211Command> = []
    /// What its access point does by itself, when it does anything (`NL80211_ATTR_DEVICE_AP_SME`).
    public var accessPointSME: UInt32?
    /// Which probes it answers by itself; nil when none (`NL80211_ATTR_PROBE_RESP_OFFLOAD`).
    public var probeResponseOffload: UInt32?
    /// Stations its access point holds; nil when it does not say.
    public var maximumStations: UInt32?
    /// Extended capabilities of an interface, without element header.
    public var extendedCapabilities: [UInt8] = []
    /// Whether stations of its access point may sleep by U-APSD.
    public var hasUAPSD = false
    /// Whether it looks after the law of the place by itself.
    public var isSelfManaged = false
    /// Names it can scan for at once; 0 when it only listens.
    public var maximumScanSSIDs: UInt8 = 0
    /// Management frames that an access point's socket can be given, as frame control fields.
    public var receivableFrames: Set<UInt16> = []
    /// Its permanent address.
    public var macAddress: MACAddress?

    /// Makes a radio of which only the index is known.
    public init(index: UInt32) { self.index = index }

    /// Whether it has an extended feature.
    public func has(_ feature: ExtendedFeature) -> Bool {
        let octet = feature.rawValue / 8
        guard feature.rawValue >= 0, octet < extendedFeatures.count else { return false }
        return extendedFeatures[octet] & 1 << UInt8(feature.rawValue % 8) != 0
    }
}

extension Wiphy {
    /// Who manages the stations of a radio's access point.
    public enum StationManagement: Hashable, Sendable {
        /// We do all: authentication, association, handshake.
        case host
        /// The radio authenticates and associates; we do the handshake.
        case radio
        /// The radio does the handshake as well.
        /// - psk: with a PMK that it is given.
        /// - sae: with a password that it is given.
        case radioWithHandshake(psk: Bool, sae: Bool)
    }

    /// Whether it can be an access point.
    ///
    /// Where stations are ours to manage its driver must know them from their authentication on, as all of mac80211's do: others
    /// refuse what is told of one that is not associated yet (nl80211_new_station).
    public var canBeAccessPoint: Bool {
        guard interfaceTypes.contains(.accessPoint), commands.contains(.startAP) else { return false }
        return switch stationManagement {
        case .host: features.contains(.fullAPClientState)
        case .radio, .radioWithHandshake: true
        }
    }

    /// Who manages the stations, by what the radio reports: `NL80211_ATTR_DEVICE_AP_SME`, and the extended features
    /// `4WAY_HANDSHAKE_AP_PSK` and `SAE_OFFLOAD_AP`.
    public var stationManagement: StationManagement {
        guard accessPointSME != nil else { return .host }
        let psk = hasHandshakeOffload
        let sae = hasSAEOffload
        return psk || sae ? .radioWithHandshake(psk: psk, sae: sae) : .radio
    }

    /// Whether an access point of it does the 4-way handshake by itself.
    public var hasHandshakeOffload: Bool { has(.fourWayHandshakeAccessPointPSK) }

    /// Whether an access point of it does SAE by itself.
    public var hasSAEOffload: Bool { has(.saeOffloadAccessPoint) }

    /// Whether EAPOL can pass over nl80211.
    public var hasControlPortOverNL80211: Bool { has(.controlPortOverNL80211) }

    /// A band; nil when the radio has it not.
    public func band(_ id: WiphyBand.ID) -> WiphyBand? { bands.first { $0.id == id } }

    /// The radios of a list, each of whose messages says some of one (`NL80211_ATTR_SPLIT_WIPHY_DUMP`).
    /// - Parameters:
    ///   - attributes: those of one message.
    ///   - wiphys: what the messages before it said.
    public static func merge(_ attributes: borrowing NetlinkAttributes, into wiphys: inout [Wiphy]) {
        guard let index = attributes.first(Attribute.wiphy)?.uint32 else { return }
        if let place = wiphys.firstIndex(where: { $0.index == index }) {
            wiphys[place].merge(attributes)
        } else if wiphys.count < maximumCount {
            var wiphy = Wiphy(index: index)
            wiphy.merge(attributes)
            wiphys.append(wiphy)
        }
    }

    /// Adds what one message says.
    mutating func merge(_ attributes: borrowing NetlinkAttributes) {
        var attributes = attributes.again()
        while let attribute = attributes.next() {
            switch attribute.type {
            case Attribute.wiphyName: name = attribute.string
            case Attribute.bands:
                var list = attribute.nested
                while let item = list.next() {
                    let id = WiphyBand.ID(rawValue: item.type)
                    let place = bands.firstIndex { $0.id == id } ?? bands.count
                    if place == bands.count {
                        guard bands.count < Self.maximumBands else { continue }
                        bands.append(WiphyBand(id: id))
                    }
                    bands[place].merge(item.nested)
                }
            case Attribute.supportedInterfaceTypes: interfaceTypes = Self.interfaceTypes(attribute.nested)
            case Attribute.cipherSuites: cipherSuites = attribute.uint32s.map(CipherSuite.init(rawValue:))
            case Attribute.akmSuites: akmSuites = attribute.uint32s.map(AKMSuite.init(rawValue:))
            case Attribute.featureFlags: features = WiphyFeatures(rawValue: attribute.uint32 ?? 0)
            case Attribute.extendedFeatures: extendedFeatures = attribute.bytes
            case Attribute.supportedCommands:
                var list = attribute.nested
                while let item = list.next() {
                    if let number = item.uint32, let command = UInt8(exactly: number) {
                        commands.insert(NL80211Command(rawValue: command))
                    }
                }
            case Attribute.deviceAPSME: accessPointSME = attribute.uint32
            case Attribute.probeResponseOffload: probeResponseOffload = attribute.uint32
            case Attribute.maximumStations: maximumStations = attribute.uint32
            case Attribute.extendedCapabilities: extendedCapabilities = attribute.bytes
            case Attribute.apUAPSD: hasUAPSD = true
            case Attribute.selfManagedRegulatory: isSelfManaged = true
            case Attribute.maximumScanSSIDs: maximumScanSSIDs = attribute.uint8 ?? 0
            case Attribute.mac: macAddress = attribute.macAddress
            case Attribute.receivableFrameTypes:
                guard let types = attribute.nested.first(UInt16(InterfaceType.accessPoint.rawValue)) else { continue }
                var list = types.nested
                while let item = list.next() {
                    if item.type == Attribute.frameType, let type = item.uint16 { receivableFrames.insert(type) }
                }
            default: break
            }
        }
    }

    /// Kinds of interface, each a flag with its number.
    static func interfaceTypes(_ attributes: consuming NetlinkAttributes) -> Set<InterfaceType> {
        var types: Set<InterfaceType> = []
        while let attribute = attributes.next(), types.count < maximumInterfaceTypes {
            types.insert(InterfaceType(rawValue: UInt32(attribute.type)))
        }
        return types
    }
}
