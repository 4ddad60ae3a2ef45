import BoxCertificates
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOSSL

/// How one accepted connection is set up: the gate, TLS if it is the HTTPS port, then HTTP/1.1 or, after an
/// upgrade on the broker's path, WebSocket.
///
/// HTTP goes on as Hummingbird's async channel. A WebSocket stays a plain NIO pipeline that ends in
/// ``WebSocketHandler``: no task and no buffer for each frame.
struct WebChannel: ServerChildChannel, HTTPChannelHandler {
    /// A connection, and what it turns out to be once its first request head has come.
    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let session: EventLoopFuture<Session>
    }

    enum Session: Sendable {
        case http(NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>)
        case webSocket(any Channel)
    }

    /// A keep-alive connection that asks nothing for so long is closed.
    static let idleTimeout = Duration.seconds(30)
    /// Header fields of a request: each, all together, and how many.
    static let maxHeaderFieldSize = 8 * 1024
    static let maxHeaderListSize = 16 * 1024
    static let maxHeaderFieldCount = 64

    let responder: HTTPChannelHandler.Responder
    let gate: ConnectionGate
    let signaling: SignalingServer
    /// Nil on the plain HTTP port.
    let certificates: CertificateSource?

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let admission = gate.admit(channel)
            let pipeline = channel.pipeline.syncOperations
            if let certificates {
                // A context for each connection, so that a renewed certificate serves from the next one on.
                try pipeline.addHandler(NIOSSLServerHandler(context: certificates.current()))
            }
            let upgrader = WebSocketUpgrader(
                accepts: { signaling.accepts($0) },
                makeSession: { try addWebSocket(to: $0, head: $1, admission: admission) })
            var configuration = NIOUpgradableHTTPServerPipelineConfiguration(
                upgradeConfiguration: NIOTypedHTTPServerUpgradeConfiguration(
                    upgraders: [upgrader],
                    notUpgradingCompletionHandler: { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try addHTTP(to: channel, admission: admission, logger: logger)
                        }
                    }))
            configuration.enablePipelining = false  // NIOAsyncChannel reads one request after the other.
            configuration.enableResponseHeaderValidation = false  // HTTPTypes has validated them.
            configuration.decoderConfiguration.maxHeaderFieldSize = Self.maxHeaderFieldSize
            configuration.decoderConfiguration.maxHeaderListSize = Self.maxHeaderListSize
            configuration.decoderConfiguration.maxHeaderFieldCount = Self.maxHeaderFieldCount
            let session = try pipeline.configureUpgradableHTTPServerPipeline(configuration: configuration)
            try pipeline.addHandler(MalformedInputHandler(gate: gate))
            session.whenFailure { refuse(channel, because: $0) }
            return Value(channel: channel, session: session)
        }
    }

    func handle(value: Value, logger: Logger) async {
        do {
            switch try await value.session.get() {
            case .http(let channel): await handleHTTP(asyncChannel: channel, logger: logger)
            case .webSocket(let channel): try await channel.closeFuture.get()
            }
        } catch {
            logger.trace("Connection ended before its first request: \(error)")
        }
    }

    /// Says why a connection is not served, and ends it.
    private func refuse(_ channel: any Channel, because error: any Error) {
        let status: HTTPResponseStatus
        switch error {
        case GateError.tooManyConnections: status = .serviceUnavailable
        case WebSocketRefusal.notFound: status = .notFound
        case WebSocketRefusal.badRequest: status = .badRequest
        default: return channel.close(promise: nil)
        }
        let head = HTTPResponseHead(
            version: .http1_1, status: status, headers: ["Connection": "close", "Content-Length": "0"])
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        channel.writeAndFlush(HTTPServerResponsePart.end(nil)).whenComplete { _ in channel.close(promise: nil) }
    }

    private func addHTTP(
        to channel: any Channel, admission: ConnectionGate.Admission, logger: Logger
    ) throws -> Session {
        guard gate.promote(admission) else { throw GateError.tooManyConnections }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: certificates != nil))
        try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: Self.idleTimeout, logger: logger))
        return .http(
            try NIOAsyncChannel(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true)))
    }

    private func addWebSocket(
        to channel: any Channel, head: HTTPRequestHead, admission: ConnectionGate.Admission
    ) throws -> Session {
        guard gate.promote(admission) else { throw GateError.tooManyConnections }
        try channel.syncOptions?.setOption(
            ChannelOptions.writeBufferWaterMark, value: WebSocketHandler.writeBufferWaterMark)
        let pipeline = channel.pipeline.syncOperations
        // Errors of TLS go on to that handler; what is read does not.
        try pipeline.addHandler(
            WebSocketHandler(signaling: signaling, uri: head.uri, isSecure: certificates != nil),
            position: .before(pipeline.handler(type: MalformedInputHandler.self)))
        return .webSocket(channel)
    }
}

/// Counts and ends a connection whose bytes are no HTTP, or no TLS; the handlers before it have answered 400, or an alert.
private final class MalformedInputHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = Any

    private let gate: ConnectionGate

    init(gate: ConnectionGate) {
        self.gate = gate
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError || error is NIOSSLError || error is BoringSSLError else {
            return context.fireErrorCaught(error)
        }
        gate.countMalformed()
        context.close(promise: nil)
    }
}

/// Why a connection ends before it is served.
enum GateError: Error {
    /// The remote address, or all of them together, hold as many connections as they may.
    case tooManyConnections
}
