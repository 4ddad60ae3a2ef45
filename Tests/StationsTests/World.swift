import Authenticator
import IEEE80211
import SAE
import SansIO
import Stations
import TestSupport
import Testing
import WiFiCrypto
import Wire

/// An access point and its phones in virtual time, with air in between that loses, doubles, delays and reorders.
final class World {
    /// How bad the air is.
    struct Air {
        /// Of a hundred attempts so many are lost.
        var loss = 0
        /// Of a hundred frames so many come twice.
        var duplication = 0
        /// The longest way, in microseconds; frames overtake each other.
        var delay = 500
    }

    enum Happening {
        case toAccessPoint([UInt8], key: SecretBytes?)
        case toPhone(MACAddress, [UInt8], key: SecretBytes?)
        case eapolToAccessPoint(MACAddress, [UInt8], key: SecretBytes?)
        case eapolToPhone(MACAddress, [UInt8], key: SecretBytes?)
        case added(MACAddress, Bool)
        case transmitted(TransmissionID, Bool)
        case probed(MACAddress, Bool)
        case timer(MACAddress, Int)
        case poll
        case act((World) -> Void)
    }

    static let bss = MACAddress(0x0200_0000_0001)
    static let ssid = "Kibitz-7Q4M"
    static let start = Timestamp(nanoseconds: 1_000_000_000)
    static let rsn = RSNElement(
        akms: [.psk, .sae], capabilities: [.managementFrameProtectionCapable, .sixteenPairwiseReplayCounters],
        groupManagement: .bipCMAC128)

    let seed: UInt64
    let kind: StationsConfiguration.Kind
    let limit: Int
    let limits: StationsLimits
    let canProbe: Bool
    var air: Air
    var stations: Stations
    var driver = VirtualDriver()
    var phones: [MACAddress: VirtualPhone] = [:]
    var lastHeard: [MACAddress: Timestamp] = [:]
    var events: [StationsEvent] = []
    var keepsEvents = true
    var now = start
    var passphrase: String
    var peakStations = 0
    private var pollInterval = Duration.seconds(20)
    /// Phones that no frame reaches, and none of whose frames arrives.
    var unreachable: Set<MACAddress> = []
    private let curve: P256
    private var generator: SeededGenerator
    private var queue = Queue()
    private var wake: Timestamp?
    private var output = StationsOutput()
    private var psks: [String: SecretBytes] = [:]

    init(
        seed: UInt64, kind: StationsConfiguration.Kind = .softMAC, air: Air = Air(), limit: Int = 32,
        canProbe: Bool = true,
        limits: StationsLimits = StationsLimits(), passphrase: String = "correct horse battery"
    ) throws {
        self.seed = seed
        self.kind = kind
        self.air = air
        self.limit = limit
        self.limits = limits
        self.canProbe = canProbe
        self.passphrase = passphrase
        curve = try P256()
        generator = SeededGenerator(seed: seed)
        let psk = try KeyDerivation.psk(passphrase: passphrase, ssid: Array(Self.ssid.utf8))
        psks[passphrase] = psk
        stations = try Self.makeStations(kind, passphrase, psk, limit, limits, canProbe: canProbe, seed: seed)
        give(.started)
    }

    private static func makeStations(
        _ kind: StationsConfiguration.Kind, _ passphrase: String, _ psk: SecretBytes, _ limit: Int,
        _ limits: StationsLimits, canProbe: Bool, seed: UInt64
    ) throws -> Stations {
        let channel = try #require(OperatingChannel(frequency: 2437, width: .mhz20))
        let description = BSSDescription(
            bss: bss, ssid: Array(ssid.utf8), channel: channel,
            rates: SupportedRates(
                hundredKilobits: [10, 20, 55, 110, 60, 90, 120, 180, 240, 360, 480, 540], band: .ghz2),
            country: nil, rsn: rsn, rsnExtension: RSNXElement(hashToElement: true),
            ht: HTCapabilities(
                information: 0x002C, ampduFactor: 3, ampduDensity: 0, mcsSet: [UInt8](repeating: 0xFF, count: 16)))
        return try Stations(
            configuration: StationsConfiguration(
                kind: kind, description: description, pmk: psk, password: SecretBytes(Array(passphrase.utf8)),
                limit: limit, answersProbeRequests: true, canProbe: canProbe, limits: limits),
            generator: SeededGenerator(seed: seed &+ 77))
    }

