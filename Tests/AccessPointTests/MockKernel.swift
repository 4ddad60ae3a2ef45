/// Linux with its radios at the level of netlink messages: it reads what the product encodes, refuses what a kernel or a
/// chip's driver would refuse, and answers as they would.
final class MockKernel {
    /// How a chip behaves.
    enum Chip: Equatable {
        /// Frames only (mac80211).
        case softMAC
        /// Associates by itself (brcmfmac); offloads the handshake, and SAE, or not.
        case fullMAC(offloadsHandshake: Bool, offloadsSAE: Bool)

        var isSoftMAC: Bool { self == .softMAC }
    }

    /// A radio.
    struct Radio {
        var index: Int
        var name: String
        var chip: Chip
        var hasBIP = true
        /// NL80211_FEATURE_FULL_AP_CLIENT_STATE, which mac80211 sets for every driver.
        var hasFullClientState = true
        var canBeAccessPoint = true
        var has5GHz = true
        /// Whether there is a channel on which it may begin.
        var hasChannels = true
        /// Channels that may be used to begin, by frequency, under the country's rules.
        var isSelfManaged = false
        var maximumStations: UInt32?
        /// Whether it tells whom it had no place for (cfg80211_conn_failed); brcmfmac does not.
        var tellsRefusals = false
        /// What its driver answers to a password for SAE.
        var saeError: Int32?
    }

    /// A network interface of a radio.
    struct Interface {
        var index: Int
        var name: String
        var radio: Int
        var type: UInt32 = 2
        var mac: [UInt8]
        var isUp = false
        var accessPoint: AccessPoint?
        /// What frames must begin with, by their type; of those with none nothing is handed up.
        var registrations: [UInt16: [UInt8]] = [:]
        /// The index of the bridge that it is a port of.
        var bridge: UInt32?
        /// The channel on which it is connected to another network, as long as it is up.
        var frequency: Int?
    }

    /// A running access point, as the chip knows it.
    struct AccessPoint {
        var ssid: [UInt8]
        var frequency: Int
        var width: UInt32
        var head: [UInt8]
        var tail: [UInt8]
        var pmk: [UInt8]?
        var saePassword: [UInt8]?
        var controlPortOverNL80211 = false
        /// Stations' entries: whether each is authorized.
        var stations: [[UInt8]: Bool] = [:]
        /// Those that a driver of frames only was told of as associated.
        var associated: Set<[UInt8]> = []
        /// Pairwise keys by station, group keys by index.
        var pairwiseKeys: [[UInt8]: [UInt8]] = [:]
        var groupKeys: [UInt8: [UInt8]] = [:]
        var defaultKey: UInt8?
        var defaultManagementKey: UInt8?
    }

    enum Answer {
        case messages([[UInt8]])
        case error(Int32)
        /// Nothing ever comes.
        case silence
    }

