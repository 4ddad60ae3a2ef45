import AccessPoint
import Authenticator
import IEEE80211
import NL80211
import Netlink
import SansIO
import Stations
import TestSupport
import WiFiCrypto
import WiFiSupplicant
import Wire

extension FuzzTarget {
    /// An access point: the kernel's answers and what it tells, frames, switches, links and the owner's wishes in any order.
    /// Whatever happened, it comes back when the kernel does as it is told, lets a phone in, and ends when it shall.
    static let accessPoint = FuzzTarget("accesspoint", longest: 2_048) { input in
        var run = try AccessPointRun(input)
        try run.play()
    }
}

private struct AccessPointRun: ~Copyable, FuzzClock {
    private static let ssids = ["box", "box2"].map { Array($0.utf8) }
    private static let passphrase = "correct horse"
    private static let pmks = ssids.map { try? KeyDerivation.psk(passphrase: passphrase, ssid: $0) }
    private static let phones = (0..<5 as Range<UInt64>).map { MACAddress(0x0200_0000_0100 + $0) }
    private static let newcomer = MACAddress(0x0200_0000_0200)
    private static let limit = 3
    private static let numbers: [ErrorNumber] = [
        .invalid, .notSupported, .busy, .already, .noDevice, .networkDown, .radioKilled, .notFound, .noLink, .exists,
        .noSpace, .noBuffers, .inputOutput, .tryAgain,
    ]

    private var script: FuzzScript
    private var accessPoint: AccessPoint
    private var kernel: AccessPointKernel
    private var output = AccessPointOutput()
    private var configuration: AccessPointConfiguration
    var now = Timestamp.zero + .seconds(1000)
    private(set) var wakeTime: Timestamp?

    /// What was asked and has no answer.
    private var requests: [(id: NetlinkRequestID, request: NetlinkRequest)] = []
    /// Those who were given a key since their entry was made.
    private var keyed: Set<MACAddress> = []
    private var isEAPOLOpen = false
    /// The interface that the network is to be prepared on, and whether it is.
    private var preparing: String?
    private var isPrepared = false
    /// The phones that know the passphrase, from their association on, and what was sent to them.
    private var supplicants: [MACAddress: Supplicant] = [:]
    private var eapol: [(MACAddress, [UInt8])] = []
    /// The last EAPOL frame and the last management frame that a phone sent.
    private var lastEAPOL: [UInt8] = []
    private var lastFrame: [UInt8] = []
    private var authorized: Set<MACAddress> = []
    private var isStopping = false
    private var hasStopped = false
    private var snapshots = 0

    init(_ input: [UInt8]) throws {
        var script = FuzzScript(input)
        let chip = script.element(of: AccessPointKernel.Chip.allCases)
        let configuration = Self.configuration(&script)
        self.script = script
        self.configuration = configuration
        kernel = AccessPointKernel(chip: chip)
        accessPoint = AccessPoint(configuration: configuration, generator: SharedNumbers())
    }

    private static func configuration(_ script: inout FuzzScript) -> AccessPointConfiguration {
        let form = script.byte()
        var configuration = AccessPointConfiguration(
            ssid: ssids[Int(form & 1)], passphrase: passphrase,
            security: [.transition, .wpa2, .wpa3, .transition][Int(form >> 1 & 3)],
            interface: form & 8 == 0 ? nil : "wlan0", country: form & 16 == 0 ? "DE" : nil,
            channel: [nil, 6, 36, 200][Int(form >> 5 & 3)])
        configuration.stationLimit = limit
        return configuration
    }

    mutating func play() throws {
        try handle(.start)
        while !script.isAtEnd {
            switch script.number(below: 13) {
            case 0, 1, 2: try answerRequests(1 + script.number(below: 8))
            case 3: try refuse()
            case 4: try tell()
            case 5: try happen(script.element(of: Self.phones))
            case 6, 7: try join(script.element(of: Self.phones), form: script.byte())
            case 8, 9: try exchange()
            case 10: try pass(.milliseconds(Int(script.uint16())), limit: 5_000)
            case 11: for frame in script.variants(of: lastFrame) { try hear(frame) }
            default: try wish()
            }
        }
        try recover()
        try stop()
    }

    // MARK: The kernel

