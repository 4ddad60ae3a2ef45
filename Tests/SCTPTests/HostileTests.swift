import SansIO
import TestSupport
import Testing

@testable import SCTP

/// A peer that doesn't keep to the protocol: nothing it sends traps, grows without end, or goes unanswered for ever.
@Suite struct HostileTests {
    private func receive(_ link: Link, _ chunks: [CopiedChunk]) {
        let tag = link.second.association.local.initiateTag
        link.second.receive(packet(tag: tag, chunks), at: link.now)
    }

    @Test func acknowledgingTheUnsentEndsTheAssociation() {
        for blocks in [[], [1...1], [2...2], [65_535...65_535]] as [[ClosedRange<UInt16>]] {
            let link = Link.established()
            let before = link.second.association.sending.cumulative
            receive(link, [sack(before.value &+ (blocks.isEmpty ? 1 : 0), blocks)])
            #expect(link.second.fetchEvents() == [.closed(.protocolViolation(.acknowledgedUnsent))])
            #expect(link.second.fetch().map(types(of:)) == [[.abort]])
        }
        let link = Link.established()
        receive(link, [sack(link.second.association.sending.cumulative.value &- 1, window: 0)])
        #expect(link.second.isEstablished && link.second.association.peerWindow > 0, "an old one is left aside")
    }

    @Test func oddBlocksAreLeftAside() {
        let link = Link.established()
        for number in 0..<8 as Range<UInt8> { link.second.send(Message(bytes: [number]), at: link.now) }
        let cumulative = link.second.association.sending.cumulative.value
        var odd = sack(cumulative, [4...5, 2...2, 5...6, 8...8])
        // The second block ends before it begins.
        odd.value.replaceSubrange(16..<20, with: [0, 3, 0, 2])
        receive(link, [odd])
        #expect(link.second.isEstablished)
        #expect(link.second.association.sending.acknowledgedCount == 3)
        var zero = sack(cumulative, [1...8])
        zero.value.replaceSubrange(12..<16, with: [0, 0, 0, 8])
        receive(link, [zero])
        #expect(link.second.isEstablished && link.second.association.sending.acknowledgedCount == 0)
    }

    /// A peer may take back what it acknowledged as often as it likes; misses, counted in an octet, stop where they matter no more.
    @Test func takingBackWithoutEnd() {
        let link = Link.established()
        // A wide window first.
        for _ in 0..<8 {
            for number in 0..<40 { link.second.send(Message(bytes: pattern(20_000, number)), at: link.now) }
            link.run(for: .seconds(1))
        }
        link.filter = { _, target in target == 0 }
        for number in 0..<40 { link.second.send(Message(bytes: pattern(20_000, number)), at: link.now) }
        // All of it is lost when the timer ends, and only the first packets of it are sent again.
        link.run(for: .seconds(1))
        let sending = link.second.association.sending
        #expect(sending.lostCount > 100)
        let last = UInt16(sending.chunks.count)
        for _ in 0..<400 {
            receive(link, [sack(sending.cumulative.value, [last - 1...last - 1])])
            receive(link, [sack(sending.cumulative.value, [last...last])])
        }
        #expect(link.second.isEstablished)
        let after = link.second.association.sending.chunks
        #expect((0..<after.count).allSatisfy { after[$0].misses <= 4 })
    }

    /// A list without a limit that is searched for each of its entries would hold up everybody else.
    @Test func resetsThatNobodyAnswersHaveALimit() {
        let link = Link.established()
        link.filter = { _, _ in false }
        for stream in 0..<65_535 as Range<UInt16> { link.second.reset([stream], at: link.now) }
        #expect(link.second.association.resets.asked.count == Resets.limit)
        #expect(link.second.isEstablished)
    }

    /// All that waited was looked through for each stream to be reset, with each packet: a peer that let the queue fill made each
    /// of its packets cost as much as five.
    @Test func whatWaitsInFrontDoesNotMakeResetsDear() {
        func time(behind count: Int) -> Duration {
            let link = Link.established()
            link.filter = { _, _ in false }
            for _ in 0..<count { link.second.send(Message(stream: 0, bytes: [1]), at: link.now) }
            // Streams whose one message waits at the very end.
            let streams = Array(1...300 as ClosedRange<UInt16>)
            for stream in streams { link.second.send(Message(stream: stream, bytes: [1]), at: link.now) }
            link.second.reset(streams, at: link.now)
            #expect(link.second.association.resets.asked.count == 300)
            return (0..<10).map { _ in ContinuousClock().measure { link.second.wake(at: link.now) } }.min() ?? .zero
        }
        #expect(time(behind: 7_000) < time(behind: 600) * 4)
    }

