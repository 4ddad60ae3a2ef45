/// Why a deauthentication or disassociation was sent (IEEE 802.11-2020, Table 9-49). Unknown values are kept.
public struct ReasonCode: RawRepresentable, Hashable, Sendable {
    /// The number on the air.
    public let rawValue: UInt16

    /// Makes a code of its number.
    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Nothing more is said.
    public static let unspecified = ReasonCode(rawValue: 1)
    /// The authentication is no longer valid.
    public static let authenticationInvalid = ReasonCode(rawValue: 2)
    /// The sender leaves, or has left, the network.
    public static let leaving = ReasonCode(rawValue: 3)
    /// The station was silent for too long.
    public static let inactivity = ReasonCode(rawValue: 4)
    /// The access point cannot serve all who are associated.
    public static let tooManyStations = ReasonCode(rawValue: 5)
    /// A frame came that only an authenticated station may send.
    public static let notAuthenticated = ReasonCode(rawValue: 6)
    /// A frame came that only an associated station may send.
    public static let notAssociated = ReasonCode(rawValue: 7)
    /// The sender leaves, or has left, the BSS.
    public static let disassociatedLeaving = ReasonCode(rawValue: 8)
    /// An association was asked for without authentication before it.
    public static let associationWithoutAuthentication = ReasonCode(rawValue: 9)
    /// An element could not be read.
    public static let invalidElement = ReasonCode(rawValue: 13)
    /// A message integrity code was wrong.
    public static let integrityFailure = ReasonCode(rawValue: 14)
    /// The 4-way handshake did not end in time: also what a wrong passphrase ends with.
    public static let fourWayHandshakeTimeout = ReasonCode(rawValue: 15)
    /// The group key handshake did not end in time.
    public static let groupKeyHandshakeTimeout = ReasonCode(rawValue: 16)
    /// An element of the 4-way handshake differs from the one of the association or the beacon.
    public static let elementMismatch = ReasonCode(rawValue: 17)
    /// The group cipher is not ours.
    public static let invalidGroupCipher = ReasonCode(rawValue: 18)
    /// The pairwise cipher is not ours.
    public static let invalidPairwiseCipher = ReasonCode(rawValue: 19)
    /// The AKM is not ours.
    public static let invalidAKM = ReasonCode(rawValue: 20)
    /// The RSN element's version is not known.
    public static let unsupportedRSNVersion = ReasonCode(rawValue: 21)
    /// The RSN element's capabilities do not fit.
    public static let invalidRSNCapabilities = ReasonCode(rawValue: 22)
    /// IEEE 802.1X authentication failed.
    public static let authenticationFailed = ReasonCode(rawValue: 23)
    /// The cipher is known and not allowed.
    public static let cipherRejected = ReasonCode(rawValue: 24)
}

extension ReasonCode: CustomStringConvertible {
    /// The number and, where known here, what it means.
    public var description: String {
        let meaning =
            switch self {
            case .unspecified: "unspecified"
            case .authenticationInvalid: "authentication no longer valid"
            case .leaving: "leaving"
            case .inactivity: "inactivity"
            case .tooManyStations: "too many stations"
            case .notAuthenticated: "not authenticated"
            case .notAssociated: "not associated"
            case .disassociatedLeaving: "disassociated, leaving"
            case .associationWithoutAuthentication: "association without authentication"
            case .invalidElement: "invalid element"
            case .integrityFailure: "message integrity code failure"
            case .fourWayHandshakeTimeout: "4-way handshake timeout"
            case .groupKeyHandshakeTimeout: "group key handshake timeout"
            case .elementMismatch: "element mismatch in the 4-way handshake"
            case .invalidGroupCipher: "invalid group cipher"
            case .invalidPairwiseCipher: "invalid pairwise cipher"
            case .invalidAKM: "invalid AKM"
            case .unsupportedRSNVersion: "unsupported RSN version"
            case .invalidRSNCapabilities: "invalid RSN capabilities"
            case .authenticationFailed: "IEEE 802.1X authentication failed"
            case .cipherRejected: "cipher rejected"
            default: "reason"
            }
        return "\(meaning) (\(rawValue))"
    }
}
