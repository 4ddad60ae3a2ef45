import IEEE80211
import NL80211
import SansIO
import Stations
import TestSupport
import Testing
import Wire

@testable import AccessPoint

/// What breaks, and that the access point is back by itself.
@Suite struct RecoveryTests {
    private func rig(_ chip: MockKernel.Chip = .softMAC) -> Rig {
        let rig = Rig(chip)
        rig.start()
        rig.run(for: .seconds(1))
        return rig
    }

    private func downs(_ rig: Rig) -> Int {
        rig.events.count { if case .down = $0 { true } else { false } }
    }

    /// It stayed on the air with its phones and their keys, and the network behind it ended: with a switch of the machine
    /// that was for another radio, for ever.
    @Test(arguments: BringUpTests.chips, 0...4)
    func whatIsGivenUpIsOffTheAirBeforeItIsTold(_ chip: MockKernel.Chip, _ how: Int) throws {
        let rig = rig(chip)
        let index = UInt32(rig.kernel.interfaces[0].index)
        switch how {
        case 0: rig.give(.event(.channelSwitched(interface: index, frequency: 2437)))
        case 1:
            rig.give(.switches([NamedSwitch(index: 0, name: "phy0", isSoftBlocked: true, isHardBlocked: false)]))
        case 2:
            rig.kernel.mute = [C.getInterface]
            while downs(rig) == 0, rig.now < Timestamp(nanoseconds: 60_000_000_000) { rig.run(for: .milliseconds(1)) }
        case 3:
            rig.kernel.faults[C.getInterface] = [12]
            while downs(rig) == 0, rig.now < Timestamp(nanoseconds: 60_000_000_000) { rig.run(for: .milliseconds(1)) }
        default:
            // On the way to another name, when the kernel has the beacon and its answer has not come.
            var next = rig.accessPoint.configuration
            next.ssid = Array("Kibitz-NEXT".utf8)
            rig.give(.configure(next))
            let old = Rig.ssid
            while rig.kernel.accessPoint.map({ $0.ssid == old }) != false { rig.run(for: .microseconds(50)) }
            #expect(rig.kernel.accessPoint != nil)
            rig.give(.eventsLost)
        }
        #expect(downs(rig) == 1)
        #expect(rig.kernel.accessPoint == nil)
        #expect(rig.kernel.complaints == [])
    }

    /// wpa_supplicant that was left running looked for networks for half of the time. Phones got no answer meanwhile, and the
    /// box said that all was well.
    @Test func anotherProgramsScanIsBrokenOffAndTold() {
        let rig = rig()
        let index = rig.kernel.interfaces[0].index
        func scan(by index: Int) -> (aborted: Int, trouble: [AccessPointTrouble]) {
            let before = rig.kernel.log.count { $0 == C.abortScan }
            rig.kernel.beginStrangeScan(by: index)
            rig.run(for: .seconds(10))
            return (rig.kernel.log.count { $0 == C.abortScan } - before, rig.accessPoint.snapshot.trouble)
        }
        // By another interface it is not in the way, or somebody's wish.
        #expect(scan(by: index + 7) == (0, []))
        #expect(scan(by: index) == (1, []), "once may be the owner")
        #expect(scan(by: index) == (1, [.disturbed("wlan0")]))
        #expect(rig.isUp && downs(rig) == 0 && !AccessPointTrouble.disturbed("wlan0").isFatal)
        rig.run(for: .seconds(61))
        #expect(rig.accessPoint.snapshot.trouble == [])
        #expect(scan(by: index) == (1, []))
        #expect(rig.kernel.complaints == [])
    }

    /// hp-wifi and the like are for the laptop's own radio.
    @Test func aSwitchOfTheMachineIsForAnotherRadio() {
        let rig = rig()
        rig.give(
            .switches([
                NamedSwitch(index: 0, name: "phy0", isSoftBlocked: false, isHardBlocked: false),
                NamedSwitch(index: 3, name: "hp-wifi", isSoftBlocked: true, isHardBlocked: true),
            ]))
        rig.run(for: .seconds(40))
        #expect(rig.isUp && downs(rig) == 0 && rig.kernel.accessPoint != nil)
    }

