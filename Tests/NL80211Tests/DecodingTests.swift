import IEEE80211
import Netlink
import Testing
import Wire

@testable import NL80211

/// The answer that captured messages make to a request.
private func answer(_ request: NL80211Request, _ bytes: [UInt8]) -> NetlinkReply? {
    var collector = NetlinkReplyCollector(for: .nl80211(request))
    var reader = NetlinkMessageReader(bytes.span.bytes)
    var reply: NetlinkReply?
    while let message = reader.next() {
        if case .success(let value) = collector.take(message) { reply = value }
    }
    return reply
}

/// The event of a captured message.
private func event(_ bytes: [UInt8]) -> NL80211Event? {
    var reader = NetlinkMessageReader(bytes.span.bytes)
    guard let message = reader.next() else { return nil }
    return NL80211Event(message.payload)
}

/// An event of a command and attributes.
private func event(_ command: UInt8, _ body: (inout NetlinkWriter) -> Void) -> NL80211Event? {
    var writer = NetlinkWriter()
    writer.beginMessage(type: Captured.family, flags: [], sequence: 0)
    writer.write(GenericHeader(command: command, version: 1))
    body(&writer)
    writer.endMessage()
    return event(writer.bytes)
}

struct DecodingTests {
    private func captured() throws -> Wiphy {
        guard case .wiphys(let list) = answer(.getWiphys, Captured.wiphys) else { throw Missing() }
        #expect(list.count == 1)
        return try #require(list.first)
    }
    private struct Missing: Error {}

    @Test func `the messages of a split list are one radio`() throws {
        let wiphy = try captured()
        #expect(wiphy.index == 0 && wiphy.name == "phy0")
        #expect(wiphy.macAddress == MACAddress(0x0200_0000_0000))
        #expect(wiphy.interfaceTypes.isSuperset(of: [.station, .accessPoint, .monitor]))
        #expect(wiphy.cipherSuites.contains(.ccmp) && wiphy.cipherSuites.contains(.bipCMAC128))
        #expect(wiphy.commands.isSuperset(of: [.startAP, .newKey, .frame, .probeClient, .setBSS]))
        #expect(wiphy.features.isSuperset(of: [.fullAPClientState, .sae]))
        #expect(wiphy.maximumScanSSIDs == 4)
        // Association requests, probe requests, authentication, deauthentication, actions.
        #expect(wiphy.receivableFrames.isSuperset(of: [0x00, 0x40, 0xB0, 0xC0, 0xD0]))
        #expect(wiphy.bands.map(\.id) == [.ghz2, .ghz5])
    }

    @Test func `what it can do decides who manages stations`() throws {
        var wiphy = try captured()
        #expect(wiphy.canBeAccessPoint)
        #expect(wiphy.stationManagement == .host)
        #expect(wiphy.hasControlPortOverNL80211 && wiphy.has(.controlPortTransmitStatus))
        #expect(!wiphy.hasHandshakeOffload && !wiphy.hasSAEOffload)
        #expect(wiphy.probeResponseOffload == nil)
        wiphy.accessPointSME = 0
        #expect(wiphy.stationManagement == .radio)
        wiphy.extendedFeatures = [UInt8](repeating: 0, count: 8)
        wiphy.extendedFeatures[50 / 8] |= 1 << (50 % 8)
        #expect(wiphy.stationManagement == .radioWithHandshake(psk: true, sae: false))
        wiphy.extendedFeatures[51 / 8] |= 1 << (51 % 8)
        #expect(wiphy.stationManagement == .radioWithHandshake(psk: true, sae: true))
        wiphy.interfaceTypes.remove(.accessPoint)
        #expect(!wiphy.canBeAccessPoint)
        #expect(!wiphy.has(ExtendedFeature(rawValue: 1000)) && !wiphy.has(ExtendedFeature(rawValue: -1)))
    }

    @Test func `channels tell what is forbidden on them`() throws {
        let wiphy = try captured()
        let low = try #require(wiphy.band(.ghz2))
        #expect(low.channels.map(\.frequency) == [2412, 2437, 2484])
        #expect(low.channels.map(\.allowsAccessPoint) == [true, true, false])
        #expect(low.channels[2].isDisabled)
        #expect(low.channels[0].maximumPower == 2000 && low.channels[0].forbidsHT40Minus)
        #expect(low.rates == [10, 20, 55, 110, 60, 90, 120, 180, 240, 360, 480, 540])
        let high = try #require(wiphy.band(.ghz5))
        #expect(high.channels.map(\.frequency) == [5180, 5260])
        #expect(high.channels[0].allowsAccessPoint)
        #expect(high.channels[1].needsRadarDetection && !high.channels[1].allowsAccessPoint)
        #expect(low.ht?.information == 0x107E && low.vht == nil)
        #expect(high.vht != nil)
        #expect(low.accessPointHE != nil && high.accessPointHE != nil)
    }

