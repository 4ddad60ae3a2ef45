import SansIO
import Testing

@testable import SCTP

/// FORWARD-TSN (RFC 3758), both ways.
@Suite struct PartialReliabilityTests {
    /// Loses the first `count` packets with data that go from the first side to the second.
    private func losing(_ count: Int, on link: Link) {
        var lost = 0
        link.filter = { packet, target in
            guard target == 1, types(of: packet).contains(.data), lost < count else { return true }
            lost += 1
            return false
        }
    }

    @Test func messageIsGivenUpAfterItsRetransmits() {
        for (limit, arrives) in [(0, false), (1, false), (2, true)] as [(UInt16, Bool)] {
            let link = Link.established()
            losing(2, on: link)
            link.first.send(Message(bytes: [1]), .retransmits(limit), at: link.now)
            link.run(for: .seconds(10))
            link.first.send(Message(bytes: [2]), at: link.now)
            link.run(for: .seconds(10))
            #expect(link.second.fetchMessages().map(\.bytes) == (arrives ? [[1], [2]] : [[2]]), "limit \(limit)")
            #expect(link.first.counters.abandoned == (arrives ? 0 : 1))
            #expect(link.first.association.bufferedBytes == 0)
        }
    }

    @Test func messageIsGivenUpAfterItsLifetime() {
        let link = Link.established()
        losing(2, on: link)
        link.first.send(Message(bytes: [1]), .lifetime(.milliseconds(300)), at: link.now)
        link.first.send(Message(bytes: [2]), at: link.now)
        link.run(for: .seconds(10))
        #expect(link.second.fetchMessages().map(\.bytes) == [[2]])
        #expect(link.first.counters.abandoned == 1)
    }

    @Test func messageThatNeverLeftIsDroppedInSilence() {
        let link = Link.established()
        link.conditions.loss = 1
        for number in 0..<20 as Range<UInt8> {
            link.first.send(Message(bytes: pattern(1000, Int(number))), at: link.now)
        }
        link.first.send(Message(bytes: [99]), .lifetime(.milliseconds(100)), at: link.now)
        link.run(for: .milliseconds(400))
        link.conditions.loss = 0
        var forwards = 0
        link.filter = { packet, _ in
            forwards += types(of: packet).contains(.forwardTSN) ? 1 : 0
            return true
        }
        link.run(for: .seconds(10))
        #expect(link.second.fetchMessages().count == 20)
        #expect(forwards == 0 && link.first.counters.abandoned == 1)
    }

    /// A message of which fragments arrived is given up whole, what of it hadn't left included.
    @Test func halfAMessageIsGivenUpWhole() {
        for isUnordered in [false, true] {
            let link = Link.established()
            var count = 0
            link.filter = { packet, target in
                guard target == 1, types(of: packet).contains(.data) else { return true }
                count += 1
                return count != 2
            }
            link.first.send(Message(bytes: pattern(20_000), isUnordered: isUnordered), .retransmits(0), at: link.now)
            link.first.send(Message(bytes: [2], isUnordered: isUnordered), at: link.now)
            link.run(for: .seconds(10))
            #expect(link.second.fetchMessages().map(\.bytes) == [[2]])
            #expect(link.second.association.receiving.runs.isEmpty && link.second.association.receiving.heldBytes == 0)
            #expect(link.first.association.bufferedBytes == 0)
            // The next ordered one doesn't wait for the one given up.
            link.first.send(Message(bytes: [3], isUnordered: isUnordered), at: link.now)
            link.run(for: .seconds(1))
            #expect(link.second.fetchMessages().map(\.bytes) == [[3]])
        }
    }

