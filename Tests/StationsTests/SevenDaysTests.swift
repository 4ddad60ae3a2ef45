import IEEE80211
import SansIO
import Stations
import Testing
import Wire

/// A week of a box in a household: phones come, go, sleep and vanish, the passphrase changes each night.
@Suite struct SevenDaysTests {
    @Test func aWeek() throws {
        let seed: UInt64 = 7
        let world = try World(seed: seed, air: World.Air(loss: 10, duplication: 5, delay: 4000), limit: 10)
        world.keepsEvents = false
        let phones = try (1...8).map { number in
            var habits = JoiningTests.habits[number % 4]
            habits.remembersKeys = number % 2 == 0
            habits.trafficInterval = .seconds(240)
            habits.doze = .milliseconds(200 * number)
            return try world.add(number, habits)
        }
        world.startPolling(every: .seconds(45))
        var authorized = 0
        for day in 0..<7 {
            for hour in 0..<24 {
                for phone in phones {
                    let after = Duration.seconds(world.random(0...3500))
                    switch world.random(0...11) {
                    // It leaves, or its battery is empty, or it is carried away with its keys.
                    case 0: world.at(after) { $0.leave(phone) }
                    case 1: world.at(after) { $0.phones[phone]?.vanish() }
                    case 2: world.at(after) { $0.unreachable.insert(phone) }
                    case 3, 4, 5, 6:
                        world.at(after) { world in
                            world.unreachable.remove(phone)
                            if world.phones[phone]?.isOff == true { world.join(phone) }
                        }
                    default: break
                    }
                }
                // A stranger with an old passphrase.
                let stranger = try world.add(1000 + day * 24 + hour, passphrase: "last year's")
                let visit = Duration.seconds(world.random(0...3000))
                world.at(visit) { $0.join(stranger) }
                world.at(visit + .seconds(20)) { $0.phones[stranger]?.vanish() }
                world.run(for: .seconds(3600))
                world.phones[stranger] = nil
                #expect(world.peakStations <= 10, "day \(day), hour \(hour)")
                #expect(world.driver.entries.count == world.stations.count, "day \(day), hour \(hour)")
                #expect(world.stations.pendingAuthenticationCount <= 9, "day \(day), hour \(hour)")
                #expect(world.stations.refusals.count <= 32)
            }
            // In the evening everyone is called together: nobody is stuck.
            world.unreachable.removeAll()
            for phone in phones where world.phones[phone]?.isOff == true { world.join(phone) }
            world.run(for: .seconds(600))
            for phone in phones { #expect(world.isOn(phone), "day \(day), \(phone), seed \(seed)") }
            // An hour of the night without a word: group keys change, phones doze, and all of them stay.
            let rekeys = world.stations.counters.groupRekeys
            world.run(for: .seconds(3600))
            #expect(world.stations.counters.groupRekeys == rekeys + 1)
            for phone in phones { #expect(world.isOn(phone), "night \(day), \(phone), seed \(seed)") }
            authorized += world.stations.counters.authorized
            world.keepsEvents = true
            try world.rotate(to: "passphrase of day \(day)")
            world.keepsEvents = false
            world.events.removeAll()
            for phone in phones { try world.tell(phone, "passphrase of day \(day)") }
            #expect(world.driver.problems.isEmpty, "day \(day), seed \(seed)")
        }
        // They did come and go.
        #expect(authorized > 200)
        // Without phones nothing is left.
        for phone in phones { world.leave(phone) }
        world.run(for: .seconds(300))
        #expect(world.stations.count == 0)
        #expect(world.driver.entries.isEmpty)
        #expect(world.stations.pendingAuthenticationCount == 0)
    }
}
