import BoxUDP
import BoxWeb
import DTLS
import DataChannel
import Hub
import Logging
import NIOCore
import SCTP
import SansIO
import WebRTCDirect
import Wire

/// The socket and the timer of the hub: a ``WebRTCEndpoint`` for the packets, and for each data channel whoever speaks on
/// it. Everything happens on one event loop.
final class HubEngine {
    /// Datagrams read by one system call.
    private static let datagramsPerRead = 64
    /// Data channels of one peer that are served; the client needs one.
    private static let channelsPerPeer = 8
    /// How long a channel that is closed from here may take; a peer that reads nothing would keep what waits for it for ever.
    private static let closingTime = Duration.seconds(3)
    /// Channels labelled `hub` or `room` that one peer may open: each is a client with an id, and leaves a place that is kept.
    private static let openingsPerSecond = 2.0
    private static let openingBurst = 16.0
    /// Lines in the log that phones may cause, in the long run and at once.
    private static let linesPerSecond = 5.0
    private static let lineBurst = 50.0

    /// A channel of a peer.
    private struct ChannelKey: Hashable {
        let peer: PeerID
        let stream: UInt16
    }

    /// Who speaks on a channel.
    private enum Speaker {
        case hub(HubConnection)
        case room(RoomChannel)
        case echo(Echo)
    }

    /// The echo of WebRTC Direct, and what waits for a client that reads slowly.
    private final class Echo {
        var framing = DirectEcho()
        var queue = EchoQueue()
    }

    /// What carries the frames of a member of the room.
    private final class Link: RoomLink {
        private weak var engine: HubEngine?
        private let key: ChannelKey

        init(_ engine: HubEngine, _ key: ChannelKey) {
            self.engine = engine
            self.key = key
        }

        var local: IPAddress { engine?.peers[key.peer]?.local ?? .v4(0) }

        func send(_ text: RawSpan) { engine?.send(text, .text, on: key) }

        func flush() { engine?.carryOut() }

        func close() { engine?.drop(key) }
    }

    private struct Peer {
        var connection: EndpointConnection
        /// The address of this machine by which it came.
        var local: IPAddress
        var streams: [UInt16] = []
        var openings: TokenBucket
        var isWritable = true
        /// Whether a channel of it was closed from here: with its last channel it goes itself. Kibitz's app dials anew and
        /// leaves the old connection as it is.
        var isLeaving = false
        /// Channels closed from here that are not gone yet, and when the peer ends if they still are not.
        var closing: [UInt16] = []
        var closingDeadline: Timestamp?
    }

    private let configuration: HubServer.Configuration
    private let room: RoomEntrance
    private let eventLoop: any EventLoop
    private let onClients: () -> Void
    private let logger: Logger
    private let reserve: (Int64) -> Void
    private var endpoint: WebRTCEndpoint
    private var hub: Hub
    private var output = EndpointOutput()
    private var hubOutput = Hub.Output()
    private var socket: UDPSocket?
    private var channel: (any Channel)?

    private var peers: [PeerID: Peer] = [:]
    private var speakers: [ChannelKey: Speaker] = [:]
    private var hubChannels: [HubConnection: ChannelKey] = [:]
    /// Bytes that wait in all echoes.
    private var echoBytes = 0
    private var lastConnection: UInt64 = 0

    /// The events of `output` that have been carried out.
    private var eventsDone = 0
    private var isCarryingOut = false
    /// Between the first datagram of a read and the last one: what is sent goes out together.
    private var batchTime: Timestamp?
    private var endpointDeadline: Timestamp?
    private var hubDeadline: Timestamp?
    /// Peers with a `closingDeadline`, in its order; those whose channels are gone by then as well.
    private var closings: [(peer: PeerID, deadline: Timestamp)] = []
    private var lines = TokenBucket(rate: linesPerSecond, burst: lineBurst, now: .zero)
    private var hiddenLines = 0
    private var timer: (deadline: Timestamp, task: Scheduled<Void>)?
    private var counters = HubServer.SocketCounters()

    init(
        configuration: HubServer.Configuration, endpoint: EndpointConfiguration, hub: consuming Hub,
        room: RoomEntrance, eventLoop: any EventLoop, logger: Logger, onClients: @escaping () -> Void,
        reserve: @escaping (Int64) -> Void
    ) {
        self.configuration = configuration
        self.room = room
        self.eventLoop = eventLoop
        self.logger = logger
        self.onClients = onClients
        self.reserve = reserve
        self.hub = hub
        self.endpoint = WebRTCEndpoint(configuration: endpoint, generator: SystemRandomNumberGenerator())
    }

    // MARK: Start and end

