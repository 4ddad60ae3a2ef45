import IEEE80211
import SansIO
import Stations
import Testing
import WiFiSupplicant
import Wire

/// Chips that authenticate and associate by themselves, and those that do the handshake too.
@Suite struct ChipTests {
    @Test func theHandshakeIsOurs() throws {
        for habits in JoiningTests.habits.prefix(2) {
            let world = try World(seed: 18, kind: .fullMAC)
            let phone = try world.add(1, habits)
            world.join(phone)
            world.run(for: .seconds(2))
            #expect(world.isOn(phone))
            #expect(world.events == [.joined(phone), .authorized(phone, .psk)])
            world.leave(phone)
            #expect(world.events.last == .left(phone, .chip))
            #expect(world.stations.count == 0)
            #expect(world.driver.problems.isEmpty)
        }
    }

    @Test func whomTheChipLetInAndWeDont() throws {
        let world = try World(seed: 19, kind: .fullMAC, limit: 2)
        let cipher = try world.add(1, VirtualPhone.Habits(cipher: .tkip))
        let sae = try world.add(2, VirtualPhone.Habits(akm: .sae))
        let wrong = try world.add(3, passphrase: "not this one")
        for phone in [cipher, sae, wrong] {
            if phone == sae {
                // It comes by open authentication with a key that we never gave it.
                world.phones[phone]?.habits.akm = .psk
                let elements = RSNElement(akms: [.sae], capabilities: .managementFrameProtectionCapable).bytes
                world.give(.associated(phone, elements: elements.span.bytes))
            } else {
                world.join(phone)
            }
            world.run(for: .seconds(5))
        }
        #expect(world.causes(of: cipher) == [.pairwiseCipher(.tkip)])
        #expect(world.causes(of: sae) == [.akm(.sae)])
        #expect(world.causes(of: wrong) == [.wrongPassphrase])
        #expect((world.phones[wrong]?.reasons[.fourWayHandshakeTimeout] ?? 0) > 0)
        #expect((world.phones[cipher]?.reasons[.invalidPairwiseCipher] ?? 0) > 0)
        world.phones = world.phones.filter { $0.key == wrong }
        world.phones[wrong]?.vanish()
        world.run(for: .seconds(10))
        // The limit holds here too.
        let phones = try (10...12).map { try world.add($0) }
        for phone in phones {
            world.join(phone)
            world.run(for: .seconds(1))
        }
        #expect(phones.map(world.isOn) == [true, true, false])
        #expect(world.causes(of: phones[2]) == [.full])
        #expect(world.count(.full) == 1)
        #expect(world.driver.problems.isEmpty)
    }

    @Test func aPhoneThatComesTwice() throws {
        let world = try World(seed: 20, kind: .fullMAC)
        let phone = try world.add(1)
        world.join(phone)
        world.run(for: .seconds(1))
        // The chip tells of the new association only; the key is another one.
        world.phones[phone]?.vanish()
        world.join(phone)
        world.run(for: .seconds(1))
        #expect(world.isOn(phone))
        #expect(world.stations.count == 1)
        #expect(world.driver.problems.isEmpty)
    }

    @Test func aChipThatCannotAskIsHelped() throws {
        for habits in JoiningTests.habits.prefix(2) {
            let world = try World(seed: 24, kind: .fullMAC, canProbe: false)
            var quiet = habits
            quiet.trafficInterval = .seconds(100_000)
            let dozing = try world.add(1, quiet)
            let gone = try world.add(2, quiet)
            world.join(dozing)
            world.join(gone)
            world.startPolling()
            world.run(for: .seconds(2))
            let keys = world.phones[dozing]?.supplicant?.groupKeys
            world.phones[gone]?.vanish()
            world.run(for: .seconds(90))
            #expect(world.events.last == .left(gone, .silence))
            #expect(world.stations.counters.silent == 1)
            // The other one answers each time, keeps its keys, and never knows why it is asked.
            world.run(for: .seconds(3000))
            #expect(world.isOn(dozing))
            #expect(world.phones[dozing]?.connections == 1)
            #expect(world.phones[dozing]?.supplicant?.groupKeys == keys)
            #expect(world.driver.groupInstallations == 1)
            // A rekey that comes while a phone is asked is not taken for the question.
            world.phones[dozing]?.vanish()
            world.run(for: .seconds(59))
            world.give(.rekey)
            world.run(for: .seconds(10))
            #expect(world.stations.count == 0)
            #expect(world.driver.groupInstallations == 2)
            #expect(world.driver.problems.isEmpty)
        }
    }

