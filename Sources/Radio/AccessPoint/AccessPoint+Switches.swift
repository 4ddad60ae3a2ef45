import NL80211
import SansIO

/// Switches of radios (rfkill), and radios that give way to others.
extension AccessPoint {
    /// The switches that keep a radio off: its own. What a switch of the machine does to this radio its own one shows, or
    /// its interface; one that is for another radio does nothing to it.
    private func blockers(of radio: Wiphy) -> [NamedSwitch] { switches.filter { $0.isOff && $0.name == radio.name } }

    /// Whether a software block is nobody's wish. The kernel may be told to have each new radio off (rfkill.default_state),
    /// and tells of it first as on. So a switch is obeyed from the first access point under it on; and where somebody has
    /// switched one off, others that come are off by the same wish.
    private func mayLift(_ blocker: NamedSwitch) -> Bool {
        blocker.isSoftBlocked && !isWishedOff && !heeded.contains(blocker.index)
    }

    private func canBeOn(_ one: NamedSwitch) -> Bool { !one.isHardBlocked && (!one.isSoftBlocked || mayLift(one)) }

    /// Whether a radio is on, or may be switched on.
    func canBeOn(_ radio: Wiphy) -> Bool { blockers(of: radio).allSatisfy { canBeOn($0) } }

    /// An access point is up on this radio: who switches it off from now on wants that.
    mutating func heed(_ radio: Wiphy) {
        heeded.formUnion(switches.filter { $0.name == radio.name || !$0.isRadios }.map(\.index))
    }

    /// Lifts what is nobody's wish.
    /// - Returns: whether the radio is on.
    mutating func switchesAreOn(
        of radio: Wiphy, at now: Timestamp, into output: inout AccessPointOutput
    ) -> Bool {
        // One of the machine may be what holds the radio's own.
        let unwished = switches.filter { mayLift($0) && ($0.name == radio.name || !$0.isRadios) }
        for one in unwished { output.actions.append(.unblock(switch: one.index)) }
        guard !blockers(of: radio).isEmpty else { return true }
        if unwished.isEmpty {
            isBlocked(mayBeLifted: false, at: now, into: &output)
        } else {
            pause(.awaitSwitch, for: .seconds(1), at: now)
        }
        return false
    }

    /// The radio is off.
    /// - Parameter mayBeLifted: whether that was not tried yet.
    mutating func isBlocked(mayBeLifted: Bool, at now: Timestamp, into output: inout AccessPointOutput) {
        let radio: Wiphy? =
            switch phase {
            case .settingUp(let setUp): setUp.radio
            case .running(let running), .leaving(let running, _, _): running.radio
            case .stopped, .waiting: nil
            }
        guard let radio else { return }
        let own = blockers(of: radio)
        let isHard = (own.isEmpty ? switches : own).contains(where: \.isHardBlocked)
        if mayBeLifted, !own.isEmpty, canBeOn(radio) {
            return giveUp(.switchedOff(byHardware: false), wait: Self.settling, at: now, into: &output)
        }
        passOver(.switchedOff(byHardware: isHard), at: now, into: &output)
    }

    /// This radio can't at present: the next one has its turn, at once. When each had its own there is time.
    mutating func passOver(_ trouble: AccessPointTrouble, at now: Timestamp, into output: inout AccessPointOutput) {
        radioTurn &+= 1
        passedOver &+= 1
        let isRound = passedOver >= candidateCount
        if isRound { passedOver = 0 }
        giveUp(trouble, wait: isRound ? Self.patience : Self.settling, at: now, into: &output)
    }

    /// All switches, as they are now.
    mutating func take(_ now: [NamedSwitch], at time: Timestamp, into output: inout AccessPointOutput) {
        let former = switches.filter(\.isSoftBlocked).map(\.index)
        heeded.formIntersection(now.map(\.index))
        switches = now
        if case .running(let running) = phase { heed(running.radio) }
        for one in now where one.isSoftBlocked != former.contains(one.index) {
            if !one.isSoftBlocked {
                isWishedOff = false
            } else if heeded.contains(one.index) {
                isWishedOff = true
            }
        }
        switch phase {
        case .waiting(let until):
            let radios = now.filter(\.isRadios)
            let judged = radios.isEmpty ? now : radios
            if case .switchedOff = failure, now.contains(where: { canBeOn($0) }) {
                phase = .waiting(until: min(until, time + Self.settling))
            } else if !judged.isEmpty, !judged.contains(where: { canBeOn($0) }) {
                // It may have been the first to be told, or the last.
                failure = .switchedOff(byHardware: judged.contains(where: \.isHardBlocked))
                phase = .waiting(until: time + Self.patience)
            }
        case .settingUp(let setUp):
            guard setUp.step == .awaitSwitch, let radio = setUp.radio, blockers(of: radio).isEmpty else { return }
            take(.getRegulatory, .nl80211(.getRegulatory(wiphy: nil)), at: time, into: &output)
        case .running(let running):
            guard !blockers(of: running.radio).isEmpty else { return }
            isBlocked(mayBeLifted: false, at: time, into: &output)
        case .stopped, .leaving: break
        }
    }
}

extension NamedSwitch {
    fileprivate var isOff: Bool { isSoftBlocked || isHardBlocked }
    /// Whether it is a radio's own; others are a laptop's keys and the like.
    fileprivate var isRadios: Bool { name.hasPrefix("phy") }
}
