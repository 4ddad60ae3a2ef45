/// Something that happens to a ``DTLSSession``.
public enum DTLSInput: ~Escapable {
    /// Begin the handshake. A server waits for the peer's beginning instead and ignores this.
    case start
    /// A datagram from the peer whose first octet says that it is DTLS: 20 to 63 (RFC 7983 section 7).
    case datagram(RawSpan)
    /// Application data to send in one record, ``DTLSSession/maximumPlaintext`` octets or fewer. Ignored unless connected.
    case send(RawSpan)
    /// Tell the peer that nothing more comes, and end the session. No event follows.
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
    /// Ranges of ``applicationData``: what the peer sent, record by record. They came after a
    /// ``DTLSEvent/connected(_:)`` and before any other event of the same output.
    public internal(set) var records: [Range<Int>] = []
    /// What happened, in this order.
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
    /// The SHA-256 of the peer's certificate in DER (RFC 8122 section 5), 32 octets. The peer has proved that it holds the
    /// certificate's key; nobody has vouched for it.
    public var fingerprint: [UInt8]
    /// The version of the protocol.
    public var version: DTLSVersion
    /// The cipher suite's number in IANA's registry.
    public var cipherSuite: UInt16
    /// The protection of media (RFC 5764 section 4.1.2), or nil if none is common.
    public var srtpProfile: SRTPProfile?
}

/// A version of the protocol.
public enum DTLSVersion: Sendable, Equatable {
    /// RFC 6347.
    case dtls1_2
}

/// A protection profile of SRTP, by its number in IANA's registry.
public enum SRTPProfile: UInt16, Sendable, Equatable, CaseIterable {
    /// `SRTP_AES128_CM_HMAC_SHA1_80` (RFC 5764 section 4.1.2).
    case aes128CMSHA1_80 = 0x0001
    /// `SRTP_AEAD_AES_128_GCM` (RFC 7714 section 14.2).
    case aeadAES128GCM = 0x0007

    /// OpenSSL's name of it.
    var libraryName: String {
        switch self {
        case .aes128CMSHA1_80: "SRTP_AES128_CM_SHA1_80"
        case .aeadAES128GCM: "SRTP_AEAD_AES_128_GCM"
        }
    }
}
