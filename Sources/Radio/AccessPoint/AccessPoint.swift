import IEEE80211
import NL80211
import Netlink
public import SansIO
import Stations
import WiFiCrypto
import Wire

/// From any state of the machine to a running access point, and back to it whenever something breaks.
///
/// It takes what the kernel tells and answers what to ask of it. What a chip can is known by what it reports, never by
/// its name. A step that fails, an interface, radio or driver that goes, a switch, an event that was lost: each leads
/// back to the beginning, where the machine's state is read anew, at once or after a growing wait.
public struct AccessPoint: ~Copyable {
    /// How long the kernel may take for one request.
    static let answerTimeout = Duration.seconds(5)
    /// How long a scan may take; afterwards a channel is chosen without.
    static let scanTimeout = Duration.seconds(6)
    /// How long the kernel may take to tell of a new regulatory domain.
    static let regulatoryTimeout = Duration.milliseconds(1500)
    /// After a radio or an interface has come, its driver is given this long to finish.
    static let settling = Duration.milliseconds(50)
    /// Without a radio, how long until it is looked for although nobody told of one.
    static let patience = Duration.seconds(15)
    /// How long it may take until phones may come onto the interface.
    static let preparationTimeout = Duration.seconds(20)
    /// Where they may not, this long until it is tried again.
    static let preparationPause = Duration.seconds(5)
    /// How long everyone's removal may take before the beacon stops.
    static let leavingTimeout = Duration.milliseconds(700)
    /// At least this often a running access point is checked, and its stations asked about.
    static let checkInterval = Duration.seconds(10)
    /// At how many of its addresses a station is asked whether it is there.
    static let maximumAddressesAsked = 4
    /// Failures in a row before another radio is tried, where there is one.
    static let failuresPerRadio = 3
    /// Interfaces of which it is remembered what they were.
    static let maximumOrigins = 32
    /// Answers awaited at one time, all stations together.
    static let maximumPending = 4096

    /// What it shall be.
    public private(set) var configuration: AccessPointConfiguration
    var generator: any RandomNumberGenerator & Sendable
    var phase = Phase.stopped
    /// Requests that have no answer yet.
    var pending: [NetlinkRequestID: Pending] = [:]
    private var nextRequest: UInt64 = 1
    var backoff = Backoff()
    var switches: [NamedSwitch] = []
    /// The switches under which an access point was up.
    var heeded: Set<UInt32> = []
    /// Whether somebody has switched one of those off, and none on since.
    var isWishedOff = false
    /// Whether a beacon may be sent before phones may come: not where they could not last time.
    var mayBeaconFirst = true
    /// Which radio is tried, where there are several.
    var radioTurn = 0
    /// How many radios there were to choose from.
    var candidateCount = 1
    /// How many of them could not, one after the other.
    var passedOver = 0
    /// What was chosen at the last start, so that coming back needs no scan.
    var lastChannel: (request: Int?, radio: String, channel: OperatingChannel)?
    /// What interfaces were before they were made access points, by their index.
    var origins: [UInt32: Origin] = [:]
    /// The widest channel that a radio took, by its name.
    var widthLimits: [String: ChannelWidth] = [:]
    /// The radio that announced SAE besides WPA2 and refused it.
    var withoutSAE: String?
    /// Why there is no access point at present.
    var failure: AccessPointTrouble?
    /// What is not as it should be, with an access point.
    var notes: [AccessPointTrouble] = []
    /// The pairwise master key of the passphrase, once it was needed.
    private var pmk: SecretBytes?
    /// How often it came up, and how often it then broke.
    public internal(set) var counters = AccessPointCounters()
    /// When the present attempt began.
    var attemptBegan = Timestamp.zero
    var isEAPOLSocketOpen = false
    /// Who is on it, while it runs.
    var stations: Stations?
    var stationsOutput = StationsOutput()

    /// Where it is.
    enum Phase: Sendable {
        /// Not wanted.
        case stopped
        /// For something to happen, or for a time.
        case waiting(until: Timestamp)
        /// On the way.
        case settingUp(SetUp)
        /// Beacons are sent.
        case running(Running)
        /// Everyone is being removed.
        case leaving(Running, LeavingReason, deadline: Timestamp)
    }