    // MARK: Phones

    @discardableResult
    func add(
        _ number: Int, _ habits: VirtualPhone.Habits = VirtualPhone.Habits(), passphrase: String? = nil
    ) throws -> MACAddress {
        let address = MACAddress(0x0200_0001_0000 + UInt64(number))
        let passphrase = passphrase ?? self.passphrase
        phones[address] = VirtualPhone(
            address, bss: Self.bss, passphrase: passphrase, psk: try psk(passphrase), beacon: Self.rsn, habits: habits,
            curve: curve, seed: seed &* 1000 &+ UInt64(number))
        return address
    }

    func psk(_ passphrase: String) throws -> SecretBytes {
        if let psk = psks[passphrase] { return psk }
        let psk = try KeyDerivation.psk(passphrase: passphrase, ssid: Array(Self.ssid.utf8))
        psks[passphrase] = psk
        return psk
    }

    func join(_ address: MACAddress) { with(address) { $0.join(at: $1) } }

    /// The person reads the passphrase from the panel.
    func tell(_ address: MACAddress, _ passphrase: String) throws {
        phones[address]?.passphrase = passphrase
        phones[address]?.psk = try psk(passphrase)
        phones[address]?.forgetKeys()
    }

    func leave(_ address: MACAddress) { with(address) { phone, _ in phone.leave() } }

    func with(_ address: MACAddress, _ body: (inout VirtualPhone, Timestamp) -> VirtualPhone.Outcome) {
        guard var phone = phones[address] else { return }
        let key = phone.mustBeProtected ? phone.key : nil
        let outcome = body(&phone, now)
        if outcome.wake != nil { phone.timer += 1 }
        phones[address] = phone
        for frame in outcome.frames { send(frame, from: address, key: key) }
        for frame in outcome.eapol {
            sendToAccessPoint(.eapolToAccessPoint(address, frame.octets, key: frame.isEncrypted ? phone.key : nil))
        }
        if let wake = outcome.wake { queue.push(now + wake, .timer(address, phone.timer)) }
    }

    private func send(_ frame: [UInt8], from address: MACAddress, key: SecretBytes?) {
        guard !unreachable.contains(address) else { return }
        if kind != .softMAC { return chipReceives(frame, from: address, key: key) }
        sendToAccessPoint(.toAccessPoint(frame, key: key))
    }

    private func sendToAccessPoint(_ happening: Happening) {
        guard attempt(4) else { return }
        queue.push(now + way(), happening)
        guard chance(air.duplication) else { return }
        // A repetition whose acknowledgement was lost.
        if case .toAccessPoint(var frame, let key) = happening {
            frame[1] |= FrameFlags.retry.rawValue
            queue.push(now + way(), .toAccessPoint(frame, key: key))
        } else {
            queue.push(now + way(), happening)
        }
    }

