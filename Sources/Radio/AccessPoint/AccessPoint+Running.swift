import Authenticator
import IEEE80211
import NL80211
import Netlink
import SansIO
import Stations
import WiFiCrypto
import Wire

extension AccessPoint {
    /// What is passed on to the stations, owning what it holds.
    enum StationsHappening {
        case started
        case wake
        case frame([UInt8], signal: Int?)
        case eapol(MACAddress, [UInt8], wasEncrypted: Bool?)
        case associated(MACAddress, [UInt8])
        case removed(MACAddress)
        case refused(MACAddress, isFull: Bool)
        case added(MACAddress, Bool)
        case transmitted(TransmissionID, Bool)
        case probed(MACAddress, Bool)
        case activity(MACAddress, Duration, signal: Int?)
        case unexpectedFrame(MACAddress)
        case eapolAcknowledged(MACAddress)
        case groupSequences(UInt8, gtk: UInt64, igtk: UInt64)
        case removeAll(ReasonCode)
    }

    /// What runs, whether everyone is being removed or not.
    var present: Running? {
        switch phase {
        case .running(let running), .leaving(let running, _, _): running
        case .stopped, .waiting, .settingUp: nil
        }
    }

    /// Changes what runs.
    mutating func changeRunning(_ body: (inout Running) -> Void) {
        switch phase {
        case .running(var running):
            phase = .stopped
            body(&running)
            phase = .running(running)
        case .leaving(var running, let reason, let deadline):
            phase = .stopped
            body(&running)
            phase = .leaving(running, reason, deadline: deadline)
        case .stopped, .waiting, .settingUp: break
        }
    }

    /// Passes something on to the stations and carries out what they want.
    mutating func drive(_ happening: StationsHappening, at now: Timestamp, into output: inout AccessPointOutput) {
        guard present != nil, stations != nil else { return }
        stationsOutput.removeAll()
        let wake: Timestamp? =
            switch happening {
            case .started: stations?.handle(.started, at: now, into: &stationsOutput) ?? nil
            case .wake: stations?.handle(.wake, at: now, into: &stationsOutput) ?? nil
            case .frame(let bytes, let signal):
                stations?.handle(.managementFrame(bytes.span.bytes, signal: signal), at: now, into: &stationsOutput)
                    ?? nil
            case .eapol(let station, let bytes, let wasEncrypted):
                stations?.handle(
                    .eapol(from: station, bytes.span.bytes, wasEncrypted: wasEncrypted), at: now, into: &stationsOutput)
                    ?? nil
            case .associated(let station, let elements):
                stations?.handle(.associated(station, elements: elements.span.bytes), at: now, into: &stationsOutput)
                    ?? nil
            case .removed(let station): stations?.handle(.removed(station), at: now, into: &stationsOutput) ?? nil
            case .refused(let station, let isFull):
                stations?.handle(.refusedByChip(station, isFull: isFull), at: now, into: &stationsOutput) ?? nil
            case .added(let station, let succeeded):
                stations?.handle(.stationAdded(station, succeeded: succeeded), at: now, into: &stationsOutput) ?? nil
            case .transmitted(let id, let acknowledged):
                stations?.handle(.transmitted(id, acknowledged: acknowledged), at: now, into: &stationsOutput) ?? nil
            case .probed(let station, let acknowledged):
                stations?.handle(.probed(station, acknowledged: acknowledged), at: now, into: &stationsOutput) ?? nil
            case .activity(let station, let inactive, let signal):
                stations?.handle(.activity(station, inactive: inactive, signal: signal), at: now, into: &stationsOutput)
                    ?? nil
            case .unexpectedFrame(let station):
                stations?.handle(.unexpectedFrame(from: station), at: now, into: &stationsOutput) ?? nil
            case .eapolAcknowledged(let station):
                stations?.handle(.eapolAcknowledged(station), at: now, into: &stationsOutput) ?? nil
            case .groupSequences(let index, let gtk, let igtk):
                stations?.handle(
                    .groupSequences(gtkIndex: index, gtk: gtk, igtk: igtk), at: now, into: &stationsOutput) ?? nil
            case .removeAll(let reason): stations?.handle(.removeAll(reason), at: now, into: &stationsOutput) ?? nil
            }
        changeRunning { $0.stationsWake = wake }
        let wanted = stationsOutput
        for action in wanted.actions { carryOut(action, at: now, into: &output) }
        for event in wanted.events {
            output.events.append(.station(event))
            if event == .emptied { emptied(at: now, into: &output) }
        }
    }

