import Credentials
import DTLS
import DataChannel
import Hub
import ICE
import LANHub
import SansIO
import TestSupport
import WebRTCClient
import WebRTCDirect
import Wire

/// A box with its whole LAN hub and a few phones in one room of it, in virtual time, over links that lose, delay, double and
/// reorder datagrams. Phones move, fall silent, vanish and dial anew, are loaded anew; the box restarts. All of it follows from
/// one number.
///
/// What must hold: a phone that comes back has its id again; each message from one to another arrives once and in order, and
/// if any is missing the receiver is told of a gap, which may only be after a restart of the box or a long absence; texts on the
/// channel `room` come and go in order.
public struct HubSimulation {
    /// What happened, to see that simulations do what they are for, and the same each time.
    public struct Summary: Sendable, Equatable {
        /// Times a phone got connected.
        public var connections = 0
        /// Times a phone came back into the room.
        public var returns = 0
        /// Messages from one phone to another that arrived.
        public var messages = 0
        /// Times a phone was told that messages are missing.
        public var gaps = 0
        /// Texts that came back on the channel `room`.
        public var texts = 0
        /// Times a phone's new address was taken up.
        public var moves = 0
        /// Times the box restarted.
        public var restarts = 0
        /// Datagrams sent.
        public var datagrams = 0
        /// Datagrams that the links lost.
        public var lost = 0
        /// When it was over, in nanoseconds.
        public var end: UInt64 = 0

        /// Nothing happened yet.
        public init() {}

        /// Adds what happened in another simulation; the later end counts.
        public static func += (lhs: inout Summary, rhs: Summary) {
            lhs.connections += rhs.connections
            lhs.returns += rhs.returns
            lhs.messages += rhs.messages
            lhs.gaps += rhs.gaps
            lhs.texts += rhs.texts
            lhs.moves += rhs.moves
            lhs.restarts += rhs.restarts
            lhs.datagrams += rhs.datagrams
            lhs.lost += rhs.lost
            lhs.end = max(lhs.end, rhs.end)
        }
    }

    /// Something that is due at a time.
    enum Event {
        case toBox(from: TransportAddress, [UInt8])
        case toPhone(Int, to: TransportAddress, [UInt8])
        case dial(Int, isLoadedAnew: Bool)
        case send(from: Int, to: Int, padding: Int)
        case sendToRoom(Int)
        case move(Int)
        case silence(Int, Duration)
        case vanish(Int, for: Duration, isLoadedAnew: Bool)
        case closeRoom(Int)
        case restart
    }

    let seed: UInt64
    let certificates: Simulation.Certificates
    let credentials: ICECredentials
    let tokens: HubTokens
    var generator: SeededGenerator
    var now = Timestamp(nanoseconds: 1_000_000_000)
    var agenda = Agenda<Event>()
    var box: Box
    /// The last id that may be given out before the box restarts.
    var reservedIDs: Int64 = 0
    var output = LANHubOutput()
    var wake: Timestamp?
    var phones: [HubPhone] = []
    var phoneByAddress: [TransportAddress: Int] = [:]
    /// Who is at the other end of the channels `room`, and how many texts came on each.
    var rooms: [RoomConnection: (phone: Int, texts: Int)] = [:]
    var summary = Summary()
    static let boxAddress = IPAddress.v4(0x0A00_0001)

    /// The hub, on the heap, since a simulation can be copied and it cannot.
    final class Box {
        var hub: LANHub
        init(_ hub: consuming LANHub) { self.hub = hub }
    }

    /// Runs one simulation.
    /// - Parameters:
    ///   - seed: what it follows from.
    ///   - certificates: shared, since they take long to make.
    /// - Throws: ``Simulation/Failure`` when something was not as it must be.
    public static func run(seed: UInt64, _ certificates: Simulation.Certificates) throws -> Summary {
        var simulation = try HubSimulation(seed: seed, certificates)
        try simulation.run()
        return simulation.summary
    }

    private init(seed: UInt64, _ certificates: Simulation.Certificates) throws {
        self.seed = seed
        self.certificates = certificates
        generator = SeededGenerator(seed: seed)
        guard let credentials = ICECredentials(fragment: "boxfrag1", password: "boxpasswordboxpassword12") else {
            throw Simulation.Failure(seed: seed, description: "the box's credentials are none")
        }
        self.credentials = credentials
        tokens = HubTokens(key: BoxKey(using: &generator))
        box = Self.box(certificates, credentials, tokens, after: 0, seed: generator.next())
        reservedIDs = Self.firstReserve
        let count = Int.random(in: 2...4, using: &generator)
        for index in 0..<count { addPhone(index) }
        for index in 0..<count { plan(index, among: count) }
        for _ in 0..<max(0, Int.random(in: -3...2, using: &generator)) {
            agenda.add(.restart, at: moment(5_000...40_000))
        }
    }

    private static let firstReserve: Int64 = 64

    static func box(
        _ certificates: Simulation.Certificates, _ credentials: ICECredentials, _ tokens: HubTokens, after id: Int64,
        seed: UInt64
    ) -> Box {
        let identity = EndpointIdentity(.own, credentials: credentials, context: certificates.box)
        return Box(
            LANHub(
                endpoint: EndpointConfiguration(acceptance: EndpointAcceptance(identities: [identity])),
                hub: Hub(ids: (id + 1)...(id + firstReserve), retired: [], tokens: tokens), hasEcho: false,
                generator: SharedGenerator(seed: seed)))
    }