    @Test(arguments: BringUpTests.chips)
    func aBeaconThatTheFirmwareStops(_ chip: MockKernel.Chip) throws {
        let rig = rig(chip)
        rig.kernel.stopAccessPoint()
        rig.run(for: .milliseconds(10))
        #expect(!rig.isUp)
        #expect(downs(rig) == 1)
        let time = try #require(rig.runUntilUp())
        #expect(time < .milliseconds(300))
        // Coming back needs no scan.
        #expect(rig.kernel.log.filter { $0 == C.triggerScan }.count == 1)
        #expect(rig.kernel.complaints == [])
        #expect(rig.accessPoint.snapshot.counters.breaks == 1)
    }

    @Test func anInterfaceThatIsDeleted() throws {
        let rig = rig()
        rig.kernel.remove(interface: rig.kernel.interfaces[0].index)
        rig.run(for: .milliseconds(10))
        #expect(!rig.isUp)
        let time = try #require(rig.runUntilUp())
        #expect(time < .milliseconds(500))
        #expect(rig.kernel.interfaces.count == 1)
    }

    @Test func anAdapterThatIsPulledAndPluggedInAgain() throws {
        let rig = rig()
        rig.kernel.unplug(0)
        rig.run(for: .seconds(20))
        #expect(!rig.isUp)
        #expect(rig.accessPoint.snapshot.trouble == [.noRadio])
        rig.kernel.plug(MockKernel.Radio(index: 1, name: "phy1", chip: .softMAC))
        let time = try #require(rig.runUntilUp())
        #expect(time < .seconds(1))
        #expect(rig.accessPoint.snapshot.trouble == [])
    }

    /// cfg80211 went with its driver: another number is nl80211's then, by which it was never asked for again.
    @Test(arguments: [Duration.zero, .milliseconds(100), .seconds(5), .seconds(60)], [false, true])
    func theKernelsWiFiIsLoadedAnew(_ pause: Duration, _ isSudden: Bool) throws {
        let rig = rig()
        rig.kernel.unload()
        // So it is when nobody tells that the radio goes, and the next look finds nothing.
        if isSudden {
            rig.kernel.events = []
            rig.kernel.linkEvents = []
        }
        rig.run(for: pause)
        if pause >= .seconds(60) {
            #expect(downs(rig) == 1 && !rig.isUp)
            #expect(rig.accessPoint.snapshot.trouble == [.noRadio])
        }
        rig.kernel.load()
        rig.kernel.plug(MockKernel.Radio(index: 7, name: "phy7", chip: .softMAC))
        rig.run(for: AccessPoint.patience + .seconds(1))
        #expect(rig.isUp && downs(rig) == 1 && rig.kernel.accessPoint != nil)
        #expect(rig.accessPoint.snapshot.trouble == [] && rig.accessPoint.snapshot.counters.starts == 2)
        #expect(rig.kernel.country == "DE" && rig.kernel.complaints == [])
    }

    @Test func anEndWithoutTheKernelsWiFiIsOne() {
        let rig = rig()
        rig.kernel.unload()
        rig.kernel.events = []
        rig.run(for: .seconds(20))
        rig.give(.stop)
        rig.run(for: .seconds(10))
        #expect(rig.events.last == .stopped)
    }

    /// Nobody told of the new radio: it is found all the same.
    @Test func anAdapterWhoseEventIsLost() throws {
        let rig = Rig()
        rig.give(.start)
        rig.run(for: .seconds(1))
        #expect(rig.accessPoint.snapshot.trouble == [.noRadio])
        rig.kernel.add(MockKernel.Radio(index: 0, name: "phy0", chip: .softMAC))
        let time = try #require(rig.runUntilUp(within: .seconds(30)))
        #expect(time <= AccessPoint.patience + .seconds(1))
    }

    @Test func somebodyTakesTheInterfaceDown() throws {
        let rig = rig()
        _ = rig.kernel.setLink(index: rig.kernel.interfaces[0].index, isUp: false)
        rig.run(for: .milliseconds(10))
        #expect(!rig.isUp)
        let time = try #require(rig.runUntilUp())
        #expect(time < .milliseconds(500))
    }