    @Test func `interfaces, and one that changed or went`() throws {
        guard case .interfaces(let list) = answer(.getInterfaces, Captured.interfaces) else { throw Missing() }
        #expect(list.count == 2)
        let first = try #require(list.first { $0.wiphy == 0 })
        #expect(first.name == "wlan0" && first.index == 4 && first.type == .accessPoint)
        #expect(first.ssid == Array("Probe".utf8) && first.frequency == 2437)
        #expect(first.macAddress == MACAddress(0x0200_0000_0000))
        guard case .interface(let changed) = event(Captured.interfaceChanged) else { throw Missing() }
        #expect(changed.type == .accessPoint && changed.name == "wlan0")
        guard case .interfaceRemoved(let gone) = event(Captured.interfaceRemoved) else { throw Missing() }
        #expect(gone.name == "extra")
    }

    @Test func `stations`() throws {
        guard case .stations(let list) = answer(.getStations(interface: 4), Captured.stations) else { throw Missing() }
        let station = try #require(list.first)
        #expect(list.count == 1 && station.interface == 4 && station.address == MACAddress(0x0200_0000_0100))
        #expect(station.flags?.isSuperset(of: [.authenticated, .associated, .authorized, .wmm]) == true)
        #expect(station.inactiveMilliseconds != nil && station.connectedSeconds != nil)
        #expect(station.receivedBytes != nil && station.sentBytes != nil && station.transmitFailed != nil)
        guard case .newStation(let added) = event(Captured.stationAdded) else { throw Missing() }
        #expect(added.address == station.address)
    }

    @Test func `a scan`() throws {
        guard case .scan(let list) = answer(.getScan(interface: 5), Captured.scan) else { throw Missing() }
        let found = try #require(list.first)
        #expect(list.count == 1 && found.bssid == MACAddress(0x0200_0000_0000) && found.frequency == 2437)
        #expect(found.signal == -3000 && found.beaconInterval == 100)
        #expect(found.elements.starts(with: [0, 5] + Array("Probe".utf8)))
        #expect(event(Captured.scanStarted) == .scanStarted(interface: 5))
        #expect(event(Captured.scanFinished) == .scanFinished(interface: 5))
    }

    @Test func `the law, and that it changed`() throws {
        guard case .regulatory(let domain) = answer(.getRegulatory(wiphy: nil), Captured.regulatory) else {
            throw Missing()
        }
        #expect(domain.alpha2 == "DE" && domain.dfsRegion == 2 && domain.wiphy == nil)
        let rule = try #require(domain.rules.first)
        #expect(rule.start == 2_400_000 && rule.end == 2_483_500 && rule.maximumPower == 2000)
        #expect(event(Captured.regulatoryChanges) == .regulatoryChange(alpha2: "DE", wiphy: nil))
    }

