import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

/// What the clients send each other.
struct Traffic {
    /// Pairs of clients.
    var pairs: Int
    /// Bytes of each frame's JSON.
    var size: Int
    /// Frames a client has under way at most.
    var window: Int
    /// The time between two frames of a client; nil when only the window limits them.
    var interval: TimeAmount?
}

/// Connects pairs of clients to the broker, and lets each send to the other for the measured time.
struct BrokerLoad {
    let target: Target
    let traffic: Traffic

    /// Connecting all at once would measure the listen queue.
    private static let connectingAtOnce = 16
    private static let connectTimeout = TimeAmount.seconds(10)

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            try await run(on: group.next())
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    private func run(on eventLoop: any EventLoop) async throws {
        let load = try await eventLoop.submit { NIOLoopBound(PeerLoad(traffic: traffic), eventLoop: eventLoop) }.get()
        // Ids of this run: an earlier one's may still be held.
        let run = UInt32.random(in: 0 ... .max)
        let ids = (0..<traffic.pairs * 2).map { "load-\(run)-\($0)" }
        for start in stride(from: 0, to: ids.count, by: Self.connectingAtOnce) {
            let batch = start..<min(start + Self.connectingAtOnce, ids.count)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for index in batch {
                    tasks.addTask { try await connect(id: ids[index], peer: ids[index ^ 1], load: load, on: eventLoop) }
                }
                try await tasks.waitForAll()
            }
        }
        report("ready", ["clients": Double(ids.count)])

        try await eventLoop.submit { load.value.begin() }.get()
        report("start")
        let start = nanoseconds()
        try await Task.sleep(for: .seconds(target.seconds))
        let result = try await eventLoop.submit { try load.value.end() }.get()
        let seconds = Double(nanoseconds() - start) / 1e9
        report(
            "done",
            [
                "frames": Double(result.count), "seconds": seconds,
                "p50_us": result.percentile(0.5), "p99_us": result.percentile(0.99),
            ])
    }

    /// Connects one client, and returns when the broker has said OPEN.
    private func connect(
        id: String, peer: String, load: NIOLoopBound<PeerLoad>, on eventLoop: any EventLoop
    ) async throws {
        let opened = eventLoop.makePromise(of: Void.self)
        let timeout = eventLoop.scheduleTask(in: Self.connectTimeout) {
            opened.fail(Failure("the broker did not say OPEN to client \(id) in time"))
        }
        let uri = "/peerjs?key=peerjs&id=\(id)&token=token-\(id)&version=1.5.5"
        let upgraded: EventLoopFuture<Bool> = try await ClientBootstrap(group: eventLoop)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .connect(host: target.host, port: target.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let upgrader = NIOTypedWebSocketClientUpgrader<Bool> { channel, _ in
                        channel.eventLoop.makeCompletedFuture {
                            let handler = PeerHandler(
                                client: PeerClient(id: id, peer: peer, channel: channel, load: load.value),
                                opened: opened)
                            try channel.pipeline.syncOperations.addHandler(handler)
                            return true
                        }
                    }
                    let request = HTTPRequestHead(
                        version: .http1_1, method: .GET, uri: uri,
                        headers: ["host": "\(target.host):\(target.port)", "content-length": "0"])
                    var configuration = NIOUpgradableHTTPClientPipelineConfiguration(
                        upgradeConfiguration: .init(
                            upgradeRequestHead: request, upgraders: [upgrader],
                            notUpgradingCompletionHandler: { $0.eventLoop.makeSucceededFuture(false) }))
                    // The broker's OPEN comes with its answer to the upgrade.
                    configuration.leftOverBytesStrategy = .forwardBytes
                    return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
                        configuration: configuration)
                }
            }
        guard try await upgraded.get() else {
            opened.fail(Failure("the server refuses the WebSocket at \(uri)"))
            return try await opened.futureResult.get()
        }
        try await opened.futureResult.get()
        timeout.cancel()
    }
}

/// All clients, on their event loop.
final class PeerLoad {
    let traffic: Traffic
    private var clients: [String: PeerClient] = [:]
    private var running = false
    private var failure: Failure?
    private var latencies = Latencies()

    init(traffic: Traffic) {
        self.traffic = traffic
    }

    func add(_ client: PeerClient) {
        clients[client.id] = client
    }

    func begin() {
        running = true
        for client in clients.values { client.begin() }
    }

    func end() throws(Failure) -> Latencies {
        running = false
        if let failure { throw failure }
        return latencies
    }

    func fail(_ reason: String) {
        if failure == nil { failure = Failure(reason) }
    }

    /// Whether clients may still send.
    var isRunning: Bool { running && failure == nil }

    /// A frame has arrived at `receiver`; the broker keeps the order, so it is its peer's oldest one under way.
    func arrived(at receiver: PeerClient) {
        guard let sender = clients[receiver.peer], let sentAt = sender.underWay.popFirst() else {
            return fail("\(receiver.id) got a frame that nobody sent")
        }
        if isRunning { latencies.add(nanoseconds: nanoseconds() - sentAt) }
        if traffic.interval == nil { sender.send() }
    }
}

