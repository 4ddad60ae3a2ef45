import IEEE80211
import NL80211
import Netlink
import SansIO
import Stations
import Wire

/// The interface that the access point is on.
struct AccessInterface: Hashable, Sendable {
    var index: UInt32
    var name: String
    var address: MACAddress

    /// Nil for one that is no network device, or has no address.
    init?(_ interface: WirelessInterface) {
        guard let index = interface.index, let address = interface.macAddress else { return nil }
        self.index = index
        name = interface.name
        self.address = address
    }
}

/// The way from a machine in any state to beacons.
struct SetUp: Sendable {
    /// One request each, but for those that wait for an event.
    enum Step: Sendable, Equatable {
        case listRadios
        case listInterfaces
        case getRegulatory
        case setRegulatory
        /// Until the kernel tells of the new domain.
        case awaitRegulatory
        /// The same again, for channels under the new domain.
        case listRadiosAgain
        case getRegulatoryAgain
        case makeInterface
        case takeDown
        case setType
        case takeUp
        case triggerScan
        /// Until the scan is over.
        case awaitScan
        case readScan
        case readSurvey
        /// How many kinds of frames are registered.
        case register(Int)
        case startAP
        case setBSS
        /// Until a switch is where it should be.
        case awaitSwitch
        /// Until phones may come onto the interface.
        case awaitPreparation

        /// What it is, for a sentence that says what failed.
        var words: String {
            switch self {
            case .listRadios, .listRadiosAgain: "list the radios"
            case .listInterfaces: "list the interfaces"
            case .getRegulatory, .setRegulatory, .awaitRegulatory, .getRegulatoryAgain: "set the country"
            case .makeInterface: "make an interface"
            case .takeDown: "take the interface down"
            case .setType: "make the interface an access point"
            case .takeUp: "take the interface up"
            case .triggerScan, .awaitScan, .readScan, .readSurvey: "look for neighbours"
            case .register: "register for frames"
            case .startAP: "start the beacon"
            case .setBSS: "set the rates"
            case .awaitSwitch: "switch the radio on"
            case .awaitPreparation: "keep the Wi-Fi apart from other networks"
            }
        }
    }

    var step: Step
    /// When the step has taken too long.
    var deadline: Timestamp
    var radios: [Wiphy] = []
    var interfaces: [WirelessInterface] = []
    /// The radio that is taken.
    var radio: Wiphy?
    /// Its interface.
    var interface: AccessInterface?
    /// The country whose rules are in force.
    var country = "00"
    /// Whether they are those of the country that the box is in.
    var countryIsKnown = false
    var security: SecurityPlan?
    var plan: ChannelPlan?
    var neighbours: [Neighbour] = []
    var busy: [Int: Double] = [:]
    var channel: OperatingChannel?
    /// Whether what the step after this one waits for has been told already: the kernel may tell it before it answers.
    var hasHeard = false
    /// Whether the interface belongs to no bridge, as far as the kernel has told.
    var isAlone = true
    /// Whether phones may come onto the interface.
    var isPrepared = false
    /// Whether the beacon is on the air already.
    var isBeaconing = false
    /// Whether this is a rotation, with everything but the beacon in its place.
    var isRotation = false
}

/// An access point that is up.
struct Running: Sendable {
    let radio: Wiphy
    let interface: AccessInterface
    var name: String
    let channel: OperatingChannel
    let security: SecurityPlan
    var description: BSSDescription
    let country: String
    let countryIsKnown: Bool
    /// When the beacon began.
    let since: Timestamp
    /// Whether another beacon was stopped for it.
    let isRotated: Bool
    var stationsWake: Timestamp?
    var nextCheck: Timestamp
    /// Who was on when the present check asked the kernel for its stations.
    var checked: Set<MACAddress> = []
    /// A frame under way.
    enum Sent: Sendable {
        case frame(TransmissionID)
        case eapol(MACAddress)
    }

    /// Frames under way, by the driver's cookie.
    var cookies: [UInt64: Sent] = [:]
    /// Reports of frames whose cookie is not known yet: the report may overtake the answer that names it.
    var earlyReports: [(cookie: UInt64, acknowledged: Bool)] = []
    /// How often in a row another program has begun to look for networks by the interface, and when it last did.
    var strangeScans = (count: 0, last: Timestamp.zero)
    /// What the driver knew of stations at the last check.
    var information: [MACAddress: StationInfo] = [:]

    /// How long another program's look for networks is remembered.
    static let strangeScanMemory = Duration.seconds(60)
    /// How often it has to look until it is told of: once may be the owner's own wish.
    static let strangeScansTold = 2
    /// The most frames whose reports are awaited.
    static let maximumCookies = 1024
    /// The most reports that are kept for an answer to come.
    static let maximumEarlyReports = 32
}
