/// Names one `hub` data channel to the hub. The shell numbers them; a number is never used twice.
public struct HubConnection: Hashable, Comparable, Sendable {
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
    public static func < (lhs: HubConnection, rhs: HubConnection) -> Bool { lhs.number < rhs.number }
}

/// What the shell tells the hub.
///
/// Of a connection that the hub has closed, or has never heard of, nothing is taken any more: late inputs of it are
/// ignored.
public enum HubInput: ~Escapable {
    /// A data channel labelled `hub` is open.
    case opened(HubConnection)
    /// A whole text message has come on it.
    case frame(HubConnection, RawSpan)
    /// A whole binary message has come on it, which nobody here speaks.
    case binary(HubConnection)
    /// The channel's outgoing bytes went over the transport's high-water mark (false) or back under its low one
    /// (true).
    case writable(HubConnection, Bool)
    /// The transport did not take a message for this connection: too much waits there already.
    case sendRefused(HubConnection)
    /// The channel is gone, in whatever way.
    case closed(HubConnection)
    /// The room's secret was changed: whoever is in the room of the former one is told why and closed, and nobody
    /// gets into it again.
    case rotated(retired: String)
    /// The time that `handle` asked for has come.
    case wake
}
