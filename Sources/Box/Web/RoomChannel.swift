public import BoxRoom
import Credentials
import JSON
public import PeerBroker
import SansIO
public import Wire

/// What carries the frames of a ``RoomChannel``: a data channel. On the event loop only.
public protocol RoomLink: AnyObject {
    /// The address of this machine at which the phone reaches the box now; it may move from one network to another.
    var local: IPAddress { get }
    /// Takes a text message; it goes out with the next flush at the latest.
    func send(_ text: RawSpan)
    /// Sends what was taken.
    func flush()
    /// Closes the channel, behind what was taken.
    func close()
}

/// Where data channels labelled `room` lead: to the same room and the same people as the broker's WebSockets.
public final class RoomEntrance: Sendable {
    fileprivate let desk: RoomDesk
    fileprivate let signaling: SignalingServer

    /// Makes an entrance.
    /// - Parameters:
    ///   - configuration: what phones are told.
    ///   - authority: the room's credentials.
    ///   - signaling: the broker.
    public init(configuration: WebConfiguration, authority: RoomAuthority, signaling: SignalingServer) {
        desk = RoomDesk(configuration: configuration, authority: authority)
        self.signaling = signaling
    }

    /// A channel is open.
    /// - Parameters:
    ///   - link: what carries it.
    ///   - address: where the phone is.
    public func channel(over link: any RoomLink, from address: IPAddress) -> RoomChannel {
        RoomChannel(self, link, address: address)
    }

    /// Sends what the broker has written for anyone.
    public func flush() { signaling.flush() }
}

/// One data channel labelled `room`.
///
/// First comes `{"type":"SESSION","payload":{"secret":"…","token":"…"}}`, the twin of `POST /api/session`; the answer is
/// `SESSION` with what that answers, the ICE servers of `/api/turn` and the facts of `/api/room`, or `ERROR`. From then on the
/// channel is a connection of the broker like any WebSocket; another `SESSION` is answered afresh and changes nothing else.
/// Where a WebSocket would be closed with a code, `CLOSE` says the same before the channel is closed.
public final class RoomChannel: SignalingTransport {
    /// How far a channel is.
    private enum Stage {
        /// No session yet.
        case outside
        /// A connection of the broker: its name, and the token of its session. The name is nil while the broker thinks.
        case inside(ConnectionID?, token: String)
        case closed
    }

    private let entrance: RoomEntrance
    private let link: any RoomLink
    private let address: IPAddress
    private var stage = Stage.outside
    private var isWritable = true
    /// Pays for what is answered here; the broker has limits of its own.
    private var answers: TokenBucket
    private var unanswered = 0

    /// Frames a second that are answered here, in the long run and at once.
    private static let answersPerSecond = 4.0
    private static let answerBurst = 16.0
    /// Frames without an answer, after which the channel is closed.
    private static let maximumUnanswered = 200

    fileprivate init(_ entrance: RoomEntrance, _ link: any RoomLink, address: IPAddress) {
        self.entrance = entrance
        self.link = link
        self.address = address
        answers = TokenBucket(rate: Self.answersPerSecond, burst: Self.answerBurst, now: .now)
    }

    // MARK: From the channel

    /// A message has come.
    public func received(_ text: [UInt8]) {
        let frame = text.span.bytes
        guard frame.byteCount <= entrance.signaling.maximumMessageBytes else {
            let limit = entrance.signaling.maximumMessageBytes
            leave()
            return close(code: .messageTooBig, reason: "a message may have \(limit) bytes")
        }
        // The broker checks the whole frame; here only a frame that may be SESSION is looked at.
        if let payload = SessionRequest.payload(of: frame) {
            if isAnswered() { openSession(payload, in: frame) }
            return
        }
        switch stage {
        case .inside(let id?, _): entrance.signaling.received(id, text: frame)
        case .inside(nil, _), .closed: break
        case .outside: if isAnswered() { refuse("Send SESSION first.", code: "malformed") }
        }
    }