    /// Binds the port and reads from it.
    func listen(on port: UInt16) throws(SocketError) -> EventLoopFuture<Void> {
        let socket = try UDPSocket(binding: TransportAddress(.v4(0), port: port), wantsDestinations: true)
        self.socket = socket
        let engine = NIOLoopBound(self, eventLoop: eventLoop)
        return try socket.read(on: eventLoop, datagramsPerCall: Self.datagramsPerRead) { DatagramHandler(engine) }
            .map { engine.value.channel = $0 }
    }

    /// Says goodbye to everyone and closes the socket.
    func stop() {
        perform(.closeAll)
        timer?.task.cancel()
        timer = nil
        channel?.close(promise: nil)
        channel = nil
        socket = nil
    }

    /// The room's secret was changed.
    func retire(_ secret: String) {
        handleHub(.rotated(retired: secret))
        carryOut()
    }

    var snapshot: HubServer.Snapshot {
        var snapshot = HubServer.Snapshot()
        snapshot.hub = hub.snapshot
        snapshot.endpoint = endpoint.counters
        snapshot.peers = endpoint.connectionCount
        snapshot.socket = counters
        return snapshot
    }

    // MARK: Datagrams

    fileprivate func received(_ envelope: AddressedEnvelope<ByteBuffer>) {
        guard envelope.data.readableBytes < UDPSocket.datagramCapacity else { return counters.oversized &+= 1 }
        guard let client = TransportAddress(envelope.remoteAddress),
            let destination = envelope.metadata?.packetInfo?.destinationAddress,
            let local = TransportAddress(destination)
        else { return counters.unaddressed &+= 1 }
        let now = batchTime ?? currentTime
        batchTime = now
        endpointDeadline = endpoint.handle(
            .datagram(envelope.data.readableBytesSpan, from: client, to: local.address), at: now, into: &output)
        carryOutEvents(local: local.address)
    }

    fileprivate func batchEnded() {
        batchTime = nil
        finish()
    }

    /// Gives the endpoint an input that comes from within the box, and sends what comes of it.
    private func perform(_ input: borrowing EndpointInput) {
        endpointDeadline = endpoint.handle(input, at: batchTime ?? currentTime, into: &output)
        carryOut()
    }

    /// Does what `output` asks for, unless that is being done already; sends it, unless more is read.
    private func carryOut() {
        guard !isCarryingOut else { return }
        carryOutEvents(local: nil)
        if batchTime == nil { finish() }
    }

    private func carryOutEvents(local: IPAddress?) {
        isCarryingOut = true
        while eventsDone < output.events.count {
            let event = output.events[eventsDone]
            eventsDone += 1
            carryOut(event, local: local)
        }
        isCarryingOut = false
    }

    /// Sends everything that was written, and sets the timer.
    private func finish() {
        // What the broker wrote for members of the room goes with the rest.
        isCarryingOut = true
        room.flush()
        carryOutEvents(local: nil)
        if let socket, !output.datagrams.isEmpty {
            let counts = output.written.withUnsafeBytes { bytes in
                socket.send(bytes, count: output.datagrams.count) { index in
                    let datagram = output.datagrams[index]
                    return UDPDatagram(
                        to: datagram.destination, from: datagram.source, range: datagram.range)
                }
            }
            counters.sendBufferFull &+= UInt64(counts.full)
            counters.sendRefused &+= UInt64(counts.refused)
        }
        output.removeAll()
        eventsDone = 0
        schedule()
    }

    // MARK: Events

    private func carryOut(_ event: EndpointEvent, local: IPAddress?) {
        switch event {
        case .message(let peer, let stream, let kind, let range):
            received(range, kind, on: ChannelKey(peer: peer, stream: stream))
        case .connected(let id, let connection):
            peers[id] = Peer(
                connection: connection, local: local ?? .v4(0),
                openings: TokenBucket(
                    rate: Self.openingsPerSecond, burst: Self.openingBurst, now: batchTime ?? currentTime))
            tell("\(connection.address) dialled the hub (\(connection.identity.rawValue))")
        case .channelOpened(let peer, let stream, let parameters, let isIncoming):
            opened(ChannelKey(peer: peer, stream: stream), parameters, isIncoming: isIncoming)
        case .channelClosed(let peer, let stream):
            close(ChannelKey(peer: peer, stream: stream))
            peers[peer]?.streams.removeAll { $0 == stream }
            peers[peer]?.closing.removeAll { $0 == stream }
            if peers[peer]?.closing.isEmpty == true { peers[peer]?.closingDeadline = nil }
            if let state = peers[peer], state.isLeaving, state.streams.isEmpty { perform(.close(peer)) }
        case .moved(let id, let address):
            peers[id]?.connection.address = address
            if let local { peers[id]?.local = local }
            tell("a phone on the hub is now at \(address)")
        case .unwritable(let id): setWritable(false, id)
        case .writable(let id): setWritable(true, id)
        case .disconnected(let id, let reason):
            guard let peer = peers.removeValue(forKey: id) else { return }
            for stream in peer.streams { close(ChannelKey(peer: id, stream: stream)) }
            tell("\(peer.connection.address) left the hub: \(reason.rawValue)")
        case .channelOpening: break
        case .sendRefused(let peer, let stream, _):
            // The endpoint counts it. The broker closes those who don't read by itself.
            let key = ChannelKey(peer: peer, stream: stream)
            switch speakers[key] {
            case .hub(let connection): handleHub(.sendRefused(connection))
            // What comes behind the missing piece would be taken for something else.
            case .echo: drop(key)
            case .room, nil: break
            }
        }
    }

