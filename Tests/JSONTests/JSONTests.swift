import JSON
import TestSupport
import Testing

/// Texts in the manner of JSONTestSuite: those every reader must take.
@Suite struct AcceptedTests {
    @Test(
        arguments: [
            "{}", "[]", "null", "true", "false", "0", "-0", "1", "-1", "10", "1.5", "-0.5", "1e5", "1E5", "1e+5",
            "1e-5",
            "0e0", "0.0e-0", "123123e100000", "-123123123123123123123123123", "\"\"", "\"a\"", " \n\r\t[ ] \n\r\t",
            "[[]]", "[{}]", "{\"\":0}", "[1,2]", "[null,1,\"1\",{}]", "{\"a\":1,\"b\":2}", "{\"a\":1,\"a\":2}",
            "{ \"a\" : [ 1 , 2 ] , \"b\" : { } }", #""\"\\\/\b\f\n\r\t""#, #""\u0000\u0022\u12aB""#, #""\uD834\uDD1E""#,
            // Half a pair, or pairs the wrong way round, are in the grammar.
            #""\uD800""#, #""\uDFFF""#, #""\uDE00\uD83D""#, #""\uD83D\uD83D\uDE00""#, "\"\u{7F}\"",
            "\"\u{2028}\u{2029}\"",
            "\"\u{FEFF}\"", "\"é€😀\u{10FFFF}\u{FFFF}\"", "{\"é\":\"€\"}", "[\"\\\\\"]", "[\"\\\"\"]",
            "[\"aaaaaaa\\n\\r\"]",
        ])
    func accepts(_ text: String) { #expect(failure(of: text) == nil) }
}

/// Texts in the manner of JSONTestSuite: those no reader may take.
@Suite struct RefusedTests {
    @Test(
        arguments: [
            ("", .unexpectedEnd, 0), (" ", .unexpectedEnd, 1), ("\u{FEFF}{}", .unexpectedByte, 0),
            ("[", .unexpectedEnd, 1), ("[1", .unexpectedEnd, 2), ("[1,", .unexpectedEnd, 3),
            ("[1,]", .unexpectedByte, 3),
            ("[,1]", .unexpectedByte, 1), ("[1 2]", .unexpectedByte, 3), ("[1]]", .trailingBytes, 3),
            ("[1}", .unexpectedByte, 2), ("{\"a\":1]", .unexpectedByte, 6), ("{]", .unexpectedByte, 1),
            ("]", .unexpectedByte, 0), ("{\"a\"}", .unexpectedByte, 4), ("{\"a\" 1}", .unexpectedByte, 5),
            ("{\"a\":}", .unexpectedByte, 5), ("{\"a\":1,}", .unexpectedByte, 7), ("{,}", .unexpectedByte, 1),
            ("{a:1}", .unexpectedByte, 1), ("{'a':1}", .unexpectedByte, 1), ("{1:1}", .unexpectedByte, 1),
            ("{\"a\":1 \"b\":2}", .unexpectedByte, 7), ("{}x", .trailingBytes, 2), ("{} {}", .trailingBytes, 3),
            ("1 2", .trailingBytes, 2), ("[1]//", .trailingBytes, 3), ("/**/1", .unexpectedByte, 0),
            ("nul", .unexpectedEnd, 3), ("nulL", .unexpectedByte, 3), ("True", .unexpectedByte, 0),
            ("truee", .trailingBytes, 4), ("NaN", .unexpectedByte, 0), ("Infinity", .unexpectedByte, 0),
            ("-", .invalidNumber, 0), ("-a", .invalidNumber, 0), ("+1", .unexpectedByte, 0), (".5", .unexpectedByte, 0),
            ("1.", .invalidNumber, 0), ("1.e5", .invalidNumber, 0), ("1e", .invalidNumber, 0),
            ("1e+", .invalidNumber, 0),
            ("01", .trailingBytes, 1), ("-01", .trailingBytes, 2), ("0x1", .trailingBytes, 1),
            ("1_000", .trailingBytes, 1),
            ("-Infinity", .invalidNumber, 0), ("\"", .unexpectedEnd, 1), ("\"a", .unexpectedEnd, 2),
            ("\"\\\"", .unexpectedEnd, 3), ("\"\\", .unexpectedEnd, 1), ("\"\\x\"", .invalidEscape, 1),
            ("\"\\U0041\"", .invalidEscape, 1), ("\"\\u12\"", .invalidEscape, 1), ("\"\\u12G4\"", .invalidEscape, 1),
            ("\"\\u123", .unexpectedEnd, 1), ("\"\\é\"", .invalidEscape, 1), ("\"\n\"", .controlCharacter, 1),
            ("\"\t\"", .controlCharacter, 1), ("\"\u{0}\"", .controlCharacter, 1), ("\"\u{1F}\"", .controlCharacter, 1),
            ("\u{A0}1", .unexpectedByte, 0), ("\u{C}1", .unexpectedByte, 0), ("[\u{B}]", .unexpectedByte, 1),
            ("{\"a\":1,,\"b\":2}", .unexpectedByte, 7), ("[\"a\":1]", .unexpectedByte, 4),
            ("\"aaaaaaaaaaaaaaaa\u{1}aaaaaaaa\"", .controlCharacter, 17),
        ] as [(String, JSONError.Reason, Int)])
    func refuses(_ text: String, _ reason: JSONError.Reason, _ offset: Int) {
        #expect(failure(of: text) == JSONError(reason, at: offset))
    }

