/// What an authentication or association response says (IEEE 802.11-2020, Table 9-50). Unknown values are kept.
public struct StatusCode: RawRepresentable, Hashable, Sendable {
    /// The number on the air.
    public let rawValue: UInt16

    /// Makes a code of its number.
    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Done as asked.
    public static let success = StatusCode(rawValue: 0)
    /// Refused, and nothing more is said.
    public static let unspecifiedFailure = StatusCode(rawValue: 1)
    /// The station cannot do what every station here must.
    public static let capabilitiesUnsupported = StatusCode(rawValue: 10)
    /// Reassociation is impossible: there is no association.
    public static let noAssociation = StatusCode(rawValue: 11)
    /// Refused for a reason outside the standard.
    public static let deniedOther = StatusCode(rawValue: 12)
    /// The authentication algorithm is not spoken here.
    public static let authenticationAlgorithmUnsupported = StatusCode(rawValue: 13)
    /// An authentication frame came out of its turn.
    public static let authenticationTransactionUnexpected = StatusCode(rawValue: 14)
    /// The challenge was not met: with SAE, the password is wrong.
    public static let challengeFailure = StatusCode(rawValue: 15)
    /// The next frame of the exchange came too late.
    public static let authenticationTimeout = StatusCode(rawValue: 16)
    /// The access point is full.
    public static let tooManyStations = StatusCode(rawValue: 17)
    /// The station lacks one of the basic rates.
    public static let basicRatesUnsupported = StatusCode(rawValue: 18)
    /// Refused for now: to be tried again after the comeback time.
    public static let refusedTemporarily = StatusCode(rawValue: 30)
    /// The station's way to protect management frames breaks our rules.
    public static let robustManagementPolicyViolation = StatusCode(rawValue: 31)
    /// A parameter was wrong.
    public static let invalidParameters = StatusCode(rawValue: 38)
    /// An element could not be read.
    public static let invalidElement = StatusCode(rawValue: 40)
    /// The group cipher is not ours.
    public static let invalidGroupCipher = StatusCode(rawValue: 41)
    /// The pairwise cipher is not ours.
    public static let invalidPairwiseCipher = StatusCode(rawValue: 42)
    /// The AKM is not ours.
    public static let invalidAKM = StatusCode(rawValue: 43)
    /// The RSN element's version is not known.
    public static let unsupportedRSNVersion = StatusCode(rawValue: 44)
    /// The RSN element's capabilities do not fit.
    public static let invalidRSNCapabilities = StatusCode(rawValue: 45)
    /// The cipher is known and not allowed.
    public static let cipherRejected = StatusCode(rawValue: 46)
    /// The PMKID is of no key that is held here.
    public static let invalidPMKID = StatusCode(rawValue: 53)
    /// SAE: the commit must come again, with the token that is with this.
    public static let antiCloggingTokenRequired = StatusCode(rawValue: 76)
    /// SAE: the finite cyclic group is not spoken here.
    public static let unsupportedFiniteCyclicGroup = StatusCode(rawValue: 77)
    /// SAE: the password identifier is unknown.
    public static let unknownPasswordIdentifier = StatusCode(rawValue: 123)
    /// SAE: the commit was made by hash-to-element.
    public static let saeHashToElement = StatusCode(rawValue: 126)
    /// SAE: the commit was made with SAE-PK.
    public static let saePublicKey = StatusCode(rawValue: 127)
}

extension StatusCode: CustomStringConvertible {
    /// The number and, where known here, what it means.
    public var description: String {
        let meaning =
            switch self {
            case .success: "success"
            case .unspecifiedFailure: "unspecified failure"
            case .capabilitiesUnsupported: "capabilities unsupported"
            case .noAssociation: "no association"
            case .deniedOther: "denied"
            case .authenticationAlgorithmUnsupported: "authentication algorithm unsupported"
            case .authenticationTransactionUnexpected: "authentication out of turn"
            case .challengeFailure: "challenge failure"
            case .authenticationTimeout: "authentication timeout"
            case .tooManyStations: "too many stations"
            case .basicRatesUnsupported: "basic rates unsupported"
            case .refusedTemporarily: "refused temporarily"
            case .robustManagementPolicyViolation: "robust management frame policy violation"
            case .invalidParameters: "invalid parameters"
            case .invalidElement: "invalid element"
            case .invalidGroupCipher: "invalid group cipher"
            case .invalidPairwiseCipher: "invalid pairwise cipher"
            case .invalidAKM: "invalid AKM"
            case .unsupportedRSNVersion: "unsupported RSN version"
            case .invalidRSNCapabilities: "invalid RSN capabilities"
            case .cipherRejected: "cipher rejected"
            case .invalidPMKID: "invalid PMKID"
            case .antiCloggingTokenRequired: "anti-clogging token required"
            case .unsupportedFiniteCyclicGroup: "unsupported finite cyclic group"
            case .unknownPasswordIdentifier: "unknown password identifier"
            case .saeHashToElement: "SAE hash-to-element"
            case .saePublicKey: "SAE-PK"
            default: "status"
            }
        return "\(meaning) (\(rawValue))"
    }
}
