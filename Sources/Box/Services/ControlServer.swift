import FoundationEssentials
import Glibc
import Logging
import NIOCore
import NIOPosix

/// Answers the command line on a Unix socket that only root, the box's own user and one group may open.
///
/// The file's mode is the guard: connecting to a Unix socket takes write permission on it (unix(7)).
final class ControlServer: Sendable {
    /// A request line longer than this is refused.
    static let maxRequest = 4096
    /// Connections at once.
    static let maxConnections = 16
    /// How long a connection may take to send its request.
    static let requestTimeout = TimeAmount.seconds(5)
    /// How long it may last from then on, but for one that is held; the client waits less.
    static let answerTimeout = TimeAmount.seconds(30)

    private let path: String
    private let group: String
    private let loop: any EventLoop
    private let logger: Logger
    private let answer: Answer

    /// Answers a request.
    /// - Parameter end: the end of its connection, at the latest that of its client.
    typealias Answer = @Sendable (_ request: ControlRequest, _ end: EventLoopFuture<Void>) async -> ControlResponse

    init(path: String, group: String, loop: any EventLoop, logger: Logger, answer: @escaping Answer) {
        self.path = path
        self.group = group
        self.loop = loop
        self.logger = logger
        self.answer = answer
    }

    /// Opens the socket.
    /// - Returns: the listening channel, to be closed at the end.
    func start() async throws -> any Channel {
        let answer = answer
        let open = NIOLoopBoundBox.makeBoxSendingValue(0, eventLoop: loop)
        // The state directory's lock is ours, so a socket file left here belongs to a dead process.
        unlink(path)
        let previous = umask(0o177)
        defer { umask(previous) }
        let channel = try await ServerBootstrap(group: loop)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard open.value < Self.maxConnections else { throw ControlError.tooManyConnections }
                    open.value += 1
                    channel.closeFuture.whenComplete { _ in open.value -= 1 }
                    try channel.pipeline.syncOperations.addHandler(RequestLineHandler(answer: answer))
                }
            }
            .bind(unixDomainSocketPath: path).get()
        openToGroup()
        return channel
    }

    private func openToGroup() {
        guard let entry = getgrnam(group) else {
            if getuid() == 0 {
                logger.notice(
                    "no group \"\(group)\": only root may use the control socket (mend: groupadd --system \(group))")
            }
            return
        }
        guard chown(path, uid_t.max, entry.pointee.gr_gid) == 0, chmod(path, 0o660) == 0 else {
            logger.notice(
                "the group \"\(group)\" can't be given the control socket; only this user and root may use it")
            return
        }
    }
}

enum ControlError: Error {
    case tooManyConnections
}

/// Reads one line, answers it, and closes, or waits for the other end to do that.
private final class RequestLineHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let answer: ControlServer.Answer
    private var received = ByteBuffer()
    private var isAnswering = false
    private var closing: Scheduled<Void>?

    init(answer: @escaping ControlServer.Answer) {
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) { close(context.channel, in: ControlServer.requestTimeout) }

    func channelInactive(context: ChannelHandlerContext) { closing?.cancel() }

    private func close(_ channel: any Channel, in time: TimeAmount) {
        closing?.cancel()
        closing = channel.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var chunk = unwrapInboundIn(data)
        received.writeBuffer(&chunk)
        guard !isAnswering else { return received.clear() }
        guard let end = received.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else {
            if received.readableBytes > ControlServer.maxRequest { context.close(promise: nil) }
            return
        }
        isAnswering = true
        let line = Array(received.readableBytesView[..<end])
        let channel = context.channel
        let answer = answer
        let request = try? JSONDecoder().decode(ControlRequest.self, from: Data(line))
        let isHeld = request?.isHeld == true
        close(channel, in: ControlServer.answerTimeout)
        if isHeld { closing?.cancel() }
        channel.eventLoop.makeFutureWithTask {
            let response =
                if let request {
                    await answer(request, channel.closeFuture)
                } else {
                    ControlResponse(error: "the box does not know this request; are both of the same version?")
                }
            var bytes = (try? JSONEncoder().encode(response)) ?? Data("{}".utf8)
            bytes.append(UInt8(ascii: "\n"))
            return ByteBuffer(bytes: bytes)
        }.flatMap { channel.writeAndFlush($0) }.whenComplete { _ in
            if !isHeld { channel.close(promise: nil) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
