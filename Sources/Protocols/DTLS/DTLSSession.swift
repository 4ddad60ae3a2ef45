public import SansIO

/// One DTLS 1.2 association (RFC 6347), without socket, clock or thread.
public struct DTLSSession: ~Copyable {
    /// Makes a session that waits for the peer's first flight, or, as a client, for ``DTLSInput/start``.
    /// - Parameters:
    ///   - context: identity and role; shared by all sessions of an endpoint.
    ///   - mtu: the most octets of a datagram, UDP's payload.
    public init(context: DTLSContext, mtu: Int = 1_200) throws(DTLSError) {}

    /// Takes in what happened and says what to do about it.
    /// - Parameters:
    ///   - input: what happened.
    ///   - now: the present time.
    ///   - output: what to do is appended to it.
    /// - Returns: when to call again with ``DTLSInput/wake`` if nothing happens before, or nil if there is no need.
    public mutating func handle(_ input: borrowing DTLSInput, at now: Timestamp, into output: inout DTLSOutput)
        -> Timestamp?
    {
        nil
    }
}
