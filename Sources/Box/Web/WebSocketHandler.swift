import NIOCore
import NIOWebSocket
import PeerBroker

/// One client's WebSocket: frames in to the broker, the broker's frames out (RFC 6455).
final class WebSocketHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// After our close frame, how long the client has to answer with its own before the connection is cut.
    static let closeTimeout = TimeAmount.seconds(2)

    private let signaling: SignalingServer
    private let uri: String
    private var id: ConnectionID?
    /// The pieces so far of a message that comes in several frames.
    private var fragments: ByteBuffer?
    private var isClosing = false
    /// Where finished frames go out: text messages are framed by the server, many in one piece.
    private var encoder: ChannelHandlerContext?

    init(signaling: SignalingServer, uri: String) {
        self.signaling = signaling
        self.uri = uri
    }

    func handlerAdded(context: ChannelHandlerContext) {
        encoder = try? context.pipeline.syncOperations.context(handlerType: WebSocketFrameEncoder.self)
        id = signaling.opened(context, handler: self, uri: uri)
        signaling.flush()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        guard let id else { return }
        if isClosing {
            if frame.opcode == .connectionClose { context.close(promise: nil) }
            return
        }
        // RFC 6455 section 5.1: a frame of a client that is not masked ends the connection.
        guard let maskKey = frame.maskKey else {
            return fail(context, .protocolError, "frames of a client must be masked")
        }
        // RFC 6455 section 5.2: the reserved bits are for extensions, and none was agreed on.
        guard !frame.rsv1, !frame.rsv2, !frame.rsv3 else {
            return fail(context, .protocolError, "reserved bits are set")
        }
        switch frame.opcode {
        case .text where fragments == nil && frame.fin:
            signaling.received(id, text: frame.data, maskedWith: maskKey)
        case .text where fragments == nil:
            fragments = frame.unmaskedData
        case .continuation where fragments != nil:
            var piece = frame.unmaskedData
            fragments?.writeBuffer(&piece)
            guard let message = fragments, message.readableBytes <= signaling.maxFrameSize else {
                return fail(context, .messageTooLarge, "a message may have \(signaling.maxFrameSize) bytes")
            }
            if frame.fin {
                fragments = nil
                signaling.received(id, text: message)
            }
        case .ping where context.channel.isWritable:
            write(context, opcode: .pong, frame.unmaskedData)
            context.flush()
        case .ping:
            // One who pings and does not read gets no heap of pongs (RFC 6455 section 5.5.3: the latest may do).
            break
        case .pong:
            signaling.receivedPong(id)
        case .connectionClose:
            // RFC 6455 section 5.5.1: answered with a close frame, then the server ends the connection.
            isClosing = true
            write(context, opcode: .connectionClose, frame.unmaskedData)
            context.flush()
            context.close(promise: nil)
        case .binary:
            signaling.receivedBinary(id)
        default:
            fail(context, .protocolError, "unexpected frame")
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        signaling.flush()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if let id { signaling.writabilityChanged(id, context.channel.isWritable) }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let id { signaling.closed(id) }
        id = nil
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
        switch error as? NIOWebSocketError {
        case .invalidFrameLength?:
            fail(context, .messageTooLarge, "a message may have \(signaling.maxFrameSize) bytes")
        case .some:
            fail(context, .protocolError, "not a WebSocket frame")
        case nil:
            // A reset, a time-out: the connection is gone already.
            context.close(promise: nil)
        }
    }

    /// Ends the connection for something the client did.
    private func fail(_ context: ChannelHandlerContext, _ code: WebSocketErrorCode, _ reason: String) {
        guard !isClosing else { return }
        signaling.countProtocolError()
        close(context, code: code, reason: reason)
    }

    /// Sends a close frame, and cuts the connection when the client has answered it or had time to.
    func close(_ context: ChannelHandlerContext, code: WebSocketErrorCode, reason: String) {
        guard !isClosing else { return }
        isClosing = true
        fragments = nil
        if let id { signaling.closed(id) }
        id = nil
        var data = context.channel.allocator.buffer(capacity: 2 + reason.utf8.count)
        data.write(webSocketErrorCode: code)
        data.writeString(reason)
        write(context, opcode: .connectionClose, data)
        context.flush()
        let channel = context.channel
        context.eventLoop.scheduleTask(in: Self.closeTimeout) { channel.close(promise: nil) }
    }

    /// Sends bytes that are frames already.
    func writeAndFlush(_ frames: ByteBuffer) {
        encoder?.writeAndFlush(NIOAny(frames), promise: nil)
    }

    /// Queues one frame; a flush sends it.
    func write(_ context: ChannelHandlerContext, opcode: WebSocketOpcode, _ data: ByteBuffer) {
        context.write(wrapOutboundOut(WebSocketFrame(fin: true, opcode: opcode, data: data)), promise: nil)
    }
}
