import SansIO
import TestSupport
import Wire

@testable import SCTP

/// A message as it was received.
struct Message: Hashable {
    var stream: UInt16 = 1
    var ppid: UInt32 = 53
    var bytes: [UInt8]
    var isUnordered = false
}

/// One side of an association, with copies of what came out.
final class Endpoint {
    private(set) var association: SCTPAssociation
    private(set) var wakeTime: Timestamp?
    /// Packets not fetched yet.
    private(set) var outbox: [[UInt8]] = []
    private(set) var messages: [Message] = []
    /// Events that aren't messages.
    private(set) var events: [SCTPEvent] = []
    private var output = SCTPOutput()

    init(seed: UInt64, _ change: (inout SCTPConfiguration) -> Void = { _ in }) {
        var configuration = SCTPConfiguration()
        change(&configuration)
        association = SCTPAssociation(configuration: configuration, generator: SeededGenerator(seed: seed))
    }

    // `#expect` can't look into what isn't Copyable.
    var counters: SCTPCounters { association.counters }
    var isEstablished: Bool { association.isEstablished }
    var isClosed: Bool { association.isClosed }

    func receive(_ packet: [UInt8], at now: Timestamp) { run(.packet(packet.span.bytes), at: now) }
    func connect(at now: Timestamp) { run(.connect, at: now) }
    func wake(at now: Timestamp) { run(.wake, at: now) }
    func shutdown(at now: Timestamp) { run(.shutdown, at: now) }
    func ask(at now: Timestamp) { run(.heartbeat, at: now) }
    func abort(_ reason: String = "done", at now: Timestamp) { run(.abort(reason: reason), at: now) }
    func reset(_ streams: [UInt16], at now: Timestamp) { run(.reset(streams: streams), at: now) }

    func send(_ message: Message, _ reliability: SCTPReliability = .reliable, at now: Timestamp) {
        run(
            .send(
                message.bytes.span.bytes, stream: message.stream, ppid: message.ppid,
                isUnordered: message.isUnordered, reliability: reliability), at: now)
    }

    /// Takes the packets that wait to be sent.
    func fetch() -> [[UInt8]] {
        defer { outbox = [] }
        return outbox
    }

    /// Takes the events that aren't messages.
    func fetchEvents() -> [SCTPEvent] {
        defer { events = [] }
        return events
    }

    /// Takes the messages.
    func fetchMessages() -> [Message] {
        defer { messages = [] }
        return messages
    }

    private func run(_ input: SCTPInput, at now: Timestamp) {
        output.removeAll()
        wakeTime = association.handle(input, at: now, into: &output)
        precondition(output.openPacket == nil)
        for range in output.packets { outbox.append(Array(output.written[range])) }
        for event in output.events {
            switch event {
            case .message(let stream, let ppid, let bytes, let isUnordered):
                messages.append(
                    Message(
                        stream: stream, ppid: ppid, bytes: Array(output.messageBytes[bytes]), isUnordered: isUnordered))
            case .established, .restarted, .streamsReset, .outgoingReset, .outgoingResetFailed, .refused, .closed:
                events.append(event)
            }
        }
    }
}

/// Two endpoints and what lies between them, in virtual time.
final class Link {
    /// How packets are treated.
    struct Conditions {
        var loss = 0.0
        var duplication = 0.0
        var delay: ClosedRange<Double> = 5...5
    }

    private struct Flight {
        let arrival: Timestamp
        let order: Int
        let target: Int
        let packet: [UInt8]
    }

    let sides: [Endpoint]
    var conditions: Conditions
    private(set) var now = Timestamp.zero + .seconds(1000)
    private var flights: [Flight] = []
    private var order = 0
    private var generator: SeededGenerator
    /// Sees each packet on its way, and the side it goes to; what it answers goes on.
    var filter: ((_ packet: [UInt8], _ target: Int) -> Bool)?

    var first: Endpoint { sides[0] }
    var second: Endpoint { sides[1] }

    init(
        seed: UInt64 = 1, _ conditions: Conditions = Conditions(),
        _ change: (inout SCTPConfiguration) -> Void = { _ in }
    ) {
        generator = SeededGenerator(seed: seed)
        sides = [Endpoint(seed: generator.next(), change), Endpoint(seed: generator.next(), change)]
        self.conditions = conditions
    }

    /// A link whose first side has called the second.
    static func established(
        seed: UInt64 = 1, _ change: (inout SCTPConfiguration) -> Void = { _ in }
    ) -> Link {
        let link = Link(seed: seed, Conditions(), change)
        link.first.connect(at: link.now)
        link.run(for: .milliseconds(100))
        precondition(link.first.fetchEvents() == [.established] && link.second.fetchEvents() == [.established])
        return link
    }

    /// Lets time pass.
    func run(for duration: Duration) {
        let end = now + duration
        var steps = 0
        post()
        while let time = nextTime, time <= end {
            now = max(now, time)
            step()
            steps += 1
            precondition(steps < 2_000_000, "the association is busy without end")
        }
        now = end
    }

