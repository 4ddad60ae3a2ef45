import IEEE80211
import TestSupport
import Testing
import Wire

@Suite struct FrameTests {
    let bss = MACAddress(0x0200_0000_0001)
    let phone = MACAddress(0x0200_0000_0102)

    private func saQuery(_ body: [UInt8]) throws -> SAQuery { try SAQuery(body: body.span.bytes) }

    private func frame(
        _ subtype: ManagementSubtype, flags: FrameFlags = [], _ body: (inout ByteWriter) -> Void
    ) -> [UInt8] {
        var writer = ByteWriter()
        ManagementHeader(
            subtype: subtype, flags: flags, destination: bss, source: phone, bss: bss, sequenceControl: 0x1230
        ).write(into: &writer)
        body(&writer)
        return writer.bytes
    }

    /// An open system authentication request as a phone sends it, octet by octet.
    @Test func authenticationRequestOctets() throws {
        let bytes = frame(.authentication) {
            AuthenticationFrame.write(algorithm: .openSystem, transaction: 1, status: .success, into: &$0)
        }
        #expect(
            bytes == [
                0xB0, 0x00, 0x00, 0x00, 0x02, 0, 0, 0, 0, 0x01, 0x02, 0, 0, 0, 0x01, 0x02, 0x02, 0, 0, 0, 0, 0x01,
                0x30, 0x12, 0, 0, 1, 0, 0, 0,
            ])
        let parsed = try ManagementFrame(bytes.span.bytes)
        #expect(parsed.header.subtype == .authentication)
        #expect(parsed.header.source == phone)
        #expect(parsed.header.destination == bss)
        #expect(parsed.header.sequenceControl == 0x1230)
        let authentication = try AuthenticationFrame(body: parsed.body)
        #expect(authentication.algorithm == .openSystem)
        #expect(authentication.transaction == 1)
        #expect(authentication.rest.byteCount == 0)
    }

    @Test func everyTruncationOfAHeaderIsRefused() throws {
        let bytes = frame(.deauthentication) { Deauthentication(reason: .leaving).write(into: &$0) }
        for count in 0..<ManagementHeader.byteCount {
            #expect(throws: FrameError.truncated) {
                _ = try ManagementFrame(bytes.span.extracting(first: count).bytes)
            }
        }
        let parsed = try ManagementFrame(bytes.span.bytes)
        #expect(try Deauthentication(body: parsed.body).reason == .leaving)
        #expect(throws: FrameError.truncated) {
            _ = try Deauthentication(body: ManagementFrame(bytes.span.extracting(first: 25).bytes).body)
        }
    }

    @Test func otherTypesAndVersionsAreRefused() {
        var bytes = frame(.action) { SAQuery(.request, transaction: 7).write(into: &$0) }
        for control: UInt8 in [0x08, 0x04, 0xD1, 0x88] {
            bytes[0] = control
            #expect(throws: FrameError.wrongKind) { _ = try ManagementFrame(bytes.span.bytes) }
        }
    }

    @Test func highThroughputControlIsPassedOver() throws {
        let bytes = frame(.action, flags: .highThroughputControl) {
            $0.writeZeros(4)
            SAQuery(.response, transaction: 0x0807).write(into: &$0)
        }
        #expect(Array(bytes.suffix(4)) == [8, 1, 0x07, 0x08])
        #expect(try SAQuery(body: ManagementFrame(bytes.span.bytes).body) == SAQuery(.response, transaction: 0x0807))
    }

    @Test func saQueryRefusesOtherActions() {
        #expect(throws: FrameError.wrongKind) { try saQuery([3, 0, 1, 0]) }
        #expect(throws: FrameError.wrongKind) { try saQuery([8, 2, 1, 0]) }
        for count in 0..<4 {
            let part: [UInt8] = Array([8, 0, 1, 0].prefix(count))
            #expect(throws: FrameError.truncated) { try saQuery(part) }
        }
    }

    @Test func associationRequests() throws {
        let elements: [UInt8] = [0, 2, 0x41, 0x42, 1, 1, 0x82]
        for isReassociation in [false, true] {
            var writer = ByteWriter()
            AssociationRequest.write(
                capabilities: [.ess, .privacy], listenInterval: 10, currentAccessPoint: isReassociation ? bss : nil,
                elements: elements, into: &writer)
            let bytes = writer.bytes
            let request = try AssociationRequest(body: bytes.span.bytes, isReassociation: isReassociation)
            #expect(request.capabilities == [.ess, .privacy])
            #expect(request.listenInterval == 10)
            #expect(request.currentAccessPoint == (isReassociation ? bss : nil))
            #expect(request.elements.copied == elements)
            for count in 0..<(isReassociation ? 10 : 4) {
                #expect(throws: FrameError.truncated) {
                    _ = try AssociationRequest(
                        body: bytes.span.extracting(first: count).bytes, isReassociation: isReassociation)
                }
            }
        }
    }

    @Test func associationResponsesMarkTheirIdentifier() throws {
        var writer = ByteWriter()
        AssociationResponse.write(
            capabilities: .ess, status: .success, aid: 2007, elements: [1, 1, 0x82] as [UInt8], into: &writer)
        let bytes = writer.bytes
        // 9.4.1.8: the two high bits are set on the air.
        #expect(Array(bytes[4..<6]) == [0xD7, 0xC7])
        let response = try AssociationResponse(body: bytes.span.bytes)
        #expect(response.aid == 2007)
        #expect(response.status == .success)
        var refusal = ByteWriter()
        AssociationResponse.write(
            capabilities: .ess, status: .tooManyStations, aid: 0, elements: [] as [UInt8], into: &refusal)
        #expect(Array(refusal.bytes) == [1, 0, 17, 0, 0, 0])
    }

    @Test func comebackTime() {
        var writer = ByteWriter()
        TimeoutInterval.writeAssociationComeback(timeUnits: 1000, into: &writer)
        #expect(writer.bytes == [56, 5, 3, 0xE8, 0x03, 0, 0])
    }

    @Test func codesSayWhatTheyMean() {
        #expect(StatusCode.tooManyStations.description == "too many stations (17)")
        #expect(StatusCode(rawValue: 999).description == "status (999)")
        #expect(ReasonCode.fourWayHandshakeTimeout.description == "4-way handshake timeout (15)")
    }

    /// Whatever comes from the air, parsers answer and don't trap.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func randomBytes(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<3000 {
            let bytes = (0..<Int.random(in: 0...120, using: &generator)).map { _ in
                // Small numbers are lengths and counts that lead further in.
                Bool.random(using: &generator)
                    ? UInt8.random(in: 0...8, using: &generator) : UInt8.random(in: 0...255, using: &generator)
            }
            let span = bytes.span.bytes
            _ = try? ManagementFrame(span).header
            _ = try? AuthenticationFrame(body: span).transaction
            _ = try? AssociationRequest(body: span, isReassociation: true).listenInterval
            _ = try? StationElements(span)
            _ = try? SAQuery(body: span)
            if let element = try? RSNElement(body: span) {
                let again = element.bytes
                let body = Array(again[2...])
                // A list that is too long for one element is cut when it is written.
                if again.count < maximumElementLength {
                    let second = try? RSNElement(body: body.span.bytes)
                    #expect(second == element, "seed \(seed)")
                }
            }
        }
    }
}