    private mutating func carryOut(
        _ action: StationsAction, at now: Timestamp, into output: inout AccessPointOutput
    ) {
        guard let running = present, pending.count < Self.maximumPending else { return }
        let index = running.interface.index
        switch action {
        case .transmit(let frame, let id, let isBestEffort):
            send(
                .nl80211(
                    .sendFrame(FrameParameters(interface: index, frame: frame, wantsStatus: id != nil || !isBestEffort))
                ),
                for: id.map { .frame($0) } ?? .any, at: now, into: &output)
        case .sendEAPOL(let station, let frame, let isEncrypted):
            if isEAPOLSocketOpen {
                output.actions.append(.sendEAPOL(to: station, frame))
            } else {
                let tells = running.radio.has(.controlPortTransmitStatus)
                let parameters = ControlPortFrameParameters(
                    interface: index, destination: station, frame: frame, isUnencrypted: !isEncrypted,
                    wantsStatus: tells)
                send(
                    .nl80211(.sendControlPortFrame(parameters)), for: tells ? .eapol(station) : .any, at: now,
                    into: &output)
            }
        case .addStation(let station):
            send(
                .nl80211(Requests.station(index, station)),
                for: .addStation(station.address), at: now, into: &output)
        case .associate(let station):
            send(
                .nl80211(Requests.set(.associated, of: station, index)), for: .flags(.associated, station), at: now,
                into: &output)
        case .installPairwise(let station, let key, let cipher):
            send(
                .nl80211(
                    .newKey(
                        KeyParameters(
                            interface: index, station: station, index: 0, cipher: cipher, key: key.bytes.copied))),
                for: .station(station), at: now, into: &output)
        case .authorize(let station):
            send(
                .nl80211(Requests.set(.authorized, of: station, index)), for: .flags(.authorized, station), at: now,
                into: &output)
        case .removeStation(let station, let reason):
            send(
                .nl80211(.deleteStation(StationRemoval(interface: index, address: station, reason: reason))), for: .any,
                at: now, into: &output)
        case .probe(let station):
            // Without the driver it is asked by ARP, as any machine on a network; that it answered shows in how long it was
            // silent at the next look.
            guard running.radio.canProbe else {
                return send(.route(.getNeighbours), for: .addresses(station), at: now, into: &output)
            }
            send(.nl80211(.probeClient(interface: index, address: station)), for: .any, at: now, into: &output)
        case .installGroup(let keys):
            for (key, request) in Requests.groupKeys(index, keys, protects: running.security.protectsManagementFrames) {
                send(.nl80211(request), for: .groupKey(key), at: now, into: &output)
            }
        case .readGroupSequences(let gtkIndex, let igtkIndex):
            send(
                .nl80211(.getKey(interface: index, station: nil, index: gtkIndex)),
                for: .groupSequence(gtkIndex: gtkIndex, igtkIndex: igtkIndex), at: now, into: &output)
        case .setProtection(let nonERP, let nonHT):
            guard running.security.kind == .softMAC else { return }
            changeRunning { running in
                running.description.hasNonERPStations = nonERP
                running.description.hasNonHTStations = nonHT
            }
            guard let running = present else { return }
            send(
                .nl80211(
                    .setBeacon(interface: index, Requests.beacon(running.description, kind: running.security.kind))),
                for: .any, at: now, into: &output)
            send(.nl80211(Requests.bss(index, running.description)), for: .any, at: now, into: &output)
        }
    }