    /// What a bridge's port takes in comes in by the bridge, past all rules about the port: phones reached everything.
    @Test func anInterfaceThatIsPutIntoABridgeLeavesIt() throws {
        let rig = rig()
        let index = rig.kernel.interfaces[0].index
        rig.kernel.putIntoBridge(index, 3)
        rig.run(for: .milliseconds(10))
        #expect(!rig.isUp)
        #expect(rig.accessPoint.snapshot.trouble.first?.description.contains("bridge") == true)
        let time = try #require(rig.runUntilUp())
        #expect(time < .milliseconds(500))
        #expect(rig.kernel.interfaces[0].bridge == nil)
        #expect(downs(rig) == 1)
    }

    @Test func anInterfaceThatIsInABridgeLeavesItBeforeTheBeacon() throws {
        let rig = Rig(.softMAC)
        rig.kernel.interfaces[0].bridge = 3
        rig.start()
        #expect(rig.isUp)
        #expect(rig.kernel.interfaces[0].bridge == nil)
        #expect(downs(rig) == 0)
    }

    /// The other program is quicker than the scan.
    @Test func anInterfaceThatIsPutIntoABridgeAsItStarts() throws {
        let rig = Rig(.softMAC)
        rig.preparationTime = .milliseconds(300)
        rig.give(.start)
        while rig.kernel.interfaces[0].isUp == false { rig.run(for: .milliseconds(1)) }
        rig.kernel.putIntoBridge(rig.kernel.interfaces[0].index, 3)
        rig.run(for: .seconds(10))
        #expect(rig.isUp)
        #expect(rig.kernel.interfaces[0].bridge == nil)
        #expect(rig.accessPoint.snapshot.counters.starts == 1, "phones never met it as the bridge's port")
    }

    @Test func anInterfaceThatIsRenamedIsFollowed() {
        let rig = rig()
        let index = rig.kernel.interfaces[0].index
        rig.kernel.interfaces[0].name = "party0"
        rig.kernel.linkEvents.append((index, "party0", true, false))
        rig.run(for: .seconds(30))
        #expect(rig.isUp)
        #expect(rig.events.last == .up(interface: "party0", index: UInt32(index)))
        #expect(rig.accessPoint.snapshot.beacon?.interface == "party0")
        #expect(downs(rig) == 0)
    }

    @Test func aRenameWhoseEventIsLostIsFollowedToo() {
        let rig = rig()
        rig.kernel.interfaces[0].name = "party0"
        rig.run(for: .seconds(30))
        #expect(rig.accessPoint.snapshot.beacon?.interface == "party0")
    }

    /// Events were lost while the access point was stopped by somebody.
    @Test func lostEventsLeadToALook() throws {
        let rig = rig()
        rig.kernel.interfaces[0].accessPoint = nil
        rig.kernel.interfaces[0].type = 2
        rig.give(.eventsLost)
        rig.run(for: .milliseconds(10))
        #expect(!rig.isUp)
        #expect(rig.runUntilUp() != nil)
    }

    @Test(arguments: [19, 5, 100, 6] as [Int32])
    func anAnswerThatTheDeviceIsGone(_ code: Int32) throws {
        let rig = rig()
        rig.kernel.faults[C.getStation] = [code]
        rig.run(for: .seconds(11))
        #expect(downs(rig) == 1)
        rig.run(for: .seconds(1))
        #expect(rig.isUp)
    }

    @Test func firmwareThatHangsIsNoticed() throws {
        let rig = rig(.fullMAC(offloadsHandshake: true, offloadsSAE: true))
        rig.kernel.mute = [C.getStation]
        rig.run(for: AccessPoint.checkInterval + AccessPoint.answerTimeout + .seconds(1))
        #expect(downs(rig) == 1)
        rig.kernel.mute = []
        #expect(rig.runUntilUp(within: .seconds(30)) != nil)
    }

