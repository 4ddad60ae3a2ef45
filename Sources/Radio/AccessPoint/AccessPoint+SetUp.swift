import IEEE80211
import NL80211
import Netlink
import SansIO
import Stations
import WiFiCrypto
import Wire

extension AccessPoint {
    /// Begins from the machine's present state.
    mutating func begin(at now: Timestamp, into output: inout AccessPointOutput) {
        if case .settingUp(let setUp) = phase, setUp.isRotation {
            // It was up, and is not any more.
            output.events.append(.down(.failed(step: setUp.step.words, reason: "it begins anew")))
        }
        endBeacon(at: now, into: &output)
        pending = [:]
        closeEAPOL(into: &output)
        attemptBegan = now
        phase = .settingUp(SetUp(step: .listRadios, deadline: now))
        take(.listRadios, .nl80211(.getWiphys), at: now, into: &output)
    }

    /// Takes a step that asks the kernel.
    mutating func take(
        _ step: SetUp.Step, _ request: NetlinkRequest, at now: Timestamp, into output: inout AccessPointOutput
    ) {
        guard case .settingUp(var setUp) = phase else { return }
        setUp.step = step
        setUp.hasHeard = false
        setUp.deadline = now + Self.answerTimeout
        phase = .settingUp(setUp)
        send(request, for: .step, at: now, into: &output)
    }

    /// Waits for something other than an answer.
    mutating func pause(_ step: SetUp.Step, for time: Duration, at now: Timestamp) {
        guard case .settingUp(var setUp) = phase else { return }
        setUp.step = step
        setUp.deadline = now + time
        phase = .settingUp(setUp)
    }

    mutating func change(_ body: (inout SetUp) -> Void) {
        guard case .settingUp(var setUp) = phase else { return }
        // So that what it holds is not copied.
        phase = .stopped
        body(&setUp)
        phase = .settingUp(setUp)
    }

    /// The step's answer has come.
    mutating func advance(
        _ reply: Result<NetlinkReply, NetlinkFailure>, at now: Timestamp, into output: inout AccessPointOutput
    ) {
        guard case .settingUp(let setUp) = phase else { return }
        let answer: NetlinkReply
        switch reply {
        case .success(let got): answer = got
        case .failure(let failure): return failed(setUp, failure, at: now, into: &output)
        }
        switch setUp.step {
        case .listRadios:
            change { $0.radios = answer.wiphys }
            take(.listInterfaces, .nl80211(.getInterfaces), at: now, into: &output)
        case .listInterfaces:
            change { $0.interfaces = answer.interfaces }
            chooseRadio(at: now, into: &output)
        case .getRegulatory:
            change { $0.country = answer.country }
            setCountry(at: now, into: &output)
        case .setRegulatory:
            pause(.awaitRegulatory, for: Self.regulatoryTimeout, at: now)
            if setUp.hasHeard { regulatoryChanged(at: now, into: &output) }
        case .getRegulatoryAgain:
            change { setUp in
                setUp.country = answer.country
            }
            take(.listRadiosAgain, .nl80211(.getWiphys), at: now, into: &output)
        case .listRadiosAgain:
            let radios = answer.wiphys
            guard let radio = radios.first(where: { $0.index == setUp.radio?.index }) else {
                return fail(setUp.step.words, "the radio is gone", at: now, into: &output)
            }
            change { $0.radio = radio }
            countryIsSet(at: now, into: &output)
        case .makeInterface:
            guard let interface = answer.interfaces.compactMap(AccessInterface.init).first else {
                return fail(setUp.step.words, "the kernel did not say which", at: now, into: &output)
            }
            remember(interface.index, .made)
            change { $0.interface = interface }
            takeDown(at: now, into: &output)
        case .takeDown: setType(at: now, into: &output)
        case .setType: takeUp(at: now, into: &output)
        case .takeUp: isUp(at: now, into: &output)
        case .triggerScan:
            pause(.awaitScan, for: Self.scanTimeout, at: now)
            if setUp.hasHeard { scanned(setUp.interface?.index, at: now, into: &output) }
        case .readScan:
            change { $0.neighbours = answer.neighbours }
            if let interface = setUp.interface {
                take(.readSurvey, .nl80211(.getSurvey(interface: interface.index)), at: now, into: &output)
            }
        case .readSurvey:
            change { $0.busy = answer.busy }
            chooseChannel(at: now, into: &output)
        case .register(let count): register(count + 1, at: now, into: &output)
        case .startAP: beaconing(at: now, into: &output)
        case .setBSS, .awaitRegulatory, .awaitScan, .awaitSwitch, .awaitPreparation: break
        }
    }

