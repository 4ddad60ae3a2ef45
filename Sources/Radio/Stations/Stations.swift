import Authenticator
import IEEE80211
import SAE
public import SansIO
public import WiFiCrypto
import Wire

/// Who is on the access point: authentication, association, handshakes, limits and leave-taking of all stations, from
/// the first beacon on (IEEE 802.11-2020, 11.3, 11.13, 12.6, 12.7).
///
/// One value keeps the stations of one BSS with one passphrase. Another passphrase is another value: nothing of the old
/// one, no key and no half-done handshake, can come over.
public struct Stations: ~Copyable {
    /// What has been done so far.
    public internal(set) var counters = StationsCounters()
    let configuration: StationsConfiguration
    let policy: AssociationPolicy
    let template: BeaconTemplate
    var generator: SourceOfNumbers
    var stations: [MACAddress: Station] = [:]
    /// Those that authenticated and have yet to associate.
    var authentications: [MACAddress: Authenticated] = [:]
    var aids: Set<UInt16> = []
    var sae: SAEAuthenticator?
    var saeOutput = SAEOutput()
    var saeWake: Timestamp?
    var handshakeOutput = HandshakeOutput()
    var groupKeys: GroupKeyring
    var refusalList: RefusalList
    private var refusalEvents: TokenBucket?
    var probeResponses: TokenBucket?
    var unexpectedFrameAnswers: TokenBucket?
    private var lastTransmission: UInt64 = 0
    /// Whether a station was refused because there was no place for it, and there is none since.
    public private(set) var isFull = false
    /// Until when a chip that said that it is full is taken at its word, unless a place becomes free.
    private var chipIsFullUntil: Timestamp?
    private var protection = Protection()
    private var admission = Admission.beforeStart

    /// What the beacon says of stations that others must be warned for.
    struct Protection: Equatable {
        var hasNonERPStations = false
        var hasNonHTStations = false
    }

    /// Whether anybody may come in.
    enum Admission {
        case beforeStart
        case open
        /// Everyone must go; entries left by then are removed without waiting for the driver.
        case emptying(ReasonCode, until: Timestamp)
        case empty
    }

    /// Makes the stations of a BSS that has none yet.
    /// - Parameters:
    ///   - configuration: the BSS, its passphrase and its limits.
    ///   - generator: must be cryptographically strong: nonces and group keys come from it.
    /// - Throws: when the cryptographic library fails.
    public init(
        configuration: StationsConfiguration, generator: any RandomNumberGenerator & Sendable
    ) throws(WiFiCryptoError) {
        var sae: SAEAuthenticator?
        if let password = configuration.password, configuration.kind == .softMAC {
            sae = try SAEAuthenticator(
                password: password, ssid: configuration.description.ssid, bss: configuration.description.bss,
                generator: generator)
        }
        self.init(configuration: configuration, sae: sae, generator: SourceOfNumbers(base: generator))
    }

    private init(configuration: StationsConfiguration, sae: SAEAuthenticator?, generator: SourceOfNumbers) {
        var generator = generator
        self.configuration = configuration
        self.sae = sae
        policy = AssociationPolicy(description: configuration.description)
        template = BeaconTemplate(configuration.description)
        groupKeys = GroupKeyring(
            current: .fresh(
                usesManagementFrameProtection: configuration.description.rsn.capabilities
                    .contains(.managementFrameProtectionCapable), using: &generator))
        refusalList = RefusalList(capacity: configuration.limits.maximumRefusals)
        self.generator = generator
    }

    /// The most that may be on at once.
    public var limit: Int { configuration.limit }

    /// How many are on while nobody else may: fewer than ``limit`` where the chip holds fewer than it said.
    public var places: Int { chipIsFullUntil == nil ? limit : min(count, limit) }

    /// How many stations are on or on their way.
    public var count: Int { stations.count }

    /// How many have shown that they know the passphrase.
    public var authorizedCount: Int { stations.values.count { $0.isAuthorized } }

