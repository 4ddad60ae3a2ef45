import Authenticator
import IEEE80211
import SansIO
import WiFiCrypto
import Wire

// The 4-way handshake of each station, and the group key handshakes with all of them (IEEE 802.11-2020, 12.7.6, 12.7.7).

/// The group keys in use, and those that everyone is given before they are used.
struct GroupKeyring {
    private(set) var current: GroupKeys
    private(set) var pending: GroupKeys?
    /// The number of the keys in use, which 4-way handshakes give.
    private(set) var currentGeneration = 1
    /// The number of the pending keys, or of those in use when none are pending.
    private(set) var latestGeneration = 1
    /// Who has yet to acknowledge the pending keys.
    var waiting: Set<MACAddress> = []
    /// When they change.
    var next: Timestamp?

    init(current: GroupKeys) { self.current = current }

    /// Notes the packet numbers that the keys in use have reached; those of other keys are passed over.
    mutating func reached(gtkIndex: UInt8, gtk: UInt64, igtk: UInt64) {
        guard gtkIndex == current.gtkIndex else { return }
        current.gtkSequence = max(current.gtkSequence, gtk)
        current.igtkSequence = max(current.igtkSequence, igtk)
    }

    /// The keys that everyone is to have in the end.
    var latest: GroupKeys { pending ?? current }

    mutating func propose(_ keys: GroupKeys) {
        pending = keys
        latestGeneration += 1
        next = nil
    }

    mutating func take() -> GroupKeys? {
        guard let keys = pending else { return nil }
        current = keys
        currentGeneration = latestGeneration
        pending = nil
        waiting.removeAll()
        return keys
    }

    /// Nothing is changed any more.
    mutating func close() {
        if pending != nil { latestGeneration = currentGeneration }
        pending = nil
        waiting.removeAll()
        next = nil
    }
}

extension Stations {
    /// Begins the 4-way handshake with a station that is associated.
    mutating func startHandshake(_ station: Station, at now: Timestamp, into output: inout StationsOutput) {
        guard let handshake = makeHandshake(station) else {
            refuse(station.address, .akm(station.agreement.akm), at: now, into: &output)
            return sendAway(station, .invalidAKM, at: now, into: &output)
        }
        station.handshake = handshake
        station.groupGeneration = groupKeys.currentGeneration
        station.phase = .handshaking(until: now + configuration.limits.handshakeTimeout)
        if configuration.kind == .softMAC { output.actions.append(.associate(station.address)) }
        output.events.append(.joined(station.address))
        step(station, .start, at: now, into: &output)
    }

    /// Has the packet numbers read that a station which joins will be told.
    func readGroupSequences(into output: inout StationsOutput) {
        let keys = groupKeys.current
        output.actions.append(
            .readGroupSequences(gtkIndex: keys.gtkIndex, igtkIndex: keys.igtk == nil ? nil : keys.igtkIndex))
    }

    private mutating func makeHandshake(_ station: Station) -> PairwiseAuthenticator? {
        let key: (pmk: SecretBytes, pmkid: [UInt8]?)
        switch station.authentication {
        case .open:
            guard let pmk = configuration.pmk else { return nil }
            key = (pmk, nil)
        case .sae(let pmk, let pmkid, _): key = (pmk, pmkid)
        }
        guard let keyManagement = KeyManagement(station.agreement.akm) else { return nil }
        let description = configuration.description
        var stationElements = ByteWriter(capacity: 64)
        stationElements.write(element: .rsn, body: station.elements.rsn ?? [])
        if let body = station.elements.rsnExtension { stationElements.write(element: .rsnExtension, body: body) }
        var ourElements = ByteWriter(capacity: 64)
        description.rsn.write(into: &ourElements)
        description.rsnExtension?.write(into: &ourElements)
        let theirs = stationElements.bytes
        let ours = ourElements.bytes
        return try? PairwiseAuthenticator(
            pmk: key.pmk, pmkid: key.pmkid, keyManagement: keyManagement, station: station.address,
            bss: description.bss, stationElements: theirs.span.bytes, apElements: ours.span.bytes,
            group: groupKeys.current, usesManagementFrameProtection: station.agreement.usesMFP, using: &generator)
    }

    mutating func receiveEAPOL(
        _ bytes: RawSpan, from address: MACAddress, wasEncrypted: Bool?, at now: Timestamp,
        into output: inout StationsOutput
    ) {
        guard let station = stations[address], station.handshake != nil else {
            counters.strayEAPOLFrames += 1
            return
        }
        heard(address, inactive: .zero, at: now)
        let protection: EAPOLProtection =
            switch wasEncrypted {
            case true?: .encrypted
            case false?: .plaintext
            case nil: .unknown
            }
        step(station, .eapol(bytes, protection), at: now, into: &output)
    }

    mutating func wakeHandshake(_ station: Station, at now: Timestamp, into output: inout StationsOutput) {
        step(station, .wake, at: now, into: &output)
    }

    /// The driver says that a station acknowledged the EAPOL frame sent last.
    mutating func eapolAcknowledged(_ address: MACAddress, at now: Timestamp, into output: inout StationsOutput) {
        guard let station = stations[address], station.handshake != nil else { return }
        step(station, .acknowledged, at: now, into: &output)
    }