    /// Why everyone is being removed.
    enum LeavingReason: Sendable {
        /// Another passphrase or name is valid now.
        case rotation
        /// The owner wants something else that takes a new start.
        case restart
        /// The end.
        case stop
    }

    /// What an interface was before.
    enum Origin: Sendable {
        /// One of this type.
        case type(InterfaceType)
        /// It was not there: it was made here, and goes with the access point.
        case made
    }

    /// A request without answer.
    struct Pending: Sendable {
        var purpose: Purpose
        var deadline: Timestamp
    }

    /// What a request is for.
    enum Purpose: Sendable {
        /// The step of the way that is being taken.
        case step
        /// The group key with this index, without which the access point is broken.
        case groupKey(UInt8)
        /// Whether that is in place.
        case groupKeyLook
        /// One whose answer matters to nobody.
        case any
        case addStation(MACAddress)
        /// What a station has got to, which may be told twice.
        case flags(StationFlags, MACAddress)
        /// One without which a station can't stay: a driver that refuses its key would send to it unencrypted.
        case station(MACAddress)
        case frame(TransmissionID)
        case eapol(MACAddress)
        /// The packet number of a group key, and of the one for management frames besides.
        case groupSequence(gtkIndex: UInt8, igtkIndex: UInt8?)
        case managementSequence(gtkIndex: UInt8, gtk: UInt64)
        case checkInterface
        case checkStations
        /// The addresses of a station that shall be asked whether it is there.
        case addresses(MACAddress)
    }

    /// Makes an access point that is stopped.
    /// - Parameters:
    ///   - configuration: what it shall be.
    ///   - generator: must be cryptographically strong: keys come from it. Parts get copies, which must not repeat each
    ///     other's numbers: a seeded one must be a reference.
    public init(configuration: AccessPointConfiguration, generator: any RandomNumberGenerator & Sendable) {
        self.configuration = configuration
        self.generator = generator
    }

    /// Takes in what happened and says what to do about it.
    /// - Parameters:
    ///   - input: what happened.
    ///   - now: the present time.
    ///   - output: gets what to do and to tell.
    /// - Returns: when to call again with ``AccessPointInput/wake``, in place of what was asked for before; nil for never.
    public mutating func handle(
        _ input: borrowing AccessPointInput, at now: Timestamp, into output: inout AccessPointOutput
    ) -> Timestamp? {
        switch copy input {
        case .start: start(at: now, into: &output)
        case .stop: stop(at: now, into: &output)
        case .configure(let wanted): configure(wanted, at: now, into: &output)
        case .reply(let id, let reply): answer(id, reply, at: now, into: &output)
        case .event(let event): take(event, at: now, into: &output)
        case .link(let event): take(event, at: now, into: &output)
        case .switches(let switches): take(switches, at: now, into: &output)
        case .prepared(let interface, let isReady): prepared(interface, isReady, at: now, into: &output)
        case .eapolFailed(let reason): eapolFailed(reason, at: now, into: &output)
        case .eapol(let station, let frame):
            drive(.eapol(station, frame, wasEncrypted: nil), at: now, into: &output)
        case .sendEveryoneOff:
            if case .running(let running) = phase { leave(running, because: .rotation, at: now, into: &output) }
        case .eventsLost: eventsLost(at: now, into: &output)
        case .wake: break
        }
        expire(at: now, into: &output)
        return nextWake
    }

    private mutating func start(at now: Timestamp, into output: inout AccessPointOutput) {
        guard case .stopped = phase else { return }
        begin(at: now, into: &output)
    }

    private mutating func stop(at now: Timestamp, into output: inout AccessPointOutput) {
        switch phase {
        case .stopped: output.events.append(.stopped)
        case .waiting, .settingUp:
            for index in origins.keys.sorted() { leaveInterface(index, at: now, into: &output) }
            pending = [:]
            closeEAPOL(into: &output)
            phase = .stopped
            output.events.append(.stopped)
        case .running(let running):
            leave(running, because: .stop, at: now, into: &output)
        case .leaving(let running, _, let deadline):
            phase = .leaving(running, .stop, deadline: deadline)
        }
    }

