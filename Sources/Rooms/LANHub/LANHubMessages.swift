public import Hub
public import WebRTCDirect
public import Wire

/// Names one `room` data channel. A number is never used twice.
public struct RoomConnection: Hashable, Sendable {
    let number: UInt64
}

/// Something that happens to a ``LANHub``.
public enum LANHubInput: ~Escapable {
    /// A datagram came.
    /// - from: who sent it.
    /// - to: the address of this machine it was sent to.
    case datagram(RawSpan, from: TransportAddress, to: IPAddress)
    /// Send a text message on a `room` channel; to one that is gone: nothing.
    case roomText(RoomConnection, RawSpan)
    /// Close a `room` channel, behind what was sent on it. No event of it comes any more.
    case closeRoom(RoomConnection)
    /// The room's secret was changed: whoever is in the room of the former one is told why and closed.
    case rotated(retired: String)
    /// Close the connection to every phone, as before the program ends.
    case closeAll
    /// The time that ``LANHub/handle(_:at:into:)`` asked for has come.
    case wake
}

/// Something a ``LANHub`` tells whoever uses it.
public enum LANHubEvent: Sendable, Equatable {
    /// A channel labelled `room` is open.
    /// - from: where the phone is.
    case roomOpened(RoomConnection, from: IPAddress)
    /// A message came on it; the range is one of ``LANHubOutput/payload``.
    case roomMessage(RoomConnection, Range<Int>)
    /// Much waits for its phone: better send it nothing more for now (false), or there is room again (true).
    case roomWritable(RoomConnection, Bool)
    /// It is gone.
    case roomClosed(RoomConnection)
    /// A phone is connected.
    case dialled(EndpointConnection)
    /// A phone is now at this address.
    case moved(TransportAddress)
    /// A phone is gone.
    /// - from: where it was last.
    case left(from: TransportAddress, DisconnectReason)
    /// What happened to the clients of channels labelled `hub`.
    case hub(Hub.Event)
}

/// What a ``LANHub`` wants done. One value is used again and again: empty it before each input, or after a few.
public struct LANHubOutput: Sendable {
    /// What happened, in this order.
    public internal(set) var events: [LANHubEvent] = []
    /// What the endpoint wants done; those of its events that were carried out.
    var endpoint = EndpointOutput()
    var endpointEventsDone = 0

    /// Makes an empty output.
    public init() {}

    /// What to send, in this order.
    public var datagrams: [EndpointDatagram] { endpoint.datagrams }
    /// The bytes of ``datagrams``.
    public var written: [UInt8] { endpoint.written }
    /// The bytes of received messages.
    public var payload: [UInt8] { endpoint.payload }

    /// Empties the output and keeps its memory.
    public mutating func removeAll() {
        if !events.isEmpty { events.removeAll(keepingCapacity: true) }
        endpoint.removeAll()
        endpointEventsDone = 0
    }
}

extension LANHub {
    /// What phones can make grow on their channels, and how long a channel's end may take, by name.
    public struct Limits: Hashable, Sendable {
        /// Data channels of one phone that are served; the client needs one.
        public var channels = 8
        /// How long a channel that is closed from here may take; a phone that reads nothing would keep what waits for it for
        /// ever.
        public var closingTime = Duration.seconds(3)
        /// Channels labelled `hub` or `room` that one phone may open a second: each is a client with an id, and leaves a place
        /// that is kept.
        public var openingsPerSecond = 2.0
        /// Those that it may open at once.
        public var openingBurst = 16.0

        /// The standard limits.
        public init() {}
    }

    /// The state at one time.
    public struct Snapshot: Sendable {
        /// The frames and rooms.
        public var hub = Hub.Snapshot()
        /// The packets.
        public var endpoint = EndpointCounters()
        /// Phones that are connected.
        public var phones = 0

        /// A hub that does nothing.
        public init() {}
    }
}
