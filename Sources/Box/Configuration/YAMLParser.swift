import CYAML

/// A position in a YAML text, both numbers from 1.
struct YAMLMark: Sendable, Equatable {
    var line: Int
    var column: Int
}

/// Why a text is not YAML.
struct YAMLError: Error, Equatable {
    var words: String
    var mark: YAMLMark
}

/// A step of libyaml through a text. Tags and anchors are not read, except that a tag is noticed.
struct YAMLEvent {
    enum Kind {
        case streamStart
        case streamEnd
        case documentStart
        case documentEnd
        case alias
        case scalar(String, isPlain: Bool)
        case sequenceStart
        case sequenceEnd
        case mappingStart
        case mappingEnd
    }

    var kind: Kind
    var isTagged = false
    var mark: YAMLMark
}

/// libyaml's parser on a text in UTF-8, freed with this value.
struct YAMLParser: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    // libyaml keeps a pointer to the text.
    private let text: UnsafeMutableBufferPointer<UInt8>

    init(_ bytes: [UInt8]) {
        text = .allocate(capacity: bytes.count)
        _ = text.initialize(from: bytes)
        parser = .allocate(capacity: 1)
        guard yaml_parser_initialize(parser) == 1 else { fatalError("no memory to read the configuration") }
        yaml_parser_set_input_string(parser, text.baseAddress, text.count)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        text.deallocate()
    }

    /// The next step; not to be asked for after an error or the end of the stream.
    mutating func next() throws(YAMLError) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw error() }
        defer { yaml_event_delete(&event) }
        let mark = YAMLMark(line: Int(event.start_mark.line) + 1, column: Int(event.start_mark.column) + 1)
        switch event.type {
        case YAML_STREAM_START_EVENT: return YAMLEvent(kind: .streamStart, mark: mark)
        case YAML_STREAM_END_EVENT: return YAMLEvent(kind: .streamEnd, mark: mark)
        case YAML_DOCUMENT_START_EVENT: return YAMLEvent(kind: .documentStart, mark: mark)
        case YAML_DOCUMENT_END_EVENT: return YAMLEvent(kind: .documentEnd, mark: mark)
        case YAML_ALIAS_EVENT: return YAMLEvent(kind: .alias, mark: mark)
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let value = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return YAMLEvent(
                kind: .scalar(String(decoding: value, as: UTF8.self), isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE),
                isTagged: scalar.tag != nil, mark: mark)
        case YAML_SEQUENCE_START_EVENT:
            return YAMLEvent(kind: .sequenceStart, isTagged: event.data.sequence_start.tag != nil, mark: mark)
        case YAML_SEQUENCE_END_EVENT: return YAMLEvent(kind: .sequenceEnd, mark: mark)
        case YAML_MAPPING_START_EVENT:
            return YAMLEvent(kind: .mappingStart, isTagged: event.data.mapping_start.tag != nil, mark: mark)
        case YAML_MAPPING_END_EVENT: return YAMLEvent(kind: .mappingEnd, mark: mark)
        default: throw YAMLError(words: "not YAML", mark: mark)
        }
    }

    /// What libyaml says of the text, in the words of someone who has it in an editor.
    private func error() -> YAMLError {
        let state = parser.pointee
        if state.error == YAML_READER_ERROR {
            // The reader works ahead of the scanner and knows only the byte.
            let before = text.prefix(Int(clamping: state.problem_offset))
            let line = before.reduce(1) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
            let column = before.reversed().prefix { $0 != UInt8(ascii: "\n") }.count + 1
            return YAMLError(
                words: "byte \(column) of the line is not text in UTF-8", mark: YAMLMark(line: line, column: column))
        }
        let mark = YAMLMark(line: Int(state.problem_mark.line) + 1, column: Int(state.problem_mark.column) + 1)
        let problem = state.problem.map { String(cString: $0) } ?? "not YAML"
        let words =
            switch problem {
            case _ where character(at: mark) == UInt8(ascii: "\t"), "found a tab character that violates indentation":
                "a tab; indent with spaces"
            case "found character that cannot start any token":
                "column \(mark.column): a value that starts with this character must be in quotes"
            case "mapping values are not allowed in this context":
                "column \(mark.column): no \":\" may be here; check the indentation, or put the value in quotes"
            case "did not find expected key":
                "a key and a \":\" must be here; check the indentation of this line and the one before"
            default: "not YAML: \(state.context.map { String(cString: $0) + " " } ?? "")\(problem)"
            }
        return YAMLError(words: words, mark: mark)
    }

    /// The first byte of the character at a position.
    private func character(at mark: YAMLMark) -> UInt8? {
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard mark.line <= lines.count else { return nil }
        let line = String(decoding: lines[mark.line - 1], as: UTF8.self).unicodeScalars
        return line.dropFirst(mark.column - 1).first.flatMap { UInt8(exactly: $0.value) }
    }
}
