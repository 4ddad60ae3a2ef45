import DTLS
import DataChannel
import ICE
import SCTP
import STUN
import SansIO
import TestSupport
import WebRTCDirect
import Wire

extension FuzzTarget {
    /// The whole endpoint, fed datagrams: whatever bytes, and checks that know the password or not.
    static let endpoint = FuzzTarget("endpoint", longest: 512) { input in
        var run = try EndpointRun(input)
        try run.play()
    }

    /// The same beside a client that got through DTLS and says in SCTP what the input says. The handshake takes a hundred
    /// times as long as a datagram, so scripts are long.
    static let endpointPeer = FuzzTarget("endpoint-peer") { input in
        var run = try EndpointRun(input)
        try run.connect()
        try run.play()
    }
}

private struct EndpointRun: ~Copyable, FuzzClock {
    private var script: FuzzScript
    private var endpoint: WebRTCEndpoint
    private var output = EndpointOutput()
    var now = Timestamp.zero + .seconds(100)
    private(set) var wakeTime: Timestamp?
    /// The client that gets through.
    private var session: DTLSSession
    private var sessionOutput = DTLSOutput()
    private var association: SCTPAssociation
    /// Packets of SCTP the client has received, and the common header of its own.
    private var received: [[UInt8]] = []
    private var header: [UInt8] = []
    /// The client's last datagram of DTLS.
    private var last: [UInt8] = []
    private var connected: Set<PeerID> = []

    private static let box = IPAddress.v4(0x0A00_0001)
    private static let client = TransportAddress(.v4(0x0A00_0002), port: 5000)
    private static let strangers = (0..<4).map {
        TransportAddress(.v4(0x0A00_0003 + UInt32($0 / 2)), port: 6000 + UInt16($0))
    }
    private static let credentials = ICECredentials(fragment: "fuzzfuzz", password: "a0password0of0the0fuzzer")
    init(_ input: [UInt8]) throws {
        guard let dialler = FuzzIdentity.client else { throw FuzzFinding("no identity") }
        script = FuzzScript(input)
        var configuration = EndpointConfiguration(acceptance: Self.acceptance(hasDirect: true))
        configuration.limits.peers = 4
        configuration.limits.halfOpen = 3
        endpoint = WebRTCEndpoint(configuration: configuration, generator: SeededGenerator(seed: 1))
        session = DTLSSession(context: dialler)
        association = SCTPAssociation(configuration: .ofEndpoint, generator: SeededGenerator(seed: 2))
    }

    mutating func play() throws {
        while !script.isAtEnd {
            let stranger = script.element(of: Self.strangers)
            switch script.number(below: 15) {
            case 0, 1: try datagram(script.longRun(), from: stranger)
            case 2, 3: try datagram(check(), from: script.byte() & 1 == 0 ? stranger : Self.client)
            case 4:
                // A record of DTLS by its looks.
                let body = script.run()
                let type = 20 + script.byte() % 8
                try datagram(
                    [type, 0xFE, 0xFD, 0, script.byte() & 1, 0, 0, 0, 0, 0, script.byte(), 0, UInt8(body.count)] + body,
                    from: script.byte() & 1 == 0 ? stranger : Self.client)
            case 5...9: try say()
            case 10: try pass(.milliseconds(Int(script.uint16())))
            case 11: for packet in script.variants(of: chunks()) { try seal(packet) }
            case 12:
                // What somebody who sees the client's datagrams could send.
                let from = script.byte() & 1 == 0 ? stranger : Self.client
                for bytes in script.variants(of: script.byte() & 1 == 0 ? last : check()) {
                    try datagram(bytes, from: from)
                }
            case 13: try wish()
            default:
                for peer in connected {
                    let message = script.run()
                    let channel = UInt16(script.number(below: 4))
                    try handle(.send(message.span.bytes, to: peer, channel: channel, .text))
                }
            }
        }
        try pass(.seconds(60))
        try always(connected.isEmpty, "a peer that is silent for a minute is still connected")
    }

    /// What the box itself wants.
    private mutating func wish() throws {
        let channel = UInt16(script.number(below: 4))
        switch script.number(below: 8) {
        case 0: try handle(.closeAll)
        case 1: try handle(.accept(Self.acceptance(hasDirect: script.byte() & 1 == 0)))
        case 2: for peer in connected { try handle(.close(peer)) }
        case 3, 4: for peer in connected { try handle(.closeChannel(peer, channel: channel)) }
        default:
            var parameters = DataChannelParameters(label: String(decoding: script.run(), as: UTF8.self))
            parameters.isOrdered = script.byte() & 1 == 0
            for peer in connected { try handle(.openChannel(peer, parameters)) }
        }
    }

    private static func acceptance(hasDirect: Bool) -> EndpointAcceptance {
        var identities: [EndpointIdentity] = []
        if let credentials, let server = FuzzIdentity.server {
            identities = [EndpointIdentity(.own, credentials: credentials, context: server)]
        }
        return EndpointAcceptance(identities: identities, direct: hasDirect ? FuzzIdentity.server : nil)
    }

    private mutating func check() -> [UInt8] {
        let form = script.byte()
        var writer = STUNWriter(.request, .binding, TransactionID(high: 1, low: UInt64(form)))
        let name = form & 1 == 0 ? "fuzzfuzz:them\(form & 6)" : String(decoding: script.run(), as: UTF8.self)
        writer.append(.username, text: name)
        writer.append(.priority, uint32: 1)
        writer.append(.iceControlling, uint64: 1)
        if form & 8 == 0 { writer.append(.useCandidate) }
        if form & 16 != 0 { writer.append(STUNAttributeType(rawValue: script.uint16()), bytes: script.run()) }
        if let key = Self.credentials?.key, form & 32 == 0 { writer.appendIntegrity(key: key) }
        writer.appendFingerprint()
        return writer.finish().bytes
    }

