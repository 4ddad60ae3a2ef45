import Credentials
import Hub
import JSON
import SansIO
import TestSupport

extension FuzzTarget {
    /// The hub, whose clients say whatever they like, drop and come back.
    static let hub = FuzzTarget("hub", longest: 512) { input in
        var run = HubRun(input)
        try run.play()
    }
}

private struct HubRun: FuzzClock {
    private var script: FuzzScript
    private var hub: Hub
    private var output = Hub.Output()
    var now = Timestamp.zero + .seconds(1)
    private(set) var wakeTime: Timestamp?
    private var open: [HubConnection] = []
    private var lastNumber: UInt64 = 0
    /// The last id that was set aside.
    private var reserved: Int64 = 16
    /// The id that each connection was told last.
    private var ids: [HubConnection: Int64] = [:]

    private static let tokens: HubTokens = {
        var generator = SeededGenerator(seed: 1)
        return HubTokens(key: BoxKey(using: &generator))
    }()
    /// The tokens of the first ids: signing takes longer than anything here.
    private static let issued = (0..<32).map { tokens.issue(id: Int64($0)) }
    private static let limits: Hub.Limits = {
        var limits = Hub.Limits()
        limits.clients = 6
        limits.members = 3
        limits.rooms = 3
        limits.roomBytes = 16
        limits.retired = 2
        limits.frameBytes = 600
        limits.frameDepth = 8
        limits.slowReaderBytes = 500
        limits.keptMessages = 4
        limits.keptBytes = 400
        limits.keptTotalBytes = 1_000
        limits.framesOverRate = 20
        limits.frameBurst = 50
        limits.idReserve = 8
        return limits
    }()

    init(_ input: [UInt8]) {
        script = FuzzScript(input)
        hub = Hub(ids: 1...16, retired: ["old"], tokens: Self.tokens, limits: Self.limits)
    }

    mutating func play() throws {
        while !script.isAtEnd {
            switch script.number(below: 16) {
            case 0, 1:
                lastNumber += 1
                let connection = HubConnection(lastNumber)
                open.append(connection)
                try handle(.opened(connection))
            case 2, 3: try say(script.longRun())
            case 4...10: try say(frame())
            case 11:
                guard let connection = anyone() else { break }
                open.removeAll { $0 == connection }
                try handle(.closed(connection))
            case 12:
                guard let connection = anyone() else { break }
                try handle(.writable(connection, script.byte() & 1 == 0))
            case 13: try handle(.rotated(retired: room()))
            case 14:
                guard let connection = anyone() else { break }
                if script.byte() & 1 == 0 {
                    try handle(.sendRefused(connection))
                } else {
                    try handle(.binary(connection))
                }
            default: try pass(.milliseconds(Int(script.uint16())))
            }
        }
        for connection in open { try handle(.closed(connection)) }
        try pass(.seconds(120))
        let snapshot = hub.snapshot
        try always(
            snapshot.clients == 0 && snapshot.absent == 0 && snapshot.rooms == 0 && snapshot.keptBytes == 0,
            "something is left of clients that are gone: \(snapshot)")
    }

    private mutating func anyone() -> HubConnection? {
        let number = script.number(below: 8)
        // One that is gone, whose late news must not count.
        return number < open.count ? open[number] : number == 7 ? HubConnection(1) : open.first
    }

    private mutating func room() -> String {
        script.element(of: ["a", "b", "c", "", "old", "much too long a room's name"])
    }

    private mutating func say(_ frame: [UInt8]) throws {
        guard let connection = anyone() else { return }
        try handle(.frame(connection, frame.span.bytes))
    }

    /// A frame that is well formed but for what the payload does to it.
    private mutating func frame() -> [UInt8] {
        let text =
            switch script.number(below: 8) {
            case 0: #"{"t":"join","room":"\#(room())"}"#
            case 1, 2:
                #"{"t":"join","room":"\#(room())","resume":"\#(token())","last":\#(Int(script.byte()) - 1)}"#
            case 3: #"{"t":"peers"}"#
            case 4: #"{"t":"ack","seq":\#(script.byte())}"#
            case 5: #"{"t":"echo","x":\#(String(decoding: script.run(), as: UTF8.self))}"#
            default:
                #"{"t":"to","id":\#(script.byte() & 15),"payload":\#(String(decoding: script.run(), as: UTF8.self))}"#
            }
        return Array(text.utf8)
    }

    private mutating func token() -> String {
        let id = Int64(script.byte() & 31)
        return id == 0 ? "forged" : Self.issued[Int(id)]
    }

    mutating func wake() throws { try handle(.wake) }

    private mutating func handle(_ input: borrowing HubInput) throws {
        output.removeAll()
        FuzzTarget.feed()
        wakeTime = hub.handle(input, at: now, into: &output)
        for event in output.events {
            if case .idsReserved(let through) = event { reserved = max(reserved, through) }
        }
        for action in output.actions {
            switch action {
            case .send(let connection, let range):
                try always(open.contains(connection), "sent to a closed connection")
                try always(range.count <= Self.limits.frameBytes, "a frame is longer than the limit")
                let frame = Array(output.bytes[range])
                guard let root = try? JSONValue(parsing: frame.span.bytes, maximumDepth: 64) else {
                    throw FuzzFinding("sent what is not JSON: \(String(decoding: frame, as: UTF8.self))")
                }
                guard root.member("t", in: frame.span.bytes)?.isString("id", in: frame.span.bytes) == true,
                    let id = root.member("id", in: frame.span.bytes)?.integer(in: frame.span.bytes)
                else { break }
                ids[connection] = id
            case .close(let connection, _):
                try always(open.contains(connection), "closed twice")
                open.removeAll { $0 == connection }
            }
        }
        let held = open.compactMap { ids[$0] }
        try always(Set(held).count == held.count, "two connections have one id: \(held)")
        try always(held.allSatisfy { $0 >= 1 && $0 <= max(reserved, 31) }, "an id that was not set aside: \(held)")
        let snapshot = hub.snapshot
        try always(snapshot.clients + snapshot.absent <= Self.limits.clients, "more clients than the limit")
        try always(snapshot.rooms <= Self.limits.rooms, "more rooms than the limit")
        try always(
            snapshot.keptBytes <= Self.limits.keptTotalBytes && snapshot.keptBytes >= 0, "more is kept than the limit")
    }
}
