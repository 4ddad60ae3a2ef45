import SansIO
import WebRTCDirect
import Wire

/// What is known of a phone, and how far its channels are.
struct LANPhone {
    var connection: EndpointConnection
    /// The address of this machine at which it reaches the box.
    var local: IPAddress
    var isWritable = true
    /// Pays for the channels it opens.
    private var openings: TokenBucket
    /// Its channels, in the order it opened them, until they are gone at both ends.
    private(set) var streams: [UInt16] = []
    /// Those of them that were closed from here, and by when they have to be gone.
    private var closing: [UInt16] = []
    private(set) var closingDeadline: Timestamp?
    /// Whether it stands among those whose channels have to be gone in time.
    var isWatched = false
    /// Whether a channel of it was closed from here: with its last channel it goes itself. Kibitz's app dials anew and leaves
    /// the old connection as it is.
    private var isLeaving = false

    init(_ connection: EndpointConnection, local: IPAddress, limits: LANHub.Limits, at now: Timestamp) {
        self.connection = connection
        self.local = local
        openings = TokenBucket(rate: limits.openingsPerSecond, burst: limits.openingBurst, now: now)
    }

    /// Whether it may have one more channel with somebody at the other end.
    mutating func mayOpen(at now: Timestamp) -> Bool { openings.take(at: now) }

    /// A channel is open.
    mutating func open(_ stream: UInt16) { streams.append(stream) }

    /// A channel is closed from here.
    /// - Parameter deadline: when it has to be gone, unless an earlier one is closing as well.
    mutating func close(_ stream: UInt16, by deadline: Timestamp) {
        isLeaving = true
        if streams.contains(stream), !closing.contains(stream) { closing.append(stream) }
        if !closing.isEmpty, closingDeadline == nil { closingDeadline = deadline }
    }

    /// A channel is gone.
    /// - Returns: whether the phone has to go with it.
    mutating func closed(_ stream: UInt16) -> Bool {
        streams.removeAll { $0 == stream }
        closing.removeAll { $0 == stream }
        if closing.isEmpty { closingDeadline = nil }
        return isLeaving && streams.isEmpty
    }
}
