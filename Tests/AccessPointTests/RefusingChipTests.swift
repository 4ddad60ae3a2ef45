import IEEE80211
import NL80211
import Stations
import Testing
import Wire

@testable import AccessPoint

/// Chips that refuse phones by themselves, and say so or not.
@Suite struct RefusingChipTests {
    private static let chips = [
        MockKernel.Chip.fullMAC(offloadsHandshake: false, offloadsSAE: false),
        .fullMAC(offloadsHandshake: true, offloadsSAE: false), .fullMAC(offloadsHandshake: true, offloadsSAE: true),
    ]
    private static func phone(_ number: UInt8) -> [UInt8] { [2, 0, 0, 9, 9, number] }

    private func refusals(_ rig: Rig) -> [RefusalCause] {
        #expect(rig.kernel.complaints == [])
        return rig.accessPoint.snapshot.refusals.map(\.cause)
    }

    /// A phone just did not get in, and nobody knew why: neither `kibitz-local wifi` nor the panel.
    @Test(arguments: chips)
    func aChipThatIsFullIsTold(chip: MockKernel.Chip) throws {
        let rig = Rig(chip, Rig.configuration(.wpa2)) {
            $0.maximumStations = 2
            $0.tellsRefusals = true
        }
        rig.start()
        let elements = RSNElement(akms: [.psk]).bytes
        #expect(rig.kernel.associate(Self.phone(1), elements: elements))
        #expect(rig.kernel.associate(Self.phone(2), elements: elements))
        rig.run(for: .seconds(1))
        #expect(rig.accessPoint.snapshot.trouble == [])
        #expect(!rig.kernel.associate(Self.phone(3), elements: elements))
        rig.run(for: .milliseconds(1))
        #expect(refusals(rig) == [.full])
        #expect(rig.accessPoint.snapshot.trouble == [.full(2)])
        #expect(rig.events.contains(.station(.refused(MACAddress(0x0200_0009_0903), .full))))
        // A place is free.
        rig.kernel.disassociate(Self.phone(1))
        rig.run(for: .milliseconds(1))
        #expect(rig.accessPoint.snapshot.trouble == [])
        #expect(rig.kernel.associate(Self.phone(3), elements: elements))
        rig.run(for: .milliseconds(10))
        #expect(rig.accessPoint.snapshot.stations.contains { $0.address == MACAddress(0x0200_0009_0903) })
    }

    @Test func aPhoneThatTheChipKeepsOutIsTold() throws {
        let rig = Rig(Self.chips[2])
        rig.start()
        // Another reason than those that are known is one, too.
        for (number, reason) in [(UInt8(1), UInt32(1)), (2, 7)] {
            rig.kernel.refuse(Self.phone(number), reason: reason)
            rig.run(for: .milliseconds(1))
        }
        #expect(refusals(rig) == [.blocked, .blocked])
        #expect(rig.accessPoint.snapshot.trouble == [], "it is not full")
        #expect(rig.isUp)
    }

    /// It was another interface's, or came after the end.
    @Test func whatIsNotOfThisAccessPointIsNone() throws {
        let rig = Rig(Self.chips[2])
        rig.start()
        rig.give(.event(.connectionFailed(interface: 99, address: MACAddress(0x0200_0009_0901), .full)))
        #expect(refusals(rig) == [] && rig.accessPoint.snapshot.trouble == [])
        let index = try #require(rig.kernel.interfaces.first?.index)
        rig.give(.stop)
        rig.run(for: .seconds(2))
        rig.give(.event(.connectionFailed(interface: UInt32(index), address: MACAddress(0x0200_0009_0901), .full)))
        #expect(rig.accessPoint.snapshot.refusals == [])
    }
}