    /// Gets the client through ICE, DTLS and SCTP's handshake.
    mutating func connect() throws {
        // By the box's own name, or as WebRTC Direct's crate does.
        let digits = String(repeating: "0123456789abcdef", count: 4)
        let isDirect = script.byte() & 3 == 3
        guard let key = isDirect ? STUNKey(shortTerm: digits) : Self.credentials?.key else { return }
        var writer = STUNWriter(.request, .binding, TransactionID(high: 2, low: 2))
        writer.append(.username, text: isDirect ? "\(digits):\(digits)" : "fuzzfuzz:client")
        writer.append(.priority, uint32: 1)
        writer.append(.iceControlling, uint64: 1)
        writer.append(.useCandidate)
        writer.appendIntegrity(key: key)
        writer.appendFingerprint()
        try datagram(writer.finish().bytes, from: Self.client)
        try dtls(.start)
        guard session.isConnected else { throw FuzzFinding("an undisturbed DTLS handshake fails") }
        try sctp(.connect)
        for _ in 0..<4 {
            let packets = received
            received.removeAll()
            for packet in packets { try sctp(.packet(packet.span.bytes)) }
        }
        try always(association.isEstablished, "an undisturbed SCTP handshake fails")
        try always(connected.count == 1, "a peer that is through is not told of")
    }

    /// The client says something in SCTP.
    private mutating func say() throws {
        guard session.isConnected else { return }
        switch script.number(below: 6) {
        case 0:
            // DCEP's OPEN or anything else, in order.
            let message = script.run()
            try sctp(
                .send(
                    message.span.bytes, stream: UInt16(script.number(below: 8)), ppid: 50 + UInt32(script.byte() & 7),
                    isUnordered: false, reliability: .reliable))
        case 1:
            let packets = received
            received.removeAll()
            for packet in packets { try sctp(.packet(packet.span.bytes)) }
        case 2: try sctp(.reset(streams: [UInt16(script.number(below: 8))]))
        case 3: try send(script.run())
        default: try seal(chunks())
        }
    }

    /// Some chunks of any type.
    private mutating func chunks() -> [UInt8] {
        var chunks: [UInt8] = []
        for _ in 0...script.number(below: 3) {
            let body = script.run()
            chunks += [script.byte() & 15, script.byte(), 0, UInt8(clamping: 4 + body.count)] + body
            chunks += [UInt8](repeating: 0, count: -body.count & 3)
        }
        return chunks
    }

    /// Sends chunks in a packet of the client's.
    private mutating func seal(_ chunks: [UInt8]) throws {
        guard session.isConnected else { return }
        var packet = header + chunks
        SCTPChecksum.seal(&packet)
        try send(packet)
    }

    private mutating func send(_ packet: [UInt8]) throws {
        guard packet.count <= session.maximumPlaintext else { return }
        try dtls(.send(packet.span.bytes))
    }

    private mutating func sctp(_ input: SCTPInput) throws {
        var output = SCTPOutput()
        _ = association.handle(input, at: now, into: &output)
        for range in output.packets {
            let packet = Array(output.written[range])
            if packet[4...7].contains(where: { $0 != 0 }) { header = Array(packet[..<12]) }
            try send(packet)
        }
    }

    private mutating func dtls(_ input: borrowing DTLSInput) throws {
        sessionOutput.removeAll()
        _ = session.handle(input, at: now, into: &sessionOutput)
        for range in sessionOutput.records where received.count < 32 {
            received.append(Array(sessionOutput.applicationData[range]))
        }
        let datagrams = sessionOutput.datagrams.map { Array(sessionOutput.written[$0]) }
        for bytes in datagrams {
            last = bytes
            try datagram(bytes, from: Self.client)
        }
    }

    private mutating func datagram(_ bytes: [UInt8], from: TransportAddress) throws {
        try handle(.datagram(bytes.span.bytes, from: from, to: Self.box))
    }

    mutating func wake() throws { try handle(.wake) }

    private mutating func handle(_ input: borrowing EndpointInput) throws {
        output.removeAll()
        FuzzTarget.feed()
        wakeTime = endpoint.handle(input, at: now, into: &output)
        for event in output.events {
            switch event {
            case .connected(let peer, _):
                try always(connected.insert(peer).inserted, "a peer is connected twice")
            case .disconnected(let peer, _):
                try always(connected.remove(peer) != nil, "a peer goes that never came")
            case .message(let peer, _, _, let range):
                try always(connected.contains(peer), "a message of nobody")
                try always(range.upperBound <= output.payload.count, "a message is not where it should be")
            case .channelOpening, .channelOpened, .channelClosed, .moved, .sendRefused, .unwritable, .writable: break
            }
        }
        let replies = output.datagrams
        let written = output.written
        for reply in replies {
            try always(reply.range.upperBound <= written.count, "sends what it has not written")
            let first = written[reply.range.lowerBound]
            // What comes back to the client by DTLS goes into its session.
            if reply.destination == Self.client, (20...63).contains(first) {
                let bytes = Array(written[reply.range])
                try dtls(.datagram(bytes.span.bytes))
            }
        }
    }
}
