extension MockKernel {
    /// What a driver lets user space receive (a wiphy's `mgmt_stypes`).
    private static let receivable: Set<UInt16> = [0x00, 0x20, 0x40, 0xA0, 0xB0, 0xC0, 0xD0]

    func register(_ request: MockRequest, _ place: Int, _ radio: Radio) -> Answer {
        guard let type = request[A.frameType]?.u16, let match = request[A.frameMatch]?.payload else {
            return .error(22)
        }
        // brcmfmac has none for an access point before Linux 6.12 (brcmf_txrx_stypes), and gets none since.
        guard radio.chip.isSoftMAC, Self.receivable.contains(type) else { return .error(22) }
        // cfg80211_mlme_register_mgmt: authentication frames can be had only with an empty match or an algorithm.
        guard interfaces[place].registrations.updateValue(match, forKey: type) == nil else { return .error(114) }
        return .messages([])
    }

    func startAP(_ request: MockRequest, _ place: Int, _ radio: Radio) -> Answer {
        guard interfaces[place].type == 3 else { return .error(95) }
        guard interfaces[place].accessPoint == nil else { return .error(114) }
        guard interfaces[place].isUp else { return .error(100) }
        guard let interval = request[A.beaconInterval]?.u32, (10...10000).contains(interval),
            request[A.dtimPeriod] != nil,
            let head = request[A.beaconHead]?.payload, let tail = request[A.beaconTail]?.payload
        else { return .error(22) }
        // validate_beacon_head: a beacon's header, fixed fields, then whole elements.
        guard head.count >= 36, head[0] == 0x80, Self.areElements(head[36...]), Self.areElements(tail[...]) else {
            complaints.append("a beacon that is not one")
            return .error(22)
        }
        guard let frequency = request[A.wiphyFreq].map({ Int($0.u32) }), let width = request[A.channelWidth]?.u32,
            let center = request[A.centerFreq1].map({ Int($0.u32) })
        else { return .error(22) }
        guard isUsable(frequency: frequency, width: width, center: center, radio: radio) else { return .error(22) }
        // cfg80211_can_use_iftype_chan: all interfaces of a radio are on one channel.
        guard
            !interfaces.contains(where: {
                $0.radio == radio.index && $0.isUp && $0.frequency.map { $0 != frequency } ?? false
            })
        else { return .error(16) }
        let features = extendedFeatures(radio)
        if let pmk = request[A.pmk]?.payload {
            guard pmk.count == 32, features.contains(50) else { return .error(22) }
        }
        if request[A.saePassword] != nil {
            guard features.contains(51) else { return .error(22) }
            if let error = radio.saeError { return .error(error) }
        }
        // nl80211_valid_auth_type: 7 is the last, and SAE is for chips that do it.
        if let type = request[A.authType]?.u32 {
            guard type <= 3 || (type == 4 && features.contains(51)) else { return .error(22) }
        }
        // wiphy->max_num_akm_suites, which no driver raises.
        guard (request[A.akms]?.payload.count ?? 0) <= 8 else { return .error(22) }
        if request[A.controlPortOverNL80211] != nil {
            guard request[A.controlPortEthertype]?.u16 == 0x888E, request[A.socketOwner] != nil, features.contains(26)
            else {
                return .error(22)
            }
        }
        if request[A.inactivityTimeout] != nil { guard radio.chip.isSoftMAC else { return .error(95) } }
        for cipher in (request[A.pairwise]?.u32s ?? []) + (request[A.group].map { [$0.u32] } ?? []) {
            guard ciphers(radio).contains(cipher) else { return .error(22) }
        }
        var accessPoint = AccessPoint(
            ssid: request[A.ssid]?.payload ?? [], frequency: frequency, width: width, head: head, tail: tail,
            pmk: request[A.pmk]?.payload, saePassword: request[A.saePassword]?.payload)
        accessPoint.controlPortOverNL80211 = request[A.controlPortOverNL80211] != nil
        if case .fullMAC = radio.chip {
            guard configureFirmware(accessPoint, radio) else { return .error(22) }
        } else if request[A.probeResponse] == nil {
            complaints.append("soft-MAC without a probe response")
        }
        interfaces[place].accessPoint = accessPoint
        events.append(message(C.startAP, [Attribute.write(A.ifindex, u32: UInt32(interfaces[place].index))]))
        return .messages([])
    }