    private mutating func configure(
        _ wanted: AccessPointConfiguration, at now: Timestamp, into output: inout AccessPointOutput
    ) {
        guard wanted != configuration else { return }
        var sameRadio = wanted
        sameRadio.ssid = configuration.ssid
        sameRadio.passphrase = configuration.passphrase
        let isRotation = sameRadio == configuration
        let hasOtherKey = wanted.ssid != configuration.ssid || wanted.passphrase != configuration.passphrase
        configuration = wanted
        if hasOtherKey { pmk = nil }
        switch phase {
        case .stopped: break
        case .settingUp(let setUp) where isRotation && setUp.isRotation:
            // Nobody is there yet to be told: the beacon begins with the newest name.
            restartBeacon(setUp, at: now, into: &output)
        case .waiting, .settingUp:
            backoff.reset()
            begin(at: now, into: &output)
        case .running(let running):
            leave(running, because: isRotation ? .rotation : .restart, at: now, into: &output)
        case .leaving(let running, let reason, let deadline):
            if case .rotation = reason, !isRotation { phase = .leaving(running, .restart, deadline: deadline) }
        }
    }

    /// The pairwise master key, which is thousands of hashes: where the handshakes are ours the beacon comes before it.
    /// - Returns: nil when OpenSSL failed.
    mutating func masterKey() -> SecretBytes? {
        if pmk == nil { pmk = try? KeyDerivation.psk(passphrase: configuration.passphrase, ssid: configuration.ssid) }
        return pmk
    }

    // MARK: Requests

    mutating func send(
        _ request: NetlinkRequest, for purpose: Purpose, timeout: Duration = AccessPoint.answerTimeout,
        at now: Timestamp,
        into output: inout AccessPointOutput
    ) {
        let id = NetlinkRequestID(rawValue: nextRequest)
        nextRequest &+= 1
        pending[id] = Pending(purpose: purpose, deadline: now + timeout)
        output.actions.append(.request(id, request))
    }

    private mutating func answer(
        _ id: NetlinkRequestID, _ reply: Result<NetlinkReply, NetlinkFailure>, at now: Timestamp,
        into output: inout AccessPointOutput
    ) {
        // An answer to a request of an attempt that is over.
        guard let request = pending.removeValue(forKey: id) else { return }
        switch request.purpose {
        case .step:
            // With the answer events are lost: that is told next, and begins anew.
            if case .failure(.answerLost) = reply { return }
            advance(reply, at: now, into: &output)
        case .groupKey, .groupKeyLook, .any, .addStation, .flags, .station, .frame, .eapol, .groupSequence,
            .managementSequence, .checkInterface, .checkStations, .addresses:
            answerRunning(request.purpose, reply, at: now, into: &output)
        }
    }

    // MARK: Time

    /// Does what is due.
    private mutating func expire(at now: Timestamp, into output: inout AccessPointOutput) {
        if let late = pending.first(where: { $0.value.deadline <= now }) {
            pending[late.key] = nil
            fail("the driver", "it did not answer in time", at: now, into: &output)
        }
        switch phase {
        case .stopped: break
        case .waiting(let until): if until <= now { begin(at: now, into: &output) }
        case .settingUp(let setUp): if setUp.deadline <= now { awaitedTooLong(at: now, into: &output) }
        case .running: tend(at: now, into: &output)
        case .leaving(_, _, let deadline):
            drive(.wake, at: now, into: &output)
            if deadline <= now { emptied(at: now, into: &output) }
        }
    }

    /// Whether it does nothing for its beacon at present: it is on the air, or waits for what others do.
    public var isSettled: Bool {
        switch phase {
        case .stopped, .waiting, .running, .leaving: true
        case .settingUp(let setUp): setUp.step == .awaitPreparation || setUp.step == .awaitScan
        }
    }