    /// Whether one more frame is answered here; who goes on sending them all the same is closed.
    private func isAnswered() -> Bool {
        if case .closed = stage { return false }
        if answers.take(at: .now) { return true }
        unanswered += 1
        if unanswered > Self.maximumUnanswered {
            leave()
            close(code: .policyViolation, reason: "too many messages")
        }
        return false
    }

    /// The channel's outgoing buffer is full, or has room again.
    public func writable(_ isWritable: Bool) {
        self.isWritable = isWritable
        if case .inside(let id?, _) = stage { entrance.signaling.writabilityChanged(id, isWritable) }
    }

    /// The channel is gone.
    public func closed() { leave() }

    private func leave() {
        let former = stage
        stage = .closed
        if case .inside(let id?, _) = former { entrance.signaling.closed(id) }
    }

    // MARK: SESSION

    private func openSession(_ payload: Range<Int>?, in frame: RawSpan) {
        let session: RoomAuthority.Session
        let isNew: Bool
        do throws(RoomDesk.Refusal) {
            guard let payload else { throw .malformed }
            let asked = frame.extracting(payload)
            switch stage {
            case .closed: return
            case .outside:
                session = try entrance.desk.openSession(asked, address: address)
                isNew = true
            case .inside(_, let token):
                // It stays who it is, whatever token it shows.
                guard entrance.desk.allows(address) else { throw .slowDown }
                guard let request = SessionRequest(parsing: asked) else { throw .malformed }
                session = try entrance.desk.openSession(secret: request.secret, token: token)
                isNew = false
            }
        } catch {
            return refuse(error.message, code: error.error)
        }
        answer(session)
        guard isNew else { return }
        stage = .inside(nil, token: session.token)
        let id = entrance.signaling.opened(
            self,
            PeerBroker.Opening(
                key: entrance.desk.configuration.broker.key, id: session.id, token: session.token, address: address))
        // The broker may have closed it at once.
        guard case .inside = stage else { return }
        stage = .inside(id, token: session.token)
        if !isWritable { writable(false) }
    }

    private func answer(_ session: RoomAuthority.Session) {
        var writer = JSONWriter()
        writer.object { message in
            message.member("type", "SESSION")
            message.member("payload") { writer in
                writer.object { payload in
                    entrance.desk.write(session, membersTo: &payload)
                    payload.member("iceServers") { entrance.desk.write(iceServersAt: link.local, to: &$0) }
                    payload.member("room") { entrance.desk.write(factsTo: &$0) }
                }
            }
        }
        link.send(writer.bytes.span.bytes)
        link.flush()
    }

    private func refuse(_ text: String, code: String) {
        var writer = JSONWriter()
        writer.object { message in
            message.member("type", "ERROR")
            message.member("payload") { writer in
                writer.object { payload in
                    payload.member("msg", text)
                    payload.member("code", code)
                }
            }
        }
        link.send(writer.bytes.span.bytes)
        link.flush()
    }

    // MARK: From the broker

    /// Queues a text message.
    public func send(_ text: RawSpan) { link.send(text) }

    /// Sends what was queued.
    public func flush() { link.flush() }

    /// Tells at once that the other end lives: the connection would not be there any more if ICE had not had its consent
    /// within the last seconds (RFC 7675).
    public func ping() {
        if case .inside(let id?, _) = stage { entrance.signaling.receivedPong(id) }
    }

    /// Says why, and closes the channel.
    public func close(code: CloseCode, reason: String) {
        stage = .closed
        var writer = JSONWriter()
        writer.object { message in
            message.member("type", "CLOSE")
            message.member("payload") { writer in
                writer.object { payload in
                    payload.member("code", code.rawValue)
                    payload.member("reason", reason)
                }
            }
        }
        link.send(writer.bytes.span.bytes)
        link.close()
        link.flush()
    }
}
