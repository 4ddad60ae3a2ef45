import DTLS
import DataChannel
import ICE
import STUN
import SansIO
import SCTP
import TestSupport
import Testing
import WebRTCClient
import WebRTCDirect
import Wire

/// An endpoint and clients on a perfect network without delay, with time that moves when told to.
final class Rig {
    static let identity = try? DTLSIdentity.generate()
    static let otherIdentity = try? DTLSIdentity.generate()
    static let clientIdentity = try? DTLSIdentity.generate()
    static let boxAddress = IPAddress.v4(0x0A00_0001)

    let credentials: ICECredentials
    let context: DTLSContext
    let otherContext: DTLSContext
    let clientContext: DTLSContext
    var endpoint: WebRTCEndpoint
    var output = EndpointOutput()
    var now = Timestamp(nanoseconds: 5_000_000_000)
    var wake: Timestamp?
    var clients: [Client] = []
    /// What the endpoint told, messages with their bytes.
    var events: [EndpointEvent] = []
    var messages: [String] = []
    /// Datagrams the endpoint sent to addresses without a client.
    var stray: [(TransportAddress, [UInt8])] = []

    init(
        direct: Bool = false, limits: EndpointLimits = EndpointLimits()
    ) throws {
        let credentials = try #require(
            ICECredentials(fragment: "boxfrag1", password: "boxpasswordboxpassword12"))
        let context = try DTLSContext(identity: #require(Self.identity), role: .server)
        self.credentials = credentials
        self.context = context
        otherContext = try DTLSContext(identity: #require(Self.otherIdentity), role: .server)
        clientContext = try DTLSContext(identity: #require(Self.clientIdentity), role: .client)
        endpoint = WebRTCEndpoint(
            configuration: EndpointConfiguration(
                acceptance: EndpointAcceptance(
                    identities: [EndpointIdentity(.own, credentials: credentials, context: context)],
                    direct: direct ? otherContext : nil),
                limits: limits),
            generator: SharedGenerator())
    }

    /// A client and where it is.
    final class Client {
        var core: WebRTCClient
        var output = ClientOutput()
        var address: TransportAddress
        var wake: Timestamp?
        var events: [ClientEvent] = []
        var messages: [String] = []
        var isUnplugged = false

        init(_ core: consuming WebRTCClient, _ address: TransportAddress) {
            self.core = core
            self.address = address
        }
    }

    func address(_ host: Int, port: UInt16 = 50_000) -> TransportAddress {
        TransportAddress(.v4(0xC0A8_0000 + UInt32(host)), port: port)
    }

    func configuration(_ fragment: String = "phone") -> ClientConfiguration {
        ClientConfiguration(
            fragment: fragment, remote: credentials, context: clientContext, fingerprint: Self.identity?.fingerprint)
    }

    func add(_ configuration: ClientConfiguration, at address: TransportAddress) throws -> Client {
        let client = Client(WebRTCClient(configuration: configuration, generator: SharedGenerator()), address)
        clients.append(client)
        return client
    }

    /// A connected client with an open channel, and its name at the endpoint.
    func connect(_ fragment: String, at host: Int) throws -> (Client, PeerID) {
        let client = try add(configuration(fragment), at: address(host))
        give(.openChannel(DataChannelParameters(label: "hub")), to: client)
        give(.start, to: client)
        run(for: .milliseconds(100))
        return (client, try #require(connected.last))
    }

    /// The names of the peers that got connected, in order.
    var connected: [PeerID] {
        events.compactMap { if case .connected(let id, _) = $0 { id } else { nil } }
    }

    func give(_ input: borrowing EndpointInput) {
        output.removeAll()
        wake = endpoint.handle(input, at: now, into: &output)
        let written = output.written
        let payload = output.payload
        let datagrams = output.datagrams
        for event in output.events {
            events.append(event)
            if case .message(_, _, _, let range) = event {
                messages.append(String(decoding: payload[range], as: UTF8.self))
            }
        }
        for datagram in datagrams {
            let bytes = Array(written[datagram.range])
            if let client = clients.last(where: { $0.address == datagram.destination && !$0.isUnplugged }) {
                give(.datagram(bytes.span.bytes), to: client)
            } else {
                stray.append((datagram.destination, bytes))
            }
        }
    }

    func give(_ bytes: [UInt8], from source: TransportAddress) {
        give(.datagram(bytes.span.bytes, from: source, to: Self.boxAddress))
    }

    func give(_ input: borrowing ClientInput, to client: Client) {
        client.output.removeAll()
        client.wake = client.core.handle(input, at: now, into: &client.output)
        let written = client.output.written.bytes
        let payload = client.output.payload
        let datagrams = client.output.datagrams
        for event in client.output.events {
            client.events.append(event)
            if case .transport(.message(_, _, let range)) = event {
                client.messages.append(String(decoding: payload[range], as: UTF8.self))
            }
        }
        if client.isUnplugged { return }
        for range in datagrams { give(Array(written[range]), from: client.address) }
    }

    func send(_ text: String, to id: PeerID, channel: UInt16 = 0) {
        let bytes = Array(text.utf8)
        give(.send(bytes.span.bytes, to: id, channel: channel, .text))
    }

    func send(_ text: String, from client: Client, channel: UInt16 = 0) {
        let bytes = Array(text.utf8)
        give(.send(bytes.span.bytes, channel: channel, .text), to: client)
    }

    /// Lets time pass, calling everybody when they asked for it.
    func run(for duration: Duration) {
        let end = now + duration
        while true {
            let due = clients.compactMap(\.wake).min()
            guard let next = [wake, due].compactMap({ $0 }).min(), next <= end else { break }
            now = max(now, next)
            if let wake, wake <= now { give(.wake) }
            for client in clients {
                if let wake = client.wake, wake <= now { give(.wake, to: client) }
            }
        }
        now = end
    }

    /// A check as a browser sends it.
    func check(
        _ username: String = "boxfrag1:spray", password: String = "boxpasswordboxpassword12",
        isNominating: Bool = false,
        isControlled: Bool = false, unknown: UInt16? = nil, transaction: UInt64 = 1
    ) -> [UInt8] {
        var writer = STUNWriter(.request, .binding, TransactionID(high: 9, low: transaction))
        writer.append(.username, text: username)
        writer.append(.priority, uint32: 1)
        writer.append(isControlled ? .iceControlled : .iceControlling, uint64: 4)
        if isNominating { writer.append(.useCandidate) }
        if let unknown { writer.append(STUNAttributeType(rawValue: unknown)) }
        writer.appendIntegrity(key: STUNKey(shortTerm: password))
        writer.appendFingerprint()
        return Array(writer.bytes)
    }

    /// The error of the last stray answer; nil for a success.
    func lastError() throws -> STUNErrorCode? {
        let (_, bytes) = try #require(stray.last)
        let message = try STUNMessage(bytes.span.bytes)
        return message.messageClass == .error ? message.first(.errorCode)?.errorCode : nil
    }
}
