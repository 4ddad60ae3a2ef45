import SansIO
import Stations
import Testing

@testable import AccessPoint

/// A week of a box in a household, with each kind of chip: phones come, go, sleep and vanish, the codes change each night,
/// the chip's firmware crashes.
@Suite struct SevenDaysTests {
    static let phones = 5

    /// How much of each kind is kept.
    private struct Size: Equatable {
        var pending, cookies, information, origins, stations, widths: Int

        init(_ accessPoint: borrowing AccessPoint) {
            pending = accessPoint.pending.count
            cookies = accessPoint.present?.cookies.count ?? 0
            information = accessPoint.present?.information.count ?? 0
            origins = accessPoint.origins.count
            stations = accessPoint.snapshot.stations.count
            widths = accessPoint.widthLimits.count
        }
    }

    @Test(
        arguments: [
            .softMAC, .fullMAC(offloadsHandshake: false, offloadsSAE: false),
            .fullMAC(offloadsHandshake: true, offloadsSAE: true),
        ] as [MockKernel.Chip])
    func aWeek(_ chip: MockKernel.Chip) throws {
        let home = Household(chip, phones: Self.phones, seed: 11)
        try #require(home.rig.start() != nil)
        var sizes: [Size] = []
        for day in 0..<7 {
            for hour in 0..<23 {
                for place in home.phones.indices {
                    switch home.random(0...11) {
                    case 0: home.leave(place)
                    case 1: home.vanish(place)
                    case 2: home.walkAway(place)
                    case 3: home.sleep(place)
                    case 4, 5, 6, 7: home.arrive(place)
                    default: break
                    }
                }
                if hour == 7 + day {
                    home.rig.kernel.stopAccessPoint()
                    try #require(home.rig.runUntilUp(within: .seconds(10)) != nil, "day \(day)")
                }
                home.run(for: .seconds(3600))
                #expect(home.rig.kernel.complaints == [], "day \(day), hour \(hour)")
                #expect((home.rig.kernel.accessPoint?.stations.count ?? 0) <= Self.phones)
            }
            // In the evening everyone is called together: nobody is stuck.
            for place in home.phones.indices { home.arrive(place) }
            home.run(for: .seconds(600))
            for place in home.phones.indices { #expect(home.isOn(place), "day \(day), phone \(place)") }
            // Who goes without a word is gone some minutes later.
            for place in 0..<2 { home.vanish(place) }
            home.run(for: .seconds(900))
            for place in 0..<2 { #expect(!home.isOn(place), "day \(day), phone \(place)") }
            for place in 0..<2 { home.arrive(place) }
            home.run(for: .seconds(900))
            // What was asked just now is answered, too.
            home.rig.run(for: .seconds(1))
            sizes.append(Size(home.rig.accessPoint))
            // Of each phone one is remembered, of who left as soon as the chip had let it in; which ones is chance.
            #expect(home.rig.accessPoint.snapshot.refusals.count <= Self.phones)
            // Rotation: within a second everyone is off, and only who knows the new passphrase comes back.
            var next = home.rig.accessPoint.configuration
            next.passphrase = "passphrase of day \(day)"
            next.ssid = Array("Kibitz-DAY\(day)".utf8)
            let former = home.rig.kernel.accessPoint
            home.rig.give(.configure(next))
            home.rig.run(for: .seconds(1))
            #expect(former != nil && home.rig.kernel.accessPoint?.ssid != former?.ssid, "day \(day)")
            home.run(for: .seconds(300))
            #expect(home.phones.indices.allSatisfy { !home.isOn($0) }, "day \(day)")
            home.tell(next.passphrase)
            home.run(for: .seconds(900))
            for place in home.phones.indices { #expect(home.isOn(place), "day \(day), phone \(place)") }
        }
        // They did come and go; and of all that nothing is left but who is there.
        #expect(home.joins > 500)
        #expect(sizes.allSatisfy { $0 == sizes[0] }, "\(sizes)")
    }
}