    /// A step was refused. Some can be done without.
    private mutating func failed(
        _ setUp: SetUp, _ failure: NetlinkFailure, at now: Timestamp, into output: inout AccessPointOutput
    ) {
        if failure.number == .busy, [.setType, .takeUp, .startAP].contains(setUp.step),
            isShared(setUp, at: now, into: &output)
        {
            return
        }
        switch setUp.step {
        case .setRegulatory, .getRegulatory, .getRegulatoryAgain:
            // Rules that can't be changed, those of a radio that keeps its own; what it reports of channels holds.
            if case .getRegulatoryAgain = setUp.step { return countryIsSet(at: now, into: &output) }
            take(.getRegulatoryAgain, .nl80211(.getRegulatory(wiphy: nil)), at: now, into: &output)
        case .triggerScan, .readScan, .readSurvey: chooseChannel(at: now, into: &output)
        case .register(let count) where failure.number == .already: register(count + 1, at: now, into: &output)
        // Lists have no other reason for it.
        case .listRadios where failure.number == .notFound, .listInterfaces where failure.number == .notFound,
            .listRadiosAgain where failure.number == .notFound:
            familyIsGone(at: now, into: &output)
        case .takeUp where failure.number == .radioKilled:
            // A switch that came with its radio may have been set only now.
            isBlocked(mayBeLifted: true, at: now, into: &output)
        case .setType where failure.number == .notSupported: passOver(.noCapableRadio, at: now, into: &output)
        case .startAP: refusedToStart(setUp, failure, at: now, into: &output)
        case .listRadios, .listInterfaces, .awaitRegulatory, .listRadiosAgain, .makeInterface, .takeDown, .setType,
            .takeUp, .awaitScan, .register, .setBSS, .awaitSwitch, .awaitPreparation:
            fail(setUp.step.words, failure.description, at: now, into: &output)
        }
    }

    /// Another interface of the radio may be on a channel of its own, or be one more than the radio can have. Where the box
    /// chooses its interface the radio is all its own; who names one may want both.
    /// - Returns: whether there is another one.
    private mutating func isShared(
        _ setUp: SetUp, at now: Timestamp, into output: inout AccessPointOutput
    ) -> Bool {
        let others = setUp.interfaces.filter {
            $0.wiphy == setUp.radio?.index && $0.index != nil && $0.index != setUp.interface?.index
        }
        guard let other = others.first else { return false }
        var reason = "the radio is busy with \(other.name)"
        if configuration.interface == nil {
            for index in others.compactMap(\.index) {
                send(.route(.setLink(index: index, isUp: false)), for: .any, at: now, into: &output)
            }
        } else {
            reason += "; take that down, or set wifi.channel to its channel"
        }
        fail(setUp.step.words, reason, at: now, into: &output)
        return true
    }

    /// The chip does not do what it announces: less is asked of it, as long as there is less to ask.
    private mutating func refusedToStart(
        _ setUp: SetUp, _ failure: NetlinkFailure, at now: Timestamp, into output: inout AccessPointOutput
    ) {
        guard let radio = setUp.radio, let channel = setUp.channel, let security = setUp.security else { return }
        if failure.number == .invalid || failure.number == .notSupported, channel.width > .mhz20NoHT,
            let narrower = ChannelWidth(rawValue: channel.width.rawValue - 1)
        {
            widthLimits[radio.name] = narrower
            lastChannel = nil
            return chooseChannel(at: now, into: &output)
        }
        // It was not the width; a later attempt may have the whole again.
        widthLimits[radio.name] = nil
        guard security.kind == .offloaded, security.offersSAE, security.offersPSK, !failure.isFatal else {
            withoutSAE = withoutSAE == radio.name ? nil : withoutSAE
            return fail(setUp.step.words, failure.description, at: now, into: &output)
        }
        // Firmware may announce SAE that its driver can't pass the password for (brcmf_fwvid_set_sae_password). WPA2 is what
        // the phones need that know no other, and the others know it too.
        withoutSAE = radio.name
        lastChannel = nil
        begin(at: now, into: &output)
    }

    /// What bears on the security of a radio's network.
    func abilities(of radio: Wiphy) -> SecurityAbilities {
        var abilities = radio.securityAbilities
        if withoutSAE == radio.name { abilities.offloadsSAE = false }
        return abilities
    }

