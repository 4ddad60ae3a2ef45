extension PeerBroker {
    /// Everything that clients can make grow, and every time the broker waits, by name.
    public struct Limits: Hashable, Sendable {
        // MARK: Connections

        /// Whether clients that are not members of the room are let in.
        public var admitsPlainClients = true
        /// Connections with an id; beyond it only members are let in.
        public var connections = 256
        /// Connections from one address. Loopback is exempt: it stands for the box's own programs.
        public var connectionsPerAddress = 64
        /// Members of the room, those away included.
        public var members = 32
        /// Connections that wait for the outcome of a probe of their id's holder.
        public var waiting = 32
        /// Bytes of UTF-8 in an id.
        public var idBytes = 128
        /// Bytes of UTF-8 in a token.
        public var tokenBytes = 256

        // MARK: Frames

        /// Bytes of one message.
        public var frameBytes = 64 << 10
        /// Arrays and objects in one another.
        public var frameDepth = 32
        /// Messages a second that one connection may send in the long run.
        public var framesPerSecond = 200.0
        /// Messages that one connection may send at once.
        public var frameBurst = 600.0
        /// Bytes a second that one connection may send in the long run.
        public var bytesPerSecond = 512.0 * 1024
        /// Bytes that one connection may send at once.
        public var byteBurst = 2048.0 * 1024
        /// Messages over the rate that are dropped before the connection is closed. They are forgiven at the rate
        /// itself: whoever sends twice the rate in the long run is closed.
        public var framesOverRate = 1000.0
        /// Messages kept for a connection that waits for its id.
        public var heldFrames = 16
        /// Bytes kept for a connection that waits for its id.
        public var heldBytes = 64 << 10

        // MARK: Messages for those who are not there

        /// How long a message waits; then its sender gets `EXPIRE`.
        public var queueTime = Duration.seconds(5)
        /// Messages that wait for one destination.
        public var queuedMessages = 32
        /// Bytes that wait for one destination.
        public var queuedBytes = 256 << 10
        /// Messages of one sender that wait, for whomever.
        public var queuedMessagesPerSender = 128
        /// Destinations that are waited for.
        public var queuedDestinations = 1024
        /// Bytes that wait, in all.
        public var queuedTotalBytes = 4 << 20

        // MARK: Slow readers

        /// How long a connection may be unwritable.
        public var slowReaderTime = Duration.seconds(10)
        /// Bytes that may be sent to a connection while it is unwritable.
        public var slowReaderBytes = 256 << 10

        // MARK: Signs of life

        /// The time from one WebSocket ping to the next.
        public var pingInterval = Duration.seconds(5)
        /// How long a connection may show no sign of life, neither a pong nor a message.
        public var deadTime = Duration.seconds(12)
        /// The least time to answer a ping, however late the ping was sent.
        public var pongTime = Duration.seconds(2)
        /// How long a client may send no message at all (PeerServer's `alive_timeout`).
        public var silenceTime = Duration.seconds(90)
        /// How long the holder of a wanted id has to answer a probe.
        public var probeTime = Duration.seconds(1)

        // MARK: The room

        /// How long a member may be away before it is taken for gone.
        public var awayTime = Duration.seconds(120)
        /// The least time between two rosters to everyone; changes meanwhile go out together.
        public var rosterInterval = Duration.milliseconds(100)
        /// Bytes of UTF-8 in a member's name.
        public var nameBytes = 64

        /// The standard limits.
        public init() {}
    }
}
