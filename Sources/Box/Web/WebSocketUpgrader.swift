import NIOCore
import NIOHTTP1
import WebSocket

/// Turns an HTTP connection into a WebSocket (RFC 6455, section 4.2).
struct WebSocketUpgrader<Session: Sendable>: NIOTypedHTTPServerProtocolUpgrader {
    let supportedProtocol = "websocket"
    /// Clients need not list the handshake's own fields in `Connection`.
    let requiredUpgradeHeaders: [String] = []

    /// Whether there is a WebSocket at a request target.
    let accepts: @Sendable (String) -> Bool
    /// Sets up a connection whose answer has been sent.
    let makeSession: @Sendable (any Channel, HTTPRequestHead) throws -> Session

    func buildUpgradeResponse(
        channel: any Channel, upgradeRequest: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        channel.eventLoop.makeCompletedFuture {
            let versions = upgradeRequest.headers["Sec-WebSocket-Version"]
            let keys = upgradeRequest.headers["Sec-WebSocket-Key"]
            guard versions == [WebSocketHandshake.version], keys.count == 1,
                let accept = WebSocketHandshake.accept(forKey: keys[0])
            else { throw WebSocketRefusal.badRequest }
            guard accepts(upgradeRequest.uri) else { throw WebSocketRefusal.notFound }
            return ["Upgrade": "websocket", "Connection": "upgrade", "Sec-WebSocket-Accept": accept]
        }
    }

    func upgrade(channel: any Channel, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<Session> {
        channel.eventLoop.makeCompletedFuture { try makeSession(channel, upgradeRequest) }
    }
}

/// Why a request does not become a WebSocket.
enum WebSocketRefusal: Error {
    /// It is no opening handshake of the one version there is.
    case badRequest
    /// No WebSocket is served at its target.
    case notFound
}
