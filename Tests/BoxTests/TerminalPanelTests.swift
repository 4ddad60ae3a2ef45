import AccessPoint
import Foundation
import Testing

@testable import Box

@Suite struct TerminalPanelTests {
    private let link = "http://10.77.0.1/#AAAAAAAAAAAAAAAAAAAAAA"

    /// Which step comes first must be plain: the room's code leads nowhere before a phone is on the Wi-Fi.
    @Test func theWiFiIsStepOne() throws {
        let wifi = Status.WiFi(ssid: "Bridge;Club-k7m3", passphrase: "bcdfg-23456-vwxyz")
        #expect(wifi.code == #"WIFI:T:WPA;S:Bridge\;Club-k7m3;P:bcdfg-23456-vwxyz;;"#)
        let text = TerminalPanel().text(
            wifi: wifi, link: link, room: "The Bridge Club", troubles: [], reason: "The codes changed.")
        var rest = text[...]
        for words in [
            "The codes changed.", "Step 1: scan this to join the Wi-Fi:", "█", "Bridge;Club-k7m3", "bcdfg-23456-vwxyz",
            "Step 2: scan this to join The Bridge Club:", "█", link,
        ] {
            let range = try #require(rest.range(of: words), "\(words)")
            rest = rest[range.upperBound...]
        }
    }

    @Test func withoutAWiFiThereAreNoSteps() {
        let text = TerminalPanel().text(wifi: nil, link: link, room: "The Bridge Club", troubles: [], reason: nil)
        #expect(text.contains("Scan this to join The Bridge Club:"))
        #expect(!text.contains("Step") && !text.contains("Wi-Fi"))
    }

    /// What is wrong stands below the codes, where a terminal's cursor is.
    @Test func troublesStandBelowTheCodesAsSentences() throws {
        let wifi = Status.WiFi(ssid: "Bridge", passphrase: "bcdfg-23456-vwxyz")
        let troubles: [AccessPointTrouble] = [.countryUnset, .full(32), .incapableInterface("eth0")]
        let text = TerminalPanel().text(
            wifi: wifi, link: link, room: "The Bridge Club", troubles: troubles.map(\.description), reason: nil)
        let end = try #require(text.range(of: "\(link)\n\n"))
        let lines = text[end.upperBound...].split(separator: "\n", omittingEmptySubsequences: false)
        try #require(lines.count == 5, "three lines, and one that is empty")
        #expect(lines[0].hasPrefix("Country is not set, so the Wi-Fi uses only what is allowed everywhere"))
        #expect(lines[1] == "The Wi-Fi is full (32 of 32 phones); another one can join when one leaves.")
        #expect(lines[2].hasPrefix("The interface eth0 can't be an access point;") && lines[2].hasSuffix("."))
        #expect(lines[3...] == ["", ""])
    }

    @Test func withoutTroubleTheLinkIsTheLastLine() {
        let text = TerminalPanel().text(
            wifi: nil, link: link, room: "The Bridge Club", troubles: [], reason: "All is well with the Wi-Fi again.")
        #expect(text.hasPrefix("\nAll is well with the Wi-Fi again.\n") && text.hasSuffix("\(link)\n\n"))
    }
}
