import QRCode
import Testing

@Suite struct QRCodeTests {
    @Test func smallestSymbolComesFirstThenErrorCorrection() throws {
        // ISO/IEC 18004 table 7: version 1 holds 17 bytes at L, 14 at M, 11 at Q and 7 at H.
        let expected: [(Int, Int, QRCode.ErrorCorrection)] = [
            (1, 1, .high), (7, 1, .high), (8, 1, .quartile), (11, 1, .quartile), (12, 1, .medium), (14, 1, .medium),
            (15, 1, .low), (17, 1, .low), (18, 2, .quartile), (20, 2, .quartile), (21, 2, .medium), (32, 2, .low),
            (33, 3, .medium),
        ]
        for (bytes, version, level) in expected {
            let code = try QRCode(text: String(repeating: "z", count: bytes))
            #expect(code.version == version, "\(bytes) bytes")
            #expect(code.errorCorrection == level, "\(bytes) bytes")
            #expect(code.size == 17 + 4 * version)
        }
    }

    @Test func minimumErrorCorrectionIsKept() throws {
        for minimum in QRCode.ErrorCorrection.allCases {
            let code = try QRCode(text: "https://192.168.1.5:8443/#r=abcdefgh", minimumErrorCorrection: minimum)
            #expect(code.errorCorrection >= minimum)
        }
        let low = try QRCode(text: String(repeating: "z", count: 17))
        let high = try QRCode(text: String(repeating: "z", count: 17), minimumErrorCorrection: .high)
        #expect(low.version == 1)
        #expect(high.version == 3)
    }

    @Test func capitalsAndDigitsTakeLessRoomThanBytes() throws {
        let bytes = try QRCode(text: String(repeating: "a", count: 100))
        let capitals = try QRCode(text: String(repeating: "A", count: 100))
        let digits = try QRCode(text: String(repeating: "1", count: 100))
        #expect(capitals.version < bytes.version)
        #expect(digits.version < capitals.version)
    }

    @Test func theLongestTextFitsAndOneMoreDoesNot() throws {
        // ISO/IEC 18004 table 7: version 40 holds 2,953 bytes at L, 1,273 at H.
        #expect(try QRCode(text: String(repeating: "z", count: 2953)).version == 40)
        #expect(throws: QRCode.EncodingError.textTooLong(bytes: 2954)) {
            try QRCode(text: String(repeating: "z", count: 2954))
        }
        #expect(throws: QRCode.EncodingError.textTooLong(bytes: 1274)) {
            try QRCode(text: String(repeating: "z", count: 1274), minimumErrorCorrection: .high)
        }
        #expect(throws: QRCode.EncodingError.textTooLong(bytes: 1_000_000)) {
            try QRCode(text: String(repeating: "z", count: 1_000_000))
        }
    }

    @Test func textsWithoutACodeAreRefused() {
        #expect(throws: QRCode.EncodingError.emptyText) { try QRCode(text: "") }
        // libqrencode takes a C string: without the check the code would silently hold "a" alone.
        #expect(throws: QRCode.EncodingError.containsNull) { try QRCode(text: "a\0b") }
    }

    @Test func finderPatternsStandInThreeCornersAndOutsideIsLight() throws {
        let code = try QRCode(text: "kibitz")
        for (left, top) in [(0, 0), (code.size - 7, 0), (0, code.size - 7)] {
            for y in 0..<7 {
                for x in 0..<7 {
                    // ISO/IEC 18004 section 6.3.3: a dark ring of 7, a light one of 5, a dark square of 3.
                    let ring = max(abs(x - 3), abs(y - 3))
                    #expect(code.isDark(left + x, top + y) == (ring != 2))
                }
            }
        }
        for (x, y) in [(-1, 0), (0, -1), (code.size, 0), (0, code.size), (Int.min, 0), (0, Int.max)] {
            #expect(!code.isDark(x, y))
        }
    }

    @Test(arguments: [QRCode.QuietZone.standard, .narrow])
    func terminalTextShowsEveryModule(_ quietZone: QRCode.QuietZone) throws {
        let code = try QRCode(text: "http://192.168.1.5:8080/#secret")
        let text = code.terminalText(.plain, quietZone: quietZone)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let border = quietZone.rawValue
        #expect(lines.last == "")
        #expect(lines.count - 1 == (code.size + 2 * border + 1) / 2)
        for (row, line) in lines.dropLast().enumerated() {
            #expect(line.count == code.size + 2 * border)
            for (column, character) in line.enumerated() {
                let (x, y) = (column - border, 2 * row - border)
                #expect((character == "█" || character == "▀") == code.isDark(x, y))
                #expect((character == "█" || character == "▄") == code.isDark(x, y + 1))
            }
        }
    }

    @Test func coloredTerminalTextSetsTrueBlackOnWhiteInEachLineAndResetsIt() throws {
        let code = try QRCode(text: "kibitz")
        let plain = code.terminalText(.plain).split(separator: "\n")
        let colored = code.terminalText(.colors).split(separator: "\n")
        #expect(colored == plain.map { "\u{1B}[38;5;16;48;5;231m\($0)\u{1B}[0m" })
    }

    @Test func svgPathCoversTheDarkModulesAndNothingElse() throws {
        let code = try QRCode(text: "http://192.168.1.5:8080/#secret")
        let svg = code.svg(quietZone: .narrow)
        let side = code.size + 4
        #expect(svg.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(side) \(side)\""))
        #expect(svg.contains("shape-rendering=\"crispEdges\""))
        var covered = Set<[Int]>()
        let path = try #require(svg.split(separator: "<path d=\"").last?.split(separator: "\"").first)
        for run in path.split(separator: "z") {
            // Each run is "M<x> <y>h<length>v1H<x>".
            let numbers = run.split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) }
            try #require(numbers.count == 5)
            #expect(numbers[3] == 1 && numbers[4] == numbers[0])
            for x in numbers[0]..<numbers[0] + numbers[2] {
                #expect(covered.insert([x - 2, numbers[1] - 2]).inserted)
            }
        }
        for y in 0..<code.size {
            for x in 0..<code.size {
                #expect(covered.contains([x, y]) == code.isDark(x, y))
            }
        }
    }
}
