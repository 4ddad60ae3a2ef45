import Authenticator
import IEEE80211
import SansIO
import Stations
import Testing
import WiFiSupplicant
import Wire

@Suite struct GroupKeyTests {
    @Test func everyoneGetsNewKeysBeforeTheyAreUsed() throws {
        let world = try World(seed: 11)
        let phones = try (1...6).map { try world.add($0, JoiningTests.habits[$0 % 4]) }
        for phone in phones { world.join(phone) }
        world.run(for: .seconds(2))
        let first = try #require(world.driver.groupKeys)
        world.give(.rekey)
        // Not before everyone has them.
        #expect(world.driver.groupKeys == first)
        world.run(for: .seconds(2))
        let second = try #require(world.driver.groupKeys)
        #expect(second != first)
        for phone in phones {
            #expect(world.isOn(phone))
            let supplicant = try #require(world.phones[phone]?.supplicant)
            #expect(supplicant.groupKeys[second.gtkIndex] == second.gtk)
            #expect(supplicant.groupKeys[first.gtkIndex] == first.gtk)
            if world.phones[phone]?.habits.usesMFP == true {
                #expect(supplicant.integrityGroupKeys[UInt16(second.igtkIndex)] == second.igtk)
            }
        }
        #expect(world.driver.problems.isEmpty)
    }

    @Test func aPhoneThatDoesNotAnswerHoldsNobodyUp() throws {
        let world = try World(seed: 12)
        let phones = try (1...3).map { try world.add($0) }
        for phone in phones { world.join(phone) }
        world.run(for: .seconds(2))
        let first = try #require(world.driver.groupKeys)
        world.phones[phones[2]]?.vanish()
        world.events.removeAll()
        world.give(.rekey)
        world.run(for: .seconds(5))
        #expect(world.driver.groupKeys != first)
        #expect(world.stations.count == 2)
        #expect(world.events == [.left(phones[2], .handshakeFailed(.groupTimedOut))])
        #expect(world.driver.problems.isEmpty)
    }

    @Test func aPhoneThatJoinsMeanwhileGetsBoth() throws {
        let world = try World(seed: 13)
        let silent = try world.add(1)
        world.join(silent)
        world.run(for: .seconds(2))
        world.phones[silent]?.vanish()
        world.give(.rekey)
        let late = try world.add(2)
        world.join(late)
        world.run(for: .seconds(1))
        #expect(world.isOn(late))
        world.run(for: .seconds(6))
        let keys = try #require(world.driver.groupKeys)
        #expect(world.phones[late]?.supplicant?.groupKeys[keys.gtkIndex] == keys.gtk)
        #expect(world.phones[late]?.supplicant?.groupKeys.count == 2)
        #expect(world.isOn(late))
        #expect(world.driver.problems.isEmpty)
    }

    @Test func newcomersAreToldHowFarTheKeysAre() throws {
        let world = try World(seed: 23)
        let first = try world.add(1)
        world.join(first)
        world.run(for: .seconds(1))
        // The driver says: index 1 has come to 1001.
        #expect(world.phones[first]?.groupSequences == [1: 1001])
        world.give(.rekey)
        world.run(for: .seconds(2))
        // A key that nobody has used yet counts from zero, whatever the one before had come to.
        #expect(world.phones[first]?.groupSequences == [1: 1001, 2: 0])
        // A late answer about the key before is not taken for one about this.
        world.give(.groupSequences(gtkIndex: 1, gtk: 5_000_000, igtk: 5_000_000))
        let second = try world.add(2)
        world.join(second)
        world.run(for: .seconds(1))
        #expect(world.phones[second]?.groupSequences == [2: 2002])
    }

    @Test func keysChangeByTime() throws {
        var limits = StationsLimits()
        limits.groupRekeyInterval = .seconds(600)
        let world = try World(seed: 14, limits: limits)
        let phone = try world.add(1)
        world.join(phone)
        world.startPolling()
        world.run(for: .seconds(3605))
        // One at the start, and six more.
        #expect(world.driver.groupInstallations == 7)
        #expect(world.stations.counters.groupRekeys == 6)
        #expect(world.isOn(phone))
        #expect(world.driver.problems.isEmpty)
    }
}
