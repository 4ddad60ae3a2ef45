import Synchronization

/// Which side of a handshake a session is.
public enum DTLSRole: Sendable, Equatable {
    /// Begins it: `a=setup:active`.
    case client
    /// Waits for the other's beginning: `a=setup:passive`.
    case server
}

/// The times of a ``DTLSSession``.
public struct DTLSLimits: Sendable, Equatable {
    /// The time to the first retransmission of a flight, doubled for each further one. RFC 6347 section 4.2.4.1 recommends a
    /// second and lets those who know their network choose: this is a local one.
    public var initialTimeout: Duration = .milliseconds(400)
    /// The longest time between two retransmissions. Less than the minute of RFC 6347: when three flights of a handshake were lost,
    /// whoever waits for it gives up before a fourth that comes much later.
    public var maximumTimeout: Duration = .milliseconds(1_600)
    /// How long a handshake may take, from its first message.
    public var handshakeTime: Duration = .seconds(30)

    /// The defaults, for a local network.
    public init() {}
}

/// What the sessions of an endpoint share: identity, role and what they agree to.
///
/// OpenSSL's part of it is made for the first handshake.
public final class DTLSContext: Sendable {
    /// Which side of the handshake its sessions are.
    public let role: DTLSRole
    /// The times of its sessions.
    public let limits: DTLSLimits
    private let identity: DTLSIdentity
    private let srtpProfiles: [SRTPProfile]
    private let cipherSuites: [CipherSuite]
    private let library = Mutex<LibraryContext?>(nil)

    /// Makes a context.
    /// - Parameters:
    ///   - identity: shown to peers.
    ///   - role: which side of the handshake its sessions are.
    ///   - srtpProfiles: offered or accepted, best first; none leaves the extension out. Chromium offers some in every
    ///     handshake and ends it when none is accepted.
    ///   - limits: times.
    /// - Throws: ``DTLSError/limitsInvalid``.
    public convenience init(
        identity: DTLSIdentity, role: DTLSRole, srtpProfiles: [SRTPProfile] = [.aeadAES128GCM, .aes128CMSHA1_80],
        limits: DTLSLimits = DTLSLimits()
    ) throws(DTLSError) {
        try self.init(
            identity: identity, role: role, srtpProfiles: srtpProfiles, limits: limits,
            cipherSuites: CipherSuite.byPreference)
    }

    init(
        identity: DTLSIdentity, role: DTLSRole, srtpProfiles: [SRTPProfile], limits: DTLSLimits,
        cipherSuites: [CipherSuite]
    ) throws(DTLSError) {
        guard limits.initialTimeout > .zero, limits.maximumTimeout >= limits.initialTimeout,
            limits.handshakeTime > .zero
        else { throw .limitsInvalid }
        self.identity = identity
        self.role = role
        self.srtpProfiles = srtpProfiles
        self.limits = limits
        self.cipherSuites = cipherSuites
    }

    /// OpenSSL's part.
    func openLibrary() throws(DTLSError) -> LibraryContext {
        try library.withLock { library throws(DTLSError) in
            if let library { return library }
            let new = try LibraryContext(
                identity: identity, role: role, srtpProfiles: srtpProfiles, cipherSuites: cipherSuites)
            library = new
            return new
        }
    }
}
