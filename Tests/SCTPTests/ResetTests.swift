import SansIO
import Testing

@testable import SCTP

/// Stream reset (RFC 6525), as data channels use it (RFC 8831 section 6.7).
@Suite struct ResetTests {
    @Test func resetIsToldToBothAndTheStreamBeginsAnew() {
        let link = Link.established()
        for number in 0..<3 as Range<UInt8> { link.first.send(Message(bytes: [number]), at: link.now) }
        link.first.send(Message(stream: 2, bytes: [9]), at: link.now)
        link.first.reset([1], at: link.now)
        link.run(for: .seconds(1))
        #expect(link.second.fetchMessages().count == 4)
        #expect(link.second.fetchEvents() == [.streamsReset([1])])
        #expect(link.first.fetchEvents() == [.outgoingReset([1])])
        #expect(link.first.association.sending.streams[1] == 0 && link.first.association.sending.streams[2] == 1)
        link.first.send(Message(bytes: [4]), at: link.now)
        link.run(for: .seconds(1))
        #expect(link.second.fetchMessages().map(\.bytes) == [[4]])
    }

    @Test func everythingSentBeforeArrivesBefore() {
        for seed in 1...12 as ClosedRange<UInt64> {
            let link = Link(seed: seed, Link.Conditions(loss: 0.1, duplication: 0.1, delay: 1...40))
            link.first.connect(at: link.now)
            link.run(for: .seconds(20))
            _ = (link.first.fetchEvents(), link.second.fetchEvents())
            let messages = (0..<40).map { Message(stream: UInt16($0 % 3), bytes: pattern(1 + $0 * 211 % 5000, $0)) }
            for message in messages { link.first.send(message, at: link.now) }
            link.first.reset([0, 1, 2], at: link.now)
            link.first.send(Message(stream: 1, bytes: [1]), at: link.now)
            #expect(link.first.fetchEvents() == [.refused(.streamResetting)])
            link.run(for: .seconds(60))
            #expect(Set(link.second.fetchMessages()) == Set(messages), "seed \(seed)")
            // A stream is reset as soon as nothing of it waits, before others.
            #expect(confirmed(link.first).sorted() == [0, 1, 2], "seed \(seed)")
            #expect(told(link.second).sorted() == [0, 1, 2], "seed \(seed)")
            link.first.send(Message(stream: 1, bytes: [1]), at: link.now)
            link.run(for: .seconds(20))
            #expect(link.second.fetchMessages() == [Message(stream: 1, bytes: [1])], "seed \(seed)")
        }
    }

    /// Also of messages that are not ordered, and of those given up before they were sent.
    @Test func streamsWaitForTheirOwnMessagesAndNoOthers() {
        let link = Link.established()
        link.filter = { _, target in target == 1 }
        for number in 0..<60 { link.first.send(Message(stream: 9, bytes: pattern(1_000, number)), at: link.now) }
        link.first.send(Message(stream: 1, bytes: [1], isUnordered: true), at: link.now)
        link.first.send(Message(stream: 2, bytes: [2]), .lifetime(.seconds(1)), at: link.now)
        link.first.reset([1, 2, 3], at: link.now)
        // The third has nothing to wait for.
        #expect(link.first.association.resets.asked == [1, 2])
        #expect(link.first.association.resets.request?.streams == [3])
        link.run(for: .seconds(2))
        link.filter = nil
        link.run(for: .seconds(60))
        #expect(link.second.fetchMessages().map(\.stream) == Array(repeating: 9, count: 60) + [1])
        #expect(told(link.second).sorted() == [1, 2, 3])
        #expect(confirmed(link.first).sorted() == [1, 2, 3])
        #expect(link.first.association.sending.streams.count == 1)
    }

