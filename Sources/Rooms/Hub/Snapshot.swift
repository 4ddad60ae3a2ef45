extension Hub {
    /// Counts since the start.
    public struct Counters: Hashable, Sendable {
        /// Frames that came from clients.
        public internal(set) var framesReceived: UInt64 = 0
        /// Frames passed from one client to another, or kept for it.
        public internal(set) var framesRouted: UInt64 = 0
        /// The bytes of those frames.
        public internal(set) var bytesRouted: UInt64 = 0
        /// Of those, frames for clients that had dropped.
        public internal(set) var framesKept: UInt64 = 0
        /// Clients that got an id.
        public internal(set) var opened: UInt64 = 0
        /// Clients that got back their former id.
        public internal(set) var resumed: UInt64 = 0
        /// Clients turned away because there were too many.
        public internal(set) var refusedClients: UInt64 = 0
        private var drops = [UInt64](repeating: 0, count: DropCause.allCases.count)
        private var refusals = [UInt64](repeating: 0, count: Refusal.allCases.count)

        /// Counters at zero.
        public init() {}

        /// How many frames were dropped for this cause.
        public func drops(_ cause: DropCause) -> UInt64 { drops[cause.index] }

        /// How many times a room was refused for this reason.
        public func refusals(_ reason: Refusal) -> UInt64 { refusals[reason.index] }

        mutating func drop(_ cause: DropCause) { drops[cause.index] &+= 1 }

        mutating func refuse(_ reason: Refusal) { refusals[reason.index] &+= 1 }
    }

    /// The hub's state at one time, for `status` and metrics.
    public struct Snapshot: Hashable, Sendable {
        /// Clients that are connected.
        public var clients = 0
        /// Clients that dropped and may come back.
        public var absent = 0
        /// Rooms with members, the room `""` not counted.
        public var rooms = 0
        /// Bytes kept for clients until they acknowledge them.
        public var keptBytes = 0
        /// Counts since the start.
        public var counters = Counters()

        /// A hub with nobody in it.
        public init() {}
    }

    /// The present state.
    public var snapshot: Snapshot {
        var snapshot = Snapshot()
        snapshot.clients = connections.count
        snapshot.absent = absentCount
        snapshot.rooms = rooms.count
        snapshot.keptBytes = keptBytes
        snapshot.counters = counters
        return snapshot
    }
}

extension Hub.DropCause {
    fileprivate var index: Int {
        switch self {
        case .malformed: 0
        case .tooBig: 1
        case .rate: 2
        case .unknownType: 3
        case .absent: 4
        case .slowReader: 5
        case .keptFull: 6
        }
    }
}

extension Hub.Refusal {
    fileprivate var index: Int {
        switch self {
        case .rotated: 0
        case .full: 1
        }
    }
}
