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

    /// Elements of any length were taken, and the kernel refused the station for one that is cut off: the phone was told that
    /// there is no room for it.
    @Test func heCapabilitiesAreAsLongAsTheySay() throws {
        // 17 octets, then sets for as many widths as the seventh octet has, then thresholds if the thirteenth says so.
        func capabilities(widths: UInt8, thresholds: [UInt8]? = nil) -> [UInt8] {
            var body = [UInt8](repeating: 0, count: 17)
            body[6] = widths
            if thresholds != nil { body[12] = 0x80 }
            let sets = 1 + (widths & 0x08 == 0 ? 0 : 1) + (widths & 0x10 == 0 ? 0 : 1)
            return body + [UInt8](repeating: 0xFA, count: 4 * sets) + (thresholds ?? [])
        }
        func read(_ body: [UInt8]) throws -> [UInt8]? {
            let bytes = [255, UInt8(body.count + 1), 35] + body
            return try StationElements(bytes.span.bytes).he
        }
        // One stream and one unit of resources are 7 + 6 bits; eight streams and four units are 7 + 192.
        let all: [([UInt8], Int)] = [
            (capabilities(widths: 0x06), 21), (capabilities(widths: 0x0E), 25), (capabilities(widths: 0x1E), 29),
            (capabilities(widths: 0, thresholds: [0x08, 0]), 23),
            (capabilities(widths: 0x1E, thresholds: [0x7F] + [UInt8](repeating: 0, count: 24)), 54),
        ]
        for (whole, count) in all {
            #expect(whole.count == count)
            #expect(try read(whole) == whole)
            // What a later standard adds is not for this kernel.
            #expect(try read(whole + [1, 2]) == whole)
            for cut in 0..<whole.count { #expect(try read(Array(whole.prefix(cut))) == nil) }
        }
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