    private mutating func step(
        _ station: Station, _ input: borrowing HandshakeInput, at now: Timestamp, into output: inout StationsOutput
    ) {
        let wake = station.handshake?.handle(input, at: now, into: &handshakeOutput)
        station.handshakeWake = wake ?? nil
        let result = handshakeOutput
        handshakeOutput.removeAll()
        for event in result.events where stations[station.address] === station {
            switch event {
            case .installPairwise(let key):
                output.actions.append(
                    .installPairwise(station.address, key: key, cipher: station.agreement.cipher))
            case .authorized: authorize(station, at: now, into: &output)
            case .groupKeysAcknowledged(let index):
                station.isAskedByGroupKeys = false
                if index == groupKeys.latest.gtkIndex { groupKeys.waiting.remove(station.address) }
            // Ours change by time alone; a station that could ask for it could keep everyone busy.
            case .groupRekeyRequested: break
            case .failed(let failure): failHandshake(station, failure, at: now, into: &output)
            }
        }
        // After the events: a frame may go out under a key that was just installed.
        for frame in result.frames where stations[station.address] === station {
            output.actions.append(
                .sendEAPOL(
                    to: station.address, Array(result.written[frame.range]), isEncrypted: frame.isEncrypted))
        }
    }

    /// A station has shown that it knows the passphrase.
    mutating func authorize(_ station: Station, at now: Timestamp, into output: inout StationsOutput) {
        let silence = Station.Silence(lastHeard: now, next: now + configuration.limits.silence)
        station.phase = .authorized(station.agreement.akm, silence)
        counters.authorized += 1
        if configuration.kind != .offloaded {
            output.actions.append(.authorize(station.address))
            refusalList.forget(station.address)
        }
        output.events.append(.authorized(station.address, station.agreement.akm))
        // The group keys changed while its handshake went on, or are about to.
        if station.handshake != nil, station.groupGeneration != groupKeys.latestGeneration {
            giveGroupKeys(station, at: now, into: &output)
        }
    }

    private mutating func failHandshake(
        _ station: Station, _ failure: HandshakeFailure, at now: Timestamp, into output: inout StationsOutput
    ) {
        station.handshakeWake = nil
        guard station.isAuthorized else {
            return endHandshake(station, RefusalCause(failure), failure.reasonCode, at: now, into: &output)
        }
        let isSilent = failure == .groupTimedOut && station.isAskedByGroupKeys
        if isSilent { counters.silent += 1 }
        output.events.append(.left(station.address, isSilent ? .silence : .handshakeFailed(failure)))
        sendAway(station, failure.reasonCode, at: now, into: &output)
    }

    /// Ends a handshake that did not succeed.
    mutating func endHandshake(
        _ station: Station, _ cause: RefusalCause, _ reason: ReasonCode, at now: Timestamp,
        into output: inout StationsOutput
    ) {
        refuse(station.address, cause, at: now, into: &output)
        sendAway(station, reason, at: now, into: &output)
    }

    // MARK: Group keys

    /// Gives everyone new group keys; they are used when everyone has them or is gone.
    mutating func startGroupRekey(at now: Timestamp, into output: inout StationsOutput) {
        guard isOpen, configuration.kind != .offloaded, groupKeys.pending == nil else { return }
        counters.groupRekeys += 1
        groupKeys.propose(groupKeys.current.next(using: &generator))
        for station in stations.values.filter(\.isAuthorized).sorted(by: { $0.address < $1.address }) {
            giveGroupKeys(station, at: now, into: &output)
        }
    }

    /// Asks a station whether it is there, by a handshake about the keys that it has.
    mutating func askByGroupKeys(_ station: Station, at now: Timestamp, into output: inout StationsOutput) {
        station.isAskedByGroupKeys = true
        // The keys that it was given last: others would be installed anew.
        step(station, .groupRekey(groupKeys.latest), at: now, into: &output)
    }

    private mutating func giveGroupKeys(_ station: Station, at now: Timestamp, into output: inout StationsOutput) {
        station.isAskedByGroupKeys = false
        station.groupGeneration = groupKeys.latestGeneration
        if groupKeys.pending != nil { groupKeys.waiting.insert(station.address) }
        step(station, .groupRekey(groupKeys.latest), at: now, into: &output)
    }

    mutating func finishGroupRekeyIfDone(at now: Timestamp, into output: inout StationsOutput) {
        guard groupKeys.pending != nil, groupKeys.waiting.isEmpty, let keys = groupKeys.take() else { return }
        output.actions.append(.installGroup(keys))
        groupKeys.next = now + configuration.limits.groupRekeyInterval
    }
}

extension Station {
    /// Whether an integrity code of its handshake was wrong.
    var hasShownWrongPassphrase: Bool { handshake?.hasSeenWrongPassphrase ?? false }
}

extension RefusalCause {
    init(_ failure: HandshakeFailure) {
        switch failure {
        case .wrongPassphrase: self = .wrongPassphrase
        case .timedOut, .groupTimedOut: self = .handshakeTimeout
        case .elementMismatch: self = .handshakeMismatch
        case .libraryFailed: self = .driver
        }
    }
}