    /// What the kernel calls nl80211 at present; nil while cfg80211 is not loaded.
    private(set) var family: UInt16? = 0x1C
    var radios: [Radio] = []
    var interfaces: [Interface] = []
    var country = "00"
    /// Countries the kernel's database knows.
    var knownCountries: Set<String> = ["DE", "GB", "US", "JP"]
    /// Events to deliver: nl80211 messages from the generic header on.
    var events: [[UInt8]] = []
    /// Links that changed: (index, name, is up, is deleted).
    var linkEvents: [(index: Int, name: String, isUp: Bool, isDeleted: Bool)] = []
    /// What was wrong with what came, in words for a test's failure: the product must never send such things.
    var complaints: [String] = []
    /// Commands in the order they came.
    var log: [UInt8] = []
    /// Frames given to the chip to send.
    var frames: [[UInt8]] = []
    /// Neighbours that a scan finds: frequency, signal in hundredths of dBm.
    var neighbours: [(frequency: UInt32, signal: Int32)] = []
    /// Errors to answer to the next requests of a command, one each.
    var faults: [UInt8: [Int32]] = [:]
    /// Commands that are not answered.
    var mute: Set<UInt8> = []
    /// Whether all radios are switched off, and which are besides, by their names.
    var isBlocked = false
    var blocked: Set<String> = []
    /// Gets what the chip sends, and for EAPOL to whom; without it that is kept in ``frames``.
    var onFrame: ((_ frame: [UInt8], _ station: [UInt8]?) -> Void)?
    /// Whether a station hears and is heard.
    var isReachable: (_ station: [UInt8]) -> Bool = { _ in true }
    /// For how many milliseconds the chip has not heard a station.
    var silence: (_ station: [UInt8]) -> UInt32 = { _ in 1000 }
    /// The machines that the kernel knows, by an address each.
    var machines: [(address: [UInt8], mac: [UInt8])] = []
    /// The addresses that were asked whether they are there.
    var asked: [[UInt8]] = []
    /// A machine hears that it is asked.
    var onAsk: ((_ mac: [UInt8]) -> Void)?
    /// Whether the firmware can list its stations; that of older chips can't.
    var listsStations = true
    /// What is kept of the past; not for simulations that go on for long.
    var keepsLog = true
    private var nextIndex = 10
    private var former: UInt16 = 0x1C
    private var cookie: UInt64 = 1

    func add(_ radio: Radio, interface name: String? = "wlan0", isUp: Bool = false, type: UInt32 = 2) {
        radios.append(radio)
        guard let name else { return }
        nextIndex += 1
        interfaces.append(
            Interface(
                index: nextIndex, name: name, radio: radio.index, type: type,
                mac: [2, 0, 0, 0, UInt8(radio.index), UInt8(nextIndex)], isUp: isUp))
    }

    /// Another interface of a radio that is there.
    func addInterface(_ name: String, radio: Int, type: UInt32 = 2, frequency: Int? = nil) {
        nextIndex += 1
        interfaces.append(
            Interface(
                index: nextIndex, name: name, radio: radio, type: type,
                mac: [2, 0, 0, 0, UInt8(radio), UInt8(nextIndex)],
                isUp: frequency != nil, frequency: frequency))
    }

    var accessPoint: AccessPoint? { interfaces.compactMap(\.accessPoint).first }

    // MARK: Happenings

    /// The adapter is pulled, or its driver unloaded.
    func unplug(_ index: Int) {
        for interface in interfaces where interface.radio == index { remove(interface: interface.index) }
        guard let radio = radios.first(where: { $0.index == index }) else { return }
        radios.removeAll { $0.index == index }
        events.append(
            message(
                C.delWiphy,
                [Attribute.write(A.wiphy, u32: UInt32(index)), Attribute.write(A.wiphyName, string: radio.name)]))
    }

    /// All radios' drivers are unloaded, and what they have in common after them.
    func unload() {
        for radio in radios { unplug(radio.index) }
        country = "00"
        former = family ?? former
        family = nil
    }

    /// That is loaded again: it gets the next number.
    func load() { family = former + 1 }

    func plug(_ radio: Radio, interface name: String = "wlan0") {
        add(radio, interface: name)
        events.append(
            message(
                C.newWiphy,
                [Attribute.write(A.wiphy, u32: UInt32(radio.index)), Attribute.write(A.wiphyName, string: radio.name)]))
        if let interface = interfaces.last { events.append(describe(interface, C.newInterface)) }
    }

    func remove(interface index: Int) {
        guard let place = interfaces.firstIndex(where: { $0.index == index }) else { return }
        let gone = interfaces.remove(at: place)
        if gone.accessPoint != nil {
            events.append(message(C.stopAP, [Attribute.write(A.ifindex, u32: UInt32(index))]))
        }
        events.append(describe(gone, C.delInterface))
        linkEvents.append((gone.index, gone.name, false, true))
    }

