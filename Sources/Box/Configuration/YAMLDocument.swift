/// A node of a YAML document.
struct YAMLNode: Sendable {
    indirect enum Content: Sendable {
        /// A text; `isNull` when nothing, `~` or `null` stands for it.
        case scalar(String, isNull: Bool)
        /// A list.
        case sequence([YAMLNode])
        /// Keys and values, in the order of the text; keys may be there twice.
        case mapping([(key: YAMLNode, value: YAMLNode)])
        /// A part of YAML that settings have no use for, in words.
        case unsupported(String)
    }

    var content: Content
    /// Where it starts.
    var mark: YAMLMark
}

/// A YAML text: what was understood of it, and the first thing that was not.
struct YAMLDocument {
    /// The root; nil for a text with nothing but remarks.
    let root: YAMLNode?
    /// What is not YAML, after what is in `root`.
    let error: YAMLError?

    /// The deepest nesting that is read; settings need two levels.
    static let maximumDepth = 8

    init(_ text: [UInt8]) {
        var builder = Builder(parser: YAMLParser(text))
        root = builder.document()
        error = builder.error
    }

    /// Makes nodes of events. From an error on, everything that is open ends where it is.
    private struct Builder: ~Copyable {
        var parser: YAMLParser
        var error: YAMLError?

        mutating func document() -> YAMLNode? {
            var root: YAMLNode?
            while let event = next() {
                switch event.kind {
                case .streamStart, .documentEnd: continue
                case .streamEnd: return root
                case .documentStart:
                    if root != nil {
                        error = YAMLError(words: "a second document; there may be one only", mark: event.mark)
                        return root
                    }
                case .alias, .scalar, .sequenceStart, .sequenceEnd, .mappingStart, .mappingEnd:
                    root = node(event, depth: 1)
                }
            }
            return root
        }

        private mutating func next() -> YAMLEvent? {
            guard error == nil else { return nil }
            do {
                return try parser.next()
            } catch {
                self.error = error
                return nil
            }
        }

        /// The node that starts with `event`; nil when the event starts none.
        private mutating func node(_ event: YAMLEvent, depth: Int) -> YAMLNode? {
            guard depth <= YAMLDocument.maximumDepth else {
                error = YAMLError(words: "nested too deep", mark: event.mark)
                return nil
            }
            let content: YAMLNode.Content
            switch event.kind {
            case .alias: content = .unsupported("an alias (*); write the value itself")
            case .scalar(let text, let isPlain):
                content = .scalar(text, isNull: isPlain && ["", "~", "null"].contains(text))
            case .sequenceStart:
                var items: [YAMLNode] = []
                while let first = next(), let item = node(first, depth: depth + 1) { items.append(item) }
                content = .sequence(items)
            case .mappingStart:
                var entries: [(key: YAMLNode, value: YAMLNode)] = []
                while let first = next(), let key = node(first, depth: depth + 1) {
                    guard let second = next(), let value = node(second, depth: depth + 1) else { break }
                    entries.append((key, value))
                }
                content = .mapping(entries)
            case .sequenceEnd, .mappingEnd, .streamStart, .streamEnd, .documentStart, .documentEnd: return nil
            }
            return YAMLNode(
                content: event.isTagged ? .unsupported("a tag (!); write the value itself") : content, mark: event.mark)
        }
    }
}