    /// What brcmfmac makes of the RSN element in the beacon's tail (brcmf_configure_wpaie).
    private func configureFirmware(_ accessPoint: AccessPoint, _ radio: Radio) -> Bool {
        guard let rsn = Self.element(48, in: accessPoint.tail) else {
            complaints.append("a full-MAC chip without an RSN element in the tail makes an open network")
            return false
        }
        guard rsn.count >= 8, Array(rsn[2..<6]) == [0, 0x0F, 0xAC, 4] else { return false }
        var offset = 6
        func list() -> [[UInt8]]? {
            guard offset + 2 <= rsn.count else { return nil }
            let count = Int(rsn[offset]) | Int(rsn[offset + 1]) << 8
            offset += 2
            guard offset + 4 * count <= rsn.count else { return nil }
            defer { offset += 4 * count }
            return (0..<count).map { Array(rsn[offset + 4 * $0..<offset + 4 * $0 + 4]) }
        }
        guard let pairwise = list(), pairwise == [[0, 0x0F, 0xAC, 4]], let akms = list(), !akms.isEmpty else {
            return false
        }
        let capabilities = offset + 2 <= rsn.count ? Int(rsn[offset]) | Int(rsn[offset + 1]) << 8 : 0
        let akmNumbers = akms.map { $0[3] }
        // The firmware refuses required protection with plain PSK alone.
        if capabilities & 0x40 != 0, !akmNumbers.contains(6), !akmNumbers.contains(8) { return false }
        // What it then announces itself; a beacon that says more makes phones refuse message 3.
        if capabilities & 0x0C == 0 { complaints.append("without replay counters the firmware switches WMM off") }
        if capabilities & 0xC0 != 0, !radio.hasBIP { complaints.append("protection announced on a chip without BIP") }
        // It takes for granted that there is no PMKID, and what follows for the cipher of protected frames.
        let rest = rsn.dropFirst(offset + 2)
        if !rest.isEmpty, !rest.elementsEqual([0, 0] + (radio.hasBIP ? [0, 0x0F, 0xAC, 6] : [])) {
            complaints.append("an RSN element that the firmware reads wrongly from its PMKIDs on")
        }
        if capabilities & 0xC0 != 0, rest.isEmpty { complaints.append("protection announced, and no cipher for it") }
        if akmNumbers.contains(8), accessPoint.saePassword == nil {
            complaints.append("SAE announced, and the chip has no password")
        }
        if akmNumbers.contains(2), extendedFeatures(radio).contains(50), accessPoint.pmk == nil {
            complaints.append("PSK announced, and the chip that does the handshake has no PMK")
        }
        return true
    }

    func newKey(_ request: MockRequest, _ place: Int, _ radio: Radio) -> Answer {
        guard interfaces[place].accessPoint != nil else { return .error(67) }
        let nested = request[A.key]?.children ?? []
        let data = request[A.keyData]?.payload ?? nested.first { $0.type == 1 }?.payload
        let index = request[A.keyIndex]?.u8 ?? nested.first { $0.type == 2 }?.u8
        let cipher = request[A.keyCipher]?.u32 ?? nested.first { $0.type == 3 }?.u32
        guard let data, let index, let cipher, data.count == 16 else { return .error(22) }
        guard ciphers(radio).contains(cipher) else { return .error(22) }
        if case .fullMAC(true, _) = radio.chip {
            complaints.append("a key for a chip that makes its own")
            return .error(22)
        }
        if let mac = request.mac {
            guard index == 0 || index == 1, interfaces[place].accessPoint?.stations[mac] != nil else {
                return .error(2)
            }
            interfaces[place].accessPoint?.pairwiseKeys[mac] = data
        } else {
            guard cipher == 0x000F_AC04 ? (1...3).contains(index) : (4...5).contains(index) else { return .error(22) }
            interfaces[place].accessPoint?.groupKeys[index] = data
        }
        return .messages([])
    }