    /// How many have authenticated and have yet to associate.
    public var pendingAuthenticationCount: Int { authentications.count }

    /// The stations, by their address.
    public var reports: [StationReport] {
        stations.values.map(StationReport.init).sorted { $0.address < $1.address }
    }

    /// Stations that were refused, the newest last.
    public var refusals: [Refusal] { refusalList.entries }

    /// Takes in what happened and says what to do about it.
    /// - Parameters:
    ///   - input: what happened.
    ///   - now: the present time.
    ///   - output: what to do is appended to it.
    /// - Returns: when to call again with ``StationsInput/wake`` if nothing happens before, or nil if there is no need.
    public mutating func handle(
        _ input: borrowing StationsInput, at now: Timestamp, into output: inout StationsOutput
    ) -> Timestamp? {
        let former = stations.count
        switch input {
        case .started: start(at: now, into: &output)
        case .managementFrame(let bytes, let signal): receive(bytes, signal: signal, at: now, into: &output)
        case .unexpectedFrame(let address): answerUnexpectedFrame(of: address, at: now, into: &output)
        case .associated(let address, let elements):
            chipAssociated(address, elements: elements, at: now, into: &output)
        case .removed(let address): chipRemoved(address, at: now, into: &output)
        case .refusedByChip(let address, let isFull):
            if isFull { chipIsFullUntil = now + configuration.limits.chipIsFullTime }
            refuse(address, isFull ? .full : .blocked, at: now, into: &output)
        case .eapol(let address, let bytes, let wasEncrypted):
            receiveEAPOL(bytes, from: address, wasEncrypted: wasEncrypted, at: now, into: &output)
        case .eapolAcknowledged(let address): eapolAcknowledged(address, at: now, into: &output)
        case .groupSequences(let index, let gtk, let igtk):
            groupKeys.reached(gtkIndex: index, gtk: gtk, igtk: igtk)
        case .stationAdded(let address, let succeeded):
            added(address, succeeded: succeeded, at: now, into: &output)
        case .transmitted(let id, let acknowledged):
            transmitted(id, acknowledged: acknowledged, at: now, into: &output)
        case .probed(let address, let acknowledged):
            if acknowledged { heard(address, inactive: .zero, at: now) }
        case .activity(let address, let inactive, let signal):
            if let signal { stations[address]?.signal = signal }
            heard(address, inactive: inactive, at: now)
        case .sendAllAway(let reason): sendAllAway(reason, at: now, into: &output)
        case .removeAll(let reason): removeAll(reason, at: now, into: &output)
        case .rekey: startGroupRekey(at: now, into: &output)
        case .wake: break
        }
        // After the input: what it answers is not repeated only because it came as the time was up.
        sweep(at: now, into: &output)
        if stations.count != former { chipIsFullUntil = nil }
        settle(at: now, into: &output)
        return deadline
    }

    /// Whether anybody may come in.
    var isOpen: Bool {
        if case .open = admission { true } else { false }
    }

    private mutating func start(at now: Timestamp, into output: inout StationsOutput) {
        guard case .beforeStart = admission else { return }
        admission = .open
        guard configuration.kind != .offloaded else { return }
        output.actions.append(.installGroup(groupKeys.current))
        groupKeys.next = now + configuration.limits.groupRekeyInterval
    }

    // MARK: Frames

    private mutating func receive(
        _ bytes: RawSpan, signal: Int?, at now: Timestamp, into output: inout StationsOutput
    ) {
        guard isOpen, configuration.kind == .softMAC else { return }
        guard let frame = try? ManagementFrame(bytes) else { return counters.malformedFrames += 1 }
        let header = frame.header
        let bss = configuration.description.bss
        // A group has no station's frames to send, and neither have we.
        guard !header.source.isGroup, header.source != bss else { return }
        if header.subtype == .probeRequest {
            return answerProbe(frame.body, header, at: now, into: &output)
        }
        guard header.destination == bss, header.bss == bss else { return }
        if let signal { stations[header.source]?.signal = signal }
        switch header.subtype {
        case .authentication: authenticate(frame.body, header, at: now, into: &output)
        case .associationRequest, .reassociationRequest:
            associate(frame.body, header, signal: signal, at: now, into: &output)
        case .deauthentication, .disassociation: receiveLeave(frame.body, header, at: now, into: &output)
        case .action: receiveAction(frame.body, header, at: now, into: &output)
        case .associationResponse, .reassociationResponse, .probeRequest, .probeResponse, .timingAdvertisement,
            .reserved7, .beacon, .atim, .actionNoAcknowledgement, .reserved15:
            break
        }
    }

