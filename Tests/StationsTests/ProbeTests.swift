import IEEE80211
import SansIO
import Stations
import Testing
import Wire

@Suite struct ProbeTests {
    /// The answers to a probe request.
    private func answers(
        _ world: World, ssid: String?, channel: UInt8? = nil, to destination: MACAddress = .broadcast
    ) -> [(destination: MACAddress, isBestEffort: Bool)] {
        var writer = ByteWriter()
        ManagementHeader(
            subtype: .probeRequest, destination: destination, source: MACAddress(0x02AA), bss: destination
        ).write(into: &writer)
        if let ssid { writer.write(element: .ssid, body: Array(ssid.utf8)) }
        if let channel { writer.write(element: .dsParameter, body: [channel]) }
        let bytes = writer.bytes
        var output = StationsOutput()
        _ = world.stations.handle(.managementFrame(bytes.span.bytes, signal: nil), at: world.now, into: &output)
        return output.actions.compactMap {
            guard case .transmit(let frame, nil, let isBestEffort) = $0,
                let header = try? ManagementFrame(frame.span.bytes).header, header.subtype == .probeResponse
            else { return nil }
            return (header.destination, isBestEffort)
        }
    }

    @Test func whoIsAnswered() throws {
        let world = try World(seed: 22)
        #expect(answers(world, ssid: "").map(\.destination) == [MACAddress(0x02AA)])
        #expect(answers(world, ssid: World.ssid).map(\.isBestEffort) == [true])
        #expect(answers(world, ssid: World.ssid, to: World.bss).map(\.isBestEffort) == [false])
        #expect(answers(world, ssid: "", channel: 6).count == 1)
        #expect(answers(world, ssid: "", channel: 7).isEmpty)
        #expect(answers(world, ssid: "Other").isEmpty)
        #expect(answers(world, ssid: nil).isEmpty)
        #expect(answers(world, ssid: "", to: MACAddress(0x02BB)).isEmpty)
        // A crowd of them does not keep us from anything else.
        let count = (0..<1000).reduce(0) { sum, _ in sum + answers(world, ssid: "").count }
        #expect(count < 100)
        world.run(for: .seconds(1))
        #expect(answers(world, ssid: "").count == 1)
    }
}
