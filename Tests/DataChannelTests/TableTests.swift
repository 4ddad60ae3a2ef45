import DataChannel
import SCTP
import TestSupport
import Testing

/// A table and what it said last.
private struct Side {
    var table: DataChannelTable
    var output = DataChannelOutput()

    init(_ parity: DataChannelParity, limits: DataChannelLimits = DataChannelLimits()) {
        table = DataChannelTable(parity: parity, limits: limits)
    }

    mutating func take(_ input: borrowing DataChannelInput) -> [DataChannelEvent] {
        output.removeAll()
        table.handle(input, into: &output)
        return output.events
    }

    mutating func message(_ bytes: [UInt8], stream: UInt16, ppid: UInt32) -> [DataChannelEvent] {
        take(.message(bytes.span.bytes, stream: stream, ppid: ppid))
    }

    mutating func open(_ stream: UInt16, _ parameters: DataChannelParameters = .init(label: "a")) -> [DataChannelEvent]
    {
        var bytes: [UInt8] = []
        DCEPMessage.open(parameters).write(to: &bytes)
        return message(bytes, stream: stream, ppid: 50)
    }
}

@Suite("Data channels")
struct TableTests {
    private let hub = DataChannelParameters(label: "hub")

    @Test("A channel opened by the peer is acknowledged and carries messages of every kind")
    func incoming() {
        var box = Side(.odd)
        #expect(
            box.open(0, hub) == [.send(stream: 0, 0..<1), .opened(stream: 0, hub, isIncoming: true)])
        #expect(box.output.written == [0x02])
        #expect(box.message([65], stream: 0, ppid: 51) == [.message(stream: 0, .text, isEmpty: false)])
        #expect(box.message([65], stream: 0, ppid: 53) == [.message(stream: 0, .binary, isEmpty: false)])
        #expect(box.message([0], stream: 0, ppid: 56) == [.message(stream: 0, .text, isEmpty: true)])
        #expect(box.message([0], stream: 0, ppid: 57) == [.message(stream: 0, .binary, isEmpty: true)])
        for ppid in [0, 49, 52, 54, 55, 58, UInt32.max] {
            #expect(box.message([65], stream: 0, ppid: ppid) == [.refused(.unknownPPID)])
        }
        #expect(box.message([65], stream: 2, ppid: 51) == [.refused(.noChannel)])
    }

    @Test("Messages are sent with the channel's reliability; an empty one by its own identifier")
    func sending() {
        var box = Side(.odd)
        let parameters = DataChannelParameters(label: "x", isOrdered: false, reliability: .lifetime(.milliseconds(40)))
        _ = box.open(4, parameters)
        let text = box.table.sending(on: 4, .text, isEmpty: false)
        #expect(text?.ppid == 51)
        #expect(text?.isUnordered == true)
        #expect(text?.reliability == .lifetime(.milliseconds(40)))
        #expect(box.table.sending(on: 4, .binary, isEmpty: false)?.ppid == 53)
        #expect(box.table.sending(on: 4, .text, isEmpty: true)?.ppid == 56)
        #expect(box.table.sending(on: 4, .binary, isEmpty: true)?.ppid == 57)
        #expect(box.table.sending(on: 5, .text, isEmpty: false) == nil)
    }

    @Test("A channel of ours gets the lowest free identifier of our parity, and is ordered until acknowledged")
    func outgoing() {
        for (parity, first) in [(DataChannelParity.even, UInt16(0)), (.odd, 1)] {
            var side = Side(parity)
            let parameters = DataChannelParameters(label: "mine", isOrdered: false)
            let events = side.take(.open(parameters))
            #expect(events == [.opening(stream: first), .send(stream: first, 0..<16)])
            #expect(side.table.sending(on: first, .text, isEmpty: false)?.isUnordered == false)
            #expect(side.take(.open(parameters)).first == .opening(stream: first + 2))
            #expect(
                side.message([2], stream: first, ppid: 50)
                    == [.opened(stream: first, parameters, isIncoming: false)])
            #expect(side.table.sending(on: first, .text, isEmpty: false)?.isUnordered == true)
            // A message acknowledges as well; an answer that it overtook changes nothing.
            #expect(side.message([2], stream: first, ppid: 50) == [])
            #expect(
                side.message([65], stream: first + 2, ppid: 51) == [
                    .opened(stream: first + 2, parameters, isIncoming: false),
                    .message(stream: first + 2, .text, isEmpty: false),
                ])
        }
    }

    @Test("Only a channel opened here is acknowledged")
    func strayAcknowledgements() {
        var box = Side(.odd)
        _ = box.open(0)
        #expect(box.message([2], stream: 0, ppid: 50) == [.refused(.malformedDCEP)])
        #expect(box.message([2], stream: 1, ppid: 50) == [.refused(.malformedDCEP)])
    }

    @Test("A negotiated channel is open at once and nothing is sent")
    func negotiated() {
        var box = Side(.odd)
        let rpc = DataChannelParameters(label: "rpc")
        #expect(box.take(.negotiate(stream: 0, rpc)) == [.opened(stream: 0, rpc, isIncoming: false)])
        #expect(box.message([1], stream: 0, ppid: 53) == [.message(stream: 0, .binary, isEmpty: false)])
        #expect(box.take(.negotiate(stream: 0, rpc)) == [.refused(.streamInUse)])
        #expect(box.take(.negotiate(stream: 65_535, rpc)) == [.refused(.streamInUse)])
    }

    @Test("A wrong OPEN closes its stream")
    func wrongOpens() {
        var limits = DataChannelLimits()
        limits.textBytes = 8
        limits.channels = 2
        var box = Side(.odd, limits: limits)
        #expect(box.open(1) == [.refused(.wrongParity), .reset(stream: 1)])
        #expect(
            box.open(0, .init(label: "much too long")) == [.refused(.textTooLong), .reset(stream: 0)])
        #expect(box.message([3, 9, 0], stream: 0, ppid: 50) == [.refused(.malformedDCEP), .reset(stream: 0)])
        #expect(
            box.message([3, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], stream: 0, ppid: 50)
                == [.refused(.unknownChannelType), .reset(stream: 0)])
        #expect(box.table.count == 0)
        _ = box.open(0)
        _ = box.open(2)
        #expect(box.open(4) == [.refused(.tooManyChannels), .reset(stream: 4)])
        #expect(box.take(.open(.init(label: "b"))) == [.refused(.tooManyChannels)])
        // A second OPEN on a channel: RFC 8832 section 6 closes it.
        #expect(box.open(0) == [.refused(.streamInUse), .reset(stream: 0)])
        #expect(box.open(0) == [.refused(.streamInUse)])
        #expect(box.take(.streamsReset([0])) == [.closed(stream: 0)])
        #expect(box.take(.outgoingReset([0])) == [])
        #expect(box.table.count == 1)
    }

    @Test("The peer closes: our side is reset too, and the stream can be used anew")
    func closedByPeer() {
        var box = Side(.odd)
        _ = box.open(0)
        #expect(box.take(.streamsReset([0])) == [.reset(stream: 0), .closed(stream: 0)])
        #expect(box.table.sending(on: 0, .text, isEmpty: false) == nil)
        #expect(box.message([65], stream: 0, ppid: 51) == [.refused(.noChannel)])
        #expect(box.take(.close(stream: 0)) == [.refused(.noChannel)])
        #expect(box.take(.outgoingReset([0])) == [])
        #expect(box.table.count == 0)
        #expect(box.open(0).count == 2)
    }

    @Test("We close: the channel is gone when both sides are reset, in either order")
    func closedHere() {
        for isOwnFirst in [true, false] {
            var box = Side(.odd)
            _ = box.open(0)
            #expect(box.take(.close(stream: 0)) == [.reset(stream: 0)])
            #expect(box.take(.close(stream: 0)) == [.refused(.noChannel)])
            #expect(box.message([65], stream: 0, ppid: 51) == [.refused(.noChannel)])
            if isOwnFirst {
                #expect(box.take(.outgoingReset([0])) == [])
                #expect(box.take(.streamsReset([0])) == [.closed(stream: 0)])
            } else {
                #expect(box.take(.streamsReset([0])) == [.closed(stream: 0)])
                #expect(box.take(.outgoingReset([0])) == [])
            }
            #expect(box.table.count == 0)
        }
    }

    @Test("A stream opened anew before our reset is confirmed is acknowledged after it")
    func reopened() {
        var box = Side(.odd)
        _ = box.open(0)
        _ = box.take(.streamsReset([0]))
        #expect(box.open(0, hub) == [.opened(stream: 0, hub, isIncoming: true)])
        #expect(box.message([65], stream: 0, ppid: 51) == [.message(stream: 0, .text, isEmpty: false)])
        // SCTP refuses to send on a stream it resets.
        #expect(box.table.sending(on: 0, .text, isEmpty: false) == nil)
        #expect(box.take(.outgoingReset([0])) == [.send(stream: 0, 0..<1)])
        #expect(box.table.sending(on: 0, .text, isEmpty: false) != nil)
    }

    @Test("A reset of all streams, and a restart, close every channel once")
    func all() {
        var box = Side(.odd)
        _ = box.open(0)
        _ = box.open(2)
        _ = box.take(.close(stream: 2))
        #expect(
            box.take(.streamsReset([])) == [.reset(stream: 0), .closed(stream: 0), .closed(stream: 2)])
        #expect(box.take(.restarted) == [])
        _ = box.open(0)
        _ = box.open(2)
        _ = box.take(.close(stream: 2))
        #expect(box.take(.restarted) == [.closed(stream: 0), .closed(stream: 2)])
        #expect(box.table.count == 0)
    }

    @Test("Two tables that hear each other's random inputs agree, and each closed channel is told once")
    func simulation() {
        for seed in 0..<500 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            var sides = [Side(.even), Side(.odd)]
            // What is under way to each side, in order, as SCTP would bring it.
            var wires: [[Wire]] = [[], []]
            var alive: [Set<UInt16>] = [[], []]
            for _ in 0..<200 {
                let side = Int.random(in: 0...1, using: &generator)
                let events: [DataChannelEvent]
                switch Int.random(in: 0..<10, using: &generator) {
                case 0: events = sides[side].take(.open(hub))
                case 1:
                    guard let stream = alive[side].randomElement(using: &generator) else { continue }
                    events = sides[side].take(.close(stream: stream))
                default:
                    guard !wires[side].isEmpty else { continue }
                    switch wires[side].removeFirst() {
                    case .dcep(let stream, let bytes):
                        events = sides[side].message(bytes, stream: stream, ppid: 50)
                    case .reset(let stream):
                        wires[1 - side].append(.confirmed(stream))
                        events = sides[side].take(.streamsReset([stream]))
                    case .confirmed(let stream): events = sides[side].take(.outgoingReset([stream]))
                    }
                }
                for event in events {
                    switch event {
                    case .send(let stream, let range):
                        wires[1 - side].append(.dcep(stream, Array(sides[side].output.written[range])))
                    case .reset(let stream): wires[1 - side].append(.reset(stream))
                    case .opening: break
                    case .opened(let stream, _, _):
                        #expect(alive[side].insert(stream).inserted, "seed \(seed)")
                    case .closed(let stream): alive[side].remove(stream)
                    case .message: Issue.record("seed \(seed): a message that was never sent")
                    case .refused(let cause): #expect(cause == .noChannel, "seed \(seed)")
                    }
                }
            }
        }
    }

    private enum Wire {
        case dcep(UInt16, [UInt8])
        case reset(UInt16)
        case confirmed(UInt16)
    }
}