    /// Sends a management frame to a station.
    /// - Returns: its identifier, when a report was wanted.
    @discardableResult
    mutating func send(
        _ subtype: ManagementSubtype, to station: MACAddress, wantsReport: Bool = false, isBestEffort: Bool = false,
        into output: inout StationsOutput, body: (inout ByteWriter) -> Void
    ) -> TransmissionID {
        var writer = ByteWriter(capacity: 256)
        let bss = configuration.description.bss
        ManagementHeader(subtype: subtype, destination: station, source: bss, bss: bss).write(into: &writer)
        body(&writer)
        lastTransmission &+= 1
        let id = TransmissionID(rawValue: lastTransmission)
        output.actions.append(
            .transmit(frame: writer.bytes, id: wantsReport ? id : nil, isBestEffort: isBestEffort))
        return id
    }

    // MARK: Refusals

    /// Remembers and tells that a station was refused.
    mutating func refuse(
        _ station: MACAddress, _ cause: RefusalCause, at now: Timestamp, into output: inout StationsOutput
    ) {
        counters.refusals[cause.label, default: 0] += 1
        refusalList.note(station, cause, at: now)
        let rate = configuration.limits.refusalEventsPerSecond
        var bucket = refusalEvents ?? TokenBucket(rate: rate, burst: rate * 10, now: now)
        if bucket.take(at: now) { output.events.append(.refused(station, cause)) }
        refusalEvents = bucket
        if cause == .full, !isFull {
            isFull = true
            output.events.append(.full)
        }
    }

    // MARK: Time

    /// Does what is due.
    private mutating func sweep(at now: Timestamp, into output: inout StationsOutput) {
        if let saeWake, saeWake <= now { wakeSAE(at: now, into: &output) }
        if authentications.values.contains(where: { $0.since + configuration.limits.authenticationLifetime <= now }) {
            authentications = authentications.filter {
                $0.value.since + configuration.limits.authenticationLifetime > now
            }
        }
        // By address, so that a run can be repeated.
        let due = stations.values.filter { $0.deadline <= now }.sorted { $0.address < $1.address }
        for station in due where stations[station.address] === station {
            sweep(station, at: now, into: &output)
        }
        if let next = groupKeys.next, next <= now { startGroupRekey(at: now, into: &output) }
        if case .emptying(let reason, let until) = admission, until <= now {
            for station in stations.values.sorted(by: { $0.address < $1.address }) {
                drop(station, reason, into: &output)
            }
        }
    }

    private mutating func sweep(_ station: Station, at now: Timestamp, into output: inout StationsOutput) {
        switch station.phase {
        case .adding(let until) where until <= now:
            refuse(station.address, .driver, at: now, into: &output)
            return takeBack(station, .unspecified, at: now, into: &output)
        case .answering(_, let until) where until <= now:
            // Not every driver reports every frame. Whether the station heard it shows in the handshake.
            return startHandshake(station, at: now, into: &output)
        case .handshaking(let until) where until <= now:
            return endHandshake(station, .handshakeTimeout, .fourWayHandshakeTimeout, at: now, into: &output)
        case .leaving(_, let reason, let until) where until <= now:
            return drop(station, reason, into: &output)
        case .adding, .answering, .handshaking, .leaving: break
        case .authorized(let akm, let silence):
            if silence.next <= now { checkSilence(station, akm, silence, at: now, into: &output) }
        }
        guard stations[station.address] === station else { return }
        if let wake = station.handshakeWake, wake <= now { wakeHandshake(station, at: now, into: &output) }
        guard stations[station.address] === station else { return }
        if let query = station.securityQuery, query.next <= now {
            continueSecurityQuery(station, query, at: now, into: &output)
        }
    }