    @Test func `an access point that runs, and a frame that was sent`() {
        #expect(event(Captured.accessPointStarted) == .accessPointStarted(interface: 4))
        #expect(
            event(Captured.frameTransmitted)
                == .frameTransmitted(TransmissionStatus(interface: 4, cookie: 3, wasAcknowledged: false)))
    }

    @Test func `frames of stations`() {
        let station = MACAddress(0x0200_0000_0100)
        let frame = event(59) { writer in
            writer.put(3, UInt32(4))
            writer.put(38, UInt32(2437))
            writer.put(151, Int32(-48))
            writer.put(51, [0xB0, 0, 1])
        }
        #expect(
            frame == .frame(ReceivedFrame(interface: 4, frame: [0xB0, 0, 1], frequency: 2437, signal: -48)))
        let eapol = event(129) { writer in
            writer.put(3, UInt32(4))
            writer.put(6, station)
            writer.put(51, [2, 3, 0, 0])
            writer.put(102, UInt16(0x888E))
            writer.putFlag(103)
        }
        #expect(
            eapol
                == .controlPortFrame(
                    ReceivedControlPortFrame(
                        interface: 4, source: station, frame: [2, 3, 0, 0], ethertype: 0x888E, wasUnencrypted: true)))
        let status = event(139) { writer in
            writer.put(3, UInt32(4))
            writer.put(88, UInt64(9))
            writer.putFlag(92)
        }
        #expect(
            status
                == .controlPortFrameTransmitted(TransmissionStatus(interface: 4, cookie: 9, wasAcknowledged: true)))
        let probe = event(84) { writer in
            writer.put(3, UInt32(4))
            writer.put(6, station)
            writer.put(88, UInt64(9))
        }
        #expect(
            probe
                == .probed(ProbeStatus(interface: 4, address: station, cookie: 9, wasAcknowledged: false)))
        for command in [83, 86] as [UInt8] {
            let stray = event(command) { writer in
                writer.put(3, UInt32(4))
                writer.put(6, station)
            }
            #expect(stray == .unexpectedFrame(interface: 4, from: station))
        }
    }

    @Test func `what radios tell`() {
        #expect(
            event(3) {
                $0.put(1, UInt32(2)); $0.put(2, "phy2")
            } == .newWiphy(index: 2, name: "phy2"))
        #expect(event(4) { $0.put(1, UInt32(2)) } == .wiphyRemoved(index: 2))
        #expect(event(16) { $0.put(3, UInt32(4)) } == .accessPointStopped(interface: 4))
        #expect(event(35) { $0.put(3, UInt32(4)) } == .scanAborted(interface: 4))
        let station = MACAddress(0x0200_0000_0100)
        #expect(
            event(20) {
                $0.put(3, UInt32(4)); $0.put(6, station)
            }
                == .stationRemoved(interface: 4, address: station))
        #expect(
            event(91) {
                $0.put(3, UInt32(4)); $0.put(6, station); $0.put(155, UInt32(0))
            }
                == .connectionFailed(interface: 4, address: station, .full))
        #expect(
            event(94) {
                $0.put(1, UInt32(0)); $0.put(168, UInt32(0)); $0.put(38, UInt32(5260))
            }
                == .radar(.detected, wiphy: 0, interface: nil, frequency: 5260))
        #expect(
            event(88) {
                $0.put(3, UInt32(4)); $0.put(38, UInt32(5180))
            }
                == .channelSwitched(interface: 4, frequency: 5180))
        #expect(event(64) { _ in } == .other(NL80211Command(rawValue: 64)))
    }

    @Test func `an event that lacks what it is about is none`() {
        for command in [3, 4, 7, 8, 15, 16, 19, 20, 33, 34, 35, 59, 60, 83, 84, 88, 91, 94, 129, 139] as [UInt8] {
            #expect(event(command) { _ in } == nil)
        }
    }

    @Test func `no truncation of what was captured traps`() {
        for bytes in [
            Captured.interfaces, Captured.scan, Captured.regulatory, Captured.refused, Captured.stationAdded,
            Captured.interfaceChanged, Captured.frameTransmitted, Captured.stations,
        ] {
            for count in 20..<bytes.count {
                // The first message alone, as long as it says.
                let cut = withUnsafeBytes(of: UInt32(count)) { [UInt8]($0) } + bytes[4..<count]
                _ = event(cut)
                _ = answer(.getStations(interface: 4), cut)
                _ = answer(.getScan(interface: 4), cut)
                _ = answer(.getRegulatory(wiphy: nil), cut)
                _ = answer(.getInterfaces, cut)
                _ = answer(.getWiphys, cut)
                _ = answer(.getSurvey(interface: 4), cut)
            }
        }
        for count in stride(from: 0, to: Captured.wiphys.count, by: 7) {
            #expect(answer(.getWiphys, Array(Captured.wiphys.prefix(count))) == nil)
        }
    }

    @Test func `a survey and a key's counter`() throws {
        func message(_ command: UInt8, _ body: (inout NetlinkWriter) -> Void) -> [UInt8] {
            var writer = NetlinkWriter()
            writer.beginMessage(type: Captured.family, flags: .multi, sequence: 1)
            writer.write(GenericHeader(command: command, version: 1))
            body(&writer)
            writer.beginMessage(type: NetlinkHeader.done, flags: .multi, sequence: 1)
            writer.write(UInt32(0))
            writer.endMessage()
            return writer.bytes
        }
        let survey = message(51) { writer in
            writer.put(3, UInt32(4))
            writer.putNest(84) { writer in
                writer.put(1, UInt32(2437))
                writer.put(2, UInt8(bitPattern: -92))
                writer.putFlag(3)
                writer.put(4, UInt64(1000))
                writer.put(5, UInt64(250))
            }
        }
        #expect(
            answer(.getSurvey(interface: 4), survey)
                == .survey([SurveyEntry(frequency: 2437, noise: -92, isInUse: true, time: 1000, timeBusy: 250)]))
        var writer = NetlinkWriter()
        writer.beginMessage(type: Captured.family, flags: [], sequence: 1)
        writer.write(GenericHeader(command: 11, version: 1))
        writer.put(10, [7, 0, 0, 0, 0, 0])
        writer.putNest(80) { $0.put(4, [7, 0, 0, 0, 0, 0]) }
        writer.beginMessage(type: NetlinkHeader.error, flags: .capped, sequence: 1)
        for _ in 0..<5 { writer.write(UInt32(0)) }
        writer.endMessage()
        #expect(
            answer(.getKey(interface: 4, station: nil, index: 1), writer.bytes)
                == .keySequence([7, 0, 0, 0, 0, 0]))
    }
}

struct RadioSwitchTests {
    @Test func `an event of the device is read, also a longer one of newer kernels`() {
        let event: [UInt8] = withUnsafeBytes(of: UInt32(3)) { [UInt8]($0) } + [1, 2, 1, 0]
        for bytes in [event, event + [1]] {
            let read = RadioSwitch(bytes.span.bytes)
            #expect(read == RadioSwitch(index: 3, operation: .changed, isSoftBlocked: true, isHardBlocked: false))
        }
        for count in 0..<8 {
            let cut = Array(event.prefix(count))
            let read = RadioSwitch(cut.span.bytes)
            #expect(read == nil)
        }
        var unknown = event
        unknown[5] = 9
        let read = RadioSwitch(unknown.span.bytes)
        #expect(read == nil)
    }

    @Test func `what lets a radio be on is a change of Wi-Fi's switch to nothing`() {
        #expect(
            RadioSwitch.unblocking(index: 3) == withUnsafeBytes(of: UInt32(3)) { [UInt8]($0) } + [1, 2, 0, 0])
    }
}
