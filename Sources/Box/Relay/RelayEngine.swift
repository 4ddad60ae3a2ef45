import BoxUDP
import Logging
import NIOCore
import NIOPosix
import SansIO
import TURN
import Wire

/// The sockets and the timer of a ``TURNServer``. Everything happens on one event loop.
final class RelayEngine {
    /// Datagrams read by one system call from the server's port.
    private static let datagramsPerRead = 32
    /// Programs on this machine are on its network too. From outside nobody can pose as one of them: the kernel drops
    /// what comes with such a source.
    private static let loopback = [
        IPNetwork(.v4(0x7F00_0000), prefixLength: 8), IPNetwork(.v6(0, 1), prefixLength: 128),
    ]

    /// What only the sockets know of.
    private var counters = RelayCounters()
    private var server: TURNServer
    private let eventLoop: any EventLoop
    private let logger: Logger
    private var output = TURNOutput()
    private var listeners: [Endpoint] = []
    private var relays: [TransportAddress: Endpoint] = [:]
    private var timer: Scheduled<Void>?
    private var timerDeadline: Timestamp?
    /// The time of the datagrams read together; nil between such runs.
    private var batchTime: Timestamp?

    /// A socket and the channel that reads from it.
    private struct Endpoint {
        let socket: UDPSocket
        let isIPv6: Bool
        var channel: (any Channel)?
    }

    init(
        configuration: TURNConfiguration, eventLoop: any EventLoop, logger: Logger,
        passwords: @escaping TURNServer.PasswordLookup
    ) {
        self.eventLoop = eventLoop
        self.logger = logger
        var configuration = configuration
        configuration.networks += Self.loopback
        server = TURNServer(
            configuration: configuration, generator: SystemRandomNumberGenerator(), passwords: passwords)
    }

    /// The counters, those of the protocol included.
    var currentCounters: RelayCounters {
        var counters = counters
        counters.turn = server.counters
        counters.allocations = server.allocationCount
        return counters
    }

    // MARK: Start and end

    /// Binds the server's port for a family.
    /// - Returns: the port.
    func listen(on address: TransportAddress) throws(SocketError) -> EventLoopFuture<UInt16> {
        let isIPv6 = if case .v6 = address.address { true } else { false }
        let socket = try UDPSocket(binding: address, wantsDestinations: true)
        let index = listeners.count
        listeners.append(Endpoint(socket: socket, isIPv6: isIPv6))
        let engine = NIOLoopBound(self, eventLoop: eventLoop)
        let port = socket.address.port
        return try socket.read(on: eventLoop, datagramsPerCall: Self.datagramsPerRead) {
            ListenerHandler(engine.value)
        }
        .map { channel in
            engine.value.listeners[index].channel = channel
            return port
        }
    }

    /// Closes every socket.
    func stop() {
        timer?.cancel()
        timer = nil
        dropAll()
        for listener in listeners { listener.channel?.close(promise: nil) }
        listeners.removeAll()
    }

    func dropAll() {
        output.removeAll()
        schedule(server.handle(.dropAll, at: currentTime, into: &output))
        carryOut(UnsafeRawBufferPointer(start: nil, count: 0))
    }

    func change(networks: [IPNetwork], localAddresses: [IPAddress]) {
        output.removeAll()
        schedule(
            server.handle(
                .changed(networks: networks + Self.loopback, localAddresses: localAddresses), at: currentTime,
                into: &output))
        carryOut(UnsafeRawBufferPointer(start: nil, count: 0))
    }

    // MARK: Datagrams

    fileprivate func received(_ envelope: AddressedEnvelope<ByteBuffer>) {
        guard envelope.data.readableBytes < UDPSocket.datagramCapacity else { return counters.oversized &+= 1 }
        guard let client = TransportAddress(envelope.remoteAddress),
            let destination = envelope.metadata?.packetInfo?.destinationAddress,
            let server = TransportAddress(destination)
        else { return counters.unaddressed &+= 1 }
        output.removeAll()
        let bytes = envelope.data.readableBytesSpan
        schedule(
            self.server.handle(
                .datagram(bytes, client: client, server: server.address), at: timeOfBatch, into: &output))
        bytes.withUnsafeBytes { carryOut($0) }
    }

    fileprivate func received(_ envelope: AddressedEnvelope<ByteBuffer>, on relay: TransportAddress) {
        guard envelope.data.readableBytes < UDPSocket.datagramCapacity else { return counters.oversized &+= 1 }
        guard let peer = TransportAddress(envelope.remoteAddress) else { return counters.unaddressed &+= 1 }
        output.removeAll()
        let bytes = envelope.data.readableBytesSpan
        schedule(server.handle(.peerDatagram(bytes, relay: relay, peer: peer), at: timeOfBatch, into: &output))
        bytes.withUnsafeBytes { carryOut($0) }
    }

    fileprivate func batchEnded() {
        batchTime = nil
    }

    private var currentTime: Timestamp {
        Timestamp(nanoseconds: NIODeadline.now().uptimeNanoseconds)
    }

    private var timeOfBatch: Timestamp {
        if let batchTime { return batchTime }
        let time = currentTime
        batchTime = time
        return time
    }

