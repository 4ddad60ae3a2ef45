import Netlink
public import Wire

/// A management frame that a station sent (`NL80211_CMD_FRAME`).
public struct ReceivedFrame: Hashable, Sendable {
    /// The interface's index.
    public var interface: UInt32
    /// The frame, from its header on, without checksum.
    public var frame: [UInt8]
    /// The channel's centre in MHz.
    public var frequency: UInt32?
    /// Its signal in dBm.
    public var signal: Int32?
}

/// An EAPOL frame that a station sent (`NL80211_CMD_CONTROL_PORT_FRAME`).
public struct ReceivedControlPortFrame: Hashable, Sendable {
    /// The interface's index.
    public var interface: UInt32
    /// From whom.
    public var source: MACAddress
    /// The frame, from the 802.1X header on.
    public var frame: [UInt8]
    /// The Ethernet type: ``ControlPort/ethertype``, or that of pre-authentication.
    public var ethertype: UInt16
    /// Whether it came in the clear.
    public var wasUnencrypted: Bool
}

/// What became of a frame (`NL80211_CMD_FRAME_TX_STATUS`).
public struct TransmissionStatus: Hashable, Sendable {
    /// The interface's index.
    public var interface: UInt32
    /// What the answer to the request called it.
    public var cookie: UInt64
    /// Whether the station acknowledged it.
    public var wasAcknowledged: Bool
}

/// What became of a probe (`NL80211_CMD_PROBE_CLIENT`).
public struct ProbeStatus: Hashable, Sendable {
    /// The interface's index.
    public var interface: UInt32
    /// The station.
    public var address: MACAddress
    /// What the answer to the request called it.
    public var cookie: UInt64
    /// Whether the station acknowledged it.
    public var wasAcknowledged: Bool
}

/// What radar detection says (`enum nl80211_radar_event`).
public struct RadarEvent: RawRepresentable, Hashable, Sendable {
    /// The number.
    public let rawValue: UInt32

    /// Makes one of its number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// There is radar: the channel must be left.
    public static let detected = RadarEvent(rawValue: 0)
    /// Nothing was heard for long enough: the channel may be used.
    public static let checkFinished = RadarEvent(rawValue: 1)
    /// The check was broken off.
    public static let checkAborted = RadarEvent(rawValue: 2)
}

/// Why a radio refused a station (`enum nl80211_connect_failed_reason`).
public struct ConnectionFailure: RawRepresentable, Hashable, Sendable {
    /// The number.
    public let rawValue: UInt32

    /// Makes one of its number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// It holds no more stations.
    public static let full = ConnectionFailure(rawValue: 0)
    /// The station is on a list of those not wanted.
    public static let blocked = ConnectionFailure(rawValue: 1)
}

/// What the kernel tells unasked of radios and stations.
public enum NL80211Event: Hashable, Sendable {
    /// A radio is new, or has another name.
    case newWiphy(index: UInt32, name: String)
    /// A radio is gone.
    case wiphyRemoved(index: UInt32)
    /// An interface is new or changed.
    case interface(WirelessInterface)
    /// An interface is gone.
    case interfaceRemoved(WirelessInterface)
    /// A management frame of a kind that was registered.
    case frame(ReceivedFrame)
    /// What became of a frame.
    case frameTransmitted(TransmissionStatus)
    /// An EAPOL frame.
    case controlPortFrame(ReceivedControlPortFrame)
    /// What became of an EAPOL frame.
    case controlPortFrameTransmitted(TransmissionStatus)
    /// A station is there: with a radio that associates, this is how we hear of it.
    case newStation(StationInfo)
    /// A station is gone.
    case stationRemoved(interface: UInt32, address: MACAddress)
    /// A radio refused a station.
    case connectionFailed(interface: UInt32, address: MACAddress, ConnectionFailure)
    /// What became of a probe.
    case probed(ProbeStatus)
    /// A station that is not associated sent data.
    case unexpectedFrame(interface: UInt32, from: MACAddress)
    /// An access point runs.
    case accessPointStarted(interface: UInt32)
    /// An access point does not run any more, whoever ended it.
    case accessPointStopped(interface: UInt32)
    /// A scan began.
    case scanStarted(interface: UInt32)
    /// A scan ended; what it found can be asked for.
    case scanFinished(interface: UInt32)
    /// A scan was broken off.
    case scanAborted(interface: UInt32)
    /// Other rules are in force, of one radio or of all; no letters when the rules are of no country.
    case regulatoryChange(alpha2: String?, wiphy: UInt32?)
    /// Radar detection said something.
    case radar(RadarEvent, wiphy: UInt32?, interface: UInt32?, frequency: UInt32?)
    /// An access point is on another channel.
    case channelSwitched(interface: UInt32, frequency: UInt32)
    /// Something else.
    case other(NL80211Command)