    /// RFC 3629: overlong forms, surrogates, beyond U+10FFFF, stray and missing continuations. The bytes are tried
    /// at every place of a word, since strings are read a word at a time.
    @Test(
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x20], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF],
            [0xE1, 0x80], [0xE1, 0x80, 0x20], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80],
            [0xF0, 0x8F, 0xBF, 0xBF], [0xF1, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE],
            [0xFF],
        ] as [[UInt8]])
    func refusesInvalidUTF8(_ bytes: [UInt8]) {
        for lead in 0...16 {
            let text = [0x22] + [UInt8](repeating: 0x61, count: lead) + bytes + Array("bcdefghi\"".utf8)
            #expect(failure(of: text) == JSONError(.invalidUTF8, at: 1 + lead))
        }
    }

    @Test func refusesUTF8OutsideStrings() {
        #expect(failure(of: "[é]") == JSONError(.unexpectedByte, at: 1))
    }

    /// Every byte that needs care inside a string is seen at every place of a word, and no other byte is.
    @Test func seesEachByteAtEachPlaceOfAWord() {
        for byte in UInt8.min...UInt8.max {
            for lead in 0...17 {
                let text =
                    [0x22] + [UInt8](repeating: 0x7E, count: lead) + [byte] + [UInt8](repeating: 0x7E, count: 9) + [
                        0x22
                    ]
                let expected: JSONError? =
                    switch byte {
                    case 0..<0x20: JSONError(.controlCharacter, at: 1 + lead)
                    case 0x22: JSONError(.trailingBytes, at: 2 + lead)
                    case 0x5C: JSONError(.invalidEscape, at: 1 + lead)
                    case 0x80...0xFF: JSONError(.invalidUTF8, at: 1 + lead)
                    default: nil
                    }
                #expect(failure(of: text) == expected)
            }
        }
    }

    @Test func limitsDepth() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            func nested(_ depth: Int) -> String {
                String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
            }
            #expect(failure(of: nested(32)) == nil)
            #expect(failure(of: nested(33))?.reason == .tooDeep)
            #expect(failure(of: nested(64), depth: 64) == nil)
            // One bit a level is all there is, whatever is asked for.
            #expect(failure(of: nested(65), depth: 1000)?.reason == .tooDeep)
            #expect(failure(of: nested(1), depth: 1) == nil)
            #expect(failure(of: nested(1), depth: 0)?.reason == .tooDeep)
        }
        #expect(failure(of: String(repeating: "[", count: 100_000))?.reason == .tooDeep)
        #expect(failure(of: String(repeating: "{\"a\":[", count: 50_000))?.reason == .tooDeep)
        // Side by side is not deep.
        #expect(failure(of: "[" + Array(repeating: "[[]]", count: 100).joined(separator: ",") + "]") == nil)
    }

    @Test func wantsAnObject() {
        for text in ["[]", "1", "\"a\"", "null"] {
            let bytes = Array(text.utf8)
            #expect(throws: JSONError(.notAnObject, at: 0)) { try JSONValue.parseObject(bytes.span.bytes) { _ in } }
        }
        let deep = Array("{\"a\":{\"b\":[]}}".utf8)
        #expect(throws: Never.self) { try JSONValue.parseObject(deep.span.bytes, maximumDepth: 3) { _ in } }
        #expect(throws: JSONError(.tooDeep, at: 10)) {
            try JSONValue.parseObject(deep.span.bytes, maximumDepth: 2) { _ in }
        }
    }
}

