/// Which side of a handshake a session is.
public enum DTLSRole: Sendable, Equatable {
    /// Sends the first flight.
    case client
    /// Waits for it: `a=setup:passive`.
    case server
}

/// What the sessions of an endpoint share: identity, role and what is negotiated.
public final class DTLSContext: Sendable {
    /// Makes a context.
    /// - Parameters:
    ///   - identity: the certificate shown to peers.
    ///   - role: which side of the handshake its sessions are.
    ///   - srtpProfiles: offered or accepted, best first; none leaves the extension out.
    ///   - limits: times and counts.
    public init(
        identity: DTLSIdentity, role: DTLSRole, srtpProfiles: [SRTPProfile] = [.aeadAES128GCM, .aes128CMSHA1_80],
        limits: DTLSLimits = DTLSLimits()
    ) throws(DTLSError) {}
}

/// The times and counts of a ``DTLSSession``.
public struct DTLSLimits: Sendable, Equatable {
    /// Until the first retransmission of a flight, doubled for each further one (RFC 6347 section 4.2.4.1).
    public var initialTimeout: Duration = .milliseconds(400)
    /// The longest time between two retransmissions.
    public var maximumTimeout: Duration = .seconds(8)
    /// How long a handshake may take in all.
    public var handshakeTime: Duration = .seconds(30)

    /// The defaults: for a local network.
    public init() {}
}
