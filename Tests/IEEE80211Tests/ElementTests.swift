import IEEE80211
import Testing
import Wire

@Suite struct ElementTests {
    private func identifiers(_ bytes: [UInt8]) -> (ids: [UInt8], isMalformed: Bool) {
        var reader = ElementReader(bytes.span.bytes)
        var ids: [UInt8] = []
        while let element = reader.next() { ids.append(element.extensionID?.rawValue ?? element.id.rawValue) }
        return (ids, reader.isMalformed)
    }

    @Test func elementsFollowEachOther() {
        #expect(identifiers([]) == ([], false))
        #expect(identifiers([0, 0, 1, 2, 9, 9, 255, 2, 35, 1]) == ([0, 1, 35], false))
    }

    @Test func everyTruncationIsToldAndKeepsWhatWasBefore() {
        let bytes: [UInt8] = [0, 1, 65, 221, 3, 1, 2, 3]
        for count in 0...bytes.count {
            let (ids, isMalformed) = identifiers(Array(bytes.prefix(count)))
            #expect(ids == (count == 8 ? [0, 221] : count >= 3 ? [0] : []))
            #expect(isMalformed == ![0, 3, 8].contains(count))
        }
        #expect(identifiers([255, 0]) == ([], true))
    }

    @Test func theFirstOfTwoCounts() {
        let bytes: [UInt8] = [0, 1, 65, 0, 1, 66, 255, 2, 36, 7]
        #expect(ElementReader.first(ElementID.ssid, in: bytes.span.bytes)?.copied == [65])
        #expect(ElementReader.first(ElementExtensionID.heOperation, in: bytes.span.bytes)?.copied == [7])
        #expect(ElementReader.first(ElementID.rsn, in: bytes.span.bytes)?.copied == nil)
    }

    @Test func writing() {
        var writer = ByteWriter()
        writer.write(element: .ssid, body: [65] as [UInt8])
        writer.write(element: ElementExtensionID.heOperation, body: [1, 2] as [UInt8])
        #expect(writer.bytes == [0, 1, 65, 255, 3, 36, 1, 2])
        // A body that is too long must not run into the next element.
        var long = ByteWriter()
        long.write(element: .vendor, body: [UInt8](repeating: 7, count: 300))
        #expect(long.count == 257)
        #expect(identifiers(long.bytes) == ([221], false))
    }

    @Test func whatAStationSays() throws {
        let wmm: [UInt8] = [221, 7, 0x00, 0x50, 0xF2, 2, 0, 1, 0x6F]
        let elements: [UInt8] =
            [0, 3, 75, 105, 98, 1, 8, 0x82, 0x84, 0x8B, 0x96, 12, 18, 24, 36, 50, 4, 48, 72, 96, 108]
            + [48, 2, 1, 0, 244, 1, 0x20, 45, 26] + [UInt8](0..<26) + [191, 5, 1, 2, 3, 4, 5, 221, 3, 9, 9, 9] + wmm
        let station = try StationElements(elements.span.bytes)
        #expect(station.ssid == [75, 105, 98])
        #expect(station.rates.values == [2, 4, 11, 22, 12, 18, 24, 36, 48, 72, 96, 108])
        #expect(station.rates.basicValues == [2, 4, 11, 22])
        #expect(station.rates.hasOFDM)
        #expect(station.rsn == [1, 0])
        #expect(station.rsnExtension == [0x20])
        #expect(station.ht == [UInt8](0..<26))
        // Five octets are no VHT capabilities.
        #expect(station.vht == nil)
        #expect(station.qosInformation == 0x6F)
        #expect(throws: FrameError.truncated) {
            let part = Array(elements.dropLast())
            return try StationElements(part.span.bytes)
        }
    }

    @Test func ratesOf80211bAlone() {
        #expect(!SupportedRates(octets: [0x82, 0x84, 0x8B, 0x96]).hasOFDM)
        // The selector of HT (127) is no rate.
        #expect(SupportedRates(octets: [0x82, 0xFF]).values == [2])
        #expect(SupportedRates(octets: [0x82, 0xFF]).basicValues == [2])
    }
}