    func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }

    func random(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

    private func way() -> Duration { .microseconds(Int.random(in: 50...max(51, air.delay), using: &generator)) }

    private func attempt(_ count: Int) -> Bool { (0..<count).contains { _ in !chance(air.loss) } }

    // MARK: Time

    func run(for duration: Duration) {
        let end = now + duration
        while true {
            let next = min(queue.first ?? end, wake ?? end)
            guard next < end else { break }
            now = max(now, next)
            if let wake, wake <= now { give(.wake) }
            while let happening = queue.pop(at: now) { handle(happening) }
        }
        now = end
    }

    func at(_ duration: Duration, _ body: @escaping (World) -> Void) { queue.push(now + duration, .act(body)) }

    /// Has the driver's account of all stations read from now on.
    func startPolling(every interval: Duration = .seconds(20)) {
        pollInterval = interval
        queue.push(now, .poll)
    }

    private func handle(_ happening: Happening) {
        switch happening {
        case .toAccessPoint(let frame, let key): receive(frame, key: key)
        case .toPhone(let address, let frame, let key):
            // What is protected with another key is lost on the phone.
            guard let phone = phones[address], !phone.isOff, key == nil || key == phone.key,
                !unreachable.contains(address)
            else { return }
            with(address) { $0.receive(frame, isProtected: key != nil, at: $1) }
        case .eapolToAccessPoint(let address, let frame, let key):
            lastHeard[address] = now
            guard let entry = driver.entries[address], key == nil || key == entry.key else { return }
            give(.eapol(from: address, frame.span.bytes, wasEncrypted: key != nil))
        case .eapolToPhone(let address, let frame, let key):
            guard let phone = phones[address], key == nil || key == phone.key, !unreachable.contains(address) else {
                return
            }
            with(address) { $0.receiveEAPOL(frame, at: $1) }
        case .added(let address, let succeeded): give(.stationAdded(address, succeeded: succeeded))
        case .transmitted(let id, let acknowledged): give(.transmitted(id, acknowledged: acknowledged))
        case .probed(let address, let acknowledged): give(.probed(address, acknowledged: acknowledged))
        case .timer(let address, let timer):
            guard let phone = phones[address], phone.timer == timer else { return }
            if case .connected(_, nil) = phone.state { data(address) }
            with(address) { $0.wake(at: $1) }
        case .poll:
            for address in driver.entries.keys.sorted() where driver.entries[address]?.isAuthorized == true {
                let inactive = now - (lastHeard[address] ?? now)
                give(.activity(address, inactive: inactive, signal: -50))
            }
            queue.push(now + pollInterval, .poll)
        case .act(let body): body(self)
        }
    }

    private func receive(_ frame: [UInt8], key: SecretBytes?) {
        guard let header = try? ManagementFrame(frame.span.bytes).header else { return }
        lastHeard[header.source] = now
        let isProtected = header.flags.contains(.protected)
        if let entry = driver.entries[header.source], entry.station.usesMFP, entry.key != nil {
            switch header.subtype {
            // As mac80211: robust frames of such a station pass only when its key fits.
            case .deauthentication, .disassociation, .action:
                guard isProtected, key == entry.key else { return }
            default: break
            }
        } else if isProtected {
            return
        }
        give(.managementFrame(frame.span.bytes, signal: -60))
    }

    /// A phone sends data.
    private func data(_ address: MACAddress) {
        guard attempt(4), !unreachable.contains(address) else { return }
        lastHeard[address] = now
        guard driver.entries[address] == nil else { return }
        // A chip that associates by itself answers this by itself too.
        kind == .softMAC ? give(.unexpectedFrame(from: address)) : chipSendsAway(address, .notAssociated)
    }

    // MARK: What a full-MAC chip does by itself

    private func chipReceives(_ frame: [UInt8], from address: MACAddress, key: SecretBytes?) {
        guard attempt(4), let parsed = try? ManagementFrame(frame.span.bytes) else { return }
        lastHeard[address] = now
        func answer(_ subtype: ManagementSubtype, _ body: (inout ByteWriter) -> Void) {
            var writer = ByteWriter()
            ManagementHeader(subtype: subtype, destination: address, source: Self.bss, bss: Self.bss).write(
                into: &writer)
            body(&writer)
            queue.push(now + way(), .toPhone(address, writer.bytes, key: nil))
        }
        switch parsed.header.subtype {
        case .authentication:
            answer(.authentication) {
                AuthenticationFrame.write(algorithm: .openSystem, transaction: 2, status: .success, into: &$0)
            }
        case .associationRequest, .reassociationRequest:
            guard let request = try? AssociationRequest(body: parsed.body, isReassociation: false) else { return }
            driver.chipAssociates(
                NewStation(
                    address: address, aid: 0, capabilities: [], listenInterval: 1, rates: [2], hasWMM: false,
                    uapsdQueues: 0, maximumServicePeriod: 0, usesMFP: false))
            answer(.associationResponse) {
                AssociationResponse.write(
                    capabilities: .ess, status: .success, aid: 1, elements: [] as [UInt8], into: &$0)
            }
            let elements = request.elements.copied
            at(.milliseconds(2)) { $0.give(.associated(address, elements: elements.span.bytes)) }
        case .deauthentication:
            driver.remove(address)
            give(.removed(address))
        default: break
        }
    }

    private func chipSendsAway(_ address: MACAddress, _ reason: ReasonCode) {
        guard attempt(4) else { return }
        var writer = ByteWriter()
        ManagementHeader(subtype: .deauthentication, destination: address, source: Self.bss, bss: Self.bss)
            .write(into: &writer)
        Deauthentication(reason: reason).write(into: &writer)
        queue.push(now + way(), .toPhone(address, writer.bytes, key: nil))
    }

    // MARK: The access point

    func give(_ input: borrowing StationsInput) {
        wake = stations.handle(input, at: now, into: &output)
        peakStations = max(peakStations, stations.count)
        let actions = output.actions
        if keepsEvents { events += output.events }
        output.removeAll()
        for action in actions { carryOut(action) }
    }

    private func carryOut(_ action: StationsAction) {
        switch action {
        case .transmit(let frame, let id, let isBestEffort): transmit(frame, id, isBestEffort: isBestEffort)
        case .sendEAPOL(let address, let frame, let isEncrypted):
            guard let entry = driver.entries[address] else {
                return driver.problem("EAPOL for \(address), which has no entry")
            }
            if isEncrypted, entry.key == nil { driver.problem("EAPOL for \(address) encrypted without a key") }
            guard attempt(4) else { return }
            let happening = Happening.eapolToPhone(address, frame, key: isEncrypted ? entry.key : nil)
            queue.push(now + way(), happening)
            if chance(air.duplication) { queue.push(now + way(), happening) }
        case .addStation(let station):
            let succeeded = driver.add(station)
            queue.push(now + .microseconds(80), .added(station.address, succeeded))
        case .associate(let address): driver.associate(address)
        case .installPairwise(let address, let key, let cipher):
            if cipher != .ccmp { driver.problem("\(address) gets a key for \(cipher)") }
            driver.install(key, address)
        case .authorize(let address):
            driver.authorize(address)
            lastHeard[address] = now
        case .removeStation(let address, let reason):
            if kind != .softMAC, driver.entries[address] != nil { chipSendsAway(address, reason) }
            driver.remove(address)
        case .probe(let address):
            let isThere = (phones[address].map { !$0.isOff } ?? false) && !unreachable.contains(address)
            let isHeard = isThere && attempt(4)
            if isHeard { lastHeard[address] = now }
            queue.push(now + (phones[address]?.habits.doze ?? .milliseconds(10)), .probed(address, isHeard))
        case .installGroup(let keys): driver.installGroup(keys)
        case .readGroupSequences(let gtk, let igtk):
            // Each index counts in a way of its own, so that a mistaken one shows.
            give(
                .groupSequences(
                    gtkIndex: gtk, gtk: UInt64(gtk) * 1000 + UInt64(driver.groupInstallations),
                    igtk: UInt64(igtk ?? 0) * 1000))
        case .setProtection: break
        }
    }

    private func transmit(_ frame: [UInt8], _ id: TransmissionID?, isBestEffort: Bool) {
        guard let header = try? ManagementFrame(frame.span.bytes).header else {
            return driver.problem("a frame that can't be read is sent")
        }
        guard !header.destination.isGroup else { return }
        let address = header.destination
        var key: SecretBytes?
        switch header.subtype {
        case .deauthentication, .disassociation, .action:
            if let entry = driver.entries[address], entry.station.usesMFP { key = entry.key }
        default: break
        }
        let isThere = (phones[address].map { !$0.isOff } ?? false) && !unreachable.contains(address)
        let isDelivered = isThere && attempt(isBestEffort ? 1 : 4)
        if isDelivered {
            queue.push(now + way(), .toPhone(address, frame, key: key))
            if chance(air.duplication) { queue.push(now + way(), .toPhone(address, frame, key: key)) }
        }
        // The last acknowledgement may be lost too.
        if let id { queue.push(now + .microseconds(600), .transmitted(id, isDelivered && !chance(air.loss / 4))) }
    }

    /// Everyone out, then the same BSS with another passphrase.
    func rotate(to passphrase: String) throws {
        give(.removeAll(.leaving))
        let deadline = now + .seconds(1)
        while !events.contains(.emptied), now < deadline { run(for: .milliseconds(10)) }
        if !events.contains(.emptied) { driver.problem("not everyone was out within a second") }
        if !driver.entries.isEmpty { driver.problem("entries are left after everyone went") }
        events.removeAll { $0 == .emptied }
        self.passphrase = passphrase
        // What is on its way to the old one is lost with it.
        queue.removeReports()
        driver = VirtualDriver(keeping: driver)
        generator = SeededGenerator(seed: generator.next())
        stations = try Self.makeStations(
            kind, passphrase, try psk(passphrase), limit, limits, canProbe: canProbe, seed: generator.next())
        wake = nil
        give(.started)
    }

    // MARK: Verdicts

    /// Whether a phone and the access point agree that it is on.
    func isOn(_ address: MACAddress) -> Bool {
        guard let phone = phones[address], phone.isConnected, let entry = driver.entries[address] else { return false }
        return entry.isAuthorized && entry.key == phone.key
            && stations.reports.contains { $0.address == address && $0.state == .authorized }
    }

    func causes(of address: MACAddress) -> Set<RefusalCause> {
        Set(stations.refusals.filter { $0.station == address }.map(\.cause))
    }

    /// Whether somebody was refused for lack of a place, and there is none since.
    var isFull: Bool { stations.isFull }

    func count(_ event: StationsEvent) -> Int { events.count { $0 == event } }
}

