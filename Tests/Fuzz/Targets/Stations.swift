import Authenticator
import IEEE80211
import SansIO
import Stations
import TestSupport
import WiFiCrypto
import WiFiSupplicant
import Wire

extension FuzzTarget {
    /// The stations of an access point: management frames, EAPOL frames and a driver's answers in any order.
    static let stations = FuzzTarget("stations", longest: 768) { input in
        var run = try StationsRun(input)
        try run.play()
    }
}

private struct StationsRun: ~Copyable, FuzzClock {
    private static let bss = MACAddress(0x0200_0000_0001)
    private static let pmk = SecretBytes([UInt8](repeating: 7, count: 32))
    private static let limit = 3
    private static let phones = (0..<5 as Range<UInt64>).map { MACAddress(0x0200_0000_0100 + $0) }

    private var script: FuzzScript
    private var stations: Stations
    private var output = StationsOutput()
    var now = Timestamp.zero + .seconds(1000)
    private(set) var wakeTime: Timestamp?
    private let kind: StationsConfiguration.Kind
    private let beacon: [UInt8]

    /// The driver's stations, with their AIDs, and those that have a key.
    private var entries: [MACAddress: UInt16] = [:]
    private var keyed: Set<MACAddress> = []
    /// What the driver has yet to answer.
    private var adding: [MACAddress] = []
    private var sending: [TransmissionID] = []
    private var probing: [MACAddress] = []
    /// The phones that know the passphrase, from their association on, and what was sent to them.
    private var supplicants: [MACAddress: Supplicant] = [:]
    private var eapol: [(MACAddress, [UInt8])] = []
    private var isEmptied = false

    init(_ input: [UInt8]) throws {
        var script = FuzzScript(input)
        let form = script.byte()
        let kind: StationsConfiguration.Kind = [.softMAC, .fullMAC, .offloaded, .softMAC][Int(form & 3)]
        let usesSAE = form & 4 != 0
        let rsn = RSNElement(
            pairwise: [.ccmp], akms: usesSAE ? [.psk, .sae] : [.psk, .pskSHA256],
            capabilities: form & 8 == 0 ? .managementFrameProtectionCapable : [],
            groupManagement: form & 8 == 0 ? .bipCMAC128 : nil)
        guard let channel = OperatingChannel(frequency: 2437, width: .mhz20) else {
            throw FuzzFinding("channel 6 is none")
        }
        let description = BSSDescription(
            bss: Self.bss, ssid: Array("box".utf8), channel: channel,
            rates: SupportedRates(hundredKilobits: [10, 20, 55, 110, 60, 120, 240], band: .ghz2), country: nil,
            rsn: rsn,
            rsnExtension: usesSAE ? RSNXElement(hashToElement: true) : nil,
            ht: HTCapabilities(
                information: 0x002C, ampduFactor: 3, ampduDensity: 0, mcsSet: [UInt8](repeating: 0xFF, count: 16)))
        var writer = ByteWriter()
        rsn.write(into: &writer)
        description.rsnExtension?.write(into: &writer)
        let stations = try Stations(
            configuration: StationsConfiguration(
                kind: kind, description: description, pmk: Self.pmk,
                password: usesSAE ? SecretBytes(Array("password".utf8)) : nil, limit: Self.limit,
                answersProbeRequests: form & 16 == 0),
            generator: SeededGenerator(seed: 1))
        self.script = script
        self.kind = kind
        beacon = writer.bytes
        self.stations = stations
    }

    mutating func play() throws {
        try handle(.started)
        while !script.isAtEnd {
            let phone = script.element(of: Self.phones)
            switch script.number(below: 10) {
            case 0: try manage(.authentication, authentication(), from: phone)
            case 1, 2: try associate(phone)
            case 3: try manage(ManagementSubtype(rawValue: script.byte() & 15) ?? .action, script.run(), from: phone)
            case 4: try manageRaw(script.run())
            case 5, 6: try answer()
            case 7: try exchange()
            case 8: try pass(.milliseconds(Int(script.uint16()) * 2), limit: 5_000)
            default: try upheaval(phone)
            }
        }
        try handle(.removeAll(.leaving))
        try pass(.seconds(1), limit: 5_000)
        try always(isEmptied && stations.count == 0 && entries.isEmpty, "somebody stays though everyone must go")
    }

