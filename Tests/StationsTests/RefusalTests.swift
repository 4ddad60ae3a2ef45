import IEEE80211
import SAE
import SansIO
import Stations
import Testing
import Wire

/// Everything that is refused, with what the phone is told and what is remembered.
@Suite struct RefusalTests {
    /// Answers to a hand-made request: the status and the cause.
    private func answer(
        _ world: World, to elements: [UInt8], authenticated: Bool = true, from address: MACAddress = MACAddress(0x02AA)
    ) -> StatusCode? {
        if authenticated { give(world, authentication(from: address)) }
        let request = frame(.associationRequest, from: address) {
            AssociationRequest.write(capabilities: [.ess, .privacy], listenInterval: 5, elements: elements, into: &$0)
        }
        let frames = give(world, request)
        for frame in frames {
            guard let parsed = try? ManagementFrame(frame.span.bytes), parsed.header.subtype == .associationResponse,
                let response = try? AssociationResponse(body: parsed.body)
            else { continue }
            #expect(response.status == .success || response.aid == 0)
            return response.status
        }
        return nil
    }

    /// Gives a frame to the access point without air, and takes what it sends.
    @discardableResult
    private func give(_ world: World, _ frame: [UInt8]) -> [[UInt8]] {
        var output = StationsOutput()
        _ = world.stations.handle(.managementFrame(frame.span.bytes, signal: nil), at: world.now, into: &output)
        world.events += output.events
        return output.actions.compactMap {
            if case .transmit(let frame, _, _) = $0 { frame } else { nil }
        }
    }

    private func frame(
        _ subtype: ManagementSubtype, from address: MACAddress, flags: FrameFlags = [], sequence: UInt16 = 0x40,
        _ body: (inout ByteWriter) -> Void
    ) -> [UInt8] {
        var writer = ByteWriter()
        ManagementHeader(
            subtype: subtype, flags: flags, destination: World.bss, source: address, bss: World.bss,
            sequenceControl: sequence
        ).write(into: &writer)
        body(&writer)
        return writer.bytes
    }

    private func authentication(
        from address: MACAddress, _ algorithm: AuthenticationAlgorithm = .openSystem, transaction: UInt16 = 1
    ) -> [UInt8] {
        frame(.authentication, from: address) {
            AuthenticationFrame.write(algorithm: algorithm, transaction: transaction, status: .success, into: &$0)
        }
    }

    private func request(
        ssid: String? = World.ssid, rates: [UInt8]? = [0x82, 0x84, 0x8B, 0x96, 12, 24], rsn: [UInt8]?
    ) -> [UInt8] {
        var writer = ByteWriter()
        if let ssid { writer.write(element: .ssid, body: Array(ssid.utf8)) }
        if let rates { writer.write(element: .supportedRates, body: rates) }
        writer.write(bytes: rsn ?? [])
        return writer.bytes
    }

    private func rsn(
        group: CipherSuite = .ccmp, pairwise: [CipherSuite] = [.ccmp], akms: [AKMSuite] = [.psk],
        _ capabilities: RSNCapabilities = [], groupManagement: CipherSuite? = nil
    ) -> [UInt8] {
        RSNElement(
            group: group, pairwise: pairwise, akms: akms, capabilities: capabilities, groupManagement: groupManagement
        ).bytes
    }

    private static let phone = MACAddress(0x02AA)

    @Test func requestsThatDoNotFit() throws {
        let mfp = RSNCapabilities.managementFrameProtectionCapable
        let cases: [(elements: [UInt8], status: StatusCode, cause: RefusalCause)] = [
            (request(ssid: "Other", rsn: rsn()), .unspecifiedFailure, .otherNetwork),
            (request(ssid: nil, rsn: rsn()), .unspecifiedFailure, .otherNetwork),
            (request(rates: nil, rsn: rsn()), .basicRatesUnsupported, .basicRates),
            (request(rates: [12, 24, 48], rsn: rsn()), .basicRatesUnsupported, .basicRates),
            (request(rsn: nil), .invalidElement, .noRSN),
            (request(rsn: [48, 2, 2, 0]), .unsupportedRSNVersion, .malformedRSN),
            (request(rsn: [48, 3, 1, 0, 0]), .invalidElement, .malformedRSN),
            (request(rsn: rsn(group: .tkip)), .invalidGroupCipher, .groupCipher(.tkip)),
            (request(rsn: rsn(pairwise: [.tkip])), .invalidPairwiseCipher, .pairwiseCipher(.tkip)),
            (request(rsn: rsn(pairwise: [.ccmp, .tkip])), .invalidPairwiseCipher, .pairwiseCipher(.tkip)),
            (request(rsn: rsn(akms: [.ieee8021X])), .invalidAKM, .akm(.ieee8021X)),
            (request(rsn: rsn(akms: [.psk, .sae])), .invalidAKM, .akm(.psk)),
            (
                request(rsn: rsn(.managementFrameProtectionRequired)), .robustManagementPolicyViolation,
                .managementFrameProtection
            ),
            (request(rsn: rsn(akms: [.sae])), .robustManagementPolicyViolation, .managementFrameProtection),
            (
                request(rsn: rsn(mfp, groupManagement: .bipGMAC256)), .cipherRejected,
                .groupManagementCipher(.bipGMAC256)
            ),
            // SAE without having authenticated by SAE, and without a key from an earlier visit.
            (request(rsn: rsn(akms: [.sae], mfp)), .invalidPMKID, .unknownPMKID),
            ([0, 9, 1], .invalidElement, .malformedRequest),
        ]
        for (elements, status, cause) in cases {
            let world = try World(seed: 1)
            #expect(answer(world, to: elements) == status, "\(cause)")
            #expect(world.stations.refusals.map(\.cause) == [cause])
            #expect(world.events == [.refused(Self.phone, cause)])
            #expect(world.stations.count == 0)
            #expect(world.stations.counters.refusals == [cause.label: 1])
            #expect(!cause.explanation.isEmpty)
        }
    }