    func setKey(_ request: MockRequest, _ place: Int, _ radio: Radio) -> Answer {
        let nested = request[A.key]?.children ?? []
        let isManagement = request[A.keyDefaultMgmt] != nil || nested.contains { $0.type == 6 }
        // brcmf_cfg80211_config_default_mgmt_key
        guard !isManagement || radio.hasBIP else { return .error(95) }
        guard let index = request[A.keyIndex]?.u8 ?? nested.first(where: { $0.type == 2 })?.u8,
            interfaces[place].accessPoint?.groupKeys[index] != nil
        else { return .error(2) }
        if isManagement {
            interfaces[place].accessPoint?.defaultManagementKey = index
        } else {
            interfaces[place].accessPoint?.defaultKey = index
        }
        return .messages([])
    }

    func station(_ request: MockRequest, _ place: Int, _ radio: Radio) -> Answer {
        guard let accessPoint = interfaces[place].accessPoint else {
            return .error(request.command == C.getStation ? 2 : 22)
        }
        if request.command == C.getStation {
            guard listsStations else { return .error(95) }
            return .messages(
                accessPoint.stations.keys.sorted { $0.lexicographicallyPrecedes($1) }.map { mac in
                    message(
                        C.newStation,
                        [
                            Attribute.write(A.ifindex, u32: UInt32(interfaces[place].index)),
                            Attribute.write(A.mac, mac),
                            Attribute.write(
                                A.staInfo,
                                nested: [
                                    Attribute.write(1, u32: silence(mac)),
                                    Attribute.write(7, u8: UInt8(bitPattern: -50)),
                                ]),
                        ])
                })
        }
        guard let mac = request.mac else {
            // brcmfmac answers EFAULT; mac80211 removes all.
            guard request.command == C.delStation, radio.chip.isSoftMAC else { return .error(14) }
            interfaces[place].accessPoint?.stations = [:]
            return .messages([])
        }
        switch request.command {
        case C.newStation:
            guard radio.chip.isSoftMAC else { return .error(95) }
            guard request[A.staListenInterval] != nil, request[A.staRates] != nil, request[A.staAID] != nil else {
                return .error(22)
            }
            let flags = request[A.staFlags2]?.payload ?? []
            guard flags.count == 8 else { return .error(22) }
            // nl80211_new_station: authenticated (5) and associated (7) are for drivers that keep track of that.
            let mask = Attribute(type: 0, payload: flags).u32
            guard radio.hasFullClientState || mask & 0xA0 == 0 else { return .error(22) }
            if flags[4] & 0xA0 != 0x20 { complaints.append("a new station that is more or less than authenticated") }
            guard accessPoint.stations[mac] == nil else { return .error(17) }
            if let limit = radio.maximumStations, accessPoint.stations.count >= Int(limit) { return .error(28) }
            interfaces[place].accessPoint?.stations[mac] = false
            return .messages([])
        case C.setStation:
            // Firmware knows whom it knows, and whatever it refuses is EBADE (brcmf_fil_cmd_data).
            guard accessPoint.stations[mac] != nil else { return .error(radio.chip.isSoftMAC ? 2 : 52) }
            if let flags = request[A.staFlags2] {
                let mask = flags.u32
                if mask & 0x80 != 0 { interfaces[place].accessPoint?.associated.insert(mac) }
                // sta_info_move_state: one step after the other.
                guard mask & 2 == 0 || !radio.chip.isSoftMAC || accessPoint.associated.contains(mac) else {
                    return .error(22)
                }
                let set = Attribute(type: 0, payload: Array(flags.payload[4...])).u32
                if mask & 2 != 0 { interfaces[place].accessPoint?.stations[mac] = set & 2 != 0 }
            }
            return .messages([])
        case C.delStation:
            guard accessPoint.stations[mac] != nil else { return .error(radio.chip.isSoftMAC ? 2 : 52) }
            interfaces[place].accessPoint?.stations[mac] = nil
            interfaces[place].accessPoint?.pairwiseKeys[mac] = nil
            interfaces[place].accessPoint?.associated.remove(mac)
            events.append(
                message(
                    C.delStation,
                    [Attribute.write(A.ifindex, u32: UInt32(interfaces[place].index)), Attribute.write(A.mac, mac)]))
            return .messages([])
        default: return .error(95)
        }
    }