    /// A step that waits for an event has waited long enough.
    mutating func awaitedTooLong(at now: Timestamp, into output: inout AccessPointOutput) {
        guard case .settingUp(let setUp) = phase else { return }
        switch setUp.step {
        case .awaitRegulatory:
            // The kernel does not tell of a country that it has no rules for.
            take(.getRegulatoryAgain, .nl80211(.getRegulatory(wiphy: nil)), at: now, into: &output)
        case .awaitScan: chooseChannel(at: now, into: &output)
        case .awaitSwitch: isBlocked(mayBeLifted: false, at: now, into: &output)
        case .awaitPreparation:
            mayBeaconFirst = false
            fail(setUp.step.words, "it takes too long", at: now, into: &output)
        case .listRadios, .listInterfaces, .getRegulatory, .setRegulatory, .listRadiosAgain, .getRegulatoryAgain,
            .makeInterface, .takeDown, .setType, .takeUp, .triggerScan, .readScan, .readSurvey, .register, .startAP,
            .setBSS:
            fail(setUp.step.words, "the driver did not answer in time", at: now, into: &output)
        }
    }

    // MARK: The radio

    private mutating func chooseRadio(at now: Timestamp, into output: inout AccessPointOutput) {
        guard case .settingUp(let setUp) = phase else { return }
        if let name = configuration.interface {
            guard let interface = setUp.interfaces.first(where: { $0.name == name }),
                let radio = setUp.radios.first(where: { $0.index == interface.wiphy })
            else { return giveUp(.noInterface(name), wait: Self.patience, at: now, into: &output) }
            guard radio.canBeAccessPoint else {
                return giveUp(.incapableInterface(name), wait: Self.patience, at: now, into: &output)
            }
            interface.index.map { remember($0, .type(interface.type)) }
            candidateCount = 1
            return use(radio, AccessInterface(interface), at: now, into: &output)
        }
        guard !setUp.radios.isEmpty else { return giveUp(.noRadio, wait: Self.patience, at: now, into: &output) }
        // One by which the machine is on no other network, before one that would have to leave it.
        let connected = Set(setUp.interfaces.filter { $0.type == .station && $0.ssid != nil }.map(\.wiphy))
        let capable = setUp.radios.filter { $0.canBeAccessPoint && $0.cipherSuites.contains(.ccmp) }.sorted {
            (connected.contains($0.index) ? 1 : 0, $0.index) < (connected.contains($1.index) ? 1 : 0, $1.index)
        }
        guard !capable.isEmpty else { return giveUp(.noCapableRadio, wait: Self.patience, at: now, into: &output) }
        // One that can do what is asked for, before one that can't.
        let able = capable.filter { SecurityPlan(configuration.security, abilities: abilities(of: $0)) != nil }
        let suitable = able.isEmpty ? capable : able
        // One that is on, or may be switched on, before one that is off.
        let usable = suitable.filter { canBeOn($0) }
        let candidates = usable.isEmpty ? suitable : usable
        candidateCount = candidates.count
        let radio = candidates[radioTurn % candidates.count]
        let own = setUp.interfaces.filter { $0.wiphy == radio.index }.sorted { $0.index ?? .max < $1.index ?? .max }
        let interface = own.first { $0.type == .accessPoint } ?? own.first { $0.type == .station }
        if let interface, let index = interface.index { remember(index, .type(interface.type)) }
        use(radio, interface.flatMap(AccessInterface.init), at: now, into: &output)
    }

    private mutating func use(
        _ radio: Wiphy, _ interface: AccessInterface?, at now: Timestamp, into output: inout AccessPointOutput
    ) {
        guard let security = SecurityPlan(configuration.security, abilities: abilities(of: radio)) else {
            return giveUp(
                .noSecurity(configuration.security, radio: radio.name), wait: Self.patience, at: now, into: &output)
        }
        change { setUp in
            setUp.radio = radio
            setUp.interface = interface
            setUp.security = security
        }
        guard switchesAreOn(of: radio, at: now, into: &output) else { return }
        take(.getRegulatory, .nl80211(.getRegulatory(wiphy: nil)), at: now, into: &output)
    }

    /// Notes what an interface was when it was first met.
    private mutating func remember(_ interface: UInt32, _ origin: Origin) {
        guard origins[interface] == nil else { return }
        if origins.count >= Self.maximumOrigins { origins.removeAll() }
        origins[interface] = origin
    }

    // MARK: The country

    private mutating func setCountry(at now: Timestamp, into output: inout AccessPointOutput) {
        guard case .settingUp(let setUp) = phase else { return }
        guard let country = configuration.country, country != setUp.country else {
            return countryIsSet(at: now, into: &output)
        }
        take(.setRegulatory, .nl80211(.setRegulatory(alpha2: country)), at: now, into: &output)
    }

    /// The kernel has told of a regulatory domain.
    mutating func regulatoryChanged(at now: Timestamp, into output: inout AccessPointOutput) {
        guard case .settingUp(let setUp) = phase else { return }
        if setUp.step == .setRegulatory { return change { $0.hasHeard = true } }
        guard setUp.step == .awaitRegulatory else { return }
        take(.getRegulatoryAgain, .nl80211(.getRegulatory(wiphy: nil)), at: now, into: &output)
    }