    /// Does the first of what it is asked.
    private mutating func answerRequests(_ count: Int) throws {
        for _ in 0..<count {
            guard !requests.isEmpty else { break }
            let (id, request) = requests.removeFirst()
            try handle(.reply(id, kernel.carryOut(request)))
        }
        try prepare(true)
    }

    /// The network answers whether it is prepared.
    private mutating func prepare(_ isReady: Bool) throws {
        guard let interface = preparing else { return }
        preparing = nil
        isPrepared = isReady
        try handle(.prepared(interface: interface, isReady))
    }

    /// Does not do what it is asked, or answers something else.
    private mutating func refuse() throws {
        guard !requests.isEmpty else { return }
        let form = script.byte()
        let (id, request) = requests.remove(at: form & 1 == 0 ? 0 : requests.count - 1)
        switch form >> 1 & 7 {
        case 0: try handle(.reply(id, .failure(.answerLost)))
        case 1: try handle(.reply(id, .success(.done(cookie: UInt64(script.byte())))))
        case 2: try handle(.reply(id, .success(.interfaces([]))))
        case 3: try handle(.reply(id, .success(.wiphys([]))))
        case 4:
            // It did it, and the answer is lost.
            _ = kernel.carryOut(request)
            try handle(.reply(id, .failure(.timedOut)))
        default: try handle(.reply(id, AccessPointKernel.refused(script.element(of: Self.numbers))))
        }
    }

    /// Tells the first of what it has to tell.
    private mutating func tell() throws {
        guard !kernel.events.isEmpty else { return }
        try handle(.event(kernel.events.removeFirst()))
    }

    /// Something happens that nobody asked for.
    private mutating func happen(_ phone: MACAddress) throws {
        let interface = AccessPointKernel.interface
        switch script.number(below: 21) {
        case 0: try handle(.event(.newWiphy(index: 0, name: "phy0")))
        case 1: try handle(.event(.wiphyRemoved(index: UInt32(script.byte() & 1))))
        case 2:
            var changed = kernel.wirelessInterface
            if script.byte() & 1 == 0 { changed.type = .station }
            try handle(.event(.interface(changed)))
        case 3: try handle(.event(.interfaceRemoved(kernel.wirelessInterface)))
        case 4: kernel.stopBeacon()
        case 5: try handle(.event(.scanAborted(interface: interface)))
        case 6: try handle(.event(.regulatoryChange(alpha2: nil, wiphy: nil)))
        case 7: try handle(.event(.channelSwitched(interface: interface, frequency: 2412)))
        case 8: try handle(.event(.unexpectedFrame(interface: interface, from: phone)))
        case 9: try handle(.event(.stationRemoved(interface: interface, address: phone)))
        case 10:
            let flags: Link.Flags = script.byte() & 1 == 0 ? .up : []
            let name = script.byte() & 1 == 0 ? "wlan0" : "radio"
            try handle(.link(.link(Link(index: interface, name: name, flags: flags))))
        case 11: try handle(.link(.linkRemoved(Link(index: interface, name: "wlan0", flags: []))))
        case 12, 13:
            let form = script.byte()
            let one = NamedSwitch(
                index: 0, name: form & 4 == 0 ? "phy0" : "hci0", isSoftBlocked: form & 1 != 0,
                isHardBlocked: form & 2 != 0)
            try handle(.switches(form & 8 == 0 ? [one] : []))
        case 14: try handle(.eventsLost)
        case 15: try tellReport(.frameTransmitStatus, phone)
        case 16: try tellReport(.controlPortFrameTransmitStatus, phone)
        case 17: try prepare(false)
        case 19: try handle(.eapolFailed(reason: "the network is down"))
        case 18: try handle(.prepared(interface: script.byte() & 1 == 0 ? "wlan0" : "wlan1", false))
        default: try tellReport(.probeClient, phone)
        }
    }

    private mutating func tellReport(_ command: NL80211Command, _ phone: MACAddress) throws {
        let form = script.byte()
        try tell(command) { writer in
            writer.put(6, phone)
            writer.put(88, UInt64(form >> 1))
            if form & 1 == 0 { writer.putFlag(92) }
        }
    }