    @Test func aSwitchTurnsItOffAndOn() throws {
        let rig = rig()
        let off = NamedSwitch(index: 0, name: "phy0", isSoftBlocked: true, isHardBlocked: false)
        rig.kernel.block()
        rig.give(.switches([off]))
        rig.run(for: .seconds(40))
        #expect(!rig.isUp)
        // While it ran somebody wanted it off: that is a wish.
        #expect(rig.accessPoint.snapshot.trouble == [.switchedOff(byHardware: false)])
        rig.kernel.isBlocked = false
        rig.give(.switches([NamedSwitch(index: 0, name: "phy0", isSoftBlocked: false, isHardBlocked: false)]))
        let time = try #require(rig.runUntilUp())
        #expect(time < .milliseconds(300))
    }

    @Test func aBlockThatIsThereAtTheStartIsLifted() throws {
        let rig = Rig(.softMAC)
        rig.kernel.isBlocked = true
        rig.give(.switches([NamedSwitch(index: 0, name: "phy0", isSoftBlocked: true, isHardBlocked: false)]))
        #expect(rig.start() != nil)
    }

    @Test func aSwitchOfTheMachineIsWaitedFor() throws {
        let rig = Rig(.softMAC)
        rig.kernel.isBlocked = true
        rig.give(.switches([NamedSwitch(index: 0, name: "phy0", isSoftBlocked: false, isHardBlocked: true)]))
        rig.start(within: .seconds(1))
        #expect(rig.accessPoint.snapshot.trouble == [.switchedOff(byHardware: true)])
        rig.kernel.isBlocked = false
        rig.give(.switches([NamedSwitch(index: 0, name: "phy0", isSoftBlocked: false, isHardBlocked: false)]))
        #expect(rig.runUntilUp() != nil)
    }

    @Test func aRadioThatKeepsFailingGivesWayToAnother() throws {
        let rig = Rig()
        rig.kernel.add(MockKernel.Radio(index: 0, name: "phy0", chip: .softMAC), interface: "wlan0")
        rig.kernel.add(MockKernel.Radio(index: 1, name: "phy1", chip: .softMAC), interface: "wlan1")
        rig.kernel.faults[C.startAP] = Array(repeating: 16, count: 3)
        rig.give(.start)
        rig.run(for: .seconds(5))
        #expect(rig.isUp)
        #expect(rig.accessPoint.snapshot.beacon?.interface == "wlan1")
    }

    /// Faults of all kinds at random times, by the seed: whatever happens, it is up a while after the last one.
    @Test(arguments: 1...40)
    func anythingAtAnyTime(_ seed: UInt64) throws {
        let generator = SharedGenerator(seed: seed)
        func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }
        var random = generator
        let rig = Rig(BringUpTests.chips[pick(BringUpTests.chips.count)])
        var nextRadio = 1
        rig.give(.start)
        for _ in 0..<60 {
            rig.run(for: .milliseconds(Int64(pick(3000))))
            switch pick(10) {
            case 0: rig.kernel.stopAccessPoint()
            case 1: if let first = rig.kernel.interfaces.first { rig.kernel.remove(interface: first.index) }
            case 2:
                if let radio = rig.kernel.radios.first {
                    rig.kernel.unplug(radio.index)
                    rig.kernel.plug(
                        MockKernel.Radio(index: nextRadio, name: "phy\(nextRadio)", chip: radio.chip),
                        interface: "wlan\(nextRadio)")
                    nextRadio += 1
                }
            case 3:
                if let first = rig.kernel.interfaces.first { _ = rig.kernel.setLink(index: first.index, isUp: false) }
            case 4:
                rig.kernel.faults[[C.startAP, C.setInterface, C.getWiphy, C.newKey][pick(4)], default: []].append(
                    [5, 16, 22, 19][pick(4)])
            case 5: rig.give(.eventsLost)
            case 6: rig.kernel.interfaces.indices.first.map { rig.kernel.interfaces[$0].type = 2 }
            case 7: rig.kernel.events = []
            case 8:
                var other = rig.accessPoint.configuration
                other.passphrase = "passphrase \(pick(1000))"
                rig.give(.configure(other))
            default: break
            }
        }
        rig.kernel.faults = [:]
        rig.run(for: .seconds(60))
        #expect(rig.isUp, "seed \(seed)")
        #expect(rig.kernel.accessPoint != nil, "seed \(seed)")
        #expect(rig.kernel.complaints == [], "seed \(seed)")
    }
}