    /// Does what the server wants done about an input whose bytes are `input`.
    private func carryOut(_ input: UnsafeRawBufferPointer) {
        for datagram in output.datagrams {
            let result: UDPSocket.SendResult
            switch datagram.content {
            case .written(let range):
                result = output.written.bytes.withUnsafeBytes {
                    send(
                        datagram, UnsafeRawBufferPointer(rebasing: $0[..<0]),
                        UnsafeRawBufferPointer(rebasing: $0[range]))
                }
            case .payload(let range):
                result = send(
                    datagram, UnsafeRawBufferPointer(rebasing: input[..<0]),
                    UnsafeRawBufferPointer(rebasing: input[range]))
            case .channelData(let number, let range):
                let head = ChannelData.header(number: number, length: UInt16(truncatingIfNeeded: range.count))
                result = withUnsafeBytes(of: head.bigEndian) {
                    send(datagram, $0, UnsafeRawBufferPointer(rebasing: input[range]))
                }
            }
            switch result {
            case .sent: break
            case .full: counters.sendBufferFull &+= 1
            case .refused: counters.sendRefused &+= 1
            }
        }
        guard !output.commands.isEmpty else { return }
        let commands = output.commands
        for command in commands {
            switch command {
            case .open(let relay): open(relay)
            case .close(let relay): relays.removeValue(forKey: relay)?.channel?.close(promise: nil)
            }
        }
    }

    private func send(
        _ datagram: TURNOutput.Datagram, _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer
    ) -> UDPSocket.SendResult {
        switch datagram.source {
        case .server(let address):
            let isIPv6 = if case .v6 = address { true } else { false }
            for listener in listeners where listener.isIPv6 == isIPv6 {
                return listener.socket.send(head, body, to: datagram.destination, from: address)
            }
            return .refused
        case .relay(let relay):
            return relays[relay]?.socket.send(head, body, to: datagram.destination, from: nil) ?? .refused
        }
    }

    /// Binds the socket of a relayed address and tells the server.
    private func open(_ relay: TransportAddress) {
        let engine = NIOLoopBound(self, eventLoop: eventLoop)
        let isOpen: Bool
        do {
            let socket = try UDPSocket(binding: relay, wantsDestinations: false)
            let isIPv6 = if case .v6 = relay.address { true } else { false }
            let descriptor = try socket.duplicate()
            relays[relay] = Endpoint(socket: socket, isIPv6: isIPv6)
            let opening = NIOLoopBound(socket, eventLoop: eventLoop)
            // One datagram a call: most of what is relayed never passes here, and a buffer for many would be most of
            // an allocation's memory.
            DatagramBootstrap(group: eventLoop)
                .channelOption(
                    .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: UDPSocket.datagramCapacity)
                )
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(RelayHandler(engine.value, relay))
                    }
                }
                .withBoundSocket(descriptor)
                .whenComplete { engine.value.opened(relay, opening.value, $0) }
            isOpen = true
        } catch {
            logger.warning("no socket for a relayed address", metadata: ["address": "\(relay)", "error": "\(error)"])
            isOpen = false
        }
        output.removeAll()
        schedule(server.handle(isOpen ? .relayOpened(relay) : .relayFailed(relay), at: timeOfBatch, into: &output))
        carryOut(UnsafeRawBufferPointer(start: nil, count: 0))
    }

    private func opened(_ relay: TransportAddress, _ socket: UDPSocket, _ result: Result<any Channel, any Error>) {
        switch result {
        case .success(let channel):
            // The allocation may have ended meanwhile, and another one may have the address.
            if relays[relay]?.socket === socket {
                relays[relay]?.channel = channel
            } else {
                channel.close(promise: nil)
            }
        case .failure(let error):
            logger.error("a relayed address cannot be read", metadata: ["address": "\(relay)", "error": "\(error)"])
        }
    }

    // MARK: Time

    private func schedule(_ deadline: Timestamp?) {
        guard let deadline, deadline < timerDeadline ?? Timestamp(nanoseconds: .max) else { return }
        timer?.cancel()
        timerDeadline = deadline
        timer = eventLoop.assumeIsolated().scheduleTask(
            deadline: NIODeadline.uptimeNanoseconds(deadline.nanoseconds)
        ) { [weak self] in self?.wake() }
    }

    private func wake() {
        timer = nil
        timerDeadline = nil
        output.removeAll()
        schedule(server.handle(.wake, at: currentTime, into: &output))
        carryOut(UnsafeRawBufferPointer(start: nil, count: 0))
    }
}

/// Hands the engine what comes on the server's port.
private final class ListenerHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    private let engine: RelayEngine

    init(_ engine: RelayEngine) {
        self.engine = engine
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        engine.received(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        engine.batchEnded()
    }
}

/// Hands the engine what comes on a relayed address.
private final class RelayHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    private let engine: RelayEngine
    private let relay: TransportAddress

    init(_ engine: RelayEngine, _ relay: TransportAddress) {
        self.engine = engine
        self.relay = relay
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        engine.received(unwrapInboundIn(data), on: relay)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        engine.batchEnded()
    }
}
