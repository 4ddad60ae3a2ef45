import Authenticator
import IEEE80211
import NL80211
import Stations
import WiFiCrypto
import Wire

/// Requests that take more than a line.
enum Requests {
    /// Beacons between two that announce group-addressed frames.
    static let dtimPeriod: UInt32 = 2

    /// The access point itself.
    /// - Parameters:
    ///   - pmk: the pairwise master key, for a chip that does the handshake; the others are not given it.
    ///   - passphrase: the same as a password, for a chip that does SAE.
    static func start(
        _ interface: UInt32, description: BSSDescription, security: SecurityPlan, radio: Wiphy, pmk: SecretBytes?,
        passphrase: String
    ) -> NL80211Request {
        var parameters = AccessPointParameters(
            interface: interface, beacon: beacon(description, kind: security.kind), ssid: description.ssid,
            channel: description.channel, beaconInterval: UInt32(description.beaconInterval), dtimPeriod: dtimPeriod)
        parameters.authentication = .open
        parameters.isPrivate = true
        parameters.wpaVersions = .wpa2
        parameters.pairwiseCiphers = security.rsn.pairwise
        parameters.groupCipher = security.rsn.group
        parameters.akms = security.rsn.akms
        switch security.kind {
        case .softMAC, .fullMAC:
            if radio.hasControlPortOverNL80211 {
                parameters.controlPort = ControlPort(
                    isOverNL80211: true,
                    hasNoPreauthentication: radio.has(.controlPortNoPreauthentication))
            } else {
                parameters.controlPort = ControlPort(isOverNL80211: false)
            }
        case .offloaded:
            if security.offersPSK { parameters.pmk = pmk?.bytes.copied }
            if security.offersSAE {
                parameters.saePassword = Array(passphrase.utf8)
                parameters.authentication = .automatic
            }
        }
        return .startAccessPoint(parameters)
    }

    /// The beacon, and what goes with it. Firmware makes its frames itself and takes from the tail what it has to know;
    /// it refuses more.
    static func beacon(_ description: BSSDescription, kind: StationsConfiguration.Kind) -> BeaconParameters {
        let template = BeaconTemplate(description)
        return BeaconParameters(
            head: template.head, tail: template.tail,
            probeResponse: kind == .softMAC ? template.probeResponse(to: .broadcast) : nil)
    }

    /// How stations share the air.
    static func bss(_ interface: UInt32, _ description: BSSDescription) -> NL80211Request {
        var parameters = BSSParameters(interface: interface)
        if description.channel.band == .ghz2 {
            parameters.usesCTSProtection = description.hasNonERPStations
            parameters.usesShortPreamble = !description.hasNonERPStations
            parameters.usesShortSlotTime = !description.hasNonERPStations
        }
        parameters.basicRates = description.rates.basicValues.sorted()
        if description.usesHT { parameters.htOperationMode = (description.hasNonHTStations ? 0x03 : 0) | 0x04 }
        return .setBSS(parameters)
    }

    /// A station's entry, authenticated.
    static func station(_ interface: UInt32, _ station: NewStation) -> NL80211Request {
        var parameters = StationParameters(interface: interface, address: station.address)
        var flags: StationFlags = [.authenticated]
        if station.hasWMM { flags.insert(.wmm) }
        if station.usesMFP { flags.insert(.managementFrameProtection) }
        if station.capabilities.contains(.shortPreamble) { flags.insert(.shortPreamble) }
        parameters.flagsMask = [.authenticated, .associated, .wmm, .managementFrameProtection, .shortPreamble]
        parameters.flags = flags
        parameters.aid = station.aid
        parameters.listenInterval = station.listenInterval
        parameters.supportedRates = station.rates
        parameters.capability = station.capabilities
        parameters.extendedCapabilities = station.extendedCapabilities
        parameters.ht = station.ht
        parameters.vht = station.vht
        parameters.he = station.he
        if station.hasWMM {
            parameters.qosInformation = station.uapsdQueues & 0x0F | (station.maximumServicePeriod & 3) << 5
        }
        return .newStation(parameters)
    }

    /// A flag of a station's entry.
    static func set(_ flag: StationFlags, of station: MACAddress, _ interface: UInt32) -> NL80211Request {
        var parameters = StationParameters(interface: interface, address: station)
        parameters.flagsMask = flag
        parameters.flags = flag
        return .setStation(parameters)
    }

    /// The group keys, and that they are the ones to use, each with the key's index.
    static func groupKeys(_ interface: UInt32, _ keys: GroupKeys, protects: Bool) -> [(UInt8, NL80211Request)] {
        func requests(
            _ index: UInt8, _ cipher: CipherSuite, _ key: [UInt8], _ use: DefaultKey
        ) -> [(UInt8, NL80211Request)] {
            let parameters = KeyParameters(
                interface: interface, station: nil, index: index, cipher: cipher, key: key)
            return [
                (index, .newKey(parameters)), (index, .setDefaultKey(interface: interface, index: index, use)),
            ]
        }
        let group = requests(keys.gtkIndex, .ccmp, keys.gtk.bytes.copied, .multicast)
        guard protects, let igtk = keys.igtk else { return group }
        return group + requests(keys.igtkIndex, .bipCMAC128, igtk.bytes.copied, .management)
    }
}
