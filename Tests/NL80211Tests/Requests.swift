import IEEE80211
import Netlink
import Wire

@testable import NL80211

/// Requests as the access point makes them, every kind at least once.
enum Requests {
    static let interface: UInt32 = 4
    static let station = MACAddress(0x0200_0000_0100)
    static let bss = MACAddress(0x0200_0000_0000)

    static func template(akms: [AKMSuite], protection: RSNCapabilities) -> BeaconTemplate {
        let rates = SupportedRates(
            hundredKilobits: [10, 20, 55, 110, 60, 90, 120, 180, 240, 360, 480, 540], band: .ghz2)
        return BeaconTemplate(
            BSSDescription(
                bss: bss, ssid: Array("Kibitz-7F3A".utf8), channel: channel, rates: rates,
                country: CountryElement(
                    code: "DE", band: .ghz2, channels: (1...13).map { (number: $0, maximumPower: 20) }),
                rsn: RSNElement(group: .ccmp, pairwise: [.ccmp], akms: akms, capabilities: protection),
                rsnExtension: RSNXElement(hashToElement: true),
                ht: HTCapabilities(
                    information: 0x107E, ampduFactor: 3, ampduDensity: 0,
                    mcsSet: [0xFF] + [UInt8](repeating: 0, count: 15))
            ))
    }

    static var channel: OperatingChannel {
        guard let channel = OperatingChannel(frequency: 2437, width: .mhz20) else {
            fatalError("2437 MHz is channel 6")
        }
        return channel
    }

    private static func parameters(akms: [AKMSuite], protection: RSNCapabilities) -> AccessPointParameters {
        let template = template(akms: akms, protection: protection)
        var parameters = AccessPointParameters(
            interface: interface,
            beacon: BeaconParameters(
                head: template.head, tail: template.tail,
                associationResponseElements: template.associationResponseElements),
            ssid: Array("Kibitz-7F3A".utf8), channel: channel)
        parameters.isPrivate = true
        parameters.pairwiseCiphers = [.ccmp]
        parameters.groupCipher = .ccmp
        parameters.akms = akms
        return parameters
    }

    /// A radio that leaves all to us.
    static var softMAC: AccessPointParameters {
        var parameters = parameters(akms: [.psk, .sae], protection: .managementFrameProtectionCapable)
        parameters.wpaVersions = [.wpa2, .wpa3]
        parameters.controlPort = ControlPort(isOverNL80211: true, hasNoPreauthentication: true)
        parameters.beacon.probeResponse = template(akms: [.psk], protection: []).probeResponse(to: station)
        return parameters
    }

    /// A radio that associates.
    static var fullMAC: AccessPointParameters {
        var parameters = parameters(akms: [.psk], protection: [])
        parameters.wpaVersions = .wpa2
        parameters.authentication = .open
        parameters.controlPort = ControlPort(isOverNL80211: false)
        parameters.inactivityTimeout = 60
        return parameters
    }

    /// A radio that does WPA2's handshake.
    static var offloadedPSK: AccessPointParameters {
        var parameters = parameters(akms: [.psk], protection: [])
        parameters.wpaVersions = .wpa2
        parameters.authentication = .open
        parameters.pmk = (0..<32).map { UInt8($0) }
        return parameters
    }

    /// A radio that does SAE.
    static var offloadedSAE: AccessPointParameters {
        var parameters = parameters(
            akms: [.sae], protection: [.managementFrameProtectionCapable, .managementFrameProtectionRequired])
        parameters.wpaVersions = .wpa3
        parameters.authentication = .sae
        parameters.saePassword = Array("correct horse battery".utf8)
        parameters.saePasswordElement = .both
        return parameters
    }

    static var newStation: StationParameters {
        var parameters = StationParameters(interface: interface, address: station)
        parameters.aid = 1
        parameters.listenInterval = 10
        parameters.supportedRates = [2, 4, 11, 22, 12, 18, 24, 36, 48, 72, 96, 108]
        parameters.capability = [.ess, .privacy]
        parameters.extendedCapabilities = [0, 0, 8, 0, 0, 0, 0, 0x40]
        parameters.ht = [UInt8](repeating: 1, count: 26)
        parameters.vht = [UInt8](repeating: 2, count: 12)
        parameters.he = [UInt8](repeating: 0, count: 21)
        parameters.qosInformation = 0x6F
        parameters.flagsMask = [.authenticated, .associated, .wmm, .managementFrameProtection]
        parameters.flags = [.authenticated, .wmm, .authorized]
        return parameters
    }

