public import IEEE80211

/// How a commit's password element was found (IEEE 802.11-2020, 12.4.4).
public enum SAEMethod: Sendable, Hashable, CaseIterable {
    /// By trying hashes of password and addresses until one is a coordinate (12.4.4.2.2). Every SAE station can do it.
    case huntingAndPecking
    /// By a direct map from password and SSID (12.4.4.2.3), which cannot be timed. Newer stations prefer it.
    case hashToElement

    /// The status that a commit says it with.
    public var status: StatusCode {
        switch self {
        case .huntingAndPecking: .success
        case .hashToElement: .saeHashToElement
        }
    }

    /// The method of a commit.
    /// - Parameter status: what the commit says; nil unless it stands for a method.
    init?(status: StatusCode) {
        switch status {
        case .success: self = .huntingAndPecking
        case .saeHashToElement: self = .hashToElement
        default: return nil
        }
    }
}
