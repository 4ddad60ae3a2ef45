import HummingbirdCore
import NIOCore
import PeerBroker
import WebSocket
import Wire

/// One client's WebSocket: frames in to the broker, the broker's messages out (RFC 6455).
///
/// On a plain connection nothing else handles what is read. It reads frames off the channel's own buffer, and writes
/// straight to the socket what that takes at once; only the rest waits in the channel.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// After our close frame, how long the client has to answer with its own before the connection is cut.
    static let closeTimeout = TimeAmount.seconds(2)
    /// Beyond these many bytes that a client has not read, it counts as a slow reader; the broker gives it time.
    static let writeBufferWaterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 16 << 10, high: 64 << 10)

    private let signaling: SignalingServer
    private let buffers: WebSocketBuffers
    private let uri: String
    private let isSecure: Bool
    private var id: ConnectionID?
    private var context: ChannelHandlerContext?
    private var reader: WebSocketReader
    private var isClosing = false
    private var pace = ReadPace()
    /// Whether a read is held up.
    private var isPaused = false
    /// Frames that go out with the next flush, in one piece.
    private var unsent: [UInt8] = []
    /// Where they go; nil when they must go through the channel, which encrypts.
    private var socket: DirectSocket?
    /// Writes that the channel has not finished; what comes behind them must not pass them.
    private var writesUnderWay = 0

    /// Makes a handler; on the event loop only.
    /// - Parameters:
    ///   - signaling: the broker.
    ///   - uri: the request target with which the WebSocket was opened.
    ///   - isSecure: whether the connection is encrypted.
    init(signaling: SignalingServer, uri: String, isSecure: Bool) {
        self.signaling = signaling
        self.uri = uri
        self.isSecure = isSecure
        buffers = signaling.webSocketBuffers
        reader = WebSocketReader(maximumMessageBytes: signaling.maximumMessageBytes)
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if !isSecure { socket = DirectSocket(context.channel) }
        let query = URI(uri).query ?? ""
        func value(_ name: String) -> String? { queryValue(name, in: query) }
        let id = signaling.opened(
            self,
            PeerBroker.Opening(
                key: value("key"), id: value("id"), token: value("token"), version: value("version"),
                address: IPAddress(context.remoteAddress)))
        // It may have been turned away already.
        if !isClosing { self.id = id }
        signaling.flush()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        socket = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        var events = WebSocketEvents()
        swap(&events, &buffers.events)
        reader.read(buffer.readableBytesSpan, into: &events)
        for event in events.events { handle(event, events, context) }
        events.removeAll()
        swap(&events, &buffers.events)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        signaling.flush()
        pace.noteRead(at: .now())
    }

    func read(context: ChannelHandlerContext) {
        guard pace.isPaced else { return context.read() }
        guard !isPaused else { return }
        isPaused = true
        buffers.pacer.resumeSoon(self)
    }

    /// Goes on reading after a pause.
    func resume() {
        isPaused = false
        context?.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if let id { signaling.writabilityChanged(id, context.channel.isWritable) }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        socket = nil
        forget()
        signaling.flush()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent: signaling.shutDown()
        // The client's system has closed its end: nobody reads there any more. HTTP may go on half-closed, so the
        // channel stays open by itself.
        case ChannelEvent.inputClosed: context.close(promise: nil)
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset, a time-out, broken TLS: the connection is of no use any more.
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }

    // MARK: Frames

    private func handle(_ event: WebSocketEvent, _ events: borrowing WebSocketEvents, _ context: ChannelHandlerContext)
    {
        guard let id, !isClosing else {
            if case .close = event { context.close(promise: nil) }
            return
        }
        switch event {
        case .text(let range):
            signaling.received(id, text: events.bytes(range))
        case .binary:
            signaling.receivedBinary(id)
        case .ping(let payload):
            // One who pings and does not read gets no heap of pongs (RFC 6455 section 5.5.3: the latest may do).
            guard context.channel.isWritable else { return }
            write(.pong, events.bytes(payload))
            flush()
        case .pong:
            signaling.receivedPong(id)
        case .close(_, let payload):
            // RFC 6455 section 5.5.1: answered with a close frame, then the server ends the connection.
            isClosing = true
            write(.close, events.bytes(payload))
            flush()
            context.close(promise: nil)
        case .failed(let failure):
            signaling.countProtocolError()
            close(failure.closeCode, reason: failure.reason)
        }
    }

    private func write(_ opcode: WebSocketOpcode, _ payload: RawSpan) {
        if unsent.isEmpty { unsent = buffers.take() }
        unsent.appendWebSocketFrame(opcode, payload)
    }

    /// Sends a close frame, and cuts the connection when the client has answered it or had time to.
    private func close(_ code: WebSocketCloseCode, reason: String) {
        guard !isClosing, let context else { return }
        isClosing = true
        forget()
        unsent.appendWebSocketClose(code, reason: reason)
        flush()
        let channel = context.channel
        context.eventLoop.scheduleTask(in: Self.closeTimeout) { channel.close(promise: nil) }
    }

    private func forget() {
        if let id { signaling.closed(id) }
        id = nil
    }

    private func writeThroughChannel(_ bytes: ArraySlice<UInt8>, _ context: ChannelHandlerContext) {
        let done = context.eventLoop.makePromise(of: Void.self)
        writesUnderWay += 1
        done.futureResult.assumeIsolated().whenComplete { _ in self.writesUnderWay -= 1 }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: done)
    }
}

// MARK: The broker's side

extension WebSocketHandler: SignalingTransport {
    func send(_ text: RawSpan) { write(.text, text) }

    func flush() {
        guard !unsent.isEmpty, let context else { return }
        var frames: [UInt8] = []
        swap(&frames, &unsent)
        var sent = 0
        if let socket, writesUnderWay == 0 { sent = frames.withUnsafeBytes { socket.write($0) } }
        // An error of the socket's comes up again in the channel, which ends the connection for it.
        if sent < frames.count { writeThroughChannel(frames[sent...], context) }
        buffers.recycle(frames)
    }

    func ping() {
        write(.ping, [UInt8]().span.bytes)
        flush()
    }

    func close(code: CloseCode, reason: String) {
        close(WebSocketCloseCode(rawValue: code.rawValue), reason: reason)
    }
}
