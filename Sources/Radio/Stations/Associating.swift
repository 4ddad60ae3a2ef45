import IEEE80211
import SAE
import SansIO
import WiFiCrypto
import Wire

// Association and reassociation requests (IEEE 802.11-2020, 11.3.5), and associations that a chip makes by itself.

extension Stations {
    mutating func associate(
        _ body: RawSpan, _ header: ManagementHeader, signal: Int?, at now: Timestamp, into output: inout StationsOutput
    ) {
        let address = header.source
        let isReassociation = header.subtype == .reassociationRequest
        let existing = stations[address]
        // A repetition of the request that is being answered.
        if let existing, header.flags.contains(.retry), existing.sequenceControl == header.sequenceControl { return }
        guard let authentication = authentication(of: address, at: now) ?? existing?.authenticationIfOn else {
            refuse(address, .notAuthenticated, at: now, into: &output)
            // 11.3.5.3: a class 2 frame of a station that is not authenticated.
            sendDeauthentication(address, .notAuthenticated, into: &output)
            return
        }
        do throws(Refused) {
            guard let frame = try? AssociationRequest(body: body, isReassociation: isReassociation),
                let elements = try? StationElements(frame.elements)
            else { throw Refused(.invalidElement, .malformedRequest) }
            let request = Station.Request(
                elements: elements, listenInterval: frame.listenInterval, capabilities: frame.capabilities,
                isReassociation: isReassociation, sequenceControl: header.sequenceControl, signal: signal)
            try admit(address, request, authentication, at: now, into: &output)
        } catch {
            refuse(address, error.cause, at: now, into: &output)
            var comeback: UInt32?
            if error.status == .refusedTemporarily {
                // It comes back without authenticating again.
                keep(Authenticated(method: authentication, since: now), of: address)
                comeback = comebackTimeUnits(of: address, at: now)
            }
            respond(to: address, isReassociation, error.status, aid: 0, comeback: comeback, into: &output)
        }
    }

    /// Lets a station in whose request is right; the driver makes its entry first.
    private mutating func admit(
        _ address: MACAddress, _ request: Station.Request, _ authentication: Authenticated.Method, at now: Timestamp,
        into output: inout StationsOutput
    ) throws(Refused) {
        let agreement = try policy.check(request.elements)
        let method = try secret(for: agreement, address, request.elements, authentication)
        if let existing = stations[address] {
            try askFirst(existing, at: now, into: &output)
            // The driver's entry is made anew, so that no key and no packet number of it lives on.
            remove(existing, .unspecified, .reassociation, into: &output)
        }
        try makeRoom(for: address, at: now, into: &output)
        guard let aid = freeAID() else { throw Refused(.tooManyStations, .full) }
        authentications[address] = nil
        let station = Station(
            address: address, aid: aid, at: now, request: request, agreement: agreement, authentication: method,
            phase: .adding(until: now + configuration.limits.answerTimeout))
        stations[address] = station
        aids.insert(aid)
        output.actions.append(.addStation(entry(station)))
        readGroupSequences(into: &output)
    }

    /// The key that the handshake will be about, found by how the station authenticated and the AKM it now wants.
    private mutating func secret(
        for agreement: Agreement, _ address: MACAddress, _ elements: StationElements,
        _ authentication: Authenticated.Method
    ) throws(Refused) -> Authenticated.Method {
        switch authentication {
        case .open:
            guard agreement.akm.isSAE else { return .open }
            // 12.6.10.3: a station that keeps its key from SAE authenticates openly and names the key.
            for pmkid in agreement.rsn.pmkids {
                guard let key = sae?.key(for: address, pmkid: pmkid) else { continue }
                try refuseDowngrade(key.method, elements)
                return .sae(pmk: key.pmk, pmkid: pmkid, by: key.method)
            }
            throw Refused(.invalidPMKID, .unknownPMKID)
        case .sae(_, _, let method):
            guard agreement.akm.isSAE else { throw Refused(.invalidAKM, .akm(agreement.akm)) }
            try refuseDowngrade(method, elements)
            return authentication
        }
    }

    /// 12.4.4.1: when both ends speak hash-to-element, it is used. If it was not, somebody changed a beacon. A key that
    /// was kept of such an exchange is no better.
    private func refuseDowngrade(_ method: SAEMethod, _ elements: StationElements) throws(Refused) {
        if method == .huntingAndPecking, configuration.description.rsnExtension?.hashToElement == true,
            let extended = elements.rsnExtension,
            (try? RSNXElement(body: extended.span.bytes))?.hashToElement == true
        {
            throw Refused(.unspecifiedFailure, .hashToElementDowngrade)
        }
    }

