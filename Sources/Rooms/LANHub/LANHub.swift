import DataChannel
public import Hub
public import SansIO
public import WebRTCDirect
public import Wire

/// The whole LAN hub as one machine: the phones of one UDP port (``WebRTCEndpoint``), and who speaks on each of their data
/// channels.
///
/// A channel's label says who that is: `hub` the hub's frames (``Hub``), `room` whoever takes the events of this machine, any
/// other nobody. A phone that came by WebRTC Direct has its channel 0, and on it an echo (``DirectEcho``) or nobody.
public struct LANHub: ~Copyable {
    /// A channel of a phone.
    private struct ChannelKey: Hashable {
        let phone: PeerID
        let stream: UInt16
    }

    /// Who speaks on a channel.
    private enum Speaker {
        case hub(HubConnection)
        case room(RoomConnection)
        case echo(Echo)
    }

    /// The echo of WebRTC Direct, and what waits for a client that reads slowly.
    private final class Echo {
        var framing = DirectEcho()
        var queue = EchoQueue()
    }

    private let limits: Limits
    private let hasEcho: Bool
    private var endpoint: WebRTCEndpoint
    private var hub: Hub
    /// Kept for its memory.
    private var hubOutput = Hub.Output()
    private var phones: [PeerID: LANPhone] = [:]
    private var speakers: [ChannelKey: Speaker] = [:]
    private var hubChannels: [HubConnection: ChannelKey] = [:]
    private var roomChannels: [RoomConnection: ChannelKey] = [:]
    private var lastConnection: UInt64 = 0
    /// Bytes that wait in all echoes.
    private var echoBytes = 0
    /// Phones with channels that have to be gone in time, each once, the first due first.
    private var watched: [(phone: PeerID, deadline: Timestamp)] = []
    private var endpointDeadline: Timestamp?
    private var hubDeadline: Timestamp?

    /// Makes a hub without phones.
    /// - Parameters:
    ///   - endpoint: under which names phones reach it, and how many.
    ///   - hub: who comes and goes on channels labelled `hub`.
    ///   - hasEcho: whether there is an echo on WebRTC Direct's channel.
    ///   - limits: what phones can make grow on their channels.
    ///   - generator: must be cryptographically strong; see `WebRTCEndpoint`.
    public init(
        endpoint: EndpointConfiguration, hub: consuming Hub, hasEcho: Bool, limits: Limits = Limits(),
        generator: any RandomNumberGenerator & Sendable
    ) {
        self.limits = limits
        self.hasEcho = hasEcho
        self.hub = hub
        self.endpoint = WebRTCEndpoint(configuration: endpoint, generator: generator)
    }

    /// The present state.
    public var snapshot: Snapshot {
        var snapshot = Snapshot()
        snapshot.hub = hub.snapshot
        snapshot.endpoint = endpoint.counters
        snapshot.phones = endpoint.connectionCount
        return snapshot
    }

    /// The address of this machine at which the phone of a `room` channel reaches it now; nil when the channel is gone.
    public func localAddress(of connection: RoomConnection) -> IPAddress? {
        roomChannels[connection].flatMap { phones[$0.phone]?.local }
    }

    /// Takes in what happened and says what to do about it.
    /// - Parameters:
    ///   - input: what happened.
    ///   - now: the present time.
    ///   - output: what to do is appended to it.
    /// - Returns: when to call again with `.wake` if nothing happens before, or nil if there is no need.
    public mutating func handle(
        _ input: borrowing LANHubInput, at now: Timestamp, into output: inout LANHubOutput
    ) -> Timestamp? {
        var local: IPAddress?
        switch input {
        case .datagram(let bytes, let source, let destination):
            local = destination
            endpointDeadline = endpoint.handle(
                .datagram(bytes, from: source, to: destination), at: now, into: &output.endpoint)
        case .roomText(let connection, let text):
            guard let key = roomChannels[connection] else { break }
            send(text, .text, on: key, at: now, into: &output)
        case .closeRoom(let connection):
            guard let key = roomChannels.removeValue(forKey: connection) else { break }
            speakers[key] = nil
            shut(key, at: now, into: &output)
        case .rotated(let secret): tellHub(.rotated(retired: secret), at: now, into: &output)
        case .closeAll: endpointDeadline = endpoint.handle(.closeAll, at: now, into: &output.endpoint)
        case .wake:
            if let hubDeadline, hubDeadline <= now { tellHub(.wake, at: now, into: &output) }
            endLate(at: now, into: &output)
            if let endpointDeadline, endpointDeadline <= now {
                self.endpointDeadline = endpoint.handle(.wake, at: now, into: &output.endpoint)
            }
        }
        // What is done about an event may bring others.
        while output.endpointEventsDone < output.endpoint.events.count {
            let event = output.endpoint.events[output.endpointEventsDone]
            output.endpointEventsDone += 1
            carryOut(event, local: local, at: now, into: &output)
        }
        return deadline
    }

