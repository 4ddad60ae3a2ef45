import IEEE80211
import SansIO
import Wire

// How stations go: by their own frame, by ours, or in silence (IEEE 802.11-2020, 11.3.4.4, 11.3.5.6).

extension Stations {
    /// A deauthentication or disassociation from a station.
    mutating func receiveLeave(
        _ body: RawSpan, _ header: ManagementHeader, at now: Timestamp, into output: inout StationsOutput
    ) {
        guard let reason = try? Deauthentication(body: body).reason else {
            counters.malformedFrames += 1
            return
        }
        let address = header.source
        guard let station = stations[address] else {
            authentications[address] = nil
            return
        }
        // 11.13: anybody can send an unprotected one. The station itself is asked.
        if station.agreement.usesMFP, station.isAuthorized, !header.flags.contains(.protected) {
            return startSecurityQuery(station, at: now, into: &output)
        }
        switch header.subtype {
        case .disassociation: keep(Authenticated(method: station.authentication, since: now), of: address)
        case .deauthentication, .associationRequest, .associationResponse, .reassociationRequest,
            .reassociationResponse, .probeRequest, .probeResponse, .timingAdvertisement, .reserved7, .beacon, .atim,
            .authentication, .action, .actionNoAcknowledgement, .reserved15:
            authentications[address] = nil
        }
        switch station.phase {
        case .leaving(_, let reason, _): drop(station, reason, into: &output)
        case .adding, .answering, .handshaking, .authorized:
            remove(station, reason, .stationLeft(reason), into: &output)
        }
    }

    /// Sends a deauthentication and removes the station's entry when it is sent: until then its keys protect the frame,
    /// and a dozing station's is held back for it.
    mutating func sendAway(
        _ station: Station, _ reason: ReasonCode, at now: Timestamp, into output: inout StationsOutput
    ) {
        if case .leaving = station.phase { return }
        guard configuration.kind == .softMAC else { return drop(station, reason, into: &output) }
        let id = sendDeauthentication(station.address, reason, wantsReport: true, into: &output)
        station.phase = .leaving(id, reason, until: now + configuration.limits.leavingTimeout)
        station.handshake = nil
        station.handshakeWake = nil
        station.securityQuery = nil
        groupKeys.waiting.remove(station.address)
    }

    @discardableResult
    mutating func sendDeauthentication(
        _ address: MACAddress, _ reason: ReasonCode, wantsReport: Bool = false, into output: inout StationsOutput
    ) -> TransmissionID {
        send(.deauthentication, to: address, wantsReport: wantsReport, into: &output) {
            Deauthentication(reason: reason).write(into: &$0)
        }
    }

    /// Removes a station and its entry at once, and tells if it was authorized.
    mutating func remove(
        _ station: Station, _ reason: ReasonCode, _ departure: Departure, into output: inout StationsOutput
    ) {
        if station.isAuthorized { output.events.append(.left(station.address, departure)) }
        drop(station, reason, into: &output)
    }

    /// Removes a station and its entry at once.
    mutating func drop(_ station: Station, _ reason: ReasonCode, into output: inout StationsOutput) {
        forget(station)
        output.actions.append(.removeStation(station.address, reason))
    }

    /// Removes a station whose entry is gone.
    mutating func forget(_ station: Station) {
        guard stations[station.address] === station else { return }
        stations[station.address] = nil
        aids.remove(station.aid)
        groupKeys.waiting.remove(station.address)
    }

    /// A data frame of somebody who is not on: it is told so (11.3.5.1: a class 3 frame of a station that is not
    /// associated).
    mutating func answerUnexpectedFrame(of address: MACAddress, at now: Timestamp, into output: inout StationsOutput) {
        guard isOpen, configuration.kind == .softMAC, !address.isGroup, stations[address] == nil else { return }
        let rate = configuration.limits.unexpectedFrameAnswersPerSecond
        var bucket = unexpectedFrameAnswers ?? TokenBucket(rate: rate, burst: rate, now: now)
        let mayAnswer = bucket.take(at: now)
        unexpectedFrameAnswers = bucket
        guard mayAnswer else { return }
        sendDeauthentication(address, .notAssociated, into: &output)
    }

    // MARK: Silence

    /// A station was heard so long ago.
    mutating func heard(_ address: MACAddress, inactive: Duration, at now: Timestamp) {
        guard let station = stations[address], case .authorized(let akm, var silence) = station.phase else { return }
        // A driver counts by another clock than ours. Where that one is slower, each look would make a phone that is long
        // gone seem heard a little later than by the look before, and it would never be let go.
        guard inactive < configuration.limits.silence else { return }
        let time = now + (.zero - max(inactive, .zero))
        guard time > silence.lastHeard else { return }
        silence.lastHeard = time
        silence.probes = 0
        silence.next = max(time + configuration.limits.silence, now)
        station.phase = .authorized(akm, silence)
    }

    /// Asks a station that was silent for long, or gives it up.
    mutating func checkSilence(
        _ station: Station, _ akm: AKMSuite, _ silence: Station.Silence, at now: Timestamp,
        into output: inout StationsOutput
    ) {
        guard silence.probes < configuration.limits.maximumProbes else {
            counters.silent += 1
            output.events.append(.left(station.address, .silence))
            return sendAway(station, .inactivity, at: now, into: &output)
        }
        var silence = silence
        silence.probes += 1
        silence.next = now + configuration.limits.probeInterval
        guard !configuration.canProbe, station.handshake != nil else {
            station.phase = .authorized(akm, silence)
            return output.actions.append(.probe(station.address))
        }
        // One handshake, which asks several times by itself and then ends in its own way.
        silence.probes = configuration.limits.maximumProbes
        silence.next = now + configuration.limits.handshakeTimeout
        station.phase = .authorized(akm, silence)
        if station.handshakeWake == nil { askByGroupKeys(station, at: now, into: &output) }
    }
}
