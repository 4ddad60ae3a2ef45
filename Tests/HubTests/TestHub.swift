import Credentials
import Foundation
import Hub
import SansIO
import TestSupport
import Testing

/// A hub in virtual time, and what its clients have got.
struct TestHub {
    var hub: Hub
    var now = Timestamp(nanoseconds: 1_000_000_000)
    /// The frames of each connection, as text.
    var inboxes: [HubConnection: [String]] = [:]
    var closed: [HubConnection: Hub.CloseReason] = [:]
    var events: [Hub.Event] = []
    var reserved: Int64
    var deadline: Timestamp?
    private var output = Hub.Output()
    private var lastConnection: UInt64 = 0
    static let tokens: HubTokens = {
        var generator = SeededGenerator(seed: 1)
        return HubTokens(key: BoxKey(using: &generator))
    }()
    let limits: Hub.Limits
    private var retired: [String] = []

    init(limits: Hub.Limits = Hub.Limits()) {
        self.limits = limits
        reserved = 1024
        hub = Hub(ids: 1...1024, retired: [], tokens: Self.tokens, limits: limits)
    }

    /// The box loses power: the hub knows nobody, and begins above the ids that were set aside.
    mutating func reboot() {
        hub = Hub(ids: (reserved + 1)...(reserved + 1024), retired: retired, tokens: Self.tokens, limits: limits)
        reserved += 1024
        deadline = nil
    }

    mutating func handle(_ input: borrowing HubInput) {
        deadline = hub.handle(input, at: now, into: &output)
        for action in output.actions {
            switch action {
            case .send(let connection, let range):
                #expect(closed[connection] == nil, "nothing is sent on a connection the hub has closed")
                inboxes[connection, default: []].append(String(decoding: output.bytes[range], as: UTF8.self))
            case .close(let connection, let reason):
                #expect(closed.updateValue(reason, forKey: connection) == nil, "closed twice")
            }
        }
        for event in output.events {
            if case .idsReserved(let through) = event { reserved = through }
        }
        events += output.events
        output.removeAll()
    }

    /// Lets time pass, calling the hub when it wants to be called.
    mutating func pass(_ duration: Duration) {
        let end = now + duration
        while let deadline, deadline <= end {
            now = max(now, deadline)
            handle(.wake)
            if let next = self.deadline, next <= now { break }
        }
        now = end
    }

    mutating func open() -> HubConnection {
        lastConnection += 1
        let connection = HubConnection(lastConnection)
        handle(.opened(connection))
        return connection
    }

    mutating func send(_ text: String, on connection: HubConnection) {
        let bytes = Array(text.utf8)
        handle(.frame(connection, bytes.span.bytes))
    }

    mutating func close(_ connection: HubConnection) { handle(.closed(connection)) }

    mutating func retire(_ secret: String) {
        retired.append(secret)
        handle(.rotated(retired: secret))
    }

    /// Takes the frames that came on a connection.
    mutating func take(_ connection: HubConnection) -> [String] {
        defer { inboxes[connection] = nil }
        return inboxes[connection] ?? []
    }

    /// Takes the frames that came on a connection, and reads the first one.
    mutating func firstFrame(_ connection: HubConnection) throws -> Frame {
        let text = take(connection).first
        return try Frame(#require(text))
    }

    /// Takes the frames that came on a connection, and reads the last one.
    mutating func lastFrame(_ connection: HubConnection) throws -> Frame {
        let text = take(connection).last
        return try Frame(#require(text))
    }

    /// Opens a connection, joins, and answers what its `id` frame says.
    mutating func join(_ room: String, resumable: Bool = false) throws -> (
        connection: HubConnection, id: Int, token: String
    ) {
        let connection = open()
        let first = try firstFrame(connection)
        let token = try #require(first.object["resume"] as? String)
        send(
            resumable
                ? #"{"t":"join","room":"\#(room)","resume":"\#(token)"}"# : #"{"t":"join","room":"\#(room)"}"#,
            on: connection)
        let answer = take(connection)
        #expect(answer.count == (resumable ? 1 : 0), "join is answered only to those who can come back: \(answer)")
        return (connection, try #require(first.id), token)
    }

    /// Comes back on a new connection.
    mutating func resume(_ token: String, room: String, last: Int? = nil) -> HubConnection {
        let connection = open()
        _ = take(connection)
        let tail = last.map { #","last":\#($0)"# } ?? ""
        send(#"{"t":"join","room":"\#(room)","resume":"\#(token)"\#(tail)}"#, on: connection)
        return connection
    }

    func drops(_ cause: Hub.DropCause) -> UInt64 { hub.counters.drops(cause) }
}

/// A frame from the hub, read by a parser of somebody else's.
struct Frame {
    let object: [String: Any]

    init(_ text: String) throws {
        object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
    }

    var t: String? { object["t"] as? String }
    var id: Int? { object["id"] as? Int }
    var seq: Int? { object["seq"] as? Int }
    var next: Int? { object["next"] as? Int }
    var reason: String? { object["reason"] as? String }
}
