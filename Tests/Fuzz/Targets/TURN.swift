import STUN
import SansIO
import TURN
import TestSupport
import Wire

extension FuzzTarget {
    /// A TURN server whose clients hold the password: their requests carry a valid seal around any attributes.
    static let turn = FuzzTarget("turn", longest: 512) { input in
        var run = TURNRun(input)
        try run.play()
    }
}

private struct TURNRun: ~Copyable, FuzzClock {
    private var script: FuzzScript
    private var server: TURNServer
    private var output = TURNOutput()
    var now = Timestamp.zero + .seconds(1000)
    private(set) var wakeTime: Timestamp?
    /// The sockets of relayed addresses that are open, and those asked for.
    private var relays: Set<TransportAddress> = []
    private var asked: [TransportAddress] = []
    /// The latest nonce that each client was given.
    private var nonces: [TransportAddress: [UInt8]] = [:]
    private var transaction: UInt64 = 0

    private static let box = IPAddress.v4(0x0A00_0001)
    private static let clients = [2, 2, 3, 0x0808_0808].enumerated().map { number, host -> TransportAddress in
        TransportAddress(.v4(host < 256 ? 0x0A00_0000 + UInt32(host) : UInt32(host)), port: UInt16(1000 + number))
    }
    private static let network = IPNetwork(box, prefixLength: 24)
    private static let allocations = 3
    // Deriving a key takes much longer than anything here.
    private static let key = STUNKey(longTerm: .md5, username: "anna", realm: "box", password: "secret")
    private static let keySHA256 = STUNKey(longTerm: .sha256, username: "anna", realm: "box", password: "secret")
    private static let types: [STUNAttributeType] = [
        .requestedTransport, .xorPeerAddress, .channelNumber, .lifetime, .data, .evenPort, .reservationToken,
        .requestedAddressFamily, .additionalAddressFamily, .dontFragment, .username, .realm, .nonce,
        .messageIntegrity, .fingerprint, .passwordAlgorithms, .passwordAlgorithm, .userhash, .errorCode, .software,
    ]

    init(_ input: [UInt8]) {
        script = FuzzScript(input)
        var configuration = TURNConfiguration(
            realm: "box", software: "box", networks: [Self.network], localAddresses: [Self.box],
            relayPorts: 50_000...50_015)
        configuration.limits.allocations = Self.allocations
        configuration.limits.permissionsPerAllocation = 3
        configuration.limits.channelsPerAllocation = 3
        configuration.limits.reservations = 2
        server = TURNServer(configuration: configuration, generator: SeededGenerator(seed: 1)) {
            $0 == "anna" ? "secret" : nil
        }
    }

    mutating func play() throws {
        while !script.isAtEnd {
            let client = script.element(of: Self.clients)
            switch script.number(below: 9) {
            case 0: try datagram(script.longRun(), from: client)
            case 1, 2: try datagram(request(from: client), from: client)
            case 3: try datagram(indication(), from: client)
            case 4: try datagram(channelData(), from: client)
            case 5: try peerDatagram()
            case 6: try answerForSocket()
            case 7: try pass(.milliseconds(Int(script.uint32() % 4_000_000)))
            default: try upheaval()
            }
        }
        // Time alone ends everything.
        while !asked.isEmpty { try answerForSocket() }
        try pass(.seconds(8000))
        try always(server.allocationCount == 0 && relays.isEmpty, "an allocation outlives its time")
    }

    // MARK: What happens

    private mutating func request(from client: TransportAddress) -> [UInt8] {
        let method = script.element(
            of: [.allocate, .refresh, .createPermission, .channelBind, .binding] as [STUNMethod])
        let form = script.byte()
        transaction += form & 1 == 0 ? 1 : 0
        var writer = STUNWriter(.request, method, TransactionID(high: 1, low: transaction))
        attributes(into: &writer)
        guard form & 2 == 0, let nonce = nonces[client] else { return writer.finish().bytes }
        writer.append(.username, text: "anna")
        writer.append(.realm, text: "box")
        writer.append(.nonce, bytes: nonce)
        if form & 4 == 0, let key = Self.key {
            writer.appendIntegrity(key: key)
        } else if let key = Self.keySHA256 {
            writer.append(.passwordAlgorithms, algorithms: [.sha256, .md5])
            writer.append(.passwordAlgorithm, algorithms: [.sha256])
            writer.appendIntegritySHA256(key: key)
        }
        if form & 8 != 0 { writer.appendFingerprint() }
        return writer.finish().bytes
    }

