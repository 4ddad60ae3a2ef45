import BoxConfiguration

extension FuzzTarget {
    /// The configuration's file: read as it is, and behind the settings' names. Where that has no fault, the values are checked
    /// as well.
    static let yaml = FuzzTarget("yaml", longest: 512) { input in
        try load(input)
        var script = FuzzScript(input)
        var text: [UInt8] = []
        while !script.isAtEnd {
            let line = script.element(of: lines)
            text += Array(line.utf8) + script.run() + [UInt8(ascii: "\n")]
        }
        try load(text)
    }

    /// The beginnings of the lines that a file may have.
    private static let lines: [String] = {
        let sample = ConfigurationLoader.sample(of: BoxConfiguration(for: .service))
        let lines: [String] = sample.split(separator: "\n").compactMap { line in
            guard line.hasPrefix("#"), !line.hasPrefix("# "), let colon = line.firstIndex(of: ":") else { return nil }
            return line[line.index(after: line.startIndex)...colon] + " "
        }
        return lines + [""]
    }()

    private static func load(_ text: [UInt8]) throws {
        FuzzTarget.feed()
        var reader = ConfigurationFileReader(path: "file")
        reader.read(text)
        guard reader.isFaultless else { return }
        do throws(ConfigurationProblems) {
            _ = try ConfigurationLoader.load(
                file: "file", defaults: BoxConfiguration(for: .service), files: OneFile(text: text))
        } catch {
            try always(!error.description.isEmpty, "a file is refused without a word")
        }
    }

    /// The file, and no other.
    private struct OneFile: FileAccess {
        let text: [UInt8]

        func read(_ path: String, atMost limit: Int) throws(FileAccessError) -> [UInt8] {
            guard path == "file" else { throw .missing }
            guard text.count <= limit else { throw .tooLarge(limit: limit) }
            return text
        }

        func check(_ path: String, is kind: FileKind) throws(FileAccessError) { throw .missing }
    }
}