    // MARK: What radios are

    func ciphers(_ radio: Radio) -> [UInt32] { [0x000F_AC04] + (radio.hasBIP ? [0x000F_AC06] : []) }

    func extendedFeatures(_ radio: Radio) -> Set<Int> {
        switch radio.chip {
        case .softMAC: [26]
        case .fullMAC(let handshake, let sae): Set((handshake ? [50] : []) + (sae ? [51] : []))
        }
    }

    /// A channel's flags: 2 disabled, 3 receive only, 5 radar; and its power in hundredths of dBm.
    private func flags(_ frequency: Int) -> [Int] {
        switch frequency {
        case 2467, 2472: country == "00" ? [3] : country == "US" ? [2] : []
        case 2412...2462: []
        case 5180...5240: country == "00" ? [3] : []
        case 5260...5720: country == "00" ? [3, 5] : [3, 5]
        case 5745...5825: country == "US" ? [] : country == "00" ? [3] : [2]
        default: [2]
        }
    }

    private static let frequencies24 = Array(stride(from: 2412, through: 2472, by: 5))
    private static let frequencies5 =
        Array(stride(from: 5180, through: 5320, by: 20)) + Array(stride(from: 5500, through: 5720, by: 20))
        + Array(stride(from: 5745, through: 5825, by: 20))

    private func isUsable(frequency: Int, width: UInt32, center: Int, radio: Radio) -> Bool {
        let known = Self.frequencies24 + (radio.has5GHz ? Self.frequencies5 : [])
        let count: Int
        switch width {
        case 0, 1: count = 1
        case 2: count = 2
        case 3: count = 4
        default: return false
        }
        let first = center - 10 * (count - 1)
        let members = (0..<count).map { first + 20 * $0 }
        return members.contains(frequency) && members.allSatisfy { known.contains($0) && flags($0).isEmpty }
    }

    static func element(_ id: UInt8, in elements: [UInt8]) -> [UInt8]? {
        var rest = elements[...]
        while rest.count >= 2 {
            let length = Int(rest[rest.startIndex + 1])
            guard rest.count >= 2 + length else { return nil }
            if rest[rest.startIndex] == id { return Array(rest.dropFirst(2).prefix(length)) }
            rest = rest.dropFirst(2 + length)
        }
        return nil
    }

    static func areElements(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        while rest.count >= 2 {
            let length = Int(rest[rest.startIndex + 1])
            guard rest.count >= 2 + length else { return false }
            rest = rest.dropFirst(2 + length)
        }
        return rest.isEmpty
    }

    // MARK: Messages

    func message(_ command: UInt8, _ attributes: [[UInt8]]) -> [UInt8] {
        [command, 1, 0, 0] + attributes.flatMap { $0 }
    }

