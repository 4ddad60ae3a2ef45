import Credentials
import JSON
import SansIO
import TestSupport
import Testing
import Wire

@testable import PeerBroker

/// A broker with clients on virtual sockets and in virtual time. Sockets answer pings unless told otherwise.
final class TestBox {
    struct Closing: Equatable {
        let code: CloseCode
        let reason: String

        init(_ code: CloseCode, _ reason: String) {
            self.code = code
            self.reason = reason
        }
    }

    /// What a client's end of a socket has seen.
    struct Socket {
        var received: [String] = []
        var pings = 0
        var closing: Closing?
        var answersPings = true
    }

    static let lan = IPAddress.v4(0x0A00_0001)

    var broker: PeerBroker
    let tokens: SessionTokens
    private(set) var now = Timestamp(nanoseconds: 1_000_000_000)
    private(set) var wake: Timestamp?
    var sockets: [ConnectionID: Socket] = [:]
    var events: [PeerBroker.Event] = []
    private var lastNumber: UInt64 = 0

    init(limits: PeerBroker.Limits = .init(), generation: UInt32 = 1) {
        var generator = SeededGenerator(seed: 7)
        tokens = SessionTokens(key: BoxKey(using: &generator))
        broker = PeerBroker(generation: generation, tokens: tokens, limits: limits, generator: generator)
    }

    // MARK: Inputs

