import IEEE80211
import SansIO
import Stations
import Testing
import Wire

/// That there is room for those who belong here, and no more.
@Suite struct LimitTests {
    @Test func oneMoreThanTheLimitIsRefused() throws {
        for habits in JoiningTests.habits {
            let world = try World(seed: 6, limit: 4)
            let phones = try (1...5).map { try world.add($0, habits) }
            for phone in phones.prefix(4) { world.join(phone) }
            world.run(for: .seconds(2))
            world.join(phones[4])
            world.run(for: .seconds(2))
            #expect(phones.prefix(4).allSatisfy(world.isOn))
            #expect(world.causes(of: phones[4]) == [.full])
            #expect(world.isFull)
            #expect(world.phones[phones[4]]?.statuses.keys.contains(.tooManyStations) == true)
            #expect(world.count(.full) == 1)
            // A place becomes free, and the fifth comes in by itself.
            world.leave(phones[0])
            world.run(for: .seconds(6))
            #expect(world.isOn(phones[4]))
            #expect(!world.isFull, "every place is taken, and nobody waits for one")
            #expect(world.driver.peak == 4)
            // Full again, told again.
            world.join(phones[0])
            world.run(for: .seconds(2))
            #expect(world.count(.full) == 2)
            #expect(world.isFull)
            #expect(world.driver.problems.isEmpty)
        }
    }

    @Test func theChipHoldsFewerThanItSaid() throws {
        let world = try World(seed: 7)
        world.driver.capacity = 3
        let phones = try (1...5).map { try world.add($0) }
        for phone in phones { world.join(phone) }
        world.run(for: .seconds(2))
        #expect(phones.count { world.isOn($0) } == 3)
        #expect(world.stations.refusals.allSatisfy { $0.cause == .driver })
        #expect(world.stations.count <= 3)
        #expect(world.driver.problems.isEmpty)
    }

    @Test func wrongPassphrasesAtFiftyASecondLeaveOthersUnaffected() throws {
        for (index, habits) in JoiningTests.habits.enumerated() {
            let world = try World(seed: 8, limit: 12)
            let residents = try (1...8).map { try world.add($0, JoiningTests.habits[$0 % 4]) }
            for phone in residents { world.join(phone) }
            world.run(for: .seconds(2))
            #expect(residents.allSatisfy(world.isOn))
            // Ten seconds of phones that never come twice, each with a wrong passphrase and one try.
            for number in 0..<500 {
                world.at(.milliseconds(20 * number)) { world in
                    guard let phone = try? world.add(100 + number, habits, passphrase: "wrong wrong") else { return }
                    world.join(phone)
                    world.at(.milliseconds(900)) {
                        $0.phones[phone]?.vanish()
                        $0.phones[phone] = nil
                    }
                }
            }
            // Meanwhile honest phones come.
            let newcomers = try (20...22).map { try world.add($0, JoiningTests.habits[$0 % 4]) }
            for (number, phone) in newcomers.enumerated() {
                world.at(.seconds(2 * number + 2)) { $0.join(phone) }
            }
            world.run(for: .seconds(12))
            #expect(residents.allSatisfy(world.isOn), "flood \(index)")
            #expect(residents.allSatisfy { world.phones[$0]?.connections == 1 }, "flood \(index)")
            #expect(newcomers.allSatisfy(world.isOn), "flood \(index)")
            for phone in newcomers {
                let longest = try #require(world.phones[phone]?.longestWait)
                #expect(longest < .seconds(5), "flood \(index)")
            }
            #expect(world.peakStations <= 12)
            #expect((world.stations.counters.refusals["wrong-passphrase"] ?? 0) > 100, "flood \(index)")
            #expect(world.stations.refusals.count <= 32)
            #expect(world.driver.problems.isEmpty)
        }
    }

    @Test func thoseWhoNeverAnswerGiveWay() throws {
        // Authentications and associations of addresses that say nothing more, forty a second, for ten seconds.
        let world = try World(seed: 9, limit: 10)
        for number in 0..<400 {
            world.at(.milliseconds(25 * number)) { world in
                let habits = VirtualPhone.Habits(answersHandshake: false)
                guard let phone = try? world.add(1000 + number, habits) else { return }
                world.join(phone)
                world.at(.seconds(1)) { $0.phones[phone] = nil }
            }
        }
        let honest = try world.add(1)
        world.at(.seconds(4)) { $0.join(honest) }
        world.run(for: .seconds(9))
        #expect(world.isOn(honest))
        #expect(world.peakStations <= 10)
        world.run(for: .seconds(20))
        #expect(world.stations.count == 1)
        #expect(world.driver.entries.count == 1)
        #expect(world.driver.problems.isEmpty)
    }

    @Test func authenticationsAloneAreBounded() throws {
        let world = try World(seed: 10)
        var output = StationsOutput()
        for number in 0..<5000 {
            let bytes = openAuthentication(number)
            _ = world.stations.handle(.managementFrame(bytes.span.bytes, signal: nil), at: world.now, into: &output)
            output.removeAll()
        }
        #expect(world.stations.count == 0)
        #expect(world.stations.pendingAuthenticationCount == 64)
    }

    /// Strangers' open authentications, a frame each, pushed out a phone that had shown by SAE that it knows the password, so
    /// that its association was refused and the whole exchange was to do again.
    @Test func whoKnowsThePasswordIsNotPushedOutByStrangers() throws {
        let world = try World(seed: 11)
        let phone = try world.add(1, VirtualPhone.Habits(akm: .sae, usesMFP: true))
        world.join(phone)
        while world.stations.pendingAuthenticationCount == 0, world.now < World.start + .seconds(1) {
            world.run(for: .microseconds(20))
        }
        // Between its confirm and its association request.
        #expect(world.stations.count == 0)
        for number in 0..<1000 { world.give(.managementFrame(openAuthentication(number).span.bytes, signal: nil)) }
        #expect(world.stations.pendingAuthenticationCount == 64)
        world.run(for: .milliseconds(100))
        #expect(world.isOn(phone))
        #expect(world.stations.refusals.isEmpty)
        #expect(world.driver.problems.isEmpty)
    }

    private func openAuthentication(_ number: Int) -> [UInt8] {
        let address = MACAddress(0x0200_0000_0000 + UInt64(number) << 8 + 2)
        var writer = ByteWriter()
        ManagementHeader(subtype: .authentication, destination: World.bss, source: address, bss: World.bss)
            .write(into: &writer)
        AuthenticationFrame.write(algorithm: .openSystem, transaction: 1, status: .success, into: &writer)
        return writer.bytes
    }
}