    // MARK: What happens

    private mutating func manage(_ subtype: ManagementSubtype, _ body: [UInt8], from phone: MACAddress) throws {
        var writer = ByteWriter()
        let form = script.byte()
        ManagementHeader(
            subtype: subtype, flags: form & 1 == 0 ? [] : FrameFlags(rawValue: form),
            destination: form & 2 == 0 ? Self.bss : .broadcast, source: phone,
            bss: form & 4 == 0 ? Self.bss : .broadcast, sequenceControl: UInt16(form)
        ).write(into: &writer)
        writer.write(bytes: body)
        try manageRaw(writer.bytes)
    }

    private mutating func manageRaw(_ frame: [UInt8]) throws {
        try handle(.managementFrame(frame.span.bytes, signal: -40))
    }

    private mutating func authentication() -> [UInt8] {
        var writer = ByteWriter()
        AuthenticationFrame.write(
            algorithm: AuthenticationAlgorithm(rawValue: script.element(of: [0, 0, 3, 1])),
            transaction: UInt16(script.number(below: 4)),
            status: StatusCode(rawValue: script.element(of: [0, 0, 126])),
            rest: script.run(), into: &writer)
        return writer.bytes
    }

    private mutating func associate(_ phone: MACAddress) throws {
        let form = script.byte()
        if form & 1 == 0 {
            // With open-system authentication in front, so that a fuzzer need not find both in a row.
            var writer = ByteWriter()
            AuthenticationFrame.write(algorithm: .openSystem, transaction: 1, status: .success, into: &writer)
            try manage(.authentication, writer.bytes, from: phone)
        }
        var security = ByteWriter()
        RSNElement(
            pairwise: [form & 2 == 0 ? .ccmp : CipherSuite(rawValue: script.uint32())],
            akms: [script.element(of: [.psk, .psk, .pskSHA256, .sae])],
            capabilities: form & 4 == 0
                ? .managementFrameProtectionCapable : RSNCapabilities(rawValue: script.uint16()),
            pmkids: form & 8 == 0 ? [] : [[UInt8](repeating: script.byte(), count: 16)]
        ).write(into: &security)
        var elements = ByteWriter()
        elements.write(element: .ssid, body: Array((form & 16 == 0 ? "box" : "other").utf8))
        elements.write(element: .supportedRates, body: [0x82, 0x84, 0x8B, 0x96])
        if form & 32 == 0 { elements.write(bytes: security.bytes) }
        if form & 64 != 0 { elements.write(bytes: script.run()) }
        let bytes = elements.bytes
        supplicants[phone] = try? Supplicant(
            pmk: Self.pmk, keyManagement: .psk, station: phone, bss: Self.bss, elements: security.bytes,
            apElements: beacon, usesManagementFrameProtection: script.byte() & 1 == 0,
            generator: SeededGenerator(seed: 3))
        guard kind == .softMAC else {
            entries[phone] = 0
            return try handle(.associated(phone, elements: bytes.span.bytes))
        }
        var request = ByteWriter()
        AssociationRequest.write(
            capabilities: CapabilityInformation(rawValue: 0x0411), listenInterval: 10, elements: bytes, into: &request)
        try manage(form & 128 == 0 ? .associationRequest : .reassociationRequest, request.bytes, from: phone)
    }

    /// The driver answers something.
    private mutating func answer() throws {
        let isGood = script.byte() & 7 != 0
        switch script.number(below: 3) {
        case 0:
            guard !adding.isEmpty else { return }
            let address = adding.removeFirst()
            if !isGood { entries[address] = nil }
            try handle(.stationAdded(address, succeeded: isGood))
        case 1:
            guard !sending.isEmpty else { return }
            try handle(.transmitted(sending.removeFirst(), acknowledged: isGood))
        default:
            guard !probing.isEmpty else { return }
            try handle(.probed(probing.removeFirst(), acknowledged: isGood))
        }
    }

