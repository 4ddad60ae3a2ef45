import IEEE80211
import NL80211
import Netlink
import Wire

/// A kernel with one radio, as far as an access point asks of it: it does what it is told, and knows of each request
/// whether it may come now.
struct AccessPointKernel {
    /// What a radio does by itself.
    enum Chip: CaseIterable {
        case softMAC
        case fullMAC
        case offloaded
    }

    static let interface: UInt32 = 3
    static let bss = MACAddress(0x0200_0000_0001)

    let chip: Chip
    private(set) var type = InterfaceType.station
    private(set) var isUp = false
    private(set) var country = "00"
    /// What its beacon was started with.
    private(set) var beacon: AccessPointParameters?
    /// Who is on, and whether each one's data passes.
    private(set) var stations: [MACAddress: Bool] = [:]
    /// Who has a key.
    private(set) var keyed: Set<MACAddress> = []
    /// What it has to tell.
    var events: [NL80211Event] = []
    private var cookie: UInt64 = 0

    init(chip: Chip) { self.chip = chip }

    // MARK: Its radio

    private static let softMAC = radio(.softMAC)
    private static let fullMAC = radio(.fullMAC)
    private static let offloaded = radio(.offloaded)

    private static func radio(_ chip: Chip) -> Wiphy {
        var radio = Wiphy(index: 0)
        radio.name = "phy0"
        radio.interfaceTypes = [.station, .accessPoint]
        radio.commands = [.newInterface, .setInterface, .newKey, .startAP, .frame, .setBeacon]
        radio.cipherSuites = [.ccmp, .bipCMAC128]
        switch chip {
        case .softMAC:
            radio.commands.formUnion([.newStation, .probeClient])
            radio.features = [.sae, .inactivityTimer, .fullAPClientState]
            radio.extendedFeatures = features(.controlPortOverNL80211, .controlPortTransmitStatus)
        case .fullMAC: radio.accessPointSME = 0
        case .offloaded:
            radio.accessPointSME = 0
            radio.extendedFeatures = features(.fourWayHandshakeAccessPointPSK, .saeOffloadAccessPoint)
        }
        var low = WiphyBand(id: .ghz2)
        low.channels = stride(from: UInt32(2412), through: 2472, by: 5).map { WiphyChannel(frequency: $0) }
        low.rates = [10, 20, 55, 110, 60, 90, 120, 180, 240, 360, 480, 540]
        low.ht = HTCapabilities(
            information: 0x117E, ampduFactor: 3, ampduDensity: 6, mcsSet: [0xFF] + [UInt8](repeating: 0, count: 15))
        var high = WiphyBand(id: .ghz5)
        high.channels = stride(from: UInt32(5180), through: 5240, by: 20).map { WiphyChannel(frequency: $0) }
        high.rates = [60, 90, 120, 180, 240, 360, 480, 540]
        high.ht = low.ht
        high.vht = VHTCapabilities(information: 0x0390_31B0, mcsSet: [0xFA, 0xFF, 0, 0, 0xFA, 0xFF, 0, 0])
        radio.bands = [low, high]
        return radio
    }