    /// What came of making a station's entry.
    mutating func added(
        _ address: MACAddress, succeeded: Bool, at now: Timestamp, into output: inout StationsOutput
    ) {
        guard let station = stations[address] else { return }
        guard succeeded else {
            switch station.phase {
            case .adding:
                respond(to: address, station.isReassociation, .tooManyStations, aid: 0, into: &output)
            case .answering, .handshaking, .authorized, .leaving: break
            }
            if station.isAuthorized { output.events.append(.left(address, .chip)) }
            refuse(address, .driver, at: now, into: &output)
            return takeBack(station, .tooManyStations, at: now, into: &output)
        }
        guard case .adding = station.phase else { return }
        let id = respond(to: address, station.isReassociation, .success, aid: station.aid, into: &output)
        station.phase = .answering(id, until: now + configuration.limits.answerTimeout)
    }

    /// Ends an association that did not come about. 11.3.5.3: the station is authenticated as before, and asks again
    /// without authenticating anew. What it would be told otherwise makes it give this network up for a while.
    mutating func takeBack(
        _ station: Station, _ reason: ReasonCode, at now: Timestamp, into output: inout StationsOutput
    ) {
        keep(Authenticated(method: station.authentication, since: now), of: station.address)
        drop(station, reason, into: &output)
    }

    /// What became of a frame that a station's phase waits for.
    mutating func transmitted(
        _ id: TransmissionID, acknowledged: Bool, at now: Timestamp, into output: inout StationsOutput
    ) {
        for station in stations.values {
            switch station.phase {
            case .answering(id, _):
                guard acknowledged else {
                    refuse(station.address, .noAcknowledgement, at: now, into: &output)
                    return takeBack(station, .unspecified, at: now, into: &output)
                }
                return startHandshake(station, at: now, into: &output)
            case .leaving(id, let reason, _): return drop(station, reason, into: &output)
            case .adding, .answering, .handshaking, .authorized, .leaving: continue
            }
        }
    }

    @discardableResult
    private mutating func respond(
        to address: MACAddress, _ isReassociation: Bool, _ status: StatusCode, aid: UInt16, comeback: UInt32? = nil,
        into output: inout StationsOutput
    ) -> TransmissionID {
        let capabilities = configuration.description.capabilities
        var elements = ByteWriter(capacity: 256)
        elements.write(bytes: template.associationResponseElements)
        if let comeback { TimeoutInterval.writeAssociationComeback(timeUnits: comeback, into: &elements) }
        return send(
            isReassociation ? .reassociationResponse : .associationResponse, to: address,
            wantsReport: status == .success, into: &output
        ) {
            AssociationResponse.write(
                capabilities: capabilities, status: status, aid: aid, elements: elements.bytes, into: &$0)
        }
    }

    private func entry(_ station: Station) -> NewStation {
        let elements = station.elements
        let description = configuration.description
        // Without WMM there is no HT, and without HT no VHT (11.40, 10.2.4.2).
        let qos = elements.qosInformation
        let ht = qos != nil && description.usesHT ? elements.ht : nil
        return NewStation(
            address: station.address, aid: station.aid, capabilities: station.capabilities,
            listenInterval: station.listenInterval,
            rates: Array(elements.rates.octets.prefix(StationsLimits.maximumRates)),
            extendedCapabilities: elements.extendedCapabilities, ht: ht,
            vht: ht != nil && description.usesVHT ? elements.vht : nil,
            he: qos != nil && description.usesHE ? elements.he : nil, hasWMM: qos != nil,
            uapsdQueues: (qos ?? 0) & 0x0F, maximumServicePeriod: (qos ?? 0) >> 5 & 3,
            usesMFP: station.agreement.usesMFP)
    }

    // MARK: Places

    /// Whether a station that is not on would find no place, not even that of another's handshake.
    func isFull(for address: MACAddress) -> Bool {
        stations[address] == nil && stations.count >= configuration.limit
            && !stations.values.contains { $0.isHalfOpen }
    }

