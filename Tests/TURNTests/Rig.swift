import STUN
import SansIO
import TURN
import TestSupport
import Testing
import Wire

extension IPAddress {
    static let box = IPAddress.v4(0x0A00_0001)
    static let phone = IPAddress.v4(0x0A00_0002)
    static let otherPhone = IPAddress.v4(0x0A00_0003)
    static let laptop = IPAddress.v4(0x0A00_0063)
    static let stranger = IPAddress.v4(0x0808_0808)
}

/// A datagram the server sent.
struct Sent: Equatable {
    var source: TURNOutput.Source
    var destination: TransportAddress
    var bytes: [UInt8]
}

/// A server with sockets that exist only as a set of addresses.
final class Rig {
    private(set) var server: TURNServer
    var now = Timestamp.zero + .seconds(1000)
    /// The sockets that are open.
    private(set) var relays: Set<TransportAddress> = []
    /// How many of the next attempts to open a socket fail.
    var failures = 0
    /// Whether sockets are opened at once; else ``settle()`` does.
    var opensAtOnce = true
    private var pending: [TransportAddress] = []
    private var output = TURNOutput()
    private(set) var wakeTime: Timestamp?

    static let passwords: [String: String] = ["anna": "secret", "ben": "other", "carl": "third"]

    init(seed: UInt64 = 1, _ change: (inout TURNConfiguration) -> Void = { _ in }) {
        var configuration = TURNConfiguration(
            realm: "box", software: "box", networks: [IPNetwork(.v4(0x0A00_0000), prefixLength: 24)],
            localAddresses: [.box], relayPorts: 50_000...50_099)
        change(&configuration)
        let passwords = Self.passwords
        server = TURNServer(configuration: configuration, generator: SeededGenerator(seed: seed)) { passwords[$0] }
    }

    var counters: TURNCounters { server.counters }
    var allocationCount: Int { server.allocationCount }

    func refusals(_ cause: TURNRefusal) -> UInt64 { server.counters[cause] }

    @discardableResult
    func send(_ bytes: [UInt8], from client: TransportAddress, to address: IPAddress = .box) -> [Sent] {
        run(.datagram(bytes, client, address))
    }

    @discardableResult
    func sendFromPeer(_ bytes: [UInt8], from peer: TransportAddress, to relay: TransportAddress) -> [Sent] {
        run(.peerDatagram(bytes, relay: relay, peer: peer))
    }

    func change(networks: [IPNetwork], localAddresses: [IPAddress] = [.box]) {
        let sent = run(.changed(networks, localAddresses))
        #expect(sent.isEmpty)
    }

    func dropAll() {
        let sent = run(.dropAll)
        #expect(sent.isEmpty)
    }

    /// Lets time pass, waking the server whenever it wants to be.
    func advance(_ duration: Duration) {
        let end = now + duration
        var wakes = 0
        while let time = wakeTime, time <= end {
            now = max(now, time)
            _ = run(.wake)
            wakes += 1
            #expect(wakes < 10_000, "the server wakes itself without end")
            guard wakes < 10_000 else { break }
        }
        now = end
    }

    /// Answers the requests for sockets that were left waiting.
    func settle() -> [Sent] {
        var sent: [Sent] = []
        while !pending.isEmpty {
            let relay = pending.removeFirst()
            sent += open(relay)
        }
        return sent
    }

    private func open(_ relay: TransportAddress) -> [Sent] {
        if failures > 0 {
            failures -= 1
            return run(.failed(relay))
        }
        #expect(relays.insert(relay).inserted, "\(relay) is opened twice")
        return run(.opened(relay))
    }

    private enum Event {
        case datagram([UInt8], TransportAddress, IPAddress)
        case peerDatagram([UInt8], relay: TransportAddress, peer: TransportAddress)
        case opened(TransportAddress)
        case failed(TransportAddress)
        case changed([IPNetwork], [IPAddress])
        case dropAll
        case wake
    }

