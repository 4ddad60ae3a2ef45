import DTLS
import DataChannel
import CLinux
import Glibc
import ICE
import SansIO
import WebRTCClient
import WebRTCDirect
import Wire

/// What the phones do once they are connected.
enum HubTraffic {
    /// Nothing: they hold their connections.
    case none
    /// Phones in pairs send each other frames.
    /// - window: frames a phone has under way at most.
    /// - interval: nanoseconds between two frames of a phone; nil when only the window limits them.
    case pairs(window: Int, interval: UInt64?)
    /// The first phone sends as many frames as its connection takes, to another, while each of the rest has the hub echo
    /// a frame in each interval.
    case flood(interval: UInt64)
}

/// Connects phones to the hub, each from an address of its own, and lets them send frames.
final class HubLoad {
    private let socket: DatagramSocket
    private let configuration: ClientConfiguration
    private let traffic: HubTraffic
    private let size: Int
    private var phones: [HubPhone] = []
    private var output = ClientOutput()
    private var now = Timestamp.zero
    /// When phones are looked through for what they want to do.
    private var nextRound = Timestamp.zero
    /// Phones that may send a frame after what came is dealt with.
    private var turns: [Int] = []
    private var connecting = 0
    private var connected = 0
    private var isMeasuring = false
    private var latencies = Latencies()
    private var floodFrames = 0
    /// How often the hub closed the flooding phone's connection.
    private var floodsClosed = 0
    private var failure: Failure?

    /// Connections begun at one time, so that none waits for long.
    private static let connectingAtOnce = 16
    private static let connectTime = Duration.seconds(10)
    private static let round = Duration.milliseconds(1)
    /// How far a flood may be ahead of what the hub acknowledges.
    private static let floodBytes = 256 << 10

    init(target: Target, blob: String, phones: Int, size: Int, traffic: HubTraffic) throws {
        let blob = try HubBlob(blob)
        guard let remote = ICECredentials(fragment: blob.fragment, password: blob.password) else {
            throw Failure("the blob's credentials are none of ICE's")
        }
        let identity = try DTLSIdentity.generate()
        configuration = ClientConfiguration(
            fragment: "load", remote: remote, context: try DTLSContext(identity: identity, role: .client),
            fingerprint: blob.fingerprint)
        self.traffic = traffic
        self.size = size
        socket = try DatagramSocket(host: target.host, port: target.port)
        for index in 0..<phones { self.phones.append(HubPhone(index, configuration)) }
    }

    // MARK: The run

    func run(seconds: Double) throws {
        now = Timestamp(nanoseconds: nanoseconds())
        report("begin")
        let began = now
        var next = 0
        while connected < phones.count {
            while next < phones.count, connecting < Self.connectingAtOnce {
                phones[next].deadline = now + Self.connectTime
                connecting += 1
                handle(.start, phones[next])
                next += 1
            }
            try turn()
            for phone in phones[..<next] where phone.id == nil && phone.deadline < now {
                throw Failure("phone \(phone.index) got no id frame in time")
            }
        }
        report("ready", ["phones": Double(phones.count), "seconds": (now - began).seconds])

        isMeasuring = true
        begin()
        report("start")
        let start = now
        let end = start + .nanoseconds(Int64(seconds * 1e9))
        while now < end { try turn() }
        isMeasuring = false
        let measured = (now - start).seconds
        // What is under way arrives before the caller reads the server's figures.
        let settled = now + .milliseconds(200)
        while now < settled { try turn() }
        report(
            "done",
            [
                "frames": Double(latencies.count), "flood": Double(floodFrames),
                "closed": Double(floodsClosed), "seconds": measured,
                "p50_us": latencies.percentile(0.5), "p99_us": latencies.percentile(0.99),
                "unsent": Double(socket.unsent),
            ])
        for phone in phones { handle(.close, phone) }
        try socket.flush()
    }

