import COpenSSL

/// Why a ``DTLSSession`` failed.
public enum DTLSFailure: Error, Sendable, Equatable {
    /// The peer ended the session with this alert (RFC 5246 section 7.2): its decision.
    case alertReceived(UInt8)
    /// The peer knows none of the versions of the protocol. The peer's fault, or its age.
    case noCommonVersion
    /// The peer knows none of the cipher suites or groups. The peer's fault, or its age.
    case noCommonCipher
    /// The peer showed no certificate. The peer's fault.
    case noCertificate
    /// The peer's handshake is against the protocol, or its certificate of an unknown kind; it was told so by this alert,
    /// if any. The peer's fault.
    case handshakeRefused(alert: UInt8?)
    /// The handshake was not complete in time. The fault of the network, or of a peer that is gone.
    case timedOut
    /// All 2^48 record numbers are used up (RFC 6347 section 4.1): connect anew.
    case exhausted
    /// OpenSSL failed through no fault of the peer's: no memory, or an identity it can't read. This machine's fault.
    case libraryFailed

    /// A short name for counters.
    public var label: String {
        switch self {
        case .alertReceived: "alert_received"
        case .noCommonVersion: "no_common_version"
        case .noCommonCipher: "no_common_cipher"
        case .noCertificate: "no_certificate"
        case .handshakeRefused: "handshake_refused"
        case .timedOut: "timed_out"
        case .exhausted: "exhausted"
        case .libraryFailed: "library_failed"
        }
    }

    /// What OpenSSL's first error in the queue means, and the alert it sent.
    init(error: UInt, alert: UInt8?) {
        guard COpenSSL_is_out_of_memory(error) == 0 else {
            self = .libraryFailed
            return
        }
        switch COpenSSL_reason(error) {
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_WRONG_VERSION_NUMBER, SSL_R_VERSION_TOO_LOW, SSL_R_VERSION_TOO_HIGH,
            SSL_R_WRONG_SSL_VERSION:
            self = .noCommonVersion
        case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SUITABLE_GROUPS, SSL_R_NO_CIPHERS_SPECIFIED:
            self = .noCommonCipher
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
            self = .noCertificate
        default:
            self = .handshakeRefused(alert: alert)
        }
    }
}

extension DTLSFailure: CustomStringConvertible {
    /// What happened, in words.
    public var description: String {
        switch self {
        case .alertReceived(let alert): "the peer ended DTLS with the alert \(Self.name(ofAlert: alert))"
        case .noCommonVersion: "the peer does not speak DTLS 1.2"
        case .noCommonCipher: "the peer has no cipher suite or group in common with this side"
        case .noCertificate: "the peer showed no certificate"
        case .handshakeRefused(.some(let alert)):
            "the peer's DTLS handshake was refused with the alert \(Self.name(ofAlert: alert))"
        case .handshakeRefused(.none): "the peer's DTLS handshake was refused"
        case .timedOut: "the DTLS handshake was not complete in time"
        case .exhausted: "the DTLS session has used up its record numbers"
        case .libraryFailed: "OpenSSL failed: there is no memory, or it can't read the certificate"
        }
    }

    private static func name(ofAlert alert: UInt8) -> String {
        SSL_alert_desc_string_long(Int32(alert)).map { String(cString: $0) } ?? "\(alert)"
    }
}

/// Why an identity or a context could not be made.
public enum DTLSError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The text is no certificate in PEM. The giver's fault.
    case certificateUnreadable
    /// The text is no private key of P-256 in PEM, or an encrypted one. The giver's fault.
    case privateKeyUnreadable
    /// The private key is not the certificate's. The giver's fault.
    case privateKeyMismatch
    /// A time limit is not positive, or the first timeout is longer than the longest. The giver's fault.
    case limitsInvalid
    /// The new certificate could not be signed. This machine's fault.
    case signingFailed
    /// This function of OpenSSL failed: no memory, or a library that lacks what is needed. This machine's fault.
    case libraryFailed(String)

    /// What happened, in words.
    public var description: String {
        switch self {
        case .certificateUnreadable: "the certificate is not in PEM, or damaged"
        case .privateKeyUnreadable: "the private key is not one of P-256 in PEM, or damaged, or encrypted"
        case .privateKeyMismatch: "the private key does not belong to the certificate"
        case .limitsInvalid: "the time limits of DTLS contradict each other"
        case .signingFailed: "a new certificate could not be signed"
        case .libraryFailed(let function): "OpenSSL's \(function) failed"
        }
    }
}