@Suite struct ChipStationTests {
    private static let phone: [UInt8] = [2, 0, 0, 0, 0, 0x77]

    private func rig(_ chip: MockKernel.Chip) -> Rig {
        let rig = Rig(chip)
        rig.start()
        rig.run(for: .seconds(1))
        return rig
    }

    @Test func aStationOfAnOffloadingChipIsAuthorizedAtOnce() throws {
        let rig = rig(.fullMAC(offloadsHandshake: true, offloadsSAE: true))
        rig.kernel.associate(Self.phone, elements: RSNElement(akms: [.psk]).bytes)
        rig.run(for: .milliseconds(10))
        let station = try #require(rig.accessPoint.snapshot.stations.first)
        #expect(station.address == MACAddress(Self.phone))
        #expect(station.isAuthorized)
        #expect(rig.kernel.complaints == [])
    }

    /// The chip associated it, nobody heard of it, and the next look finds it.
    @Test func aStationWhoseEventWasLostIsFound() {
        let rig = rig(.fullMAC(offloadsHandshake: true, offloadsSAE: true))
        rig.kernel.associate(Self.phone, elements: RSNElement(akms: [.psk]).bytes)
        rig.kernel.events = []
        rig.run(for: .seconds(11))
        #expect(rig.accessPoint.snapshot.stations.map(\.address) == [MACAddress(Self.phone)])
        rig.kernel.interfaces[0].accessPoint?.stations = [:]
        rig.run(for: .seconds(11))
        #expect(rig.accessPoint.snapshot.stations.isEmpty)
    }

    /// Such a chip's driver can't ask. A phone was let go after five minutes without having been asked at all, one that only
    /// slept too, and one that was gone kept its place for so long.
    @Test func aSilentPhoneOfAnOffloadingChipIsAskedByItsAddress() throws {
        let rig = rig(.fullMAC(offloadsHandshake: true, offloadsSAE: true))
        let address = try #require(MACAddress(Self.phone))
        var heard = rig.now
        var isThere = true
        rig.kernel.silence = { _ in UInt32(clamping: (rig.now - heard).components.seconds * 1000) }
        rig.kernel.machines = [
            ([10, 77, 0, 9], [2, 0, 0, 0, 0, 0x78]), ([10, 77, 0, 10], Self.phone),
            ([0xFE, 0x80] + [UInt8](repeating: 7, count: 14), Self.phone),
        ]
        rig.kernel.onAsk = { _ in if isThere { heard = rig.now } }
        rig.kernel.associate(Self.phone, elements: RSNElement(akms: [.psk]).bytes)
        rig.run(for: .seconds(59))
        #expect(rig.kernel.asked.isEmpty)
        rig.run(for: .seconds(600))
        #expect(rig.accessPoint.snapshot.stations.map(\.address) == [address])
        #expect(Set(rig.kernel.asked) == Set(rig.kernel.machines.dropFirst().map(\.address)))
        isThere = false
        rig.kernel.asked = []
        rig.run(for: .seconds(100))
        #expect(rig.kernel.asked.count >= 3)
        #expect(rig.accessPoint.snapshot.stations.isEmpty)
        #expect(rig.kernel.accessPoint?.stations.isEmpty == true)
        #expect(rig.events.last == .station(.left(address, .silence)))
        #expect(rig.kernel.complaints == [])
    }

    /// Firmware of older chips can't tell how long a phone was silent. It is no reason to send it off.
    @Test func aChipThatTellsNothingOfItsStationsKeepsThem() {
        let rig = rig(.fullMAC(offloadsHandshake: true, offloadsSAE: true))
        rig.kernel.listsStations = false
        rig.kernel.associate(Self.phone, elements: RSNElement(akms: [.psk]).bytes)
        rig.run(for: .seconds(900))
        #expect(rig.accessPoint.snapshot.stations.count == 1)
    }

