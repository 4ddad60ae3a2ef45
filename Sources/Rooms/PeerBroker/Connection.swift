import JSON
import SansIO
import Wire

/// What the broker keeps of one connection. A class: it is looked up for each message, and a copy would cost more than
/// the message.
final class Connection {
    /// What a connection is to its id.
    enum Role: Sendable {
        /// It holds the id.
        case holder
        /// It holds the id, and must show a sign of life before the time or lose it, because others wait for the id.
        case probed(until: Timestamp)
        /// Another connection holds the id and is being probed; these messages came meanwhile.
        case waiting(held: [[UInt8]], byteCount: Int)
    }

    let id: String
    let token: String
    let address: IPAddress
    /// The id as JSON text, to write over `src`.
    let quotedID: [UInt8]
    let isMember: Bool
    var role: Role

    /// When the last pong or message came.
    var lastHeard: Timestamp
    /// When the last message came.
    var lastFrame: Timestamp
    /// When the next ping goes out.
    var nextPing: Timestamp
    /// When the first ping went out since anything was heard.
    var pingedAt: Timestamp?

    /// Since when the transport takes no more, and how much it was sent since.
    var unwritable: (since: Timestamp, byteCount: Int)?

    var frames: TokenBucket
    var bytes: TokenBucket
    /// Pays for messages that the two others refuse.
    var overRate: TokenBucket

    init(id: String, token: String, address: IPAddress, isMember: Bool, limits: PeerBroker.Limits, now: Timestamp) {
        self.id = id
        self.token = token
        self.address = address
        self.isMember = isMember
        var writer = JSONWriter()
        writer.string(id)
        quotedID = writer.bytes
        role = .holder
        lastHeard = now
        lastFrame = now
        nextPing = now + limits.pingInterval
        frames = TokenBucket(rate: limits.framesPerSecond, burst: limits.frameBurst, now: now)
        bytes = TokenBucket(rate: limits.bytesPerSecond, burst: limits.byteBurst, now: now)
        overRate = TokenBucket(rate: limits.framesPerSecond, burst: limits.framesOverRate, now: now)
    }

    /// Notes a sign of life, and says whether others wait to hear of it.
    func heard(at now: Timestamp) -> Bool {
        lastHeard = now
        pingedAt = nil
        guard case .probed = role else { return false }
        role = .holder
        return true
    }

    var isWaiting: Bool {
        switch role {
        case .waiting: true
        case .holder, .probed: false
        }
    }

    /// When the connection is dead unless something is heard before. A ping must be out, and for long enough that
    /// it could be answered: silence alone proves nothing while the box itself was stalled.
    func deadline(_ limits: PeerBroker.Limits) -> Timestamp? {
        pingedAt.map { max(lastHeard + limits.deadTime, $0 + limits.pongTime) }
    }
}
