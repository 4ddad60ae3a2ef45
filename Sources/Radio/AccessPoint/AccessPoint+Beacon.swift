import IEEE80211
import NL80211
import Netlink
import SansIO
import Stations
import WiFiCrypto
import Wire

extension AccessPoint {
    /// Frames that a chip of our own doing must hand up (IEEE 802.11-2020, 9.2.4.1.3).
    static let registrations: [ManagementSubtype] = [
        .authentication, .associationRequest, .reassociationRequest, .disassociation, .deauthentication, .probeRequest,
        .action,
    ]

    mutating func register(_ count: Int, at now: Timestamp, into output: inout AccessPointOutput) {
        guard case .settingUp(let setUp) = phase, let interface = setUp.interface else { return }
        guard count < Self.registrations.count else { return started(at: now, into: &output) }
        // No other action frame is answered here, so strangers' need not come up.
        let subtype = Self.registrations[count]
        let match = subtype == .action ? [ActionCategory.saQuery.rawValue] : []
        take(
            .register(count),
            .nl80211(.registerFrame(interface: interface.index, subtype: subtype, match: match)), at: now,
            into: &output)
    }

    /// Asks for the beacon, with everything in its place.
    mutating func startBeacon(at now: Timestamp, into output: inout AccessPointOutput) {
        guard case .settingUp(let setUp) = phase, let interface = setUp.interface, let security = setUp.security,
            let radio = setUp.radio, let description = description(setUp)
        else { return }
        // Where the frames come up here nobody can join before they are asked for, so the beacon need not wait. But where
        // the preparation failed a name would come and go at each attempt.
        guard setUp.isPrepared || (security.kind == .softMAC && mayBeaconFirst) else {
            return pause(.awaitPreparation, for: Self.preparationTimeout, at: now)
        }
        var pmk: SecretBytes?
        if security.kind == .offloaded, security.offersPSK {
            pmk = masterKey()
            guard pmk != nil else { return failWithoutKey(at: now, into: &output) }
        }
        if !radio.hasControlPortOverNL80211, security.kind == .fullMAC {
            isEAPOLSocketOpen = true
            output.actions.append(.openEAPOL(interface: interface.index))
        }
        take(
            .startAP,
            .nl80211(
                Requests.start(
                    interface.index, description: description, security: security, radio: radio,
                    pmk: pmk, passphrase: configuration.passphrase)),
            at: now, into: &output)
    }

    /// The beacon is on the air; who comes is let in as soon as that may be.
    mutating func beaconing(at now: Timestamp, into output: inout AccessPointOutput) {
        guard case .settingUp(let setUp) = phase, let security = setUp.security else { return }
        counters.lastStart = now - attemptBegan
        // After a rotation the frames of before are still told.
        change { $0.isBeaconing = true }
        guard security.kind == .softMAC, !setUp.isRotation else { return started(at: now, into: &output) }
        guard setUp.isPrepared else {
            return pause(.awaitPreparation, for: Self.preparationTimeout, at: now)
        }
        register(0, at: now, into: &output)
    }

    /// Whether phones may come onto an interface.
    mutating func prepared(
        _ interface: String, _ isReady: Bool, at now: Timestamp, into output: inout AccessPointOutput
    ) {
        guard case .settingUp(let setUp) = phase, !setUp.isPrepared, setUp.interface?.name == interface else { return }
        mayBeaconFirst = isReady
        guard isReady else {
            return giveUp(.notPrepared, wait: Self.preparationPause, at: now, into: &output)
        }
        change { $0.isPrepared = true }
        guard setUp.step == .awaitPreparation else { return }
        if setUp.isBeaconing { register(0, at: now, into: &output) } else { startBeacon(at: now, into: &output) }
    }

    private func description(_ setUp: SetUp) -> BSSDescription? {
        guard let radio = setUp.radio, let interface = setUp.interface, let channel = setUp.channel,
            let security = setUp.security
        else { return nil }
        var description = BSSDescription(
            bss: interface.address, ssid: configuration.ssid, channel: channel, rates: radio.rates(in: channel.band),
            country: setUp.countryIsKnown ? radio.countryElement(setUp.country, band: channel.band) : nil,
            rsn: security.rsn, rsnExtension: security.rsnExtension)
        description.ht = radio.ht(in: channel.band)
        description.vht = radio.vht(in: channel.band)
        description.he = radio.he(in: channel.band)
        description.extendedCapabilities = radio.extendedCapabilities
        return description
    }

