import IEEE80211
import NL80211
import Netlink
import SansIO
import Stations
import Wire

extension AccessPoint {
    /// nl80211 tells something.
    mutating func take(_ event: NL80211Event, at now: Timestamp, into output: inout AccessPointOutput) {
        switch event {
        case .newWiphy: appeared(at: now)
        case .wiphyRemoved(let index):
            guard index == ownRadio else { return }
            fail("the radio", "it is gone", at: now, into: &output)
        case .interface(let interface): take(interface, at: now, into: &output)
        case .interfaceRemoved(let interface):
            guard let index = interface.index, index == ownInterface else { return }
            fail("the interface", "it is gone", at: now, into: &output)
        case .accessPointStopped(let interface):
            guard case .running(let running) = phase, interface == running.interface.index else { return }
            // Just after a rotation it may be our own stop that is told: the kernel knows.
            if running.isRotated, now - running.since < .seconds(1) {
                return check(running, at: now, into: &output)
            }
            fail("the beacon", "the driver has stopped it", at: now, into: &output)
        case .scanFinished(let interface), .scanAborted(let interface): scanned(interface, at: now, into: &output)
        case .regulatoryChange: regulatoryChanged(at: now, into: &output)
        case .frame(let frame):
            guard frame.interface == present?.interface.index else { return }
            drive(.frame(frame.frame, signal: frame.signal.map(Int.init)), at: now, into: &output)
        case .frameTransmitted(let status):
            guard status.interface == present?.interface.index else { return }
            reported(status.cookie, status.wasAcknowledged, at: now, into: &output)
        case .controlPortFrame(let frame):
            guard frame.interface == present?.interface.index, frame.ethertype == ControlPort.ethertype else { return }
            drive(.eapol(frame.source, frame.frame, wasEncrypted: !frame.wasUnencrypted), at: now, into: &output)
        case .newStation(let station):
            guard let running = present, station.interface == running.interface.index,
                running.security.kind != .softMAC
            else { return }
            drive(.associated(station.address, station.associationElements ?? []), at: now, into: &output)
        case .stationRemoved(let interface, let address):
            guard let running = present, interface == running.interface.index, running.security.kind != .softMAC else {
                return
            }
            drive(.removed(address), at: now, into: &output)
        case .connectionFailed(let interface, let address, let reason):
            guard interface == present?.interface.index else { return }
            drive(.refused(address, isFull: reason == .full), at: now, into: &output)
        case .probed(let probe):
            guard probe.interface == present?.interface.index else { return }
            drive(.probed(probe.address, probe.wasAcknowledged), at: now, into: &output)
        case .channelSwitched(let interface, _):
            guard case .running(let running) = phase, interface == running.interface.index else { return }
            // Somebody else's doing, or the chip's: what the beacon says is no longer so.
            fail("the channel", "it was changed", at: now, into: &output)
        case .unexpectedFrame(let interface, let station):
            guard interface == present?.interface.index else { return }
            drive(.unexpectedFrame(station), at: now, into: &output)
        case .controlPortFrameTransmitted(let status):
            guard status.interface == present?.interface.index else { return }
            reported(status.cookie, status.wasAcknowledged, at: now, into: &output)
        case .scanStarted(let interface): disturbed(interface, at: now, into: &output)
        case .accessPointStarted, .radar, .other:
            break
        }
    }

    /// rtnetlink tells something of a network interface.
    mutating func take(_ event: RouteEvent, at now: Timestamp, into output: inout AccessPointOutput) {
        switch event {
        case .link(let link):
            guard link.index == ownInterface else { return }
            let isAlone = link.controller ?? 0 == 0
            change { $0.isAlone = isAlone }
            guard case .running(let running) = phase else { return }
            guard isAlone else { return failAsPort(at: now, into: &output) }
            guard link.flags.contains(.up) else {
                return fail("the interface", "it was taken down", at: now, into: &output)
            }
            if !link.name.isEmpty, link.name != running.name { renamed(to: link.name, into: &output) }
        case .linkRemoved(let link):
            guard link.index == ownInterface else { return }
            fail("the interface", "it is gone", at: now, into: &output)
        case .address, .addressRemoved: break
        }
    }

    /// Another program has put the interface into a bridge, where nothing keeps the Wi-Fi apart. It leaves that as it is
    /// taken down.
    mutating func failAsPort(at now: Timestamp, into output: inout AccessPointOutput) {
        fail(
            "the interface", "another program has put it into a bridge; take it out of that program's settings",
            at: now, into: &output)
    }

    private mutating func take(
        _ interface: WirelessInterface, at now: Timestamp, into output: inout AccessPointOutput
    ) {
        guard let index = interface.index, index == ownInterface else { return appeared(at: now) }
        guard case .running = phase else { return }
        if interface.type != .accessPoint {
            fail("the interface", "another program has made it something else", at: now, into: &output)
        }
    }

    /// Another program looks for networks by the interface that beacons: wpa_supplicant does so for half of the time where it
    /// was left running. Phones get no answer until that is over, so it is broken off. A scan by another interface of the
    /// radio is somebody's wish.
    private mutating func disturbed(_ interface: UInt32, at now: Timestamp, into output: inout AccessPointOutput) {
        guard case .running(let running) = phase, interface == running.interface.index else { return }
        changeRunning { running in
            if now - running.strangeScans.last > Running.strangeScanMemory { running.strangeScans.count = 0 }
            running.strangeScans = (running.strangeScans.count + 1, now)
        }
        guard pending.count < Self.maximumPending else { return }
        send(.nl80211(.abortScan(interface: interface)), for: .any, at: now, into: &output)
    }

    /// The interface has another name; the network on it has to follow.
    mutating func renamed(to name: String, into output: inout AccessPointOutput) {
        guard let running = present else { return }
        changeRunning { $0.name = name }
        output.events.append(.up(interface: name, index: running.interface.index))
    }

    /// A radio or an interface has come: it may be what is waited for.
    private mutating func appeared(at now: Timestamp) {
        guard case .waiting(let until) = phase else { return }
        backoff.reset()
        phase = .waiting(until: min(until, now + Self.settling))
    }

    private var ownRadio: UInt32? {
        switch phase {
        case .settingUp(let setUp): setUp.radio?.index
        case .running(let running), .leaving(let running, _, _): running.radio.index
        case .stopped, .waiting: nil
        }
    }

    var ownInterface: UInt32? {
        switch phase {
        case .settingUp(let setUp): setUp.interface?.index
        case .running(let running), .leaving(let running, _, _): running.interface.index
        case .stopped, .waiting: nil
        }
    }
}