    @Test func emptyDataEndsTheAssociation() {
        let link = Link.established()
        receive(link, [data(tsn: link.first.association.local.initialTSN.value, [])])
        #expect(link.second.fetchEvents() == [.closed(.protocolViolation(.noUserData))])
        let abort = link.second.fetch().flatMap { chunks(of: $0) }
        #expect(abort.first?.type == 6 && abort.first?.uint16(at: 0) == 9)
    }

    @Test func messageBeyondTheLimitEndsTheAssociation() {
        let link = Link.established()
        var tsn = link.first.association.local.initialTSN.value
        var flags: DataChunk.Flags = .beginning
        for _ in 0..<300 {
            receive(link, [data(tsn: tsn, flags: flags, pattern(1100))])
            tsn &+= 1
            flags = []
        }
        #expect(link.second.fetchEvents() == [.closed(.protocolViolation(.messageTooLong))])
        #expect(link.second.association.footprint == 0)
    }

    /// Fragments that are never finished fill the window, and then the peer is told to stop.
    @Test func unfinishedMessagesHaveALimit() {
        let link = Link.established()
        var tsn = link.first.association.local.initialTSN.value
        var count = 0
        while link.second.isEstablished, count < 10_000 {
            receive(link, [data(tsn: tsn, flags: [.beginning, .unordered], pattern(1000))])
            #expect(link.second.association.receiving.heldBytes <= 524_288 + 262_144)
            tsn &+= 1
            count += 1
        }
        #expect(link.second.fetchEvents() == [.closed(.protocolViolation(.reassemblyLimit))])
    }

    @Test func runsAndGapsHaveALimit() {
        let link = Link.established()
        let first = link.first.association.local.initialTSN.value
        for offset in stride(from: 2, to: 6_000, by: 2) as StrideTo<UInt32> {
            receive(link, [data(tsn: first &+ offset, flags: [.beginning], [1])])
        }
        let receiving = link.second.association.receiving
        #expect(receiving.blocks.count == 1024 && receiving.runs.count == 1024)
        #expect(link.second.association.footprint < 400_000)
        #expect(link.second.isEstablished && link.second.counters.overLimit == 2999 - 1024)
        // The acknowledgement fits a packet all the same.
        #expect(link.second.fetch().allSatisfy { $0.count <= 1172 })
        // Far beyond what an acknowledgement can name.
        receive(link, [data(tsn: first &+ 70_000, [1]), data(tsn: first &+ 0x7FFF_0000, [1])])
        #expect(link.second.association.receiving.blocks.count == 1024)
        // The next in line is taken in any case.
        receive(link, [data(tsn: first, [7])])
        #expect(link.second.fetchMessages().map(\.bytes) == [[7]])
    }

    @Test func streamsHaveALimit() {
        let link = Link.established()
        let first = link.first.association.local.initialTSN.value
        for stream in 0...1024 as ClosedRange<UInt16> {
            receive(link, [data(tsn: first &+ UInt32(stream), stream: stream, [1])])
        }
        #expect(link.second.fetchMessages().count == 1024)
        #expect(link.second.fetchEvents() == [.closed(.protocolViolation(.streamLimit))])
        let other = Link.established()
        receive(other, [data(tsn: other.first.association.local.initialTSN.value, stream: 65_535, [1])])
        #expect(other.second.isEstablished && other.second.fetchMessages().isEmpty)
        let answer = other.second.fetch().flatMap { chunks(of: $0) }
        #expect(answer.contains { $0.type == 9 && $0.value == [0, 1, 0, 8, 0xFF, 0xFF, 0, 0] })
    }

