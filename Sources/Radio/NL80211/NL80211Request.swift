public import IEEE80211
public import Netlink
public import Wire

/// What is asked of the kernel's nl80211 family (linux/nl80211.h).
public enum NL80211Request: Hashable, Sendable {
    /// All radios, in as many messages as it takes: ``NetlinkReply/wiphys(_:)``.
    case getWiphys
    /// All wireless interfaces: ``NetlinkReply/interfaces(_:)``.
    case getInterfaces
    /// Makes an interface; the answer is it, as ``NetlinkReply/interfaces(_:)``. It ends with the socket when
    /// `isOwnedBySocket`.
    case newInterface(wiphy: UInt32, name: String, type: InterfaceType, address: MACAddress?, isOwnedBySocket: Bool)
    /// Changes what an interface is for; it must be down for that with most drivers.
    case setInterface(index: UInt32, type: InterfaceType)
    /// Removes an interface.
    case deleteInterface(index: UInt32)
    /// What the law of the place allows, of one radio or of all: ``NetlinkReply/regulatory(_:)``.
    case getRegulatory(wiphy: UInt32?)
    /// Says in which country the box is; ``NL80211Event/regulatoryChange(alpha2:wiphy:)`` tells when it is in force.
    /// - alpha2: the country's two letters of ISO 3166.
    case setRegulatory(alpha2: String)
    /// Starts an access point.
    case startAccessPoint(AccessPointParameters)
    /// Ends it.
    case stopAccessPoint(interface: UInt32)
    /// Changes the beacon of an access point.
    case setBeacon(interface: UInt32, BeaconParameters)
    /// Changes how the stations of an access point share the air.
    case setBSS(BSSParameters)
    /// Tells the kernel of a station.
    case newStation(StationParameters)
    /// Changes a station.
    case setStation(StationParameters)
    /// Removes a station.
    case deleteStation(StationRemoval)
    /// What is known of one station: ``NetlinkReply/stations(_:)``.
    case getStation(interface: UInt32, address: MACAddress)
    /// What is known of all stations: ``NetlinkReply/stations(_:)``.
    case getStations(interface: UInt32)
    /// Installs a key.
    case newKey(KeyParameters)
    /// Says what a key is the default for.
    case setDefaultKey(interface: UInt32, index: UInt8, DefaultKey)
    /// How many frames a key was used for: ``NetlinkReply/keySequence(_:)``. Not every driver tells.
    case getKey(interface: UInt32, station: MACAddress?, index: UInt8)
    /// Removes a key: a station's, or with nil one for all.
    case deleteKey(interface: UInt32, station: MACAddress?, index: UInt8)
    /// From now on this socket gets the management frames of a kind as ``NL80211Event/frame(_:)``.
    /// - subtype: which frames.
    /// - match: the first octets of their body.
    case registerFrame(interface: UInt32, subtype: ManagementSubtype, match: [UInt8])
    /// From now on this socket is told of data frames of stations unknown, as ``NL80211Event/unexpectedFrame(_:from:)``.
    case registerUnexpectedFrames(interface: UInt32)
    /// Sends a management frame.
    case sendFrame(FrameParameters)
    /// Sends an EAPOL frame.
    case sendControlPortFrame(ControlPortFrameParameters)
    /// Begins a scan; ``NL80211Event/scanFinished(interface:)`` or ``NL80211Event/scanAborted(interface:)`` follows.
    case triggerScan(ScanParameters)
    /// Ends a scan.
    case abortScan(interface: UInt32)
    /// What the last scan found: ``NetlinkReply/scan(_:)``.
    case getScan(interface: UInt32)
    /// How busy channels are: ``NetlinkReply/survey(_:)``.
    case getSurvey(interface: UInt32)
    /// Sends a station a frame without data; ``NL80211Event/probed(_:)`` tells whether it was acknowledged.
    case probeClient(interface: UInt32, address: MACAddress)
    /// Lets the radio sleep, or not.
    case setPowerSave(interface: UInt32, isOn: Bool)
}

extension NL80211Request {
    /// The family's name, and the version of its interface.
    public static let familyName = "nl80211"
    /// The multicast groups whose messages ``NL80211Event`` reads.
    public static let groups = ["config", "scan", "regulatory", "mlme"]

    /// The command that asks for it.
    public var command: NL80211Command {
        switch self {
        case .getWiphys: .getWiphy
        case .getInterfaces: .getInterface
        case .newInterface: .newInterface
        case .setInterface: .setInterface
        case .deleteInterface: .deleteInterface
        case .getRegulatory: .getRegulatory
        case .setRegulatory: .requestSetRegulatory
        case .startAccessPoint: .startAP
        case .stopAccessPoint: .stopAP
        case .setBeacon: .setBeacon
        case .setBSS: .setBSS
        case .newStation: .newStation
        case .setStation: .setStation
        case .deleteStation: .deleteStation
        case .getStation, .getStations: .getStation
        case .newKey: .newKey
        case .setDefaultKey: .setKey
        case .getKey: .getKey
        case .deleteKey: .deleteKey
        case .registerFrame: .registerFrame
        case .registerUnexpectedFrames: .unexpectedFrame
        case .sendFrame: .frame
        case .sendControlPortFrame: .controlPortFrame
        case .triggerScan: .triggerScan
        case .abortScan: .abortScan
        case .getScan: .getScan
        case .getSurvey: .getSurvey
        case .probeClient: .probeClient
        case .setPowerSave: .setPowerSave
        }
    }

