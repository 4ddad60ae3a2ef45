import SCTP
import SansIO
import TestSupport
import Wire

extension FuzzTarget {
    /// An association past its handshake. Its peer's packets are lost, changed, repeated and made up, with the right tag
    /// and checksum, so that what lies behind them is reached.
    static let sctp = FuzzTarget("sctp", longest: 512) { input in
        var run = SCTPRun(input)
        try run.play()
    }
}

/// A CRC32c as SCTP has it (RFC 9260 appendix A), for packets made here.
enum SCTPChecksum {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 0 ? crc >> 1 : crc >> 1 ^ 0x82F6_3B78 }
    }

    /// Puts the checksum into a packet.
    static func seal(_ packet: inout [UInt8]) {
        guard packet.count >= 12 else { return }
        for place in 8..<12 { packet[place] = 0 }
        var crc = UInt32.max
        for byte in packet { crc = crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] }
        crc = ~crc
        for place in 0..<4 { packet[8 + place] = UInt8(truncatingIfNeeded: crc >> UInt32(8 * place)) }
    }
}

private struct SCTPRun: ~Copyable, FuzzClock {
    private var script: FuzzScript
    private var ours: SCTPAssociation
    private var theirs: SCTPAssociation
    var now = Timestamp.zero + .seconds(100)
    private var ourWake: Timestamp?
    private var theirWake: Timestamp?
    /// Packets on their way to us, and from us.
    private var incoming: [[UInt8]] = []
    private var outgoing: [[UInt8]] = []
    /// The common header of their packets, and the number of their latest data.
    private var header: [UInt8] = []
    private var lastTSN: UInt32 = 0
    private var isClosed = false

    private static let configuration: SCTPConfiguration = {
        var configuration = SCTPConfiguration()
        configuration.maximumMessageSize = 4_096
        configuration.limits.sendBufferBytes = 16_384
        configuration.limits.reassemblyBytes = 16_384
        configuration.limits.gaps = 16
        configuration.limits.streams = 16
        configuration.limits.reassemblyRuns = 16
        return configuration
    }()
    private static let queued = 64

    init(_ input: [UInt8]) {
        script = FuzzScript(input)
        ours = SCTPAssociation(configuration: Self.configuration, generator: SeededGenerator(seed: 1))
        theirs = SCTPAssociation(configuration: Self.configuration, generator: SeededGenerator(seed: 2))
    }

    mutating func play() throws {
        // Now and then the handshake itself is what is disturbed.
        let isEstablished = script.byte() & 3 != 0
        try them(.connect)
        if isEstablished {
            for _ in 0..<4 { try deliver() }
            try always(ours.isEstablished && theirs.isEstablished, "an undisturbed handshake fails")
        }
        while !script.isAtEnd { try step() }
        // Left alone it settles or gives up.
        try pass(.seconds(200))
        try always(isClosed || ours.bufferedBytes == 0 || !ours.isEstablished, "something is never sent nor given up")
    }

    private mutating func step() throws {
        switch script.number(below: 16) {
        case 0, 1: try deliver()
        case 2:
            if !incoming.isEmpty { incoming.removeFirst() }
        case 3:
            if !outgoing.isEmpty { outgoing.removeFirst() }
        case 4:
            if let first = incoming.first { try us(.packet(first.span.bytes)) }
        case 5:
            if incoming.count > 1 { incoming.append(incoming.removeFirst()) }
        case 6, 7: try inject(changed())
        case 8, 9, 10: try inject(header + chunks())
        case 11: try inject(script.run(), sealed: script.byte() & 1 == 0)
        case 12, 13:
            let fromUs = script.byte() & 1 == 0
            let (stream, form) = (UInt16(script.number(below: 20)), script.byte())
            let message = [UInt8](repeating: form, count: Int(script.uint16()) % 5_000)
            let reliability: SCTPReliability =
                form & 3 == 0
                ? .retransmits(UInt16(form >> 6)) : form & 3 == 1 ? .lifetime(.milliseconds(100)) : .reliable
            let input = SCTPInput.send(
                message.span.bytes, stream: stream, ppid: 51, isUnordered: form & 4 == 0, reliability: reliability)
            if fromUs { try us(input) } else { try them(input) }
        case 14: try pass(.milliseconds(Int(script.uint16())))
        default: try command()
        }
    }

    private mutating func command() throws {
        let streams = [UInt16(script.number(below: 20))]
        switch script.number(below: 8) {
        case 0: try us(.reset(streams: streams))
        case 1: try them(.reset(streams: streams))
        case 2: try us(.shutdown)
        case 3: try them(.shutdown)
        case 4: try us(.abort(reason: "enough"))
        case 5: try them(.connect)
        default: try us(.reset(streams: [1, 2, 3]))
        }
    }

    // MARK: Packets