    /// The access point is stopped by the kernel or the firmware.
    func stopAccessPoint() {
        for place in interfaces.indices where interfaces[place].accessPoint != nil {
            interfaces[place].accessPoint = nil
            events.append(message(C.stopAP, [Attribute.write(A.ifindex, u32: UInt32(interfaces[place].index))]))
        }
    }

    /// Another program begins to look for networks by an interface.
    func beginStrangeScan(by index: Int) {
        events.append(message(C.triggerScan, [Attribute.write(A.ifindex, u32: UInt32(index))]))
    }

    func block() {
        isBlocked = true
        stopAccessPoint()
        for place in interfaces.indices where interfaces[place].isUp {
            interfaces[place].isUp = false
            linkEvents.append((interfaces[place].index, interfaces[place].name, false, false))
        }
    }

    /// A switch lets this radio be on.
    func unblock(_ radio: String) {
        isBlocked = false
        blocked.remove(radio)
    }

    /// A full-MAC chip has associated a station.
    /// - Returns: whether it did; it has no place for more than its limit.
    @discardableResult
    func associate(_ station: [UInt8], elements: [UInt8]) -> Bool {
        guard let place = interfaces.firstIndex(where: { $0.accessPoint != nil }) else { return false }
        let limit = radios.first { $0.index == interfaces[place].radio }?.maximumStations
        let others = interfaces[place].accessPoint?.stations.keys.filter { $0 != station }.count ?? 0
        if let limit, others >= Int(limit) {
            if radios.contains(where: { $0.index == interfaces[place].radio && $0.tellsRefusals }) {
                refuse(station, reason: 0)
            }
            return false
        }
        interfaces[place].accessPoint?.stations[station] = false
        events.append(
            message(
                C.newStation,
                [
                    Attribute.write(A.ifindex, u32: UInt32(interfaces[place].index)), Attribute.write(A.mac, station),
                    Attribute.write(A.ie, elements), Attribute.write(A.generation, u32: 1),
                    Attribute.write(A.staInfo, []),
                ]))
        return true
    }

    /// A full-MAC chip has refused a station by itself.
    /// - Parameter reason: 0 for want of a place, 1 for a list of those not wanted.
    func refuse(_ station: [UInt8], reason: UInt32) {
        guard let interface = interfaces.first(where: { $0.accessPoint != nil }) else { return }
        events.append(
            message(
                C.connectionFailed,
                [
                    Attribute.write(A.ifindex, u32: UInt32(interface.index)), Attribute.write(A.mac, station),
                    Attribute.write(A.connectionFailedReason, u32: reason),
                ]))
    }

    /// A station has told a full-MAC chip that it goes.
    func disassociate(_ station: [UInt8]) {
        guard let place = interfaces.firstIndex(where: { $0.accessPoint?.stations[station] != nil }) else { return }
        interfaces[place].accessPoint?.stations[station] = nil
        interfaces[place].accessPoint?.pairwiseKeys[station] = nil
        events.append(
            message(
                C.delStation,
                [
                    Attribute.write(A.ifindex, u32: UInt32(interfaces[place].index)), Attribute.write(A.mac, station),
                ]))
    }

    /// A frame came in that user space registered for.
    func receive(_ frame: [UInt8]) {
        guard let interface = interfaces.first(where: { $0.accessPoint != nil }), let ap = interface.accessPoint else {
            return
        }
        let type = UInt16(frame[0]) & 0xFC
        guard let match = interface.registrations[type], frame.dropFirst(24).starts(with: match) else { return }
        events.append(
            message(
                C.frame,
                [
                    Attribute.write(A.wiphy, u32: UInt32(interface.radio)),
                    Attribute.write(A.ifindex, u32: UInt32(interface.index)),
                    Attribute.write(A.wiphyFreq, u32: UInt32(ap.frequency)),
                    Attribute.write(A.signal, u32: UInt32(bitPattern: -40)), Attribute.write(A.frame, frame),
                ]))
    }

