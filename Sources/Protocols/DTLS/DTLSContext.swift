import COpenSSL

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
    /// The longest time between two retransmissions.
    public var maximumTimeout: Duration = .seconds(8)
    /// How long a handshake may take, from its first message.
    public var handshakeTime: Duration = .seconds(30)

    /// The defaults, for a local network.
    public init() {}
}

/// What the sessions of an endpoint share: identity, role and what they agree to.
public final class DTLSContext: Sendable {
    /// Which side of the handshake its sessions are.
    public let role: DTLSRole
    /// The times of its sessions.
    public let limits: DTLSLimits
    let handle: Handle
    let bioMethod: Handle
    let algorithms: Algorithms

    /// The most octets of certificates a peer may show; a self-signed one has some hundred.
    private static let maximumCertificates = 8_192

    /// Makes a context.
    /// - Parameters:
    ///   - identity: shown to peers.
    ///   - role: which side of the handshake its sessions are.
    ///   - srtpProfiles: offered or accepted, best first; none leaves the extension out. Chromium offers some in every
    ///     handshake and ends it when none is accepted.
    ///   - limits: times.
    /// - Throws: ``DTLSError/libraryFailed(_:)``.
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
        try startLibrary()
        self.role = role
        self.limits = limits
        bioMethod = try makeDatagramBIOMethod()
        algorithms = try Algorithms()
        let method =
            switch role {
            case .client: DTLS_client_method()
            case .server: DTLS_server_method()
            }
        handle = try Handle(SSL_CTX_new(method), SSL_CTX_free, "SSL_CTX_new")
        let context = handle.pointer
        // DTLS 1.2 only: Debian 12's and 13's OpenSSL have no 1.3, and 1.0 is gone (RFC 8996). Browsers that offer 1.3
        // speak 1.2 too. Records are protected by ``Protection``, which would need 1.3's record format as well.
        try require(COpenSSL_CTX_set_version(context, DTLS1_2_VERSION), "SSL_CTX_set_min_proto_version")
        COpenSSL_CTX_set_server_preferences(context)
        COpenSSL_CTX_set_max_cert_list(context, Self.maximumCertificates)
        // 112 bits, whatever the system's policy says.
        SSL_CTX_set_security_level(context, 2)
        let suites = cipherSuites.map(\.libraryName).joined(separator: ":")
        try require(SSL_CTX_set_cipher_list(context, suites), "SSL_CTX_set_cipher_list")
        let groups = [NID_X25519, NID_X9_62_prime256v1]
        try require(COpenSSL_CTX_set1_groups(context, groups, Int32(groups.count)), "SSL_CTX_set1_groups")
        // Certificates of ECDSA are what RFC 8827 section 6.5 asks for; applications may still choose RSA.
        try require(
            COpenSSL_CTX_set1_sigalgs_list(
                context, "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:RSA-PSS+SHA256:RSA+SHA256"),
            "SSL_CTX_set1_sigalgs_list")
        try require(SSL_CTX_use_certificate(context, identity.certificate.pointer), "SSL_CTX_use_certificate")
        try require(SSL_CTX_use_PrivateKey(context, identity.privateKey.pointer), "SSL_CTX_use_PrivateKey")
        if !srtpProfiles.isEmpty {
            let names = srtpProfiles.map(\.libraryName).joined(separator: ":")
            // This one answers 0 when it succeeds.
            try require(SSL_CTX_set_tlsext_use_srtp(context, names) == 0 ? 1 : 0, "SSL_CTX_set_tlsext_use_srtp")
        }

        // Any certificate will do, and there must be one: who may come in is decided by its fingerprint. Nothing is built
        // or checked of a chain, dates or names.
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        SSL_CTX_set_cert_verify_callback(context, { _, _ in 1 }, nil)
        SSL_CTX_set_info_callback(context, noteAlert)
    }
}