    /// The beacon is on the air, and phones may come.
    private mutating func started(at now: Timestamp, into output: inout AccessPointOutput) {
        guard case .settingUp(let setUp) = phase, let interface = setUp.interface, let security = setUp.security,
            let radio = setUp.radio, let channel = setUp.channel, let description = description(setUp)
        else { return }
        guard setUp.isAlone else { return failAsPort(at: now, into: &output) }
        failure = nil
        notes = []
        if configuration.country == nil {
            notes.append(.countryUnset)
        } else if let country = configuration.country, !setUp.countryIsKnown {
            notes.append(.countryRefused(country))
        }
        if let request = configuration.channel, setUp.plan?.requestIsRefused == true || Int(channel.number) != request {
            notes.append(.channelRefused(request))
        }
        if configuration.security == .transition, !security.offersSAE { notes.append(.noWPA3(radio: radio.name)) }
        heed(radio)
        passedOver = 0
        let pmk = security.offersPSK ? masterKey() : nil
        guard pmk != nil || !security.offersPSK else { return failWithoutKey(at: now, into: &output) }
        counters.starts &+= 1
        var limits = StationsLimits()
        limits.silence = configuration.silence
        // What a phone answers shows at the next look at all of them.
        if !radio.canProbe { limits.probeInterval = max(limits.probeInterval, checkInterval) }
        limits.groupRekeyInterval = configuration.rekeyInterval
        do {
            stations = try Stations(
                configuration: StationsConfiguration(
                    kind: security.kind, description: description, pmk: pmk,
                    password: security.offersSAE ? SecretBytes(Array(configuration.passphrase.utf8)) : nil,
                    limit: min(
                        configuration.stationLimit, radio.maximumStations.map(Int.init) ?? configuration.stationLimit),
                    answersProbeRequests: security.kind == .softMAC && !radio.answersProbeRequests,
                    canProbe: radio.canProbe, limits: limits),
                generator: generator)
        } catch {
            return fail("set up the keys", "\(error)", at: now, into: &output)
        }
        phase = .running(
            Running(
                radio: radio, interface: interface, name: interface.name, channel: channel, security: security,
                description: description, country: setUp.country,
                countryIsKnown: setUp.countryIsKnown, since: now, isRotated: setUp.isRotation,
                nextCheck: now + checkInterval))
        if security.kind == .softMAC {
            send(.nl80211(Requests.bss(interface.index, description)), for: .any, at: now, into: &output)
            send(.nl80211(.registerUnexpectedFrames(interface: interface.index)), for: .any, at: now, into: &output)
        }
        output.events.append(.up(interface: interface.name, index: interface.index))
        drive(.started, at: now, into: &output)
    }

    private mutating func failWithoutKey(at now: Timestamp, into output: inout AccessPointOutput) {
        fail("compute the key", "OpenSSL failed", at: now, into: &output)
    }

    /// How long between two looks at what runs.
    var checkInterval: Duration { max(.seconds(1), min(Self.checkInterval, configuration.silence / 3)) }

    /// Everyone is gone after a rotation: the beacon stops, and begins anew with the new name and keys.
    mutating func restartBeacon(_ running: Running, at now: Timestamp, into output: inout AccessPointOutput) {
        var setUp = SetUp(step: .startAP, deadline: now)
        setUp.radio = running.radio
        setUp.interface = running.interface
        setUp.interface?.name = running.name
        setUp.country = running.country
        setUp.countryIsKnown = running.countryIsKnown
        setUp.security = SecurityPlan(configuration.security, abilities: abilities(of: running.radio))
        setUp.channel = running.channel
        setUp.isPrepared = true
        setUp.isRotation = true
        restartBeacon(setUp, at: now, into: &output)
    }

    /// The same with everything but the beacon in its place.
    mutating func restartBeacon(_ setUp: SetUp, at now: Timestamp, into output: inout AccessPointOutput) {
        guard let index = setUp.interface?.index else { return }
        pending = [:]
        closeEAPOL(into: &output)
        attemptBegan = now
        phase = .settingUp(setUp)
        send(.nl80211(.stopAccessPoint(interface: index)), for: .any, at: now, into: &output)
        startBeacon(at: now, into: &output)
    }
}
