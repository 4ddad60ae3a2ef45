import Authenticator
public import IEEE80211
import SAE
public import SansIO
import WiFiCrypto
public import Wire

/// One station, from the association request on.
final class Station {
    /// Where it is on its way.
    enum Phase {
        /// The driver is making its entry.
        case adding(until: Timestamp)
        /// The association response is on its way.
        case answering(TransmissionID, until: Timestamp)
        /// The 4-way handshake is going on.
        case handshaking(until: Timestamp)
        /// Its data passes.
        case authorized(AKMSuite, Silence)
        /// It was told to go; its entry goes when the frame is sent.
        case leaving(TransmissionID, ReasonCode, until: Timestamp)
    }

    /// How long it was not heard, and what was done about it.
    struct Silence {
        /// When it was last heard.
        var lastHeard: Timestamp
        /// Questions without an answer.
        var probes = 0
        /// When to look again.
        var next: Timestamp
    }

    /// An SA Query that goes on (IEEE 802.11-2020, 11.13).
    struct SecurityQuery {
        let started: Timestamp
        let ends: Timestamp
        var next: Timestamp
        /// The questions' transactions; each may be answered.
        var transactions: Set<UInt16>
    }

    let address: MACAddress
    let aid: UInt16
    let joined: Timestamp
    let elements: StationElements
    let listenInterval: UInt16
    let capabilities: CapabilityInformation
    let agreement: Agreement
    let authentication: Authenticated.Method
    /// Whether the response to be sent is one to a reassociation.
    let isReassociation: Bool
    /// The request's sequence control, by which its repetitions are known.
    let sequenceControl: UInt16?
    var phase: Phase
    var signal: Int?
    var handshake: PairwiseAuthenticator?
    /// When the handshake wants to be called.
    var handshakeWake: Timestamp?
    /// The group keys that it has or will get, by their number.
    var groupGeneration = 0
    /// Whether the group key handshake that goes on only asks whether it is there.
    var isAskedByGroupKeys = false
    var securityQuery: SecurityQuery?

    init(
        address: MACAddress, aid: UInt16, at now: Timestamp, request: Request, agreement: Agreement,
        authentication: Authenticated.Method, phase: Phase
    ) {
        self.address = address
        self.aid = aid
        joined = now
        elements = request.elements
        listenInterval = request.listenInterval
        capabilities = request.capabilities
        isReassociation = request.isReassociation
        sequenceControl = request.sequenceControl
        signal = request.signal
        self.agreement = agreement
        self.authentication = authentication
        self.phase = phase
    }

    /// What counts of an association request.
    struct Request {
        var elements: StationElements
        var listenInterval: UInt16 = 0
        var capabilities: CapabilityInformation = []
        var isReassociation = false
        var sequenceControl: UInt16?
        var signal: Int?
    }

    /// Whether its place may be given to another: it has not shown that it knows the passphrase.
    var isHalfOpen: Bool {
        switch phase {
        case .adding, .answering, .handshaking: true
        case .authorized, .leaving: false
        }
    }

    var isAuthorized: Bool {
        if case .authorized = phase { true } else { false }
    }

    /// When something about it is due.
    var deadline: Timestamp {
        var deadline: Timestamp
        switch phase {
        case .adding(let until), .answering(_, let until), .handshaking(let until), .leaving(_, _, let until):
            deadline = until
        case .authorized(_, let silence): deadline = silence.next
        }
        if let handshakeWake { deadline = min(deadline, handshakeWake) }
        if let securityQuery { deadline = min(deadline, securityQuery.next) }
        return deadline
    }
}

/// A station that authenticated and has yet to associate.
struct Authenticated {
    /// How it did.
    enum Method {
        /// It didn't show anything yet.
        case open
        /// By SAE, which gave a key of its own.
        case sae(pmk: SecretBytes, pmkid: [UInt8], by: SAEMethod)

        /// Whether it has shown that it knows the password.
        var isProof: Bool {
            switch self {
            case .open: false
            case .sae: true
            }
        }
    }

    var method: Method
    var since: Timestamp
}

/// A station as it is told to people.
public struct StationReport: Hashable, Sendable {
    /// Where it is on its way.
    public enum State: Hashable, Sendable {
        /// It associates, or its handshake is going on.
        case joining
        /// Its data passes.
        case authorized
        /// It was told to go.
        case leaving
    }

    /// Its address.
    public let address: MACAddress
    /// Its number; 0 where the chip gives them.
    public let aid: UInt16
    /// Where it is on its way.
    public let state: State
    /// How it shows that it knows the passphrase.
    public let akm: AKMSuite
    /// Whether management frames are protected.
    public let usesMFP: Bool
    /// Signal in dBm, where it is known.
    public let signal: Int?
    /// When it associated.
    public let since: Timestamp
}

extension StationReport {
    init(_ station: Station) {
        address = station.address
        aid = station.aid
        state =
            switch station.phase {
            case .adding, .answering, .handshaking: .joining
            case .authorized: .authorized
            case .leaving: .leaving
            }
        akm = station.agreement.akm
        usesMFP = station.agreement.usesMFP
        signal = station.signal
        since = station.joined
    }
}
