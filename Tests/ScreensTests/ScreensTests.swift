import Glibc
import QRCode
import Raster
import Testing

@testable import Screens

/// Both a panel and a language, for tests of every such pair.
private let panels = formats.flatMap { format in Language.allCases.map { (format, $0) } }

@Suite struct LayoutTests {
    /// What makes a screen readable: nothing is cut or outside, nothing lies on anything else, and a code has its quiet zone.
    @Test(arguments: panels)
    func everyScreenIsWholeAndNothingOverlaps(_ format: PictureFormat, _ language: Language) throws {
        let renderer = ScreenRenderer(format: format, language: language)
        let bounds = Rect(x: 0, y: 0, width: format.width, height: format.height)
        for screen in screens {
            for (number, page) in try renderer.plan(screen).enumerated() {
                let where_ = "page \(number + 1) of \(screen)"
                #expect(!page.isCut, "\(where_)")
                let solid = page.elements.filter { !$0.isGround }
                for (index, element) in page.elements.enumerated() {
                    #expect(bounds.contains(element.box), "\(where_): \(element)")
                    #expect(element.box.width > 0 && element.box.height > 0, "\(where_): element \(index)")
                }
                for (index, element) in solid.enumerated() {
                    for other in solid[(index + 1)...] {
                        #expect(!element.box.meets(other.box), "\(where_): \(element.box) and \(other.box)")
                    }
                }
                // The foot is nothing that others reach into.
                for ground in page.elements {
                    guard case .ground = ground.kind else { continue }
                    for element in solid where element.box.meets(ground.box) {
                        #expect(ground.box.contains(element.box), "\(where_): \(element.box) on \(ground.box)")
                    }
                }
            }
        }
    }

    /// At least 2 pixels a module, 3 on e-paper where it fits, and a quiet zone of 4 modules.
    @Test(arguments: panels)
    func modulesAreAsLargeAsTheyHaveToBe(_ format: PictureFormat, _ language: Language) throws {
        let renderer = ScreenRenderer(format: format, language: language)
        for (screen, usual) in [
            (room(), true), (room(5, healthy: 3), true), (room(9, ssid: String(repeating: "m", count: 32)), false),
        ] {
            for page in try renderer.plan(screen) {
                for element in page.elements {
                    guard case .code(let code, let module) = element.kind else { continue }
                    #expect(element.box.width == (code.size + 8) * module && element.box.height == element.box.width)
                    let long = max(format.width, format.height)
                    let least =
                        switch format.depth {
                        case .rgb565: 3
                        case .mono, .accent: usual && long > 250 ? 3 : 2
                        }
                    #expect(module >= least, "\(screen)")
                }
            }
        }
    }

    /// A box is sold without a country. Its sentence for that took two lines on an upright e-paper, and the codes a third of theirs.
    @Test(arguments: Language.allCases)
    func thatNoCountryIsSetTakesNothingFromTheCodes(_ language: Language) throws {
        for (width, height) in [(128, 296), (250, 122), (122, 250)] {
            let renderer = ScreenRenderer(
                format: PictureFormat(width: width, height: height, depth: .mono), language: language)
            func modules(_ screen: Screen) throws -> [Int] {
                try renderer.plan(screen).flatMap(\.elements).compactMap {
                    if case .code(_, let module) = $0.kind { module } else { nil }
                }
            }
            #expect(try modules(room(2, troubles: [.noCountry])) == modules(room(2)), "\(width)x\(height)")
        }
    }

