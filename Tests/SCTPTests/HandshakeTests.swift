import SansIO
import Testing

@testable import SCTP

@Suite struct HandshakeTests {
    private let start = Timestamp.zero + .seconds(5)

    @Test func fourPacketsSetItUp() {
        let link = Link()
        var seen: [[ChunkType?]] = []
        link.filter = { packet, _ in
            seen.append(types(of: packet))
            return true
        }
        link.first.connect(at: link.now)
        link.run(for: .milliseconds(50))
        #expect(
            seen == [[.initiation], [.initiationAcknowledgement], [.cookieEcho], [.cookieAcknowledgement]])
        #expect(link.first.fetchEvents() == [.established])
        #expect(link.second.fetchEvents() == [.established])
        #expect(link.first.association.peer == link.second.association.local)
        #expect(link.second.association.peer == link.first.association.local)
    }

    @Test func callOffersWhatDataChannelsNeed() {
        let endpoint = Endpoint(seed: 1)
        endpoint.connect(at: start)
        let packet = endpoint.fetch()[0]
        #expect(tag(of: packet) == 0)
        #expect(Array(packet[0..<4]) == [0x13, 0x88, 0x13, 0x88], "ports 5000")
        let call = chunks(of: packet)[0]
        #expect(call.uint32(at: 0) != 0)
        #expect(call.uint32(at: 4) == 524_288)
        #expect(call.uint16(at: 8) == 65_535 && call.uint16(at: 10) == 65_535)
    }

    /// Nothing is kept of a call until its cookie comes back: any number of calls leaves the association as it was.
    @Test func callsLeaveNoState() {
        let endpoint = Endpoint(seed: 1)
        for seed in 10..<200 as Range<UInt64> {
            let caller = Endpoint(seed: seed)
            caller.connect(at: start)
            endpoint.receive(caller.fetch()[0], at: start)
            #expect(types(of: endpoint.fetch()[0]) == [.initiationAcknowledgement])
        }
        #expect(endpoint.isClosed && endpoint.association.footprint == 0 && endpoint.wakeTime == nil)
        #expect(endpoint.association.local == .none && endpoint.association.peer == .none)
    }

    @Test func lostPacketsOfTheHandshakeAreSentAgain() {
        for lost in 0..<4 {
            let link = Link()
            var count = 0
            link.filter = { _, _ in
                count += 1
                return count - 1 != lost
            }
            link.first.connect(at: link.now)
            link.run(for: .seconds(3))
            #expect(link.first.fetchEvents() == [.established], "packet \(lost) lost")
            #expect(link.second.fetchEvents() == [.established], "packet \(lost) lost")
        }
    }

    @Test func silenceEndsACall() {
        let link = Link()
        var calls = 0
        link.filter = { packet, _ in
            calls += types(of: packet) == [.initiation] ? 1 : 0
            return false
        }
        link.first.connect(at: link.now)
        link.run(for: .seconds(60))
        #expect(link.first.fetchEvents() == [.closed(.unreachable)])
        #expect(calls == 9, "Max.Init.Retransmits is 8")
    }

    /// RFC 9260 section 5.2.1: both sides send INIT at once, and one association comes of it.
    @Test(arguments: [0, 1, 2, 3, 4, 5, 6, 7] as [UInt64])
    func callsThatMeetBecomeOne(_ seed: UInt64) {
        let link = Link(seed: seed, Link.Conditions(loss: 0, duplication: 0.3, delay: 1...30))
        link.first.connect(at: link.now)
        link.second.connect(at: link.now)
        link.run(for: .seconds(4))
        #expect(link.first.fetchEvents() == [.established])
        #expect(link.second.fetchEvents() == [.established])
        #expect(link.first.association.peer.initiateTag == link.second.association.local.initiateTag)
        #expect(link.second.association.peer.initiateTag == link.first.association.local.initiateTag)
        link.first.send(Message(bytes: [1, 2]), at: link.now)
        link.second.send(Message(bytes: [3]), at: link.now)
        link.run(for: .seconds(1))
        #expect(link.second.fetchMessages() == [Message(bytes: [1, 2])])
        #expect(link.first.fetchMessages() == [Message(bytes: [3])])
    }

    /// RFC 9260 section 5.2.4, action A: the peer lost its state and calls anew, with new tags.
    @Test func peerThatBeginsAnewRestartsTheAssociation() {
        let link = Link.established()
        link.second.send(Message(bytes: [1]), at: link.now)
        link.run(for: .seconds(1))
        let again = Endpoint(seed: 99)
        again.connect(at: link.now)
        link.second.receive(again.fetch()[0], at: link.now)
        #expect(link.second.isEstablished, "an INIT alone changes nothing")
        again.receive(link.second.fetch()[0], at: link.now)
        link.second.receive(again.fetch()[0], at: link.now)
        #expect(link.second.fetchEvents() == [.restarted])
        again.receive(link.second.fetch()[0], at: link.now)
        #expect(again.fetchEvents() == [.established])
        again.send(Message(bytes: [7]), at: link.now)
        link.second.receive(again.fetch()[0], at: link.now)
        #expect(link.second.fetchMessages() == [Message(bytes: [7])])
        link.second.send(Message(bytes: [8]), at: link.now)
        again.receive(link.second.fetch().last ?? [], at: link.now)
        #expect(again.fetchMessages() == [Message(bytes: [8])])
    }

    @Test func cookieThatComesAgainIsAcknowledgedAgain() {
        let link = Link()
        var echo: [UInt8] = []
        link.filter = { packet, _ in
            if types(of: packet) == [.cookieEcho] { echo = packet }
            return true
        }
        link.first.connect(at: link.now)
        link.run(for: .milliseconds(50))
        link.second.receive(echo, at: link.now)
        #expect(link.second.fetch().map(types(of:)) == [[.cookieAcknowledgement]])
        #expect(link.second.fetchEvents() == [.established])
        // Also when it is long out of date: the tags are those of the association (section 5.2.4).
        link.run(for: .seconds(300))
        _ = link.second.fetch()
        link.second.receive(echo, at: link.now)
        #expect(link.second.fetch().map(types(of:)) == [[.cookieAcknowledgement]])
        #expect(link.second.isEstablished)
    }

    /// A packet with a cookie for a new endpoint, and the endpoint.
    private func echoed() -> (endpoint: Endpoint, echo: CopiedChunk, tag: UInt32) {
        let caller = Endpoint(seed: 2)
        let endpoint = Endpoint(seed: 3)
        caller.connect(at: start)
        endpoint.receive(caller.fetch()[0], at: start)
        caller.receive(endpoint.fetch()[0], at: start)
        let bytes = caller.fetch()[0]
        return (endpoint, chunks(of: bytes)[0], tag(of: bytes))
    }

    @Test func forgedCookiesAreDropped() {
        let (endpoint, echo, tag) = echoed()
        for index in echo.value.indices {
            var forged = echo
            forged.value[index] ^= 0x10
            endpoint.receive(packet(tag: tag, [forged]), at: start)
        }
        endpoint.receive(packet(tag: tag &+ 1, [echo]), at: start)
        #expect(endpoint.fetch().isEmpty && endpoint.isClosed)
        #expect(endpoint.counters.refusedCookies == UInt32(echo.value.count + 1))
        endpoint.receive(packet(tag: tag, [echo]), at: start)
        #expect(endpoint.isEstablished)
    }

    @Test func expiredCookieIsAnsweredByItsAge() {
        let (endpoint, echo, tag) = echoed()
        endpoint.receive(packet(tag: tag, [echo]), at: start + .seconds(60) + .milliseconds(3))
        #expect(endpoint.isClosed)
        let answer = chunks(of: endpoint.fetch()[0])[0]
        #expect(answer == CopiedChunk(type: 9, flags: 0, value: [0, 3, 0, 8, 0, 0, 0x0B, 0xB8]))
    }

    @Test func callerWhoseCookieExpiredAsksForAnother() {
        let link = Link()
        link.first.connect(at: link.now)
        var isDelayed = true
        var held: [UInt8] = []
        link.filter = { packet, _ in
            guard isDelayed, types(of: packet) == [.cookieEcho] else { return true }
            held = packet
            return false
        }
        link.run(for: .milliseconds(100))
        link.second.receive(held, at: link.now + .seconds(61))
        isDelayed = false
        link.run(for: .seconds(1))
        #expect(link.first.fetchEvents() == [.established])
        #expect(link.second.fetchEvents() == [.established])
    }

    @Test func wrongTagsAreDropped() {
        let link = Link.established()
        let ours = link.second.association.local.initiateTag
        let theirs = link.second.association.peer.initiateTag
        let tsn = link.first.association.local.initialTSN.value
        for tag in [0, 1, theirs, ours ^ 1] {
            link.second.receive(packet(tag: tag, [data(tsn: tsn, [1])]), at: link.now)
            link.second.receive(packet(tag: tag, [CopiedChunk(type: 6, flags: 0, value: [])]), at: link.now)
        }
        // With the T bit, an ABORT bears the tag of its receiver's packets (RFC 9260 section 8.5.1, rule B).
        link.second.receive(packet(tag: ours, [CopiedChunk(type: 6, flags: 1, value: [])]), at: link.now)
        #expect(link.second.isEstablished && link.second.fetchMessages().isEmpty)
        #expect(link.second.fetch().isEmpty)
        #expect(link.second.counters.wrongTag == 9)
        link.second.receive(packet(tag: theirs, [CopiedChunk(type: 6, flags: 1, value: [])]), at: link.now)
        #expect(link.second.fetchEvents() == [.closed(.abortedByPeer(cause: 0))])
    }

    @Test func packetsOfNoAssociationAreAnsweredAsTheRFCSays() {
        let endpoint = Endpoint(seed: 1)
        let answers: [(UInt8, [ChunkType?])] = [
            (0, [.abort]), (3, [.abort]), (7, [.abort]), (8, [.shutdownComplete]), (6, []), (14, []), (11, []), (9, []),
            (2, []),
        ]
        for (type, answer) in answers {
            endpoint.receive(
                packet(tag: 77, [CopiedChunk(type: type, flags: 0, value: pattern(16))]), at: start)
            let sent = endpoint.fetch()
            #expect(sent.flatMap { types(of: $0) } == answer, "type \(type)")
            for packet in sent { #expect(tag(of: packet) == 77 && chunks(of: packet)[0].flags == 1) }
        }
    }

    @Test func damagedPacketsAreDropped() {
        let link = Link.established { $0.omitsChecksums = false }
        let tag = link.second.association.local.initiateTag
        let good = packet(tag: tag, [data(tsn: link.first.association.local.initialTSN.value, [1, 2, 3])])
        for bit in 0..<(8 * good.count) {
            var bad = good
            bad[bit / 8] ^= 1 << UInt8(bit % 8)
            link.second.receive(bad, at: link.now)
        }
        #expect(link.second.fetchMessages().isEmpty)
        link.second.receive(good, at: link.now)
        #expect(link.second.fetchMessages() == [Message(bytes: [1, 2, 3])])
    }

    /// RFC 9653: no checksum once both have offered it, and always one while an association begins.
    @Test func checksumsAreLeftOutOnlyByAgreement() {
        for (first, second) in [(true, true), (true, false), (false, true)] {
            let a = Endpoint(seed: 1) { $0.omitsChecksums = first }
            let b = Endpoint(seed: 2) { $0.omitsChecksums = second }
            a.connect(at: start)
            for _ in 0..<2 {
                for packet in a.fetch() {
                    #expect(packet[8..<12] != [0, 0, 0, 0])
                    b.receive(packet, at: start)
                }
                for packet in b.fetch() { a.receive(packet, at: start) }
            }
            a.send(Message(bytes: [1]), at: start)
            let packet = a.fetch()[0]
            #expect((packet[8..<12] == [0, 0, 0, 0]) == (first && second))
            b.receive(packet, at: start)
            #expect(b.fetchMessages() == [Message(bytes: [1])])
        }
    }

    @Test func unknownChunksAreTreatedByTheirHighestBits() {
        for (type, stops, reports) in [
            (0x3F, true, false), (0x7F, true, true), (0xBF, false, false), (0xFF, false, true),
        ]
            as [(UInt8, Bool, Bool)]
        {
            let link = Link.established()
            let tag = link.second.association.local.initiateTag
            let tsn = link.first.association.local.initialTSN.value
            let unknown = CopiedChunk(type: type, flags: 3, value: [1, 2, 3])
            link.second.receive(packet(tag: tag, [unknown, data(tsn: tsn, [5])]), at: link.now)
            #expect(link.second.fetchMessages().isEmpty == stops)
            let errors = link.second.fetch().flatMap { chunks(of: $0) }.filter { $0.type == 9 }
            #expect(errors.isEmpty == !reports)
            if let error = errors.first { #expect(error.value == [0, 6, 0, 11, type, 3, 0, 7, 1, 2, 3, 0]) }
        }
    }

    @Test func handshakeWithoutStreamsIsRefused() {
        let endpoint = Endpoint(seed: 1)
        var value: [UInt8] = []
        for word in [5, 1000, 0, 1] as [UInt32] { value.write(word) }
        endpoint.receive(packet(tag: 0, [CopiedChunk(type: 1, flags: 0, value: value)]), at: start)
        let answer = endpoint.fetch()
        #expect(answer.map(types(of:)) == [[.abort]] && tag(of: answer[0]) == 5)
        let caller = Endpoint(seed: 2)
        caller.connect(at: start)
        _ = caller.fetch()
        let ours = caller.association.local.initiateTag
        caller.receive(packet(tag: ours, [CopiedChunk(type: 2, flags: 0, value: value)]), at: start)
        #expect(caller.fetchEvents() == [.closed(.protocolViolation(.invalidHandshake))])
        #expect(caller.wakeTime == nil)
    }
}
