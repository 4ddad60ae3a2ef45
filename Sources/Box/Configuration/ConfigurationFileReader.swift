/// Finds the settings in the YAML of a configuration file.
package struct ConfigurationFileReader {
    /// The file's path, as messages show it.
    let path: String
    /// The values by key.
    private(set) var values: [String: GivenValues.Given] = [:]
    /// What is wrong with the file itself and with its keys; values are checked later.
    private(set) var found: [Found] = []

    package init(path: String) {
        self.path = path
    }

    /// Whether nothing is wrong so far.
    package var isFaultless: Bool { found.isEmpty }

    /// Reads the text of the file.
    package mutating func read(_ text: [UInt8]) {
        let document = YAMLDocument(text)
        if let root = document.root {
            switch root.content {
            case .mapping(let entries): readEntries(entries, group: nil)
            case .scalar(_, isNull: true): break
            case .scalar, .sequence: report(root.mark, "settings are written as \"key: value\", one on each line")
            case .unsupported(let words): report(root.mark, words)
            }
        }
        if let error = document.error { report(error.mark, error.words) }
    }

    private mutating func report(_ mark: YAMLMark, key: String? = nil, _ explanation: String) {
        found.append(
            Found(
                rank: .file, line: mark.line,
                ConfigurationProblem("\(path):\(mark.line)", key: key.map(shown), explanation)))
    }

    private mutating func readEntries(_ entries: [(key: YAMLNode, value: YAMLNode)], group: String?) {
        var firstLines: [String: Int] = [:]
        for (key, value) in entries {
            guard case .scalar(let name, _) = key.content else {
                report(key.mark, "a key must be a word")
                continue
            }
            let path = group.map { "\($0).\(name)" } ?? name
            if let first = firstLines[name] {
                report(key.mark, key: path, "stands there twice, first in line \(first)")
                continue
            }
            firstLines[name] = key.mark.line
            if name.contains("."), Setting.named(path) != nil, let outer = Setting.group(of: path) {
                report(
                    key.mark, key: path,
                    "write \"\(outer):\" on a line of its own, and \"\(name.dropFirst(outer.count + 1)): …\" indented below it"
                )
            } else if !name.contains("."), let setting = Setting.named(path) {
                readValue(value, of: setting, key: key.mark)
            } else if group == nil, Setting.isGroup(name) {
                readGroup(value, name: name, key: key.mark)
            } else {
                report(key.mark, key: path, Setting.adviceForUnknown(path))
            }
        }
    }

    private mutating func readGroup(_ node: YAMLNode, name: String, key: YAMLMark) {
        let members = Setting.members(of: name).joined(separator: ", ")
        let scalar = Setting.scalarKey(of: name).flatMap(Setting.named)
        switch node.content {
        case .mapping(let entries):
            readEntries(entries, group: name)
            // Who says how, wants it; but which panel it is, nobody can guess.
            if let scalar, scalar.key != "panel.model", !entries.isEmpty, values[scalar.key] == nil {
                values[scalar.key] = GivenValues.Given(
                    content: .scalar("auto"), place: "\(path):\(key.line)", line: key.line, column: key.column)
            }
        // A group whose keys are all remarks.
        case .scalar(_, isNull: true): break
        case .scalar where scalar != nil: if let scalar { readValue(node, of: scalar, key: key) }
        case .scalar, .sequence:
            let words = scalar.map { "takes \($0.takes), or keys indented below it" }
            report(node.mark, key: name, "\(words ?? "takes no value; its keys stand indented below it"): \(members)")
        case .unsupported(let words): report(node.mark, key: name, words)
        }
    }

    private mutating func readValue(_ node: YAMLNode, of setting: Setting, key: YAMLMark) {
        func given(_ content: GivenValue, itemLines: [Int] = []) -> GivenValues.Given {
            GivenValues.Given(
                content: content, place: "\(path):\(node.mark.line)", line: node.mark.line, column: node.mark.column,
                itemLines: itemLines)
        }
        switch node.content {
        case .scalar(_, isNull: true):
            report(key, key: setting.key, "has no value; it takes \(setting.takes)")
        case .scalar(let text, _):
            if setting.isList {
                report(node.mark, key: setting.key, "must be \(setting.takes): [\(text)]")
            } else {
                values[setting.key] = given(.scalar(text))
            }
        case .sequence(let nodes):
            guard setting.isList else {
                report(node.mark, key: setting.key, "must be \(setting.takes), not a list")
                return
            }
            var items: [String] = []
            var itemLines: [Int] = []
            for item in nodes {
                guard case .scalar(let text, isNull: false) = item.content else {
                    report(item.mark, key: setting.key, "must be \(setting.takes)")
                    continue
                }
                items.append(text)
                itemLines.append(item.mark.line)
            }
            values[setting.key] = given(.list(items), itemLines: itemLines)
        case .mapping: report(node.mark, key: setting.key, "must be \(setting.takes), and has no keys of its own")
        case .unsupported(let words): report(node.mark, key: setting.key, words)
        }
    }
}