    /// Reads a message of the family; nil when it is cut off or lacks what it is about.
    /// - Parameter payload: what follows the netlink header.
    public init?(_ payload: RawSpan) {
        guard let header = GenericHeader(payload) else { return nil }
        let attributes = GenericHeader.attributes(of: payload)
        let command = NL80211Command(rawValue: header.command)
        let interface = attributes.first(Attribute.interface)?.uint32
        let wiphy = attributes.first(Attribute.wiphy)?.uint32
        let address = attributes.first(Attribute.mac)?.macAddress
        let event: NL80211Event?
        switch command {
        case .newWiphy:
            event = wiphy.map { .newWiphy(index: $0, name: attributes.first(Attribute.wiphyName)?.string ?? "") }
        case .deleteWiphy: event = wiphy.map { .wiphyRemoved(index: $0) }
        case .newInterface, .setInterface: event = WirelessInterface(attributes).map { .interface($0) }
        case .deleteInterface: event = WirelessInterface(attributes).map { .interfaceRemoved($0) }
        case .frame: event = ReceivedFrame(attributes).map { .frame($0) }
        case .frameTransmitStatus: event = TransmissionStatus(attributes).map { .frameTransmitted($0) }
        case .controlPortFrame: event = ReceivedControlPortFrame(attributes).map { .controlPortFrame($0) }
        case .controlPortFrameTransmitStatus:
            event = TransmissionStatus(attributes).map { .controlPortFrameTransmitted($0) }
        case .newStation: event = StationInfo(attributes).map { .newStation($0) }
        case .deleteStation:
            event = Self.both(interface, address) { .stationRemoved(interface: $0, address: $1) }
        case .connectionFailed:
            let reason = ConnectionFailure(rawValue: attributes.first(Attribute.connectionFailedReason)?.uint32 ?? 0)
            event = Self.both(interface, address) { .connectionFailed(interface: $0, address: $1, reason) }
        case .probeClient: event = ProbeStatus(attributes).map { .probed($0) }
        case .unexpectedFrame, .unexpected4AddressFrame:
            event = Self.both(interface, address) { .unexpectedFrame(interface: $0, from: $1) }
        case .startAP: event = interface.map { .accessPointStarted(interface: $0) }
        case .stopAP: event = interface.map { .accessPointStopped(interface: $0) }
        case .triggerScan: event = interface.map { .scanStarted(interface: $0) }
        case .newScanResults: event = interface.map { .scanFinished(interface: $0) }
        case .scanAborted: event = interface.map { .scanAborted(interface: $0) }
        case .regulatoryChange, .wiphyRegulatoryChange:
            event = .regulatoryChange(alpha2: attributes.first(Attribute.regulatoryAlpha2)?.string, wiphy: wiphy)
        case .radarDetected:
            event = attributes.first(Attribute.radarEvent)?.uint32.map {
                .radar(
                    RadarEvent(rawValue: $0), wiphy: wiphy, interface: interface,
                    frequency: attributes.first(Attribute.frequency)?.uint32)
            }
        case .channelSwitchNotify:
            event = Self.both(interface, attributes.first(Attribute.frequency)?.uint32) {
                .channelSwitched(interface: $0, frequency: $1)
            }
        default: event = .other(command)
        }
        guard let event else { return nil }
        self = event
    }

    private static func both<First, Second>(
        _ first: First?, _ second: Second?, _ make: (First, Second) -> NL80211Event
    ) -> NL80211Event? {
        guard let first, let second else { return nil }
        return make(first, second)
    }
}

extension ReceivedFrame {
    init?(_ attributes: borrowing NetlinkAttributes) {
        guard let interface = attributes.first(Attribute.interface)?.uint32,
            let frame = attributes.first(Attribute.frame)?.bytes
        else { return nil }
        self.init(
            interface: interface, frame: frame, frequency: attributes.first(Attribute.frequency)?.uint32,
            signal: attributes.first(Attribute.receivedSignal)?.int32)
    }
}

extension ReceivedControlPortFrame {
    init?(_ attributes: borrowing NetlinkAttributes) {
        guard let interface = attributes.first(Attribute.interface)?.uint32,
            let source = attributes.first(Attribute.mac)?.macAddress,
            let frame = attributes.first(Attribute.frame)?.bytes
        else { return nil }
        self.init(
            interface: interface, source: source, frame: frame,
            ethertype: attributes.first(Attribute.controlPortEthertype)?.uint16 ?? ControlPort.ethertype,
            wasUnencrypted: attributes.first(Attribute.controlPortNoEncrypt) != nil)
    }
}

extension TransmissionStatus {
    init?(_ attributes: borrowing NetlinkAttributes) {
        guard let interface = attributes.first(Attribute.interface)?.uint32,
            let cookie = attributes.first(Attribute.cookie)?.uint64
        else { return nil }
        self.init(
            interface: interface, cookie: cookie,
            wasAcknowledged: attributes.first(Attribute.acknowledged) != nil)
    }
}

extension ProbeStatus {
    init?(_ attributes: borrowing NetlinkAttributes) {
        guard let status = TransmissionStatus(attributes), let address = attributes.first(Attribute.mac)?.macAddress
        else { return nil }
        self.init(
            interface: status.interface, address: address, cookie: status.cookie,
            wasAcknowledged: status.wasAcknowledged)
    }
}