    @Test func forwardFarAheadMovesOn() {
        let link = Link.established()
        let first = link.first.association.local.initialTSN.value
        receive(link, [data(tsn: first &+ 5, flags: .beginning, [1])])
        receive(link, [forward(first &+ 0x7000_0000, (0..<200).map { ($0, 7) })])
        #expect(link.second.association.receiving.cumulative == TSN(first &+ 0x7000_0000))
        #expect(link.second.association.receiving.blocks.isEmpty && link.second.association.receiving.runs.isEmpty)
        receive(link, [data(tsn: first &+ 0x7000_0001, ssn: 8, [3])])
        #expect(link.second.fetchMessages().map(\.bytes) == [[3]])
        for base in 0..<40 as Range<UInt32> {
            receive(
                link,
                [forward(first &+ 0x7000_0002 &+ base, (0..<250).map { (UInt16(base) * 250 + $0, 1) })])
        }
        #expect(link.second.association.receiving.streams.count <= 1024)
    }

    /// Many small chunks in one packet, each of which would have everything looked through, are not worth much time.
    @Test func packetFullOfAcknowledgementsCountsOnce() {
        let link = Link.established()
        for number in 0..<8 as Range<UInt8> { link.second.send(Message(bytes: [number]), at: link.now) }
        let cumulative = link.second.association.sending.cumulative.value
        receive(link, (1...8 as ClosedRange<UInt32>).map { sack(cumulative &+ $0) })
        #expect(link.second.association.sending.chunks.count == 7)
        let first = link.first.association.local.initialTSN.value
        receive(link, (0..<9 as Range<UInt32>).map { forward(first &+ $0) })
        #expect(link.second.association.receiving.cumulative == TSN(first))
    }

    @Test func fragmentsThatContradictEachOtherAreNotJoined() {
        let link = Link.established()
        let first = link.first.association.local.initialTSN.value
        receive(link, [data(tsn: first, stream: 1, flags: .beginning, [1])])
        receive(link, [data(tsn: first &+ 1, stream: 2, flags: .end, [2])])
        receive(link, [data(tsn: first &+ 2, stream: 1, ssn: 5, flags: .end, [3])])
        receive(link, [data(tsn: first &+ 3, stream: 1, flags: [.end, .unordered], [4])])
        #expect(link.second.fetchMessages().isEmpty)
        receive(link, [data(tsn: first &+ 4, stream: 9, [9])])
        #expect(link.second.fetchMessages().map(\.bytes) == [[9]])
    }

    /// Random packets, most of them nearly right, to an association that is in the middle of everything.
    @Test(arguments: 1...30 as ClosedRange<UInt64>)
    func noiseIsSurvived(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let link = Link.established(seed: seed)
        for number in 0..<20 { link.second.send(Message(bytes: pattern(700, number)), .retransmits(1), at: link.now) }
        link.second.reset([1], at: link.now)
        var now = link.now
        for _ in 0..<1500 {
            let association = link.second.association.local
            var made: [CopiedChunk] = []
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let types: [UInt8] = [0, 0, 0, 1, 2, 3, 3, 4, 5, 7, 8, 9, 10, 11, 14, 130, 130, 192, 192, 63, 255]
                var value = (0..<(4 * Int.random(in: 0...12, using: &generator))).map { _ in
                    UInt8.random(in: 0...3, using: &generator)
                }
                // A TSN near the ones expected, so that it isn't refused at once.
                if value.count >= 4 {
                    let base =
                        Bool.random(using: &generator)
                        ? link.second.association.receiving.cumulative : link.second.association.sending.cumulative
                    var tsn: [UInt8] = []
                    tsn.write(base.advanced(by: Int.random(in: -2...30, using: &generator)).value)
                    value.replaceSubrange(0..<4, with: tsn)
                }
                made.append(
                    CopiedChunk(
                        type: types.randomElement(using: &generator) ?? 0,
                        flags: .random(in: 0...15, using: &generator),
                        value: value))
            }
            let tag = made[0].type == 1 ? 0 : association.initiateTag
            now = now + .milliseconds(Int64.random(in: 0...80, using: &generator))
            link.second.receive(packet(tag: tag, made), at: now)
            if let time = link.second.wakeTime, time <= now { link.second.wake(at: now) }
            if link.second.isClosed {
                #expect(link.second.wakeTime == nil)
                return
            }
            #expect(link.second.wakeTime.map { $0 > now } ?? true)
            let sending = link.second.association.sending
            #expect(sending.flight >= 0 && sending.lostCount >= 0 && sending.acknowledgedCount >= 0)
            #expect(link.second.association.receiving.heldBytes >= 0)
        }
    }
}