    @Test func aChipWithoutHandshakeGetsOursByThePacketSocket() throws {
        let rig = rig(.fullMAC(offloadsHandshake: false, offloadsSAE: false))
        rig.kernel.associate(Self.phone, elements: RSNElement(akms: [.psk]).bytes)
        rig.run(for: .milliseconds(10))
        let (station, frame) = try #require(rig.eapol.first)
        #expect(station == MACAddress(Self.phone))
        // EAPOL-Key, message 1: pairwise, acknowledgement wanted.
        #expect(frame[1] == 3)
        #expect(frame[5] == 0 && frame[6] == 0x8A)
        #expect(rig.kernel.complaints == [])
        #expect(!rig.kernel.log.contains(C.newStation))
    }
}

@Suite struct RotationTests {
    @Test(arguments: BringUpTests.chips)
    func theNewNameIsBeaconedWithinASecond(_ chip: MockKernel.Chip) throws {
        let rig = Rig(chip)
        rig.start()
        if case .fullMAC = chip {
            rig.kernel.associate([2, 0, 0, 0, 0, 0x77], elements: RSNElement(akms: [.psk]).bytes)
        }
        rig.run(for: .seconds(5))
        let before = try #require(rig.kernel.accessPoint)
        var next = rig.accessPoint.configuration
        next.ssid = Array("Kibitz-NEXT".utf8)
        next.passphrase = "another passphrase"
        rig.give(.configure(next))
        rig.run(for: .seconds(1))
        let after = try #require(rig.kernel.accessPoint)
        #expect(after.ssid == next.ssid)
        #expect(after.stations.isEmpty)
        #expect(after.frequency == before.frequency)
        if before.pmk != nil { #expect(after.pmk != before.pmk) }
        if let first = before.groupKeys[1] { #expect(after.groupKeys[1] != first) }
        #expect(rig.isUp)
        #expect(rig.kernel.complaints == [])
        #expect(!rig.events.contains { if case .down = $0 { true } else { false } })
        #expect(rig.kernel.log.filter { $0 == C.triggerScan }.count == 1)
    }

    private func next(_ rig: Rig, _ name: String) -> AccessPointConfiguration {
        var next = rig.accessPoint.configuration
        next.ssid = Array(name.utf8)
        next.passphrase = "\(name) passphrase"
        return next
    }

    private func isDown(_ event: AccessPointEvent) -> Bool { if case .down = event { true } else { false } }

    /// It was never told that the Wi-Fi was off: the panel showed the code of one that nobody found.
    @Test func oneThatFailsHalfWayTellsThatTheWiFiIsOff() throws {
        let rig = Rig(.softMAC)
        rig.start()
        rig.run(for: .seconds(1))
        rig.events = []
        rig.kernel.faults[C.startAP] = Array(repeating: 16, count: 2)
        rig.give(.configure(next(rig, "Kibitz-NEXT")))
        rig.run(for: .seconds(30))
        let told = rig.events.filter { if case .station = $0 { false } else { true } }
        let down = try #require(told.firstIndex(where: isDown))
        let up = try #require(told.lastIndex { if case .up = $0 { true } else { false } })
        #expect(down == 0 && up > down && told.filter(isDown).count == 1, "\(told)")
        #expect(rig.isUp && rig.kernel.accessPoint?.ssid == Array("Kibitz-NEXT".utf8))
        #expect(rig.kernel.complaints == [])
    }

    /// So it is when what the kernel had to tell was lost in the middle of it.
    @Test func oneThatIsBegunAnewTellsThatTheWiFiIsOff() {
        let rig = Rig(.softMAC)
        rig.start()
        rig.run(for: .seconds(1))
        rig.events = []
        rig.give(.configure(next(rig, "Kibitz-NEXT")))
        rig.give(.eventsLost)
        #expect(rig.events.contains(where: isDown))
        rig.run(for: .seconds(2))
        #expect(rig.isUp && rig.events.filter(isDown).count == 1 && rig.kernel.complaints == [])
    }

    /// The button pressed twice: the second name takes the first one's place without a whole new start.
    @Test(arguments: BringUpTests.chips)
    func anotherOneDuringItIsOneBeaconMore(_ chip: MockKernel.Chip) throws {
        let rig = Rig(chip)
        rig.start()
        rig.run(for: .seconds(1))
        rig.events = []
        for name in ["Kibitz-TWO", "Kibitz-THREE", "Kibitz-FOUR"] { rig.give(.configure(next(rig, name))) }
        rig.run(for: .seconds(1))
        #expect(rig.isUp && rig.kernel.accessPoint?.ssid == Array("Kibitz-FOUR".utf8))
        #expect(!rig.events.contains(where: isDown) && rig.kernel.complaints == [])
        #expect(rig.kernel.log.filter { $0 == C.triggerScan }.count == 1)
    }

    @Test func stoppingStopsTheBeacon() {
        let rig = Rig(.softMAC)
        rig.start()
        rig.run(for: .seconds(1))
        rig.give(.stop)
        rig.run(for: .seconds(1))
        #expect(rig.events.last == .stopped)
        #expect(rig.kernel.accessPoint == nil)
        #expect(rig.kernel.interfaces.first?.isUp == false)
        #expect(rig.kernel.interfaces.first?.type == 2)
    }

    /// What it was when it was first met, however often it was begun anew since.
    @Test func theInterfaceIsLeftAsItWas() {
        let rig = Rig(.softMAC)
        rig.start()
        rig.kernel.stopAccessPoint()
        rig.run(for: .seconds(1))
        rig.give(.stop)
        rig.run(for: .seconds(1))
        #expect(rig.kernel.interfaces.first?.type == 2)
        let bare = Rig()
        bare.kernel.add(MockKernel.Radio(index: 0, name: "phy0", chip: .softMAC), interface: nil)
        bare.start()
        bare.give(.stop)
        bare.run(for: .seconds(1))
        #expect(bare.kernel.interfaces.isEmpty)
    }

    /// One that never got to beacon stayed an access point's, and up, or stayed at all.
    @Test func soItIsAfterAnAttemptThatFailed() {
        for name in ["wlan0", nil] {
            let rig = Rig()
            rig.kernel.add(MockKernel.Radio(index: 0, name: "phy0", chip: .softMAC), interface: name)
            rig.kernel.faults[C.startAP] = Array(repeating: 16, count: 100)
            rig.start(within: .seconds(2))
            #expect(rig.kernel.interfaces.first?.type == 3)
            rig.give(.stop)
            rig.run(for: .seconds(1))
            #expect(rig.kernel.interfaces.first?.type == name.map { _ in 2 })
            #expect(rig.kernel.interfaces.first?.isUp != true)
        }
    }

    @Test func anotherChannelIsANewStart() throws {
        let rig = Rig(.softMAC)
        rig.start()
        var next = rig.accessPoint.configuration
        next.channel = 11
        rig.give(.configure(next))
        rig.run(for: .seconds(2))
        #expect(try #require(rig.kernel.accessPoint).frequency == 2462)
    }
}

/// Phones may come only where a firewall keeps them apart from other networks.
@Suite struct PreparationTests {
    /// The beacon waited for the firewall, which took longer than all else before it.
    @Test func aBeaconIsSentAtOnceWhereNobodyCanJoin() throws {
        let rig = Rig(.softMAC)
        rig.preparationTime = .seconds(3)
        rig.give(.start)
        rig.run(for: .milliseconds(2900))
        #expect(rig.kernel.accessPoint != nil && !rig.isUp && rig.accessPoint.isSettled)
        #expect(!rig.kernel.log.contains(C.registerFrame), "phones' frames go nowhere")
        rig.run(for: .milliseconds(200))
        #expect(rig.isUp && rig.kernel.complaints == [])
        #expect(rig.kernel.log.count { $0 == C.startAP } == 1)
    }

    /// A chip lets phones associate by itself.
    @Test(arguments: [
        MockKernel.Chip.fullMAC(offloadsHandshake: false, offloadsSAE: false),
        .fullMAC(offloadsHandshake: true, offloadsSAE: false),
    ])
    func noBeaconIsSentBeforeWhereTheyCan(chip: MockKernel.Chip) throws {
        let rig = Rig(chip)
        rig.preparationTime = .seconds(3)
        rig.give(.start)
        rig.run(for: .milliseconds(2900))
        #expect(!rig.kernel.log.contains(C.startAP) && !rig.isUp)
        rig.run(for: .milliseconds(200))
        #expect(rig.isUp && rig.kernel.complaints == [])
    }

    /// The radio was stopped then, which took the trouble away: it was logged every five seconds and never shown.
    @Test func whereTheyMayNotItIsTriedAgainAndTold() {
        let rig = Rig(.softMAC)
        rig.preparation = false
        rig.give(.start)
        for _ in 0..<100 {
            rig.run(for: .milliseconds(200))
            #expect(!rig.isUp && rig.kernel.accessPoint == nil)
            if rig.now > Timestamp(nanoseconds: 2_000_000_000) {
                #expect(rig.accessPoint.snapshot.trouble == [.notPrepared], "all the while")
            }
        }
        let attempts = rig.events.filter { if case .preparing = $0 { true } else { false } }.count
        #expect((3...5).contains(attempts), "every five seconds")
        #expect(rig.kernel.log.count { $0 == C.startAP } <= 1, "a name that comes and goes is a riddle")
        #expect(!rig.events.contains { if case .down = $0 { true } else { false } }, "it was never up")
        rig.preparation = true
        rig.run(for: .seconds(6))
        #expect(rig.isUp && !rig.accessPoint.snapshot.trouble.contains(.notPrepared))
    }

    @Test func noAnswerIsAFailure() {
        let rig = Rig(.softMAC)
        rig.preparation = nil
        rig.give(.start)
        rig.run(for: .seconds(22))
        #expect(rig.kernel.accessPoint == nil)
        guard case .failed(let step, _)? = rig.accessPoint.snapshot.trouble.first else {
            Issue.record("\(rig.accessPoint.snapshot.trouble)")
            return
        }
        #expect(step.contains("apart"))
        rig.preparation = true
        rig.run(for: .seconds(30))
        #expect(rig.isUp)
    }

    /// The answer is about another interface, one of a radio that is gone.
    @Test func anAnswerForAnotherInterfaceIsNone() {
        let rig = Rig(.softMAC)
        rig.preparation = nil
        rig.give(.start)
        rig.run(for: .seconds(2))
        rig.give(.prepared(interface: "wlan7", true))
        rig.run(for: .seconds(1))
        #expect(!rig.isUp)
        rig.give(.prepared(interface: "wlan0", true))
        rig.run(for: .seconds(1))
        #expect(rig.isUp)
    }

    /// One to the attempt before, which came late, was taken for one to the question that was asked after it: phones did not
    /// wait for the firewall.
    @Test func anAnswerBeforeTheQuestionIsNone() {
        // One that lets phones associate by itself: it sends no beacon before.
        let rig = Rig(.fullMAC(offloadsHandshake: true, offloadsSAE: false))
        rig.preparation = nil
        rig.give(.start)
        while rig.events.isEmpty {
            rig.give(.prepared(interface: "wlan0", true))
            rig.run(for: .microseconds(100))
        }
        #expect(rig.events == [.preparing(interface: "wlan0")])
        rig.run(for: .seconds(2))
        #expect(!rig.isUp && !rig.kernel.log.contains(C.registerFrame))
        rig.give(.prepared(interface: "wlan0", true))
        rig.run(for: .seconds(1))
        #expect(rig.isUp)
    }

    /// It was logged only: a beacon was sent that nobody could join.
    @Test func withoutTheSocketForHandshakesThereIsNoBeacon() {
        let rig = Rig(.fullMAC(offloadsHandshake: false, offloadsSAE: false))
        rig.eapolFaults = .max
        rig.give(.start)
        rig.run(for: .milliseconds(500))
        #expect(!rig.isUp && rig.kernel.accessPoint == nil)
        let trouble = rig.accessPoint.snapshot.trouble.first?.description ?? ""
        #expect(trouble.contains("handshakes") && trouble.contains("no memory") && trouble.contains("tried again"))
        rig.eapolFaults = 0
        rig.run(for: .seconds(30))
        #expect(rig.isUp && rig.openEAPOL != nil && !rig.accessPoint.snapshot.trouble.contains(where: \.isFatal))
        #expect(rig.kernel.complaints == [])
    }
}
