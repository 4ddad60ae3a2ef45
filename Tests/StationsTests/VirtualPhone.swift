import Authenticator
import IEEE80211
import SAE
import SAEClient
import SansIO
import TestSupport
import WiFiCrypto
import WiFiSupplicant
import Wire

/// A phone: it authenticates, associates and shakes hands as phones do, and comes back when it is thrown out.
struct VirtualPhone {
    /// What it has in mind.
    struct Habits {
        var akm = AKMSuite.psk
        var method = SAEMethod.hashToElement
        var usesMFP = false
        /// Whether it names the key of an earlier visit and skips SAE.
        var remembersKeys = false
        var cipher = CipherSuite.ccmp
        var hasHT = true
        var rates: [UInt8] = [0x82, 0x84, 0x8B, 0x96, 12, 18, 24, 36, 48, 72, 96, 108]
        /// Whether it answers the handshake's messages.
        var answersHandshake = true
        /// How often it sends data.
        var trafficInterval = Duration.seconds(10)
        /// How long it dozes before it answers a probe.
        var doze = Duration.milliseconds(100)
    }

    enum State {
        case off
        case waiting
        case authenticating(SAEClient?, tries: Int)
        case associating(tries: Int)
        case handshaking(Supplicant)
        case connected(Supplicant, query: UInt16?)
    }

    /// What it wants sent, and when to wake it.
    struct Outcome {
        var frames: [[UInt8]] = []
        var eapol: [(octets: [UInt8], isEncrypted: Bool)] = []
        var wake: Duration?
    }

    let address: MACAddress
    let bss: MACAddress
    var habits: Habits
    var passphrase: String
    /// The pairwise master key of its passphrase, by WPA2.
    var psk: SecretBytes
    let beacon: RSNElement
    let curve: P256
    var state = State.off
    /// Says in its request that it speaks hash-to-element, whatever it did.
    var saysHashToElement = false
    /// Cancels older timers.
    var timer = 0
    var statuses: [StatusCode: Int] = [:]
    var reasons: [ReasonCode: Int] = [:]
    var connections = 0
    /// The packet numbers from which group keys count on, by index.
    var groupSequences: [UInt8: UInt64] = [:]
    /// The longest time from wanting in to being in.
    var longestWait = Duration.zero
    private var waitingSince: Timestamp?
    private var pmk: SecretBytes?
    private var cached: (pmk: SecretBytes, pmkid: [UInt8])?
    private var usesCached = false
    private var sequence: UInt16 = 0
    private var generator: SeededGenerator

    init(
        _ address: MACAddress, bss: MACAddress, passphrase: String, psk: SecretBytes, beacon: RSNElement,
        habits: Habits,
        curve: P256, seed: UInt64
    ) {
        self.address = address
        self.bss = bss
        self.passphrase = passphrase
        self.psk = psk
        self.beacon = beacon
        self.habits = habits
        self.curve = curve
        generator = SeededGenerator(seed: seed)
    }

    var supplicant: Supplicant? {
        switch state {
        case .off, .waiting, .authenticating, .associating: nil
        case .handshaking(let supplicant), .connected(let supplicant, _): supplicant
        }
    }

    /// The key in use.
    var key: SecretBytes? { supplicant?.keys?.temporalKey }

    var isConnected: Bool {
        if case .connected = state { true } else { false }
    }

    var isOff: Bool {
        if case .off = state { true } else { false }
    }

    /// Whether management frames to it must be protected now.
    var mustBeProtected: Bool { habits.usesMFP && key != nil }

    // MARK: Coming and going

