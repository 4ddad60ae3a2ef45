import IEEE80211
import NL80211
import Netlink
import SansIO
import Stations

/// Sending everyone away, and what comes after that.
extension AccessPoint {
    mutating func leave(
        _ running: Running, because reason: LeavingReason, at now: Timestamp, into output: inout AccessPointOutput
    ) {
        phase = .leaving(running, reason, deadline: now + Self.leavingTimeout)
        drive(.removeAll(.leaving), at: now, into: &output)
    }

    /// Ends the beacon and leaves the interface as it was.
    mutating func leaveInterface(_ index: UInt32, at now: Timestamp, into output: inout AccessPointOutput) {
        send(.nl80211(.stopAccessPoint(interface: index)), for: .any, at: now, into: &output)
        send(.route(.setLink(index: index, isUp: false)), for: .any, at: now, into: &output)
        switch origins.removeValue(forKey: index) {
        case .made: send(.nl80211(.deleteInterface(index: index)), for: .any, at: now, into: &output)
        case .type(let type) where type != .accessPoint:
            send(.nl80211(.setInterface(index: index, type: type)), for: .any, at: now, into: &output)
        case .type, nil: break
        }
    }

    /// Everyone is gone, or has had the time to.
    mutating func emptied(at now: Timestamp, into output: inout AccessPointOutput) {
        guard case .leaving(let running, let reason, _) = phase else { return }
        stations = nil
        switch reason {
        case .rotation: restartBeacon(running, at: now, into: &output)
        case .restart:
            lastChannel = nil
            output.events.append(.down(.failed(step: "change the Wi-Fi", reason: "its settings were changed")))
            backoff.reset()
            begin(at: now, into: &output)
        case .stop:
            leaveInterface(running.interface.index, at: now, into: &output)
            pending = [:]
            closeEAPOL(into: &output)
            phase = .stopped
            output.events.append(.stopped)
        }
    }
}