extension VirtualDriver {
    /// A BSS that is started anew: no entries; what went wrong is kept.
    init(keeping old: VirtualDriver) {
        self.init()
        capacity = old.capacity
        for problem in old.problems { self.problem(problem) }
    }
}

/// What is to happen, by time and then by the order in which it was said.
struct Queue {
    private var heap: [(time: Timestamp, number: Int, happening: World.Happening)] = []
    private var number = 0

    var first: Timestamp? { heap.first?.time }

    mutating func push(_ time: Timestamp, _ happening: World.Happening) {
        number += 1
        heap.append((time, number, happening))
        var index = heap.count - 1
        while index > 0, isBefore(index, (index - 1) / 2) {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func pop(at now: Timestamp) -> World.Happening? {
        guard let first = heap.first, first.time <= now else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first.happening }
        heap[0] = last
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count && isBefore(child, least) {
                least = child
            }
            guard least != index else { break }
            heap.swapAt(index, least)
            index = least
        }
        return first.happening
    }

    /// Forgets what the driver was about to report.
    mutating func removeReports() {
        let kept = heap.filter {
            switch $0.happening {
            case .added, .transmitted, .probed: false
            default: true
            }
        }.sorted { ($0.time, $0.number) < ($1.time, $1.number) }
        heap = kept
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        (heap[left].time, heap[left].number) < (heap[right].time, heap[right].number)
    }
}