    /// An event of an interface, as the kernel writes it (linux/nl80211.h).
    private mutating func tell(_ command: NL80211Command, _ attributes: (inout NetlinkWriter) -> Void) throws {
        var writer = NetlinkWriter()
        writer.write(GenericHeader(command: command.rawValue, version: 1))
        writer.put(3, AccessPointKernel.interface)
        attributes(&writer)
        guard let event = NL80211Event(writer.bytes.span.bytes) else { throw FuzzFinding("an event can't be read") }
        try handle(.event(event))
    }

    // MARK: Phones

    /// A phone associates, or sends whatever.
    private mutating func join(_ phone: MACAddress, form: UInt8) throws {
        var security = ByteWriter()
        RSNElement(
            pairwise: [.ccmp], akms: [form & 1 == 0 ? .psk : .sae],
            capabilities: form & 2 == 0 ? .managementFrameProtectionCapable : []
        ).write(into: &security)
        supplicants[phone] = try? Supplicant(
            pmk: Self.pmks[configuration.ssid == Self.ssids[0] ? 0 : 1] ?? SecretBytes([]), keyManagement: .psk,
            station: phone, bss: AccessPointKernel.bss, elements: security.bytes,
            apElements: Self.security(of: kernel.beacon), usesManagementFrameProtection: form & 2 == 0,
            generator: SeededGenerator(seed: UInt64(form) + 3))
        guard kernel.chip == .softMAC else {
            if form & 4 == 0 { kernel.associate(phone, elements: form & 8 == 0 ? security.bytes : script.run()) }
            return
        }
        var writer = ByteWriter()
        AuthenticationFrame.write(
            algorithm: form & 4 == 0 ? .openSystem : .sae, transaction: 1, status: .success, into: &writer)
        if form & 4 != 0 { writer.write(bytes: script.run()) }
        try manage(.authentication, writer.bytes, from: phone)
        var elements = ByteWriter()
        elements.write(element: .ssid, body: configuration.ssid)
        elements.write(element: .supportedRates, body: [0x82, 0x84, 0x8B, 0x96, 12, 24, 48, 72])
        elements.write(element: .extendedSupportedRates, body: [18, 36, 96, 108])
        elements.write(bytes: security.bytes)
        var request = ByteWriter()
        AssociationRequest.write(
            capabilities: CapabilityInformation(rawValue: 0x0411), listenInterval: 10, elements: elements.bytes,
            into: &request)
        try manage(
            form & 16 == 0
                ? .associationRequest : ManagementSubtype(rawValue: form >> 4) ?? .action, request.bytes, from: phone)
    }

    /// RSNE and RSNXE of a beacon.
    private static func security(of beacon: AccessPointParameters?) -> [UInt8] {
        guard let tail = beacon?.beacon.tail else { return [] }
        var found: [UInt8] = []
        var place = 0
        while place + 2 <= tail.count {
            let end = min(tail.count, place + 2 + Int(tail[place + 1]))
            if tail[place] == 48 || tail[place] == 244 { found += tail[place..<end] }
            place = end
        }
        return found
    }

    private mutating func manage(_ subtype: ManagementSubtype, _ body: [UInt8], from phone: MACAddress) throws {
        var frame = ByteWriter()
        ManagementHeader(
            subtype: subtype, destination: AccessPointKernel.bss, source: phone, bss: AccessPointKernel.bss,
            sequenceControl: 0
        ).write(into: &frame)
        frame.write(bytes: body)
        lastFrame = frame.bytes
        try hear(lastFrame)
    }

    private mutating func hear(_ frame: [UInt8]) throws { try tell(.frame) { $0.put(51, frame) } }

    /// A phone hears the next EAPOL frame and answers it, or somebody says whatever.
    private mutating func exchange() throws {
        guard script.byte() & 3 != 0, !eapol.isEmpty else {
            let phone = script.element(of: Self.phones)
            let form = script.byte()
            guard form & 3 == 0 else { return try send(script.run(), from: phone, isEncrypted: form & 4 != 0) }
            for frame in script.variants(of: lastEAPOL) { try send(frame, from: phone, isEncrypted: form & 4 != 0) }
            return
        }
        try answerEAPOL()
    }

    private mutating func answerEAPOL() throws {
        let (address, frame) = eapol.removeFirst()
        var answers = SupplicantOutput()
        try supplicants[address]?.receive(frame.span.bytes, into: &answers)
        for answer in answers.frames { try send(answer.octets, from: address, isEncrypted: answer.isEncrypted) }
    }

