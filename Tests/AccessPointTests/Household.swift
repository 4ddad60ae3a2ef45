import Authenticator
import IEEE80211
import Netlink
import SansIO
import Stations
import TestSupport
import WiFiCrypto
import WiFiSupplicant
import Wire

@testable import AccessPoint

/// A box with a radio of some kind, and phones that come, go, sleep, and vanish, in virtual time: everything of the access
/// point runs, down to the messages that a kernel gets.
final class Household {
    /// A phone. It knows WPA2, and tries again until it is in.
    struct Phone {
        let address: MACAddress
        var passphrase: String
        var supplicant: Supplicant?
        /// Whether it wants to be on the Wi-Fi.
        var isHere = false
        /// Nobody hears it, and it hears nobody.
        var isAway = false
        /// It dozes: it answers when it is asked, and says nothing.
        var isAsleep = false
        var isConnected = false
        var lastHeard = Timestamp.zero
    }

    let rig: Rig
    private(set) var phones: [Phone]
    private(set) var joins = 0
    private var random: SeededGenerator
    private var pmks: [String: SecretBytes] = [:]
    private var isSoftMAC: Bool { rig.kernel.radios[0].chip.isSoftMAC }
    private var offloads: Bool {
        if case .fullMAC(true, _) = rig.kernel.radios[0].chip { true } else { false }
    }

    init(_ chip: MockKernel.Chip, phones count: Int, seed: UInt64) {
        var configuration = Rig.configuration(chip.isSoftMAC ? .wpa2 : .transition)
        configuration.stationLimit = count
        rig = Rig(configuration, seed: seed)
        random = SeededGenerator(seed: seed)
        phones = (0..<count).map {
            Phone(address: MACAddress(0x0200_0001_0000 + UInt64($0)), passphrase: Rig.passphrase)
        }
        rig.kernel.add(MockKernel.Radio(index: 0, name: "phy0", chip: chip))
        rig.kernel.keepsLog = false
        rig.kernel.onFrame = { [unowned self] frame, station in
            if let station {
                MACAddress(station).map { hear(frame, $0) }
            } else {
                hear(management: frame)
            }
        }
        rig.onEAPOL = { [unowned self] in hear($1, $0) }
        rig.kernel.isReachable = { [unowned self] station in
            phone(station).map { phones[$0].isHere && !phones[$0].isAway } ?? false
        }
        rig.kernel.machines = phones.enumerated().map { ([10, 77, 0, UInt8(10 + $0)], $1.address.octets) }
        rig.kernel.onAsk = { [unowned self] station in
            guard let place = phone(station), phones[place].isHere, !phones[place].isAway else { return }
            phones[place].lastHeard = rig.now
        }
        rig.kernel.silence = { [unowned self] station in
            guard let place = phone(station) else { return 0 }
            return UInt32(clamping: (rig.now - phones[place].lastHeard).components.seconds * 1000)
        }
    }