    private var deadline: Timestamp? {
        var deadline = watched.first?.deadline
        if let endpointDeadline { deadline = min(deadline ?? endpointDeadline, endpointDeadline) }
        if let hubDeadline { deadline = min(deadline ?? hubDeadline, hubDeadline) }
        return deadline
    }

    // MARK: What the endpoint tells

    private mutating func carryOut(
        _ event: EndpointEvent, local: IPAddress?, at now: Timestamp, into output: inout LANHubOutput
    ) {
        switch event {
        case .message(let phone, let stream, let kind, let range):
            receive(range, kind, on: ChannelKey(phone: phone, stream: stream), at: now, into: &output)
        case .connected(let id, let connection):
            phones[id] = LANPhone(connection, local: local ?? .v4(0), limits: limits, at: now)
            output.events.append(.dialled(connection))
        case .channelOpened(let phone, let stream, let parameters, _):
            open(ChannelKey(phone: phone, stream: stream), parameters, at: now, into: &output)
        case .channelClosed(let phone, let stream):
            leave(ChannelKey(phone: phone, stream: stream), at: now, into: &output)
            if phones[phone]?.closed(stream) == true { end(phone, at: now, into: &output) }
        case .moved(let id, let address):
            phones[id]?.connection.address = address
            if let local { phones[id]?.local = local }
            output.events.append(.moved(address))
        case .unwritable(let id): setWritable(false, id, at: now, into: &output)
        case .writable(let id): setWritable(true, id, at: now, into: &output)
        case .disconnected(let id, let reason):
            guard let phone = phones.removeValue(forKey: id) else { return }
            for stream in phone.streams { leave(ChannelKey(phone: id, stream: stream), at: now, into: &output) }
            output.events.append(.left(from: phone.connection.address, reason))
        case .channelOpening: break
        case .sendRefused(let phone, let stream, _):
            // The endpoint counts it. The broker closes those who don't read by itself.
            let key = ChannelKey(phone: phone, stream: stream)
            switch speakers[key] {
            case .hub(let connection): tellHub(.sendRefused(connection), at: now, into: &output)
            // What comes behind the missing piece would be taken for something else.
            case .echo: drop(key, at: now, into: &output)
            case .room, nil: break
            }
        }
    }

    private mutating func open(
        _ key: ChannelKey, _ parameters: DataChannelParameters, at now: Timestamp, into output: inout LANHubOutput
    ) {
        guard var phone = phones.removeValue(forKey: key.phone) else { return }
        phone.open(key.stream)
        let isDirect = phone.connection.identity.isDirect
        let isSpoken = parameters.label == "hub" || parameters.label == "room"
        var isTaken = phone.streams.count <= limits.channels
        if isDirect {
            // WebRTC Direct has its one channel 0, agreed on without a word (negotiated).
            isTaken = isTaken && key.stream == 0 && hasEcho
        } else if isSpoken {
            isTaken = isTaken && phone.mayOpen(at: now)
        }
        phones[key.phone] = phone
        guard isTaken else { return drop(key, at: now, into: &output) }
        // Nobody speaks on others; what the client does with channels of its own is its affair.
        guard isDirect || isSpoken else { return }
        if isDirect {
            speakers[key] = .echo(Echo())
        } else if parameters.label == "hub" {
            lastConnection += 1
            let connection = HubConnection(lastConnection)
            speakers[key] = .hub(connection)
            hubChannels[connection] = key
            tellHub(.opened(connection), at: now, into: &output)
        } else {
            lastConnection += 1
            let connection = RoomConnection(number: lastConnection)
            speakers[key] = .room(connection)
            roomChannels[connection] = key
            output.events.append(.roomOpened(connection, from: phone.connection.address.address))
        }
        // The channels that were there before know it already.
        if !phone.isWritable { setWritable(false, key, at: now, into: &output) }
    }

    private mutating func receive(
        _ range: Range<Int>, _ kind: DataChannelMessageKind, on key: ChannelKey, at now: Timestamp,
        into output: inout LANHubOutput
    ) {
        switch speakers[key] {
        case .hub(let connection) where kind == .binary: tellHub(.binary(connection), at: now, into: &output)
        case .hub(let connection):
            let payload = output.payload
            tellHub(.frame(connection, payload.span.bytes.extracting(range)), at: now, into: &output)
        case .room(let connection): output.events.append(.roomMessage(connection, range))
        case .echo(let echo):
            let message = Array(output.payload[range])
            guard echo.framing.follow(message.span.bytes) else { return drop(key, at: now, into: &output) }
            if phones[key.phone]?.isWritable == true, echo.queue.isEmpty {
                send(message.span.bytes, kind, on: key, at: now, into: &output)
            } else if !echo.queue.append(message, kind, total: &echoBytes) {
                drop(key, at: now, into: &output)
            }
        case nil: break
        }
    }