    @Test func bothSidesResetAtOnce() {
        let link = Link.established()
        link.first.reset([1], at: link.now)
        link.second.reset([1], at: link.now)
        link.first.reset([2], at: link.now)
        link.run(for: .seconds(2))
        #expect(
            Set(link.first.fetchEvents().map { "\($0)" })
                == Set(
                    [SCTPEvent.outgoingReset([1]), .outgoingReset([2]), .streamsReset([1])].map { "\($0)" }))
        #expect(
            Set(link.second.fetchEvents().map { "\($0)" })
                == Set(
                    [SCTPEvent.outgoingReset([1]), .streamsReset([1]), .streamsReset([2])].map { "\($0)" }))
    }

    @Test func manyStreamsTakeSeveralRequests() {
        let link = Link.established()
        let streams = Array(0..<1500 as Range<UInt16>)
        link.first.reset(streams, at: link.now)
        link.run(for: .seconds(5))
        #expect(told(link.second) == streams)
        #expect(confirmed(link.first) == streams)
    }

    /// The streams that the peer reset.
    private func told(_ endpoint: Endpoint) -> [UInt16] {
        endpoint.fetchEvents().flatMap { event -> [UInt16] in
            if case .streamsReset(let streams) = event { streams } else { [] }
        }
    }

    /// The streams of which the peer confirmed the reset.
    private func confirmed(_ endpoint: Endpoint) -> [UInt16] {
        endpoint.fetchEvents().flatMap { event -> [UInt16] in
            if case .outgoingReset(let streams) = event { streams } else { [] }
        }
    }

    /// A RE-CONFIG chunk with an outgoing reset request.
    private func request(_ sequence: UInt32, lastTSN: UInt32, _ streams: [UInt16]) -> CopiedChunk {
        var bytes: [UInt8] = []
        bytes.writeOutgoingReset(sequence: sequence, responseSequence: 0, lastTSN: TSN(lastTSN), streams: streams)
        let length = Int(bytes[2]) << 8 | Int(bytes[3])
        return CopiedChunk(type: 130, flags: 0, value: Array(bytes[4..<length]))
    }

    private func results(_ packets: [[UInt8]]) -> [[UInt32]] {
        packets.flatMap { chunks(of: $0) }.filter { $0.type == 130 }.map { [$0.uint32(at: 4), $0.uint32(at: 8)] }
    }

    @Test func requestIsAnsweredOnceDoneAndAgainWhenItComesAgain() {
        let link = Link.established()
        let endpoint = link.second
        let tag = endpoint.association.local.initiateTag
        let first = link.first.association.local.initialTSN.value
        func receive(_ chunk: CopiedChunk) -> [[UInt32]] {
            endpoint.receive(packet(tag: tag, [chunk]), at: link.now)
            return results(endpoint.fetch())
        }
        // Its last TSN hasn't come: in progress (6), then performed (1).
        #expect(receive(request(first, lastTSN: first, [1])) == [[first, 6]])
        #expect(receive(request(first, lastTSN: first, [1])) == [[first, 6]])
        #expect(receive(request(first &+ 1, lastTSN: first &+ 9, [7])) == [[first &+ 1, 4]], "one at a time")
        #expect(endpoint.fetchEvents().isEmpty)
        _ = receive(data(tsn: first, [1]))
        #expect(endpoint.fetchEvents() == [.streamsReset([1])])
        #expect(receive(request(first &+ 1, lastTSN: first, [1])) == [[first &+ 1, 1]])
        #expect(receive(request(first &+ 2, lastTSN: first, [])) == [[first &+ 2, 1]])
        #expect(endpoint.fetchEvents() == [.streamsReset([])], "all streams")
        #expect(receive(request(first &+ 9, lastTSN: first, [1])) == [[first &+ 9, 5]], "bad sequence number")
        let addStreams = CopiedChunk(type: 130, flags: 0, value: [0, 17, 0, 12] + bytes(first &+ 3) + [0, 9, 0, 0])
        #expect(receive(addStreams) == [[first &+ 3, 2]], "denied")
        #expect(receive(addStreams) == [[first &+ 3, 2]])
    }

    private func bytes(_ number: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.write(number)
        return bytes
    }

    @Test func answersAreTakenAsTheyAre() throws {
        for (result, event) in [
            (0, SCTPEvent.outgoingReset([5])), (1, .outgoingReset([5])), (2, .outgoingResetFailed([5])),
            (3, .outgoingResetFailed([5])), (99, .outgoingResetFailed([5])),
        ]
            as [(UInt32, SCTPEvent)]
        {
            let link = Link.established()
            let sender = link.first
            let tag = sender.association.local.initiateTag
            sender.reset([5], at: link.now)
            let request = try #require(sender.fetch().flatMap { chunks(of: $0) }.first)
            let sequence = request.uint32(at: 4)
            func answer(_ sequence: UInt32, _ result: UInt32) {
                var answer: [UInt8] = []
                answer.writeReconfigurationResponse(sequence: sequence, result: .performed)
                answer.replaceSubrange(12..<16, with: bytes(result))
                sender.receive(
                    packet(tag: tag, [CopiedChunk(type: 130, flags: 0, value: Array(answer.dropFirst(4)))]),
                    at: link.now)
            }
            answer(sequence &+ 1, 1)
            answer(sequence, 6)
            #expect(sender.fetchEvents().isEmpty)
            sender.wake(at: sender.association.timers.reset)
            let again = sender.fetch().flatMap { chunks(of: $0) }
            #expect(again == [request], "in progress: the same request is sent again")
            answer(sequence, result)
            answer(sequence, result)
            #expect(sender.fetchEvents() == [event])
            #expect(sender.association.timers.reset == .never)
        }
    }
}
