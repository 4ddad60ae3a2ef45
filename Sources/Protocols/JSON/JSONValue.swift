/// Where a value lies in a JSON text that has been checked, and of what kind it is.
///
/// It holds places, not bytes: nothing is copied until a string or a number is asked for, and whole members can be
/// passed on as they came. Every method takes the text again; with another text it answers nil or what it finds
/// there, and never reads outside it.
public struct JSONValue: Hashable, Sendable {
    /// The kinds of RFC 8259 section 3.
    public enum Kind: Hashable, Sendable {
        /// An object.
        case object
        /// An array.
        case array
        /// A string.
        case string
        /// A number.
        case number
        /// `true` or `false`.
        case bool(Bool)
        /// `null`.
        case null
    }

    /// The bytes of the text the value takes, a string's quotation marks included.
    public let range: Range<Int>
    /// The kind of value.
    public let kind: Kind
    /// Whether a string holds escapes, so that its bytes are not its characters.
    let hasEscapes: Bool

    init(range: Range<Int>, kind: Kind, hasEscapes: Bool) {
        self.range = range
        self.kind = kind
        self.hasEscapes = hasEscapes
    }

    /// The nesting a reader allows unless told otherwise.
    public static let standardDepth = 32

    /// Checks a whole text and finds the value in it.
    /// - Parameters:
    ///   - text: one JSON value with white space around it, in UTF-8.
    ///   - maximumDepth: how many arrays and objects may lie in one another; 64 at most.
    /// - Throws: `JSONError`, the writer's fault.
    public init(parsing text: RawSpan, maximumDepth: Int = JSONValue.standardDepth) throws(JSONError) {
        var scanner = JSONScanner(text, in: 0..<text.byteCount)
        scanner.skipWhitespace()
        self = try scanner.value(depth: maximumDepth)
        scanner.skipWhitespace()
        try scanner.expectEnd()
    }

    /// Checks a whole text that must be an object, and finds its members, in one pass.
    ///
    /// Members found before an error have been handed over by the time it is thrown.
    /// - Parameters:
    ///   - text: one JSON object with white space around it, in UTF-8.
    ///   - maximumDepth: how many arrays and objects may lie in one another, the object included; 64 at most.
    ///   - body: called with each member in the order of the text. Where a name comes twice the last one wins
    ///     (`JSONOccurrences`).
    /// - Returns: where the object lies.
    /// - Throws: `JSONError`, the writer's fault.
    @discardableResult
    public static func parseObject(
        _ text: RawSpan, maximumDepth: Int = JSONValue.standardDepth, _ body: (JSONMember) -> Void
    ) throws(JSONError) -> JSONValue {
        var scanner = JSONScanner(text, in: 0..<text.byteCount)
        scanner.skipWhitespace()
        let start = scanner.offset
        try scanner.object(depth: min(maximumDepth, 64), body)
        let range = start..<scanner.offset
        scanner.skipWhitespace()
        try scanner.expectEnd()
        return JSONValue(range: range, kind: .object, hasEscapes: false)
    }

    /// Hands over the members of an object, in the order of the text; none if this is not an object.
    public func forEachMember(in text: RawSpan, _ body: (JSONMember) -> Void) {
        guard case .object = kind else { return }
        var scanner = JSONScanner(text, in: range)
        try? scanner.object(depth: 64, body)
    }

    /// Hands over the elements of an array, in order; none if this is not an array.
    public func forEachElement(in text: RawSpan, _ body: (JSONValue) -> Void) {
        guard case .array = kind else { return }
        var scanner = JSONScanner(text, in: range)
        try? scanner.array(depth: 64, body)
    }

    /// The member of that name: the last of several, nil if there is none or this is not an object.
    public func member(_ name: StaticString, in text: RawSpan) -> JSONValue? {
        var found = JSONOccurrences()
        forEachMember(in: text) { member in
            if member.name.isString(name, in: text) { found.add(member) }
        }
        return found.last
    }

    /// The Boolean this is, or nil if it is none.
    public var bool: Bool? {
        if case .bool(let value) = kind { value } else { nil }
    }