    private func opened(_ key: ChannelKey, _ parameters: DataChannelParameters, isIncoming: Bool) {
        guard let peer = peers[key.peer] else { return }
        peers[key.peer]?.streams.append(key.stream)
        guard peer.streams.count < Self.channelsPerPeer else { return drop(key) }
        if peer.connection.identity.isDirect {
            // WebRTC Direct has its one channel 0, agreed on without a word (negotiated).
            guard key.stream == 0, configuration.echoes else { return drop(key) }
            speakers[key] = .echo(Echo())
        } else {
            switch parameters.label {
            case "hub", "room":
                guard peers[key.peer]?.openings.take(at: batchTime ?? currentTime) == true else { return drop(key) }
            // Nobody speaks on it; what the client does with channels of its own is its affair.
            default: return
            }
            if parameters.label == "hub" {
                lastConnection += 1
                let connection = HubConnection(lastConnection)
                speakers[key] = .hub(connection)
                hubChannels[connection] = key
                handleHub(.opened(connection))
            } else {
                let link = Link(self, key)
                speakers[key] = .room(room.channel(over: link, from: peer.connection.address.address))
            }
        }
        // The channels that were there before know it already.
        if !peer.isWritable { setWritable(false, key) }
    }

    private func received(_ range: Range<Int>, _ kind: DataChannelMessageKind, on key: ChannelKey) {
        switch speakers[key] {
        case .hub(let connection) where kind == .binary: handleHub(.binary(connection))
        case .hub(let connection):
            hubDeadline = hub.handle(
                .frame(connection, output.payload.span.bytes.extracting(range)), at: batchTime ?? currentTime,
                into: &hubOutput)
            carryOutHub()
        case .room(let channel):
            // A copy: the answer may come while this is read, and is written where this stands.
            channel.received(Array(output.payload[range]))
        case .echo(let echo):
            let message = Array(output.payload[range])
            guard echo.framing.follow(message.span.bytes) else { return drop(key) }
            if peers[key.peer]?.isWritable == true, echo.queue.isEmpty {
                send(message.span.bytes, kind, on: key)
            } else if !echo.queue.append(message, kind, total: &echoBytes) {
                drop(key)
            }
        case nil: break
        }
    }

    private func setWritable(_ isWritable: Bool, _ id: PeerID) {
        guard let peer = peers[id] else { return }
        peers[id]?.isWritable = isWritable
        for stream in peer.streams { setWritable(isWritable, ChannelKey(peer: id, stream: stream)) }
    }

    private func setWritable(_ isWritable: Bool, _ key: ChannelKey) {
        switch speakers[key] {
        case .hub(let connection): handleHub(.writable(connection, isWritable))
        case .room(let channel): channel.writable(isWritable)
        case .echo(let echo):
            // Until the transport says again that it is full.
            guard isWritable else { break }
            echo.queue.drain(
                total: &echoBytes, while: { endpoint.bufferedBytes(of: key.peer) <= TransportLimits().highWater },
                send: { send($0.span.bytes, $1, on: key) })
        case nil: break
        }
    }

    /// A channel is gone: whoever spoke on it hears of it.
    private func close(_ key: ChannelKey) {
        switch speakers.removeValue(forKey: key) {
        case .hub(let connection):
            hubChannels[connection] = nil
            handleHub(.closed(connection))
        case .room(let channel): channel.closed()
        case .echo(let echo): echo.queue.removeAll(total: &echoBytes)
        case nil: break
        }
    }

    /// Closes a channel from here.
    private func drop(_ key: ChannelKey) {
        close(key)
        shut(key)
        carryOut()
    }

