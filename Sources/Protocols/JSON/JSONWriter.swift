/// Writes JSON text (RFC 8259) without white space, value behind value, into one array of bytes.
///
/// Commas come by themselves; arrays and objects are closed by the end of their closure:
///
///     writer.object { object in
///         object.member("type", "OPEN")
///         object.member("payload") { $0.object { … } }
///     }
public struct JSONWriter: Sendable {
    /// What has been written so far.
    public private(set) var bytes: [UInt8] = []
    /// Whether the next value or name stands behind another one.
    private var needsComma = false
    /// How many arrays and objects are open.
    private var depth = 0

    /// Makes an empty writer.
    public init() {}

    /// Forgets everything written, keeping the storage for what comes next.
    /// - Parameter limit: storage beyond so many bytes is given back.
    public mutating func removeAll(keepingCapacityUpTo limit: Int = 1 << 16) {
        bytes.removeAll(keepingCapacity: bytes.capacity <= limit)
        needsComma = false
        depth = 0
    }

    // MARK: Arrays and objects

    /// Writes an object.
    /// - Parameter body: writes its members.
    public mutating func object(_ body: (inout JSONWriter) -> Void) {
        begin(UInt8(ascii: "{"))
        body(&self)
        end(UInt8(ascii: "}"))
    }

    /// Writes an array.
    /// - Parameter body: writes its elements.
    public mutating func array(_ body: (inout JSONWriter) -> Void) {
        begin(UInt8(ascii: "["))
        body(&self)
        end(UInt8(ascii: "]"))
    }

    /// Writes a member of an object.
    /// - Parameters:
    ///   - name: the member's name.
    ///   - value: writes its value, exactly one.
    public mutating func member(_ name: String, _ value: (inout JSONWriter) -> Void) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
        value(&self)
    }

    /// Writes a member with a string.
    public mutating func member(_ name: String, _ value: String) { member(name) { $0.string(value) } }

    /// Writes a member with an integer.
    public mutating func member(_ name: String, _ value: some BinaryInteger) { member(name) { $0.integer(value) } }

    /// Writes a member with a Boolean.
    public mutating func member(_ name: String, _ value: Bool) { member(name) { $0.bool(value) } }

    // MARK: Values

    /// Writes a string.
    public mutating func string(_ value: String) {
        separate()
        quote(value)
        finish()
    }

    /// Writes an integer.
    public mutating func integer(_ value: some BinaryInteger) { plain(String(value)) }

    /// Writes `true` or `false`.
    public mutating func bool(_ value: Bool) { plain(value ? "true" : "false") }

    /// Writes `null`.
    public mutating func null() { plain("null") }

    /// Writes a value that is JSON text already.
    /// - Parameter text: one checked value; it is not checked again.
    public mutating func raw(_ text: RawSpan) {
        separate()
        append(text)
        finish()
    }

    /// Writes an object that came from someone else, with one of its members overwritten and every other byte as it
    /// was.
    ///
    /// Where the member comes several times each of them is overwritten, so that a reader with another rule than
    /// *the last wins* sees nothing of what was there either. Where there is none, it is put first.
    /// - Parameters:
    ///   - object: the place of the object, checked, in `text`.
    ///   - text: the text.
    ///   - name: the member's name.
    ///   - occurrences: what the check of the text found of that name.
    ///   - value: the new value, checked JSON text.
    public mutating func raw(
        _ object: JSONValue, of text: RawSpan, overwriting name: StaticString, found occurrences: JSONOccurrences,
        with value: RawSpan
    ) {
        guard case .object = object.kind, object.range.upperBound <= text.byteCount else { return null() }
        separate()
        var copied = object.range.lowerBound
        if let last = occurrences.last, occurrences.count == 1 {
            append(text.extracting(copied..<last.range.lowerBound))
            append(value)
            copied = last.range.upperBound
        } else if occurrences.count == 0 {
            append("{\"")
            append(name)
            append("\":")
            append(value)
            copied += 1
            if !isEmpty(object, in: text) { bytes.append(UInt8(ascii: ",")) }
        } else {
            object.forEachMember(in: text) { member in
                guard member.name.isString(name, in: text) else { return }
                append(text.extracting(copied..<member.value.range.lowerBound))
                append(value)
                copied = member.value.range.upperBound
            }
        }
        append(text.extracting(copied..<object.range.upperBound))
        finish()
    }

    // MARK: Pieces

    /// Whether a checked object has no member: then only white space stands between its brackets.
    private func isEmpty(_ object: JSONValue, in text: RawSpan) -> Bool {
        var scanner = JSONScanner(text, in: object.range)
        _ = scanner.skip(UInt8(ascii: "{"))
        scanner.skipWhitespace()
        return scanner.skip(UInt8(ascii: "}"))
    }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        depth += 1
        needsComma = false
    }

    private mutating func end(_ bracket: UInt8) {
        bytes.append(bracket)
        depth -= 1
        finish()
    }

    private mutating func plain(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
        finish()
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    /// Notes that a value is complete. Outside of arrays and objects values stand side by side.
    private mutating func finish() { needsComma = depth > 0 }

    private mutating func append(_ text: RawSpan) { text.withUnsafeBytes { bytes.append(contentsOf: $0) } }

    private mutating func append(_ text: StaticString) { text.withUTF8Buffer { bytes.append(contentsOf: $0) } }

    /// Appends a string in quotation marks. RFC 8259 section 7: the quotation mark, the backslash and control
    /// characters must be escaped, and nothing else need be.
    private mutating func quote(_ value: String) {
        bytes.append(UInt8(ascii: "\""))
        var value = value
        value.withUTF8 { utf8 in
            for byte in utf8 {
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                    bytes.append(UInt8(ascii: "\\"))
                    bytes.append(byte)
                case 0x0A: append("\\n")
                case 0x0D: append("\\r")
                case 0x09: append("\\t")
                case 0..<0x20:
                    append("\\u00")
                    bytes.append(hexadecimal(byte >> 4))
                    bytes.append(hexadecimal(byte & 15))
                default: bytes.append(byte)
                }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private func hexadecimal(_ digit: UInt8) -> UInt8 { digit < 10 ? 0x30 + digit : 0x57 + digit }
}
