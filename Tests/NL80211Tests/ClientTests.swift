import Netlink
import SansIO
import Testing
import TestSupport
import Wire

@testable import NL80211

/// A conversation in which the test is the kernel.
private struct Conversation {
    var client: NetlinkClient
    var output = NetlinkOutput()
    var deadline: Timestamp?
    var now = Timestamp.zero

    init(_ family: NetlinkClient.Family = .nl80211(number: Captured.family)) { client = NetlinkClient(family: family) }

    mutating func feed(_ input: borrowing NetlinkInput) {
        output.removeAll()
        deadline = client.handle(input, at: now, into: &output)
    }

    mutating func ask(_ id: UInt64, _ request: NL80211Request) {
        feed(.request(NetlinkRequestID(rawValue: id), .nl80211(request)))
    }

    /// Gives captured messages with another sequence number.
    mutating func tell(_ datagram: [UInt8], sequence: UInt32? = nil) {
        var bytes = datagram
        var start = 0
        while let sequence, start + 16 <= bytes.count {
            withUnsafeBytes(of: sequence) { bytes.replaceSubrange((start + 8)..<(start + 12), with: $0) }
            let length = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: start, as: UInt32.self) }
            start += max(16, Int(length) + 3 & ~3)
        }
        feed(.datagram(bytes.span.bytes))
    }

    mutating func acknowledge(_ sequence: UInt32, code: Int32 = 0) {
        var writer = NetlinkWriter()
        writer.beginMessage(type: NetlinkHeader.error, flags: .capped, sequence: sequence)
        writer.write(UInt32(bitPattern: code))
        for _ in 0..<4 { writer.write(UInt32(0)) }
        writer.endMessage()
        feed(.datagram(writer.bytes.span.bytes))
    }

    mutating func done(_ sequence: UInt32, flags: NetlinkFlags = .multi) {
        var writer = NetlinkWriter()
        writer.beginMessage(type: NetlinkHeader.done, flags: flags, sequence: sequence)
        writer.write(UInt32(0))
        writer.endMessage()
        feed(.datagram(writer.bytes.span.bytes))
    }

    var replies: [UInt64: Result<NetlinkReply, NetlinkFailure>] {
        var replies: [UInt64: Result<NetlinkReply, NetlinkFailure>] = [:]
        for case .reply(let id, let result) in output.events { replies[id.rawValue] = result }
        return replies
    }

    var events: [NL80211Event] {
        output.events.compactMap { if case .nl80211(let event) = $0 { event } else { nil } }
    }
}

struct ClientTests {
    @Test func `a request goes out with a number, and its answer comes back by it`() {
        var conversation = Conversation()
        conversation.ask(70, .stopAccessPoint(interface: 4))
        let first = conversation.output.messages
        conversation.ask(71, .stopAccessPoint(interface: 5))
        let second = conversation.output.messages
        #expect(first.map(\.sequence) == [1] && second.map(\.sequence) == [2])
        conversation.acknowledge(2)
        #expect(conversation.replies == [71: .success(.done(cookie: nil))])
        conversation.acknowledge(1, code: -2)
        #expect(conversation.replies == [70: .failure(.refused(NetlinkError(.notFound)))])
        #expect(conversation.client.pendingCount == 0 && conversation.deadline == nil)
    }

    @Test func `the kernel's words come with its refusal`() throws {
        var conversation = Conversation()
        conversation.ask(1, .setInterface(index: 4, type: InterfaceType(rawValue: 77)))
        conversation.tell(Captured.refused, sequence: 1)
        let failure = NetlinkFailure.refused(
            NetlinkError(.outOfRange, message: "integer out of range", offset: 28))
        #expect(conversation.replies == [1: .failure(failure)])
        #expect(failure.number == .outOfRange)
        #expect(failure.description == "out of range (error 34): integer out of range, at octet 28 of the request")
    }

