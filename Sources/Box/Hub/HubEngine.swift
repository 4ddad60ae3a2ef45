import BoxUDP
import BoxWeb
import Hub
import LANHub
import Logging
import NIOCore
import SansIO
import WebRTCDirect
import Wire

/// The socket and the timer of the hub: a ``LANHub`` for what phones send, and the broker's ``RoomEntrance`` for channels
/// labelled `room`. Everything happens on one event loop.
final class HubEngine {
    /// Datagrams read by one system call.
    private static let datagramsPerRead = 64
    /// Lines in the log that phones may cause, in the long run and at once.
    private static let linesPerSecond = 5.0
    private static let lineBurst = 50.0

    /// What carries the frames of a member of the room.
    private final class Link: RoomLink {
        private weak var engine: HubEngine?
        private let connection: RoomConnection

        init(_ engine: HubEngine, _ connection: RoomConnection) {
            self.engine = engine
            self.connection = connection
        }

        var local: IPAddress { engine?.hub.localAddress(of: connection) ?? .v4(0) }

        func send(_ text: RawSpan) { engine?.tell(.roomText(connection, text)) }

        func flush() { engine?.carryOut() }

        func close() {
            engine?.rooms[connection] = nil
            engine?.tell(.closeRoom(connection))
        }
    }

    private let room: RoomEntrance
    private let eventLoop: any EventLoop
    private let onClients: () -> Void
    private let logger: Logger
    private let reserve: (Int64) -> Void
    private var hub: LANHub
    private var output = LANHubOutput()
    private var rooms: [RoomConnection: RoomChannel] = [:]
    private var socket: UDPSocket?
    private var channel: (any Channel)?

    /// The events of `output` that have been carried out.
    private var eventsDone = 0
    private var isCarryingOut = false
    /// Between the first datagram of a read and the last one: what is sent goes out together.
    private var batchTime: Timestamp?
    private var deadline: Timestamp?
    private var timer: (deadline: Timestamp, task: Scheduled<Void>)?
    private var lines = TokenBucket(rate: linesPerSecond, burst: lineBurst, now: .zero)
    private var hiddenLines = 0
    private var counters = HubServer.SocketCounters()

    init(
        _ hub: consuming LANHub, room: RoomEntrance, eventLoop: any EventLoop, logger: Logger,
        onClients: @escaping () -> Void, reserve: @escaping (Int64) -> Void
    ) {
        self.room = room
        self.eventLoop = eventLoop
        self.logger = logger
        self.onClients = onClients
        self.reserve = reserve
        self.hub = hub
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
        tell(.closeAll)
        carryOut()
        timer?.task.cancel()
        timer = nil
        channel?.close(promise: nil)
        channel = nil
        socket = nil
    }

    /// The room's secret was changed.
    func retire(_ secret: String) {
        tell(.rotated(retired: secret))
        carryOut()
    }

    var snapshot: HubServer.Snapshot { HubServer.Snapshot(hub.snapshot, socket: counters) }

    // MARK: Datagrams

    fileprivate func received(_ envelope: AddressedEnvelope<ByteBuffer>) {
        guard envelope.data.readableBytes < UDPSocket.datagramCapacity else { return counters.oversized &+= 1 }
        guard let client = TransportAddress(envelope.remoteAddress),
            let destination = envelope.metadata?.packetInfo?.destinationAddress,
            let local = TransportAddress(destination)
        else { return counters.unaddressed &+= 1 }
        batchTime = batchTime ?? currentTime
        tell(.datagram(envelope.data.readableBytesSpan, from: client, to: local.address))
        carryOutEvents()
    }

    fileprivate func batchEnded() {
        batchTime = nil
        finish()
    }

    private func tell(_ input: borrowing LANHubInput) {
        deadline = hub.handle(input, at: batchTime ?? currentTime, into: &output)
    }

    /// Does what `output` asks for, unless that is being done already; sends it, unless more is read.
    private func carryOut() {
        guard !isCarryingOut else { return }
        carryOutEvents()
        if batchTime == nil { finish() }
    }

    private func carryOutEvents() {
        guard eventsDone < output.events.count else { return }
        isCarryingOut = true
        var hasClientsChanged = false
        while eventsDone < output.events.count {
            let event = output.events[eventsDone]
            eventsDone += 1
            if case .hub = event { hasClientsChanged = true }
            carryOut(event)
        }
        if hasClientsChanged { onClients() }
        isCarryingOut = false
    }

    /// Sends everything that was written, and sets the timer.
    private func finish() {
        // What the broker wrote for members of the room goes with the rest.
        isCarryingOut = true
        room.flush()
        isCarryingOut = false
        carryOutEvents()
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

    private func carryOut(_ event: LANHubEvent) {
        switch event {
        case .roomOpened(let connection, let address):
            rooms[connection] = room.channel(over: Link(self, connection), from: address)
        case .roomMessage(let connection, let range):
            // A copy: the answer may come while this is read, and is written where this stands.
            rooms[connection]?.received(Array(output.payload[range]))
        case .roomWritable(let connection, let isWritable): rooms[connection]?.writable(isWritable)
        case .roomClosed(let connection): rooms.removeValue(forKey: connection)?.closed()
        case .dialled(let connection):
            log("\(connection.address) dialled the hub (\(connection.identity.rawValue))")
        case .moved(let address): log("a phone on the hub is now at \(address)")
        case .left(let address, let reason): log("\(address) left the hub: \(reason.rawValue)")
        case .hub(let event): carryOut(event)
        }
    }

    private func carryOut(_ event: Hub.Event) {
        switch event {
        case .opened(_, let id): logger.debug("hub: \(id) came")
        case .resumed(_, let id): log("hub: \(id) is back")
        case .refused(_, let id, let refusal): log("hub: \(id) was refused a room: \(refusal.rawValue)")
        case .dropped(_, let id, let kept): logger.debug("hub: \(id) dropped\(kept ? ", and may come back" : "")")
        case .left(let id): logger.debug("hub: \(id) has not come back")
        case .closed(_, let reason): log("hub: a connection was closed: \(reason.rawValue)")
        case .idsReserved(let through): reserve(through)
        }
    }

    /// Logs what a phone has caused; it may do so as often as it likes, and the log has room for other things.
    private func log(_ line: @autoclosure () -> String) {
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
        tell(.wake)
        carryOut()
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