    @Test func forwardTellsTheLastSkippedOfEachOrderedStream() throws {
        let link = Link.established()
        let sender = link.first
        let first = sender.association.local.initialTSN.value
        for (stream, isUnordered) in [(1, false), (2, false), (1, false), (3, true)] as [(UInt16, Bool)] {
            sender.send(Message(stream: stream, bytes: [1], isUnordered: isUnordered), .retransmits(0), at: link.now)
        }
        _ = sender.fetch()
        sender.wake(at: sender.association.timers.retransmission)
        let chunk = try #require(sender.fetch().flatMap { chunks(of: $0) }.first { $0.type == 192 })
        #expect(chunk.uint32(at: 0) == first &+ 3)
        #expect(chunk.value.dropFirst(4) == [0, 1, 0, 1, 0, 2, 0, 0])
        // Lost, it is sent again when T3-rtx expires, and no sooner.
        let tag = sender.association.local.initiateTag
        sender.receive(packet(tag: tag, [sack(first &- 1)]), at: link.now + .seconds(1))
        #expect(sender.fetch().isEmpty)
        sender.wake(at: sender.association.timers.retransmission)
        #expect(sender.fetch().flatMap { types(of: $0) } == [.forwardTSN])
        sender.receive(packet(tag: tag, [sack(first &+ 3)]), at: link.now + .seconds(2))
        #expect(sender.association.sending.isEmpty && sender.association.timers.retransmission == .never)
    }

    @Test func forwardDeliversWhatWaitedAndSkipsTheRest() {
        let link = Link.established()
        let endpoint = link.second
        let tag = endpoint.association.local.initiateTag
        let first = link.first.association.local.initialTSN.value
        func receive(_ chunk: CopiedChunk) { endpoint.receive(packet(tag: tag, [chunk]), at: link.now) }
        // Stream 1: sequence number 0 is missing, 1 is whole, 2 lacks its end, 3 is whole. Stream 2: 0 is missing, 1 waits.
        receive(data(tsn: first &+ 1, ssn: 1, [1]))
        receive(data(tsn: first &+ 2, ssn: 2, flags: .beginning, [2]))
        receive(data(tsn: first &+ 4, ssn: 3, [3]))
        receive(data(tsn: first &+ 6, stream: 2, ssn: 1, [4]))
        #expect(endpoint.fetchMessages().isEmpty)
        receive(forward(first &+ 3, [(1, 2)]))
        #expect(endpoint.fetchMessages().map(\.bytes) == [[1], [3]])
        #expect(endpoint.association.receiving.cumulative == TSN(first &+ 4))
        receive(forward(first &+ 5, [(2, 0)]))
        #expect(endpoint.fetchMessages().map(\.bytes) == [[4]])
        #expect(endpoint.association.receiving.cumulative == TSN(first &+ 6))
        #expect(endpoint.association.receiving.heldBytes == 0)
        _ = endpoint.fetch()
        receive(forward(first &+ 3, [(1, 2)]))
        let answer = endpoint.fetch().flatMap { chunks(of: $0) }
        #expect(answer.map(\.type) == [3] && answer[0].uint32(at: 0) == first &+ 6, "an old one is only acknowledged")
        receive(data(tsn: first &+ 7, ssn: 4, [5]))
        #expect(endpoint.fetchMessages().map(\.bytes) == [[5]])
    }

    @Test func withoutThePeersConsentNothingIsGivenUp() {
        let start = Timestamp.zero + .seconds(1)
        let caller = Endpoint(seed: 1)
        let other = Endpoint(seed: 2)
        caller.connect(at: start)
        let call = chunks(of: caller.fetch()[0])[0]
        // The call without its extensions.
        other.receive(
            packet(tag: 0, [CopiedChunk(type: 1, flags: 0, value: Array(call.value.prefix(16)))]), at: start)
        caller.receive(other.fetch()[0], at: start)
        other.receive(caller.fetch()[0], at: start)
        #expect(other.fetchEvents() == [.established])
        caller.receive(other.fetch()[0], at: start)
        other.send(Message(bytes: [1]), .retransmits(0), at: start)
        _ = other.fetch()
        other.wake(at: other.association.timers.retransmission)
        #expect(other.fetch().flatMap { types(of: $0) } == [.data])
        other.reset([1], at: start)
        #expect(other.fetchEvents() == [.outgoingResetFailed([1])])
    }
}
