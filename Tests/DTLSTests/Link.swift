import DTLS
import SansIO
import TestSupport
import Testing

/// What a link does to datagrams.
struct Disturbance {
    /// The part lost, doubled, and held up by up to `delay`, which reorders.
    var loss = 0.0
    var duplication = 0.0
    var reordering = 0.0
    var delay = Duration.milliseconds(300)
}

/// A client and a server on a link in virtual time.
final class Link {
    enum Side { case client, server }

    struct Datagram {
        var arrival: Timestamp
        var destination: Side
        var bytes: [UInt8]
    }

    struct Witness {
        var events: [DTLSEvent] = []
        var received: [[UInt8]] = []
        var sent: [[UInt8]] = []
        var deadline: Timestamp?
        var peer: DTLSPeer? {
            for case .connected(let peer) in events { return peer }
            return nil
        }
    }

    var client: DTLSSession
    var server: DTLSSession
    var ofClient = Witness()
    var ofServer = Witness()
    var now = Timestamp(nanoseconds: 1_000_000_000)
    var calls = 0
    var disturbance: Disturbance
    /// Whether to lose a datagram: destination, and its number among those to that side.
    var loses: (Side, Int) -> Bool = { _, _ in false }
    private var inFlight: [Datagram] = []
    private var generator: SeededGenerator

    init(
        _ contexts: (client: DTLSContext, server: DTLSContext), _ disturbance: Disturbance = Disturbance(),
        seed: UInt64 = 0, mtu: Int = 1_200
    ) {
        client = DTLSSession(context: contexts.client, mtu: mtu)
        server = DTLSSession(context: contexts.server, mtu: mtu)
        self.disturbance = disturbance
        generator = SeededGenerator(seed: seed)
    }

    static func contexts(
        srtpProfiles: [SRTPProfile] = SRTPProfile.allCases, limits: DTLSLimits = DTLSLimits()
    ) throws -> (client: DTLSContext, server: DTLSContext) {
        (
            try DTLSContext(identity: .generate(), role: .client, srtpProfiles: srtpProfiles, limits: limits),
            try DTLSContext(identity: .generate(), role: .server, srtpProfiles: srtpProfiles, limits: limits)
        )
    }

    func give(_ input: borrowing DTLSInput, to side: Side) {
        var output = DTLSOutput()
        calls += 1
        let deadline: Timestamp?
        switch side {
        case .client: deadline = client.handle(input, at: now, into: &output)
        case .server: deadline = server.handle(input, at: now, into: &output)
        }
        // A deadline that has passed would make its caller loop.
        if let deadline { #expect(deadline > now) }
        var witness = side == .client ? ofClient : ofServer
        witness.deadline = deadline
        witness.events += output.events
        witness.received += output.records.map { Array(output.applicationData[$0]) }
        let other: Side = side == .client ? .server : .client
        for range in output.datagrams {
            #expect(range.count <= 1_200)
            let bytes = Array(output.written[range])
            send(bytes, to: other, number: witness.sent.count)
            witness.sent.append(bytes)
        }
        if side == .client { ofClient = witness } else { ofServer = witness }
    }

    func send(_ text: String, from side: Side) {
        let bytes = Array(text.utf8)
        give(.send(bytes.span.bytes), to: side)
    }

    private func send(_ bytes: [UInt8], to side: Side, number: Int) {
        guard !loses(side, number), !happens(disturbance.loss) else { return }
        for _ in 0..<(happens(disturbance.duplication) ? 2 : 1) {
            var delay = Duration.milliseconds(2)
            if happens(disturbance.reordering) {
                delay += .nanoseconds(Int64.random(in: 0...disturbance.delay.wholeNanoseconds, using: &generator))
            }
            inFlight.append(Datagram(arrival: now + delay, destination: side, bytes: bytes))
        }
    }

    private func happens(_ probability: Double) -> Bool {
        Double.random(in: 0..<1, using: &generator) < probability
    }

    /// Lets time pass until nothing is to be done any more, or the time is over.
    func run(for duration: Duration = .seconds(120)) {
        let end = now + duration
        while true {
            let next = inFlight.indices.min { inFlight[$0].arrival < inFlight[$1].arrival }
            let times = [next.map { inFlight[$0].arrival }, ofClient.deadline, ofServer.deadline]
            guard let time = times.compactMap(\.self).min(), time <= end else { break }
            now = max(now, time)
            if let next, inFlight[next].arrival == time {
                let datagram = inFlight.remove(at: next)
                give(.datagram(datagram.bytes.span.bytes), to: datagram.destination)
            } else {
                give(.wake, to: ofClient.deadline == time ? .client : .server)
            }
        }
        now = end
    }

    var isClientConnected: Bool { client.isConnected }
    var isServerConnected: Bool { server.isConnected }
    var isConnected: Bool { isClientConnected && isServerConnected }
}
