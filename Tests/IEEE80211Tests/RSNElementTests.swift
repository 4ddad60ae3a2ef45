import IEEE80211
import Testing
import Wire

@Suite struct RSNElementTests {
    private func parse(_ body: some Collection<UInt8>) throws -> RSNElement {
        let octets = Array(body)
        return try RSNElement(body: octets.span.bytes)
    }

    private func parseExtension(_ body: [UInt8]) throws -> RSNXElement {
        try RSNXElement(body: body.span.bytes)
    }

    /// The first example of IEEE 802.11-2020, 9.4.2.24.1: IEEE 802.1X with CCMP for pairwise and group keys.
    let example: [UInt8] = [
        0x30, 0x14, 0x01, 0x00, 0x00, 0x0F, 0xAC, 0x04, 0x01, 0x00, 0x00, 0x0F, 0xAC, 0x04, 0x01, 0x00, 0x00, 0x0F,
        0xAC, 0x01, 0x00, 0x00,
    ]

    /// What an access point of WPA2 and WPA3 together says: management frame protection possible, BIP with CMAC.
    let transition: [UInt8] = [
        0x30, 0x1E, 0x01, 0x00, 0x00, 0x0F, 0xAC, 0x04, 0x01, 0x00, 0x00, 0x0F, 0xAC, 0x04, 0x02, 0x00, 0x00, 0x0F,
        0xAC, 0x02, 0x00, 0x0F, 0xAC, 0x08, 0x8C, 0x00, 0x00, 0x00, 0x00, 0x0F, 0xAC, 0x06,
    ]

    @Test func theStandardsExample() throws {
        let element = try parse(example[2...])
        #expect(element == RSNElement(akms: [.ieee8021X]))
        #expect(element.bytes == example)
    }

    @Test func transitionMode() throws {
        let element = try parse(transition[2...])
        #expect(element.akms == [.psk, .sae])
        #expect(element.capabilities == [.managementFrameProtectionCapable, .sixteenPairwiseReplayCounters])
        #expect(element.groupManagement == .bipCMAC128)
        #expect(element.pmkids.isEmpty)
        #expect(element.bytes == transition)
    }

    @Test func anElementMayEndAfterEveryField() throws {
        let pmkid = [UInt8](1...16)
        let whole = RSNElement(
            akms: [.sae], capabilities: .managementFrameProtectionCapable, pmkids: [pmkid],
            groupManagement: .bipCMAC128)
        let body = Array(whole.bytes.dropFirst(2))
        // After version, group, pairwise, AKM, capabilities, PMKIDs and group management.
        let ends = [2, 6, 12, 18, 20, 38, 42]
        for count in 0...body.count {
            let part = Array(body.prefix(count))
            if ends.contains(count) {
                let element = try parse(part)
                #expect(element.group == .ccmp)
                #expect(element.akms == (count >= 18 ? [.sae] : [.ieee8021X]))
                #expect(element.pmkids == (count >= 38 ? [pmkid] : []))
                #expect(element.groupManagement == (count >= 42 ? .bipCMAC128 : nil))
            } else {
                #expect(throws: FrameError.truncated, "\(count) octets") { try parse(part) }
            }
        }
    }

    @Test func whatComesAfterTheLastKnownFieldIsPassedOver() throws {
        let longer = Array(transition.dropFirst(2)) + [1, 2, 3]
        #expect(try parse(longer) == parse(transition[2...]))
    }

    @Test func unknownSuitesAreKept() throws {
        let element = RSNElement(
            group: CipherSuite(rawValue: 0x0050_F202), pairwise: [CipherSuite(rawValue: 0xABCD_EF42), .gcmp256],
            akms: [AKMSuite(rawValue: 0x506F_9A02)])
        #expect(try parse(element.bytes[2...]) == element)
        #expect(element.akms[0].description == "50-6F-9A:2")
        #expect(CipherSuite.ccmp.description == "00-0F-AC:4")
    }

    @Test func versionsAndEmptyListsAreRefused() {
        #expect(throws: FrameError.unsupportedVersion(2)) { try parse(([2, 0] as [UInt8])) }
        let noPairwise: [UInt8] = [1, 0, 0, 0x0F, 0xAC, 4, 0, 0]
        #expect(throws: FrameError.invalidCount) { try parse(noPairwise) }
        // A count beyond what there is must not be believed.
        let many: [UInt8] = [1, 0, 0, 0x0F, 0xAC, 4, 0xFF, 0xFF, 0, 0x0F, 0xAC, 4]
        #expect(throws: FrameError.truncated) { try parse(many) }
    }

    @Test func extensionElement() throws {
        #expect(RSNXElement(hashToElement: true).bytes == [244, 1, 0x20])
        #expect(try parseExtension([0x20]).hashToElement)
        #expect(try !parseExtension([0x01, 0xFF]).hashToElement)
        #expect(throws: FrameError.truncated) { try parseExtension([]) }
    }
}
