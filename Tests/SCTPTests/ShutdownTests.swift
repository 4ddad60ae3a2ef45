import SansIO
import Testing

@testable import SCTP

@Suite struct ShutdownTests {
    /// RFC 9260 section 9.2: everything sent before arrives, then both sides are closed.
    @Test(arguments: [0, 1])
    func eitherSideEndsItInGoodOrder(_ side: Int) {
        for seed in 1...10 as ClosedRange<UInt64> {
            let link = Link(seed: seed, Link.Conditions(loss: seed < 4 ? 0 : 0.15, duplication: 0.1, delay: 1...30))
            link.first.connect(at: link.now)
            link.run(for: .seconds(20))
            _ = (link.first.fetchEvents(), link.second.fetchEvents())
            let out = (0..<20).map { Message(bytes: pattern(2000, $0)) }
            let back = (0..<20).map { Message(bytes: pattern(1500, $0 + 100)) }
            for message in out { link.sides[side].send(message, at: link.now) }
            for message in back { link.sides[1 - side].send(message, at: link.now) }
            link.sides[side].shutdown(at: link.now)
            link.sides[side].send(Message(bytes: [1]), at: link.now)
            #expect(link.sides[side].fetchEvents() == [.refused(.notConnected)])
            link.run(for: .seconds(60))
            #expect(link.sides[1 - side].fetchMessages() == out, "seed \(seed)")
            // What the other side had queued is sent before it agrees; it is taken in SHUTDOWN-SENT.
            #expect(link.sides[side].fetchMessages() == back, "seed \(seed)")
            for endpoint in link.sides {
                let events = endpoint.fetchEvents()
                // The very last packet may be lost for good: then one side waits, and gives up.
                #expect(
                    events == [.closed(.shutdown)] || (seed > 3 && events == [.closed(.unreachable)]), "seed \(seed)")
                #expect(endpoint.wakeTime == nil && endpoint.association.footprint == 0)
            }
        }
    }

    @Test func sequenceIsThatOfTheRFC() {
        let link = Link.established()
        var seen: [[ChunkType?]] = []
        link.filter = { packet, _ in
            seen.append(types(of: packet))
            return true
        }
        link.first.shutdown(at: link.now)
        link.run(for: .seconds(1))
        #expect(seen == [[.shutdown], [.shutdownAcknowledgement], [.shutdownComplete]])
        #expect(link.first.fetchEvents() == [.closed(.shutdown)])
        #expect(link.second.fetchEvents() == [.closed(.shutdown)])
    }

    @Test func bothSidesEndItAtOnce() {
        let link = Link.established()
        link.first.shutdown(at: link.now)
        link.second.shutdown(at: link.now)
        link.run(for: .seconds(2))
        #expect(link.first.fetchEvents() == [.closed(.shutdown)])
        #expect(link.second.fetchEvents() == [.closed(.shutdown)])
    }

    @Test func silenceEndsAShutdown() {
        let link = Link.established()
        link.conditions.loss = 1
        link.first.shutdown(at: link.now)
        link.run(for: .seconds(14))
        #expect(link.first.fetchEvents().isEmpty)
        link.run(for: .seconds(2))
        #expect(link.first.fetchEvents() == [.closed(.unreachable)], "T5-shutdown-guard: five times RTO.Max")
    }

    @Test func abortEndsBothAtOnceAndTellsWhy() throws {
        let link = Link.established()
        link.first.send(Message(bytes: pattern(50_000)), at: link.now)
        link.first.abort("battery", at: link.now)
        let last = try #require(link.first.fetch().last)
        #expect(
            chunks(of: last) == [CopiedChunk(type: 6, flags: 0, value: [0, 12, 0, 11] + Array("battery".utf8) + [0])])
        link.second.receive(last, at: link.now)
        #expect(link.first.fetchEvents() == [.closed(.aborted)])
        #expect(link.second.fetchEvents() == [.closed(.abortedByPeer(cause: 12))])
        #expect(link.first.wakeTime == nil && link.first.association.footprint == 0)
        link.first.abort("again", at: link.now)
        link.first.shutdown(at: link.now)
        #expect(link.first.fetch().isEmpty && link.first.fetchEvents().isEmpty)
    }

    @Test func closedAssociationCanBeginAnew() {
        let link = Link.established()
        link.first.shutdown(at: link.now)
        link.run(for: .seconds(1))
        _ = (link.first.fetchEvents(), link.second.fetchEvents())
        link.second.connect(at: link.now)
        link.run(for: .seconds(1))
        #expect(link.first.fetchEvents() == [.established] && link.second.fetchEvents() == [.established])
        link.first.send(Message(bytes: [1]), at: link.now)
        link.run(for: .seconds(1))
        #expect(link.second.fetchMessages() == [Message(bytes: [1])])
    }
}
