import Credentials
import DataChannel
import Hub
import ICE
import LANHub
import SansIO
import TestSupport
import WebRTCClient
import WebRTCDirect
import Wire

extension FuzzTarget {
    /// The whole hub, with phones that got through DTLS and do on their channels what the input says: open and close them,
    /// send frames and anything else, go away and come back, while the box does the same.
    static let lanHub = FuzzTarget("lan-hub") { input in
        var run = try LANHubRun(input)
        try run.play()
    }
}

private struct LANHubRun: ~Copyable, FuzzClock {
    /// A phone, on the heap, since it cannot be copied.
    private final class Phone {
        var core: WebRTCClient
        var output = ClientOutput()
        let address: TransportAddress
        var wake: Timestamp?
        /// Whether nothing from the box reaches it.
        var isDeaf = false

        init(_ core: consuming WebRTCClient, _ address: TransportAddress) {
            self.core = core
            self.address = address
        }
    }

    private var script: FuzzScript
    private let hasEcho: Bool
    private var hub: LANHub
    private var output = LANHubOutput()
    private var hubWake: Timestamp?
    private var phones: [Phone] = []
    private var lastPort: UInt16 = 5_000
    /// The channels `room` that are open, in the order they came.
    private var rooms: [RoomConnection] = []
    private var phoneCount = 0
    var now = Timestamp.zero + .seconds(100)

    private static let box = IPAddress.v4(0x0A00_0001)
    private static let credentials = ICECredentials(fragment: "fuzzfuzz", password: "a0password0of0the0fuzzer")
    /// Phones at one time; a handshake takes a hundred times as long as anything else.
    private static let phoneLimit = 3
    /// Phones in all.
    private static let dialLimit = 5

    var wakeTime: Timestamp? { ([hubWake] + phones.map(\.wake)).compactMap(\.self).min() }

    init(_ input: [UInt8]) throws {
        script = FuzzScript(input)
        guard let server = FuzzIdentity.server, let credentials = Self.credentials else {
            throw FuzzFinding("no identity")
        }
        var generator = SeededGenerator(seed: 3)
        var limits = Hub.Limits()
        limits.clients = 6
        limits.members = 3
        limits.keptMessages = 4
        limits.slowReaderBytes = 2_000
        hasEcho = script.byte() & 1 == 0
        hub = LANHub(
            endpoint: EndpointConfiguration(
                acceptance: EndpointAcceptance(
                    identities: [EndpointIdentity(.own, credentials: credentials, context: server)],
                    direct: hasEcho ? server : nil)),
            hub: Hub(ids: 1...64, retired: [], tokens: HubTokens(key: BoxKey(using: &generator)), limits: limits),
            hasEcho: hasEcho, generator: SharedGenerator(seed: 1))
    }

    mutating func play() throws {
        try dial()
        while !script.isAtEnd {
            let phone = phones.isEmpty ? nil : script.element(of: phones)
            let channel = UInt16(script.number(below: 8) * 2)
            switch script.number(below: 16) {
            case 0: try dial()
            case 1, 2:
                guard let phone else { continue }
                var parameters = DataChannelParameters(
                    label: script.element(of: [
                        "hub", "room", "hub", "room", "chess", String(repeating: "x", count: 300),
                    ]))
                parameters.isOrdered = script.byte() & 3 != 0
                try tell(phone, .openChannel(parameters))
            case 3: if let phone { try tell(phone, .closeChannel(channel)) }
            case 4...8: if let phone { try send(frame(), on: channel, of: phone, .text) }
            case 9:
                if let phone {
                    try send(script.run(), on: channel, of: phone, script.byte() & 1 == 0 ? .binary : .text)
                }
            case 10: phone?.isDeaf.toggle()
            case 11: if let phone { try tell(phone, .close) }
            case 12:
                guard let room = rooms.popLast() else { continue }
                try tell(.closeRoom(room))
            case 13:
                let text = script.run()
                for room in rooms { try tell(.roomText(room, text.span.bytes)) }
            case 14: try tell(.rotated(retired: script.element(of: ["r", "s", ""])))
            default: try pass(.milliseconds(Int(script.uint16()) / 4))
            }
        }
        try tell(.closeAll)
        try always(rooms.isEmpty && phoneCount == 0, "somebody is left when all are closed")
        try always(hub.snapshot.phones == 0 && hub.snapshot.hub.clients == 0, "a phone is left when all are closed")
        try pass(.seconds(60))
        try always(hub.snapshot.hub.absent == 0, "a place is kept for ever")
    }

