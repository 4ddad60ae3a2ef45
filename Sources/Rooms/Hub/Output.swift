extension Hub {
    /// What the shell must do, in this order.
    public enum Action: Hashable, Sendable {
        /// Send these bytes of `Output.bytes` as one text message (PPID 51).
        case send(HubConnection, Range<Int>)
        /// Send what is still unsent if it goes at once, then close the channel. It is the last action for this
        /// connection.
        case close(HubConnection, CloseReason)
    }

    /// Why the hub closes a connection; the client hears it before in a frame `closed`.
    public enum CloseReason: String, Hashable, Sendable, CaseIterable {
        /// The hub has all the clients it can take.
        case full
        /// The room's secret was changed.
        case rotated
        /// The same client is back on another connection.
        case replaced
        /// It sent far more than it may.
        case flood
        /// It took too little for too long.
        case slowReader = "slow"

        /// The reason in words, for whoever reads the frame.
        var message: StaticString {
            switch self {
            case .full: "This box has all the clients it can take. Try again in a while."
            case .rotated: "The codes of this room were changed. Scan the code that the box shows now."
            case .replaced: "You are connected from elsewhere now."
            case .flood: "Too many messages were sent on this connection."
            case .slowReader: "Messages were taken too slowly on this connection."
            }
        }
    }

    /// Why a client is not let into a room.
    public enum Refusal: String, Hashable, Sendable, CaseIterable {
        /// The room is that of a former secret.
        case rotated
        /// The room has all the members it can take, or there are too many rooms.
        case full

        var message: StaticString {
            switch self {
            case .rotated: "The codes of this room were changed. Scan the code that the box shows now."
            case .full: "The box has no room left for you there. Try again in a while."
            }
        }
    }

    /// What has happened, for the log and the disk.
    public enum Event: Hashable, Sendable {
        /// A client got an id.
        case opened(HubConnection, id: Int64)
        /// A client is back under its former id.
        case resumed(HubConnection, id: Int64)
        /// A client was not let into a room.
        case refused(HubConnection, id: Int64, Refusal)
        /// A client's connection has ended; `kept` if its id waits for it.
        case dropped(HubConnection, id: Int64, kept: Bool)
        /// A client has not come back in time.
        case left(id: Int64)
        /// The hub has closed a connection.
        case closed(HubConnection, CloseReason)
        /// Ids up to this one may be given out soon: persist it, and begin above it at the next start.
        case idsReserved(through: Int64)
    }

    /// Why a frame, or a message, went nowhere.
    public enum DropCause: String, Hashable, Sendable, CaseIterable {
        /// It is not a JSON object, or a member of it is not what it must be.
        case malformed
        /// It is bigger than `Limits.frameBytes`, or would be as the frame `from`.
        case tooBig = "too_big"
        /// The client sent more than its rate.
        case rate
        /// Its `t` is none that the hub knows.
        case unknownType = "unknown_type"
        /// Whom it was meant for is not in the same room.
        case absent
        /// Whom it was meant for does not read.
        case slowReader = "slow_reader"
        /// Whom it was meant for has dropped, and newer ones are kept in its place.
        case keptFull = "kept_full"
    }

    /// What one call of `handle` asks of the shell. Reuse one: `removeAll` keeps its storage.
    public struct Output: Sendable {
        /// What to do, in order.
        public internal(set) var actions: [Action] = []
        /// What to log and to persist.
        public internal(set) var events: [Event] = []
        /// The bytes to which the `send` actions refer.
        public internal(set) var bytes: [UInt8] = []

        /// Storage beyond so many bytes is given back.
        static let keptCapacity = 1 << 16

        /// Makes an empty output.
        public init() {}

        /// Empties the output for the next call.
        public mutating func removeAll() {
            if !actions.isEmpty { actions.removeAll(keepingCapacity: true) }
            if !events.isEmpty { events.removeAll(keepingCapacity: true) }
            if bytes.capacity > Self.keptCapacity {
                bytes = []
            } else {
                bytes.removeAll(keepingCapacity: true)
            }
        }

        // MARK: Writing

        mutating func write(_ text: StaticString) {
            text.withUTF8Buffer { bytes.append(contentsOf: $0) }
        }

        mutating func write(_ text: String) {
            bytes.append(contentsOf: text.utf8)
        }

        mutating func write(_ run: RawSpan) {
            run.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }

        /// Writes a number that is not negative, in decimal, without making a string of it.
        mutating func write(_ number: UInt64) {
            bytes.append(decimal: number)
        }
    }
}

extension [UInt8] {
    mutating func append(decimal number: UInt64) {
        var divisor: UInt64 = 1
        while number / divisor >= 10 { divisor &*= 10 }
        while divisor > 0 {
            append(0x30 &+ UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }
}
