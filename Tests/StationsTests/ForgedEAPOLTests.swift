import SansIO
import Stations
import Testing
import Wire

/// EAPOL frames that nobody asked for (FragAttacks, CVE-2020-26139): they end here, and begin nothing.
@Suite struct ForgedEAPOLTests {
    /// An EAPOL-Start, an EAPOL-Logoff (IEEE 802.1X-2020, 11.3), and what looks like a handshake's frame and is none.
    private static let forged: [[UInt8]] = [
        [2, 1, 0, 0], [2, 2, 0, 0], [2, 3, 0, 95] + [UInt8](repeating: 2, count: 95), [],
    ]

    /// Gives frames in the name of a phone.
    /// - Returns: what the access point then wants done.
    private func forge(_ world: World, from address: MACAddress) -> [StationsAction] {
        var output = StationsOutput()
        for frame in Self.forged {
            for wasEncrypted in [true, false, nil] {
                _ = world.stations.handle(
                    .eapol(from: address, frame.span.bytes, wasEncrypted: wasEncrypted), at: world.now, into: &output)
            }
        }
        #expect(output.events.isEmpty)
        return output.actions
    }

    @Test("of who is not associated: counted, and that is all")
    func strangers() throws {
        let world = try World(seed: 21)
        let phone = try world.add(1)
        for count in 1...1000 {
            #expect(forge(world, from: phone).isEmpty)
            #expect(world.stations.counters.strayEAPOLFrames == UInt64(12 * count))
        }
        #expect(world.stations.count == 0)
        #expect(world.stations.refusals.isEmpty)
        world.join(phone)
        world.run(for: .seconds(2))
        #expect(world.isOn(phone))
    }

    @Test("of who is in the middle of a handshake, or past it: the handshake goes on, and none begins")
    func phones() throws {
        for habits in JoiningTests.habits {
            let world = try World(seed: 22)
            let phone = try world.add(1, habits)
            world.join(phone)
            for _ in 0..<100 {
                world.run(for: .milliseconds(1))
                #expect(forge(world, from: phone).isEmpty)
            }
            world.run(for: .seconds(2))
            #expect(world.isOn(phone), "\(habits.akm)")
            let events = world.events
            for _ in 0..<200 { #expect(forge(world, from: phone).isEmpty) }
            world.run(for: .seconds(2))
            #expect(world.isOn(phone) && world.events == events)
            #expect(world.driver.problems.isEmpty)
        }
    }
}
