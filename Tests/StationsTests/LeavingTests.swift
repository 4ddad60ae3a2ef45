import Authenticator
import IEEE80211
import SansIO
import Stations
import Testing
import Wire

/// How stations go, and that nobody else can make them go.
@Suite struct LeavingTests {
    private func connected(_ habits: VirtualPhone.Habits = VirtualPhone.Habits()) throws -> (World, MACAddress) {
        let world = try World(seed: 4)
        let phone = try world.add(1, habits)
        world.join(phone)
        world.startPolling()
        world.run(for: .seconds(2))
        try #require(world.isOn(phone))
        world.events.removeAll()
        return (world, phone)
    }

    /// A frame in the phone's name that anybody could send.
    private func forged(
        _ subtype: ManagementSubtype, from phone: MACAddress, _ body: (inout ByteWriter) -> Void
    ) -> [UInt8] {
        var writer = ByteWriter()
        ManagementHeader(
            subtype: subtype, destination: World.bss, source: phone, bss: World.bss, sequenceControl: 0x7770
        ).write(into: &writer)
        body(&writer)
        return writer.bytes
    }

    @Test func aPhoneSaysGoodbye() throws {
        for habits in JoiningTests.habits {
            let (world, phone) = try connected(habits)
            world.leave(phone)
            world.run(for: .seconds(1))
            #expect(world.events == [.left(phone, .stationLeft(.leaving))])
            #expect(world.driver.entries.isEmpty)
            #expect(world.stations.count == 0)
            #expect(world.driver.problems.isEmpty)
        }
    }

    @Test func aSilentPhoneIsProbedThreeTimesAndRemoved() throws {
        let (world, phone) = try connected()
        world.phones[phone]?.vanish()
        world.run(for: .seconds(58))
        #expect(world.stations.count == 1)
        // A minute of silence, three questions of four seconds each; the driver is read each 20 seconds.
        world.run(for: .seconds(40))
        #expect(world.events == [.left(phone, .silence)])
        #expect(world.driver.entries.isEmpty)
        #expect(world.stations.counters.silent == 1)
        // It comes back at once: nothing of it is left in the way.
        world.join(phone)
        world.run(for: .seconds(1))
        #expect(world.isOn(phone))
        #expect(world.driver.problems.isEmpty)
    }

    /// A driver's clock that is a hundredth slow moved the moment it was last heard on with each look, so that the questions
    /// began anew each time, and a phone that had vanished stayed for ever.
    @Test func aSilentPhoneIsRemovedByADriverWithASlowClockToo() throws {
        let (world, phone) = try connected()
        world.phones[phone]?.vanish()
        for second in stride(from: 10, through: 120, by: 10) {
            world.run(for: .seconds(10))
            guard world.stations.count == 1 else { break }
            world.give(.activity(phone, inactive: .milliseconds(second * 990), signal: -50))
        }
        #expect(world.events == [.left(phone, .silence)])
    }

    @Test func aPhoneThatDozesStays() throws {
        var habits = VirtualPhone.Habits()
        habits.trafficInterval = .seconds(100_000)
        habits.doze = .seconds(3)
        let (world, phone) = try connected(habits)
        world.run(for: .seconds(3600))
        #expect(world.isOn(phone))
        #expect(world.events.isEmpty)
    }

    @Test func aPhoneThatWasRemovedInItsSleepComesBack() throws {
        for habits in JoiningTests.habits {
            let (world, phone) = try connected(habits)
            // Out of reach for two minutes, without knowing it.
            world.unreachable.insert(phone)
            world.run(for: .seconds(120))
            #expect(world.driver.entries.isEmpty)
            #expect(world.phones[phone]?.isConnected == true)
            world.unreachable.remove(phone)
            // Its next data frame is answered, and it joins anew. One with protected frames asks first.
            world.run(for: .seconds(15))
            #expect(world.isOn(phone), "\(habits.akm)")
            #expect(world.driver.problems.isEmpty)
        }
    }