    /// A phone hears the next EAPOL frame and answers it, or somebody says whatever.
    private mutating func exchange() throws {
        let form = script.byte()
        guard form & 3 != 0, !eapol.isEmpty else {
            let frame = script.run()
            return try handle(
                .eapol(
                    from: script.element(of: Self.phones), frame.span.bytes, wasEncrypted: form & 4 == 0 ? nil : true))
        }
        let (address, frame) = eapol.removeFirst()
        var answers = SupplicantOutput()
        try supplicants[address]?.receive(frame.span.bytes, into: &answers)
        for answer in answers.frames {
            let octets = answer.octets
            try handle(.eapol(from: address, octets.span.bytes, wasEncrypted: answer.isEncrypted))
        }
    }

    private mutating func upheaval(_ phone: MACAddress) throws {
        switch script.number(below: 9) {
        case 0:
            if kind != .softMAC {
                entries[phone] = nil
                keyed.remove(phone)
            }
            try handle(.removed(phone))
        case 1: try handle(.activity(phone, inactive: .seconds(Int(script.byte())), signal: nil))
        case 2: try handle(.rekey)
        case 3: try handle(.unexpectedFrame(from: phone))
        case 4: try handle(.eapolAcknowledged(phone))
        case 5:
            try handle(
                .groupSequences(
                    gtkIndex: 1 + script.byte() & 1, gtk: UInt64(script.uint32()), igtk: UInt64(script.uint32())))
        case 6: try handle(.stationAdded(phone, succeeded: script.byte() & 1 == 0))
        case 7: try handle(.sendAllAway(.leaving))
        default: if script.byte() == 0 { try handle(.removeAll(.leaving)) }
        }
    }

    mutating func wake() throws { try handle(.wake) }

    // MARK: What must hold

    private mutating func handle(_ input: borrowing StationsInput) throws {
        FuzzTarget.feed()
        output.removeAll()
        wakeTime = stations.handle(input, at: now, into: &output)
        if let wakeTime { try always(wakeTime > now, "it wants to be called in the past") }
        for action in output.actions { try follow(action) }
        for event in output.events {
            switch event {
            case .emptied:
                try always(!isEmptied, "everyone is gone twice")
                isEmptied = true
            case .authorized, .joined: try always(!isEmptied, "somebody came in though everyone had to go")
            case .left, .refused, .full: break
            }
        }
        try always(stations.count <= Self.limit || kind != .softMAC, "more stations than the limit")
        try always(stations.reports.count == stations.count, "a station is not reported")
        try always(stations.authorizedCount <= stations.count, "more are authorized than there are")
    }

    private mutating func follow(_ action: StationsAction) throws {
        switch action {
        case .transmit(let frame, let id, _):
            _ = try ManagementFrame(frame.span.bytes)
            if let id { sending.append(id) }
            if sending.count > 16 { sending.removeFirst() }
        case .sendEAPOL(let address, let frame, _):
            _ = try EAPOLKeyFrame(parsing: frame.span.bytes)
            eapol.append((address, frame))
            if eapol.count > 16 { eapol.removeFirst() }
        case .addStation(let station):
            try always(kind == .softMAC, "the chip makes its entries itself")
            try always(entries[station.address] == nil, "\(station.address) is added twice")
            try always(!entries.values.contains(station.aid), "an AID is given twice")
            try always((1...2007).contains(station.aid), "no such AID")
            try always((1...32).contains(station.rates.count), "the kernel does not take so many rates")
            entries[station.address] = station.aid
            adding.append(station.address)
            try always(entries.count <= Self.limit, "more entries than the limit")
        case .associate(let address):
            try always(entries[address] != nil, "\(address) is associated and has no entry")
        case .installPairwise(let address, let key, _):
            try always(entries[address] != nil, "\(address) gets a key and has no entry")
            try always(key.count == 16, "a key of another length")
            keyed.insert(address)
        case .authorize(let address):
            try always(entries[address] != nil && keyed.contains(address), "\(address) is authorized without a key")
        case .removeStation(let address, _):
            entries[address] = nil
            keyed.remove(address)
            adding.removeAll { $0 == address }
        case .probe(let address):
            if probing.count < 16 { probing.append(address) }
        case .installGroup, .readGroupSequences, .setProtection: break
        }
    }
}
