/// Walks over JSON text by the grammar of RFC 8259, one value at a time, checking every byte and copying none.
///
/// Where ECMAScript's `JSON.parse` and the RFC leave a choice, this does as `JSON.parse` does: no byte order mark,
/// and `\u` escapes of lone surrogates are let through (section 8.2 calls what a reader makes of them
/// unpredictable; `JSONValue.string(in:)` makes U+FFFD of each).
struct JSONScanner: ~Escapable {
    /// The whole text, of which `end` may cut off the rest.
    private let text: RawSpan
    /// Where scanning stops.
    private let end: Int
    /// The next byte's place.
    private(set) var offset: Int

    /// Begins at the start of `range`.
    @_lifetime(copy text)
    init(_ text: RawSpan, in range: Range<Int>) {
        self.text = text
        // A range of some other text must not make the scanner read beyond this one.
        offset = min(max(range.lowerBound, 0), text.byteCount)
        end = min(max(range.upperBound, offset), text.byteCount)
    }

    /// The next byte, or nil at the end.
    @inline(__always)
    private var next: UInt8? {
        offset < end ? text.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self) : nil
    }

    /// The byte at `place`, or 0 (which no construct of JSON begins with or goes on with) at the end.
    @inline(__always)
    private func byte(at place: Int) -> UInt8 {
        place < end ? text.unsafeLoad(fromUncheckedByteOffset: place, as: UInt8.self) : 0
    }

    /// The error for a byte that does not fit, or for its lack.
    private var misfit: JSONError { JSONError(offset < end ? .unexpectedByte : .unexpectedEnd, at: offset) }

    // MARK: Structure

    /// Passes over white space (RFC 8259 section 2).
    @inline(__always)
    mutating func skipWhitespace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset &+= 1 }
    }

    /// Passes over `byte` if it is the next one.
    @_lifetime(self: copy self)
    @inline(__always)
    mutating func skip(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        offset &+= 1
        return true
    }

    /// Fails unless everything has been read.
    func expectEnd() throws(JSONError) {
        if offset < end { throw JSONError(.trailingBytes, at: offset) }
    }

    /// Scans an object, handing each member to `body`.
    /// - Parameter depth: how many arrays and objects may lie in one another, this one included; 64 at most.
    @_lifetime(self: copy self)
    mutating func object(depth: Int, _ body: (JSONMember) -> Void) throws(JSONError) {
        guard skip(UInt8(ascii: "{")) else {
            throw JSONError(offset < end ? .notAnObject : .unexpectedEnd, at: offset)
        }
        guard depth > 0 else { throw JSONError(.tooDeep, at: offset &- 1) }
        skipWhitespace()
        if skip(UInt8(ascii: "}")) { return }
        while true {
            let name = try memberName()
            body(JSONMember(name: name, value: try value(depth: depth &- 1)))
            skipWhitespace()
            if skip(UInt8(ascii: "}")) { return }
            guard skip(UInt8(ascii: ",")) else { throw misfit }
            skipWhitespace()
        }
    }

    /// Scans an array, handing each element to `body`. The parameter is that of `object`.
    @_lifetime(self: copy self)
    mutating func array(depth: Int, _ body: (JSONValue) -> Void) throws(JSONError) {
        guard skip(UInt8(ascii: "[")) else { throw misfit }
        guard depth > 0 else { throw JSONError(.tooDeep, at: offset &- 1) }
        skipWhitespace()
        if skip(UInt8(ascii: "]")) { return }
        while true {
            body(try value(depth: depth &- 1))
            skipWhitespace()
            if skip(UInt8(ascii: "]")) { return }
            guard skip(UInt8(ascii: ",")) else { throw misfit }
            skipWhitespace()
        }
    }

    /// Scans `"name" :` and the white space behind it.
    @inline(__always)
    private mutating func memberName() throws(JSONError) -> JSONValue {
        guard next == UInt8(ascii: "\"") else { throw misfit }
        let name = try string()
        skipWhitespace()
        guard skip(UInt8(ascii: ":")) else { throw misfit }
        skipWhitespace()
        return name
    }

    /// Scans one value of any kind.
    /// - Parameter depth: how many arrays and objects may lie in one another inside it; 64 at most.
    @_lifetime(self: copy self)
    mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        switch byte(at: offset) {
        case UInt8(ascii: "\""): return try string()
        case UInt8(ascii: "{"): return try container(.object, depth: depth)
        case UInt8(ascii: "["): return try container(.array, depth: depth)
        default: return try scalar()
        }
    }

    /// Scans an array or an object and everything in it. What is open is kept as one bit a level, so a text that
    /// nests deeply costs no stack.
    @_lifetime(self: copy self)
    private mutating func container(_ kind: JSONValue.Kind, depth limit: Int) throws(JSONError) -> JSONValue {
        let start = offset
        // The lowest bit says of the innermost container whether it is an object.
        var objects: UInt64 = 0
        var depth = 0
        repeat {
            // Here a value begins.
            if next == UInt8(ascii: "{") || next == UInt8(ascii: "[") {
                guard depth < min(limit, 64) else { throw JSONError(.tooDeep, at: offset) }
                let isObject = next == UInt8(ascii: "{")
                depth &+= 1
                objects = objects &<< 1 | (isObject ? 1 : 0)
                offset &+= 1
                skipWhitespace()
                if !skip(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    if isObject { _ = try memberName() }
                    continue
                }
                depth &-= 1
                objects &>>= 1
            } else if next == UInt8(ascii: "\"") {
                _ = try string()
            } else {
                _ = try scalar()
            }
            // Here a value has ended: close what ends with it.
            while depth > 0 {
                skipWhitespace()
                let isObject = objects & 1 == 1
                if skip(UInt8(ascii: ",")) {
                    skipWhitespace()
                    if isObject { _ = try memberName() }
                    break
                }
                guard skip(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else { throw misfit }
                depth &-= 1
                objects &>>= 1
            }
        } while depth > 0
        return JSONValue(range: start..<offset, kind: kind, hasEscapes: false)
    }

    // MARK: Scalars

    /// Scans a number or one of the three names.
    private mutating func scalar() throws(JSONError) -> JSONValue {
        let start = offset
        switch byte(at: offset) {
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try number()
            return JSONValue(range: start..<offset, kind: .number, hasEscapes: false)
        default: throw misfit
        }
    }

    @_lifetime(self: copy self)
    private mutating func literal(_ name: StaticString, _ kind: JSONValue.Kind) throws(JSONError) -> JSONValue {
        let start = offset
        let matched = name.withUTF8Buffer { buffer in
            for expected in buffer {
                guard byte(at: offset) == expected else { return false }
                offset &+= 1
            }
            return true
        }
        guard matched else { throw misfit }
        return JSONValue(range: start..<offset, kind: kind, hasEscapes: false)
    }

    /// Scans a number: `-? int frac? exp?` (RFC 8259 section 6).
    private mutating func number() throws(JSONError) {
        let start = offset
        _ = skip(UInt8(ascii: "-"))
        // No leading zeros: a zero stands alone before the point.
        guard skip(UInt8(ascii: "0")) || digits() else { throw JSONError(.invalidNumber, at: start) }
        if skip(UInt8(ascii: ".")) {
            guard digits() else { throw JSONError(.invalidNumber, at: start) }
        }
        if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
            if !skip(UInt8(ascii: "-")) { _ = skip(UInt8(ascii: "+")) }
            guard digits() else { throw JSONError(.invalidNumber, at: start) }
        }
    }

    /// Passes over digits and says whether there was one.
    private mutating func digits() -> Bool {
        let start = offset
        while let byte = next, byte &- 0x30 < 10 { offset &+= 1 }
        return offset > start
    }

    // MARK: Strings

    /// Scans a string, quotation marks included.
    private mutating func string() throws(JSONError) -> JSONValue {
        let start = offset
        offset &+= 1
        var hasEscapes = false
        while true {
            skipPlainWords()
            guard let byte = next else { throw JSONError(.unexpectedEnd, at: offset) }
            switch byte {
            case UInt8(ascii: "\""):
                offset &+= 1
                return JSONValue(range: start..<offset, kind: .string, hasEscapes: hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try escape()
                // Line ends of an SDP are two escapes in a row.
                if self.next == UInt8(ascii: "\\") { try escape() }
            case 0..<0x20: throw JSONError(.controlCharacter, at: offset)
            case 0x80...0xFF: try multibyte(byte)
            default: offset &+= 1
            }
        }
    }

    /// Passes over bytes, eight at a time, that end or change nothing inside a string: all but the quotation mark,
    /// the backslash, control characters and the bytes of UTF-8's longer forms.
    @inline(__always)
    private mutating func skipPlainWords() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        while end &- offset >= 8 {
            let word = UInt64(
                littleEndian: text.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
            // In each byte the highest bit becomes 1 if it is below 0x20, a quotation mark, a backslash, or has
            // that bit itself. A borrow only leaves a byte that is marked, so the first mark is always right.
            let marks =
                ((word &- ones &* 0x20) | ((word ^ (ones &* 0x22)) &- ones) | ((word ^ (ones &* 0x5C)) &- ones) | word)
                & (ones &* 0x80)
            if marks != 0 {
                offset &+= marks.trailingZeroBitCount &>> 3
                return
            }
            offset &+= 8
        }
    }

    /// Scans an escape (RFC 8259 section 7), the backslash included.
    @inline(__always)
    private mutating func escape() throws(JSONError) {
        switch byte(at: offset &+ 1) {
        case UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"),
            UInt8(ascii: "t"), UInt8(ascii: "b"), UInt8(ascii: "f"):
            offset &+= 2
        case UInt8(ascii: "u"):
            for place in (offset &+ 2)..<(offset &+ 6) where hexadecimalDigit(byte(at: place)) == nil {
                throw JSONError(place < end ? .invalidEscape : .unexpectedEnd, at: min(offset, end))
            }
            offset &+= 6
        default:
            throw JSONError(offset &+ 1 < end ? .invalidEscape : .unexpectedEnd, at: offset)
        }
    }

    /// Scans one character of two to four bytes: RFC 3629 section 4, which excludes overlong forms, surrogates and
    /// what lies beyond U+10FFFF.
    @_lifetime(self: copy self)
    private mutating func multibyte(_ first: UInt8) throws(JSONError) {
        let second = byte(at: offset &+ 1)
        let length: Int
        let valid: Bool
        switch first {
        case 0xC2...0xDF: (length, valid) = (2, isContinuation(second))
        case 0xE0: (length, valid) = (3, (0xA0...0xBF).contains(second))
        case 0xE1...0xEC, 0xEE...0xEF: (length, valid) = (3, isContinuation(second))
        case 0xED: (length, valid) = (3, (0x80...0x9F).contains(second))
        case 0xF0: (length, valid) = (4, (0x90...0xBF).contains(second))
        case 0xF1...0xF3: (length, valid) = (4, isContinuation(second))
        case 0xF4: (length, valid) = (4, (0x80...0x8F).contains(second))
        default: throw JSONError(.invalidUTF8, at: offset)
        }
        guard valid, length < 3 || isContinuation(byte(at: offset &+ 2)),
            length < 4 || isContinuation(byte(at: offset &+ 3))
        else { throw JSONError(.invalidUTF8, at: offset) }
        offset &+= length
    }

    private func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
}

/// The value of a hexadecimal digit in either case, or nil.
@inline(__always)
func hexadecimalDigit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x30...0x39: UInt32(byte &- 0x30)
    case 0x41...0x46: UInt32(byte &- 0x37)
    case 0x61...0x66: UInt32(byte &- 0x57)
    default: nil
    }
}
