import SansIO
import Testing

@testable import SCTP

@Suite struct TransferTests {
    /// The TSNs of the DATA chunks in packets, counted from a first one.
    private func offsets(_ packets: [[UInt8]], from first: TSN) -> [Int] {
        packets.flatMap { chunks(of: $0) }.filter { $0.type == 0 }.map { TSN($0.uint32(at: 0)).distance(from: first) }
    }

    @Test(arguments: [1, 2, 1143, 1144, 1145, 2288, 2289, 65_536, 262_144])
    func messagesOfEveryLengthArrive(_ length: Int) {
        let link = Link.established()
        for isUnordered in [false, true] {
            let message = Message(stream: 3, ppid: 51, bytes: pattern(length), isUnordered: isUnordered)
            link.first.send(message, at: link.now)
            link.run(for: .seconds(20))
            #expect(link.second.fetchMessages() == [message])
            #expect(link.first.association.bufferedBytes == 0)
        }
        #expect(link.first.counters.retransmissions == 0)
    }

    @Test func fragmentsHaveTheFlagsOfTheRFC() {
        let link = Link.established()
        var seen: [CopiedChunk] = []
        link.filter = { packet, _ in
            #expect(packet.count <= 1172 && packet.count % 4 == 0)
            seen += chunks(of: packet).filter { $0.type == 0 }
            return true
        }
        link.first.send(Message(bytes: pattern(3000)), at: link.now)
        link.first.send(Message(bytes: [1], isUnordered: true), at: link.now)
        link.first.send(Message(bytes: [2]), at: link.now)
        link.run(for: .seconds(1))
        #expect(seen.map(\.flags) == [2, 0, 1, 7, 3])
        #expect(seen.map { $0.uint16(at: 6) } == [0, 0, 0, 0, 1], "one sequence number for each ordered message")
        let first = seen[0].uint32(at: 0)
        #expect(seen.map { $0.uint32(at: 0) &- first } == [0, 1, 2, 3, 4])
    }

    @Test func smallMessagesShareAPacketOnceTheyWait() {
        let link = Link.established()
        var packets = 0
        link.filter = { packet, target in
            packets += target == 1 && types(of: packet).contains(.data) ? 1 : 0
            return true
        }
        let messages = (0..<1000).map { Message(bytes: pattern(100, $0)) }
        for message in messages { link.first.send(message, at: link.now) }
        link.run(for: .seconds(10))
        #expect(link.second.fetchMessages() == messages)
        #expect(packets < 200)
    }