    /// Something that the hub's clients say, or nearly.
    private mutating func frame() -> [UInt8] {
        let token = script.number(below: 8)
        let text =
            switch script.number(below: 8) {
            case 0: #"{"t":"join","room":"\#(script.element(of: ["r", "s", ""]))"}"#
            case 1: #"{"t":"join","room":"r","resume":"\#(token).x","last":\#(script.byte())}"#
            case 2: #"{"t":"peers"}"#
            case 3: #"{"t":"to","id":\#(token),"payload":{"n":\#(script.byte())}}"#
            case 4: #"{"t":"echo","x":[\#(script.byte())]}"#
            case 5: #"{"t":"ack","seq":\#(script.byte())}"#
            default: String(decoding: script.run(), as: UTF8.self)
            }
        return Array(text.utf8)
    }

    /// A phone dials; by WebRTC Direct if the script says so.
    private mutating func dial() throws {
        guard phones.count < Self.phoneLimit, lastPort < 5_000 + UInt16(Self.dialLimit),
            let context = FuzzIdentity.client,
            let credentials = Self.credentials
        else { return }
        lastPort += 1
        let digits = String(repeating: "0123456789abcde\(lastPort % 10)", count: 4)
        let isDirect = script.byte() & 3 == 3 && hasEcho
        guard let remote = isDirect ? ICECredentials(fragment: digits, password: digits) : credentials else { return }
        let configuration = ClientConfiguration(
            fragment: isDirect ? digits : "phone\(lastPort)", remote: remote, context: context)
        let phone = Phone(
            WebRTCClient(configuration: configuration, generator: SeededGenerator(seed: UInt64(lastPort))),
            TransportAddress(.v4(0x0A00_0002), port: lastPort))
        phones.append(phone)
        if isDirect {
            try tell(phone, .negotiateChannel(0, DataChannelParameters(label: "")))
        } else {
            try tell(phone, .openChannel(DataChannelParameters(label: "hub")))
        }
        try tell(phone, .start)
        // Answers overtake each other here, and DTLS waits for what it misses.
        try pass(.seconds(2))
        try always(phone.core.isConnected, "an undisturbed dial fails")
    }

    private mutating func send(
        _ bytes: [UInt8], on channel: UInt16, of phone: Phone, _ kind: DataChannelMessageKind
    ) throws {
        try tell(phone, .send(bytes.span.bytes, channel: channel, kind))
    }

    mutating func wake() throws {
        if let hubWake, hubWake <= now { try tell(.wake) }
        for phone in phones {
            if let time = phone.wake, time <= now { try tell(phone, .wake) }
        }
    }

    private mutating func tell(_ phone: Phone, _ input: borrowing ClientInput) throws {
        phone.output.removeAll()
        phone.wake = phone.core.handle(input, at: now, into: &phone.output)
        let written = phone.output.written.bytes
        let hasEnded = phone.output.events.contains { if case .ended = $0 { true } else { false } }
        if hasEnded { phones.removeAll { $0 === phone } }
        for range in phone.output.datagrams {
            let bytes = Array(written[range])
            try tell(.datagram(bytes.span.bytes, from: phone.address, to: Self.box))
        }
    }

    private mutating func tell(_ input: borrowing LANHubInput) throws {
        output.removeAll()
        FuzzTarget.feed()
        hubWake = hub.handle(input, at: now, into: &output)
        let payload = output.payload.count
        for event in output.events {
            switch event {
            case .roomOpened(let room, _):
                try always(!rooms.contains(room), "a channel opens twice")
                rooms.append(room)
            case .roomClosed(let room):
                try always(rooms.contains(room), "a channel closes that never opened")
                rooms.removeAll { $0 == room }
            case .roomMessage(let room, let range):
                try always(rooms.contains(room), "a message on a channel that is gone")
                try always(range.upperBound <= payload, "a message is not where it should be")
            case .roomWritable(let room, _): try always(rooms.contains(room), "room on a channel that is gone")
            case .dialled: phoneCount += 1
            case .left: phoneCount -= 1
            case .moved, .hub: break
            }
        }
        try always(rooms.allSatisfy { hub.localAddress(of: $0) != nil }, "a channel is gone without a word")
        try always(
            phoneCount == hub.snapshot.phones, "\(phoneCount) phones have come, \(hub.snapshot.phones) are there")
        let written = output.written
        for reply in output.datagrams {
            try always(reply.range.upperBound <= written.count, "sends what it has not written")
            guard let phone = phones.first(where: { $0.address == reply.destination && !$0.isDeaf }) else { continue }
            let bytes = Array(written[reply.range])
            try tell(phone, .datagram(bytes.span.bytes))
        }
    }
}