    func describe(_ interface: Interface, _ command: UInt8) -> [UInt8] {
        var attributes = [
            Attribute.write(A.ifindex, u32: UInt32(interface.index)), Attribute.write(A.ifname, string: interface.name),
            Attribute.write(A.wiphy, u32: UInt32(interface.radio)), Attribute.write(A.iftype, u32: interface.type),
            Attribute.write(A.wdev, u64: UInt64(interface.radio) << 32 | 1), Attribute.write(A.mac, interface.mac),
            Attribute.write(A.generation, u32: 1),
        ]
        if let ap = interface.accessPoint {
            attributes += [Attribute.write(A.ssid, ap.ssid), Attribute.write(A.wiphyFreq, u32: UInt32(ap.frequency))]
        } else if let frequency = interface.frequency, interface.isUp {
            attributes += [
                Attribute.write(A.ssid, Array("other".utf8)), Attribute.write(A.wiphyFreq, u32: UInt32(frequency)),
            ]
        }
        return message(command, attributes)
    }

    /// A radio in several messages, as a split dump gives it.
    func describe(_ radio: Radio) -> [[UInt8]] {
        let head = [
            Attribute.write(A.wiphy, u32: UInt32(radio.index)), Attribute.write(A.wiphyName, string: radio.name),
        ]
        let types = [2, 6] + (radio.canBeAccessPoint ? [3] : [])
        let commands = [5, 6, 7, 11, 15, 59] + (radio.chip.isSoftMAC ? [19] : [])
        var first = head
        first.append(Attribute.write(A.cipherSuites, ciphers(radio).flatMap { Attribute.bytes($0) }))
        if case .fullMAC = radio.chip { first.append(Attribute.write(A.deviceAPSME, u32: 0)) }
        if let limit = radio.maximumStations { first.append(Attribute.write(A.maxStations, u32: limit)) }
        var second = head
        second.append(Attribute.write(A.supportedIftypes, nested: types.map { Attribute.write($0, []) }))
        second.append(
            Attribute.write(
                A.supportedCommands, nested: commands.enumerated().map { Attribute.write($0 + 1, u32: UInt32($1)) }))
        let bands =
            [(0, Self.frequencies24, [10, 20, 55, 110, 60, 90, 120, 180, 240, 360, 480, 540])]
            + (radio.has5GHz ? [(1, Self.frequencies5, [60, 90, 120, 180, 240, 360, 480, 540])] : [])
        // One message for a band, and in each the band whole.
        let bandMessages = bands.map { band, frequencies, rates in
            var attributes = [
                Attribute.write(3, [0xFF] + [UInt8](repeating: 0, count: 15)), Attribute.write(4, u16: 0x117E),
                Attribute.write(5, u8: 3), Attribute.write(6, u8: 5),
                Attribute.write(
                    2,
                    nested: rates.enumerated().map {
                        Attribute.write($0, nested: [Attribute.write(1, u32: UInt32($1))])
                    }),
                Attribute.write(
                    1,
                    nested: frequencies.enumerated().map { place, frequency in
                        Attribute.write(
                            place,
                            nested: [Attribute.write(1, u32: UInt32(frequency)), Attribute.write(6, u32: 2000)]
                                + (radio.hasChannels ? flags(frequency) : [2]).map { Attribute.write($0, []) })
                    }),
            ]
            if band == 1 {
                attributes.append(Attribute.write(7, [0xFA, 0xFF, 0, 0, 0xFA, 0xFF, 0, 0]))
                attributes.append(Attribute.write(8, u32: 0x0390_31B0))
            }
            return head + [Attribute.write(A.wiphyBands, nested: [Attribute.write(band, nested: attributes)])]
        }
        var features = [UInt8](repeating: 0, count: 8)
        for feature in extendedFeatures(radio) { features[feature / 8] |= 1 << UInt8(feature % 8) }
        let last =
            head + [
                Attribute.write(
                    A.featureFlags, u32: !radio.chip.isSoftMAC ? 0 : radio.hasFullClientState ? 0x8024 : 0x24),
                Attribute.write(A.extFeatures, features),
            ]
        return ([first, second] + bandMessages + [last]).map { message(C.newWiphy, $0) }
    }
}
