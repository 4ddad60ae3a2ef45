import Credentials
import JSON
import PeerBroker
import SansIO
import TestSupport
import Wire

extension FuzzTarget {
    /// The broker, whose clients say whatever they like.
    static let broker = FuzzTarget("broker", longest: 512) { input in
        var run = BrokerRun(input)
        try run.play()
    }
}

private struct BrokerRun: FuzzClock {
    private var script: FuzzScript
    private var broker: PeerBroker
    private static let tokens: SessionTokens = {
        var generator = SeededGenerator(seed: 1)
        return SessionTokens(key: BoxKey(using: &generator))
    }()
    /// The tokens of the members there are, of each generation: signing takes longer than anything here.
    private static let issued: [[String]] = (0..<8).map { generation in
        (0..<4).map { tokens.issue(SessionClaims(id: "kl-\($0)", generation: generation)) }
    }
    var now = Timestamp.zero + .seconds(1)
    private(set) var wakeTime: Timestamp?
    private var open: [ConnectionID] = []
    private var lastNumber: UInt64 = 0
    private var generation: UInt32 = 1

    private static let types = [
        "OFFER", "ANSWER", "CANDIDATE", "LEAVE", "EXPIRE", "HEARTBEAT", "PRESENCE", "ROOM", "OPEN", "NEWS",
    ]
    private static let limits: PeerBroker.Limits = {
        var limits = PeerBroker.Limits()
        limits.connections = 4
        limits.connectionsPerAddress = 5
        limits.members = 4
        limits.waiting = 2
        limits.queuedMessages = 3
        limits.queuedDestinations = 3
        limits.queuedTotalBytes = 1000
        limits.slowReaderBytes = 1000
        return limits
    }()

    init(_ input: [UInt8]) {
        script = FuzzScript(input)
        broker = PeerBroker(
            generation: 1, tokens: Self.tokens, limits: Self.limits, generator: SeededGenerator(seed: 2))
    }

    mutating func play() throws {
        while !script.isAtEnd {
            switch script.number(below: 16) {
            case 0, 1, 2: try dial()
            case 3, 4, 5: try say(script.longRun())
            case 6, 7, 8, 9, 10: try say(message())
            case 11:
                guard let connection = anyone() else { break }
                try handle(script.byte() & 1 == 0 ? .pong(connection) : .binary(connection))
            case 12:
                guard let connection = anyone() else { break }
                try handle(.writable(connection, script.byte() & 1 == 0))
            case 13:
                guard let connection = anyone() else { break }
                open.removeAll { $0 == connection }
                try handle(.closed(connection))
            case 14: try pass(.milliseconds(Int(script.uint16())))
            default: try upheaval()
            }
        }
        try pass(.seconds(300))
        try always(broker.snapshot.queuedMessages == 0, "a message waits for ever")
    }

    private mutating func anyone() -> ConnectionID? {
        let number = script.number(below: 8)
        // Some that are gone, whose late news must not count.
        return number < open.count ? open[number] : number == 7 ? ConnectionID(1) : open.first
    }

    private mutating func anyID() -> String {
        let number = script.byte()
        return number & 0x80 == 0 ? "kl-\(number & 3)" : number & 0x40 == 0 ? "p\(number & 3)" : ""
    }

    private mutating func dial() throws {
        lastNumber += 1
        let connection = ConnectionID(lastNumber)
        let id = anyID()
        let form = script.byte()
        let generation = form & 1 == 0 ? generation : generation &- 1
        let token =
            id.hasPrefix("kl-") && form & 2 == 0
            ? Self.issued[Int(generation % 8)][Int(id.utf8.last ?? 0) & 3]
            : form & 4 == 0 ? "t\(form >> 6)" : String(decoding: script.run(), as: UTF8.self)
        let opening = PeerBroker.Opening(
            key: form & 8 == 0 ? "peerjs" : nil,
            id: form & 16 == 0 ? id : String(decoding: script.run(), as: UTF8.self),
            token: token, address: .v4(UInt32(form >> 5 & 1)))
        open.append(connection)
        try handle(.opened(connection, opening))
    }

    private mutating func say(_ text: [UInt8]) throws {
        guard let connection = anyone() else { return }
        try handle(.text(connection, text.span.bytes))
    }

    /// A frame that is well formed but for what the payload does to it.
    private mutating func message() -> [UInt8] {
        let type = script.element(of: Self.types)
        let payload = String(decoding: script.run(), as: UTF8.self)
        return Array(#"{"type":"\#(type)","src":"forged","dst":"\#(anyID())","payload":\#(payload)}"#.utf8)
    }

    mutating func wake() throws { try handle(.timer) }

    private mutating func upheaval() throws {
        switch script.number(below: 8) {
        case 0:
            generation += 1
            try handle(.rotated(generation: generation))
            try always(open.isEmpty, "somebody stays when the credentials change")
        case 1:
            try handle(.shutdown)
            try always(open.isEmpty, "somebody stays when the box goes down")
        default: _ = broker.freshPeerID()
        }
    }

    private mutating func handle(_ input: borrowing PeerBroker.Input) throws {
        var output = PeerBroker.Output()
        FuzzTarget.feed()
        wakeTime = broker.handle(input, at: now, into: &output)
        if let wakeTime { try always(wakeTime > now, "the broker wants to be called again at once") }
        let bytes = output.bytes
        for action in output.actions {
            switch action {
            case .send(let connection, let range):
                try always(open.contains(connection), "sent to a closed connection")
                let message = Array(bytes[range])
                guard let root = try? JSONValue(parsing: message.span.bytes) else {
                    throw FuzzFinding("sent what is not JSON: \(String(decoding: message, as: UTF8.self))")
                }
                let source = root.member("src", in: message.span.bytes)?.string(in: message.span.bytes)
                try always(source != "forged", "passed on a message under a forged name")
            case .ping(let connection):
                try always(open.contains(connection), "pinged a closed connection")
            case .close(let connection, _, let reason):
                try always(open.contains(connection), "closed twice")
                try always(reason.utf8.count <= 123, "RFC 6455 section 5.5: a close frame has 125 bytes at most")
                open.removeAll { $0 == connection }
            }
        }
        let snapshot = broker.snapshot
        try always(snapshot.queuedBytes <= Self.limits.queuedTotalBytes, "more waits than the limit")
        try always(snapshot.people.count <= Self.limits.members, "more members than the limit")
    }
}