    private mutating func setWritable(
        _ isWritable: Bool, _ id: PeerID, at now: Timestamp, into output: inout LANHubOutput
    ) {
        phones[id]?.isWritable = isWritable
        for stream in phones[id]?.streams ?? [] {
            setWritable(isWritable, ChannelKey(phone: id, stream: stream), at: now, into: &output)
        }
    }

    private mutating func setWritable(
        _ isWritable: Bool, _ key: ChannelKey, at now: Timestamp, into output: inout LANHubOutput
    ) {
        switch speakers[key] {
        case .hub(let connection): tellHub(.writable(connection, isWritable), at: now, into: &output)
        case .room(let connection): output.events.append(.roomWritable(connection, isWritable))
        case .echo(let echo):
            // Until the transport says again that it is full.
            while isWritable, endpoint.bufferedBytes(of: key.phone) <= TransportLimits().highWater,
                let (message, kind) = echo.queue.removeFirst(total: &echoBytes)
            {
                send(message.span.bytes, kind, on: key, at: now, into: &output)
            }
        case nil: break
        }
    }

    // MARK: The end of channels

    /// A channel is gone: whoever spoke on it hears of it.
    private mutating func leave(_ key: ChannelKey, at now: Timestamp, into output: inout LANHubOutput) {
        switch speakers.removeValue(forKey: key) {
        case .hub(let connection):
            hubChannels[connection] = nil
            tellHub(.closed(connection), at: now, into: &output)
        case .room(let connection):
            roomChannels[connection] = nil
            output.events.append(.roomClosed(connection))
        case .echo(let echo): echo.queue.removeAll(total: &echoBytes)
        case nil: break
        }
    }

    /// Closes a channel from here, and tells whoever spoke on it.
    private mutating func drop(_ key: ChannelKey, at now: Timestamp, into output: inout LANHubOutput) {
        leave(key, at: now, into: &output)
        shut(key, at: now, into: &output)
    }

    /// Closes a channel on which nobody speaks any more.
    private mutating func shut(_ key: ChannelKey, at now: Timestamp, into output: inout LANHubOutput) {
        if var phone = phones.removeValue(forKey: key.phone) {
            phone.close(key.stream, by: now + limits.closingTime)
            watch(&phone, key.phone)
            phones[key.phone] = phone
        }
        endpointDeadline = endpoint.handle(
            .closeChannel(key.phone, channel: key.stream), at: now, into: &output.endpoint)
    }

    /// Sees to it that a phone's channels are gone in time. It is looked at once, however often it opens and loses channels.
    private mutating func watch(_ phone: inout LANPhone, _ id: PeerID) {
        guard !phone.isWatched, let deadline = phone.closingDeadline else { return }
        phone.isWatched = true
        var place = watched.count
        while place > 0, watched[place - 1].deadline > deadline { place -= 1 }
        watched.insert((id, deadline), at: place)
    }

    /// Ends the phones whose channels are not gone in time.
    private mutating func endLate(at now: Timestamp, into output: inout LANHubOutput) {
        let due = watched.prefix { $0.deadline <= now }
        watched.removeFirst(due.count)
        for (id, _) in due {
            guard var phone = phones.removeValue(forKey: id) else { continue }
            phone.isWatched = false
            let isLate = phone.closingDeadline.map { $0 <= now } ?? false
            // Those it waited for are gone, others are closing since.
            if !isLate { watch(&phone, id) }
            phones[id] = phone
            if isLate { end(id, at: now, into: &output) }
        }
    }

    private mutating func end(_ id: PeerID, at now: Timestamp, into output: inout LANHubOutput) {
        endpointDeadline = endpoint.handle(.close(id), at: now, into: &output.endpoint)
    }

    private mutating func send(
        _ message: RawSpan, _ kind: DataChannelMessageKind, on key: ChannelKey, at now: Timestamp,
        into output: inout LANHubOutput
    ) {
        endpointDeadline = endpoint.handle(
            .send(message, to: key.phone, channel: key.stream, kind), at: now, into: &output.endpoint)
    }

    // MARK: The hub

    /// Tells the hub, and does what it asks for.
    private mutating func tellHub(
        _ input: borrowing HubInput, at now: Timestamp, into output: inout LANHubOutput
    ) {
        var answer = Hub.Output()
        swap(&answer, &hubOutput)
        hubDeadline = hub.handle(input, at: now, into: &answer)
        for action in answer.actions {
            switch action {
            case .send(let connection, let range):
                guard let key = hubChannels[connection] else { continue }
                send(answer.bytes.span.bytes.extracting(range), .text, on: key, at: now, into: &output)
            case .close(let connection, _):
                guard let key = hubChannels.removeValue(forKey: connection) else { continue }
                speakers[key] = nil
                shut(key, at: now, into: &output)
            }
        }
        for event in answer.events { output.events.append(.hub(event)) }
        answer.removeAll()
        swap(&answer, &hubOutput)
    }
}