    /// An EAPOL frame came in by the control port.
    func receiveEAPOL(_ frame: [UInt8], from station: [UInt8]) {
        guard let interface = interfaces.first(where: { $0.accessPoint?.controlPortOverNL80211 == true }) else {
            return
        }
        events.append(
            message(
                C.controlPortFrame,
                [
                    Attribute.write(A.ifindex, u32: UInt32(interface.index)), Attribute.write(A.frame, frame),
                    Attribute.write(A.mac, station), Attribute.write(A.controlPortEthertype, u16: 0x888E),
                ]))
    }

    private func send(_ frame: [UInt8], to station: [UInt8]?) {
        if let onFrame { onFrame(frame, station) } else { frames.append(frame) }
    }

    /// How long a request takes with the present chip: brcmf_cfg80211_stop_ap sleeps before it stops, whether that is asked
    /// for or follows from the interface being taken down.
    /// - Parameter stops: whether the request stops what runs.
    func delay(ifItStops stops: Bool) -> Duration {
        guard stops, accessPoint != nil, radios.contains(where: { !$0.chip.isSoftMAC }) else { return .zero }
        return .milliseconds(400)
    }

    // MARK: Requests

    /// A request of nl80211, from the generic header on.
    func request(_ bytes: [UInt8], isDump: Bool) -> Answer {
        guard bytes.count >= 4, let attributes = Attribute.parse(bytes[4...]) else {
            complaints.append("attributes that don't fit")
            return .error(22)
        }
        var request = MockRequest(command: bytes[0], isDump: isDump)
        if keepsLog { log.append(request.command) }
        for attribute in attributes {
            guard let policy = Policy.table[Int(attribute.type)] else {
                complaints.append("command \(request.command): attribute \(attribute.type) is unknown to the mock")
                continue
            }
            guard policy.admits(attribute) else {
                complaints.append(
                    "command \(request.command): attribute \(attribute.type) has \(attribute.payload.count) octets")
                return .error(22)
            }
            guard request.attributes.updateValue(attribute, forKey: attribute.type) == nil else {
                complaints.append("command \(request.command): attribute \(attribute.type) stands twice")
                continue
            }
        }
        if mute.contains(request.command) { return .silence }
        if var queue = faults[request.command], !queue.isEmpty {
            let code = queue.removeFirst()
            faults[request.command] = queue
            return .error(code)
        }
        return carryOut(request)
    }

    /// RTM_GETNEIGH.
    func listMachines() -> Answer {
        let index = Attribute.bytes(UInt32(interfaces.first?.index ?? 0))
        return .messages(
            machines.map { machine in
                // Stale: nothing was heard of it for half a minute.
                let header = [machine.address.count == 4 ? 2 : 10, 0, 0, 0] + index + [4, 0, 0, 0]
                return header + Attribute.write(1, machine.address) + Attribute.write(2, machine.mac)
            })
    }

    /// RTM_NEWNEIGH with NUD_PROBE.
    func ask(index: Int, _ attributes: [UInt8]) -> Answer {
        guard interfaces.contains(where: { $0.index == index }) else { return .error(19) }
        guard let address = Attribute.parse(attributes[...])?.first(where: { $0.type == 1 })?.payload,
            let machine = machines.first(where: { $0.address == address })
        else { return .error(2) }
        asked.append(address)
        onAsk?(machine.mac)
        return .messages([])
    }

    /// An interface becomes a bridge's port, or is no longer one.
    func putIntoBridge(_ index: Int, _ bridge: UInt32?) {
        guard let place = interfaces.firstIndex(where: { $0.index == index && $0.bridge != bridge }) else { return }
        interfaces[place].bridge = bridge
        linkEvents.append((index, interfaces[place].name, interfaces[place].isUp, false))
    }

