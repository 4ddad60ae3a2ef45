import Foundation
import Testing

@testable import Box

@Suite struct TerminalPanelTests {
    private let link = "http://10.77.0.1/#AAAAAAAAAAAAAAAAAAAAAA"

    /// Which step comes first must be plain: the room's code leads nowhere before a phone is on the Wi-Fi.
    @Test func theWiFiIsStepOne() throws {
        let wifi = Status.WiFi(ssid: "Bridge;Club-k7m3", passphrase: "bcdfg-23456-vwxyz")
        #expect(wifi.code == #"WIFI:T:WPA;S:Bridge\;Club-k7m3;P:bcdfg-23456-vwxyz;;"#)
        let text = TerminalPanel().text(wifi: wifi, link: link, room: "The Bridge Club", reason: "The codes changed.")
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
        let text = TerminalPanel().text(wifi: nil, link: link, room: "The Bridge Club", reason: nil)
        #expect(text.contains("Scan this to join The Bridge Club:"))
        #expect(!text.contains("Step") && !text.contains("Wi-Fi"))
    }
}