    /// Takes in what has come, lets phones do what they want to, and sends.
    private func turn() throws {
        try socket.flush()
        // The poll sleeps by whole milliseconds, as rounds go.
        if turns.isEmpty { socket.wait(milliseconds: 1) }
        now = Timestamp(nanoseconds: nanoseconds())
        for _ in 0..<4 {
            let count = try socket.receive { index, bytes in
                if index >= 0, index < phones.count { handle(.datagram(bytes), phones[index]) }
            }
            if count == 0 { break }
        }
        // Each round of sending takes those who became able to send before it.
        let ready = turns
        turns.removeAll(keepingCapacity: true)
        for index in ready { take(phones[index]) }
        if now >= nextRound {
            nextRound = now + Self.round
            for phone in phones {
                if let wake = phone.wake, wake <= now { handle(.wake, phone) }
                if isMeasuring, let tick = phone.tick, tick <= now { self.tick(phone) }
            }
        }
        if let failure { throw failure }
    }

    private func handle(_ input: borrowing ClientInput, _ phone: HubPhone) {
        output.removeAll()
        phone.wake = phone.client.handle(input, at: now, into: &output)
        let written = output.written.bytes.span.bytes
        do {
            for range in output.datagrams { try socket.send(written.extracting(range), from: phone.index) }
        } catch {
            fail(error)
        }
        for event in output.events { happened(event, to: phone) }
    }

    private func fail(_ reason: Failure) {
        if failure == nil { failure = reason }
    }

    private func happened(_ event: ClientEvent, to phone: HubPhone) {
        switch event {
        case .checked: break
        case .ended where isMeasuring && isFlood && phone.index == 0:
            // The hub has had enough of it; it comes again at once.
            floodsClosed += 1
            phone.begin(configuration)
            turns.append(phone.index)
        case .ended(let end):
            if isMeasuring || phone.id == nil { fail(Failure("the connection of phone \(phone.index) ended: \(end)")) }
        case .transport(let event):
            switch event {
            case .connected: phone.wantsChannel = true
            case .channelOpened(let stream, _, _):
                phone.channel = stream
                if isMeasuring { turns.append(phone.index) }
            case .message(_, _, let range):
                received(output.payload.span.bytes.extracting(range), by: phone)
            case .channelClosed:
                guard isMeasuring else { break }
                // When the hub has had enough of a flood, the connection ends too.
                if isFlood, phone.index == 0 { break }
                fail(Failure("the hub closed the channel of phone \(phone.index)"))
            case .channelOpening, .sendRefused, .unwritable, .writable, .refused, .closed: break
            }
        }
        // What happened is told while the output is read: what follows from it waits its turn.
        if phone.wantsChannel { turns.append(phone.index) }
    }

    // MARK: Frames

    private func received(_ frame: RawSpan, by phone: HubPhone) {
        guard phone.id != nil else {
            guard let id = HubFrame.id(of: frame) else {
                return fail(Failure("the first frame of phone \(phone.index) is not `id`"))
            }
            phone.id = id
            connecting -= 1
            connected += 1
            return
        }
        switch traffic {
        case .none: break
        case .pairs(_, let interval):
            let sender = phones[phone.index ^ 1]
            guard frame.byteCount >= size - 20, let sent = sender.underWay.popFirst() else {
                return fail(Failure("phone \(phone.index) got a frame that nobody sent"))
            }
            if isMeasuring { latencies.add(nanoseconds: now.nanoseconds - sent) }
            if interval == nil { turns.append(sender.index) }
        case .flood:
            // The second phone is the one flooded.
            guard phone.index > 1, let sent = phone.underWay.popFirst() else { return }
            if isMeasuring { latencies.add(nanoseconds: now.nanoseconds - sent) }
        }
    }

    private func begin() {
        for phone in phones {
            switch traffic {
            case .none: return
            case .pairs(let window, let interval):
                let peer = phones[phone.index ^ 1].id ?? 0
                phone.frame = HubFrame.to(peer, size: size)
                if let interval {
                    phone.tick = now + .nanoseconds(Int64.random(in: 0..<Int64(interval)))
                } else {
                    for _ in 0..<window { turns.append(phone.index) }
                }
            case .flood(let interval):
                if phone.index == 0 {
                    phone.frame = HubFrame.to(phones[1].id ?? 0, size: size)
                    turns.append(0)
                } else if phone.index > 1 {
                    phone.frame = HubFrame.echo(size: size)
                    phone.tick = now + .nanoseconds(Int64.random(in: 0..<Int64(interval)))
                }
            }
        }
    }