    private func run(_ event: Event) -> [Sent] {
        output.removeAll()
        var bytes: [UInt8] = []
        switch event {
        case .datagram(let content, let client, let address):
            bytes = content
            wakeTime = server.handle(
                .datagram(bytes.span.bytes, client: client, server: address), at: now, into: &output)
        case .peerDatagram(let content, let relay, let peer):
            bytes = content
            wakeTime = server.handle(
                .peerDatagram(bytes.span.bytes, relay: relay, peer: peer), at: now, into: &output)
        case .opened(let relay): wakeTime = server.handle(.relayOpened(relay), at: now, into: &output)
        case .failed(let relay): wakeTime = server.handle(.relayFailed(relay), at: now, into: &output)
        case .changed(let networks, let addresses):
            wakeTime = server.handle(
                .changed(networks: networks, localAddresses: addresses), at: now, into: &output)
        case .dropAll: wakeTime = server.handle(.dropAll, at: now, into: &output)
        case .wake: wakeTime = server.handle(.wake, at: now, into: &output)
        }
        let sent = output.datagrams.map { datagram in
            let content: [UInt8] =
                switch datagram.content {
                case .written(let range): Array(output.written.bytes[range])
                case .payload(let range): Array(bytes[range])
                case .channelData(let number, let range):
                    [UInt8(number >> 8), UInt8(number & 255), UInt8(range.count >> 8), UInt8(range.count & 255)]
                        + bytes[range]
                }
            return Sent(source: datagram.source, destination: datagram.destination, bytes: content)
        }
        var answers: [Sent] = []
        for command in output.commands {
            switch command {
            case .open(let relay): pending.append(relay)
            case .close(let relay): #expect(relays.remove(relay) != nil, "\(relay) is closed but was never open")
            }
        }
        if opensAtOnce { answers = settle() }
        for datagram in sent {
            if case .relay(let relay) = datagram.source { #expect(relays.contains(relay), "sent from a closed socket") }
        }
        return sent + answers
    }
}

/// What a test reads of an answer.
struct Answer {
    var messageClass: STUNClass
    var method: STUNMethod
    var error: STUNErrorCode?
    var relayed: TransportAddress?
    var mapped: TransportAddress?
    var peer: TransportAddress?
    var lifetime: UInt32?
    var token: UInt64?
    var nonce: [UInt8]?
    var realm: String?
    var data: [UInt8]?
    var unknown: [STUNAttributeType]?
    var algorithms: [STUNPasswordAlgorithm]?
    var addressError: [UInt8]?
    var hasFingerprint: Bool
    var isIntact: Bool