    /// Brings in line what follows from who is on.
    private mutating func settle(at now: Timestamp, into output: inout StationsOutput) {
        if let until = chipIsFullUntil, until <= now { chipIsFullUntil = nil }
        if stations.count < configuration.limit, chipIsFullUntil == nil { isFull = false }
        finishGroupRekeyIfDone(at: now, into: &output)
        var wanted = Protection()
        for station in stations.values where station.isAuthorized {
            if configuration.description.channel.band == .ghz2, !station.elements.rates.hasOFDM {
                wanted.hasNonERPStations = true
            }
            if configuration.description.usesHT, station.elements.ht == nil { wanted.hasNonHTStations = true }
        }
        if wanted != protection, isOpen, configuration.kind == .softMAC {
            protection = wanted
            output.actions.append(
                .setProtection(
                    hasNonERPStations: wanted.hasNonERPStations, hasNonHTStations: wanted.hasNonHTStations))
        }
        if case .emptying = admission, stations.isEmpty {
            admission = .empty
            output.events.append(.emptied)
        }
    }

    private var deadline: Timestamp? {
        var deadline: Timestamp?
        func sooner(_ time: Timestamp) { deadline = min(deadline ?? time, time) }
        for station in stations.values { sooner(station.deadline) }
        for authentication in authentications.values {
            sooner(authentication.since + configuration.limits.authenticationLifetime)
        }
        if let saeWake { sooner(saeWake) }
        if let next = groupKeys.next { sooner(next) }
        if let chipIsFullUntil { sooner(chipIsFullUntil) }
        if case .emptying(_, let until) = admission { sooner(until) }
        return deadline
    }

    // MARK: Everyone

    private mutating func sendAllAway(_ reason: ReasonCode, at now: Timestamp, into output: inout StationsOutput) {
        for station in stations.values.sorted(by: { $0.address < $1.address }) {
            if station.isAuthorized { output.events.append(.left(station.address, .everyone(reason))) }
            sendAway(station, reason, at: now, into: &output)
        }
    }

    private mutating func removeAll(_ reason: ReasonCode, at now: Timestamp, into output: inout StationsOutput) {
        switch admission {
        case .emptying, .empty: return
        case .beforeStart, .open: break
        }
        admission = .emptying(reason, until: now + configuration.limits.emptyingTimeout)
        authentications.removeAll()
        sae = nil
        saeWake = nil
        groupKeys.close()
        sendAllAway(reason, at: now, into: &output)
        // Those that doze hear what is sent to all.
        if configuration.kind == .softMAC {
            send(.deauthentication, to: .broadcast, isBestEffort: true, into: &output) {
                Deauthentication(reason: reason).write(into: &$0)
            }
        }
    }
}

/// The generator that was passed, as a value of one known type, for functions that are generic over it.
struct SourceOfNumbers: RandomNumberGenerator, Sendable {
    var base: any RandomNumberGenerator & Sendable

    mutating func next() -> UInt64 { base.next() }
}

/// What ``Stations`` has done so far.
public struct StationsCounters: Hashable, Sendable {
    /// Handshakes that ended well.
    public internal(set) var authorized = 0
    /// Refusals, by ``RefusalCause/label``.
    public internal(set) var refusals: [String: Int] = [:]
    /// Frames that could not be read.
    public internal(set) var malformedFrames = 0
    /// EAPOL frames of stations that have no handshake.
    public internal(set) var strayEAPOLFrames = 0
    /// Probe requests that were answered.
    public internal(set) var probeResponses = 0
    /// Changes of the group keys.
    public internal(set) var groupRekeys = 0
    /// Stations removed for their silence.
    public internal(set) var silent = 0
}
