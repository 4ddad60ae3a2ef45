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

    /// The authentication went with the association whose response was not acknowledged: the phone's next request was
    /// answered with a deauthentication, for which phones give a network up for a while, and SAE was all to do again.
    @Test(arguments: habits.indices)
    func aResponseThatIsNotHeardIsAskedForAgain(index: Int) throws {
        let world = try World(seed: 2)
        let phone = try world.add(1, Self.habits[index])
        world.join(phone)
        while world.stations.count == 0, world.now < World.start + .seconds(1) { world.run(for: .microseconds(20)) }
        // The driver makes its entry now; the response finds nobody.
        world.unreachable.insert(phone)
        world.run(for: .milliseconds(10))
        #expect(world.causes(of: phone) == [.noAcknowledgement])
        #expect(world.stations.count == 0 && world.driver.entries.isEmpty)
        world.unreachable.remove(phone)
        // It asks again after 400 ms, and need not begin anew.
        world.run(for: .milliseconds(600))
        #expect(world.isOn(phone))
        #expect(world.phones[phone]?.reasons.isEmpty == true)
        #expect(world.driver.problems.isEmpty)
    }

    /// A driver that takes long is a failure of ours, and no reason to send the phone back to its beginning.
    @Test func aDriverThatDoesNotAnswerLeavesThePhoneAuthenticated() throws {
        var limits = StationsLimits()
        limits.answerTimeout = .microseconds(10)
        let world = try World(seed: 3, limits: limits)
        let phone = try world.add(1)
        world.join(phone)
        world.run(for: .milliseconds(300))
        #expect(world.causes(of: phone) == [.driver])
        #expect(world.stations.pendingAuthenticationCount == 1)
        #expect(world.stations.count == 0)
    }
}