    /// E-paper shows both codes at once, as it can't change quickly, and so does every TFT but the square one.
    @Test func bothCodesAreOnOnePageWhereBothCanBeRead() throws {
        for (format, language) in panels {
            let renderer = ScreenRenderer(format: format, language: language)
            #expect(
                try renderer.draw(room()).pages == (format.width == 240 && format.height == 240 ? 2 : 1),
                "\(format) \(language)")
            #expect(try renderer.draw(room(ssid: nil)).pages == 1)
            #expect(try renderer.draw(.off).pages == 1)
        }
    }

    @Test(arguments: panels)
    func theCodesAndTheWordsForTypingAreThere(_ format: PictureFormat, _ language: Language) throws {
        let pages = try ScreenRenderer(format: format, language: language).plan(room())
        var payloads: [QRCode] = []
        var texts: Set<String> = []
        for element in pages.flatMap({ $0.elements }) {
            if case .code(let code, _) = element.kind { payloads.append(code) }
            if case .text(let text, _, _) = element.kind { texts.insert(text.string) }
        }
        let wifi = try QRCode(text: "WIFI:T:WPA;S:Kibitz-k7m3;P:\(passphrase);;")
        let link = try QRCode(text: "http://10.77.0.1/#\(secret)")
        #expect(payloads == [wifi, link])
        #expect(texts.isSuperset(of: ["Kibitz-k7m3", passphrase]))
    }

    /// A panel with room for it said only what was wrong, and never what to do.
    @Test func whatToDoIsSaidWhereTheCodesLoseNothing() throws {
        func texts(_ width: Int, _ height: Int, _ trouble: Trouble, _ language: Language) throws -> Set<String> {
            let renderer = ScreenRenderer(
                format: PictureFormat(width: width, height: height, depth: .rgb565), language: language)
            let elements = try renderer.plan(room(3, troubles: [trouble, .clock])).flatMap { $0.elements }
            return Set(
                elements.compactMap { element in
                    guard case .text(let text, _, _) = element.kind else { return nil }
                    return text.string
                })
        }
        for language in Language.allCases {
            var shown = 0
            for trouble in troubles where trouble != .noNetwork {
                let (sentence, advice) = Texts(language).trouble(trouble)
                let found = try texts(320, 480, trouble, language)
                #expect(found.isSuperset(of: [sentence, "Kibitz-k7m3", passphrase]), "\(trouble) \(language)")
                if found.contains(advice) { shown += 1 }
            }
            #expect(shown > 1, "\(language)")
        }
    }

    /// With something wrong the words to type were squeezed between the codes, and broken, so that a line told who is there.
    @Test(arguments: panels)
    func whatIsTypedIsNotBrokenBecauseSomethingIsWrong(_ format: PictureFormat, _ language: Language) throws {
        let renderer = ScreenRenderer(format: format, language: language)
        func lines(_ screen: Screen) throws -> [String: Int] {
            var lines: [String: Int] = [:]
            for element in try renderer.plan(screen).flatMap({ $0.elements }) {
                guard case .text(let text, _, _) = element.kind, text.isName else { continue }
                lines[text.string] = text.lineCount
            }
            return lines
        }
        // The square one is too small: its sentences take two lines. Upright ones lack width, not height.
        guard format.width > format.height else { return }
        let well = try lines(room(2))
        #expect(well.keys.contains(passphrase))
        for trouble in [Trouble.noCountry, .clock, .certificate, .storage] {
            let wrong = try lines(room(2, troubles: [trouble]))
            for name in ["Kibitz-k7m3", passphrase] {
                #expect(
                    try #require(wrong[name]) <= max(1, well[name] ?? 1), "\(name) with \(trouble): \(wrong), \(well)")
            }
        }
    }

    /// Hebrew has step 1 at the right; the codes themselves and what is typed are not turned over.
    @Test func hebrewIsMirrored() throws {
        let format = PictureFormat(width: 250, height: 122, depth: .mono)
        func places(_ language: Language) throws -> [Int] {
            try ScreenRenderer(format: format, language: language).plan(room())[0].elements.compactMap {
                if case .code = $0.kind { $0.box.x } else { nil }
            }
        }
        let (english, hebrew) = (try places(.english), try places(.hebrew))
        #expect(english.count == 2 && english[0] < english[1])
        #expect(hebrew.count == 2 && hebrew[0] > hebrew[1])
    }

    /// An English error ended with its full stop at the left of a Hebrew panel, and so did a name with its bracket.
    @Test func whatIsNotHebrewKeepsItsOwnOrder() throws {
        let format = PictureFormat(width: 320, height: 240, depth: .rgb565)
        func texts(_ screen: Screen, _ language: Language) throws -> [String] {
            try ScreenRenderer(format: format, language: language).plan(screen)[0].elements.compactMap {
                if case .text(let text, _, _) = $0.kind { text.string } else { nil }
            }
        }
        for (screen, words) in [
            (Screen.trouble(.failed("Port 443 is taken.")), "Port 443 is taken."),
            (.trouble(.other("It can't do WPA3.")), "It can't do WPA3."), (.starting(name: "Box (2)"), "Box (2)"),
        ] {
            let hebrew = try texts(screen, .hebrew)
            #expect(hebrew.contains(Paragraph.isolated(words)))
            #expect(hebrew.count { $0.unicodeScalars.first == "\u{2068}" } == 1, "Hebrew is as it is")
            #expect(try texts(screen, .german).contains(words))
        }
    }

    /// A name may be any 32 bytes; a box's name anything. They are cut where they must be, and nothing traps.
    @Test(arguments: [
        PictureFormat(width: 128, height: 296, depth: .accent(.red)),
        PictureFormat(width: 250, height: 122, depth: .mono),
        PictureFormat(width: 240, height: 240, depth: .rgb565),
    ])
    func anyNameIsDrawn(_ format: PictureFormat) throws {
        let names = [
            "", " ", "🎲🃏♟️ Spieleabend 🎉🎉", "a\nb\u{0}\u{7}\u{202E}", "\u{2066}\u{2066}\u{2069}", "سلام سلام سلام سلام",
            "Ξενοδοχείο «Ἀκρόπολις»", String(repeating: "W", count: 32), String(repeating: "Мир ", count: 60),
            "語語語語語語語語語語",
            String(repeating: "e\u{301}\u{302}\u{303}", count: 20),
        ]
        for language in [Language.english, .hebrew] {
            let renderer = ScreenRenderer(format: format, language: language)
            for name in names {
                for screen in [
                    room(
                        7, ssid: String(decoding: name.utf8.prefix(32), as: UTF8.self), name: name,
                        troubles: [.other(name)]),
                    Screen.starting(name: name), .trouble(.other(name + " " + name)),
                ] {
                    for page in 0..<(try renderer.draw(screen).pages) {
                        #expect(try renderer.draw(screen, page: page).picture.format == format)
                    }
                }
            }
        }
    }

    /// No panel is so small or so odd that drawing for it traps.
    @Test func anyFormatIsDrawn() throws {
        for (width, height) in [(1, 1), (8, 300), (300, 8), (40, 40), (64, 128), (128, 64), (800, 480)] {
            for depth in [PictureFormat.Depth.mono, .accent(.red), .rgb565] {
                let format = PictureFormat(width: width, height: height, depth: depth)
                let renderer = ScreenRenderer(format: format, language: .german)
                for screen in [room(), room(4, ssid: nil), .off, .holding(shutDownIn: 2)] {
                    #expect(try renderer.draw(screen).picture.format == format)
                }
            }
        }
    }

    /// A room of which no code could be made ended the program: nothing was divided by none.
    @Test func aLinkThatNoCodeHoldsIsNoEnd() throws {
        var room = RoomScreen(
            name: "Box", wifi: nil, link: String(repeating: "#", count: 4000), address: nil,
            people: .init(count: 0, healthy: 0))
        for format in formats {
            let renderer = ScreenRenderer(format: format, language: .english)
            #expect(try renderer.draw(.room(room)).pages == 1)
            room.troubles = [.clock]
            #expect(try renderer.draw(.room(room)).pages == 1)
        }
    }

    /// Counted from outside, so any number may come.
    @Test func pagesGoRound() throws {
        let renderer = ScreenRenderer(
            format: PictureFormat(width: 240, height: 240, depth: .rgb565), language: .english)
        let pages = try [0, 1].map { try renderer.draw(room(), page: $0).picture }
        #expect(pages[0] != pages[1])
        #expect(try renderer.draw(room(), page: 2).picture == pages[0])
        #expect(try renderer.draw(room(), page: 7).picture == pages[1])
        #expect(
            try renderer.draw(.holding(shutDownIn: -4), page: -1).picture
                == renderer.draw(.holding(shutDownIn: -4)).picture)
    }

    /// The same screen is the same picture, whatever was drawn before: a panel is sent only what changed.
    @Test func theSameScreenIsTheSamePicture() throws {
        for format in formats {
            let first = try ScreenRenderer(format: format, language: .french).draw(room()).picture
            let renderer = ScreenRenderer(format: format, language: .french)
            _ = try renderer.draw(.off).picture
            #expect(try renderer.draw(room()).picture == first)
            #expect(try renderer.draw(room(6)).picture != first)
        }
    }

    @Test func withoutAFontThereIsAnError() {
        let renderer = ScreenRenderer(
            format: formats[0], language: .english, fonts: Fonts(regular: "/nowhere.ttf", bold: "/nowhere.ttf"))
        #expect(throws: FontError.unreadable("/nowhere.ttf")) { try renderer.draw(.off) }
    }

    /// All of it goes when a picture is done: fonts, glyphs, codes.
    @Test func aThousandPicturesTakeNoMemory() throws {
        let renderer = ScreenRenderer(format: PictureFormat(width: 250, height: 122, depth: .mono), language: .hebrew)
        func draw(_ times: Int) throws {
            for count in 0..<times { _ = try renderer.draw(count % 5 == 0 ? room(count % 13) : .off).picture }
        }
        try draw(50)
        let before = try residentBytes()
        try draw(1000)
        let growth = try residentBytes() - before
        // Other tests run meanwhile: a leak of one font a picture would be a hundred times this.
        #expect(growth < 64 << 20)
    }
}

private func residentBytes() throws -> Int {
    let file = try #require(fopen("/proc/self/statm", "r"))
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 200)
    try #require(fgets(&line, 200, file) != nil)
    let fields = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(
        separator: " ")
    return try #require(Int(fields[1])) * sysconf(Int32(_SC_PAGESIZE))
}