    private func shut(_ key: ChannelKey) {
        let now = batchTime ?? currentTime
        if var peer = peers.removeValue(forKey: key.peer) {
            peer.isLeaving = true
            if peer.streams.contains(key.stream), !peer.closing.contains(key.stream) { peer.closing.append(key.stream) }
            if !peer.closing.isEmpty, peer.closingDeadline == nil {
                let deadline = now + Self.closingTime
                peer.closingDeadline = deadline
                closings.append((key.peer, deadline))
            }
            peers[key.peer] = peer
        }
        endpointDeadline = endpoint.handle(.closeChannel(key.peer, channel: key.stream), at: now, into: &output)
    }

    /// Ends the peers whose channels are not gone in time.
    private func endClosings(at now: Timestamp) {
        let count = closings.prefix { $0.deadline <= now }.count
        let due = closings.prefix(count)
        closings.removeFirst(count)
        for (peer, _) in due {
            if let deadline = peers[peer]?.closingDeadline, deadline <= now { perform(.close(peer)) }
        }
    }

    private func send(_ message: RawSpan, _ kind: DataChannelMessageKind, on key: ChannelKey) {
        endpointDeadline = endpoint.handle(
            .send(message, to: key.peer, channel: key.stream, kind), at: batchTime ?? currentTime, into: &output)
    }

    // MARK: The hub

    private func handleHub(_ input: borrowing HubInput) {
        hubDeadline = hub.handle(input, at: batchTime ?? currentTime, into: &hubOutput)
        carryOutHub()
    }

    /// Nothing in here calls the hub again: `hubOutput` is whole until it is emptied.
    private func carryOutHub() {
        if !hubOutput.actions.isEmpty { carryOut(hubOutput.actions, hubOutput.bytes) }
        for event in hubOutput.events { log(event) }
        if !hubOutput.events.isEmpty { onClients() }
        hubOutput.removeAll()
    }

    private func carryOut(_ actions: [Hub.Action], _ bytes: [UInt8]) {
        for action in actions {
            switch action {
            case .send(let connection, let range):
                guard let key = hubChannels[connection] else { continue }
                send(bytes.span.bytes.extracting(range), .text, on: key)
            case .close(let connection, _):
                guard let key = hubChannels.removeValue(forKey: connection) else { continue }
                speakers[key] = nil
                shut(key)
            }
        }
    }

    private func log(_ event: Hub.Event) {
        switch event {
        case .opened(_, let id): logger.debug("hub: \(id) came")
        case .resumed(_, let id): tell("hub: \(id) is back")
        case .refused(_, let id, let refusal): tell("hub: \(id) was refused a room: \(refusal.rawValue)")
        case .dropped(_, let id, let kept): logger.debug("hub: \(id) dropped\(kept ? ", and may come back" : "")")
        case .left(let id): logger.debug("hub: \(id) has not come back")
        case .closed(_, let reason): tell("hub: a connection was closed: \(reason.rawValue)")
        case .idsReserved(let through): reserve(through)
        }
    }

    /// Logs what a phone has caused; it may do so as often as it likes, and the log has room for other things.
    private func tell(_ line: @autoclosure () -> String) {
        guard lines.take(at: batchTime ?? currentTime) else { return hiddenLines &+= 1 }
        logger.info("\(line())\(hiddenLines > 0 ? " (\(hiddenLines) lines before this were left out)" : "")")
        hiddenLines = 0
    }

    // MARK: Time

    private var currentTime: Timestamp {
        Timestamp(nanoseconds: NIODeadline.now().uptimeNanoseconds)
    }

    /// An earlier call than asked for does no harm, and saves a rescheduling for each datagram.
    private func schedule() {
        var deadline = closings.first?.deadline
        if let endpointDeadline { deadline = min(deadline ?? endpointDeadline, endpointDeadline) }
        if let hubDeadline { deadline = min(deadline ?? hubDeadline, hubDeadline) }
        guard socket != nil, let deadline else { return }
        if let timer, timer.deadline <= deadline { return }
        timer?.task.cancel()
        let task = eventLoop.assumeIsolated().scheduleTask(
            deadline: .uptimeNanoseconds(min(deadline.nanoseconds, UInt64(Int64.max)))
        ) { [weak self] () -> Void in self?.wake() }
        timer = (deadline, task)
    }

    private func wake() {
        timer = nil
        let now = currentTime
        if let hubDeadline, hubDeadline <= now { handleHub(.wake) }
        endClosings(at: now)
        if let endpointDeadline, endpointDeadline <= now { perform(.wake) } else { carryOut() }
    }
}

/// Hands the engine what comes on the hub's port.
private final class DatagramHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    private let engine: NIOLoopBound<HubEngine>

    init(_ engine: NIOLoopBound<HubEngine>) {
        self.engine = engine
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        engine.value.received(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        engine.value.batchEnded()
    }
}