    /// RFC 9260 section 6.2: at least every second packet, and within 200 ms.
    @Test func acknowledgementsWaitForASecondPacketOrTheTimer() {
        let link = Link.established()
        let endpoint = link.second
        let tag = endpoint.association.local.initiateTag
        var tsn = link.first.association.local.initialTSN.value
        func receive(_ flags: DataChunk.Flags = [.beginning, .end, .unordered]) -> [[ChunkType?]] {
            endpoint.receive(packet(tag: tag, [data(tsn: tsn, flags: flags, [1])]), at: link.now)
            tsn &+= 1
            return endpoint.fetch().map(types(of:))
        }
        #expect(receive() == [[.selectiveAcknowledgement]], "the first one at once")
        #expect(receive() == [])
        #expect(endpoint.wakeTime == link.now + .milliseconds(200))
        #expect(receive() == [[.selectiveAcknowledgement]])
        #expect(receive() == [])
        endpoint.wake(at: link.now + .milliseconds(200))
        #expect(endpoint.fetch().map(types(of:)) == [[.selectiveAcknowledgement]])
        #expect(
            receive([.beginning, .end, .unordered, .immediate]) == [[.selectiveAcknowledgement]],
            "the I bit asks for it")
        #expect(receive() == [])
        tsn &-= 1
        #expect(receive() == [[.selectiveAcknowledgement]], "what came twice is acknowledged at once")
        tsn &+= 1
        #expect(receive() == [[.selectiveAcknowledgement]], "and so is a gap")
    }

    @Test func acknowledgementTellsGapsAndDuplicates() {
        let link = Link.established()
        let endpoint = link.second
        let tag = endpoint.association.local.initiateTag
        let first = link.first.association.local.initialTSN.value
        for offset in [0, 2, 3, 5, 3, 9] as [UInt32] {
            endpoint.receive(
                packet(tag: tag, [data(tsn: first &+ offset, flags: [.beginning, .end, .unordered], [1])]), at: link.now
            )
        }
        let acknowledgements = endpoint.fetch().map { chunks(of: $0)[0] }
        #expect(acknowledgements.allSatisfy { $0.uint32(at: 0) == first })
        let duplicate = acknowledgements[4]
        #expect(duplicate.uint16(at: 8) == 2 && duplicate.uint16(at: 10) == 1)
        #expect((0..<4).map { duplicate.uint16(at: 12 + 2 * $0) } == [2, 3, 5, 5])
        #expect(duplicate.uint32(at: 20) == first &+ 3)
        #expect(acknowledgements[5].uint16(at: 10) == 0, "a duplicate is told once")
        #expect((0..<6).map { acknowledgements[5].uint16(at: 12 + 2 * $0) } == [2, 3, 5, 5, 9, 9])
        #expect(endpoint.counters.duplicates == 1)
        #expect(endpoint.fetchMessages().count == 5)
    }

    @Test func acknowledgementGoesAlongWithData() {
        let link = Link.established()
        link.first.send(Message(bytes: [1]), at: link.now)
        link.run(for: .seconds(1))
        _ = link.second.fetch()
        link.first.send(Message(bytes: [2]), at: link.now)
        link.second.receive(link.first.fetch()[0], at: link.now)
        #expect(link.second.fetch().isEmpty)
        link.second.send(Message(bytes: [3]), at: link.now)
        #expect(link.second.fetch().map(types(of:)) == [[.selectiveAcknowledgement, .data]])
    }

    /// A message lost holds up its stream and no other one.
    @Test func lossHoldsUpOnlyItsOwnStream() {
        let link = Link.established()
        let tag = link.second.association.local.initiateTag
        let first = link.first.association.local.initialTSN.value
        func receive(_ offset: UInt32, stream: UInt16, ssn: UInt16) {
            link.second.receive(
                packet(tag: tag, [data(tsn: first &+ offset, stream: stream, ssn: ssn, [UInt8(offset)])]), at: link.now)
        }
        receive(1, stream: 1, ssn: 1)
        receive(2, stream: 2, ssn: 0)
        receive(3, stream: 1, ssn: 2)
        receive(4, stream: 2, ssn: 1)
        #expect(link.second.fetchMessages().map(\.bytes) == [[2], [4]])
        #expect(link.second.association.receiving.heldBytes > 0)
        receive(0, stream: 1, ssn: 0)
        #expect(link.second.fetchMessages().map(\.bytes) == [[0], [1], [3]])
        #expect(link.second.association.receiving.heldBytes == 0)
    }

    /// RFC 9260 section 7.2.4: the third report of a loss has the chunk sent again, well before T3-rtx.
    @Test func thirdReportOfALossSendsAgainAtOnce() {
        let link = Link.established()
        let sender = link.first
        let tag = sender.association.local.initiateTag
        let first = sender.association.local.initialTSN
        for number in 0..<6 as Range<UInt8> { sender.send(Message(bytes: [number]), at: link.now) }
        #expect(offsets(sender.fetch(), from: first) == [0, 1, 2, 3, 4, 5])
        let lost = first.previous.value
        sender.receive(packet(tag: tag, [sack(lost, [2...2])]), at: link.now)
        sender.receive(packet(tag: tag, [sack(lost, [2...3])]), at: link.now)
        sender.receive(packet(tag: tag, [sack(lost, [2...3])]), at: link.now)
        #expect(sender.fetch().isEmpty, "a report that tells nothing new isn't counted")
        sender.receive(packet(tag: tag, [sack(lost, [2...4])]), at: link.now)
        #expect(offsets(sender.fetch(), from: first) == [0])
        #expect(sender.counters.fastRetransmits == 1 && sender.counters.timeouts == 0)
        sender.receive(packet(tag: tag, [sack(lost, [2...5])]), at: link.now)
        sender.receive(packet(tag: tag, [sack(lost, [2...6])]), at: link.now)
        #expect(sender.fetch().isEmpty, "what was sent before it says nothing of the second time")
        for number in 6..<10 as Range<UInt8> { sender.send(Message(bytes: [number]), at: link.now) }
        #expect(offsets(sender.fetch(), from: first) == [6, 7, 8, 9])
        sender.receive(packet(tag: tag, [sack(lost, [2...7])]), at: link.now)
        sender.receive(packet(tag: tag, [sack(lost, [2...8])]), at: link.now)
        #expect(sender.fetch().isEmpty)
        sender.receive(packet(tag: tag, [sack(lost, [2...9])]), at: link.now)
        #expect(offsets(sender.fetch(), from: first) == [0], "lost a second time")
        sender.receive(packet(tag: tag, [sack(first.value &+ 9)]), at: link.now)
        #expect(sender.association.bufferedBytes == 0 && sender.association.sending.flight == 0)
        #expect(sender.association.timers.retransmission == .never)
    }

    /// RFC 9260 section 6.3.3: T3-rtx doubles the wait each time, sends one packet, and gives up in the end.
    @Test func timeoutsDoubleAndGiveUp() {
        let link = Link.established()
        link.conditions.loss = 1
        link.first.send(Message(bytes: pattern(3000)), at: link.now)
        var times: [Duration] = []
        let start = link.now
        link.filter = { [link] packet, target in
            if target == 1, types(of: packet).contains(.data) { times.append(link.now - start) }
            return true
        }
        _ = link.first.fetch()
        link.run(for: .seconds(60))
        #expect(times.prefix(4) == [.milliseconds(500), .milliseconds(1500), .milliseconds(3500), .milliseconds(6500)])
        #expect(times.count == 10, "Association.Max.Retrans is 10")
        #expect(link.first.fetchEvents() == [.closed(.unreachable)])
        #expect(link.first.wakeTime == nil)
        link.filter = nil
    }

    @Test func acknowledgementTakenBackPutsChunksInFlightAgain() {
        let link = Link.established()
        let sender = link.first
        let tag = sender.association.local.initiateTag
        let before = sender.association.local.initialTSN.previous.value
        for number in 0..<4 as Range<UInt8> { sender.send(Message(bytes: [number]), at: link.now) }
        _ = sender.fetch()
        let flight = sender.association.sending.flight
        sender.receive(packet(tag: tag, [sack(before, [2...4])]), at: link.now)
        #expect(sender.association.sending.flight == flight / 4)
        sender.receive(packet(tag: tag, [sack(before, [3...3])]), at: link.now)
        #expect(sender.association.sending.flight == flight / 4 * 3)
        sender.wake(at: sender.association.timers.retransmission)
        #expect(offsets(sender.fetch(), from: TSN(before).next) == [0, 1, 3])
    }

    /// RFC 9260 section 6.1, rule A: one chunk probes a closed window, as long as the peer answers.
    @Test func closedWindowIsProbed() {
        let link = Link.established()
        let sender = link.first
        let tag = sender.association.local.initiateTag
        let first = sender.association.local.initialTSN
        for number in 0..<3 as Range<UInt8> { sender.send(Message(bytes: pattern(900, Int(number))), at: link.now) }
        _ = sender.fetch()
        sender.receive(packet(tag: tag, [sack(first.value &+ 2, window: 0)]), at: link.now)
        for number in 3..<6 as Range<UInt8> { sender.send(Message(bytes: pattern(900, Int(number))), at: link.now) }
        #expect(offsets(sender.fetch(), from: first) == [3])
        var now = link.now
        for _ in 0..<40 {
            now = sender.association.timers.retransmission
            sender.wake(at: now)
            #expect(offsets(sender.fetch(), from: first) == [3])
            sender.receive(packet(tag: tag, [sack(first.value &+ 2, window: 0)]), at: now)
        }
        #expect(sender.isEstablished, "a peer without room that answers isn't dead")
        sender.receive(packet(tag: tag, [sack(first.value &+ 3, window: 100_000)]), at: now)
        #expect(offsets(sender.fetch(), from: first) == [4, 5])
    }

    @Test func windowOfThePeerIsKept() {
        let link = Link.established { $0.limits.reassemblyBytes = 20_000 }
        var flight = 0
        link.filter = { [link] packet, target in
            if target == 1 { flight = max(flight, link.first.association.sending.flight) }
            // The first chunk is lost for a while, so that all others are held.
            return
                !(target == 1 && link.now.nanoseconds < 1_000_900_000_000
                && chunks(of: packet).contains {
                    $0.type == 0 && $0.uint32(at: 0) == link.first.association.local.initialTSN.value
                })
        }
        let messages = (0..<200).map { Message(bytes: pattern(1000, $0)) }
        for message in messages { link.first.send(message, at: link.now) }
        link.run(for: .seconds(60))
        #expect(link.second.fetchMessages() == messages)
        #expect(flight <= 20_000 && flight > 10_000)
        #expect(link.second.counters.overLimit == 0)
        link.filter = nil
    }

    @Test func whatCannotBeSentIsRefused() {
        let fresh = Endpoint(seed: 1)
        fresh.send(Message(bytes: [1]), at: .zero)
        #expect(fresh.fetchEvents() == [.refused(.notConnected)])
        let link = Link.established {
            $0.limits.sendBufferBytes = 300_000
            $0.limits.streams = 2
        }
        link.conditions.loss = 1
        let sender = link.first
        sender.send(Message(bytes: []), at: link.now)
        sender.send(Message(bytes: pattern(262_145)), at: link.now)
        sender.send(Message(stream: 65_535, bytes: [1]), at: link.now)
        #expect(sender.fetchEvents() == [.refused(.empty), .refused(.tooLong), .refused(.noSuchStream)])
        sender.send(Message(bytes: pattern(262_144)), at: link.now)
        sender.send(Message(bytes: pattern(37_856)), at: link.now)
        #expect(sender.fetchEvents() == [])
        #expect(sender.association.bufferedBytes == 300_000)
        sender.send(Message(bytes: [1]), at: link.now)
        #expect(sender.fetchEvents() == [.refused(.bufferFull)])
        let other = link.second
        for stream in 1...3 as ClosedRange<UInt16> { other.send(Message(stream: stream, bytes: [1]), at: link.now) }
        #expect(other.fetchEvents() == [.refused(.noSuchStream)], "SCTPLimits.streams")
    }

    @Test func memoryIsGivenBackAfterABurst() {
        let link = Link.established()
        for _ in 0..<3 { link.first.send(Message(bytes: pattern(262_144)), at: link.now) }
        #expect(link.first.association.footprint > 700_000)
        link.run(for: .seconds(60))
        #expect(link.second.fetchMessages().count == 3)
        #expect(link.first.association.footprint < 64)
        #expect(link.second.association.footprint < 64)
        #expect(MemoryLayout<SCTPAssociation>.size < 1500)
    }

    @Test func quietPeerIsAskedAndMissed() {
        let link = Link.established()
        var beats: [ChunkType?: Int] = [:]
        link.filter = { packet, _ in
            for type in types(of: packet) { beats[type, default: 0] += 1 }
            return true
        }
        link.run(for: .seconds(100))
        #expect(beats[.heartbeat, default: 0] >= 3)
        #expect(beats[.heartbeat] == beats[.heartbeatAcknowledgement])
        #expect(link.first.isEstablished && link.first.association.errors == 0)
        link.conditions.loss = 1
        link.run(for: .seconds(100))
        #expect(link.first.fetchEvents() == [.closed(.unreachable)])
    }

    @Test func signOfLifeIsAskedForAtWill() {
        let link = Link.established()
        link.first.ask(at: link.now)
        #expect(link.first.fetch().map(types(of:)) == [[.heartbeat]])
        link.first.ask(at: link.now)
        link.run(for: .milliseconds(50))
        #expect(link.second.fetch().isEmpty && link.first.association.errors == 0)
        let closed = Endpoint(seed: 1)
        closed.ask(at: link.now)
        #expect(closed.fetch().isEmpty)
    }

    /// One packet in twenty lost, as on bad Wi-Fi: a quarter of a megabyte still takes no more than a few seconds.
    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func lossSlowsDownAndDoesNotStop(_ seed: UInt64) {
        let link = Link(seed: seed, Link.Conditions(loss: 0.05, duplication: 0, delay: 2...6))
        link.first.connect(at: link.now)
        link.run(for: .seconds(5))
        let message = Message(bytes: pattern(262_144))
        link.first.send(message, at: link.now)
        link.run(for: .seconds(8))
        #expect(link.second.fetchMessages() == [message], "seed \(seed): \(link.first.counters)")
    }

    @Test func heartbeatIsAnsweredWordForWord() {
        let link = Link.established()
        let tag = link.first.association.local.initiateTag
        let beat = CopiedChunk(type: 4, flags: 0, value: [0, 1, 0, 9, 1, 2, 3, 4, 5])
        link.first.receive(packet(tag: tag, [CopiedChunk](repeating: beat, count: 20)), at: link.now)
        let answers = link.first.fetch().flatMap { chunks(of: $0) }
        #expect(answers == [CopiedChunk](repeating: CopiedChunk(type: 5, flags: 0, value: beat.value), count: 4))
    }
}