    func random(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    private func phone(_ address: [UInt8]) -> Int? { MACAddress(address).flatMap(phone) }

    private func phone(_ address: MACAddress) -> Int? { phones.firstIndex { $0.address == address } }

    // MARK: What phones do

    /// It wants in.
    func arrive(_ place: Int) {
        phones[place].isHere = true
        phones[place].isAway = false
        phones[place].isAsleep = false
    }

    /// It says that it goes.
    func leave(_ place: Int) {
        guard phones[place].isConnected, !phones[place].isAway else { return vanish(place) }
        if isSoftMAC {
            send(.deauthentication, from: place) { Deauthentication(reason: .leaving).write(into: &$0) }
        } else {
            rig.kernel.disassociate(phones[place].address.octets)
        }
        vanish(place)
    }

    /// It is gone without a word.
    func vanish(_ place: Int) {
        phones[place].isHere = false
        forget(place)
    }

    func walkAway(_ place: Int) { phones[place].isAway = true }

    func sleep(_ place: Int) { phones[place].isAsleep = true }

    /// The person reads the new passphrase from the panel.
    func tell(_ passphrase: String) {
        for place in phones.indices { phones[place].passphrase = passphrase }
    }

    private func forget(_ place: Int) {
        phones[place].isConnected = false
        phones[place].supplicant = nil
    }

    // MARK: Time

    /// Lets time pass. Phones that are not in try again every twenty seconds, the others are heard every minute.
    func run(for duration: Duration) {
        let end = rig.now + duration
        while rig.now < end {
            rig.run(for: min(.seconds(20), end - rig.now))
            rig.events.removeAll()
            for place in phones.indices where phones[place].isHere && !phones[place].isAway {
                let silence = rig.now - phones[place].lastHeard
                if !phones[place].isConnected {
                    if silence >= .seconds(15) { join(place) }
                } else if !isOn(place) {
                    // It was told to go, or finds that nobody answers.
                    forget(place)
                } else if !phones[place].isAsleep, silence >= .seconds(40) {
                    phones[place].lastHeard = rig.now
                }
            }
        }
    }

    /// Whether its data passes, as the chip sees it.
    func isOn(_ place: Int) -> Bool {
        guard let accessPoint = rig.kernel.accessPoint else { return false }
        let isAuthorized = accessPoint.stations[phones[place].address.octets]
        return offloads ? isAuthorized != nil : isAuthorized == true
    }

    // MARK: Frames

    private func join(_ place: Int) {
        guard rig.kernel.accessPoint != nil else { return }
        joins += 1
        phones[place].lastHeard = rig.now
        guard !offloads else {
            // Its chip and ours do it among themselves, and only with the right key.
            let passphrase = rig.accessPoint.configuration.passphrase
            phones[place].isConnected =
                phones[place].passphrase == passphrase
                && rig.kernel.associate(phones[place].address.octets, elements: Self.security)
            return
        }
        phones[place].supplicant = try? Supplicant(
            pmk: pmk(phones[place].passphrase), keyManagement: .psk, station: phones[place].address, bss: bss,
            elements: Self.security, apElements: apElements, usesManagementFrameProtection: false,
            generator: SeededGenerator(seed: UInt64(joins)))
        if isSoftMAC {
            send(.authentication, from: place) {
                AuthenticationFrame.write(algorithm: .openSystem, transaction: 1, status: .success, into: &$0)
            }
        } else {
            rig.kernel.associate(phones[place].address.octets, elements: Self.security)
        }
    }

    private var bss: MACAddress { MACAddress(rig.kernel.interfaces[0].mac) ?? MACAddress(0) }

    private static let security = RSNElement(akms: [.psk]).bytes

    private var apElements: [UInt8] {
        guard let tail = rig.kernel.accessPoint?.tail, let rsn = MockKernel.element(48, in: tail) else { return [] }
        return [48, UInt8(rsn.count)] + rsn
    }

    /// Name and passphrase change together.
    private func pmk(_ passphrase: String) -> SecretBytes {
        let ssid = rig.accessPoint.configuration.ssid
        let known = passphrase + String(decoding: ssid, as: UTF8.self)
        if let pmk = pmks[known] { return pmk }
        let pmk = (try? KeyDerivation.psk(passphrase: passphrase, ssid: ssid)) ?? SecretBytes([])
        pmks[known] = pmk
        return pmk
    }

    private func send(_ subtype: ManagementSubtype, from place: Int, _ body: (inout ByteWriter) -> Void) {
        var writer = ByteWriter()
        ManagementHeader(
            subtype: subtype, destination: bss, source: phones[place].address, bss: bss, sequenceControl: 0
        ).write(into: &writer)
        body(&writer)
        phones[place].lastHeard = rig.now
        rig.kernel.receive(writer.bytes)
    }

    private func hear(management octets: [UInt8]) {
        guard let frame = try? ManagementFrame(octets.span.bytes), let place = phone(frame.header.destination),
            phones[place].isHere, !phones[place].isAway
        else { return }
        switch frame.header.subtype {
        case .authentication:
            send(.associationRequest, from: place) { writer in
                var elements = ByteWriter()
                elements.write(element: .ssid, body: rig.accessPoint.configuration.ssid)
                elements.write(element: .supportedRates, body: [0x82, 0x84, 0x8B, 0x96, 12, 24, 48, 72])
                elements.write(element: .extendedSupportedRates, body: [18, 36, 96, 108])
                elements.write(bytes: Self.security)
                AssociationRequest.write(
                    capabilities: CapabilityInformation(rawValue: 0x0411), listenInterval: 10,
                    elements: elements.bytes, into: &writer)
            }
        case .deauthentication, .disassociation: forget(place)
        default: break
        }
    }

    private func hear(_ frame: [UInt8], _ station: MACAddress) {
        guard let place = phone(station), phones[place].isHere, !phones[place].isAway else { return }
        var answers = SupplicantOutput()
        try? phones[place].supplicant?.receive(frame.span.bytes, into: &answers)
        if phones[place].supplicant?.isConnected == true { phones[place].isConnected = true }
        for answer in answers.frames {
            phones[place].lastHeard = rig.now
            if rig.openEAPOL != nil {
                rig.queue(.eapol(from: station, answer.octets))
            } else {
                rig.kernel.receiveEAPOL(answer.octets, from: station.octets)
            }
        }
    }
}
