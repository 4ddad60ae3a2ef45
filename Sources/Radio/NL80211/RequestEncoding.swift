import IEEE80211
import Netlink
import Wire

extension BeaconParameters {
    func write(into writer: inout NetlinkWriter) {
        writer.put(Attribute.beaconHead, head)
        writer.put(Attribute.beaconTail, tail)
        if let extraElements { writer.put(Attribute.elements, extraElements) }
        if let probeResponseElements { writer.put(Attribute.probeResponseElements, probeResponseElements) }
        if let associationResponseElements {
            writer.put(Attribute.associationResponseElements, associationResponseElements)
        }
        if let probeResponse { writer.put(Attribute.probeResponse, probeResponse) }
    }
}

extension AccessPointParameters {
    func write(into writer: inout NetlinkWriter) {
        writer.put(Attribute.interface, interface)
        beacon.write(into: &writer)
        writer.put(Attribute.beaconInterval, beaconInterval)
        writer.put(Attribute.dtimPeriod, dtimPeriod)
        writer.put(Attribute.ssid, ssid)
        writer.put(Attribute.hiddenSSID, hiddenSSID.rawValue)
        // The kernel refuses the number that stands for any type; without the attribute it takes any.
        if authentication != .automatic { writer.put(Attribute.authenticationType, authentication.rawValue) }
        channel.write(into: &writer)
        if isPrivate { writer.putFlag(Attribute.privacy) }
        if !wpaVersions.isEmpty { writer.put(Attribute.wpaVersions, wpaVersions.rawValue) }
        if !pairwiseCiphers.isEmpty {
            writer.putWords(Attribute.pairwiseCipherSuites, pairwiseCiphers.map(\.rawValue))
        }
        if let groupCipher { writer.put(Attribute.groupCipherSuite, groupCipher.rawValue) }
        if !akms.isEmpty { writer.putWords(Attribute.akmSuites, akms.map(\.rawValue)) }
        if let controlPort {
            writer.putFlag(Attribute.controlPort)
            writer.put(Attribute.controlPortEthertype, ControlPort.ethertype)
            if controlPort.isUnencrypted { writer.putFlag(Attribute.controlPortNoEncrypt) }
            if controlPort.isOverNL80211 {
                writer.putFlag(Attribute.controlPortOverNL80211)
                if controlPort.hasNoPreauthentication { writer.putFlag(Attribute.controlPortNoPreauthentication) }
            }
        }
        if let pmk { writer.put(Attribute.pmk, pmk) }
        if let saePassword { writer.put(Attribute.saePassword, saePassword) }
        if let saePasswordElement { writer.put(Attribute.saePWE, saePasswordElement.rawValue) }
        if let inactivityTimeout { writer.put(Attribute.inactivityTimeout, inactivityTimeout) }
        // The kernel refuses a control port over nl80211 without it: frames go to the socket that owns the BSS.
        if isOwnedBySocket || controlPort?.isOverNL80211 == true { writer.putFlag(Attribute.socketOwner) }
    }
}

extension OperatingChannel {
    /// The attributes of a channel, as `nl80211_parse_chandef` of the kernel wants them.
    func write(into writer: inout NetlinkWriter) {
        writer.put(Attribute.frequency, UInt32(frequency))
        // ChannelWidth has the numbers of enum nl80211_chan_width.
        writer.put(Attribute.channelWidth, UInt32(width.rawValue))
        writer.put(Attribute.centerFrequency1, UInt32(centerFrequency))
    }
}

extension BSSParameters {
    func write(into writer: inout NetlinkWriter) {
        writer.put(Attribute.interface, interface)
        func put(_ type: UInt16, _ value: Bool?) {
            if let value { writer.put(type, UInt8(value ? 1 : 0)) }
        }
        put(Attribute.bssCTSProtection, usesCTSProtection)
        put(Attribute.bssShortPreamble, usesShortPreamble)
        put(Attribute.bssShortSlotTime, usesShortSlotTime)
        put(Attribute.apIsolate, isIsolated)
        if let basicRates { writer.put(Attribute.bssBasicRates, basicRates) }
        if let htOperationMode { writer.put(Attribute.bssHTOperationMode, htOperationMode) }
    }
}

extension StationParameters {
    /// `NL80211_MAX_SUPP_RATES`.
    static let maximumRates = 32

    func write(into writer: inout NetlinkWriter) {
        writer.put(Attribute.interface, interface)
        writer.put(Attribute.mac, address)
        if let aid { writer.put(Attribute.stationAID, aid) }
        if let listenInterval { writer.put(Attribute.stationListenInterval, listenInterval) }
        if let supportedRates { writer.put(Attribute.stationSupportedRates, supportedRates.prefix(Self.maximumRates)) }
        if let capability { writer.put(Attribute.stationCapability, capability.rawValue) }
        if let extendedCapabilities { writer.put(Attribute.stationExtendedCapability, extendedCapabilities) }
        if let ht { writer.put(Attribute.htCapability, ht) }
        if let vht { writer.put(Attribute.vhtCapability, vht) }
        if let he { writer.put(Attribute.heCapability, he) }
        if !flagsMask.isEmpty {
            // struct nl80211_sta_flag_update
            let set = flags.intersection(flagsMask)
            let octets = [flagsMask.rawValue, set.rawValue].flatMap { value in
                withUnsafeBytes(of: value) { [UInt8]($0) }
            }
            writer.put(Attribute.stationFlags2, octets)
        }
        if let qosInformation {
            writer.putNest(Attribute.stationWME) { writer in
                // IEEE 802.11-2020, 9.4.1.17, as a station sends it: four queues, then the service period's length.
                writer.put(WMEAttribute.uapsdQueues, qosInformation & 0x0F)
                writer.put(WMEAttribute.maximumServicePeriod, qosInformation >> 5 & 0x03)
            }
        }
    }
}

extension KeyParameters {
    /// `enum nl80211_key_type`: 0 group, 1 pairwise.
    static func type(station: MACAddress?) -> UInt32 { station == nil ? 0 : 1 }

    func write(into writer: inout NetlinkWriter) {
        writer.put(Attribute.interface, interface)
        if let station { writer.put(Attribute.mac, station) }
        writer.putNest(Attribute.key) { writer in
            writer.put(KeyAttribute.data, key)
            writer.put(KeyAttribute.cipher, cipher.rawValue)
            writer.put(KeyAttribute.index, index)
            if let sequence { writer.put(KeyAttribute.sequence, sequence) }
            writer.put(KeyAttribute.type, Self.type(station: station))
        }
    }
}

extension ScanParameters {
    /// `enum nl80211_scan_flags`.
    private enum Flag {
        static let flush: UInt32 = 1 << 1
        static let accessPoint: UInt32 = 1 << 2
    }

    func write(into writer: inout NetlinkWriter) {
        writer.put(Attribute.interface, interface)
        if !frequencies.isEmpty {
            writer.putNest(Attribute.scanFrequencies) { writer in
                for (place, frequency) in frequencies.enumerated() {
                    writer.put(UInt16(truncatingIfNeeded: place), frequency)
                }
            }
        }
        // An empty name asks everyone; no name at all asks nobody.
        if isActive { writer.putNest(Attribute.scanSSIDs) { $0.put(1, EmptyCollection()) } }
        let flags = (flushes ? Flag.flush : 0) | (isAllowedWhileAccessPoint ? Flag.accessPoint : 0)
        if flags != 0 { writer.put(Attribute.scanFlags, flags) }
    }
}