    private var nextTime: Timestamp? {
        let times = [flights.first?.arrival, sides[0].wakeTime, sides[1].wakeTime]
        return times.compactMap { $0 }.min()
    }

    private func step() {
        if let flight = flights.first, flight.arrival <= now {
            flights.removeFirst()
            sides[flight.target].receive(flight.packet, at: now)
        } else {
            for side in sides where side.wakeTime.map({ $0 <= now }) ?? false {
                side.wake(at: now)
                precondition(side.wakeTime.map { $0 > now } ?? true, "a timer that expired wasn't dealt with")
            }
        }
        post()
    }

    private func post() {
        for (index, side) in sides.enumerated() {
            for packet in side.fetch() where filter?(packet, 1 - index) ?? true {
                guard Double.random(in: 0..<1, using: &generator) >= conditions.loss else { continue }
                let copies = Double.random(in: 0..<1, using: &generator) < conditions.duplication ? 2 : 1
                for _ in 0..<copies { launch(packet, to: 1 - index) }
            }
        }
    }

    private func launch(_ packet: [UInt8], to target: Int) {
        let delay = Double.random(in: conditions.delay, using: &generator)
        let arrival = now + .nanoseconds(Int64(delay * 1e6))
        order += 1
        let index = flights.firstIndex { $0.arrival > arrival } ?? flights.count
        flights.insert(Flight(arrival: arrival, order: order, target: target, packet: packet), at: index)
    }
}

/// A chunk of a packet, copied.
struct CopiedChunk: Equatable {
    var type: UInt8
    var flags: UInt8
    var value: [UInt8]

    func uint32(at offset: Int) -> UInt32 {
        value[offset..<(offset + 4)].reduce(0) { $0 << 8 | UInt32($1) }
    }

    func uint16(at offset: Int) -> UInt16 {
        value[offset..<(offset + 2)].reduce(0) { $0 << 8 | UInt16($1) }
    }
}

/// The chunks of a packet.
func chunks(of packet: [UInt8]) -> [CopiedChunk] {
    var reader = ByteReader(packet.span.bytes)
    guard PacketHeader(&reader) != nil else { return [] }
    var chunks = ChunkReader(reader)
    var copies: [CopiedChunk] = []
    while let chunk = chunks.next() {
        copies.append(CopiedChunk(type: chunk.type, flags: chunk.flags, value: chunk.value.copied))
    }
    return copies
}

/// The types of the chunks of a packet.
func types(of packet: [UInt8]) -> [ChunkType?] {
    chunks(of: packet).map { ChunkType(rawValue: $0.type) }
}

/// The verification tag of a packet.
func tag(of packet: [UInt8]) -> UInt32 {
    packet[4..<8].reduce(0) { $0 << 8 | UInt32($1) }
}

/// A packet with a right checksum.
func packet(tag: UInt32, _ chunks: [CopiedChunk]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.write(UInt16(5000))
    bytes.write(UInt16(5000))
    bytes.write(tag)
    bytes.write(UInt32(0))
    for chunk in chunks {
        bytes.append(chunk.type)
        bytes.append(chunk.flags)
        bytes.write(UInt16(4 + chunk.value.count))
        bytes.append(contentsOf: chunk.value)
        bytes.writeZeros(-chunk.value.count & 3)
    }
    let checksum = bytes.withUnsafeBytes { CRC32c.checksum(ofPacket: $0) }
    for index in 0..<4 { bytes[8 + index] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * index)) }
    return bytes
}

/// A DATA chunk.
func data(
    tsn: UInt32, stream: UInt16 = 1, ssn: UInt16 = 0, flags: DataChunk.Flags = .whole, ppid: UInt32 = 53,
    _ payload: [UInt8]
) -> CopiedChunk {
    var value: [UInt8] = []
    value.write(tsn)
    value.write(stream)
    value.write(ssn)
    value.write(ppid)
    return CopiedChunk(type: 0, flags: flags.rawValue, value: value + payload)
}

/// A SACK chunk.
func sack(_ cumulative: UInt32, window: UInt32 = 500_000, _ blocks: [ClosedRange<UInt16>] = []) -> CopiedChunk {
    var value: [UInt8] = []
    value.write(cumulative)
    value.write(window)
    value.write(UInt16(blocks.count))
    value.write(UInt16(0))
    for block in blocks {
        value.write(block.lowerBound)
        value.write(block.upperBound)
    }
    return CopiedChunk(type: 3, flags: 0, value: value)
}

/// A FORWARD-TSN chunk.
func forward(_ cumulative: UInt32, _ skipped: [(UInt16, UInt16)] = []) -> CopiedChunk {
    var value: [UInt8] = []
    value.write(cumulative)
    for (stream, ssn) in skipped {
        value.write(stream)
        value.write(ssn)
    }
    return CopiedChunk(type: 192, flags: 0, value: value)
}

/// Bytes that look different at each place.
func pattern(_ count: Int, _ salt: Int = 0) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8 &+ salt &* 17) }
}
