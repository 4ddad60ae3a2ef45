import Raster
import Testing

@testable import Screens

@Suite struct TextsTests {
    @Test func everyTextIsThereInEveryLanguage() {
        #expect(Texts.table.count == Texts.Key.allCases.count * Language.allCases.count)
        for language in Language.allCases {
            for key in Texts.Key.allCases {
                let text = Texts(language)[key]
                #expect(!text.isEmpty && text.first != " " && text.last != " ", "\(key) in \(language)")
            }
        }
        // Rows begin where they should: some of each part of the table.
        #expect(Texts(.german)[.joinWiFi] == "Ins WLAN" && Texts(.hebrew)[.off] == "כבויה")
        #expect(Texts(.spanish)[.otherAdvice] == "Más detalles con: kibitz-local doctor")
    }

    /// A text with a number has a place for it in every language, and no other has.
    @Test func numbersHaveAPlace() {
        for key in Texts.Key.allCases {
            let places = Set(Language.allCases.map { Texts($0)[key].filter { $0 == "#" }.count })
            let expected =
                switch key {
                case .full: 2
                case .people, .peopleShort, .unconnected: 1
                default: 0
                }
            #expect(places == [expected], "\(key)")
        }
    }

    @Test func whatIsHebrewIsWrittenInHebrew() {
        let hebrew: ClosedRange<UInt32> = 0x05D0...0x05EA
        for key in Texts.Key.allCases {
            #expect(Texts(.hebrew)[key].unicodeScalars.contains { hebrew.contains($0.value) }, "\(key)")
            for language in Language.allCases where language != .hebrew {
                #expect(!Texts(language)[key].unicodeScalars.contains { hebrew.contains($0.value) }, "\(key)")
            }
        }
    }

    @Test func peopleAreCountedAsTheyAreInEachLanguage() {
        func all(_ count: Int) -> [String] { Language.allCases.map { Texts($0).people(count) } }
        #expect(all(0)[0] == "Nobody here yet" && all(-3) == all(0))
        #expect(
            all(1) == [
                "1 person in the room", "1 Person im Raum", "1 personne dans le salon", "1 persona en la sala",
                "אדם אחד בחדר",
            ])
        // Hebrew has words of its own for two.
        #expect(all(2)[0] == "2 people in the room" && all(2)[4] == "שני אנשים בחדר")
        #expect(
            all(12) == [
                "12 people in the room", "12 Personen im Raum", "12 personnes dans le salon", "12 personas en la sala",
                "12 אנשים בחדר",
            ])
    }

    @Test func linksAreTold() {
        let texts = Texts(.english)
        #expect(texts.links(.init(count: 0, healthy: 0)) == nil)
        #expect(texts.links(.init(count: 1, healthy: 1)) == "connected")
        #expect(texts.links(.init(count: 5, healthy: 5)) == "all connected")
        #expect(texts.links(.init(count: 5, healthy: 4)) == "1 reconnecting")
        #expect(texts.links(.init(count: 5, healthy: 2)) == "3 reconnecting")
        // Counts that don't agree come from two moments.
        #expect(texts.links(.init(count: 2, healthy: 3)) == "all connected")
    }

    @Test func aFullRoomSaysHowMany() {
        #expect(
            Language.allCases.map { Texts($0).full(12) } == [
                "Full: 12 of 12 phones", "Voll: 12 von 12 Handys", "Complet\u{A0}: 12 téléphones sur 12",
                "Lleno: 12 de 12 teléfonos", "מלא: 12 מתוך 12 טלפונים",
            ])
    }

    @Test func everyTroubleHasASentenceAndAnAdvice() {
        for language in Language.allCases {
            var seen: Set<String> = []
            for trouble in troubles {
                let words = Texts(language).trouble(trouble)
                #expect(words.sentence.last == ".", "\(words.sentence)")
                #expect(!words.advice.isEmpty)
                seen.formUnion([words.sentence, words.advice])
            }
            // What was held for in vain is held for once more, whatever it was.
            #expect(seen.count == 2 * troubles.count - 1)
            #expect(Texts(language).trouble(.other("The disk is full.")).sentence == "The disk is full.")
        }
    }

    /// A line of French began with the colon, or ended with «: the spaces there were such as may be broken at.
    @Test func frenchSignsStayWithTheirWords() {
        for key in Texts.Key.allCases {
            let text = Array(Texts(.french)[key])
            for (before, after) in zip(text, text.dropFirst()) {
                #expect(!(before == " " && ":;!?»".contains(after)) && !(before == "«" && after == " "), "\(key)")
            }
        }
    }

    /// No text needs a letter that the font lacks.
    @Test func theFontHasEveryLetter() throws {
        let typesetter = try Typesetter(.dejaVu, shades: false)
        for text in Texts.table {
            for weight in [Font.Weight.regular, .bold] {
                let paragraph = typesetter.paragraph(text, weight, rightToLeft: false)
                #expect(!paragraph.hasReplacements, "\(text)")
            }
        }
    }
}