    func input(_ input: borrowing PeerBroker.Input) {
        var output = PeerBroker.Output()
        wake = broker.handle(input, at: now, into: &output)
        if let wake { #expect(wake > now, "the broker wants to be called again at once") }
        events += output.events
        var pongs: [ConnectionID] = []
        for action in output.actions {
            switch action {
            case .send(let connection, let range):
                #expect(sockets[connection] != nil && sockets[connection]?.closing == nil, "sent to a closed socket")
                let message = Array(output.bytes[range])
                #expect(JSONText(message) != nil, "not JSON: \(String(decoding: message, as: UTF8.self))")
                sockets[connection]?.received.append(String(decoding: message, as: UTF8.self))
            case .ping(let connection):
                #expect(sockets[connection]?.closing == nil, "pinged a closed socket")
                sockets[connection]?.pings += 1
                if sockets[connection]?.answersPings == true { pongs.append(connection) }
            case .close(let connection, let code, let reason):
                #expect(sockets[connection]?.closing == nil, "closed twice")
                #expect(reason.utf8.count <= 123, "RFC 6455 section 5.5: a close frame has 125 bytes at most")
                sockets[connection]?.closing = Closing(code, reason)
            }
        }
        for connection in pongs { self.input(.pong(connection)) }
    }

    @discardableResult
    func open(
        _ id: String?, token: String? = "t", key: String? = "peerjs", from address: IPAddress = TestBox.lan,
        answersPings: Bool = true
    ) -> ConnectionID {
        lastNumber += 1
        let connection = ConnectionID(lastNumber)
        sockets[connection] = Socket(answersPings: answersPings)
        input(.opened(connection, .init(key: key, id: id, token: token, version: "1.5.5", address: address)))
        return connection
    }

    /// Opens the connection of a member.
    @discardableResult
    func join(
        _ name: String, generation: UInt32 = 1, from address: IPAddress = TestBox.lan, answersPings: Bool = true
    ) -> ConnectionID {
        let id = "kl-\(name)"
        return open(
            id, token: tokens.issue(SessionClaims(id: id, generation: generation)), from: address,
            answersPings: answersPings)
    }

    func say(_ connection: ConnectionID, _ text: String) {
        let bytes = Array(text.utf8)
        input(.text(connection, bytes.span.bytes))
    }

    func say(_ connection: ConnectionID, bytes: [UInt8]) { input(.text(connection, bytes.span.bytes)) }

    /// The client's end is lost, and the shell sees it.
    func lose(_ connection: ConnectionID) { input(.closed(connection)) }

    /// Lets time pass, calling the broker whenever it asked to be.
    func pass(_ duration: Duration) {
        let end = now + duration
        while let wake, wake <= end {
            now = max(now, wake)
            input(.timer)
        }
        now = end
    }

    /// Lets time pass in which the box itself is stalled.
    func stall(_ duration: Duration) { now = now + duration }

    // MARK: What came of it

    /// What a socket has received since it was last asked.
    func take(_ connection: ConnectionID) -> [String] {
        defer { sockets[connection]?.received = [] }
        return sockets[connection]?.received ?? []
    }

    /// Forgets what all sockets have received.
    func takeAll() {
        for connection in sockets.keys { sockets[connection]?.received = [] }
    }

    func closing(_ connection: ConnectionID) -> Closing? { sockets[connection]?.closing }

    func isOpen(_ connection: ConnectionID) -> Bool { sockets[connection]?.closing == nil }

    func drops(_ cause: PeerBroker.DropCause) -> UInt64 { broker.snapshot.counters.drops(cause) }

    /// The latest roster a member was sent.
    func latestRoster(_ connection: ConnectionID) -> Roster? {
        sockets[connection]?.received.last { $0.hasPrefix(#"{"type":"ROOM""#) }.flatMap(Roster.init)
    }

    /// The people of the latest roster a member was sent, as `name` or `name(away)`.
    func roster(_ connection: ConnectionID) -> [String]? { latestRoster(connection)?.names }
}

/// A roster, read from its message.
struct Roster {
    var generation: Int64?
    var you: String?
    var people: [(id: String, name: String, camera: Bool?, microphone: Bool?, away: Bool?)] = []

    var names: [String] { people.map { $0.id.dropFirst(3) + ($0.away == true ? "(away)" : "") } }

    init?(_ message: String) {
        guard let text = JSONText(Array(message.utf8)), text.string("type") == "ROOM",
            let payload = text.root.member("payload", in: text.bytes.span.bytes)
        else { return nil }
        let bytes = text.bytes
        generation = payload.member("generation", in: bytes.span.bytes)?.integer(in: bytes.span.bytes)
        you = payload.member("you", in: bytes.span.bytes)?.string(in: bytes.span.bytes)
        payload.member("people", in: bytes.span.bytes)?.forEachElement(in: bytes.span.bytes) { person in
            func string(_ name: StaticString) -> String {
                person.member(name, in: bytes.span.bytes)?.string(in: bytes.span.bytes) ?? "?"
            }
            func bool(_ name: StaticString) -> Bool? { person.member(name, in: bytes.span.bytes)?.bool }
            people.append((string("id"), string("name"), bool("camera"), bool("microphone"), bool("away")))
        }
    }
}

/// A JSON text and its root.
struct JSONText {
    let bytes: [UInt8]
    let root: JSONValue

    init?(_ bytes: [UInt8]) {
        guard let root = try? JSONValue(parsing: bytes.span.bytes) else { return nil }
        self.bytes = bytes
        self.root = root
    }

    func string(_ name: StaticString) -> String? {
        root.member(name, in: bytes.span.bytes)?.string(in: bytes.span.bytes)
    }
}

let open = #"{"type":"OPEN"}"#
let idTaken = #"{"type":"ID-TAKEN","payload":{"msg":"ID is taken"}}"#

func error(_ message: String) -> String { #"{"type":"ERROR","payload":{"msg":"\#(message)"}}"# }

func offer(to id: String, _ payload: String = "1") -> String {
    #"{"type":"OFFER","dst":"\#(id)","payload":\#(payload)}"#
}

/// The form in which `offer` arrives.
func offered(by source: String, to id: String, _ payload: String = "1") -> String {
    #"{"src":"\#(source)","type":"OFFER","dst":"\#(id)","payload":\#(payload)}"#
}

func expire(_ source: String, to destination: String) -> String {
    #"{"type":"EXPIRE","src":"\#(source)","dst":"\#(destination)"}"#
}