    @Test func `one list is told at a time`() {
        // Two at once on one socket: the kernel answers the second with EBUSY.
        var conversation = Conversation()
        conversation.ask(1, .getInterfaces)
        #expect(conversation.output.messages.count == 1)
        conversation.ask(2, .getScan(interface: 4))
        conversation.ask(3, .getWiphys)
        #expect(conversation.output.messages.isEmpty)
        // What is no list does not wait.
        conversation.ask(4, .abortScan(interface: 4))
        #expect(conversation.output.messages.map(\.sequence) == [2])
        conversation.tell(Captured.interfaces, sequence: 1)
        #expect(conversation.replies.keys.sorted() == [1])
        #expect(conversation.output.messages.map(\.sequence) == [3])
        conversation.tell(Captured.scan, sequence: 3)
        #expect(conversation.replies.keys.sorted() == [2])
        #expect(conversation.output.messages.map(\.sequence) == [4])
        conversation.tell(Captured.wiphys, sequence: 4)
        #expect(conversation.replies.keys.sorted() == [3])
        #expect(conversation.output.messages.isEmpty && conversation.client.pendingCount == 1)
    }

    @Test func `a list that could not be asked for makes room for the next`() {
        var conversation = Conversation()
        conversation.ask(1, .getInterfaces)
        conversation.ask(2, .getWiphys)
        conversation.feed(.sendFailed(sequence: 1, .noBuffers))
        #expect(conversation.replies == [1: .failure(.notSent(.noBuffers))])
        #expect(conversation.output.messages.map(\.sequence) == [2])
    }

    @Test func `a list that changed while it was told is asked for again, four times at most`() {
        var conversation = Conversation()
        conversation.ask(1, .getInterfaces)
        for attempt in 1...NetlinkClient.maximumAttempts {
            #expect(conversation.output.messages.map(\.sequence) == [UInt32(attempt)])
            conversation.done(UInt32(attempt), flags: [.multi, .dumpInterrupted])
        }
        #expect(conversation.replies == [1: .failure(.inconsistent)])
        #expect(conversation.output.messages.isEmpty && conversation.client.pendingCount == 0)
        conversation.ask(2, .getInterfaces)
        conversation.done(5, flags: [.multi, .dumpInterrupted])
        #expect(conversation.replies.isEmpty)
        conversation.tell(Captured.interfaces, sequence: 6)
        guard case .success(.interfaces(let list)) = conversation.replies[2] else {
            Issue.record("no list")
            return
        }
        #expect(list.count == 2)
    }

    @Test func `lost messages fail what is under way, and are told`() {
        var conversation = Conversation()
        conversation.ask(1, .stopAccessPoint(interface: 4))
        conversation.ask(2, .getInterfaces)
        conversation.ask(3, .getWiphys)
        conversation.feed(.overrun)
        #expect(conversation.replies == [1: .failure(.answerLost), 2: .failure(.answerLost)])
        #expect(conversation.output.events.contains { if case .eventsLost = $0 { true } else { false } })
        // The list that waited was not asked for, so nothing of it was lost.
        #expect(conversation.output.messages.map(\.sequence) == [3])
        // An answer that comes all the same is nobody's.
        conversation.acknowledge(1)
        #expect(conversation.replies.isEmpty)
    }

    @Test func `what has no answer in time fails, and what waits behind it goes on`() {
        var conversation = Conversation()
        conversation.ask(1, .getInterfaces)
        conversation.now = Timestamp.zero + .seconds(5)
        conversation.ask(2, .getWiphys)
        #expect(conversation.deadline == Timestamp.zero + NetlinkClient.timeout)
        conversation.now = Timestamp.zero + .seconds(14)
        conversation.feed(.wake)
        #expect(conversation.replies.isEmpty)
        conversation.now = Timestamp.zero + NetlinkClient.timeout
        conversation.feed(.wake)
        #expect(conversation.replies == [1: .failure(.timedOut)])
        #expect(conversation.output.messages.map(\.sequence) == [2])
        #expect(conversation.deadline == Timestamp.zero + .seconds(20))
    }