    private mutating func send(_ frame: [UInt8], from phone: MACAddress, isEncrypted: Bool) throws {
        lastEAPOL = frame
        guard !isEAPOLOpen else { return try handle(.eapol(from: phone, frame)) }
        try tell(.controlPortFrame) { writer in
            writer.put(6, phone)
            writer.put(51, frame)
            if !isEncrypted { writer.putFlag(103) }
        }
    }

    // MARK: The owner

    private mutating func wish() throws {
        switch script.number(below: 6) {
        case 0: try handle(.start)
        case 1: try handle(.stop)
        case 2: try handle(.sendEveryoneOff)
        case 3:
            configuration.ssid = Self.ssids[configuration.ssid == Self.ssids[0] ? 1 : 0]
            try handle(.configure(configuration))
        case 4:
            configuration = Self.configuration(&script)
            try handle(.configure(configuration))
        default: try handle(.wake)
        }
    }

    // MARK: Afterwards

    /// From now on the kernel does as it is told, at once.
    private mutating func settle(_ duration: Duration, until isDone: (borrowing AccessPointRun) -> Bool) throws {
        let end = now + duration
        var steps = 0
        while !isDone(self) {
            steps += 1
            try always(steps < 20_000, "it asks without end")
            if !kernel.events.isEmpty {
                try tell()
            } else if !requests.isEmpty || preparing != nil {
                try answerRequests(1)
            } else if !eapol.isEmpty {
                try answerEAPOL()
            } else if let wakeTime, wakeTime <= end {
                now = max(now, wakeTime)
                try handle(.wake)
            } else {
                break
            }
        }
    }

    private var isUp: Bool { accessPoint.snapshot.state == .up }

    private mutating func recover() throws {
        try handle(.switches([]))
        var wanted = AccessPointConfiguration(
            ssid: Self.ssids[0], passphrase: Self.passphrase, security: .transition, country: "DE")
        wanted.stationLimit = Self.limit
        configuration = wanted
        try handle(.configure(wanted))
        // A stop that was under way, then a start.
        if isStopping, !hasStopped { try settle(.seconds(20)) { $0.hasStopped } }
        try handle(.start)
        try handle(.sendEveryoneOff)
        // The former access point stays until its phones have heard that it goes: who joins then has to join again.
        try settle(.seconds(1)) { _ in false }
        try settle(.seconds(120)) {
            $0.isUp && $0.kernel.beacon != nil && $0.requests.isEmpty && $0.kernel.events.isEmpty
        }
        try always(isUp && kernel.beacon?.ssid == wanted.ssid, "it does not come back")
        guard kernel.chip != .offloaded else { return }
        try join(Self.newcomer, form: 2)
        try settle(.seconds(10)) { $0.authorized.contains(Self.newcomer) && $0.requests.isEmpty }
        try always(kernel.stations[Self.newcomer] == true, "a phone that knows the passphrase does not get in")
    }

    private mutating func stop() throws {
        try handle(.stop)
        try settle(.seconds(10)) { $0.hasStopped && $0.requests.isEmpty }
        try always(hasStopped && wakeTime == nil, "it does not end")
        try always(kernel.beacon == nil, "it has ended, and beacons are sent")
    }

    mutating func wake() throws { try handle(.wake) }

    // MARK: What must hold

    private mutating func handle(_ input: borrowing AccessPointInput) throws {
        FuzzTarget.feed()
        switch copy input {
        case .start:
            if hasStopped { isStopping = false }
            if !isStopping { hasStopped = false }
        case .stop: isStopping = true
        case .configure, .sendEveryoneOff, .prepared, .reply, .event, .link, .switches, .eapol, .eapolFailed,
            .eventsLost,
            .wake:
            break
        }
        let wasStopped = hasStopped
        output.removeAll()
        wakeTime = accessPoint.handle(input, at: now, into: &output)
        if let wakeTime { try always(wakeTime > now, "it wants to be called in the past") }
        let wanted = output
        for event in wanted.events { try note(event) }
        for action in wanted.actions {
            if wasStopped, case .request = action { throw FuzzFinding("it has ended, and asks") }
            try follow(action)
        }
        snapshots &+= 1
        guard snapshots & 15 == 0 else { return }
        let snapshot = accessPoint.snapshot
        try always(snapshot.stations.count <= Self.limit || kernel.chip != .softMAC, "more stations than the limit")
        try always((snapshot.beacon != nil) == (snapshot.state == .up), "it is up, and there is no beacon")
        try always(snapshot.state == .stopped || wakeTime != nil, "it waits for nothing")
    }

