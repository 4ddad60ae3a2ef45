public import PeerBroker

/// What carries one connection of the broker: a WebSocket, or a data channel.
///
/// The broker calls it on its event loop only, and no more after `close`. In turn the transport tells the
/// ``SignalingServer`` what comes from the other end, and the end.
public protocol SignalingTransport: AnyObject {
    /// Queues a text message; it goes out with the next flush.
    /// - Parameter text: the message, valid UTF-8.
    func send(_ text: RawSpan)

    /// Sends what was queued.
    func flush()

    /// Asks the other end for a sign of life, which is told by `SignalingServer.receivedPong`. A transport that knows
    /// by itself that its other end lives may tell so at once.
    func ping()

    /// Sends what was queued if it goes at once, says why, and ends.
    /// - Parameters:
    ///   - code: why, as the close code of a WebSocket.
    ///   - reason: the same in words.
    func close(code: CloseCode, reason: String)
}
