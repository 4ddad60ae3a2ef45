import SansIO
import Stations
import Testing

@testable import AccessPoint

/// Switches of radios: which are obeyed, which are lifted, and when another radio takes over.
@Suite struct SwitchTests {
    private func named(
        _ index: UInt32, _ name: String, soft: Bool = false, hard: Bool = false
    ) -> NamedSwitch {
        NamedSwitch(index: index, name: name, isSoftBlocked: soft, isHardBlocked: hard)
    }

    private func twoRadios() -> Rig {
        let rig = Rig()
        rig.kernel.add(MockKernel.Radio(index: 0, name: "phy0", chip: .softMAC), interface: "wlan0")
        rig.kernel.add(MockKernel.Radio(index: 1, name: "phy1", chip: .softMAC), interface: "wlan1")
        return rig
    }

    /// Raspberry Pi OS has each new radio begin switched off: that was taken for somebody's wish, and the Wi-Fi never came
    /// back. The kernel tells of such a switch as on, and a moment later as off.
    @Test(arguments: [Duration.zero, .milliseconds(1), .milliseconds(40), .microseconds(50_900)])
    func oneThatComesOffIsSwitchedOn(_ delay: Duration) throws {
        let rig = Rig(.softMAC)
        rig.give(.switches([named(0, "phy0")]))
        try #require(rig.start() != nil)
        rig.kernel.unplug(0)
        rig.give(.switches([]))
        rig.run(for: .seconds(20))
        rig.kernel.plug(MockKernel.Radio(index: 1, name: "phy1", chip: .softMAC))
        if delay > .zero { rig.give(.switches([named(1, "phy1")])) }
        rig.run(for: delay)
        rig.kernel.blocked = ["phy1"]
        rig.give(.switches([named(1, "phy1", soft: true)]))
        let time = try #require(rig.runUntilUp())
        #expect(time < .seconds(1) && rig.unblocked == [1])
        #expect(rig.accessPoint.snapshot.trouble == [])
    }

    /// What somebody switched off stays off, and so does what comes meanwhile: until somebody switches it on.
    @Test func aWishHoldsForRadiosThatCome() throws {
        let rig = Rig(.softMAC)
        rig.give(.switches([named(0, "phy0")]))
        try #require(rig.start() != nil)
        rig.kernel.block()
        rig.give(.switches([named(0, "phy0", soft: true)]))
        rig.run(for: .seconds(1))
        rig.kernel.unplug(0)
        rig.give(.switches([]))
        rig.run(for: .seconds(20))
        rig.kernel.plug(MockKernel.Radio(index: 1, name: "phy1", chip: .softMAC))
        rig.give(.switches([named(1, "phy1", soft: true)]))
        rig.run(for: .seconds(40))
        #expect(!rig.isUp && rig.unblocked == [])
        #expect(rig.accessPoint.snapshot.trouble == [.switchedOff(byHardware: false)])
        rig.kernel.isBlocked = false
        rig.give(.switches([named(1, "phy1")]))
        #expect(try #require(rig.runUntilUp()) < .seconds(1))
    }

    /// It took the one that was off again and again, with another one beside it.
    @Test(arguments: [false, true])
    func oneThatIsOffGivesWay(_ isKnown: Bool) throws {
        let rig = twoRadios()
        rig.kernel.blocked = ["phy0"]
        if isKnown { rig.give(.switches([named(0, "phy0", hard: true), named(1, "phy1")])) }
        let time = try #require(rig.start())
        #expect(time < .seconds(1))
        #expect(rig.accessPoint.snapshot.beacon?.interface == "wlan1")
    }

    @Test func oneThatIsSwitchedOffGivesWay() throws {
        let rig = twoRadios()
        rig.give(.switches([named(0, "phy0"), named(1, "phy1")]))
        try #require(rig.start() != nil)
        #expect(rig.accessPoint.snapshot.beacon?.interface == "wlan0")
        rig.kernel.blocked = ["phy0"]
        rig.give(.switches([named(0, "phy0", hard: true), named(1, "phy1")]))
        #expect(try #require(rig.runUntilUp()) < .seconds(1))
        #expect(rig.accessPoint.snapshot.beacon?.interface == "wlan1")
        // Neither: the words are about a radio's own switch, not about another one.
        rig.kernel.blocked = ["phy0", "phy1"]
        rig.give(
            .switches([named(0, "phy0", soft: true), named(1, "phy1", soft: true), named(2, "hp-wifi", hard: true)]))
        rig.run(for: .seconds(20))
        #expect(!rig.isUp && rig.unblocked == [])
        #expect(rig.accessPoint.snapshot.trouble == [.switchedOff(byHardware: false)])
    }

    @Test func oneWithoutAChannelGivesWay() throws {
        var configuration = Rig.configuration()
        configuration.country = "DE"
        let rig = Rig(configuration)
        var mute = MockKernel.Radio(index: 0, name: "phy0", chip: .softMAC)
        mute.hasChannels = false
        rig.kernel.add(mute, interface: "wlan0")
        rig.kernel.add(MockKernel.Radio(index: 1, name: "phy1", chip: .softMAC), interface: "wlan1")
        let time = try #require(rig.start())
        #expect(time < .seconds(1))
        #expect(rig.accessPoint.snapshot.beacon?.interface == "wlan1")
    }
}