    /// The time for a phone's next frame has come.
    private func tick(_ phone: HubPhone) {
        guard let tick = phone.tick else { return }
        switch traffic {
        case .none: return
        case .pairs(let window, let interval):
            phone.tick = tick + .nanoseconds(Int64(interval ?? 0))
            if phone.underWay.count < window { sendFrame(phone) }
        case .flood(let interval):
            phone.tick = tick + .nanoseconds(Int64(interval))
            sendFrame(phone)
        }
    }

    /// A phone's turn.
    private func take(_ phone: HubPhone) {
        if phone.wantsChannel {
            phone.wantsChannel = false
            return handle(.openChannel(DataChannelParameters(label: "hub")), phone)
        }
        if phone.wantsStart {
            phone.wantsStart = false
            return handle(.start, phone)
        }
        guard isMeasuring else { return }
        guard case .flood = traffic else { return sendFrame(phone) }
        guard phone.channel != nil else { return }
        // As many as fit, then the others have their turn.
        var count = 0
        while count < 64, phone.client.bufferedBytes < Self.floodBytes {
            sendFrame(phone)
            count += 1
        }
        floodFrames += count
        turns.append(phone.index)
    }

    private func sendFrame(_ phone: HubPhone) {
        guard let channel = phone.channel else { return }
        if phone.index > 0 || !isFlood { phone.underWay.append(now.nanoseconds) }
        let frame = phone.frame
        handle(.send(frame.span.bytes, channel: channel, .text), phone)
    }

    private var isFlood: Bool {
        if case .flood = traffic { true } else { false }
    }
}

/// One phone.
private final class HubPhone {
    let index: Int
    var client: WebRTCClient
    /// When the client wants to be called.
    var wake: Timestamp?
    /// Until when it must be connected.
    var deadline = Timestamp.zero
    var wantsStart = false
    var wantsChannel = false
    var channel: UInt16?
    /// Its id on the hub.
    var id: Int64?
    /// What it sends.
    var frame: [UInt8] = []
    /// When it sends the next one, if not as soon as it may.
    var tick: Timestamp?
    /// When each of the frames under way was sent, the oldest first.
    var underWay = Queue()

    init(_ index: Int, _ configuration: ClientConfiguration) {
        self.index = index
        client = Self.client(index, configuration)
    }

    /// Forgets the connection and begins another.
    func begin(_ configuration: ClientConfiguration) {
        client = Self.client(index, configuration)
        wake = nil
        channel = nil
        id = nil
        wantsStart = true
    }

    private static func client(_ index: Int, _ configuration: ClientConfiguration) -> WebRTCClient {
        var configuration = configuration
        configuration.fragment = "load\(index)"
        return WebRTCClient(configuration: configuration, generator: SystemRandomNumberGenerator())
    }
}

/// A queue that moves its storage seldom.
private struct Queue {
    private var items: [UInt64] = []
    private var start = 0

    var count: Int { items.count - start }

    mutating func append(_ item: UInt64) { items.append(item) }

    mutating func popFirst() -> UInt64? {
        guard start < items.count else { return nil }
        defer {
            start += 1
            if start == items.count {
                items.removeAll(keepingCapacity: true)
                start = 0
            } else if start >= 1_024 {
                items.removeFirst(start)
                start = 0
            }
        }
        return items[start]
    }
}

/// The hub's frames, as far as the load speaks them.
private enum HubFrame {
    /// The number of an `id` frame.
    static func id(of frame: RawSpan) -> Int64? {
        let text = String(decoding: frame.copied, as: UTF8.self)
        guard text.hasPrefix(#"{"t":"id","id":"#) else { return nil }
        return Int64(text.dropFirst(15).prefix { $0.isNumber })
    }

    static func to(_ id: Int64, size: Int) -> [UInt8] { filled(#"{"t":"to","id":\#(id),"payload":""#, size: size) }

    static func echo(size: Int) -> [UInt8] { filled(#"{"t":"echo","x":""#, size: size) }

    private static func filled(_ head: String, size: Int) -> [UInt8] {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789=:/ ".utf8)
        let filler = max(0, size - head.utf8.count - 2)
        return Array(head.utf8) + (0..<filler).map { alphabet[$0 * 7 % alphabet.count] } + Array("\"}".utf8)
    }
}

extension Duration {
    fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