    @Test func aForgedGoodbyeOnlyAsksAProtectedPhone() throws {
        for index in 1..<JoiningTests.habits.count {
            let (world, phone) = try connected(JoiningTests.habits[index])
            let frame = forged(.deauthentication, from: phone) { Deauthentication(reason: .leaving).write(into: &$0) }
            // A driver that passes it on all the same.
            world.give(.managementFrame(frame.span.bytes, signal: nil))
            world.run(for: .seconds(5))
            #expect(world.isOn(phone))
            #expect(world.events.isEmpty)
            #expect(world.driver.problems.isEmpty)
        }
    }

    @Test func aForgedAssociationOnlyAsksAProtectedPhone() throws {
        let (world, phone) = try connected(VirtualPhone.Habits(usesMFP: true))
        let authentication = forged(.authentication, from: phone) {
            AuthenticationFrame.write(algorithm: .openSystem, transaction: 1, status: .success, into: &$0)
        }
        var twin = try #require(world.phones[phone])
        let request = twin.associationRequest()
        world.give(.managementFrame(authentication.span.bytes, signal: nil))
        world.give(.managementFrame(request.span.bytes, signal: nil))
        world.run(for: .seconds(5))
        #expect(world.isOn(phone))
        #expect(world.events == [.refused(phone, .securityAssociationQuery)])
        #expect(world.phones[phone]?.connections == 1)
    }

    @Test func aPhoneThatLostItsKeysComesBackAfterTheQuery() throws {
        for index in 1..<JoiningTests.habits.count {
            let (world, phone) = try connected(JoiningTests.habits[index])
            // Its battery was out: the access point still has its keys.
            world.phones[phone]?.vanish()
            world.join(phone)
            world.run(for: .seconds(4))
            #expect(world.isOn(phone))
            #expect(
                world.events == [
                    .refused(phone, .securityAssociationQuery), .left(phone, .securityAssociationLost), .joined(phone),
                    .authorized(phone, JoiningTests.habits[index].akm),
                ])
            #expect(world.phones[phone]?.statuses[.refusedTemporarily] == 1)
            let longest = try #require(world.phones[phone]?.longestWait)
            #expect(longest < .milliseconds(1500))
            #expect(world.driver.problems.isEmpty)
        }
    }

    @Test func aPhoneWithoutProtectionIsReplacedAtOnce() throws {
        let (world, phone) = try connected()
        world.phones[phone]?.vanish()
        world.join(phone)
        world.run(for: .seconds(1))
        #expect(world.isOn(phone))
        #expect(
            world.events == [.left(phone, .reassociation), .joined(phone), .authorized(phone, .psk)])
        // The driver's entry was made anew, with a key of its own.
        #expect(world.driver.problems.isEmpty)
    }

    @Test func aReassociationWithoutAuthentication() throws {
        let (world, phone) = try connected()
        world.with(phone) { phone, _ in
            phone.state = .associating(tries: 1)
            var outcome = VirtualPhone.Outcome()
            outcome.frames = [phone.associationRequest(isReassociation: true)]
            return outcome
        }
        world.run(for: .seconds(1))
        #expect(world.isOn(phone))
        #expect(world.driver.problems.isEmpty)
    }

    @Test func everyoneIsSentAwayAndComesBack() throws {
        let (world, phone) = try connected()
        world.give(.sendAllAway(.unspecified))
        world.run(for: .seconds(3))
        #expect(world.isOn(phone))
        #expect(world.events.first == .left(phone, .everyone(.unspecified)))
    }

    /// The log had what the compiler makes of them: "is off the Wi-Fi: everyone(leaving (3))".
    @Test func theirReasonsAreWords() {
        let all: [Departure] = [
            .stationLeft(.leaving), .silence, .handshakeFailed(.groupTimedOut), .reassociation,
            .securityAssociationLost,
            .everyone(.leaving), .chip,
        ]
        for departure in all {
            let words = departure.description.split(separator: " ")
            #expect(words.count > 2 && ["it", "everyone", "the"].contains(words[0]), "\(departure)")
        }
    }
}