    /// RTM_NEWLINK or RTM_SETLINK on an interface's flags.
    func setLink(index: Int, isUp: Bool, isAlone: Bool = false) -> Answer {
        guard let place = interfaces.firstIndex(where: { $0.index == index }) else { return .error(19) }
        if isAlone { putIntoBridge(index, nil) }
        let name = radios.first { $0.index == interfaces[place].radio }?.name ?? ""
        if isUp, isBlocked || blocked.contains(name) { return .error(132) }
        guard interfaces[place].isUp != isUp else { return .messages([]) }
        interfaces[place].isUp = isUp
        if !isUp, interfaces[place].accessPoint != nil { stopAccessPoint() }
        linkEvents.append((index, interfaces[place].name, isUp, false))
        return .messages([])
    }

    private func carryOut(_ request: MockRequest) -> Answer {
        switch request.command {
        case C.getWiphy: return .messages(radios.flatMap(describe))
        case C.getInterface:
            return .messages(
                interfaces.filter { request.interface == nil || $0.index == request.interface }.map {
                    describe($0, C.newInterface)
                })
        case C.getReg: return .messages([message(C.getReg, [Attribute.write(A.alpha2, string: country)])])
        case C.reqSetReg:
            guard let alpha2 = request[A.alpha2]?.payload.prefix(2) else { return .error(22) }
            let code = String(decoding: alpha2, as: UTF8.self)
            if knownCountries.contains(code) {
                country = code
                events.append(message(C.regChange, [Attribute.write(A.alpha2, string: code)]))
            }
            return .messages([])
        case C.newInterface:
            guard let radio = request[A.wiphy].map({ Int($0.u32) }), let type = request[A.iftype]?.u32,
                let name = request[A.ifname]?.payload, radios.contains(where: { $0.index == radio })
            else { return .error(22) }
            nextIndex += 1
            let made = Interface(
                index: nextIndex, name: String(decoding: name.filter { $0 != 0 }, as: UTF8.self), radio: radio,
                type: type,
                mac: [2, 0, 0, 0, UInt8(radio), UInt8(nextIndex)])
            interfaces.append(made)
            events.append(describe(made, C.newInterface))
            return .messages([describe(made, C.newInterface)])
        default: break
        }
        guard let index = request.interface, let place = interfaces.firstIndex(where: { $0.index == index }),
            let radio = radios.first(where: { $0.index == interfaces[place].radio })
        else { return .error(19) }
        switch request.command {
        case C.setInterface:
            guard let type = request[A.iftype]?.u32 else { return .error(22) }
            guard type != 3 || radio.canBeAccessPoint else { return .error(95) }
            guard !interfaces[place].isUp || interfaces[place].type == type else { return .error(16) }
            if interfaces[place].type != type { interfaces[place].registrations = [:] }
            interfaces[place].type = type
            return .messages([])
        case C.delInterface:
            remove(interface: index)
            return .messages([])
        case C.triggerScan:
            guard interfaces[place].isUp else { return .error(100) }
            // mac80211 has none beside an access point.
            guard interfaces[place].accessPoint == nil || !radio.chip.isSoftMAC else { return .error(95) }
            events.append(
                message(
                    C.newScanResults,
                    [
                        Attribute.write(A.ifindex, u32: UInt32(index)),
                        Attribute.write(A.wiphy, u32: UInt32(radio.index)),
                    ]))
            return .messages([])
        case C.abortScan: return .messages([])
        case C.getScan:
            return .messages(
                neighbours.enumerated().map { place, neighbour in
                    message(
                        C.newScanResults,
                        [
                            Attribute.write(A.ifindex, u32: UInt32(index)),
                            Attribute.write(
                                A.bss,
                                nested: [
                                    Attribute.write(1, [2, 0, 0, 0, 9, UInt8(place)]),
                                    Attribute.write(2, u32: neighbour.frequency),
                                    Attribute.write(7, u32: UInt32(bitPattern: neighbour.signal)),
                                ]),
                        ])
                })
        case C.getSurvey: return .messages([])
        case C.registerFrame: return register(request, place, radio)
        case C.startAP: return startAP(request, place, radio)
        case C.stopAP:
            guard interfaces[place].accessPoint != nil else { return .error(2) }
            stopAccessPoint()
            return .messages([])
        case C.setBeacon:
            guard interfaces[place].accessPoint != nil else { return .error(22) }
            // brcmf_vif_set_mgmt_ie has room for so many (IE_MAX_LEN).
            if !radio.chip.isSoftMAC, request[A.beaconTail]?.payload.count ?? 0 > 512 { return .error(12) }
            if let tail = request[A.beaconTail]?.payload { interfaces[place].accessPoint?.tail = tail }
            if let head = request[A.beaconHead]?.payload { interfaces[place].accessPoint?.head = head }
            return .messages([])
        case C.setBSS: return radio.chip.isSoftMAC ? .messages([]) : .error(95)
        case C.newKey: return newKey(request, place, radio)
        case C.setKey: return setKey(request, place, radio)
        case C.delKey:
            // brcmf_cfg80211_del_key: one that was never set.
            let isKnown = request[A.keyIndex].map { interfaces[place].accessPoint?.groupKeys[$0.u8] != nil }
            return radio.chip.isSoftMAC || isKnown == true ? .messages([]) : .error(22)
        case C.getKey:
            if radio.chip.isSoftMAC, let key = request[A.keyIndex]?.u8,
                interfaces[place].accessPoint?.groupKeys[key] == nil
            {
                return .error(2)
            }
            // brcmfmac tells the cipher, and no number.
            let number = radio.chip.isSoftMAC ? [Attribute.write(4, [7, 1, 0, 0, 0, 0])] : []
            let key = Attribute.write(A.key, nested: number + [Attribute.write(3, u32: 0x000F_AC06)])
            return .messages([message(C.newKey, [Attribute.write(A.ifindex, u32: UInt32(index)), key])])
        case C.newStation, C.setStation, C.delStation, C.getStation: return station(request, place, radio)
        case C.frame:
            guard let frame = request[A.frame]?.payload, frame.count >= 24 else { return .error(22) }
            // brcmfmac sends none for an access point (brcmf_txrx_stypes).
            guard radio.chip.isSoftMAC else { return .error(22) }
            send(frame, to: nil)
            cookie += 1
            let sent = Attribute.write(A.cookie, u64: cookie)
            if request[A.dontWaitForACK] == nil {
                events.append(
                    message(
                        C.frameTxStatus,
                        [
                            Attribute.write(A.ifindex, u32: UInt32(index)), Attribute.write(A.frame, frame), sent,
                            Attribute.write(A.ack, []),
                        ]))
            }
            return .messages([message(C.frame, [sent])])
        case C.controlPortFrame:
            guard interfaces[place].accessPoint?.controlPortOverNL80211 == true else { return .error(22) }
            guard let frame = request[A.frame]?.payload, let mac = request.mac,
                request[A.controlPortEthertype]?.u16 == 0x888E
            else { return .error(22) }
            send(frame, to: mac)
            cookie += 1
            return .messages([message(C.controlPortFrame, [Attribute.write(A.cookie, u64: cookie)])])
        case C.unexpectedFrame: return radio.chip.isSoftMAC ? .messages([]) : .error(95)
        case C.probeClient:
            guard radio.chip.isSoftMAC, let mac = request.mac else { return .error(95) }
            guard interfaces[place].accessPoint?.stations[mac] != nil else { return .error(67) }
            cookie += 1
            let asked = [
                Attribute.write(A.ifindex, u32: UInt32(index)), Attribute.write(A.mac, mac),
                Attribute.write(A.cookie, u64: cookie),
            ]
            events.append(message(C.probeClient, asked + (isReachable(mac) ? [Attribute.write(A.ack, [])] : [])))
            return .messages([message(C.probeClient, [Attribute.write(A.cookie, u64: cookie)])])
        default:
            complaints.append("command \(request.command) is unknown to the mock")
            return .error(95)
        }
    }
}
