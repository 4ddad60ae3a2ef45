public import Authenticator
public import IEEE80211
public import WiFiCrypto
public import Wire

/// Names a frame that was sent, in the report of what became of it.
public struct TransmissionID: RawRepresentable, Hashable, Sendable {
    /// A number of its own.
    public let rawValue: UInt64

    /// Makes an identifier of its number.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// Something that happens to ``Stations``.
public enum StationsInput: ~Escapable {
    /// The BSS runs: beacons are sent.
    case started
    /// A management frame from its frame control, without check sequence; soft-MAC only.
    /// - signal: in dBm, where it is known.
    case managementFrame(RawSpan, signal: Int?)
    /// The chip associated a station by itself; not for soft-MAC.
    /// - elements: those of the association request.
    case associated(MACAddress, elements: RawSpan)
    /// The chip removed a station, or reports that it left; not for soft-MAC, whose kernel reports our own removals.
    case removed(MACAddress)
    /// The chip refused a station by itself, as `NL80211_CMD_CONN_FAILED` reports.
    /// - isFull: whether it holds no more; else it keeps this one out.
    case refusedByChip(MACAddress, isFull: Bool)
    /// A data frame of somebody who is not on, as `NL80211_CMD_UNEXPECTED_FRAME` reports; soft-MAC only. A station that
    /// was removed while it slept doesn't know it, and would go on talking into the void.
    case unexpectedFrame(from: MACAddress)
    /// An EAPOL frame, from the 802.1X header.
    /// - wasEncrypted: whether it was encrypted on the air, where that is known.
    case eapol(from: MACAddress, RawSpan, wasEncrypted: Bool?)
    /// The station acknowledged the EAPOL frame that was sent to it last; where the driver doesn't tell, this never comes.
    case eapolAcknowledged(MACAddress)
    /// The packet numbers that group keys have reached, the answer to
    /// ``StationsAction/readGroupSequences(gtkIndex:igtkIndex:)``; its index tells of which keys.
    case groupSequences(gtkIndex: UInt8, gtk: UInt64, igtk: UInt64)
    /// What came of ``StationsAction/addStation(_:)``.
    case stationAdded(MACAddress, succeeded: Bool)
    /// What became of a frame that was sent with an identifier.
    case transmitted(TransmissionID, acknowledged: Bool)
    /// What came of ``StationsAction/probe(_:)``.
    case probed(MACAddress, acknowledged: Bool)
    /// The driver's own account of a station.
    /// - inactive: for how long it has not been heard.
    /// - signal: in dBm, where it is known.
    case activity(MACAddress, inactive: Duration, signal: Int?)
    /// Everyone must go, and may come back at once: their addresses changed, for one.
    case sendAllAway(ReasonCode)
    /// Everyone must go, and nobody comes in any more: the passphrase is no longer valid, or the access point ends.
    case removeAll(ReasonCode)
    /// Group keys must change now.
    case rekey
    /// The time that ``Stations/handle(_:at:into:)`` asked for has come.
    case wake
}

/// A station's entry that the driver must make.
public struct NewStation: Hashable, Sendable {
    /// Its address.
    public var address: MACAddress
    /// Its number, 1 to 2007.
    public var aid: UInt16
    /// What it said of itself.
    public var capabilities: CapabilityInformation
    /// After how many beacons it listens again at the latest.
    public var listenInterval: UInt16
    /// Its rates, as they are on the air: at least one, at most 32.
    public var rates: [UInt8]
    /// Its extended capabilities, if it sent any.
    public var extendedCapabilities: [UInt8]?
    /// Its HT capabilities, 26 octets, when both ends use HT.
    public var ht: [UInt8]?
    /// Its VHT capabilities, 12 octets, when both ends use VHT.
    public var vht: [UInt8]?
    /// Its HE capabilities, well-formed, when both ends use HE.
    public var he: [UInt8]?
    /// Whether it speaks WMM.
    public var hasWMM: Bool
    /// The queues it fetches by trigger, a bit each.
    public var uapsdQueues: UInt8
    /// How many frames it takes for one trigger: 0 for all, else 1 to 3 for 2, 4 and 6.
    public var maximumServicePeriod: UInt8
    /// Whether management frames are protected.
    public var usesMFP: Bool