    @Test func aRequestThatFitsMakesAnEntryFirst() throws {
        let world = try World(seed: 1)
        // The answer comes when the driver has room, not before.
        #expect(answer(world, to: request(rsn: rsn())) == nil)
        #expect(world.stations.count == 1)
        var output = StationsOutput()
        _ = world.stations.handle(.stationAdded(Self.phone, succeeded: false), at: world.now, into: &output)
        guard case .transmit(let frame, nil, false)? = output.actions.first else {
            Issue.record("no answer")
            return
        }
        let response = try AssociationResponse(body: ManagementFrame(frame.span.bytes).body)
        let status = response.status
        #expect(status == .tooManyStations)
        #expect(world.stations.refusals.map(\.cause) == [.driver])
        #expect(world.stations.count == 0)
    }

    @Test func associationWithoutAuthentication() throws {
        let world = try World(seed: 1)
        #expect(answer(world, to: request(rsn: rsn()), authenticated: false) == nil)
        #expect(world.stations.refusals.map(\.cause) == [.notAuthenticated])
        // An authentication is not kept for ever.
        give(world, authentication(from: Self.phone))
        world.run(for: .seconds(11))
        #expect(answer(world, to: request(rsn: rsn()), authenticated: false) == nil)
        #expect(world.stations.refusals.map(\.count) == [2])
    }

    @Test func authenticationsThatAreNotSpokenHere() throws {
        let world = try World(seed: 1)
        for (algorithm, transaction, status) in [
            (AuthenticationAlgorithm.sharedKey, UInt16(1), StatusCode.authenticationAlgorithmUnsupported),
            (.fastTransition, 1, .authenticationAlgorithmUnsupported),
            (.openSystem, 2, .authenticationTransactionUnexpected),
        ] {
            let frames = give(world, authentication(from: Self.phone, algorithm, transaction: transaction))
            let frame = try #require(frames.first)
            let response = try AuthenticationFrame(body: ManagementFrame(frame.span.bytes).body)
            let answered = response.status
            #expect(answered == status)
        }
        #expect(world.stations.refusals.count == 3)
    }

    @Test func framesThatAreForNobodyHere() throws {
        let world = try World(seed: 1)
        var other = authentication(from: Self.phone)
        other[9] ^= 1
        #expect(give(world, other).isEmpty)
        var group = authentication(from: Self.phone)
        group[10] |= 1
        #expect(give(world, group).isEmpty)
        #expect(give(world, authentication(from: World.bss)).isEmpty)
        #expect(world.stations.counters.malformedFrames == 0)
        for count in 0..<30 {
            #expect(give(world, Array(authentication(from: Self.phone).prefix(count))).isEmpty)
        }
        #expect(world.stations.counters.malformedFrames == 30)
    }

    @Test func aPasswordThatIsWrong() throws {
        for habits in JoiningTests.habits {
            let world = try World(seed: 5)
            let phone = try world.add(1, habits, passphrase: "something else")
            world.join(phone)
            world.run(for: .seconds(5))
            #expect(world.count(.authorized(phone, habits.akm)) == 0)
            #expect(world.causes(of: phone) == [.wrongPassphrase], "\(habits.akm)")
            #expect(world.driver.problems.isEmpty)
            #expect(world.driver.entries.values.allSatisfy { !$0.isAuthorized && $0.key == nil })
            if habits.akm.isSAE {
                #expect((world.phones[phone]?.statuses[.challengeFailure] ?? 0) > 0)
            } else {
                #expect((world.phones[phone]?.reasons[.fourWayHandshakeTimeout] ?? 0) > 0)
            }
        }
    }

    @Test func huntingAndPeckingByAPhoneThatSpeaksHashToElement() throws {
        let world = try World(seed: 2)
        let phone = try world.add(1, VirtualPhone.Habits(akm: .sae, method: .huntingAndPecking, usesMFP: true))
        world.phones[phone]?.saysHashToElement = true
        world.join(phone)
        world.run(for: .seconds(2))
        #expect(world.causes(of: phone) == [.hashToElementDowngrade])
        #expect(!world.isOn(phone))
    }

    @Test func theListOfTheRefusedIsBounded() throws {
        let world = try World(seed: 3)
        for number in 0..<200 {
            _ = answer(world, to: request(rsn: nil), from: MACAddress(0x0200_0000_1000 + UInt64(number)))
        }
        #expect(world.stations.refusals.count == 32)
        #expect(world.stations.refusals.last?.station == MACAddress(0x0200_0000_10C7))
        #expect(world.stations.counters.refusals == ["no-rsn": 200])
        // Not each becomes a line in the journal.
        #expect(world.events.count == 20)
        // One that comes again moves to the end and is counted.
        _ = answer(world, to: request(rsn: nil), from: MACAddress(0x0200_0000_10B0))
        #expect(world.stations.refusals.count == 32)
        #expect(world.stations.refusals.last?.count == 2)
    }
}
