import IEEE80211
import SAE
import SansIO
import Stations
import Testing
import Wire

/// Many phones at once on bad air, by seed.
@Suite struct SimulationTests {
    /// Phones of every kind, some with a wrong passphrase, in one world.
    private func run(seed: UInt64, kind: StationsConfiguration.Kind, air: World.Air) throws {
        let world = try World(seed: seed, kind: kind, air: air, limit: 40)
        var honest: [MACAddress] = []
        var wrong: [MACAddress] = []
        for number in 1...18 {
            var habits = kind == .softMAC ? JoiningTests.habits[number % 4] : JoiningTests.habits[number % 2]
            habits.remembersKeys = number % 3 == 0
            habits.trafficInterval = .milliseconds(world.random(2000...9000))
            let isWrong = number % 6 == 0
            let phone = try world.add(number, habits, passphrase: isWrong ? "not the right one" : nil)
            if isWrong { wrong.append(phone) } else { honest.append(phone) }
            world.at(.milliseconds(world.random(0...4000))) { $0.join(phone) }
        }
        world.startPolling()
        // A minute and a half in which they come, go, vanish and come again.
        for _ in 0..<30 {
            let phone = honest[world.random(0...(honest.count - 1))]
            let after = Duration.milliseconds(world.random(6000...80_000))
            switch world.random(0...3) {
            case 0: world.at(after) { $0.leave(phone) }
            case 1: world.at(after) { $0.phones[phone]?.vanish() }
            case 2: world.at(after) { $0.unreachable.insert(phone) }
            default: world.at(after) { $0.give(.rekey) }
            }
            world.at(after + .milliseconds(world.random(10...70_000))) { world in
                world.unreachable.remove(phone)
                if world.phones[phone]?.isOff == true { world.join(phone) }
            }
        }
        world.run(for: .seconds(160))
        // Then the air is good, so that what is in order comes to rest.
        world.air.loss = 0
        world.unreachable.removeAll()
        world.run(for: .seconds(120))
        for phone in honest {
            #expect(world.isOn(phone), "seed \(seed), \(phone)")
        }
        for phone in wrong {
            #expect(!world.isOn(phone), "seed \(seed), \(phone)")
            #expect(world.causes(of: phone).contains(.wrongPassphrase), "seed \(seed), \(phone)")
        }
        #expect(world.driver.problems.isEmpty, "seed \(seed)")
        #expect(world.peakStations <= 18, "seed \(seed)")
        #expect(world.stations.refusals.count <= 32, "seed \(seed)")
        #expect(world.driver.entries.count <= world.stations.count, "seed \(seed)")
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func softMAC(seed: UInt64) throws {
        try run(seed: seed, kind: .softMAC, air: World.Air(loss: 30, duplication: 20, delay: 20_000))
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func fullMAC(seed: UInt64) throws {
        try run(seed: seed, kind: .fullMAC, air: World.Air(loss: 30, duplication: 20, delay: 20_000))
    }

    @Test(arguments: 11...12 as ClosedRange<UInt64>)
    func terribleAir(seed: UInt64) throws {
        try run(seed: seed, kind: .softMAC, air: World.Air(loss: 55, duplication: 50, delay: 80_000))
    }
}
