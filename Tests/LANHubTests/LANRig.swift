import Credentials
import DTLS
import DataChannel
import Hub
import ICE
import LANHub
import SansIO
import TestSupport
import Testing
import WebRTCClient
import WebRTCDirect
import Wire

/// A hub and phones on a perfect network without delay, with time that moves when told to.
final class LANRig {
    static let identity = try? DTLSIdentity.generate()
    static let clientIdentity = try? DTLSIdentity.generate()
    static let boxAddress = IPAddress.v4(0x0A00_0001)

    let credentials: ICECredentials
    let clientContext: DTLSContext
    var hub: LANHub
    var output = LANHubOutput()
    var now = Timestamp(nanoseconds: 5_000_000_000)
    var wake: Timestamp?
    var phones: [Phone] = []
    var events: [LANHubEvent] = []
    /// Texts that came on channels labelled `room`.
    var texts: [String] = []

    /// A phone and where it is.
    final class Phone {
        var core: WebRTCClient
        var output = ClientOutput()
        let address: TransportAddress
        var wake: Timestamp?
        var messages: [UInt16: [[UInt8]]] = [:]
        /// The numbers its channels got, in the order it opened them, and those that were closed.
        var channels: [UInt16] = []
        var closed: [UInt16] = []
        var isOver = false
        var isUnplugged = false

        init(_ core: consuming WebRTCClient, _ address: TransportAddress) {
            self.core = core
            self.address = address
        }

        /// What came on a channel, as texts.
        func texts(_ channel: UInt16) -> [String] {
            messages[channel, default: []].map { String(decoding: $0, as: UTF8.self) }
        }
    }

    init(hasEcho: Bool = false) throws {
        let credentials = try #require(ICECredentials(fragment: "boxfrag1", password: "boxpasswordboxpassword12"))
        let context = try DTLSContext(identity: #require(Self.identity), role: .server)
        self.credentials = credentials
        clientContext = try DTLSContext(identity: #require(Self.clientIdentity), role: .client)
        var generator = SeededGenerator(seed: 1)
        hub = LANHub(
            endpoint: EndpointConfiguration(
                acceptance: EndpointAcceptance(
                    identities: [EndpointIdentity(.own, credentials: credentials, context: context)],
                    direct: hasEcho ? context : nil)),
            hub: Hub(ids: 1...1024, retired: [], tokens: HubTokens(key: BoxKey(using: &generator))), hasEcho: hasEcho,
            generator: SharedGenerator())
    }

    /// A phone that has dialled and opened channels with these labels.
    func dial(_ name: String = "phone", from host: Int = 2, _ labels: String...) throws -> Phone {
        let phone = add(
            ClientConfiguration(
                fragment: name, remote: credentials, context: clientContext, fingerprint: Self.identity?.fingerprint),
            from: host)
        for label in labels { give(.openChannel(DataChannelParameters(label: label)), to: phone) }
        give(.start, to: phone)
        run(for: .milliseconds(100))
        let isConnected = phone.core.isConnected
        try #require(isConnected)
        return phone
    }

    /// A program that has dialled by WebRTC Direct (v1: both ends have one name) and has its channel 0.
    func dialDirect(from host: Int = 2) throws -> Phone {
        let name = "libp2p+webrtc+v1/kibitzkibitzkibitz"
        let phone = add(
            ClientConfiguration(
                fragment: name, remote: try #require(ICECredentials(fragment: name, password: name)),
                context: clientContext),
            from: host)
        give(.negotiateChannel(0, DataChannelParameters(label: "")), to: phone)
        give(.start, to: phone)
        run(for: .milliseconds(100))
        let isConnected = phone.core.isConnected
        try #require(isConnected)
        return phone
    }

    private func add(_ configuration: ClientConfiguration, from host: Int) -> Phone {
        let phone = Phone(
            WebRTCClient(configuration: configuration, generator: SharedGenerator()),
            TransportAddress(.v4(0xC0A8_0000 + UInt32(host)), port: UInt16(50_000 + phones.count)))
        phones.append(phone)
        return phone
    }

    func open(_ label: String, on phone: Phone) {
        give(.openChannel(DataChannelParameters(label: label)), to: phone)
        run(for: .milliseconds(10))
    }

    func send(_ bytes: [UInt8], on channel: UInt16, of phone: Phone, _ kind: DataChannelMessageKind = .text) {
        give(.send(bytes.span.bytes, channel: channel, kind), to: phone)
    }

    func send(_ text: String, on channel: UInt16, of phone: Phone) { send(Array(text.utf8), on: channel, of: phone) }

    func sendToRoom(_ text: String, on connection: RoomConnection) {
        let bytes = Array(text.utf8)
        give(.roomText(connection, bytes.span.bytes))
    }

    /// The channels `room` that were opened, in order.
    var rooms: [RoomConnection] {
        events.compactMap { if case .roomOpened(let connection, _) = $0 { connection } else { nil } }
    }

    /// Why phones are gone, in order.
    var ends: [DisconnectReason] {
        events.compactMap { if case .left(_, let reason) = $0 { reason } else { nil } }
    }

    func give(_ input: borrowing LANHubInput) {
        output.removeAll()
        wake = hub.handle(input, at: now, into: &output)
        let written = output.written
        let payload = output.payload
        let datagrams = output.datagrams
        for event in output.events {
            events.append(event)
            if case .roomMessage(_, let range) = event { texts.append(String(decoding: payload[range], as: UTF8.self)) }
        }
        for datagram in datagrams {
            let bytes = Array(written[datagram.range])
            guard let phone = phones.last(where: { $0.address == datagram.destination && !$0.isUnplugged }) else {
                continue
            }
            give(.datagram(bytes.span.bytes), to: phone)
        }
    }

    func give(_ input: borrowing ClientInput, to phone: Phone) {
        phone.output.removeAll()
        phone.wake = phone.core.handle(input, at: now, into: &phone.output)
        let written = phone.output.written.bytes
        let payload = phone.output.payload
        let datagrams = phone.output.datagrams
        for event in phone.output.events {
            switch event {
            case .transport(.message(let channel, _, let range)):
                phone.messages[channel, default: []].append(Array(payload[range]))
            case .transport(.channelOpening(let channel)): phone.channels.append(channel)
            case .transport(.channelClosed(let channel)): phone.closed.append(channel)
            case .ended: phone.isOver = true
            case .transport, .checked: break
            }
        }
        if phone.isUnplugged { return }
        for range in datagrams {
            let bytes = Array(written[range])
            give(.datagram(bytes.span.bytes, from: phone.address, to: Self.boxAddress))
        }
    }

    /// Lets time pass, calling everybody when they asked for it.
    func run(for duration: Duration) {
        let end = now + duration
        while true {
            let due = phones.compactMap(\.wake).min()
            guard let next = [wake, due].compactMap({ $0 }).min(), next <= end else { break }
            now = max(now, next)
            if let wake, wake <= now { give(.wake) }
            for phone in phones {
                if let wake = phone.wake, wake <= now { give(.wake, to: phone) }
            }
        }
        now = end
    }
}
