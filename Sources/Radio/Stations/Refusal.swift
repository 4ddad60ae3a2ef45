public import IEEE80211
public import SansIO
public import Wire

/// Why a station was refused.
public enum RefusalCause: Hashable, Sendable {
    /// The access point is full.
    case full
    /// It showed a passphrase that is not ours.
    case wrongPassphrase
    /// It did not end the handshake in time.
    case handshakeTimeout
    /// What it said in the handshake was not what it had said before.
    case handshakeMismatch
    /// It authenticates in a way that is not spoken here.
    case authenticationAlgorithm(AuthenticationAlgorithm)
    /// Its authentication frame was out of turn or could not be read.
    case authenticationOutOfTurn
    /// SAE refused it for a reason other than the password, which is told in words.
    case sae(String)
    /// It associates without authentication before it.
    case notAuthenticated
    /// Its request could not be read.
    case malformedRequest
    /// It wants another network.
    case otherNetwork
    /// It lacks a basic rate.
    case basicRates
    /// It asks for no encryption, or for WPA of the first version.
    case noRSN
    /// Its RSN element could not be read, or is of an unknown version.
    case malformedRSN
    /// Its group cipher is not ours.
    case groupCipher(CipherSuite)
    /// Its pairwise cipher is not ours.
    case pairwiseCipher(CipherSuite)
    /// Its AKM is not ours, or not the one it authenticated by.
    case akm(AKMSuite)
    /// It does not protect management frames as it must.
    case managementFrameProtection
    /// Its cipher for group-addressed management frames is not ours.
    case groupManagementCipher(CipherSuite)
    /// It speaks hash-to-element and did not use it: somebody may have made it believe that we don't.
    case hashToElementDowngrade
    /// It names a key from an earlier visit that is not held here any more; it will authenticate anew.
    case unknownPMKID
    /// The driver could not make its entry.
    case driver
    /// The chip keeps it out by a list of its own.
    case blocked
    /// It did not acknowledge the association response.
    case noAcknowledgement
    /// It gave way to another while its handshake was going on.
    case gaveWay
    /// It is on, by what its keys say, so it was asked first whether it is still there.
    case securityAssociationQuery

    /// What to tell a person, as a sentence's end: "refused: …".
    public var explanation: String {
        switch self {
        case .full: "the access point is full"
        case .wrongPassphrase: "wrong passphrase"
        case .handshakeTimeout: "it did not finish the handshake; weak signal, or a wrong passphrase"
        case .handshakeMismatch: "its handshake does not fit its association"
        case .authenticationAlgorithm(let algorithm):
            "authentication algorithm \(algorithm.rawValue) is not spoken here"
        case .authenticationOutOfTurn: "its authentication came out of turn"
        case .sae(let reason): reason
        case .notAuthenticated: "it did not authenticate before it associated"
        case .malformedRequest: "its request could not be read"
        case .otherNetwork: "it asked for another network"
        case .basicRates: "it lacks a basic rate"
        case .noRSN: "it asked for no encryption"
        case .malformedRSN: "its RSN element could not be read"
        case .groupCipher(let cipher): "its group cipher \(cipher) is not ours"
        case .pairwiseCipher(let cipher): "its cipher \(cipher) is not ours"
        case .akm(let akm): "its AKM \(akm) is not ours"
        case .managementFrameProtection: "it does not protect management frames"
        case .groupManagementCipher(let cipher): "its group management cipher \(cipher) is not ours"
        case .hashToElementDowngrade: "it speaks SAE hash-to-element and did not use it"
        case .unknownPMKID: "the key it remembers is not known here any more"
        case .driver: "the radio has no room for it"
        case .blocked: "the radio itself keeps it out"
        case .noAcknowledgement: "it did not hear our answer; weak signal"
        case .gaveWay: "too many were joining at once"
        case .securityAssociationQuery: "asked first whether it is still on"
        }
    }
}

extension RefusalCause {
    /// The cause in one word, without what varies: the name of its counter.
    public var label: String {
        switch self {
        case .full: "full"
        case .wrongPassphrase: "wrong-passphrase"
        case .handshakeTimeout: "handshake-timeout"
        case .handshakeMismatch: "handshake-mismatch"
        case .authenticationAlgorithm: "authentication-algorithm"
        case .authenticationOutOfTurn: "authentication-out-of-turn"
        case .sae: "sae"
        case .notAuthenticated: "not-authenticated"
        case .malformedRequest: "malformed-request"
        case .otherNetwork: "other-network"
        case .basicRates: "basic-rates"
        case .noRSN: "no-rsn"
        case .malformedRSN: "malformed-rsn"
        case .groupCipher: "group-cipher"
        case .pairwiseCipher: "pairwise-cipher"
        case .akm: "akm"
        case .managementFrameProtection: "management-frame-protection"
        case .groupManagementCipher: "group-management-cipher"
        case .hashToElementDowngrade: "hash-to-element-downgrade"
        case .unknownPMKID: "unknown-pmkid"
        case .driver: "driver"
        case .blocked: "blocked"
        case .noAcknowledgement: "no-acknowledgement"
        case .gaveWay: "gave-way"
        case .securityAssociationQuery: "sa-query"
        }
    }
}

/// A station that was refused, remembered.
public struct Refusal: Hashable, Sendable {
    /// Who.
    public let station: MACAddress
    /// Why.
    public let cause: RefusalCause
    /// When it was last refused for this.
    public internal(set) var last: Timestamp
    /// How often in all.
    public internal(set) var count: Int
}

/// The refused stations that are remembered, newest last.
struct RefusalList {
    let capacity: Int
    private(set) var entries: [Refusal] = []

    init(capacity: Int) { self.capacity = capacity }

    mutating func note(_ station: MACAddress, _ cause: RefusalCause, at now: Timestamp) {
        var refusal = Refusal(station: station, cause: cause, last: now, count: 0)
        if let index = entries.firstIndex(where: { $0.station == station && $0.cause == cause }) {
            refusal = entries.remove(at: index)
            refusal.last = now
        } else if entries.count >= capacity {
            entries.removeFirst()
        }
        if refusal.count < .max { refusal.count += 1 }
        entries.append(refusal)
    }

    /// A station is in: why it was refused before is nobody's question any more. (iwd asks for SAE's group 20 first.)
    mutating func forget(_ station: MACAddress) {
        entries.removeAll { $0.station == station }
    }
}
