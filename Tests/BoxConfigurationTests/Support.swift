import BoxConfiguration

/// Files in memory.
struct MemoryFiles: FileAccess {
    var contents: [String: String] = [:]
    var directories: Set<String> = []
    var unreadable: Set<String> = []

    func read(_ path: String, atMost limit: Int) throws(FileAccessError) -> [UInt8] {
        try check(path, is: .file)
        let bytes = Array((contents[path] ?? "").utf8)
        guard bytes.count <= limit else { throw .tooLarge(limit: limit) }
        return bytes
    }

    func check(_ path: String, is kind: FileKind) throws(FileAccessError) {
        guard !unreadable.contains(path) else { throw .notPermitted }
        switch kind {
        case .file:
            guard !directories.contains(path) else { throw .isNot(.file) }
            guard contents[path] != nil else { throw .missing }
        case .directory:
            guard contents[path] == nil else { throw .isNot(.directory) }
            guard directories.contains(path) else { throw .missing }
        }
    }
}

/// Loads `yaml` as the file `config.yaml`.
func load(
    _ yaml: String = "", environment: [String: String] = [:], flags: [String] = [],
    role: BoxConfiguration.Role = .person, files: MemoryFiles = MemoryFiles()
) throws(ConfigurationProblems) -> LoadedConfiguration {
    var files = files
    files.contents["config.yaml"] = yaml
    return try ConfigurationLoader.load(
        file: "config.yaml", environment: environment, flags: flags, defaults: BoxConfiguration(for: role), files: files
    )
}

/// What is said to be wrong, one line each; empty when nothing is.
func problems(
    _ yaml: String = "", environment: [String: String] = [:], flags: [String] = [], files: MemoryFiles = MemoryFiles()
) -> [String] {
    do {
        _ = try load(yaml, environment: environment, flags: flags, files: files)
        return []
    } catch {
        return error.problems.map(\.description)
    }
}
