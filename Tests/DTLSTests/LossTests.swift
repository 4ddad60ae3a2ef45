import DTLS
import SansIO
import Testing

@Suite struct LossTests {
    /// Each datagram of a handshake is lost in turn, and each two of those that go one way.
    @Test(arguments: [Link.Side.client, .server])
    func anyDatagramMayBeLost(_ destination: Link.Side) throws {
        let contexts = try Link.contexts()
        for lost in 0..<4 {
            for other in lost..<4 {
                let link = Link(contexts)
                link.loses = { side, number in side == destination && (number == lost || number == other) }
                link.give(.start, to: .client)
                link.run()
                #expect(link.isConnected, "datagrams \(lost) and \(other) to the \(destination) are lost")
                #expect(link.ofClient.events.count == 1 && link.ofServer.events.count == 1)
            }
        }
    }

    /// The server has nothing to wait for after its last flight: the client asks for it again, as often as it takes.
    @Test func theLastFlightIsSentAgainWhenItWasLost() throws {
        let link = Link(try Link.contexts())
        link.loses = { side, number in side == .client && (1...4).contains(number) }
        link.give(.start, to: .client)
        link.run(for: .milliseconds(100))
        #expect(link.isServerConnected && !link.isClientConnected)
        #expect(link.ofServer.deadline == nil)
        link.run()
        #expect(link.isClientConnected)
        #expect(link.ofServer.sent.count == 6)
        link.send("up", from: .client)
        link.send("down", from: .server)
        link.run()
        #expect(link.ofServer.received == [Array("up".utf8)])
        #expect(link.ofClient.received == [Array("down".utf8)])
    }

    /// With both on a bad link, they find each other, or say that they did not, and data comes once at most.
    @Test(arguments: [
        (UInt64(1), Disturbance(loss: 0.05, duplication: 0.02, reordering: 0.1)),
        (UInt64(2), Disturbance(loss: 0.25, duplication: 0.1, reordering: 0.3)),
        (UInt64(3), Disturbance(loss: 0, duplication: 0.5, reordering: 1, delay: .seconds(2))),
        (UInt64(4), Disturbance(loss: 0.5, duplication: 0.5, reordering: 0.5)),
    ])
    func badLinks(_ kind: UInt64, _ disturbance: Disturbance) throws {
        let contexts = try Link.contexts()
        var connected = 0
        for number: UInt64 in 0..<60 {
            let seed = kind << 32 | number
            // Small datagrams make many: flights are fragmented.
            let link = Link(contexts, disturbance, seed: seed, mtu: number.isMultiple(of: 2) ? 1_200 : 512)
            link.give(.start, to: .client)
            link.run()
            let ends = link.ofClient.events + link.ofServer.events
            #expect(link.calls < 300, "seed \(seed): \(link.calls) calls")
            if link.isConnected {
                connected += 1
                #expect(ends.count == 2, "seed \(seed): \(ends)")
            } else {
                #expect(ends.contains(.failed(.timedOut)), "seed \(seed): \(ends)")
            }
            for count in 0..<50 {
                link.send("\(count)", from: .client)
                link.send("\(count)", from: .server)
            }
            link.run()
            let valid = Set((0..<50).map { Array("\($0)".utf8) })
            for received in [link.ofClient.received, link.ofServer.received] {
                #expect(Set(received).isSubset(of: valid), "seed \(seed)")
                #expect(Set(received).count == received.count, "seed \(seed): a record came twice")
                if link.isConnected, disturbance.loss < 0.1 {
                    #expect(received.count > 35, "seed \(seed): \(received.count) of 50")
                }
            }
        }
        // Half of all datagrams lost may be too much for 30 s; the others never.
        #expect(connected >= (kind == 4 ? 30 : 60), "\(connected) of 60")
    }
}