    private var nextWake: Timestamp? {
        let answer = pending.values.map(\.deadline).min()
        let own: Timestamp? =
            switch phase {
            case .stopped: nil
            case .waiting(let until): until
            case .settingUp(let setUp): setUp.deadline
            case .running(let running): min(running.nextCheck, running.stationsWake ?? running.nextCheck)
            case .leaving(let running, _, let deadline): min(deadline, running.stationsWake ?? deadline)
            }
        guard let answer, let own else { return answer ?? own }
        return min(answer, own)
    }

    // MARK: Failing

    /// Something does not work: what was begun is given up, and begun anew after a wait.
    mutating func fail(
        _ step: String, _ reason: String, at now: Timestamp, into output: inout AccessPointOutput
    ) {
        giveUp(.failed(step: step, reason: reason), wait: nil, at: now, into: &output)
    }

    /// Gives up what was begun, and waits.
    /// - Parameter wait: for how long; nil for as long as the failures before call for.
    mutating func giveUp(
        _ trouble: AccessPointTrouble, wait: Duration?, at now: Timestamp, into output: inout AccessPointOutput
    ) {
        switch phase {
        case .stopped: return
        case .waiting: break
        case .settingUp(let setUp):
            if setUp.isRotation { output.events.append(.down(trouble)) }
        case .running(let running):
            backoff.succeed(after: now - running.since)
            counters.breaks &+= 1
            output.events.append(.down(trouble))
        case .leaving(_, .stop, _):
            for index in origins.keys.sorted() { leaveInterface(index, at: now, into: &output) }
            pending = [:]
            closeEAPOL(into: &output)
            phase = .stopped
            output.events.append(.stopped)
            return
        case .leaving:
            output.events.append(.down(trouble))
        }
        endBeacon(at: now, into: &output)
        pending = [:]
        closeEAPOL(into: &output)
        failure = trouble
        // They were about an access point that is there.
        notes = []
        let pause = wait ?? backoff.fail()
        if wait == nil, backoff.failures % Self.failuresPerRadio == 0 { radioTurn &+= 1 }
        phase = .waiting(until: now + pause)
    }

    /// The kernel knows no family of this number any more, and will tell nothing by it. Each time that its Wi-Fi is loaded
    /// it gets another one (genl_register_family).
    mutating func familyIsGone(at now: Timestamp, into output: inout AccessPointOutput) {
        giveUp(.noRadio, wait: Self.patience, at: now, into: &output)
        // Otherwise it was about to end, and has.
        guard case .waiting = phase else { return }
        phase = .stopped
        output.actions.append(.reopen)
    }

    /// Takes a beacon off the air that is sent, or may be: where nobody minds it phones would stay on it, whatever keeps
    /// them apart from other networks. What is not there can't be stopped, which does no harm.
    mutating func endBeacon(at now: Timestamp, into output: inout AccessPointOutput) {
        let index: UInt32? =
            switch phase {
            case .stopped, .waiting: nil
            case .settingUp(let setUp):
                setUp.isBeaconing || setUp.isRotation || setUp.step == .startAP ? setUp.interface?.index : nil
            case .running(let running), .leaving(let running, _, _): running.interface.index
            }
        guard let index else { return }
        send(.nl80211(.stopAccessPoint(interface: index)), for: .any, at: now, into: &output)
    }

    /// Phones could not show that they know the passphrase: there is no use in a beacon.
    private mutating func eapolFailed(_ reason: String, at now: Timestamp, into output: inout AccessPointOutput) {
        guard isEAPOLSocketOpen else { return }
        isEAPOLSocketOpen = false
        fail("open the socket for handshakes", reason, at: now, into: &output)
    }

    mutating func closeEAPOL(into output: inout AccessPointOutput) {
        guard isEAPOLSocketOpen else { return }
        isEAPOLSocketOpen = false
        output.actions.append(.closeEAPOL)
    }
}

/// What an access point has done so far.
public struct AccessPointCounters: Hashable, Sendable {
    /// How often it came up.
    public internal(set) var starts: UInt64 = 0
    /// How often it broke while it was up.
    public internal(set) var breaks: UInt64 = 0
    /// How long the last start took, from its beginning to the first beacon.
    public internal(set) var lastStart: Duration = .zero
}
