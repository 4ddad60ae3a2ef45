import Raster
import Testing

@testable import Raster

private func typesetter(shades: Bool = false) throws -> Typesetter { try Typesetter(.dejaVu, shades: shades) }

/// What a line shows from the left to the right.
private func visual(_ string: String, rightToLeft: Bool) throws -> String {
    let paragraph = try typesetter().paragraph(string, .regular, rightToLeft: rightToLeft)
    var text = ""
    for index in paragraph.visualOrder(0..<paragraph.count) {
        text.unicodeScalars.append(Unicode.Scalar(paragraph.characters[index]) ?? " ")
    }
    return text
}

@Suite struct TypesetterTests {
    @Test func aMissingFontSaysWhichPackageHasIt() throws {
        let fonts = Fonts(regular: "/nowhere/DejaVuSans.ttf", bold: Fonts.dejaVu.bold)
        do {
            _ = try Typesetter(fonts, shades: false)
            Issue.record("no error")
        } catch {
            #expect(error == .unreadable("/nowhere/DejaVuSans.ttf"))
            #expect(error.description.contains("/nowhere/DejaVuSans.ttf"))
            #expect(error.description.contains("fonts-dejavu-core"))
        }
        // Something that is no font.
        #expect(throws: FontError.unreadable("/etc/passwd")) {
            try Typesetter(Fonts(regular: Fonts.dejaVu.regular, bold: "/etc/passwd"), shades: true)
        }
    }

    /// Hebrew runs from the right; names, numbers and links in it from the left, in the order they are read in.
    @Test func hebrewLinesRunFromTheRight() throws {
        #expect(try visual("אבג", rightToLeft: true) == "גבא")
        #expect(try visual("אב Wi-Fi גד", rightToLeft: true) == "דג Wi-Fi בא")
        #expect(try visual("12 מתוך 34", rightToLeft: true) == "34 ךותמ 12")
        #expect(try visual("רשת: http://10.77.0.1", rightToLeft: true) == "http://10.77.0.1 :תשר")
        // A bracket is mirrored.
        #expect(try visual("(א)", rightToLeft: true) == "(א)")
        // The full stop is at the sentence's end, which is at the left.
        #expect(try visual("רק רגע.", rightToLeft: true) == ".עגר קר")
    }

    /// Signs at the edge of a name would go astray without isolation; and a name cannot turn over what is around it.
    @Test func anIsolatedNameKeepsItsOrder() throws {
        #expect(try visual("רשת \(Paragraph.isolated("a-1!"))", rightToLeft: true).hasPrefix("a-1!"))
        let attack = Paragraph.isolated("x\u{2069}\u{202E}y")
        #expect(try visual("ab \(attack) cd", rightToLeft: false) == "ab xy cd")
    }

    @Test func arabicLettersAreJoined() throws {
        let paragraph = try typesetter().paragraph("سلام", .regular, rightToLeft: true)
        // Presentation forms, among them the ligature of lam and alef.
        #expect(paragraph.characters.contains { (0xFE70...0xFEFC).contains($0) })
        #expect(!paragraph.characters.contains(0x0633))
    }

    /// One sign of replacement for each thing a reader sees, and nothing for what cannot be seen.
    @Test func whatTheFontLacksIsReplaced() throws {
        func shown(_ string: String) throws -> [UInt32] {
            let text = try typesetter().paragraph(string, .bold, rightToLeft: false, isName: true)
            #expect(text.glyphs.count == text.characters.count)
            return zip(text.characters, text.glyphs).filter { $0.1 != 0 }.map { $0.0 }
        }
        #expect(try shown("a🏳️‍🌈b") == [0x61, 0xFFFD, 0x62])
        #expect(try shown("👨‍👩‍👧‍👦") == [0xFFFD])
        #expect(try shown("語") == [0xFFFD])
        #expect(try shown("a\nb\u{0}c\u{85}") == [0x61, 0xFFFD, 0x62, 0xFFFD, 0x63, 0xFFFD])
        #expect(try shown("a\u{AD}\u{200B}\u{FEFF}b") == [0x61, 0x62])
        #expect(try shown("\u{202E}ab\u{2066}") == [0x61, 0x62])
        #expect(try shown("") == [])
        #expect(try shown("éñЖΩא") == "éñЖΩא".unicodeScalars.map { $0.value })
    }

    /// A name may be any 32 bytes of UTF-8, and others' bytes became U+FFFD before.
    @Test func noNameTraps() throws {
        var generator = SystemRandomNumberGenerator()
        let typesetter = try typesetter()
        for round in 0..<300 {
            let bytes = (0..<32).map { _ in
                round % 2 == 0
                    ? UInt8.random(in: 0...255, using: &generator) : UInt8.random(in: 0xC0...0xF5, using: &generator)
            }
            let scalars = (0..<10).compactMap { _ in Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &generator))
            }
            var wild = ""
            wild.unicodeScalars.append(contentsOf: scalars)
            for name in [String(decoding: bytes, as: UTF8.self), wild] {
                let text = typesetter.paragraph(name, .bold, rightToLeft: round % 3 == 0, isName: true)
                let set = typesetter.set(text, sizes: 9...12, width: 60, height: 40)
                #expect(set.width <= 60 && set.height <= 40)
                var canvas = Canvas(format: PictureFormat(width: 60, height: 40, depth: .mono), background: .white)
                canvas.draw(set, in: canvas.bounds, .left, .black, typesetter)
                _ = canvas.picture()
            }
        }
    }

    @Test func textsBecomeSmallerThenAreBrokenThenCut() throws {
        let typesetter = try typesetter()
        let words = typesetter.paragraph("Join the Wi-Fi", .regular, rightToLeft: false)
        let large = typesetter.set(words, sizes: 8...20, width: 400, height: 100)
        #expect(large.size == 20 && large.lineCount == 1 && !large.isCut)
        let small = typesetter.set(words, sizes: 8...20, width: 100, height: 100, maximumLines: 1)
        #expect(small.size < 20 && small.width <= 100 && !small.isCut)
        // Words are broken between, never within, and not at the hyphen of Wi-Fi.
        let lines = typesetter.set(words, sizes: 10...10, width: 50, height: 100)
        #expect(lines.lineCount == 2 && lines.width <= 50 && !lines.isCut)
        let cut = typesetter.set(words, sizes: 10...20, width: 40, height: 100, maximumLines: 1)
        #expect(cut.isCut && cut.size == 10 && cut.width <= 40 && cut.string.hasSuffix("…"))
        #expect("Join the Wi-Fi".hasPrefix(cut.string.dropLast()))
        // A name may be broken anywhere without being cut, behind a hyphen first.
        let name = typesetter.paragraph("bcdfg-23456-vwxyz", .bold, rightToLeft: false, isName: true)
        let broken = typesetter.set(name, sizes: 10...10, width: 50, height: 100)
        #expect(!broken.isCut && broken.lines == [0..<6, 6..<12, 12..<17])
        #expect(typesetter.set(name, sizes: 10...10, width: 20, height: 200).isCut == false)
        // Where nothing can be shown nothing is, and no loop goes on for ever.
        #expect(typesetter.set(name, sizes: 10...10, width: 0, height: 100).isCut)
        #expect(typesetter.set(name, sizes: 10...10, width: 100, height: 0).isCut)
        #expect(typesetter.set(name, sizes: 10...10, width: -5, height: -5).height == 0)
    }

    /// Hinted letters of 1 bit are all or nothing, and those of a TFT have grey edges.
    @Test func onlyPanelsWithShadesHaveGreyEdges() throws {
        func colors(_ shades: Bool) throws -> Set<UInt32> {
            let typesetter = try typesetter(shades: shades)
            var canvas = Canvas(format: PictureFormat(width: 80, height: 30, depth: .rgb565), background: .white)
            let text = typesetter.paragraph("Sage", .regular, rightToLeft: false)
            canvas.draw(
                typesetter.set(text, sizes: 20...20, width: 80, height: 30), in: canvas.bounds, .center, .black,
                typesetter)
            let picture = canvas.picture()
            return Set((0..<80 * 30).map { picture[$0 % 80, $0 / 80].rgb })
        }
        #expect(try colors(false) == [0x000000, 0xFFFFFF])
        #expect(try colors(true).count > 10)
    }

    /// A drawn line is as wide as it was measured.
    @Test func linesAreAsWideAsMeasured() throws {
        let typesetter = try typesetter()
        for size in 9...30 {
            let text = typesetter.paragraph("MM__bcdfg-23456-vwxyz__MM", .bold, rightToLeft: false)
            let set = typesetter.set(text, sizes: size...size, width: 1000, height: 100)
            var canvas = Canvas(format: PictureFormat(width: 1000, height: 60, depth: .mono), background: .white)
            canvas.draw(set, in: Rect(x: 20, y: 5, width: set.width, height: set.height), .left, .black, typesetter)
            let picture = canvas.picture()
            let columns = (0..<1000).filter { x in (0..<60).contains { picture[x, $0] == .black } }
            #expect((columns.first ?? 0) >= 19 && (columns.last ?? 999) <= 20 + set.width)
            let rows = (0..<60).filter { y in (0..<1000).contains { picture[$0, y] == .black } }
            #expect((rows.first ?? 0) >= 5 && (rows.last ?? 99) < 5 + set.height)
        }
    }
}