    private mutating func countryIsSet(at now: Timestamp, into output: inout AccessPointOutput) {
        guard case .settingUp(let setUp) = phase else { return }
        let wanted = configuration.country
        change { $0.countryIsKnown = wanted == $0.country }
        if setUp.interface != nil {
            takeDown(at: now, into: &output)
        } else if let radio = setUp.radio {
            let taken = Set(setUp.interfaces.map(\.name))
            let name = (0...).lazy.map { "wlan\($0)" }.first { !taken.contains($0) } ?? "wlan0"
            take(
                .makeInterface,
                .nl80211(
                    .newInterface(
                        wiphy: radio.index, name: name, type: .accessPoint, address: nil, isOwnedBySocket: false)),
                at: now, into: &output)
        }
    }

    // MARK: The interface

    private mutating func takeDown(at now: Timestamp, into output: inout AccessPointOutput) {
        guard case .settingUp(let setUp) = phase, let interface = setUp.interface else { return }
        // An answer that came already was to a former attempt.
        change { $0.isPrepared = false }
        output.events.append(.preparing(interface: interface.name))
        // An access point, or anything else, that was left running on it ends with that. What comes in by a bridge's port
        // passes by all rules about the port.
        let isAlone = RouteRequest.setLink(index: interface.index, isUp: false, isAlone: true)
        take(.takeDown, .route(isAlone), at: now, into: &output)
    }

    private mutating func setType(at now: Timestamp, into output: inout AccessPointOutput) {
        guard case .settingUp(let setUp) = phase, let interface = setUp.interface else { return }
        take(.setType, .nl80211(.setInterface(index: interface.index, type: .accessPoint)), at: now, into: &output)
    }

    private mutating func takeUp(at now: Timestamp, into output: inout AccessPointOutput) {
        guard case .settingUp(let setUp) = phase, let interface = setUp.interface else { return }
        take(.takeUp, .route(.setLink(index: interface.index, isUp: true)), at: now, into: &output)
    }

    // MARK: The channel

    private mutating func isUp(at now: Timestamp, into output: inout AccessPointOutput) {
        guard case .settingUp(let setUp) = phase, let radio = setUp.radio, let interface = setUp.interface else {
            return
        }
        let plan = channelPlan(radio, countryIsKnown: setUp.countryIsKnown)
        change { $0.plan = plan }
        if let last = lastChannel, last.radio == radio.name, last.request == configuration.channel,
            plan.candidates.contains(last.channel)
        {
            change { $0.channel = last.channel }
            return startBeacon(at: now, into: &output)
        }
        let frequencies = plan.scanFrequencies
        guard !frequencies.isEmpty else { return chooseChannel(at: now, into: &output) }
        take(
            .triggerScan,
            .nl80211(
                .triggerScan(ScanParameters(interface: interface.index, frequencies: frequencies.map { UInt32($0) }))),
            at: now, into: &output)
    }

    private func channelPlan(_ radio: Wiphy, countryIsKnown: Bool) -> ChannelPlan {
        ChannelPlan(
            reports: radio.channelReports, request: configuration.channel, countryIsKnown: countryIsKnown,
            hasHT: { radio.ht(in: $0) != nil }, hasVHT: radio.vht(in: .ghz5) != nil,
            widthLimit: widthLimits[radio.name] ?? .mhz80)
    }

    /// The scan is over.
    mutating func scanned(_ interface: UInt32?, at now: Timestamp, into output: inout AccessPointOutput) {
        guard case .settingUp(let setUp) = phase, let own = setUp.interface, interface == own.index else { return }
        if setUp.step == .triggerScan { return change { $0.hasHeard = true } }
        guard setUp.step == .awaitScan else { return }
        take(.readScan, .nl80211(.getScan(interface: own.index)), at: now, into: &output)
    }

    private mutating func chooseChannel(at now: Timestamp, into output: inout AccessPointOutput) {
        guard case .settingUp(let setUp) = phase, let radio = setUp.radio else { return }
        let plan = channelPlan(radio, countryIsKnown: setUp.countryIsKnown)
        guard let channel = plan.choose(neighbours: setUp.neighbours, busy: setUp.busy) else {
            return passOver(.noChannel(radio: radio.name), at: now, into: &output)
        }
        change { setUp in
            setUp.plan = plan
            setUp.channel = channel
        }
        lastChannel = (configuration.channel, radio.name, channel)
        startBeacon(at: now, into: &output)
    }
}
