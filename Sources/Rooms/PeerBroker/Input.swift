public import Wire

/// Names one WebSocket to the broker. The shell numbers them; a number is never used twice.
public struct ConnectionID: Hashable, Comparable, Sendable {
    /// The number.
    public let number: UInt64

    /// Makes the name of a connection.
    /// - Parameter number: one that no other connection has or had.
    @inlinable
    public init(_ number: UInt64) {
        self.number = number
    }

    /// The order in which the shell numbered them.
    @inlinable
    public static func < (lhs: ConnectionID, rhs: ConnectionID) -> Bool { lhs.number < rhs.number }
}

extension PeerBroker {
    /// With what a connection was opened: the query of its WebSocket's URL, percent-decoded, and where it came from.
    public struct Opening: Hashable, Sendable {
        /// `key`: which server is meant.
        public var key: String?
        /// `id`: the id the client wants.
        public var id: String?
        /// `token`: what only the holder of the id knows.
        public var token: String?
        /// `version`: the client's own version; not used.
        public var version: String?
        /// The other end's address.
        public var address: IPAddress

        /// Makes an opening; a parameter that the query lacks is nil.
        public init(
            key: String? = nil, id: String? = nil, token: String? = nil, version: String? = nil, address: IPAddress
        ) {
            self.key = key
            self.id = id
            self.token = token
            self.version = version
            self.address = address
        }
    }

    /// What the shell tells the broker.
    ///
    /// Of a connection that the broker has closed, or has never heard of, nothing is taken any more: late inputs of
    /// it are ignored.
    public enum Input: ~Escapable {
        /// A WebSocket was accepted. What the broker thinks of it is in the output.
        case opened(ConnectionID, Opening)
        /// A whole text message has come. The WebSocket's decoder must refuse messages far beyond
        /// `Limits.frameBytes` by itself (close code 1009) rather than gather them.
        case text(ConnectionID, RawSpan)
        /// A whole binary message has come, which nobody here speaks.
        case binary(ConnectionID)
        /// A WebSocket pong has come, with whatever content.
        case pong(ConnectionID)
        /// The connection's outgoing bytes went over the transport's high-water mark (false) or back under its low
        /// one (true), as NIO's `channelWritabilityChanged` tells it. A connection that stays unwritable for
        /// `Limits.slowReaderTime`, or is sent more than `Limits.slowReaderBytes` meanwhile, is closed.
        case writable(ConnectionID, Bool)
        /// The connection is gone, in whatever way, or can't be written to any more.
        case closed(ConnectionID)
        /// The time that `handle` asked for has come.
        case timer
        /// The room's credentials were changed: all connections are closed, and tokens must be of this generation.
        case rotated(generation: UInt32)
        /// Other limits hold from now on. What exists already is not cut down to them.
        case limits(Limits)
        /// The box is going down: everyone is told so and closed, and nobody is let in.
        case shutdown
    }
}