    @Test func everythingIsTheChips() throws {
        let world = try World(seed: 21, kind: .offloaded, limit: 2)
        #expect(world.driver.groupInstallations == 0)
        let elements = RSNElement(akms: [.sae], capabilities: .managementFrameProtectionCapable).bytes
        let phones = (1...3).map { MACAddress(0x0200_0001_0000 + UInt64($0)) }
        world.give(.associated(phones[0], elements: elements.span.bytes))
        let nothing: [UInt8] = []
        // Some chips say nothing of what was agreed on.
        world.give(.associated(phones[1], elements: nothing.span.bytes))
        #expect(
            world.events == [
                .joined(phones[0]), .authorized(phones[0], .sae), .joined(phones[1]), .authorized(phones[1], .psk),
            ])
        #expect(world.stations.reports.map(\.akm) == [.sae, .psk])
        world.give(.associated(phones[2], elements: elements.span.bytes))
        #expect(world.causes(of: phones[2]) == [.full])
        // Gone a moment after it came: its handshake failed in the chip.
        world.run(for: .seconds(1))
        world.give(.removed(phones[1]))
        #expect(world.causes(of: phones[1]) == [.handshakeTimeout])
        world.run(for: .seconds(30))
        world.give(.removed(phones[0]))
        #expect(world.causes(of: phones[0]).isEmpty)
        #expect(world.stations.count == 0)
        // Rotation needs the chip's help only.
        world.give(.associated(phones[0], elements: elements.span.bytes))
        world.give(.removeAll(.leaving))
        #expect(world.events.last == .emptied)
        world.give(.associated(phones[0], elements: elements.span.bytes))
        #expect(world.stations.count == 0)
    }

    /// What a chip refuses by itself was not told: a phone just did not get in.
    @Test func whomTheChipRefusesIsTold() throws {
        let world = try World(seed: 22, kind: .offloaded, limit: 32)
        let elements = RSNElement(akms: [.psk], capabilities: .managementFrameProtectionCapable).bytes
        let phones = (1...5).map { MACAddress(0x0200_0001_0000 + UInt64($0)) }
        for phone in phones.prefix(2) { world.give(.associated(phone, elements: elements.span.bytes)) }
        world.give(.refusedByChip(phones[4], isFull: false))
        #expect(world.causes(of: phones[4]) == [.blocked])
        #expect(!world.isFull)
        // It holds two, whatever it said before.
        world.give(.refusedByChip(phones[2], isFull: true))
        #expect(world.causes(of: phones[2]) == [.full])
        #expect(world.isFull && world.count(.full) == 1)
        #expect(world.stations.places == 2 && world.stations.limit == 32)
        // Refused again and again, it is told once.
        for _ in 0..<5 {
            world.run(for: .seconds(3))
            world.give(.refusedByChip(phones[2], isFull: true))
        }
        #expect(world.isFull && world.count(.full) == 1)
        #expect(world.stations.refusals.first { $0.station == phones[2] }?.count == 6)
        // One leaves: there is a place, and the next is let in.
        world.give(.removed(phones[0]))
        #expect(!world.isFull && world.stations.places == 32)
        world.give(.refusedByChip(phones[3], isFull: true))
        #expect(world.isFull && world.count(.full) == 2)
        // Nobody asks any more, and nobody knows how it is.
        world.run(for: .seconds(31))
        #expect(!world.isFull && world.stations.places == 32)
    }
}