    /// The box loses power and is back at once: it knows nobody, and begins above the ids that were set aside.
    mutating func restart() {
        box = Self.box(certificates, credentials, tokens, after: reservedIDs, seed: generator.next())
        reservedIDs += Self.firstReserve
        wake = nil
        rooms = [:]
        // Its numbers begin anew.
        for phone in phones { phone.room = nil }
        summary.restarts += 1
    }

    // MARK: What is to happen

    private mutating func moment(_ milliseconds: ClosedRange<Int>) -> Timestamp {
        now + .milliseconds(Int.random(in: milliseconds, using: &generator))
    }

    private mutating func addPhone(_ index: Int) {
        let character = LinkCharacter(using: &generator)
        let phone = HubPhone(
            index, client: client(of: index, dial: 0),
            address: TransportAddress(.v4(0xC0A8_0002 + UInt32(index)), port: 40_000),
            up: Link(character, seed: generator.next()), down: Link(character, seed: generator.next()))
        phones.append(phone)
        agenda.add(.dial(index, isLoadedAnew: false), at: moment(0...500))
    }

    mutating func client(of index: Int, dial: Int) -> WebRTCClient {
        var configuration = ClientConfiguration(
            fragment: "phone\(index)x\(dial)", remote: credentials, context: certificates.phone,
            fingerprint: certificates.boxFingerprint)
        // As Chromium does, or as Firefox.
        configuration.checkInterval = index % 2 == 0 ? .milliseconds(2_500) : .seconds(5)
        return WebRTCClient(configuration: configuration, generator: SharedGenerator(seed: generator.next()))
    }

    private mutating func plan(_ index: Int, among count: Int) {
        for other in 0..<count {
            for _ in 0..<Int.random(in: 0...12, using: &generator) {
                let padding =
                    Int.random(in: 0..<20, using: &generator) == 0
                    ? Int.random(in: 2_000...40_000, using: &generator) : 0
                agenda.add(.send(from: index, to: other, padding: padding), at: moment(2_000...60_000))
            }
        }
        for _ in 0..<Int.random(in: 0...6, using: &generator) {
            agenda.add(.sendToRoom(index), at: moment(2_000...60_000))
        }
        for _ in 0..<max(0, Int.random(in: -2...3, using: &generator)) {
            let length = Duration.milliseconds(
                Int.random(in: 0..<8, using: &generator) == 0
                    ? Int.random(in: 20_000...50_000, using: &generator) : Int.random(in: 0...10_000, using: &generator)
            )
            let isLoadedAnew = Int.random(in: 0..<5, using: &generator) == 0
            agenda.add(.vanish(index, for: length, isLoadedAnew: isLoadedAnew), at: moment(4_000...50_000))
        }
        for _ in 0..<max(0, Int.random(in: -2...2, using: &generator)) {
            agenda.add(.move(index), at: moment(4_000...60_000))
        }
        if Int.random(in: 0..<4, using: &generator) == 0 {
            let length = Duration.milliseconds(Int.random(in: 200...12_000, using: &generator))
            agenda.add(.silence(index, length), at: moment(4_000...50_000))
        }
        if Int.random(in: 0..<8, using: &generator) == 0 { agenda.add(.closeRoom(index), at: moment(4_000...60_000)) }
    }

    // MARK: Running

    /// No simulation needs as many steps; one that does goes round in circles.
    private static let stepLimit = 400_000
    /// By then everything has arrived.
    private static let end = Timestamp(nanoseconds: 300_000_000_000)
    /// Before it something may still be planned.
    private static let lastPlan = Timestamp(nanoseconds: 62_000_000_000)

    private mutating func run() throws {
        for _ in 0..<Self.stepLimit {
            if now > Self.lastPlan, isComplete {
                summary.end = now.nanoseconds
                return
            }
            // Whoever is due first; of those due together the box, then the phones in their order.
            var next = agenda.next ?? Timestamp(nanoseconds: .max)
            var who = -2
            if let wake, wake <= next { (next, who) = (wake, -1) }
            for phone in phones {
                if let wake = phone.wake, wake < next { (next, who) = (wake, phone.index) }
            }
            guard next <= Self.end else { throw failure("not everything has arrived: \(lack)") }
            now = max(now, next)
            switch who {
            case -2: try happen(agenda.removeFirst())
            case -1: try tellBox(.wake)
            default: try tell(phones[who], .wake)
            }
        }
        throw failure("more than \(Self.stepLimit) steps")
    }

    private var isComplete: Bool { phones.allSatisfy { $0.isIn } && lack.isEmpty }

    /// What is yet to come, in words.
    private var lack: [String] {
        phones.flatMap { phone in
            phones.filter { !phone.hasAll(of: $0) }.map {
                "phone \(phone.index) has \(phone.heard[$0.index].map { "\($0)" } ?? "nothing") of phone \($0.index), which sent "
                    + "\($0.sent[phone.index] ?? 0) in dial \($0.dial)"
            }
                + (phone.isRoomOpen && !phone.isRoomClosed && phone.roomHeard < phone.roomSent
                    ? ["phone \(phone.index) lacks texts"] : [])
        }
    }

    func failure(_ text: String) -> Simulation.Failure {
        Simulation.Failure(
            seed: seed, description: "seed \(seed) of the hub, at \(now.nanoseconds / 1_000_000) ms: \(text)")
    }
}
