import IEEE80211
import SansIO
import Stations
import Testing
import Wire

@Suite struct RotationTests {
    @Test func everyoneIsOutWithinASecondAndTheOldPassphraseIsWorthNothing() throws {
        let world = try World(seed: 15)
        let phones = try (1...8).map { try world.add($0, JoiningTests.habits[$0 % 4]) }
        for phone in phones { world.join(phone) }
        world.run(for: .seconds(2))
        #expect(phones.allSatisfy(world.isOn))
        // One is in its handshake, one dozes out of reach.
        let joining = try world.add(9)
        world.join(joining)
        world.unreachable.insert(phones[0])
        world.run(for: .milliseconds(3))
        let before = world.now
        try world.rotate(to: "another passphrase")
        #expect(world.now - before <= .seconds(1))
        #expect(world.driver.problems.isEmpty)
        for phone in phones {
            #expect(world.count(.left(phone, .everyone(.leaving))) == 1)
        }
        world.unreachable.removeAll()
        // They all try again with the passphrase they know.
        world.run(for: .seconds(60))
        #expect(!phones.contains(where: world.isOn))
        #expect(!world.isOn(joining))
        #expect(world.stations.counters.authorized == 0)
        #expect(world.stations.authorizedCount == 0)
        // And then the new one is read from the panel.
        for phone in phones { try world.tell(phone, "another passphrase") }
        world.run(for: .seconds(20))
        #expect(phones.allSatisfy(world.isOn))
        #expect(world.driver.problems.isEmpty)
    }

    @Test func nobodyComesInWhileEveryoneGoes() throws {
        let world = try World(seed: 16)
        let phones = try (1...3).map { try world.add($0) }
        for phone in phones { world.join(phone) }
        world.run(for: .seconds(2))
        world.give(.removeAll(.leaving))
        let late = try world.add(4)
        world.join(late)
        world.run(for: .seconds(3))
        #expect(world.count(.emptied) == 1)
        #expect(world.stations.count == 0)
        #expect(world.driver.entries.isEmpty)
        #expect(!world.isOn(late))
        // Nothing is left to wake up for.
        var output = StationsOutput()
        let wake = world.stations.handle(.wake, at: world.now, into: &output)
        #expect(wake == nil)
    }

    @Test func anEmptyAccessPointIsEmptyAtOnce() throws {
        let world = try World(seed: 17)
        world.give(.removeAll(.leaving))
        #expect(world.events == [.emptied])
    }
}