    private static func features(_ features: ExtendedFeature...) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: 8)
        for feature in features { octets[feature.rawValue / 8] |= 1 << UInt8(feature.rawValue % 8) }
        return octets
    }

    private var radio: Wiphy {
        switch chip {
        case .softMAC: Self.softMAC
        case .fullMAC: Self.fullMAC
        case .offloaded: Self.offloaded
        }
    }

    var wirelessInterface: WirelessInterface {
        var interface = WirelessInterface(
            index: Self.interface, name: "wlan0", wiphy: 0, type: type, macAddress: Self.bss)
        interface.ssid = beacon?.ssid
        return interface
    }

    // MARK: Requests

    /// Does what is asked.
    mutating func carryOut(_ request: NetlinkRequest) -> Result<NetlinkReply, NetlinkFailure> {
        switch request {
        case .nl80211(let request): carryOut(request)
        case .route(.setLink(index: Self.interface, isUp: let isUp, isAlone: _)): setLink(isUp: isUp)
        case .route(.getNeighbours):
            .success(
                .neighbours(
                    stations.keys.sorted().map {
                        LinkNeighbour(interface: Self.interface, address: .v4(0x0A4D_000A), macAddress: $0)
                    }))
        case .route(.askNeighbour): .success(.done(cookie: nil))
        case .route: Self.refused(.noDevice)
        }
    }

    private mutating func setLink(isUp: Bool) -> Result<NetlinkReply, NetlinkFailure> {
        self.isUp = isUp
        if !isUp { stopBeacon() }
        return .success(.done(cookie: nil))
    }

    private mutating func carryOut(_ request: NL80211Request) -> Result<NetlinkReply, NetlinkFailure> {
        let done = Result<NetlinkReply, NetlinkFailure>.success(.done(cookie: nil))
        switch request {
        case .getWiphys: return .success(.wiphys([radio]))
        case .getInterfaces, .newInterface: return .success(.interfaces([wirelessInterface]))
        case .getRegulatory: return .success(.regulatory(RegulatoryDomain(alpha2: country)))
        case .setRegulatory(let alpha2):
            country = alpha2
            events.append(.regulatoryChange(alpha2: alpha2, wiphy: nil))
        case .setInterface(_, let type):
            guard !isUp || self.type == type else { return Self.refused(.busy) }
            self.type = type
        case .startAccessPoint(let parameters):
            guard type == .accessPoint, isUp else { return Self.refused(.networkDown) }
            guard beacon == nil else { return Self.refused(.already) }
            beacon = parameters
        case .stopAccessPoint:
            guard beacon != nil else { return Self.refused(.notFound) }
            stopBeacon()
        case .newStation(let station):
            guard beacon != nil else { return Self.refused(.networkDown) }
            stations[station.address] = false
        case .setStation(let station):
            guard stations[station.address] != nil else { return Self.refused(.notFound) }
            if station.flags.contains(.authorized) { stations[station.address] = true }
        case .deleteStation(let removal):
            guard let address = removal.address, stations.removeValue(forKey: address) != nil else {
                return Self.refused(.notFound)
            }
            keyed.remove(address)
            events.append(.stationRemoved(interface: Self.interface, address: address))
        case .newKey(let key):
            guard let address = key.station else { return done }
            guard stations[address] != nil else { return Self.refused(.notFound) }
            keyed.insert(address)
        case .getStation, .getStations: return .success(.stations(stations.keys.sorted().map(information)))
        case .getKey: return .success(.keySequence([7, 1, 0, 0, 0, 0]))
        case .sendFrame, .sendControlPortFrame:
            cookie += 1
            return .success(.done(cookie: cookie))
        case .triggerScan: events.append(.scanFinished(interface: Self.interface))
        case .getScan: return .success(.scan([]))
        case .getSurvey: return .success(.survey([]))
        case .deleteInterface, .setBeacon, .setBSS, .setDefaultKey, .deleteKey, .registerFrame,
            .registerUnexpectedFrames, .abortScan, .probeClient, .setPowerSave:
            break
        }
        return done
    }

    /// What it knows of a station.
    func information(_ address: MACAddress) -> StationInfo {
        var station = StationInfo(interface: Self.interface, address: address)
        station.inactiveMilliseconds = 1000
        return station
    }

    /// A chip associates a phone by itself.
    mutating func associate(_ address: MACAddress, elements: [UInt8]) {
        guard beacon != nil else { return }
        stations[address] = false
        var station = information(address)
        station.associationElements = elements
        events.append(.newStation(station))
    }

    /// The beacon ends, with whom is on.
    mutating func stopBeacon() {
        guard beacon != nil else { return }
        beacon = nil
        stations = [:]
        keyed = []
        events.append(.accessPointStopped(interface: Self.interface))
    }

    static func refused(_ number: ErrorNumber) -> Result<NetlinkReply, NetlinkFailure> {
        .failure(.refused(NetlinkError(number)))
    }
}