/// One client of the broker.
final class PeerClient {
    let id: String
    let peer: String
    private let channel: any Channel
    private let load: PeerLoad
    private let frame: ByteBuffer
    /// When each of the frames under way was sent.
    var underWay = CircularBuffer<UInt64>()

    init(id: String, peer: String, channel: any Channel, load: PeerLoad) {
        self.id = id
        self.peer = peer
        self.channel = channel
        self.load = load
        // About what a browser's session description is: text of which little repeats.
        let head = #"{"type":"OFFER","dst":"\#(peer)","payload":{"type":"offer","sdp":""#
        let tail = #""}}"#
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789=:/ ".utf8)
        var frame = ByteBuffer(string: head)
        for _ in 0..<max(0, load.traffic.size - head.utf8.count - tail.utf8.count) {
            frame.writeInteger(alphabet.randomElement()!)
        }
        frame.writeString(tail)
        self.frame = frame
    }

    func open() {
        load.add(self)
    }

    func begin() {
        guard load.traffic.window > 0 else { return }
        guard let interval = load.traffic.interval else {
            for _ in 0..<load.traffic.window { send() }
            return
        }
        // Clients do not send in step.
        channel.eventLoop.assumeIsolated().scheduleTask(
            in: .nanoseconds(.random(in: 0..<max(1, interval.nanoseconds)))
        ) { self.tick(every: interval) }
    }

    private func tick(every interval: TimeAmount) {
        guard load.isRunning else { return }
        channel.eventLoop.assumeIsolated().scheduleTask(in: interval) { self.tick(every: interval) }
        send()
    }

    /// Sends a frame, unless as many as the window allows are under way.
    func send() {
        guard load.isRunning, underWay.count < load.traffic.window else { return }
        underWay.append(nanoseconds())
        write(frame)
    }

    func write(_ text: ByteBuffer, opcode: WebSocketOpcode = .text) {
        channel.writeAndFlush(
            WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: text), promise: nil)
    }

    /// A frame the broker relayed.
    func received(_ frame: ByteBuffer) {
        // The broker names the sender; the rest is as the peer has sent it.
        guard frame.readableBytes >= load.traffic.size else { return load.fail("a frame came short") }
        load.arrived(at: self)
    }

    func lost(_ reason: String) {
        load.fail("the connection of \(id) ended: \(reason)")
    }
}

/// Speaks WebSocket for one client.
private final class PeerHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame

    /// PeerJS pings the broker as often.
    private static let heartbeatInterval = TimeAmount.seconds(5)
    private static let heartbeat = ByteBuffer(string: #"{"type":"HEARTBEAT"}"#)

    private let client: PeerClient
    private var opened: EventLoopPromise<Void>?
    /// Whether a relayed frame has been looked at as a whole.
    private var hasCheckedFrame = false
    private var isOpen = true

    init(client: PeerClient, opened: EventLoopPromise<Void>) {
        self.client = client
        self.opened = opened
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .text:
            handle(frame.data, context: context)
        case .ping:
            client.write(frame.data, opcode: .pong)
        case .connectionClose:
            var reason = frame.data
            reason.moveReaderIndex(forwardBy: min(2, reason.readableBytes))
            close("closed by the broker, \(String(buffer: reason))")
            context.close(promise: nil)
        default:
            break
        }
    }

    private func handle(_ text: ByteBuffer, context: ChannelHandlerContext) {
        // Only an OFFER is long.
        if text.readableBytes > 200 {
            if !hasCheckedFrame {
                hasCheckedFrame = true
                let words = String(buffer: text)
                guard words.contains(#""type":"OFFER""#), words.contains(#""src":"\#(client.peer)""#) else {
                    return client.lost("the broker sent it \(words)")
                }
            }
            client.received(text)
            return
        }
        let words = String(buffer: text)
        if words.contains(#""type":"OPEN""#) {
            client.open()
            opened?.succeed()
            opened = nil
            beat(on: context.eventLoop, in: .nanoseconds(.random(in: 0..<Self.heartbeatInterval.nanoseconds)))
        } else if !words.contains(#""type":"HEARTBEAT""#) {
            close("the broker said \(words)")
        }
    }

    private func beat(on eventLoop: any EventLoop, in time: TimeAmount) {
        eventLoop.assumeIsolated().scheduleTask(in: time) { [self] in
            guard isOpen else { return }
            client.write(Self.heartbeat)
            beat(on: eventLoop, in: Self.heartbeatInterval)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        close("closed")
        isOpen = false
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        close("\(error)")
        context.close(promise: nil)
    }

    private func close(_ reason: String) {
        opened?.fail(Failure(reason))
        opened = nil
        client.lost(reason)
    }
}