    /// One of their packets with some bytes changed.
    private mutating func changed() -> [UInt8] {
        var packet = incoming.first ?? header
        for _ in 0...script.number(below: 4) where packet.count > 12 {
            let place = 12 + Int(script.uint16()) % (packet.count - 12)
            packet[place] = script.byte()
        }
        if script.byte() & 7 == 0, packet.count > 16 { packet.removeLast(4 * script.number(below: 4)) }
        return packet
    }

    /// Chunks of any kind with lengths that fit, unless told otherwise.
    private mutating func chunks() -> [UInt8] {
        var chunks: [UInt8] = []
        for _ in 0...script.number(below: 3) {
            let type: UInt8 = script.element(of: [
                0, 0, 0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 130, 192, 132, script.byte(),
            ])
            let flags = script.byte()
            var body: [UInt8]
            switch type {
            case 0:
                // DATA near what is expected next.
                body = bigEndian(lastTSN &+ UInt32(script.number(below: 24)) &- 4)
                body += [0, UInt8(script.number(below: 20)), 0, script.byte() & 7, 0, 0, 0, 51] + script.run()
            case 3:
                // SACK near what was sent last.
                body = bigEndian(UInt32(script.uint16()) &+ ourFirst) + [0, 1, script.byte(), 0]
                let gaps = script.number(below: 4)
                body += [0, UInt8(gaps), 0, 0] + (0..<gaps * 2).flatMap { _ in [0, script.byte() & 15] }
            case 192: body = bigEndian(lastTSN &+ UInt32(script.number(below: 24))) + script.run()
            case 130:
                body = [0, 13 + script.byte() % 6, 0, 16] + bigEndian(UInt32(script.byte()) &+ header32)
                body += bigEndian(UInt32(script.byte())) + bigEndian(lastTSN) + script.run()
            default: body = script.run()
            }
            let length = 4 + body.count + (script.byte() == 255 ? 3 : 0)
            chunks += [type, flags, UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length)] + body
            chunks += [UInt8](repeating: 0, count: -body.count & 3)
        }
        return chunks
    }

    private var header32: UInt32 { lastTSN }
    private var ourFirst: UInt32 = 0

    private func bigEndian(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

    private mutating func inject(_ packet: [UInt8], sealed: Bool = true) throws {
        var packet = packet
        if sealed { SCTPChecksum.seal(&packet) }
        try us(.packet(packet.span.bytes))
    }

    /// Everything that is on its way arrives.
    private mutating func deliver() throws {
        let toUs = incoming
        incoming.removeAll()
        for packet in toUs { try us(.packet(packet.span.bytes)) }
        let toThem = outgoing
        outgoing.removeAll()
        for packet in toThem { try them(.packet(packet.span.bytes)) }
    }

    // MARK: The two ends

    var wakeTime: Timestamp? {
        guard let ourWake, let theirWake else { return ourWake ?? theirWake }
        return min(ourWake, theirWake)
    }

    mutating func wake() throws {
        if let ourWake, ourWake <= now { try us(.wake) }
        if let theirWake, theirWake <= now { try them(.wake) }
    }

    private mutating func us(_ input: SCTPInput) throws {
        var output = SCTPOutput()
        FuzzTarget.feed()
        ourWake = ours.handle(input, at: now, into: &output)
        for range in output.packets {
            try always(
                range.count >= 12 && range.count <= Self.configuration.maximumPacketSize,
                "a packet of \(range.count) bytes")
            let packet = Array(output.written[range])
            if packet.count >= 28, packet[12] == 0 {
                ourFirst = packet[16..<20].reduce(0) { $0 << 8 | UInt32($1) }
            }
            if outgoing.count < Self.queued { outgoing.append(packet) }
        }
        for event in output.events {
            switch event {
            case .message(_, _, let bytes, _):
                try always(bytes.upperBound <= output.messageBytes.count, "a message is not where it should be")
                try always(bytes.count <= Self.configuration.maximumMessageSize, "a message is longer than it may be")
                try always(!bytes.isEmpty, "a message without content")
            case .closed:
                try always(!isClosed, "closed twice")
                isClosed = true
            case .established, .restarted: isClosed = false
            case .streamsReset, .outgoingReset, .outgoingResetFailed, .refused: break
            }
        }
        try always(ours.bufferedBytes <= Self.configuration.limits.sendBufferBytes, "more is kept than the limit")
        try always(ours.footprint < 400_000, "an association of \(ours.footprint) bytes")
    }

    private mutating func them(_ input: SCTPInput) throws {
        var output = SCTPOutput()
        theirWake = theirs.handle(input, at: now, into: &output)
        for range in output.packets {
            let packet = Array(output.written[range])
            if packet[4...7].contains(where: { $0 != 0 }) { header = Array(packet[..<12]) }
            if packet.count >= 28, packet[12] == 0 { lastTSN = packet[16..<20].reduce(0) { $0 << 8 | UInt32($1) } }
            if header.isEmpty { header = Array(packet[..<12]) }
            if incoming.count < Self.queued { incoming.append(packet) }
        }
    }
}
