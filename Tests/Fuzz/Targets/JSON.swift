import JSON

extension FuzzTarget {
    /// Parses a text, visits every value of it, and writes it anew.
    static let json = FuzzTarget("json") { input in
        let members = try? JSONValue.parseObject(input.span.bytes) { _ in }
        guard let root = try? JSONValue(parsing: input.span.bytes) else {
            return try always(members == nil, "an object that is no value")
        }
        if case .object = root.kind {
            try always(members != nil, "an object is not taken for one")
        } else {
            try always(members == nil, "something else is taken for an object")
        }
        let first = rewritten(root, of: input)
        guard let again = try? JSONValue(parsing: first.span.bytes) else {
            throw FuzzFinding("what was written is not read")
        }
        let second = rewritten(again, of: first)
        try always(first == second, "what was written changes when it is written again")
        if case .object = root.kind { try overwrite(root, of: input) }
    }

    /// Overwrites a member as the broker does with `src`: no reader may find another value under that name.
    private static func overwrite(_ root: JSONValue, of text: [UInt8]) throws {
        var found = JSONOccurrences()
        root.forEachMember(in: text.span.bytes) { member in
            if member.name.isString("src", in: text.span.bytes) { found.add(member) }
        }
        var writer = JSONWriter()
        let source = Array(#""the sender""#.utf8)
        writer.raw(root, of: text.span.bytes, overwriting: "src", found: found, with: source.span.bytes)
        let written = writer.bytes
        guard let object = try? JSONValue(parsing: written.span.bytes) else {
            throw FuzzFinding("an overwritten object is none any more")
        }
        var count = 0
        object.forEachMember(in: written.span.bytes) { member in
            guard member.name.string(in: written.span.bytes) == "src" else { return }
            count += member.value.string(in: written.span.bytes) == "the sender" ? 1 : .min / 2
        }
        try always(count == max(1, found.count), "an overwritten member keeps another value")
    }

    /// A text's values in plain form: strings and integers by what they mean, other numbers as they stand.
    private static func rewritten(_ root: JSONValue, of text: [UInt8]) -> [UInt8] {
        var writer = JSONWriter()
        write(root, of: text, into: &writer)
        return writer.bytes
    }

    private static func write(_ value: JSONValue, of text: [UInt8], into writer: inout JSONWriter) {
        _ = value.isString("type", in: text.span.bytes)
        _ = value.member("payload", in: text.span.bytes)
        switch value.kind {
        case .object:
            var members: [(String, JSONValue)] = []
            value.forEachMember(in: text.span.bytes) { member in
                members.append((member.name.string(in: text.span.bytes) ?? "", member.value))
            }
            writer.object { writer in
                for (name, value) in members { writer.member(name) { write(value, of: text, into: &$0) } }
            }
        case .array:
            var elements: [JSONValue] = []
            value.forEachElement(in: text.span.bytes) { elements.append($0) }
            writer.array { writer in
                for element in elements { write(element, of: text, into: &writer) }
            }
        case .string: writer.string(value.string(in: text.span.bytes) ?? "")
        case .number:
            if let integer = value.integer(in: text.span.bytes) {
                writer.integer(integer)
            } else {
                writer.raw(text.span.bytes.extracting(value.range))
            }
        case .bool(let bool): writer.bool(bool)
        case .null: writer.null()
        }
    }
}