    /// Whether the answer is many messages, with a last one that says so.
    public var isDump: Bool {
        switch self {
        case .getWiphys, .getInterfaces, .getStations, .getScan, .getSurvey: true
        case .newInterface, .setInterface, .deleteInterface, .getRegulatory, .setRegulatory, .startAccessPoint,
            .stopAccessPoint, .setBeacon, .setBSS, .newStation, .setStation, .deleteStation, .getStation, .newKey,
            .setDefaultKey, .getKey, .deleteKey, .registerFrame, .registerUnexpectedFrames, .sendFrame,
            .sendControlPortFrame, .triggerScan, .abortScan, .probeClient, .setPowerSave:
            false
        }
    }

    /// Writes the request as one message.
    /// - Parameters:
    ///   - family: the number that the kernel gave nl80211.
    ///   - sequence: the number its answer repeats.
    ///   - writer: takes the message.
    public func encode(family: UInt16, sequence: UInt32, into writer: inout NetlinkWriter) {
        writer.beginMessage(
            type: family, flags: isDump ? [.request, .dump] : [.request, .acknowledge], sequence: sequence)
        writer.write(GenericHeader(command: command.rawValue, version: 0))
        writeAttributes(into: &writer)
        writer.endMessage()
    }

    private func writeAttributes(into writer: inout NetlinkWriter) {
        switch self {
        case .getWiphys:
            writer.putFlag(Attribute.splitWiphyDump)
        case .getInterfaces:
            break
        case .newInterface(let wiphy, let name, let type, let address, let isOwnedBySocket):
            writer.put(Attribute.wiphy, wiphy)
            writer.put(Attribute.interfaceName, name)
            writer.put(Attribute.interfaceType, type.rawValue)
            if let address { writer.put(Attribute.mac, address) }
            if isOwnedBySocket { writer.putFlag(Attribute.socketOwner) }
        case .setInterface(let index, let type):
            writer.put(Attribute.interface, index)
            writer.put(Attribute.interfaceType, type.rawValue)
        case .deleteInterface(let index), .stopAccessPoint(let index), .getStations(let index),
            .registerUnexpectedFrames(let index), .abortScan(let index), .getScan(let index), .getSurvey(let index):
            writer.put(Attribute.interface, index)
        case .getRegulatory(let wiphy):
            if let wiphy { writer.put(Attribute.wiphy, wiphy) }
        case .setRegulatory(let alpha2):
            writer.put(Attribute.regulatoryAlpha2, alpha2)
        case .startAccessPoint(let parameters):
            parameters.write(into: &writer)
        case .setBeacon(let interface, let beacon):
            writer.put(Attribute.interface, interface)
            beacon.write(into: &writer)
        case .setBSS(let parameters):
            parameters.write(into: &writer)
        case .newStation(let parameters), .setStation(let parameters):
            parameters.write(into: &writer)
        case .deleteStation(let removal):
            writer.put(Attribute.interface, removal.interface)
            if let address = removal.address { writer.put(Attribute.mac, address) }
            if let reason = removal.reason { writer.put(Attribute.reasonCode, reason.rawValue) }
        case .getStation(let interface, let address), .probeClient(let interface, let address):
            writer.put(Attribute.interface, interface)
            writer.put(Attribute.mac, address)
        case .newKey(let parameters):
            parameters.write(into: &writer)
        case .setDefaultKey(let interface, let index, let use):
            writer.put(Attribute.interface, interface)
            writer.putNest(Attribute.key) { writer in
                writer.put(KeyAttribute.index, index)
                switch use {
                case .multicast:
                    writer.putFlag(KeyAttribute.isDefault)
                    writer.putNest(KeyAttribute.defaultTypes) { $0.putFlag(KeyDefaultType.multicast) }
                case .any:
                    writer.putFlag(KeyAttribute.isDefault)
                case .management:
                    writer.putFlag(KeyAttribute.isDefaultManagement)
                }
            }
        case .getKey(let interface, let station, let index):
            // The kernel reads only the old attributes here, and not the nested ones.
            writer.put(Attribute.interface, interface)
            if let station { writer.put(Attribute.mac, station) }
            writer.put(Attribute.keyIndex, index)
            writer.put(Attribute.keyType, KeyParameters.type(station: station))
        case .deleteKey(let interface, let station, let index):
            writer.put(Attribute.interface, interface)
            if let station { writer.put(Attribute.mac, station) }
            writer.putNest(Attribute.key) { writer in
                writer.put(KeyAttribute.index, index)
                writer.put(KeyAttribute.type, KeyParameters.type(station: station))
            }
        case .registerFrame(let interface, let subtype, let match):
            writer.put(Attribute.interface, interface)
            // The frame control field's first octet: type management is 0.
            writer.put(Attribute.frameType, UInt16(subtype.frameControl))
            writer.put(Attribute.frameMatch, match)
        case .sendFrame(let parameters):
            writer.put(Attribute.interface, parameters.interface)
            if let frequency = parameters.frequency { writer.put(Attribute.frequency, frequency) }
            writer.put(Attribute.frame, parameters.frame)
            if !parameters.wantsStatus { writer.putFlag(Attribute.dontWaitForAcknowledgement) }
        case .sendControlPortFrame(let parameters):
            writer.put(Attribute.interface, parameters.interface)
            writer.put(Attribute.mac, parameters.destination)
            writer.put(Attribute.controlPortEthertype, ControlPort.ethertype)
            writer.put(Attribute.frame, parameters.frame)
            if parameters.isUnencrypted { writer.putFlag(Attribute.controlPortNoEncrypt) }
            if !parameters.wantsStatus { writer.putFlag(Attribute.dontWaitForAcknowledgement) }
        case .triggerScan(let parameters):
            parameters.write(into: &writer)
        case .setPowerSave(let interface, let isOn):
            writer.put(Attribute.interface, interface)
            writer.put(Attribute.powerSaveState, UInt32(isOn ? 1 : 0))
        }
    }
}
