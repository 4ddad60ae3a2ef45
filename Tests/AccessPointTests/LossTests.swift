import SansIO
import Stations
import Testing

@testable import AccessPoint

/// A burst of strangers' frames fills the socket's buffer: answers are lost with events, though all is well.
@Suite struct LossTests {
    private func downs(_ rig: Rig) -> Int {
        rig.events.count { if case .down = $0 { true } else { false } }
    }

    /// The access point was torn down by anybody who sent enough probe requests.
    @Test(arguments: [C.getInterface, C.getStation])
    func aLookWhoseAnswerIsLostIsRepeated(_ command: UInt8) {
        let rig = Rig(.softMAC)
        rig.start()
        for _ in 0..<5 {
            rig.lostAnswers = Array(repeating: command, count: 3)
            rig.run(for: AccessPoint.checkInterval)
            #expect(rig.lostAnswers.isEmpty, "it looks again at once")
        }
        #expect(rig.isUp && downs(rig) == 0 && rig.kernel.complaints == [])
        #expect(rig.kernel.log.count { $0 == C.startAP } == 1)
    }

    @Test func soItIsOnTheWay() throws {
        for command in [C.getWiphy, C.getInterface, C.setInterface, C.triggerScan, C.registerFrame, C.startAP] {
            let rig = Rig(.softMAC)
            rig.lostAnswers = [command]
            let time = try #require(rig.start(), "\(command)")
            #expect(time < .seconds(1) && rig.lostAnswers.isEmpty, "\(command)")
            #expect(rig.accessPoint.snapshot.trouble == [], "\(command)")
        }
    }

    /// A new group key: whether it is in place is asked, and only one that is not is a failure.
    @Test(arguments: [C.newKey, C.setKey], [false, true])
    func aGroupKeyWhoseAnswerIsLostIsLookedAt(_ command: UInt8, _ isRefused: Bool) {
        var configuration = Rig.configuration()
        configuration.rekeyInterval = .seconds(60)
        let rig = Rig(configuration)
        rig.kernel.add(MockKernel.Radio(index: 0, name: "phy0", chip: .softMAC))
        rig.start()
        rig.run(for: .seconds(5))
        let before = rig.kernel.accessPoint?.groupKeys
        rig.kernel.log = []
        rig.lostAnswers = [command]
        if isRefused, command == C.newKey { rig.kernel.faults[command] = [12] }
        rig.run(for: .seconds(62))
        let after = rig.kernel.accessPoint?.groupKeys
        #expect(rig.lostAnswers.isEmpty && after != before && rig.isUp && rig.kernel.complaints == [])
        #expect(downs(rig) == (isRefused && command == C.newKey ? 1 : 0))
        // With protected management frames there are two keys, and neither is set a second time.
        #expect(rig.kernel.log.count { $0 == C.newKey } == (downs(rig) == 1 ? 4 : 2))
    }

    /// A phone that is on its way in gets in, at once but for its own key: without that it would be sent to in the clear.
    @Test func aPhoneGetsInAllTheSame() {
        for command in [C.newStation, C.setStation, C.newKey] {
            for chip in [MockKernel.Chip.softMAC, .fullMAC(offloadsHandshake: false, offloadsSAE: false)] {
                let home = Household(chip, phones: 1, seed: 3)
                home.rig.start()
                home.rig.run(for: .seconds(20))
                home.rig.lostAnswers = [command]
                home.arrive(0)
                home.run(for: .seconds(command == C.newKey ? 60 : 20))
                home.rig.run(for: .seconds(2))
                #expect(home.isOn(0) && home.phones[0].isConnected, "\(command)")
                if command != C.newKey { #expect(home.joins == 1, "\(command)") }
                #expect(downs(home.rig) == 0 && home.rig.kernel.complaints == [], "\(command)")
            }
        }
    }
}
