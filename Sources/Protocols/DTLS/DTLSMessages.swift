/// Something that happens to a ``DTLSSession``.
public enum DTLSInput: ~Escapable {
    /// Begin the handshake; only for a client.
    case start
    /// A datagram from the peer whose first octet is one of DTLS (RFC 7983: 20 to 63).
    case datagram(RawSpan)
    /// Application data to send in one record of at most ``DTLSSession/maximumPlaintext`` octets.
    case send(RawSpan)
    /// Tell the peer that nothing more comes, and end.
    case close
    /// The time that ``DTLSSession/handle(_:at:into:)`` asked for has come.
    case wake
}

/// What a ``DTLSSession`` wants done. One value is used again and again: empty it before each input.
public struct DTLSOutput: Sendable {
    /// The bytes of ``datagrams``.
    public internal(set) var written: [UInt8] = []
    /// Ranges of ``written`` to send, each as a datagram, in this order.
    public internal(set) var datagrams: [Range<Int>] = []
    /// The bytes of ``records``.
    public internal(set) var applicationData: [UInt8] = []
    /// Ranges of ``applicationData``: what the peer sent, record by record.
    public internal(set) var records: [Range<Int>] = []
    /// What happened, in this order; ``records`` came after a ``DTLSEvent/connected(_:)`` and before the others.
    public internal(set) var events: [DTLSEvent] = []

    /// Makes an empty output.
    public init() {}

    /// Empties the output and keeps its memory.
    public mutating func removeAll() {
        written.removeAll(keepingCapacity: true)
        datagrams.removeAll(keepingCapacity: true)
        applicationData.removeAll(keepingCapacity: true)
        records.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
    }
}

/// What became of a ``DTLSSession``.
public enum DTLSEvent: Sendable, Equatable {
    /// The handshake is complete: application data may pass.
    case connected(DTLSPeer)
    /// The peer said that nothing more comes from it. The session is over.
    case closed
    /// The session is over.
    case failed(DTLSFailure)
}

/// What a completed handshake agreed on.
public struct DTLSPeer: Sendable, Equatable {
    /// The SHA-256 of the peer's certificate in DER (RFC 8122 section 5), 32 octets. Nobody else has vouched for it.
    public var fingerprint: [UInt8]
    /// The protocol's version.
    public var version: DTLSVersion
    /// The protection of media (RFC 5764 section 4.1.2), or nil if the peer offered none.
    public var srtpProfile: SRTPProfile?
}

/// A version of the protocol.
public enum DTLSVersion: Sendable, Equatable {
    /// RFC 6347.
    case dtls1_2
    /// RFC 9147.
    case dtls1_3
}

/// A protection profile of SRTP, by its number in IANA's registry.
public enum SRTPProfile: UInt16, Sendable, Equatable, CaseIterable {
    /// RFC 5764 section 4.1.2: `SRTP_AES128_CM_HMAC_SHA1_80`.
    case aes128CMSHA1_80 = 0x0001
    /// RFC 7714 section 14.2: `SRTP_AEAD_AES_128_GCM`.
    case aeadAES128GCM = 0x0007
}

/// Why a ``DTLSSession`` failed. The raw value of ``label`` is for counters.
public enum DTLSFailure: Error, Sendable, Equatable {
    /// The peer refused us, with this alert (RFC 5246 section 7.2). Its decision.
    case alertReceived(UInt8)
    /// The peer's handshake was refused with this alert: no common cipher or profile, or against the protocol. The peer's fault.
    case handshakeRefused(alert: UInt8?)
    /// The peer did not answer in time. The peer's or the network's fault.
    case timedOut
    /// OpenSSL failed for no fault of the peer's: no memory.
    case outOfMemory
}

/// Why an identity, a context or a session could not be made.
public enum DTLSError: Error, Sendable, Equatable {
    /// The text is no certificate in PEM. The giver's fault.
    case certificateUnreadable
    /// The text is no private key in PEM. The giver's fault.
    case privateKeyUnreadable
    /// The private key is not the certificate's, or not of P-256. The giver's fault.
    case privateKeyMismatch
    /// OpenSSL failed: no memory, or a library without what is needed. The machine's fault.
    case libraryFailed(String)
}