    /// An answer to a request of an access point that runs.
    mutating func answerRunning(
        _ purpose: Purpose, _ reply: Result<NetlinkReply, NetlinkFailure>, at now: Timestamp,
        into output: inout AccessPointOutput
    ) {
        if case .failure(let error) = reply, error.isFatal, present != nil {
            return fail("the driver", error.description, at: now, into: &output)
        }
        if case .failure(.answerLost) = reply { return lost(purpose, at: now, into: &output) }
        switch (purpose, reply) {
        case (.groupKey, .failure(let error)): fail("set the group key", error.description, at: now, into: &output)
        case (.groupKeyLook, .failure(let error)) where error.number == .notFound:
            fail("set the group key", error.description, at: now, into: &output)
        case (.addStation(let station), .success): drive(.added(station, true), at: now, into: &output)
        case (.addStation(let station), .failure), (.flags(_, let station), .failure),
            (.station(let station), .failure):
            drive(.added(station, false), at: now, into: &output)
        case (.frame(let id), .success(let reply)):
            guard case .done(let cookie?) = reply else { return }
            sent(.frame(id), cookie, at: now, into: &output)
        case (.eapol(let station), .success(let reply)):
            guard case .done(let cookie?) = reply else { return }
            sent(.eapol(station), cookie, at: now, into: &output)
        case (.groupSequence(let gtkIndex, let igtkIndex), .success(let reply)):
            guard let index = present?.interface.index, let gtk = reply.keySequence else { return }
            guard let igtkIndex else {
                return drive(.groupSequences(gtkIndex, gtk: gtk, igtk: 0), at: now, into: &output)
            }
            send(
                .nl80211(.getKey(interface: index, station: nil, index: igtkIndex)),
                for: .managementSequence(gtkIndex: gtkIndex, gtk: gtk), at: now, into: &output)
        case (.managementSequence(let gtkIndex, let gtk), .success(let reply)):
            drive(.groupSequences(gtkIndex, gtk: gtk, igtk: reply.keySequence ?? 0), at: now, into: &output)
        case (.frame(let id), .failure): drive(.transmitted(id, false), at: now, into: &output)
        case (.checkInterface, .success(let reply)): checked(reply.interfaces, at: now, into: &output)
        case (.checkStations, .success(let reply)): checked(reply.stations, at: now, into: &output)
        case (.checkInterface, .failure(let error)) where error.number == .notFound:
            familyIsGone(at: now, into: &output)
        case (.addresses(let station), .success(let reply)):
            guard let index = present?.interface.index else { return }
            let own = reply.machines.lazy.filter { $0.interface == index && $0.macAddress == station }
            for machine in own.prefix(Self.maximumAddressesAsked) {
                send(.route(.askNeighbour(interface: index, machine.address)), for: .any, at: now, into: &output)
            }
        case (.checkStations, .failure) where present?.security.kind == .offloaded:
            // Firmware that tells nothing of its stations finds out by itself who is gone.
            for station in stations?.reports ?? [] {
                drive(.activity(station.address, .zero, signal: nil), at: now, into: &output)
            }
        case (.checkInterface, .failure(let error)):
            fail("the interface", error.description, at: now, into: &output)
        case (.step, _), (.any, _), (.groupKey, .success), (.groupKeyLook, _), (.flags, .success), (.station, .success),
            (.checkStations, .failure), (.eapol, .failure), (.groupSequence, .failure), (.managementSequence, .failure),
            (.addresses, .failure):
            break
        }
    }

    /// An answer was lost, in a burst of strangers' frames mostly. The kernel carries out a request while that is being sent,
    /// so only what a driver may have refused is in doubt. That events were lost too is told next, and has everything else
    /// looked at.
    private mutating func lost(_ purpose: Purpose, at now: Timestamp, into output: inout AccessPointOutput) {
        guard let index = present?.interface.index else { return }
        switch purpose {
        case .groupKey(let key):
            // Not set again: a chip would count its packets anew with the same key.
            send(
                .nl80211(.getKey(interface: index, station: nil, index: key)), for: .groupKeyLook, at: now,
                into: &output)
        case .addStation(let station):
            // If it is not there, the next request for it is refused.
            drive(.added(station, true), at: now, into: &output)
        case .flags(let flag, let station):
            send(.nl80211(Requests.set(flag, of: station, index)), for: .station(station), at: now, into: &output)
        // Without its key it would be sent to unencrypted: it shall come again.
        case .station(let station): drive(.added(station, false), at: now, into: &output)
        case .frame(let id): drive(.transmitted(id, false), at: now, into: &output)
        case .step, .any, .groupKeyLook, .eapol, .groupSequence, .managementSequence, .checkInterface, .checkStations,
            .addresses:
            break
        }
    }

    // MARK: Frames

    private mutating func sent(
        _ frame: Running.Sent, _ cookie: UInt64, at now: Timestamp, into output: inout AccessPointOutput
    ) {
        var early: Bool?
        changeRunning { running in
            if let place = running.earlyReports.firstIndex(where: { $0.cookie == cookie }) {
                early = running.earlyReports.remove(at: place).acknowledged
            } else if running.cookies.count < Running.maximumCookies {
                running.cookies[cookie] = frame
            }
        }
        if let early { became(frame, acknowledged: early, at: now, into: &output) }
    }

    /// The driver tells what became of a frame.
    mutating func reported(
        _ cookie: UInt64, _ acknowledged: Bool, at now: Timestamp, into output: inout AccessPointOutput
    ) {
        guard let running = present else { return }
        if let frame = running.cookies[cookie] {
            changeRunning { $0.cookies[cookie] = nil }
            became(frame, acknowledged: acknowledged, at: now, into: &output)
        } else {
            changeRunning { running in
                if running.earlyReports.count >= Running.maximumEarlyReports { running.earlyReports.removeFirst() }
                running.earlyReports.append((cookie, acknowledged))
            }
        }
    }