    /// Makes an entry.
    public init(
        address: MACAddress, aid: UInt16, capabilities: CapabilityInformation, listenInterval: UInt16, rates: [UInt8],
        extendedCapabilities: [UInt8]? = nil, ht: [UInt8]? = nil, vht: [UInt8]? = nil, he: [UInt8]? = nil,
        hasWMM: Bool, uapsdQueues: UInt8, maximumServicePeriod: UInt8, usesMFP: Bool
    ) {
        self.address = address
        self.aid = aid
        self.capabilities = capabilities
        self.listenInterval = listenInterval
        self.rates = rates
        self.extendedCapabilities = extendedCapabilities
        self.ht = ht
        self.vht = vht
        self.he = he
        self.hasWMM = hasWMM
        self.uapsdQueues = uapsdQueues
        self.maximumServicePeriod = maximumServicePeriod
        self.usesMFP = usesMFP
    }
}

/// Something that must be done, in the order in which it is said.
public enum StationsAction: Sendable {
    /// Send a management frame.
    /// - frame: from its frame control on.
    /// - id: when not nil, what became of it is reported as ``StationsInput/transmitted(_:acknowledged:)``.
    /// - isBestEffort: it needs no acknowledgement and no repetition.
    case transmit(frame: [UInt8], id: TransmissionID?, isBestEffort: Bool)
    /// Send an EAPOL frame by the control port, from the 802.1X header on.
    /// - isEncrypted: whether the pairwise key protects it.
    case sendEAPOL(to: MACAddress, [UInt8], isEncrypted: Bool)
    /// Make a station's entry, authenticated and not yet associated, then answer with
    /// ``StationsInput/stationAdded(_:succeeded:)``.
    case addStation(NewStation)
    /// Mark a station as associated.
    case associate(MACAddress)
    /// Give the driver a station's temporal key: index 0, its packet numbers at zero.
    case installPairwise(MACAddress, key: SecretBytes, cipher: CipherSuite)
    /// Let a station's data pass.
    case authorize(MACAddress)
    /// Remove a station's entry with its keys. A chip that associates by itself tells the station too.
    case removeStation(MACAddress, ReasonCode)
    /// Ask a station whether it is there, then answer with ``StationsInput/probed(_:acknowledged:)``, or with
    /// ``StationsInput/activity(_:inactive:signal:)`` where its answer shows only in that.
    case probe(MACAddress)
    /// Give the driver the group keys and use them from now on.
    case installGroup(GroupKeys)
    /// Read the packet numbers that the group keys of these indices have reached, and answer with
    /// ``StationsInput/groupSequences(gtkIndex:gtk:igtk:)``; where the driver can't tell, don't. A station that joins is told them,
    /// so that nothing that was sent before can be replayed to it.
    case readGroupSequences(gtkIndex: UInt8, igtkIndex: UInt8?)
    /// Say in the beacon whether stations are on that know only 802.11b, or no HT.
    case setProtection(hasNonERPStations: Bool, hasNonHTStations: Bool)
}

/// Something to be told.
public enum StationsEvent: Hashable, Sendable {
    /// A station is associated; its handshake comes now.
    case joined(MACAddress)
    /// A station has shown that it knows the passphrase; its data passes.
    case authorized(MACAddress, AKMSuite)
    /// A station that was authorized is gone.
    case left(MACAddress, Departure)
    /// A station was refused. Of many in a short time only some are told.
    case refused(MACAddress, RefusalCause)
    /// Every place is taken, and one more would have come in; told once until a place is free.
    case full
    /// Everyone is gone after ``StationsInput/removeAll(_:)``, and nobody comes in any more.
    case emptied
}

/// Why a station is gone.
public enum Departure: Hashable, Sendable {
    /// It said so.
    case stationLeft(ReasonCode)
    /// It was silent for too long.
    case silence
    /// A later handshake failed: it did not take the new group keys, for one.
    case handshakeFailed(HandshakeFailure)
    /// It associated anew.
    case reassociation
    /// It no longer has its keys: it did not answer an SA Query.
    case securityAssociationLost
    /// Everyone had to go.
    case everyone(ReasonCode)
    /// The chip removed it.
    case chip
}

extension Departure: CustomStringConvertible {
    /// Why, as the end of a sentence: "is off the Wi-Fi: …".
    public var description: String {
        switch self {
        case .stationLeft(let reason): "it said goodbye, \(reason)"
        case .silence: "it was silent for too long"
        case .handshakeFailed: "it did not take new keys"
        case .reassociation: "it joins anew"
        case .securityAssociationLost: "it has lost its keys"
        case .everyone: "everyone had to go"
        case .chip: "the radio let it go"
        }
    }
}

/// What ``Stations`` wants done. One value is used again and again: empty it before each input.
public struct StationsOutput: Sendable {
    /// What to do, in this order.
    public internal(set) var actions: [StationsAction] = []
    /// What to tell.
    public internal(set) var events: [StationsEvent] = []

    /// Makes an empty output.
    public init() {}

    /// Empties the output and keeps its memory.
    public mutating func removeAll() {
        actions.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
    }
}