    /// Finds a place; one whose handshake goes on for long, or that showed a wrong passphrase, gives it up.
    private mutating func makeRoom(
        for address: MACAddress, at now: Timestamp, into output: inout StationsOutput
    ) throws(Refused) {
        let halfOpen = stations.values.filter { $0.isHalfOpen }
        let isFull = stations.count >= configuration.limit
        guard isFull || halfOpen.count >= configuration.limits.maximumHalfOpen else { return }
        let candidates = halfOpen.filter {
            $0.hasShownWrongPassphrase || $0.joined + configuration.limits.halfOpenGrace <= now
        }
        guard
            let victim = candidates.min(by: {
                ($0.hasShownWrongPassphrase ? 0 : 1, $0.joined, $0.address)
                    < ($1.hasShownWrongPassphrase ? 0 : 1, $1.joined, $1.address)
            })
        else {
            throw isFull && halfOpen.isEmpty
                ? Refused(.tooManyStations, .full) : Refused(.refusedTemporarily, .gaveWay)
        }
        refuse(
            victim.address, victim.hasShownWrongPassphrase ? .wrongPassphrase : .gaveWay, at: now, into: &output)
        if configuration.kind == .softMAC { sendDeauthentication(victim.address, .tooManyStations, into: &output) }
        drop(victim, .tooManyStations, into: &output)
    }

    private func freeAID() -> UInt16? {
        (1...UInt16(StationsLimits.maximumAID)).first { !aids.contains($0) }
    }

    // MARK: Chips that associate by themselves

    mutating func chipAssociated(
        _ address: MACAddress, elements bytes: RawSpan, at now: Timestamp, into output: inout StationsOutput
    ) {
        guard configuration.kind != .softMAC else { return }
        if let existing = stations[address] {
            // The chip has replaced its entry already.
            forget(existing)
            if existing.isAuthorized { output.events.append(.left(address, .reassociation)) }
        }
        guard isOpen else {
            output.actions.append(.removeStation(address, .leaving))
            return
        }
        do throws(Refused) {
            guard let elements = try? StationElements(bytes) else {
                throw Refused(.invalidElement, .malformedRequest)
            }
            let agreement: Agreement
            switch configuration.kind {
            case .softMAC, .fullMAC: agreement = try policy.agree(rsn: elements.rsn)
            // The chip has judged, and may not even tell what it was told.
            case .offloaded: agreement = policy.reported(rsn: elements.rsn)
            }
            if configuration.kind == .fullMAC, agreement.akm.isSAE {
                throw Refused(.invalidAKM, .akm(agreement.akm))
            }
            try makeRoom(for: address, at: now, into: &output)
            let station = Station(
                address: address, aid: 0, at: now, request: Station.Request(elements: elements), agreement: agreement,
                authentication: .open, phase: .handshaking(until: now + configuration.limits.handshakeTimeout))
            stations[address] = station
            if configuration.kind == .offloaded {
                output.events.append(.joined(address))
                authorize(station, at: now, into: &output)
            } else {
                readGroupSequences(into: &output)
                startHandshake(station, at: now, into: &output)
            }
        } catch {
            refuse(address, error.cause, at: now, into: &output)
            output.actions.append(.removeStation(address, error.reason))
        }
    }

    mutating func chipRemoved(_ address: MACAddress, at now: Timestamp, into output: inout StationsOutput) {
        guard configuration.kind != .softMAC, let station = stations[address] else { return }
        forget(station)
        switch station.phase {
        case .authorized:
            output.events.append(.left(address, .chip))
            // A chip that does the handshake tells of an association before it, and of a failure by this.
            if configuration.kind == .offloaded, station.joined + configuration.limits.handshakeTimeout > now {
                refuse(address, .handshakeTimeout, at: now, into: &output)
            }
        case .adding, .answering, .handshaking: refuse(address, .handshakeTimeout, at: now, into: &output)
        case .leaving: break
        }
    }
}

extension Refused {
    /// The same for a station that the chip has associated already.
    var reason: ReasonCode {
        switch status {
        case .tooManyStations, .refusedTemporarily: .tooManyStations
        case .invalidGroupCipher: .invalidGroupCipher
        case .invalidPairwiseCipher: .invalidPairwiseCipher
        case .invalidAKM: .invalidAKM
        case .unsupportedRSNVersion: .unsupportedRSNVersion
        case .robustManagementPolicyViolation: .invalidRSNCapabilities
        case .cipherRejected: .cipherRejected
        default: .invalidElement
        }
    }
}

extension Station {
    /// How it authenticated, when it is associated: it may then ask to be associated again (11.3.5.4).
    var authenticationIfOn: Authenticated.Method? {
        switch phase {
        case .authorized, .handshaking, .answering, .adding: authentication
        case .leaving: nil
        }
    }
}