    /// The integer this is: nil for other kinds, for numbers with a fraction or an exponent, and beyond 64 bits.
    public func integer(in text: RawSpan) -> Int64? {
        guard case .number = kind, range.upperBound <= text.byteCount else { return nil }
        var negative = false
        var value: Int64 = 0
        for place in range {
            let byte = text.unsafeLoad(fromByteOffset: place, as: UInt8.self)
            if place == range.lowerBound, byte == UInt8(ascii: "-") {
                negative = true
                continue
            }
            guard byte &- 0x30 < 10 else { return nil }
            let digit = Int64(byte &- 0x30)
            // Built from the negative side, which reaches one further.
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = scaled.subtractingReportingOverflow(digit)
            guard !overflow, !carry else { return nil }
            value = sum
        }
        if negative { return value }
        return value == .min ? nil : -value
    }

    /// The characters of a string, or nil if this is none. A `\u` escape of half a surrogate pair becomes U+FFFD.
    public func string(in text: RawSpan) -> String? {
        guard let content = content(in: text) else { return nil }
        if !hasEscapes { return text.extracting(content).withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
        return String(decoding: decoded(content, in: text), as: UTF8.self)
    }

    /// Whether this is the string `expected`, escaped or not.
    public func isString(_ expected: StaticString, in text: RawSpan) -> Bool {
        guard let content = content(in: text) else { return false }
        return expected.withUTF8Buffer { expected in
            if hasEscapes { return decoded(content, in: text).elementsEqual(expected) }
            guard content.count == expected.count else { return false }
            for index in 0..<expected.count
            where text.unsafeLoad(fromByteOffset: content.lowerBound &+ index, as: UInt8.self) != expected[index] {
                return false
            }
            return true
        }
    }

    /// The bytes between the quotation marks.
    private func content(in text: RawSpan) -> Range<Int>? {
        guard case .string = kind, range.count >= 2, range.upperBound <= text.byteCount else { return nil }
        return (range.lowerBound &+ 1)..<(range.upperBound &- 1)
    }

    /// The string's characters in UTF-8, its escapes undone (RFC 8259 section 7).
    private func decoded(_ content: Range<Int>, in text: RawSpan) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(content.count)
        var place = content.lowerBound
        func byte(_ place: Int) -> UInt8 {
            content.contains(place) ? text.unsafeLoad(fromByteOffset: place, as: UInt8.self) : 0
        }
        /// The code unit of the `\uXXXX` at `place`, or nil if there is none.
        func codeUnit(_ place: Int) -> UInt32? {
            guard byte(place) == UInt8(ascii: "\\"), byte(place + 1) == UInt8(ascii: "u") else { return nil }
            var value: UInt32 = 0
            for digit in (place + 2)..<(place + 6) {
                guard let digit = hexadecimalDigit(byte(digit)) else { return nil }
                value = value << 4 | digit
            }
            return value
        }
        while place < content.upperBound {
            guard byte(place) == UInt8(ascii: "\\") else {
                result.append(byte(place))
                place += 1
                continue
            }
            guard let unit = codeUnit(place) else {
                result.append(unescaped(byte(place + 1)))
                place += 2
                continue
            }
            place += 6
            var scalar = Unicode.Scalar(unit)
            if (0xD800..<0xDC00).contains(unit), let low = codeUnit(place), (0xDC00..<0xE000).contains(low) {
                scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
                place += 6
            }
            result.append(contentsOf: UTF8.encode(scalar ?? "\u{FFFD}") ?? UTF8.encodedReplacementCharacter)
        }
        return result
    }

    /// What a two-character escape stands for, by its second character.
    private func unescaped(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: byte
        }
    }
}

/// A member of an object: where its name and its value lie.
public struct JSONMember: Hashable, Sendable {
    /// The name, a string.
    public let name: JSONValue
    /// The value.
    public let value: JSONValue
}

/// The members of one object that share one name, by the one rule for them: **the last wins**, as for ECMAScript's
/// `JSON.parse` (RFC 8259 section 4 leaves it open).
public struct JSONOccurrences: Hashable, Sendable {
    /// The value that counts, or nil if there was none.
    public private(set) var last: JSONValue?
    /// How many there were.
    public private(set) var count = 0

    /// Makes an empty one.
    public init() {}

    /// Notes a member.
    public mutating func add(_ member: JSONMember) {
        last = member.value
        count &+= 1
    }
}
