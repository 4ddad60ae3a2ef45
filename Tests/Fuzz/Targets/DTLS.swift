import DTLS
import SansIO

extension FuzzTarget {
    /// A server's session, fed datagrams: whatever bytes, records by their looks, those of a real client, changed, repeated and
    /// left out, before its handshake, in the middle of it and after.
    static let dtls = FuzzTarget("dtls", longest: 1_024) { input in
        var run = try DTLSRun(input)
        try run.play()
    }
}

private struct DTLSRun: ~Copyable, FuzzClock {
    private var script: FuzzScript
    private var server: DTLSSession
    private var client: DTLSSession
    var now = Timestamp.zero + .seconds(100)
    private(set) var wakeTime: Timestamp?
    private var clientWake: Timestamp?
    /// Datagrams of the client that are on their way.
    private var flight: [[UInt8]] = []
    /// What was given to the server last.
    private var last: [UInt8]?
    private var isConnected = false
    private var isOver = false

    private static let mtu = 1_200

    init(_ input: [UInt8]) throws {
        guard let server = FuzzIdentity.server, let client = FuzzIdentity.client else {
            throw FuzzFinding("no identity")
        }
        script = FuzzScript(input)
        self.server = DTLSSession(context: server, mtu: Self.mtu)
        self.client = DTLSSession(context: client, mtu: Self.mtu)
    }

    mutating func play() throws {
        let form = script.byte()
        if form & 1 == 0 { try theirs(.start) }
        if form & 3 == 0 {
            while !flight.isEmpty { try give(flight.removeFirst()) }
            try always(isConnected && client.isConnected, "an undisturbed handshake fails")
        }
        while !script.isAtEnd { try step() }
        try pass(.seconds(60))
        try always(isConnected || isOver || wakeTime == nil, "a handshake never ends")
    }

    private mutating func step() throws {
        switch script.number(below: 12) {
        case 0: try give(script.longRun())
        case 1, 2:
            let body = script.run()
            var bytes: [UInt8] = [20 + script.byte() % 8, 0xFE, 0xFD, 0, script.byte() & 1]
            bytes += [0, 0, 0, 0, 0, script.byte(), 0, UInt8(body.count)]
            try give(bytes + body)
        case 3:
            if !flight.isEmpty { try give(flight.removeFirst()) }
        case 4:
            if let first = flight.first { try give(first) }
        case 5:
            if !flight.isEmpty { flight.append(flight.removeFirst()) }
        case 6: try give(changed())
        case 7:
            let message = script.run()
            if script.byte() & 1 == 0 {
                try theirs(.send(message.span.bytes))
            } else {
                try ours(.send(message.span.bytes))
            }
        case 8: try pass(.milliseconds(Int(script.uint16() & 8_191)))
        case 9:
            guard let first = flight.first ?? last else { return }
            for bytes in script.variants(of: first) { try give(bytes) }
        case 10:
            // A record of the client's, as it is now, and what looks like it.
            let message = script.run()
            try theirs(.send(message.span.bytes))
            guard let record = flight.last ?? last else { return }
            for bytes in script.variants(of: record) { try give(bytes) }
        default:
            switch script.number(below: 8) {
            case 0: try theirs(.close)
            case 1: try ours(.close)
            case 2: try theirs(.start)
            default: if let clientWake, clientWake <= now { try theirs(.wake) }
            }
        }
    }

    /// One of the client's datagrams with some bytes changed.
    private mutating func changed() -> [UInt8] {
        guard var bytes = flight.first else { return [] }
        for _ in 0...script.number(below: 4) { bytes[Int(script.uint16()) % bytes.count] = script.byte() }
        if script.byte() & 7 == 0 { bytes.removeLast(min(bytes.count, Int(script.byte()))) }
        return bytes
    }

    private mutating func give(_ bytes: [UInt8]) throws {
        guard let first = bytes.first, (20...63).contains(first) else { return }
        last = bytes
        try ours(.datagram(bytes.span.bytes))
    }

    mutating func wake() throws { try ours(.wake) }

    private mutating func ours(_ input: borrowing DTLSInput) throws {
        FuzzTarget.feed()
        var output = DTLSOutput()
        let wasOver = isOver
        switch input {
        case .close: isOver = true
        case .start, .datagram, .send, .wake: break
        }
        wakeTime = server.handle(input, at: now, into: &output)
        try always(
            !wasOver || output.datagrams.isEmpty && output.events.isEmpty && wakeTime == nil,
            "a session that is over goes on")
        for event in output.events {
            switch event {
            case .connected:
                try always(!isConnected && !isOver, "connected twice, or after the end")
                isConnected = true
            case .closed, .failed:
                try always(!isOver, "ended twice")
                isOver = true
            }
        }
        try always(output.records.isEmpty || isConnected, "data before the handshake is complete")
        for range in output.records {
            try always(range.upperBound <= output.applicationData.count, "a record is not where it should be")
        }
        for range in output.datagrams {
            let bytes = Array(output.written[range])
            try always(!bytes.isEmpty && bytes.count <= Self.mtu, "a datagram of \(bytes.count) bytes")
            try theirs(.datagram(bytes.span.bytes))
        }
    }

    private mutating func theirs(_ input: borrowing DTLSInput) throws {
        var output = DTLSOutput()
        clientWake = client.handle(input, at: now, into: &output)
        for range in output.datagrams where flight.count < 32 {
            flight.append(Array(output.written[range]))
        }
    }
}
