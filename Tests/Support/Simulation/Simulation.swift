public import DTLS
import DataChannel
import ICE
import SCTP
import SansIO
import TestSupport
import WebRTCClient
import WebRTCDirect
import Wire

/// A box and a few phones in virtual time, over links that lose, delay, double and reorder datagrams, with phones that move to
/// other addresses, fall silent, close channels and vanish. All of it follows from one number.
///
/// What must hold: each message arrives once, as it was sent, in order where its channel is ordered; and in the end everything
/// has arrived, or both sides know that the connection is dead. On a link that is not too bad it never dies.
public struct Simulation {
    /// What went wrong with a seed.
    public struct Failure: Error, CustomStringConvertible {
        /// The number that gives it again.
        public let seed: UInt64
        /// What was not as it must be.
        public let description: String
    }

    /// What happened, to see that simulations do what they are for, and the same each time.
    public struct Summary: Sendable, Equatable {
        /// Phones that got connected.
        public var connections = 0
        /// Connections that ended before everything had arrived.
        public var deaths = 0
        /// Messages received.
        public var messages = 0
        /// Times a phone's new address was taken up.
        public var moves = 0
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
            lhs.deaths += rhs.deaths
            lhs.messages += rhs.messages
            lhs.moves += rhs.moves
            lhs.datagrams += rhs.datagrams
            lhs.lost += rhs.lost
            lhs.end = max(lhs.end, rhs.end)
        }
    }

    /// The certificates of all simulations; theirs play no part in what happens.
    public struct Certificates: Sendable {
        let box: DTLSContext
        let boxFingerprint: [UInt8]
        let phone: DTLSContext

        /// Makes them.
        public init() throws(DTLSError) {
            let identity = try DTLSIdentity.generate()
            boxFingerprint = identity.fingerprint
            box = try DTLSContext(identity: identity, role: .server)
            phone = try DTLSContext(identity: DTLSIdentity.generate(), role: .client)
        }
    }

    /// Something that is due at a time.
    enum Event {
        case toBox(phone: Int, from: TransportAddress, [UInt8])
        case toPhone(phone: Int, to: TransportAddress, [UInt8])
        case start(phone: Int)
        case send(phone: Int, channel: Int, isFromBox: Bool)
        case move(phone: Int)
        case silence(phone: Int, Duration)
        case closeChannel(phone: Int, channel: Int, isByBox: Bool)
    }

    let seed: UInt64
    var generator: SeededGenerator
    var now = Timestamp(nanoseconds: 1_000_000_000)
    var agenda = Agenda<Event>()
    var endpoint: Endpoint
    var output = EndpointOutput()
    var wake: Timestamp?
    var phones: [Phone] = []
    var phoneByAddress: [TransportAddress: Int] = [:]
    var phoneByID: [PeerID: Int] = [:]
    var summary = Summary()
    let certificates: Certificates
    static let boxAddress = IPAddress.v4(0x0A00_0001)

    /// The endpoint, on the heap, since a simulation can be copied and it cannot.
    final class Endpoint {
        var core: WebRTCEndpoint
        init(_ core: consuming WebRTCEndpoint) { self.core = core }
    }

    /// Runs one simulation.
    /// - Parameters:
    ///   - seed: what it follows from.
    ///   - certificates: shared, since they take long to make.
    /// - Throws: ``Failure`` when something was not as it must be.
    public static func run(seed: UInt64, _ certificates: Certificates) throws -> Summary {
        var simulation = try Simulation(seed: seed, certificates)
        try simulation.run()
        return simulation.summary
    }

    private init(seed: UInt64, _ certificates: Certificates) throws {
        self.seed = seed
        self.certificates = certificates
        var generator = SeededGenerator(seed: seed)
        guard
            let credentials = ICECredentials(fragment: "boxfrag1", password: "boxpasswordboxpassword12")
        else { throw Failure(seed: seed, description: "the box's credentials are none") }
        endpoint = Endpoint(
            WebRTCEndpoint(
                configuration: EndpointConfiguration(
                    acceptance: EndpointAcceptance(identities: [
                        EndpointIdentity(.own, credentials: credentials, context: certificates.box)
                    ])),
                generator: SharedGenerator(seed: generator.next())))
        self.generator = generator
        for index in 0..<Int.random(in: 1...3, using: &self.generator) { addPhone(index, credentials) }
    }

    // MARK: What is to happen

    private mutating func addPhone(_ index: Int, _ credentials: ICECredentials) {
        var configuration = ClientConfiguration(
            fragment: "phone\(index)", remote: credentials, context: certificates.phone,
            fingerprint: certificates.boxFingerprint)
        // As Chromium does, or as Firefox.
        configuration.checkInterval = Bool.random(using: &generator) ? .milliseconds(2_500) : .seconds(5)
        configuration.consentExpiry = .seconds(30)
        let character = LinkCharacter(using: &generator)
        let channels = (0..<Int.random(in: 1...3, using: &generator)).map { channel($0) }
        let address = TransportAddress(.v4(0xC0A8_0002 + UInt32(index)), port: 40_000)
        let phone = Phone(
            index,
            client: WebRTCClient(configuration: configuration, generator: SharedGenerator(seed: generator.next())),
            address: address, channels: channels, up: Link(character, seed: generator.next()),
            down: Link(character, seed: generator.next()))
        phones.append(phone)
        phoneByAddress[address] = index
        let start = now + .milliseconds(Int.random(in: 0...500, using: &generator))
        agenda.add(.start(phone: index), at: start)
        for (number, channel) in channels.enumerated() {
            for isFromBox in [false, true] {
                for _ in (isFromBox ? channel.toPhone : channel.toBox).sizes {
                    agenda.add(
                        .send(phone: index, channel: number, isFromBox: isFromBox), at: moment(after: start, 4_000))
                }
            }
            if Int.random(in: 0..<12, using: &generator) == 0 {
                agenda.add(
                    .closeChannel(phone: index, channel: number, isByBox: Bool.random(using: &generator)),
                    at: moment(after: start, 5_000))
            }
        }
        for _ in 0..<max(0, Int.random(in: -3...3, using: &generator)) {
            agenda.add(.move(phone: index), at: moment(after: start, 6_000))
        }
        switch Int.random(in: 0..<20, using: &generator) {
        case 0:
            phone.isDoomed = true
            agenda.add(.silence(phone: index, .seconds(60)), at: moment(after: start, 5_000))
        case 1...4:
            phone.isDoomed = true
            let length = Duration.milliseconds(Int.random(in: 200...6_000, using: &generator))
            agenda.add(.silence(phone: index, length), at: moment(after: start, 5_000))
        default:
            phone.isDoomed = character.loss > 0.12
        }
    }

    private mutating func moment(after start: Timestamp, _ milliseconds: Int) -> Timestamp {
        start + .milliseconds(Int.random(in: 0...milliseconds, using: &generator))
    }

    private mutating func channel(_ number: Int) -> PhoneChannel {
        let kinds: [SCTPReliability] = [.reliable, .reliable, .reliable, .retransmits(1), .lifetime(.milliseconds(80))]
        let parameters = DataChannelParameters(
            label: "c\(number)", isOrdered: Int.random(in: 0..<4, using: &generator) > 0,
            reliability: kinds[Int.random(in: 0..<kinds.count, using: &generator)])
        return PhoneChannel(parameters, toBox: traffic(), toPhone: traffic())
    }

    private mutating func traffic() -> Traffic {
        let salt = generator.next()
        let sizes = (0..<Int.random(in: 0...8, using: &generator)).map { _ in
            switch Int.random(in: 0..<400, using: &generator) {
            case 0: Int.random(in: 100_000...262_144, using: &generator)
            case 1..<20: Int.random(in: 5_000...20_000, using: &generator)
            case 20..<80: Int.random(in: 1_000...3_000, using: &generator)
            case 80..<100: 0
            default: Int.random(in: 4...500, using: &generator)
            }
        }
        return Traffic(salt: salt, sizes: sizes)
    }

    // MARK: Running

    /// No simulation needs as many steps; one that does goes round in circles.
    private static let stepLimit = 200_000
    /// By then everything has arrived, or everybody knows that it will not.
    private static let end = Timestamp(nanoseconds: 120_000_000_000)

    private mutating func run() throws {
        for _ in 0..<Self.stepLimit {
            if phones.allSatisfy({ $0.isDead ? $0.isOverAtBothEnds : $0.isComplete }) { return try finish() }
            // Whoever is due first; of those due together the box, then the phones in their order.
            var next = agenda.next ?? Timestamp(nanoseconds: .max)
            var who = -2
            if let wake, wake <= next { (next, who) = (wake, -1) }
            for phone in phones {
                if let wake = phone.wake, wake < next { (next, who) = (wake, phone.index) }
            }
            guard next <= Self.end else {
                now = min(next, Self.end)
                return try finish()
            }
            now = max(now, next)
            switch who {
            case -2: try happen(agenda.removeFirst())
            case -1: try box(.wake)
            default: try phone(phones[who], .wake)
            }
        }
        throw failure("more than \(Self.stepLimit) steps")
    }

    private mutating func finish() throws {
        summary.end = now.nanoseconds
        for phone in phones {
            let name = "phone \(phone.index)"
            if phone.isDead {
                summary.deaths += 1
                // A few handshakes in ten thousand lose five packets in a row and are not done in time.
                guard phone.isDoomed || phone.id == nil && phone.up.character.loss > 0 else {
                    throw failure(
                        "\(name) is dead: \(phone.end.map { "\($0)" } ?? "") \(phone.boxEnd.map { "\($0)" } ?? "")")
                }
                guard phone.isOverAtBothEnds else {
                    throw failure(
                        "\(name) is dead at one end only: \(String(describing: phone.end)), \(String(describing: phone.boxEnd))"
                    )
                }
            } else if !phone.isComplete {
                throw failure("\(name) is alive and lacks messages: \(phone.lack)")
            }
        }
    }

    func failure(_ text: String) -> Failure {
        Failure(seed: seed, description: "seed \(seed), at \(now.nanoseconds / 1_000_000) ms: \(text)")
    }
}
