/// Why a text is not acceptable JSON, and where. Always the fault of whoever wrote the text.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong with the text.
    public enum Reason: Hashable, Sendable {
        /// The text ends inside a value.
        case unexpectedEnd
        /// A byte stands where the grammar has no place for it (RFC 8259 section 2).
        case unexpectedByte
        /// A string holds bytes that are not UTF-8 (RFC 8259 section 8.1, RFC 3629).
        case invalidUTF8
        /// A string holds a control character that is not escaped (RFC 8259 section 7).
        case controlCharacter
        /// A backslash is followed by something other than an escape (RFC 8259 section 7).
        case invalidEscape
        /// A number is not in the form of RFC 8259 section 6.
        case invalidNumber
        /// Arrays and objects are nested deeper than the reader allows (RFC 8259 section 9 permits the limit).
        case tooDeep
        /// Something other than white space follows the value.
        case trailingBytes
        /// The value is not an object, and only an object will do.
        case notAnObject
    }

    /// What is wrong.
    public let reason: Reason
    /// Where, in bytes from the start of the text.
    public let offset: Int

    /// Makes an error.
    /// - Parameters:
    ///   - reason: what is wrong.
    ///   - offset: where, in bytes from the start of the text.
    @inlinable
    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// The error in words, for a log or an answer to the sender.
    public var description: String {
        switch reason {
        case .unexpectedEnd: "the JSON text ends too early, at byte \(offset)"
        case .unexpectedByte: "byte \(offset) does not belong in JSON there"
        case .invalidUTF8: "byte \(offset) is not UTF-8"
        case .controlCharacter: "byte \(offset) is a control character that must be escaped"
        case .invalidEscape: "the escape at byte \(offset) does not exist in JSON"
        case .invalidNumber: "the number at byte \(offset) is not in JSON's form"
        case .tooDeep: "arrays and objects are nested too deep at byte \(offset)"
        case .trailingBytes: "something follows the JSON value, at byte \(offset)"
        case .notAnObject: "a JSON object is needed, and byte \(offset) does not begin one"
        }
    }
}
