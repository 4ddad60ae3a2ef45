public import Wire

extension PeerBroker {
    /// How a member's links to the others do, as its page says.
    public struct Links: Hashable, Sendable {
        /// Links there should be.
        public var total = 0
        /// Links that work.
        public var healthy = 0
        /// Links that go through the TURN relay.
        public var relayed = 0

        /// Makes counts of links.
        public init(total: Int = 0, healthy: Int = 0, relayed: Int = 0) {
            self.total = total
            self.healthy = healthy
            self.relayed = relayed
        }
    }

    /// A member of the room.
    public struct Person: Hashable, Sendable {
        /// The member's id.
        public var id: String
        /// The name it goes by, maybe empty.
        public var name: String
        /// Whether its camera is on.
        public var camera: Bool
        /// Whether its microphone is on.
        public var microphone: Bool
        /// Whether its connection is lost and it may come back.
        public var away: Bool
        /// How its links do.
        public var links: Links
        /// Where it was last connected from.
        public var address: IPAddress
    }

    /// Counts since the start.
    public struct Counters: Hashable, Sendable {
        /// Messages passed from one client to another.
        public internal(set) var framesRelayed: UInt64 = 0
        /// The bytes of those messages.
        public internal(set) var bytesRelayed: UInt64 = 0
        /// Messages that were queued because their destination was not there.
        public internal(set) var framesQueued: UInt64 = 0
        /// Connections that got their `OPEN`.
        public internal(set) var attached: UInt64 = 0
        private var drops = [UInt64](repeating: 0, count: DropCause.allCases.count)
        private var refusals = [UInt64](repeating: 0, count: Refusal.allCases.count)

        init() {}

        /// How many messages were dropped for this cause.
        public func drops(_ cause: DropCause) -> UInt64 {
            DropCause.allCases.firstIndex(of: cause).map { drops[$0] } ?? 0
        }

        /// How many connections were turned away for this reason.
        public func refusals(_ reason: Refusal) -> UInt64 {
            Refusal.allCases.firstIndex(of: reason).map { refusals[$0] } ?? 0
        }

        mutating func drop(_ cause: DropCause, count: Int = 1) {
            if let index = DropCause.allCases.firstIndex(of: cause) { drops[index] &+= UInt64(count) }
        }

        mutating func refuse(_ reason: Refusal) {
            if let index = Refusal.allCases.firstIndex(of: reason) { refusals[index] &+= 1 }
        }
    }

    /// The broker's state at one time, for `status` and metrics.
    public struct Snapshot: Sendable {
        /// The room's generation.
        public var generation: UInt32
        /// The members, in the order in which they came.
        public var people: [Person]
        /// Connected clients that are not members.
        public var plainClients: Int
        /// Connections that wait for the outcome of a probe.
        public var waiting: Int
        /// Messages that wait for someone to come.
        public var queuedMessages: Int
        /// Bytes of those messages.
        public var queuedBytes: Int
        /// Counts since the start.
        public var counters: Counters
    }
}