    private mutating func became(
        _ frame: Running.Sent, acknowledged: Bool, at now: Timestamp, into output: inout AccessPointOutput
    ) {
        switch frame {
        case .frame(let id): drive(.transmitted(id, acknowledged), at: now, into: &output)
        case .eapol(let station): if acknowledged { drive(.eapolAcknowledged(station), at: now, into: &output) }
        }
    }

    // MARK: Looking after it

    /// Does what is due while it runs.
    mutating func tend(at now: Timestamp, into output: inout AccessPointOutput) {
        guard case .running(let running) = phase else { return }
        if let wake = running.stationsWake, wake <= now { drive(.wake, at: now, into: &output) }
        guard case .running(let running) = phase, running.nextCheck <= now else { return }
        check(running, at: now, into: &output)
    }

    /// Asks the kernel whether everything is still as it should be.
    mutating func check(_ running: Running, at now: Timestamp, into output: inout AccessPointOutput) {
        let next = now + checkInterval
        let known = Set(stations?.reports.map(\.address) ?? [])
        changeRunning { running in
            running.nextCheck = next
            running.checked = known
            if now - running.strangeScans.last > Running.strangeScanMemory { running.strangeScans.count = 0 }
        }
        send(.nl80211(.getInterfaces), for: .checkInterface, at: now, into: &output)
        send(.nl80211(.getStations(interface: running.interface.index)), for: .checkStations, at: now, into: &output)
    }

    private mutating func checked(
        _ interfaces: [WirelessInterface], at now: Timestamp, into output: inout AccessPointOutput
    ) {
        guard case .running(let running) = phase else { return }
        guard let interface = interfaces.first(where: { $0.index == running.interface.index }) else {
            return fail("the interface", "it is gone", at: now, into: &output)
        }
        guard interface.type == .accessPoint else {
            return fail("the interface", "another program has made it something else", at: now, into: &output)
        }
        // The kernel names the network only while its beacon is sent.
        guard let ssid = interface.ssid else {
            return fail("the beacon", "another program or the driver has stopped it", at: now, into: &output)
        }
        guard ssid == running.description.ssid else {
            return fail("the interface", "another program has made it another network", at: now, into: &output)
        }
        if interface.name != running.name { renamed(to: interface.name, into: &output) }
    }

    private mutating func checked(_ found: [StationInfo], at now: Timestamp, into output: inout AccessPointOutput) {
        guard case .running(let running) = phase else { return }
        var information: [MACAddress: StationInfo] = [:]
        for station in found { information[station.address] = station }
        let known = Set(stations?.reports.map(\.address) ?? [])
        changeRunning { $0.information = information }
        for (address, station) in information.sorted(by: { $0.key < $1.key }) where known.contains(address) {
            guard let inactive = station.inactiveMilliseconds else { continue }
            drive(
                .activity(address, .milliseconds(Int64(inactive)), signal: station.signal.map(Int.init)), at: now,
                into: &output)
        }
        guard running.security.kind != .softMAC else { return }
        // What the chip did while nobody heard of it.
        // Who came while the kernel was telling may not be in what it told.
        for address in known.intersection(running.checked).sorted() where information[address] == nil {
            drive(.removed(address), at: now, into: &output)
        }
        for address in information.keys.sorted() where !known.contains(address) {
            switch running.security.kind {
            case .offloaded: drive(.associated(address, []), at: now, into: &output)
            // Its handshake can't be made good for: it shall come again.
            case .fullMAC:
                send(
                    .nl80211(
                        .deleteStation(
                            StationRemoval(interface: running.interface.index, address: address, reason: .unspecified))),
                    for: .any, at: now,
                    into: &output)
            case .softMAC: break
            }
        }
    }

    mutating func eventsLost(at now: Timestamp, into output: inout AccessPointOutput) {
        switch phase {
        case .stopped, .leaving: break
        case .waiting: phase = .waiting(until: now + Self.settling)
        // What it waits for may have been said.
        case .settingUp: begin(at: now, into: &output)
        case .running(let running): check(running, at: now, into: &output)
        }
    }
}

extension NetlinkFailure {
    /// Whether it says that the interface, the radio or its firmware is gone. `ENOLINK` does not: the kernel answers a
    /// probe so when it has no entry of the station.
    var isFatal: Bool {
        switch number {
        case .noDevice, .inputOutput, .noSuchDeviceOrAddress, .networkDown, .radioKilled: true
        default: false
        }
    }
}
