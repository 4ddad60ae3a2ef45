import JSON
public import Wire

/// A WebSocket close code: RFC 6455 section 7.4.1, and from 4000 on the room's own.
public struct CloseCode: Hashable, Sendable {
    /// The code on the wire.
    public let rawValue: UInt16

    /// Makes a close code.
    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// 1000: the client has said goodbye.
    public static let normal = CloseCode(rawValue: 1000)
    /// 1001: the box is going down; the client should dial again.
    public static let goingAway = CloseCode(rawValue: 1001)
    /// 1008: the client broke a rule or a limit.
    public static let policyViolation = CloseCode(rawValue: 1008)
    /// 1009: a message was too big.
    public static let messageTooBig = CloseCode(rawValue: 1009)
    /// 1013: the box is full; later there may be room.
    public static let tryAgainLater = CloseCode(rawValue: 1013)
    /// 4001: the room's codes were changed.
    public static let rotated = CloseCode(rawValue: 4001)
    /// 4002: the same client has connected anew; dialling again from here would only push that one out.
    public static let replaced = CloseCode(rawValue: 4002)
    /// 4003: the id is a member's, and the token does not prove that the client is that member.
    public static let forbidden = CloseCode(rawValue: 4003)
    /// 4004: nothing was heard of the client for too long. If it lives after all it should dial again.
    public static let unresponsive = CloseCode(rawValue: 4004)
    /// 4005: the room has all the members it can take.
    public static let full = CloseCode(rawValue: 4005)
}

extension PeerBroker {
    /// What the shell must do, in this order.
    public enum Action: Hashable, Sendable {
        /// Send these bytes of `Output.bytes` as one WebSocket text message.
        case send(ConnectionID, Range<Int>)
        /// Send a WebSocket ping (RFC 6455 section 5.5.2) with any content.
        case ping(ConnectionID)
        /// Send what is still unsent if it goes at once, then a close frame, and close; without an answer within a
        /// second, cut the connection. It is the last action for this connection.
        case close(ConnectionID, CloseCode, reason: String)
    }

    /// What has happened, for the log.
    public enum Event: Hashable, Sendable {
        /// A client got its `OPEN`; `again` if it held the id before (a re-attach, or a member back from away).
        case attached(ConnectionID, id: String, IPAddress, again: Bool)
        /// A connection was turned away.
        case refused(ConnectionID, id: String?, IPAddress, Refusal)
        /// A client's connection has ended.
        case detached(ConnectionID, id: String, Departure)
        /// A member is no longer in the room.
        case left(id: String)
        /// Everyone was sent out because the credentials were changed.
        case rotated(generation: UInt32, connections: Int)
    }

    /// Why a connection was turned away.
    public enum Refusal: String, Hashable, Sendable, CaseIterable {
        /// It lacks an id, a token or a key, or one of them is too long.
        case parameters
        /// Its key is not this server's.
        case key
        /// Its id is held by another client, which lives.
        case idTaken = "id_taken"
        /// Its id is a member's, and its token is not of this box; or only members are let in, and it is none.
        case forbidden
        /// Its token is of an earlier generation.
        case rotated
        /// The room has all the members it can take.
        case full
        /// There are too many connections, in all or from this address.
        case limit
        /// The box is going down.
        case shutdown
    }

    /// Why a client's connection has ended.
    public enum Departure: String, Hashable, Sendable, CaseIterable {
        /// The transport was closed or lost.
        case closed
        /// The client said `LEAVE`.
        case left
        /// The same client has connected anew.
        case replaced
        /// Pings were not answered, or nothing was said for too long.
        case unresponsive
        /// It did not read what it was sent.
        case slowReader = "slow_reader"
        /// It sent far more than it may.
        case flood
        /// It sent a message that is too big.
        case messageTooBig = "message_too_big"
        /// The credentials were changed.
        case rotated
        /// The box is going down.
        case shutdown
    }

    /// Why a frame, or a queued message, went nowhere.
    public enum DropCause: String, Hashable, Sendable, CaseIterable {
        /// It is not a JSON object with a `type`, or a member of it is not what it must be.
        case malformed
        /// It is a binary message.
        case binary
        /// It is bigger than `Limits.frameBytes`.
        case tooBig = "too_big"
        /// The client sent more than its rate.
        case rate
        /// Its `type` is none that the broker knows.
        case unknownType = "unknown_type"
        /// It needs a `dst` and has none.
        case noDestination = "no_destination"
        /// It is a `LEAVE` or an `EXPIRE` for someone who is not there.
        case absent
        /// It would have passed between the room's members and other clients.
        case forbidden
        /// The queue for whom it was meant is full.
        case queueFull = "queue_full"
        /// Whom it was meant for has not come in time.
        case expired
        /// It came from a connection that waits for its id, beyond what is kept for it.
        case notOpen = "not_open"
        /// Whom it was meant for does not read.
        case slowReader = "slow_reader"
    }

    /// What one call of `handle` asks of the shell. Reuse one: `removeAll` keeps its storage.
    public struct Output: Sendable {
        /// What to do, in order.
        public internal(set) var actions: [Action] = []
        /// What to log.
        public internal(set) var events: [Event] = []
        var writer = JSONWriter()

        /// The bytes to which the `send` actions refer.
        public var bytes: [UInt8] { writer.bytes }

        /// Makes an empty output.
        public init() {}

        /// Empties the output for the next call.
        public mutating func removeAll() {
            actions.removeAll(keepingCapacity: true)
            events.removeAll(keepingCapacity: true)
            writer.removeAll()
        }
    }
}
