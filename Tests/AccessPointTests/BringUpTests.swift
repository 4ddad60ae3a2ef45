import IEEE80211
import SansIO
import Stations
import Testing
import Wire

@testable import AccessPoint

@Suite struct BringUpTests {
    static let chips: [MockKernel.Chip] = [
        .softMAC, .fullMAC(offloadsHandshake: false, offloadsSAE: false),
        .fullMAC(offloadsHandshake: true, offloadsSAE: false), .fullMAC(offloadsHandshake: true, offloadsSAE: true),
    ]

    @Test(arguments: chips)
    func everyKindOfChipComesUp(_ chip: MockKernel.Chip) throws {
        let rig = Rig(chip)
        let time = try #require(rig.start())
        #expect(time < .seconds(1))
        rig.run(for: .seconds(30))
        #expect(rig.isUp)
        #expect(rig.kernel.complaints == [])
        let beacon = try #require(rig.kernel.accessPoint)
        #expect(beacon.ssid == Rig.ssid)
        #expect(rig.kernel.country == "DE")
        #expect(beacon.frequency == 5180)
        #expect(beacon.width == 3)
        #expect(rig.kernel.log.filter { $0 == C.startAP }.count == 1)
        switch chip {
        case .softMAC:
            #expect(beacon.controlPortOverNL80211)
            #expect(beacon.groupKeys.keys.sorted() == [1, 4])
            #expect(beacon.defaultKey == 1)
            #expect(beacon.defaultManagementKey == 4)
            // Of action frames SA Query's alone: who sends others costs nothing.
            #expect(
                rig.kernel.interfaces.first?.registrations
                    == [0xB0: [], 0x00: [], 0x20: [], 0xA0: [], 0xC0: [], 0x40: [], 0xD0: [8]])
            #expect(rig.openEAPOL == nil)
            #expect(beacon.pmk == nil && beacon.saePassword == nil)
        case .fullMAC(offloadsHandshake: false, _):
            #expect(rig.openEAPOL != nil)
            #expect(beacon.groupKeys.keys.sorted() == [1])
            #expect(beacon.pmk == nil)
            #expect(rig.accessPoint.snapshot.trouble == [.noWPA3(radio: "phy0")])
        case .fullMAC(offloadsHandshake: true, let sae):
            #expect(rig.openEAPOL == nil)
            #expect(beacon.groupKeys.isEmpty)
            #expect(beacon.pmk?.count == 32)
            #expect((beacon.saePassword == Array(Rig.passphrase.utf8)) == sae)
        }
    }

    /// The RSN element of the beacon, byte for byte, as it goes to each kind of chip.
    @Test func theRSNElementSaysWhatTheChipDoes() throws {
        let psk: [UInt8] = [0, 0x0F, 0xAC, 2]
        let sae: [UInt8] = [0, 0x0F, 0xAC, 8]
        let ccmp: [UInt8] = [0, 0x0F, 0xAC, 4]
        let head: [UInt8] = [1, 0] + ccmp + [1, 0] + ccmp
        let bip: [UInt8] = [0, 0, 0, 0x0F, 0xAC, 6]
        let expected: [(MockKernel.Chip, AccessPointConfiguration.Security, [UInt8])] = [
            (.softMAC, .wpa2, head + [1, 0] + psk + [0x8C, 0] + bip),
            (.softMAC, .wpa3, head + [1, 0] + sae + [0xCC, 0] + bip),
            (.softMAC, .transition, head + [2, 0] + psk + sae + [0x8C, 0] + bip),
            (.fullMAC(offloadsHandshake: false, offloadsSAE: false), .wpa2, head + [1, 0] + psk + [0x0C, 0]),
            (.fullMAC(offloadsHandshake: true, offloadsSAE: false), .wpa2, head + [1, 0] + psk + [0x0C, 0]),
            (.fullMAC(offloadsHandshake: true, offloadsSAE: true), .wpa3, head + [1, 0] + sae + [0xCC, 0] + bip),
            (
                .fullMAC(offloadsHandshake: true, offloadsSAE: true), .transition,
                head + [2, 0] + psk + sae + [0x8C, 0] + bip
            ),
        ]
        for (chip, security, bytes) in expected {
            let rig = Rig(chip, Rig.configuration(security))
            rig.start()
            let beacon = try #require(rig.kernel.accessPoint)
            #expect(MockKernel.element(48, in: beacon.tail) == bytes, "\(chip) \(security)")
            #expect(rig.kernel.complaints == [])
        }
    }

    /// Firmware announces SAE, and the driver has no way to pass the password (EOPNOTSUPP), or the firmware refuses it (EBADE).
    @Test(arguments: [95, 52] as [Int32])
    func aChipThatRefusesSAEGetsWPA2(_ code: Int32) throws {
        let rig = Rig(.fullMAC(offloadsHandshake: true, offloadsSAE: true)) { $0.saeError = code }
        #expect(rig.start() != nil)
        let beacon = try #require(rig.accessPoint.snapshot.beacon)
        #expect(beacon.akms == [.psk])
        #expect(rig.kernel.accessPoint?.saePassword == nil && rig.kernel.accessPoint?.pmk != nil)
        #expect(rig.accessPoint.snapshot.trouble == [.noWPA3(radio: "phy0")])
        // As wide as ever.
        #expect(beacon.channel.width > .mhz20NoHT)
        #expect(rig.kernel.complaints == [])
        // Where WPA3 alone is asked for, nothing else is given, and nothing of before is left.
        var wanted = Rig.configuration(.wpa3)
        wanted.passphrase = "another passphrase"
        rig.give(.configure(wanted))
        rig.run(for: .seconds(20))
        #expect(rig.kernel.accessPoint == nil)
        #expect(rig.accessPoint.snapshot.trouble == [.noSecurity(.wpa3, radio: "phy0")])
    }

    @Test func wpa3AloneOnAChipThatCanNotIsToldAndNotTried() {
        let rig = Rig(.fullMAC(offloadsHandshake: false, offloadsSAE: false), Rig.configuration(.wpa3))
        rig.start()
        #expect(!rig.isUp)
        #expect(rig.accessPoint.snapshot.trouble == [.noSecurity(.wpa3, radio: "phy0")])
        #expect(!rig.kernel.log.contains(C.startAP))
    }

    @Test func withoutACountryOnlyWhatIsLegalEverywhere() throws {
        let rig = Rig(.softMAC, Rig.configuration(country: nil))
        rig.start()
        #expect([2412, 2437, 2462].contains(try #require(rig.kernel.accessPoint).frequency))
        #expect(rig.accessPoint.snapshot.trouble == [.countryUnset])
        #expect(rig.kernel.country == "00")
    }

    @Test func aCountryTheKernelDoesNotKnow() throws {
        let rig = Rig(.softMAC, Rig.configuration(country: "FR"))
        let time = try #require(rig.start())
        // The kernel says nothing at all, so this takes as long as one waits for it to.
        #expect(time < .seconds(3))
        #expect([2412, 2437, 2462].contains(try #require(rig.kernel.accessPoint).frequency))
        #expect(rig.accessPoint.snapshot.trouble == [.countryRefused("FR")])
    }

    @Test func theChannelThatIsAskedForNeedsNoScan() throws {
        let rig = Rig(.softMAC, Rig.configuration(channel: 6))
        rig.start()
        #expect(try #require(rig.kernel.accessPoint).frequency == 2437)
        #expect(!rig.kernel.log.contains(C.triggerScan))
        #expect(rig.accessPoint.snapshot.trouble == [])
    }

    @Test func aChannelWithRadarIsToldAndAnotherTaken() throws {
        let rig = Rig(.softMAC, Rig.configuration(channel: 52))
        rig.start()
        #expect(try #require(rig.kernel.accessPoint).frequency == 5180)
        #expect(rig.accessPoint.snapshot.trouble == [.channelRefused(52)])
    }

    @Test func theQuietestChannelIsTaken() throws {
        let rig = Rig(.softMAC, Rig.configuration()) { $0.has5GHz = false }
        rig.kernel.neighbours = [(2412, -4000), (2437, -5000), (2437, -6000)]
        rig.start()
        #expect(try #require(rig.kernel.accessPoint).frequency == 2462)
    }

    /// A width that the chip announces and then refuses costs three tries, not the access point.
    @Test func aChipThatRefusesWideChannelsGetsNarrowerOnes() throws {
        let rig = Rig(.fullMAC(offloadsHandshake: true, offloadsSAE: true))
        rig.kernel.faults[C.startAP] = [22, 22]
        rig.start()
        #expect(try #require(rig.kernel.accessPoint).width == 1)
        #expect(rig.kernel.complaints == [])
    }

    @Test func whatWasLeftRunningIsTakenOver() throws {
        let rig = Rig()
        rig.kernel.add(
            MockKernel.Radio(index: 0, name: "phy0", chip: .softMAC), interface: "wlan0", isUp: true, type: 3)
        rig.kernel.interfaces[0].accessPoint = MockKernel.AccessPoint(
            ssid: Array("other".utf8), frequency: 2412, width: 0, head: [], tail: [])
        rig.kernel.interfaces[0].registrations = [0xB0: []]
        rig.start()
        #expect(try #require(rig.kernel.accessPoint).ssid == Rig.ssid)
    }

    @Test func aStationInterfaceThatIsUpIsMadeAnAccessPoint() throws {
        let rig = Rig()
        rig.kernel.add(MockKernel.Radio(index: 0, name: "phy0", chip: .softMAC), interface: "wlan0", isUp: true)
        rig.start()
        #expect(rig.isUp)
        #expect(rig.kernel.interfaces.first?.type == 3)
    }

    /// Someone has added an interface for an access point, and the radio's first one is a client on another channel: the
    /// beacon was refused for ever.
    @Test func anotherInterfaceThatKeepsTheRadioBusyIsTakenDown() throws {
        let rig = Rig(Rig.configuration(channel: 36))
        rig.kernel.add(MockKernel.Radio(index: 0, name: "phy0", chip: .softMAC), interface: nil)
        rig.kernel.addInterface("wlan0", radio: 0, frequency: 2437)
        rig.kernel.addInterface("uap0", radio: 0, type: 3)
        rig.start(within: .seconds(2))
        #expect(rig.isUp && rig.accessPoint.snapshot.beacon?.interface == "uap0")
        #expect(rig.kernel.interfaces.map(\.isUp) == [false, true] && rig.kernel.complaints == [])
    }

    /// Who names the interface may want to keep the other one.
    @Test func whereTheInterfaceIsNamedTheOtherStays() throws {
        let rig = Rig(Rig.configuration(channel: 36, interface: "uap0"))
        rig.kernel.add(MockKernel.Radio(index: 0, name: "phy0", chip: .softMAC), interface: nil)
        rig.kernel.addInterface("wlan0", radio: 0, frequency: 2437)
        rig.kernel.addInterface("uap0", radio: 0, type: 3)
        rig.start(within: .seconds(30))
        #expect(!rig.isUp && rig.kernel.interfaces[0].isUp)
        #expect(rig.accessPoint.snapshot.trouble.first?.description.contains("busy with wlan0") == true)
    }

    /// A machine on its owner's Wi-Fi by its own radio, with an adapter plugged in for the box, was taken off that Wi-Fi.
    @Test func aRadioThatIsOnNoOtherNetworkComesFirst() {
        for isOn in [true, false] {
            let rig = Rig()
            rig.kernel.add(MockKernel.Radio(index: 0, name: "phy0", chip: .softMAC), interface: nil)
            rig.kernel.addInterface("wlan0", radio: 0, frequency: isOn ? 2437 : nil)
            rig.kernel.add(MockKernel.Radio(index: 1, name: "phy1", chip: .softMAC), interface: "wlan1")
            rig.start(within: .seconds(2))
            #expect(rig.isUp && rig.accessPoint.snapshot.beacon?.interface == (isOn ? "wlan1" : "wlan0"))
            #expect(!isOn || rig.kernel.interfaces[0].isUp)
        }
    }

    /// Interfaces are told newest first.
    @Test func ofSeveralInterfacesTheOldestIsTaken() throws {
        let rig = Rig(.softMAC)
        rig.kernel.addInterface("second", radio: 0)
        rig.kernel.interfaces.reverse()
        rig.start()
        #expect(rig.accessPoint.snapshot.beacon?.interface == "wlan0")
    }

    @Test func aRadioWithoutAnInterfaceGetsOne() throws {
        let rig = Rig()
        rig.kernel.add(MockKernel.Radio(index: 3, name: "phy3", chip: .softMAC), interface: nil)
        rig.start()
        #expect(rig.isUp)
        #expect(rig.kernel.interfaces.map(\.name) == ["wlan0"])
    }

    @Test func theFirstRadioThatCanIsTaken() throws {
        let rig = Rig()
        var plain = MockKernel.Radio(index: 0, name: "phy0", chip: .softMAC)
        plain.canBeAccessPoint = false
        rig.kernel.add(plain, interface: "wlan0")
        rig.kernel.add(MockKernel.Radio(index: 1, name: "phy1", chip: .softMAC), interface: "wlan1")
        rig.start()
        #expect(rig.accessPoint.snapshot.beacon?.interface == "wlan1")
    }

    /// Such a driver refuses each station that is told of before it is associated: nobody could have joined.
    @Test func aRadioThatKnowsNoUnassociatedStationsIsNotTaken() {
        let rig = Rig(.softMAC) { $0.hasFullClientState = false }
        rig.start(within: .seconds(1))
        #expect(!rig.isUp && rig.accessPoint.snapshot.trouble == [.noCapableRadio])
    }

    /// The driver is told of a phone in the order in which its state grows, and of no state that it has not.
    @Test func aStationIsToldStepByStep() {
        let home = Household(.softMAC, phones: 1, seed: 5)
        home.rig.start()
        home.rig.run(for: .seconds(20))
        home.rig.kernel.keepsLog = true
        home.arrive(0)
        home.run(for: .seconds(20))
        home.rig.run(for: .seconds(1))
        let steps = [C.newStation, C.setStation, C.newKey]
        #expect(
            home.rig.kernel.log.filter { steps.contains($0) } == [C.newStation, C.setStation, C.newKey, C.setStation])
        #expect(home.isOn(0) && home.rig.kernel.complaints == [])
    }

    @Test func theConfiguredInterfaceIsTakenOrMissed() throws {
        let rig = Rig(Rig.configuration(interface: "wlan1"))
        rig.kernel.add(MockKernel.Radio(index: 0, name: "phy0", chip: .softMAC), interface: "wlan0")
        rig.start(within: .seconds(1))
        #expect(!rig.isUp)
        #expect(rig.accessPoint.snapshot.trouble == [.noInterface("wlan1")])
        rig.kernel.plug(MockKernel.Radio(index: 1, name: "phy1", chip: .softMAC), interface: "wlan1")
        let time = try #require(rig.runUntilUp())
        #expect(time < .seconds(1))
        #expect(rig.accessPoint.snapshot.beacon?.interface == "wlan1")
        #expect(rig.accessPoint.snapshot.trouble == [])
    }

    /// Every request refused once, with each error that drivers give, ends with the access point up.
    @Test(arguments: [1, 5, 12, 16, 22, 95, 100, 110] as [Int32])
    func everyStepMayFailOnce(_ code: Int32) throws {
        let commands: [UInt8] = [
            C.getWiphy, C.getInterface, C.getReg, C.reqSetReg, C.setInterface, C.triggerScan, C.getScan, C.getSurvey,
            C.registerFrame, C.startAP, C.setBSS, C.newKey, C.setKey,
        ]
        for command in commands {
            let rig = Rig(.softMAC)
            rig.kernel.faults[command] = [code]
            rig.give(.start)
            rig.run(for: .seconds(40))
            #expect(rig.isUp, "command \(command), error \(code)")
            #expect(rig.kernel.complaints == [])
        }
    }

    /// A driver that never answers is left after the deadline, and tried again.
    @Test func everyRequestHasADeadline() throws {
        for command in [
            C.getWiphy, C.getInterface, C.getReg, C.setInterface, C.triggerScan, C.registerFrame, C.startAP,
        ] {
            let rig = Rig(.softMAC)
            rig.kernel.mute = [command]
            rig.give(.start)
            rig.run(for: .seconds(8))
            rig.kernel.mute = []
            rig.run(for: .seconds(20))
            #expect(rig.isUp, "command \(command)")
        }
    }

    @Test func sentencesAreSentences() {
        let all: [AccessPointTrouble] = [
            .noRadio, .noCapableRadio, .noInterface("wlan9"), .incapableInterface("wlan9"),
            .noSecurity(.wpa3, radio: "phy0"), .noSecurity(.wpa2, radio: "phy0"), .noWPA3(radio: "phy0"),
            .switchedOff(byHardware: true), .switchedOff(byHardware: false), .countryUnset, .countryRefused("XY"),
            .channelRefused(14), .noChannel(radio: "phy0"), .full(32), .disturbed("wlan0"),
            .failed(step: "start the beacon", reason: "busy"),
        ]
        for trouble in all {
            #expect(trouble.description.count > 20)
            #expect(trouble.description.last != ".")
            #expect(
                !trouble.description.hasPrefix("phy0") && !trouble.description.hasPrefix("wlan9"),
                "it may get a capital")
            #expect(trouble.description.contains(";"), "\(trouble) says what to do")
        }
    }
}