    private mutating func note(_ event: AccessPointEvent) throws {
        switch event {
        case .stopped: hasStopped = true
        case .station(.authorized(let address, _)): authorized.insert(address)
        case .station(.left(let address, _)): authorized.remove(address)
        case .up, .down: authorized = []
        case .preparing(let interface):
            preparing = interface
            isPrepared = false
        case .station: break
        }
    }

    private mutating func follow(_ action: AccessPointAction) throws {
        switch action {
        case .request(let id, let request):
            if case .nl80211(let request) = request { try check(request) }
            requests.append((id, request))
            // Nobody answers those any more.
            if requests.count > 512 { requests.removeFirst() }
        case .openEAPOL(let interface):
            try always(interface == AccessPointKernel.interface && kernel.chip != .offloaded, "a socket for nothing")
            isEAPOLOpen = true
        case .closeEAPOL:
            try always(isEAPOLOpen, "a socket is closed that is not open")
            isEAPOLOpen = false
        case .sendEAPOL(let address, let frame):
            try always(isEAPOLOpen, "a frame for a socket that is not open")
            try keep(frame, for: address)
        // The sockets are new: nobody answers what was asked on those before.
        case .reopen: requests.removeAll()
        case .unblock: break
        }
    }

    private mutating func keep(_ frame: [UInt8], for address: MACAddress) throws {
        _ = try EAPOLKeyFrame(parsing: frame.span.bytes)
        eapol.append((address, frame))
        if eapol.count > 16 { eapol.removeFirst() }
    }

    private mutating func check(_ request: NL80211Request) throws {
        var writer = NetlinkWriter()
        request.encode(family: 28, sequence: 1, into: &writer)
        try always(!writer.isOverfull, "a request that fits in no message")
        switch request {
        case .startAccessPoint(let parameters):
            try always(parameters.ssid == configuration.ssid, "it begins under a name that is not valid any more")
            // Where the phones' frames are told to the box, it does not ask for them before.
            try always(
                isPrepared || kernel.chip == .softMAC, "it begins, and nothing keeps it apart from other networks")
            try always(parameters.isPrivate && !parameters.akms.isEmpty, "an open network")
            try always(!Self.security(of: parameters).isEmpty, "the beacon says nothing of security")
            let isOffloaded = parameters.pmk != nil || parameters.saePassword != nil
            try always(isOffloaded == (kernel.chip == .offloaded), "a chip that does no handshake is given the code")
            keyed = []
        case .newStation(let station):
            try always(kernel.chip == .softMAC, "the chip makes its entries itself")
            keyed.remove(station.address)
        case .newKey(let key):
            try always(kernel.chip != .offloaded && key.key.count == 16, "a key that can't be")
            if let station = key.station { keyed.insert(station) }
        case .setStation(let station):
            guard station.flags.contains(.authorized), kernel.chip != .offloaded else { return }
            try always(keyed.contains(station.address), "\(station.address) is authorized without a key")
        case .registerFrame:
            try always(isPrepared, "phones may come, and nothing keeps them apart from other networks")
        case .deleteStation(let removal): removal.address.map { _ = keyed.remove($0) }
        case .sendFrame(let parameters): _ = try ManagementFrame(parameters.frame.span.bytes)
        case .sendControlPortFrame(let parameters): try keep(parameters.frame, for: parameters.destination)
        case .getWiphys, .getInterfaces, .newInterface, .setInterface, .deleteInterface, .getRegulatory,
            .setRegulatory, .stopAccessPoint, .setBeacon, .setBSS, .getStation, .getStations, .setDefaultKey, .getKey,
            .deleteKey, .registerUnexpectedFrames, .triggerScan, .abortScan, .getScan, .getSurvey,
            .probeClient, .setPowerSave:
            break
        }
    }
}

/// One generator for all copies, as a seeded one must be.
private final class SharedNumbers: RandomNumberGenerator, @unchecked Sendable {
    private var generator = SeededGenerator(seed: 1)
    func next() -> UInt64 { generator.next() }
}