    init(_ bytes: [UInt8], key: STUNKey? = nil, sha256: Bool = false) throws {
        let message = try STUNMessage(bytes.span.bytes)
        let id = message.transactionID
        messageClass = message.messageClass
        method = message.method
        error = message.first(.errorCode)?.errorCode
        relayed = message.first(.xorRelayedAddress)?.xorAddress(id)
        mapped = message.first(.xorMappedAddress)?.xorAddress(id)
        peer = message.first(.xorPeerAddress)?.xorAddress(id)
        lifetime = message.first(.lifetime)?.uint32
        token = message.first(.reservationToken)?.uint64
        nonce = message.first(.nonce)?.value.copied
        realm = message.first(.realm)?.text
        data = message.first(.data)?.value.copied
        unknown = message.first(.unknownAttributes)?.attributeTypes
        algorithms = message.first(.passwordAlgorithms)?.passwordAlgorithms
        addressError = message.first(.addressErrorCode)?.value.copied
        hasFingerprint = message.isFingerprintValid
        isIntact = key.map { sha256 ? message.isIntactSHA256(key: $0) : message.isIntact(key: $0) } ?? false
    }
}

/// The first of the datagrams, which must be there, as an answer.
func answer(_ sent: [Sent]) throws -> Answer {
    try Answer(try #require(sent.first).bytes)
}

/// A TURN client.
final class Phone {
    let rig: Rig
    var address: TransportAddress
    var username: String
    var password: String
    var nonce: [UInt8] = []
    var usesSHA256 = false
    var relayed: TransportAddress?
    private var generator: SeededGenerator

    init(_ rig: Rig, _ address: IPAddress = .phone, port: UInt16 = 1000, username: String = "anna") {
        self.rig = rig
        self.address = TransportAddress(address, port: port)
        self.username = username
        password = Rig.passwords[username] ?? "none"
        generator = SeededGenerator(seed: UInt64(port) << 32 | UInt64(username.utf8.count))
    }

    var key: STUNKey {
        get throws {
            try #require(
                STUNKey(
                    longTerm: usesSHA256 ? .sha256 : .md5, username: username, realm: "box", password: password))
        }
    }

    /// Fetches a nonce as a client does, by a request without credentials.
    func challenge() throws {
        var writer = STUNWriter(.request, .allocate, TransactionID(using: &generator))
        writer.append(.requestedTransport, bytes: [17, 0, 0, 0])
        let sent = rig.send(writer.finish().bytes, from: address)
        let answer = try answer(sent)
        #expect(answer.error == .unauthenticated && answer.realm == "box")
        nonce = try #require(answer.nonce)
    }

    func message(
        _ method: STUNMethod, id: TransactionID? = nil, fingerprint: Bool = false,
        _ body: (inout STUNWriter) -> Void = { _ in }
    ) throws -> [UInt8] {
        var writer = STUNWriter(.request, method, id ?? TransactionID(using: &generator))
        body(&writer)
        writer.append(.username, text: username)
        writer.append(.realm, text: "box")
        writer.append(.nonce, bytes: nonce)
        if usesSHA256 {
            writer.append(.passwordAlgorithms, algorithms: [.sha256, .md5])
            writer.append(.passwordAlgorithm, algorithms: [.sha256])
            writer.appendIntegritySHA256(key: try key)
        } else {
            writer.appendIntegrity(key: try key)
        }
        if fingerprint { writer.appendFingerprint() }
        return writer.finish().bytes
    }

    /// Sends a request and reads its answer, which must be the only datagram and come from where the request went.
    @discardableResult
    func request(
        _ method: STUNMethod, id: TransactionID? = nil, fingerprint: Bool = false,
        _ body: (inout STUNWriter) -> Void = { _ in }
    ) throws -> Answer {
        let sent = rig.send(try message(method, id: id, fingerprint: fingerprint, body), from: address)
        try #require(sent.count == 1)
        #expect(sent[0].source == .server(.box) && sent[0].destination == address)
        return try Answer(sent[0].bytes, key: try key, sha256: usesSHA256)
    }

    @discardableResult
    func allocate(
        id: TransactionID? = nil, fingerprint: Bool = false, _ body: (inout STUNWriter) -> Void = { _ in }
    ) throws -> Answer {
        if nonce.isEmpty { try challenge() }
        let answer = try request(.allocate, id: id, fingerprint: fingerprint) {
            $0.append(.requestedTransport, bytes: [17, 0, 0, 0])
            body(&$0)
        }
        if let relayed = answer.relayed { self.relayed = relayed }
        return answer
    }

    @discardableResult
    func permit(_ peers: TransportAddress...) throws -> Answer {
        try request(.createPermission) { for peer in peers { $0.append(.xorPeerAddress, xorAddress: peer) } }
    }

    @discardableResult
    func bind(_ number: UInt16, _ peer: TransportAddress) throws -> Answer {
        try request(.channelBind) {
            $0.append(.channelNumber, bytes: [UInt8(number >> 8), UInt8(number & 255), 0, 0])
            $0.append(.xorPeerAddress, xorAddress: peer)
        }
    }

    func sendIndication(_ data: [UInt8], to peer: TransportAddress) -> [Sent] {
        var writer = STUNWriter(.indication, .send, TransactionID(using: &generator))
        writer.append(.xorPeerAddress, xorAddress: peer)
        writer.append(.data, bytes: data)
        return rig.send(writer.finish().bytes, from: address)
    }

    func sendChannelData(_ number: UInt16, _ data: [UInt8], padding: Int = 0) -> [Sent] {
        rig.send(channelData(number, data) + [UInt8](repeating: 0, count: padding), from: address)
    }
}

func channelData(_ number: UInt16, _ data: [UInt8]) -> [UInt8] {
    [UInt8(number >> 8), UInt8(number & 255), UInt8(data.count >> 8), UInt8(data.count & 255)] + data
}