    @Test func `there is a most of requests, those that wait included`() {
        var conversation = Conversation()
        for number in 1...UInt64(NetlinkClient.maximumRequests) {
            conversation.ask(number, number % 2 == 0 ? .getWiphys : .stopAccessPoint(interface: 4))
            #expect(conversation.replies.isEmpty)
        }
        conversation.ask(1000, .stopAccessPoint(interface: 4))
        #expect(conversation.replies == [1000: .failure(.tooManyRequests)])
        conversation.feed(.closed)
        #expect(conversation.replies.count == NetlinkClient.maximumRequests)
        #expect(conversation.client.pendingCount == 0 && conversation.deadline == nil)
    }

    @Test func `a request of the other family, or too long, is not sent`() {
        var conversation = Conversation(.route)
        conversation.ask(1, .getWiphys)
        #expect(conversation.replies == [1: .failure(.notSent(.notSupported))])
        var radio = Conversation()
        radio.ask(
            2, .sendFrame(FrameParameters(interface: 4, frame: [UInt8](repeating: 0, count: 20_000))))
        #expect(radio.replies == [2: .failure(.tooLong)])
        #expect(radio.output.messages.isEmpty && radio.client.pendingCount == 0)
    }

    @Test func `cookies come in an answer of its own, or with the acknowledgement`() {
        var conversation = Conversation()
        conversation.ask(1, .probeClient(interface: 4, address: Requests.station))
        var writer = NetlinkWriter()
        writer.beginMessage(type: Captured.family, flags: [], sequence: 1)
        writer.write(GenericHeader(command: 84, version: 1))
        writer.put(88, UInt64(77))
        writer.endMessage()
        conversation.feed(.datagram(writer.bytes.span.bytes))
        #expect(conversation.replies.isEmpty)
        conversation.acknowledge(1)
        #expect(conversation.replies == [1: .success(.done(cookie: 77))])

        conversation.ask(2, .stopAccessPoint(interface: 4))
        writer.removeAll()
        writer.beginMessage(
            type: NetlinkHeader.error, flags: [.capped, .acknowledgementHasAttributes], sequence: 2)
        for _ in 0..<5 { writer.write(UInt32(0)) }
        writer.put(3, UInt64(78))
        writer.endMessage()
        conversation.feed(.datagram(writer.bytes.span.bytes))
        #expect(conversation.replies == [2: .success(.done(cookie: 78))])
    }

    @Test func `what nobody asked for is an event, of the family alone`() {
        var conversation = Conversation()
        conversation.tell(Captured.stationAdded)
        guard case .newStation(let info) = conversation.events.first else {
            Issue.record("no event")
            return
        }
        #expect(info.interface == 4)
        var other = Conversation(.nl80211(number: Captured.family + 1))
        other.tell(Captured.stationAdded)
        #expect(other.output.events.isEmpty)
    }

    @Test func `random and damaged messages trap nothing and answer at most once`() {
        var generator = SeededGenerator(seed: 80211)
        let sources = [
            Captured.wiphys, Captured.interfaces, Captured.stations, Captured.scan, Captured.regulatory,
            Captured.refused, Captured.stationAdded,
        ]
        for round in 0..<400 {
            var conversation = Conversation()
            let requests = Requests.all
            var answers = 0
            conversation.ask(1, requests[round % requests.count])
            var bytes = sources[round % sources.count]
            for _ in 0..<Int.random(in: 0...20, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            bytes.removeLast(Int.random(in: 0...8, using: &generator))
            conversation.tell(bytes, sequence: 1)
            answers += conversation.replies.count
            conversation.acknowledge(1)
            answers += conversation.replies.count
            conversation.done(1)
            answers += conversation.replies.count
            #expect(answers <= 1, "seed 80211, round \(round)")
        }
    }
}