    mutating func join(at now: Timestamp) -> Outcome {
        waitingSince = waitingSince ?? now
        var outcome = Outcome()
        usesCached = habits.akm.isSAE && habits.remembersKeys && cached != nil
        if habits.akm.isSAE, !usesCached {
            guard
                var client = try? SAEClient(
                    password: passphrase, ssid: World.ssid, address: address, bss: bss, method: habits.method,
                    curve: curve, using: &generator)
            else { return outcome }
            client.countsConfirms = Bool.random(using: &generator)
            outcome.frames = [authentication(client.start())]
            state = .authenticating(client, tries: 1)
        } else {
            outcome.frames = [openAuthentication()]
            state = .authenticating(nil, tries: 1)
        }
        outcome.wake = .milliseconds(300)
        return outcome
    }

    /// Leaves with a deauthentication.
    mutating func leave() -> Outcome {
        var outcome = Outcome()
        if isConnected {
            outcome.frames = [frame(.deauthentication) { Deauthentication(reason: .leaving).write(into: &$0) }]
        }
        vanish()
        return outcome
    }

    /// Is gone without a word.
    mutating func vanish() {
        state = .off
        waitingSince = nil
    }

    mutating func forgetKeys() { cached = nil }

    private mutating func retryLater(_ wait: Duration) -> Outcome {
        state = .waiting
        var outcome = Outcome()
        outcome.wake = wait + .milliseconds(Int.random(in: 0...200, using: &generator))
        return outcome
    }

    mutating func wake(at now: Timestamp) -> Outcome {
        var outcome = Outcome()
        switch state {
        case .off: return outcome
        case .waiting: return join(at: now)
        case .authenticating(var client, let tries):
            guard tries < 5 else { return retryLater(.seconds(2)) }
            if client != nil {
                guard let again = try? client?.retransmit() else { return retryLater(.seconds(2)) }
                outcome.frames = [authentication(again)]
            } else {
                outcome.frames = [openAuthentication()]
            }
            state = .authenticating(client, tries: tries + 1)
            outcome.wake = .milliseconds(300)
        case .associating(let tries):
            guard tries < 4 else { return retryLater(.seconds(2)) }
            state = .associating(tries: tries + 1)
            outcome.frames = [associationRequest()]
            outcome.wake = .milliseconds(400)
        case .handshaking:
            outcome = retryLater(.seconds(1))
        case .connected(let supplicant, let query):
            if query != nil {
                // No answer to our SA Query: the access point has forgotten us.
                outcome = retryLater(.milliseconds(100))
            } else {
                state = .connected(supplicant, query: nil)
                outcome.wake = habits.trafficInterval
            }
        }
        return outcome
    }

    // MARK: Frames

    private mutating func frame(_ subtype: ManagementSubtype, _ body: (inout ByteWriter) -> Void) -> [UInt8] {
        sequence = sequence &+ 16
        var writer = ByteWriter()
        ManagementHeader(
            subtype: subtype, flags: mustBeProtected && subtype != .authentication ? .protected : [],
            destination: bss, source: address, bss: bss, sequenceControl: sequence
        ).write(into: &writer)
        body(&writer)
        return writer.bytes
    }

    private mutating func openAuthentication() -> [UInt8] {
        frame(.authentication) {
            AuthenticationFrame.write(algorithm: .openSystem, transaction: 1, status: .success, into: &$0)
        }
    }

    private mutating func authentication(_ part: SAEClient.Frame) -> [UInt8] {
        frame(.authentication) {
            AuthenticationFrame.write(
                algorithm: .sae, transaction: part.transaction, status: part.status, rest: part.body, into: &$0)
        }
    }

    /// RSNE and RSNXE of its request.
    var elements: [UInt8] {
        var capabilities: RSNCapabilities = habits.usesMFP ? .managementFrameProtectionCapable : []
        if habits.akm.isSAE { capabilities.insert(.managementFrameProtectionCapable) }
        var writer = ByteWriter()
        RSNElement(
            pairwise: [habits.cipher], akms: [habits.akm], capabilities: capabilities,
            pmkids: usesCached ? cached.map { [$0.pmkid] } ?? [] : []
        ).write(into: &writer)
        if habits.akm.isSAE, habits.method == .hashToElement || saysHashToElement {
            RSNXElement(hashToElement: true).write(into: &writer)
        }
        return writer.bytes
    }