    private mutating func indication() -> [UInt8] {
        var writer = STUNWriter(.indication, .send, TransactionID(high: 2, low: 2))
        attributes(into: &writer)
        return writer.finish().bytes
    }

    private mutating func attributes(into writer: inout STUNWriter) {
        for _ in 0..<script.number(below: 6) {
            let type = script.element(of: Self.types)
            switch script.number(below: 4) {
            case 0: writer.append(type, bytes: script.run())
            case 1: writer.append(type, xorAddress: peer())
            case 2: writer.append(type, uint32: script.uint32())
            // What makes an allocation, so that a fuzzer need not find the number of UDP.
            default: writer.append(.requestedTransport, bytes: [17, 0, 0, 0])
            }
        }
    }

    private mutating func channelData() -> [UInt8] {
        let number = 0x4000 + UInt16(script.number(below: 4))
        let data = script.run()
        return [UInt8(number >> 8), UInt8(number & 255), 0, script.byte() & 0x80 == 0 ? UInt8(data.count) : 9] + data
    }

    private mutating func peer() -> TransportAddress {
        switch script.number(below: 4) {
        case 0: TransportAddress(.v4(0x0A00_0063), port: 7000)
        case 1: relays.sorted { $0.port < $1.port }.first ?? TransportAddress(Self.box, port: 50_000)
        case 2: TransportAddress(.v4(script.uint32()), port: script.uint16())
        default: TransportAddress(.v6(0xFE80_0000_0000_0000, UInt64(script.uint32())), port: script.uint16())
        }
    }

    private mutating func peerDatagram() throws {
        let from = peer()
        let bytes = script.run()
        guard let relay = relays.sorted(by: { $0.port < $1.port }).first else { return }
        output.removeAll()
        wakeTime = server.handle(.peerDatagram(bytes.span.bytes, relay: relay, peer: from), at: now, into: &output)
        try check(input: bytes, client: nil)
    }

    private mutating func datagram(_ bytes: [UInt8], from client: TransportAddress) throws {
        output.removeAll()
        wakeTime = server.handle(
            .datagram(bytes.span.bytes, client: client, server: Self.box), at: now, into: &output)
        try check(input: bytes, client: client)
    }

    private mutating func answerForSocket() throws {
        let isOpened = script.byte() & 3 != 0
        guard let relay = asked.popLast() else { return }
        output.removeAll()
        if isOpened { relays.insert(relay) }
        wakeTime = server.handle(isOpened ? .relayOpened(relay) : .relayFailed(relay), at: now, into: &output)
        try check(input: [], client: nil)
    }

    mutating func wake() throws {
        output.removeAll()
        wakeTime = server.handle(.wake, at: now, into: &output)
        try check(input: [], client: nil)
    }

    private mutating func upheaval() throws {
        output.removeAll()
        switch script.number(below: 4) {
        case 0: wakeTime = server.handle(.dropAll, at: now, into: &output)
        case 1: wakeTime = server.handle(.changed(networks: [], localAddresses: []), at: now, into: &output)
        default:
            wakeTime = server.handle(
                .changed(networks: [Self.network], localAddresses: [Self.box]), at: now, into: &output)
        }
        try check(input: [], client: nil)
    }

    // MARK: What must hold

    private mutating func check(input: [UInt8], client: TransportAddress?) throws {
        FuzzTarget.feed()
        for command in output.commands {
            switch command {
            case .open(let relay):
                try always(!relays.contains(relay) && !asked.contains(relay), "\(relay) is opened twice")
                asked.append(relay)
            case .close(let relay):
                try always(relays.remove(relay) != nil, "\(relay) is closed and was not open")
            }
        }
        for datagram in output.datagrams {
            if case .relay(let relay) = datagram.source {
                try always(relays.contains(relay), "sent from a socket that is not open")
            }
            switch datagram.content {
            case .written(let range):
                let bytes = Array(output.written.bytes[range])
                let message = try STUNMessage(bytes.span.bytes)
                if let nonce = message.first(.nonce)?.value { nonces[datagram.destination] = nonce.copied }
                // A client that was not asked gets data and nothing else.
                try always(
                    datagram.destination == client || message.messageClass == .indication || client == nil,
                    "an answer went to somebody else")
            case .payload(let range), .channelData(number: _, let range):
                try always(range.upperBound <= input.count, "more was relayed than came")
            }
        }
        try always(server.allocationCount <= Self.allocations, "more allocations than the limit")
        try always(relays.count <= Self.allocations, "more sockets than allocations")
    }
}
