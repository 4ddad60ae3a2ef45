extension Hub {
    /// Everything that clients can make grow, and every time the hub waits, by name.
    public struct Limits: Hashable, Sendable {
        // MARK: Clients and rooms

        /// Clients at one time, those that dropped and may come back included.
        public var clients = 1024
        /// Clients in one room; the room `""`, where everyone begins, has no limit but that of all clients.
        public var members = 512
        /// Rooms at one time.
        public var rooms = 1024
        /// Bytes of UTF-8 in a room's name.
        public var roomBytes = 256
        /// Secrets of former generations that are remembered to be refused; beyond it the oldest is forgotten.
        public var retired = 64

        // MARK: Frames

        /// Bytes of one frame, in and out: `a=max-message-size` of the answer clients make themselves.
        public var frameBytes = 262_144
        /// Arrays and objects in one another.
        public var frameDepth = 64
        /// Frames a second that one client may send in the long run.
        public var framesPerSecond = 5000.0
        /// Frames that one client may send at once.
        public var frameBurst = 10_000.0
        /// Bytes a second that one client may send, and have sent to itself by `peers`, in the long run.
        public var bytesPerSecond = 8.0 * 1024 * 1024
        /// Bytes that one client may send at once.
        public var byteBurst = 16.0 * 1024 * 1024
        /// Frames over the rate that are dropped before the client is closed; they are forgiven at the rate itself.
        public var framesOverRate = 20_000.0

        // MARK: Slow readers

        /// How long a client's queue may stay too long for the transport before it is closed: with the transport's limits, one
        /// that takes less than some 35 kB a second of more.
        public var slowReaderTime = Duration.seconds(20)
        /// Bytes sent to a client that takes nothing; what is beyond is dropped. What the transport queues before it says
        /// so, one message and these together must fit its own limit.
        public var slowReaderBytes = 512 << 10

        // MARK: Coming back

        /// How long a client that dropped keeps its id and its place, and messages to it are kept.
        public var absentTime = Duration.seconds(30)
        /// Messages kept for one client until it acknowledges them.
        public var keptMessages = 512
        /// Bytes of those messages.
        public var keptBytes = 512 << 10
        /// Bytes kept for all clients together; beyond it whoever keeps most lets go.
        public var keptTotalBytes = 16 << 20
        /// Numbers of messages that a client may say it has are below this: JavaScript counts exactly up to 2^53.
        public var lastNumber: UInt64 = 1 << 52

        // MARK: Ids

        /// How many ids are set aside at once (`Hub.Event.idsReserved`).
        public var idReserve: Int64 = 1024

        /// The standard limits.
        public init() {}
    }
}
