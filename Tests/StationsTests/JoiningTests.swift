import IEEE80211
import SAE
import SansIO
import Stations
import Testing
import Wire

/// Phones that come in, on air without faults.
@Suite struct JoiningTests {
    static let habits: [VirtualPhone.Habits] = [
        VirtualPhone.Habits(), VirtualPhone.Habits(usesMFP: true),
        VirtualPhone.Habits(akm: .sae, usesMFP: true),
        VirtualPhone.Habits(akm: .sae, method: .huntingAndPecking, usesMFP: true),
    ]

    @Test(arguments: habits.indices)
    func aPhoneGetsIn(index: Int) throws {
        let world = try World(seed: 1)
        let phone = try world.add(1, Self.habits[index])
        world.join(phone)
        world.run(for: .seconds(2))
        #expect(world.isOn(phone))
        #expect(
            world.events == [.joined(phone), .authorized(phone, Self.habits[index].akm)])
        #expect(world.driver.problems.isEmpty)
        let entry = try #require(world.driver.entries[phone]?.station)
        #expect(entry.aid == 1)
        #expect(entry.usesMFP == Self.habits[index].usesMFP)
        #expect(entry.rates == Self.habits[index].rates)
        #expect(entry.hasWMM)
        #expect(entry.ht?.count == HTCapabilities.byteCount)
        #expect(world.stations.reports.map(\.aid) == [1])
        // Well below a second: nothing had to wait for a timer.
        let longest = try #require(world.phones[phone]?.longestWait)
        #expect(longest < .milliseconds(100))
    }
}
