import JSON

/// Checks a text and answers with its error, or nil.
func failure(of text: String, depth: Int = JSONValue.standardDepth) -> JSONError? {
    failure(of: Array(text.utf8), depth: depth)
}

func failure(of text: [UInt8], depth: Int = JSONValue.standardDepth) -> JSONError? {
    do {
        _ = try JSONValue(parsing: text.span.bytes, maximumDepth: depth)
        return nil
    } catch {
        return error
    }
}

/// A whole JSON value, for comparing what was written with what was read.
indirect enum Tree: Equatable {
    case object([(String, Tree)])
    case array([Tree])
    case string(String)
    case integer(Int64)
    /// A number that is no integer, as its text.
    case number(String)
    case bool(Bool)
    case null

    static func == (lhs: Tree, rhs: Tree) -> Bool {
        switch (lhs, rhs) {
        case (.object(let lhs), .object(let rhs)):
            lhs.count == rhs.count && zip(lhs, rhs).allSatisfy { $0.0.utf8.elementsEqual($1.0.utf8) && $0.1 == $1.1 }
        case (.array(let lhs), .array(let rhs)): lhs == rhs
        // By code points: Swift's own comparison takes canonically equivalent strings for equal.
        case (.string(let lhs), .string(let rhs)): lhs.utf8.elementsEqual(rhs.utf8)
        case (.integer(let lhs), .integer(let rhs)): lhs == rhs
        case (.number(let lhs), .number(let rhs)): lhs == rhs
        case (.bool(let lhs), .bool(let rhs)): lhs == rhs
        case (.null, .null): true
        default: false
        }
    }

    init(reading text: [UInt8]) throws(JSONError) {
        self.init(try JSONValue(parsing: text.span.bytes, maximumDepth: 64), in: text)
    }

    init(_ value: JSONValue, in text: [UInt8]) {
        switch value.kind {
        case .object:
            var members: [(String, Tree)] = []
            value.forEachMember(in: text.span.bytes) { member in
                members.append((member.name.string(in: text.span.bytes) ?? "?", Tree(member.value, in: text)))
            }
            self = .object(members)
        case .array:
            var elements: [Tree] = []
            value.forEachElement(in: text.span.bytes) { elements.append(Tree($0, in: text)) }
            self = .array(elements)
        case .string: self = .string(value.string(in: text.span.bytes) ?? "?")
        case .number:
            self =
                value.integer(in: text.span.bytes).map(Tree.integer)
                ?? .number(String(decoding: text[value.range], as: UTF8.self))
        case .bool(let value): self = .bool(value)
        case .null: self = .null
        }
    }

    func write(into writer: inout JSONWriter) {
        switch self {
        case .object(let members):
            writer.object { object in
                for (name, value) in members { object.member(name) { value.write(into: &$0) } }
            }
        case .array(let elements): writer.array { array in for element in elements { element.write(into: &array) } }
        case .string(let value): writer.string(value)
        case .integer(let value): writer.integer(value)
        case .number(let text): writer.raw(Array(text.utf8).span.bytes)
        case .bool(let value): writer.bool(value)
        case .null: writer.null()
        }
    }

    var text: [UInt8] {
        var writer = JSONWriter()
        write(into: &writer)
        return writer.bytes
    }

    static func random(depth: Int, using generator: inout some RandomNumberGenerator) -> Tree {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &generator) {
        case 0: .null
        case 1: .bool(.random(using: &generator))
        case 2: .integer(Int64(truncatingIfNeeded: generator.next() >> UInt64.random(in: 0...63, using: &generator)))
        case 3:
            .number(
                ["0.5", "-0.0", "1e9", "1E-2", "-12.34e+56", "123456789012345678901234567890"].randomElement(
                    using: &generator) ?? "0.1")
        case 4, 5: .string(randomString(using: &generator))
        case 6:
            .array(
                (0..<Int.random(in: 0...4, using: &generator)).map { _ in random(depth: depth - 1, using: &generator) })
        default:
            .object(
                (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                    (randomString(using: &generator), random(depth: depth - 1, using: &generator))
                })
        }
    }

    static func randomString(using generator: inout some RandomNumberGenerator) -> String {
        let alphabet: [Unicode.Scalar] = [
            "a", "Z", "0", " ", "\"", "\\", "/", "\n", "\r", "\t", "\u{0}", "\u{1F}", "\u{7F}", "\u{80}", "é",
            "\u{7FF}",
            "\u{800}", "\u{2028}", "€", "\u{D7FF}", "\u{E000}", "\u{FFFD}", "\u{FFFF}", "\u{10000}", "😀", "\u{10FFFF}",
            "\u{301}", "\u{200D}",
        ]
        var scalars = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...24, using: &generator) {
            scalars.append(alphabet.randomElement(using: &generator) ?? "a")
        }
        return String(scalars)
    }
}

/// The accessors over an array, since an expectation can't hold a span.
extension JSONValue {
    func string(in text: [UInt8]) -> String? { string(in: text.span.bytes) }
    func integer(in text: [UInt8]) -> Int64? { integer(in: text.span.bytes) }
    func isString(_ expected: StaticString, in text: [UInt8]) -> Bool { isString(expected, in: text.span.bytes) }
    func member(_ name: StaticString, in text: [UInt8]) -> JSONValue? { member(name, in: text.span.bytes) }
}