    mutating func associationRequest(isReassociation: Bool = false) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(element: .ssid, body: Array(World.ssid.utf8))
        writer.write(element: .supportedRates, body: habits.rates.prefix(8))
        if habits.rates.count > 8 { writer.write(element: .extendedSupportedRates, body: habits.rates.dropFirst(8)) }
        writer.write(bytes: elements)
        if habits.hasHT {
            writer.write(element: .htCapabilities, body: [UInt8](repeating: 1, count: HTCapabilities.byteCount))
            writer.write(element: .vendor, body: [0x00, 0x50, 0xF2, 2, 0, 1, 0] as [UInt8])
        }
        let elements = writer.bytes
        let bss = bss
        // It is never protected: there is no key for what it asks for.
        sequence = sequence &+ 16
        var request = ByteWriter()
        ManagementHeader(
            subtype: isReassociation ? .reassociationRequest : .associationRequest, destination: bss, source: address,
            bss: bss, sequenceControl: sequence
        ).write(into: &request)
        AssociationRequest.write(
            capabilities: [.ess, .privacy, .shortPreamble], listenInterval: 10,
            currentAccessPoint: isReassociation ? bss : nil, elements: elements, into: &request)
        return request.bytes
    }

    /// A management frame for it arrived.
    /// - isProtected: whether it was, by the key in use.
    mutating func receive(_ bytes: [UInt8], isProtected: Bool, at now: Timestamp) -> Outcome {
        guard let frame = try? ManagementFrame(bytes.span.bytes) else { return Outcome() }
        switch frame.header.subtype {
        case .authentication: return receiveAuthentication(frame.body, at: now)
        case .associationResponse, .reassociationResponse: return receiveAssociation(frame.body)
        case .deauthentication, .disassociation:
            guard let reason = try? Deauthentication(body: frame.body).reason else { return Outcome() }
            return receiveLeave(reason, isProtected: isProtected)
        case .action:
            guard isProtected, let query = try? SAQuery(body: frame.body) else { return Outcome() }
            return receiveQuery(query)
        default: return Outcome()
        }
    }

    private mutating func receiveAuthentication(_ body: RawSpan, at now: Timestamp) -> Outcome {
        guard case .authenticating(let saved, let tries) = state,
            let frame = try? AuthenticationFrame(body: body)
        else { return Outcome() }
        guard var client = saved else {
            guard frame.algorithm == .openSystem, frame.transaction == 2 else { return Outcome() }
            guard frame.status == .success else { return refused(frame.status) }
            return associateNow()
        }
        guard frame.algorithm == .sae else { return Outcome() }
        if frame.status == .tooManyStations { return refused(frame.status) }
        let part = SAEClient.Frame(transaction: frame.transaction, status: frame.status, body: frame.rest.copied)
        var outcome = Outcome()
        if let answer = try? client.receive(part) { outcome.frames = [authentication(answer)] }
        outcome.wake = .milliseconds(300)
        state = .authenticating(client, tries: tries)
        switch client.state {
        case .idle, .committed, .confirmed: return outcome
        case .accepted(let pmk, let pmkid):
            cached = (pmk, pmkid)
            return associateNow()
        case .failed(let status): return refused(status)
        }
    }

    private mutating func associateNow() -> Outcome {
        state = .associating(tries: 1)
        var outcome = Outcome()
        outcome.frames = [associationRequest()]
        outcome.wake = .milliseconds(400)
        return outcome
    }

    private mutating func refused(_ status: StatusCode) -> Outcome {
        statuses[status, default: 0] += 1
        if status == .invalidPMKID { cached = nil }
        return retryLater(status == .invalidPMKID ? .milliseconds(10) : .seconds(3))
    }

    private mutating func receiveAssociation(_ body: RawSpan) -> Outcome {
        guard case .associating = state, let response = try? AssociationResponse(body: body) else { return Outcome() }
        if response.status == .refusedTemporarily,
            let interval = ElementReader.first(.timeoutInterval, in: response.elements),
            interval.byteCount == 5
        {
            statuses[response.status, default: 0] += 1
            let octets = interval.copied
            state = .associating(tries: 1)
            var outcome = Outcome()
            outcome.wake = .microseconds((Int(octets[1]) + Int(octets[2]) << 8) * 1024)
            return outcome
        }
        guard response.status == .success else { return refused(response.status) }
        let pmk = habits.akm.isSAE ? cached?.pmk : psk
        var ap = ByteWriter()
        beacon.write(into: &ap)
        RSNXElement(hashToElement: true).write(into: &ap)
        guard let pmk, let keyManagement = KeyManagement(habits.akm),
            let supplicant = try? Supplicant(
                pmk: pmk, keyManagement: keyManagement, station: address, bss: bss, elements: elements,
                apElements: ap.bytes,
                usesManagementFrameProtection: habits.usesMFP || habits.akm.isSAE,
                generator: SeededGenerator(seed: generator.next()))
        else { return retryLater(.seconds(1)) }
        state = .handshaking(supplicant)
        var outcome = Outcome()
        outcome.wake = .seconds(7)
        return outcome
    }

    private mutating func receiveLeave(_ reason: ReasonCode, isProtected: Bool) -> Outcome {
        if mustBeProtected, !isProtected {
            // 11.13: it asks whether the access point still knows it.
            guard case .connected(let supplicant, nil) = state else { return Outcome() }
            let transaction = UInt16.random(in: 0...UInt16.max, using: &generator)
            state = .connected(supplicant, query: transaction)
            var outcome = Outcome()
            outcome.frames = [frame(.action) { SAQuery(.request, transaction: transaction).write(into: &$0) }]
            outcome.wake = .seconds(1)
            return outcome
        }
        reasons[reason, default: 0] += 1
        switch state {
        case .off, .waiting: return Outcome()
        case .authenticating, .associating, .handshaking, .connected:
            if habits.akm.isSAE, reason == .fourWayHandshakeTimeout { cached = nil }
            return retryLater(.seconds(1))
        }
    }

    private mutating func receiveQuery(_ query: SAQuery) -> Outcome {
        guard case .connected(let supplicant, let own) = state else { return Outcome() }
        var outcome = Outcome()
        switch query.action {
        case .request:
            outcome.frames = [
                frame(.action) { SAQuery(.response, transaction: query.transaction).write(into: &$0) }
            ]
        case .response where query.transaction == own:
            state = .connected(supplicant, query: nil)
            outcome.wake = habits.trafficInterval
        case .response: break
        }
        return outcome
    }

    /// An EAPOL frame for it arrived.
    mutating func receiveEAPOL(_ octets: [UInt8], at now: Timestamp) -> Outcome {
        var outcome = Outcome()
        guard var supplicant, habits.answersHandshake else { return outcome }
        var output = SupplicantOutput()
        try? supplicant.receive(octets.span.bytes, into: &output)
        outcome.eapol = output.frames.map { ($0.octets, $0.isEncrypted) }
        switch state {
        case .connected(_, let query): state = .connected(supplicant, query: query)
        default: state = .handshaking(supplicant)
        }
        for event in output.events {
            switch event {
            case .connected:
                guard !isConnected else { continue }
                state = .connected(supplicant, query: nil)
                connections += 1
                if let waitingSince { longestWait = max(longestWait, now - waitingSince) }
                waitingSince = nil
                outcome.wake = habits.trafficInterval
            case .failed:
                reasons[.elementMismatch, default: 0] += 1
                return retryLater(.seconds(1))
            case .installedGroup(_, let index, let sequence): groupSequences[index] = sequence
            case .installedPairwise, .installedIntegrityGroup, .ignored: break
            }
        }
        return outcome
    }
}