@Suite struct ReadingTests {
    private func value(_ text: String) throws -> (JSONValue, [UInt8]) {
        let bytes = Array(text.utf8)
        return (try JSONValue(parsing: bytes.span.bytes), bytes)
    }

    @Test(
        arguments: [
            (#""""#, ""), (#""plain""#, "plain"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
            (#""\u0041\u00e9\u20AC""#, "Aé€"), (#""\uD83D\uDE00""#, "😀"), (#""x\uD83D\uDE00y""#, "x😀y"),
            (#""\uDBFF\uDFFF""#, "\u{10FFFF}"), (#""\uD800\uDC00""#, "\u{10000}"),
            // Section 8.2: half a pair. Each becomes U+FFFD, and what follows it is kept.
            (#""\uD83D""#, "\u{FFFD}"), (#""\uDE00""#, "\u{FFFD}"), (#""\uD83Dx""#, "\u{FFFD}x"),
            (#""\uD83D\n""#, "\u{FFFD}\n"), (#""\uD83D\u0041""#, "\u{FFFD}A"), (#""\uD83D\uD83D\uDE00""#, "\u{FFFD}😀"),
            (#""\uDE00\uD83D""#, "\u{FFFD}\u{FFFD}"), (#""\u0000""#, "\u{0}"), (#""é\u00e9é""#, "ééé"),
            (#""\\u0041""#, "\\u0041"),
        ])
    func decodesStrings(_ text: String, _ expected: String) throws {
        let (value, bytes) = try value(text)
        #expect(value.string(in: bytes).map { Array($0.utf8) } == Array(expected.utf8))
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("7", 7), ("-12", -12), ("9223372036854775807", .max), ("-9223372036854775808", .min),
            ("9223372036854775808", nil), ("-9223372036854775809", nil), ("99999999999999999999999", nil), ("1.0", nil),
            ("1e2", nil), ("\"1\"", nil), ("true", nil),
        ] as [(String, Int64?)])
    func readsIntegers(_ text: String, _ expected: Int64?) throws {
        let (value, bytes) = try value(text)
        #expect(value.integer(in: bytes) == expected)
    }

    @Test func findsMembers() throws {
        let (value, bytes) = try value(#" { "a" : [1, {"b": 2}] , "b\u0062" : "x" , "c" : true , "a" : null } "#)
        let text = bytes
        #expect(value.member("c", in: text)?.bool == true)
        #expect(value.member("bb", in: text)?.string(in: text) == "x")
        // The last wins.
        #expect(value.member("a", in: text)?.kind == .null)
        #expect(value.member("d", in: text) == nil)
        // Members of members are not members.
        #expect(value.member("b", in: text) == nil)
        let other = Array("{}".utf8)
        #expect(value.member("c", in: other) == nil)
        #expect(value.member("bb", in: text)?.string(in: other) == nil)
    }

    @Test func handsOverPlaces() throws {
        let text = Array(#"{"n" : "v", "o":{"x":[]} ,"t": -1.5}"#.utf8)
        var found: [String] = []
        let object = try JSONValue.parseObject(text.span.bytes) { member in
            found.append(String(decoding: text[member.name.range], as: UTF8.self))
            found.append(String(decoding: text[member.value.range], as: UTF8.self))
        }
        #expect(found == ["\"n\"", "\"v\"", "\"o\"", "{\"x\":[]}", "\"t\"", "-1.5"])
        #expect(object.range == 0..<text.count)
    }

    @Test func comparesNames() throws {
        for text in [#""src""#, #""\u0073rc""#, #""s\u0072\u0063""#] {
            let (value, bytes) = try value(text)
            #expect(value.isString("src", in: bytes))
            #expect(!value.isString("sr", in: bytes))
            #expect(!value.isString("srcs", in: bytes))
            #expect(!value.isString("dst", in: bytes))
        }
    }
}

@Suite struct WritingTests {
    @Test func writesCommasAndNesting() {
        var writer = JSONWriter()
        writer.object { object in
            object.member("type", "X")
            object.member("list") {
                $0.array { array in
                    array.integer(1)
                    array.bool(false)
                    array.null()
                    array.object { _ in }
                    array.array { _ in }
                }
            }
            object.member("ok", true)
            object.member("n", -5)
        }
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"{"type":"X","list":[1,false,null,{},[]],"ok":true,"n":-5}"#)
    }

    @Test func escapes() {
        var writer = JSONWriter()
        writer.string("\"\\/\u{0}\u{8}\u{C}\n\r\t\u{1F}\u{7F}é\u{2028}😀")
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == "\"\\\"\\\\/\\u0000\\u0008\\u000c\\n\\r\\t\\u001f\u{7F}é\u{2028}😀\"")
    }

    @Test func standsSideBySideAtTheTop() {
        var writer = JSONWriter()
        writer.integer(1)
        writer.object { $0.member("a", 1) }
        writer.string("b")
        #expect(String(decoding: writer.bytes, as: UTF8.self) == #"1{"a":1}"b""#)
        writer.removeAll()
        #expect(writer.bytes.isEmpty)
    }

    /// A relay overwrites one member; the rest goes through byte for byte.
    @Test(
        arguments: [
            (#"{"src":"b","x":1}"#, #"{"src":"ME","x":1}"#),
            (#" { "x" : 1.50 , "src" : {"deep":[1,2]} } "#, #"{ "x" : 1.50 , "src" : "ME" }"#),
            // Missing: put first.
            (#"{"x":"é\n"}"#, #"{"src":"ME","x":"é\n"}"#), ("{}", #"{"src":"ME"}"#), ("{ }", #"{"src":"ME" }"#),
            // Several: whichever a reader takes, it finds the new value.
            (#"{"src":"b","x":1,"src":"c"}"#, #"{"src":"ME","x":1,"src":"ME"}"#),
            // A name may be written with escapes, and is the same name.
            (#"{"s\u0072c":"b"}"#, #"{"s\u0072c":"ME"}"#),
            (#"{"src":"b","\u0073rc":"c"}"#, #"{"src":"ME","\u0073rc":"ME"}"#),
            // Only at the top.
            (#"{"payload":{"src":"b"}}"#, #"{"src":"ME","payload":{"src":"b"}}"#),
        ])
    func overwritesOneMember(_ text: String, _ expected: String) throws {
        let bytes = Array(text.utf8)
        var occurrences = JSONOccurrences()
        let object = try JSONValue.parseObject(bytes.span.bytes) { member in
            if member.name.isString("src", in: bytes.span.bytes) { occurrences.add(member) }
        }
        var writer = JSONWriter()
        writer.raw(
            object, of: bytes.span.bytes, overwriting: "src", found: occurrences, with: Array(#""ME""#.utf8).span.bytes)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == expected)
    }
}

@Suite struct InvariantTests {
    static let frame = #"""
        {"type":"OFFER","dst":"b","payload":{"sdp":{"type":"offer","sdp":"v=0\r\no=- 46 2 IN IP4 127.0.0.1\r\n"},"é":"😀 \ud83d\ude00",
        "n":[-0,1.5e-7,12,true,false,null,{}],"q":"\"\\\/"}}
        """#

    /// A text cut short is never JSON, and never anything worse than an error.
    @Test func everyTruncationIsRefused() {
        let text = Array(Self.frame.utf8)
        #expect(failure(of: text) == nil)
        for length in 0..<text.count {
            let error = failure(of: Array(text[..<length]))
            #expect(error != nil)
            #expect(error.map { (0...length).contains($0.offset) } == true)
        }
    }

    @Test func whatIsWrittenIsRead() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<3000 {
            let tree = Tree.random(depth: 4, using: &generator)
            #expect(try Tree(reading: tree.text) == tree)
        }
    }

    /// Mutations of a valid text: each is refused, or reads as something that is written and read the same again.
    @Test func mutationsAreRefusedOrRead() throws {
        var generator = SeededGenerator(seed: 2)
        let original = Array(Self.frame.utf8)
        let pieces = Array("{}[],:\"\\u0d8e+-.9nt\n\u{0}é😀".utf8)
        var accepted = 0
        for _ in 0..<20_000 {
            var text = original
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0..<text.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: text[place] = pieces.randomElement(using: &generator) ?? 0
                case 1: text[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 2: text.insert(pieces.randomElement(using: &generator) ?? 0, at: place)
                default: text.remove(at: place)
                }
            }
            guard failure(of: text) == nil else { continue }
            accepted += 1
            let tree = try Tree(reading: text)
            #expect(try Tree(reading: tree.text) == tree)
            // What is accepted is UTF-8 as a whole.
            #expect(String(validating: text, as: UTF8.self) != nil)
        }
        #expect(accepted > 1000)
    }
}
