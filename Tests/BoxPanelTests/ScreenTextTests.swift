import Foundation
import Screens
import Testing

@testable import BoxPanel

@Suite struct ScreenTextTests {
    private func text(_ screen: Screen, _ language: Language = .english) -> String {
        ScreenText(Texts(language), colors: false).text(of: screen)
    }

    /// Which step comes first must be plain: the room's code leads nowhere before a phone is on the Wi-Fi.
    @Test(arguments: Language.allCases) func theWiFiIsStepOne(language: Language) throws {
        let room = RoomScreen.room()
        let texts = Texts(language)
        var rest = text(.room(room), language)[...]
        for words in [
            "1. \(texts[.joinWiFi])", "█", "Bridge-k7m3", "bcdfg-23456-vwxyz", "2. \(texts[.openRoom])",
            "The Bridge Club", "█", room.link,
        ] {
            let range = try #require(rest.range(of: words), "\(words)")
            rest = rest[range.upperBound...]
        }
        #expect(rest == "\n\n", "the link is the last line when all is well")
    }

    @Test func withoutAWiFiThereAreNoSteps() {
        var room = RoomScreen.room()
        room.wifi = nil
        let text = text(.room(room))
        #expect(text.contains("Scan to join: The Bridge Club\n"))
        #expect(!text.contains("1.") && !text.contains("2.") && !text.contains("Wi-Fi"))
    }

    /// What is wrong stands below the codes, where a terminal's cursor is.
    @Test func whatIsWrongStandsBelowTheCodesAsSentences() throws {
        var room = RoomScreen.room()
        room.full = 12
        room.troubles = [.noCountry, .other("The adapter phy0 can't do WPA3.")]
        let text = text(.room(room))
        let end = try #require(text.range(of: "\(room.link)\n"))
        let lines = text[end.upperBound...].split(separator: "\n", omittingEmptySubsequences: false)
        try #require(lines.count == 6, "an empty line, three lines, an empty line, and the end")
        #expect(lines[0] == "" && lines[4] == "" && lines[5] == "")
        #expect(lines[1] == "Full: 12 of 12 phones. There is room again when someone leaves.")
        let (sentence, advice) = Texts(.english).trouble(.noCountry)
        #expect(lines[2].hasPrefix(sentence) && lines[2].hasSuffix(advice) && !advice.isEmpty)
        #expect(lines[3].hasPrefix("The adapter phy0 can't do WPA3."))
        #expect(!lines[3].contains(".."))
    }

    @Test func everyOtherScreenIsALine() {
        let screens: [Screen] = [
            .starting(name: "Box"), .rotating, .updating, .trouble(.noRadio), .holding(shutDownIn: 2),
            .holdingOn(resetIn: 7), .resetting, .shuttingDown, .off, .stopped,
        ]
        for language in Language.allCases {
            for screen in screens {
                let lines = text(screen, language).split(separator: "\n", omittingEmptySubsequences: false)
                #expect(lines.count == 3 && lines[0].isEmpty && lines[1].count > 3 && lines[2].isEmpty, "\(screen)")
            }
        }
        #expect(text(.holding(shutDownIn: 2)).contains("2"))
        #expect(text(.holdingOn(resetIn: 7)).contains("7"))
        #expect(text(.off) == "\nOff. Safe to unplug once the green light is out.\n")
    }
}