    private static var authorizing: StationParameters {
        var parameters = StationParameters(interface: interface, address: station)
        parameters.flagsMask = .authorized
        parameters.flags = .authorized
        return parameters
    }

    private static var bssParameters: BSSParameters {
        var parameters = BSSParameters(interface: interface)
        parameters.usesCTSProtection = true
        parameters.usesShortPreamble = false
        parameters.usesShortSlotTime = true
        parameters.isIsolated = false
        parameters.basicRates = [2, 4, 11, 22]
        parameters.htOperationMode = 0x0013
        return parameters
    }

    private static let deauthentication: [UInt8] =
        [0xC0, 0, 0, 0] + station.octets + bss.octets + bss.octets + [0, 0, 3, 0]

    static var all: [NL80211Request] {
        [
            .getWiphys, .getInterfaces,
            .newInterface(
                wiphy: 0, name: "fifteen-letters", type: .accessPoint, address: station, isOwnedBySocket: true),
            .newInterface(wiphy: 0, name: "ap0", type: .accessPoint, address: nil, isOwnedBySocket: false),
            .setInterface(index: interface, type: .accessPoint), .deleteInterface(index: interface),
            .getRegulatory(wiphy: nil), .getRegulatory(wiphy: 1), .setRegulatory(alpha2: "DE"),
            .startAccessPoint(softMAC), .startAccessPoint(fullMAC), .startAccessPoint(offloadedPSK),
            .startAccessPoint(offloadedSAE), .stopAccessPoint(interface: interface),
            .setBeacon(interface: interface, softMAC.beacon), .setBSS(BSSParameters(interface: interface)),
            .setBSS(bssParameters), .newStation(newStation), .setStation(authorizing),
            .deleteStation(StationRemoval(interface: interface, address: station, reason: .inactivity)),
            .deleteStation(StationRemoval(interface: interface, address: nil)),
            .getStation(interface: interface, address: station), .getStations(interface: interface),
            .newKey(
                KeyParameters(
                    interface: interface, station: station, index: 0, cipher: .ccmp,
                    key: [UInt8](repeating: 9, count: 16)
                )),
            .newKey(
                KeyParameters(
                    interface: interface, station: nil, index: 4, cipher: .bipCMAC128,
                    key: [UInt8](repeating: 9, count: 16), sequence: [1, 0, 0, 0, 0, 0])),
            .setDefaultKey(interface: interface, index: 1, .multicast),
            .setDefaultKey(interface: interface, index: 1, .any),
            .setDefaultKey(interface: interface, index: 4, .management),
            .getKey(interface: interface, station: nil, index: 1),
            .getKey(interface: interface, station: station, index: 0),
            .deleteKey(interface: interface, station: nil, index: 1),
            .deleteKey(interface: interface, station: station, index: 0),
            .registerFrame(interface: interface, subtype: .probeRequest, match: []),
            .registerFrame(interface: interface, subtype: .action, match: [8]),
            .registerUnexpectedFrames(interface: interface),
            .sendFrame(FrameParameters(interface: interface, frame: deauthentication, frequency: 2437)),
            .sendFrame(FrameParameters(interface: interface, frame: deauthentication, wantsStatus: true)),
            .sendControlPortFrame(
                ControlPortFrameParameters(
                    interface: interface, destination: station, frame: [2, 3, 0, 0], isUnencrypted: true)),
            .sendControlPortFrame(
                ControlPortFrameParameters(
                    interface: interface, destination: station, frame: [2, 3, 0, 0], isUnencrypted: false,
                    wantsStatus: true)),
            .triggerScan(ScanParameters(interface: interface)),
            .triggerScan(
                ScanParameters(
                    interface: interface, frequencies: [2412, 2437, 2462], isActive: false, flushes: false,
                    isAllowedWhileAccessPoint: true)),
            .abortScan(interface: interface), .getScan(interface: interface), .getSurvey(interface: interface),
            .probeClient(interface: interface, address: station),
            .setPowerSave(interface: interface, isOn: false),
        ]
    }
}
