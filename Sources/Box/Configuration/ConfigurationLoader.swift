import Configuration

/// The settings in effect, and where each came from.
public struct LoadedConfiguration: Sendable, Equatable {
    /// One setting.
    public struct Row: Sendable, Equatable {
        /// The key, such as `http.port`.
        public let key: String
        /// The value in effect, as it would stand in the configuration file.
        public let value: String
        /// Where it came from: `/etc/kibitz-local/config.yaml:7`, `KIBITZ_HTTP_PORT`, `--set` or `default`.
        public let source: String
    }

    /// The settings.
    public let configuration: BoxConfiguration
    /// Where each that was set came from, by its key.
    let sources: [String: String]

    /// Every setting, in the order of the sample file. Made when asked for: a start of the box has no use for it.
    public var rows: [Row] {
        Setting.all.map {
            Row(key: $0.key, value: $0.text(configuration), source: sources[$0.key] ?? "default")
        }
    }

    /// The rows as a table of text, one line each.
    public var listing: String {
        let rows = rows
        let keyWidth = rows.map(\.key.count).max() ?? 0
        let valueWidth = rows.map(\.value.count).max() ?? 0
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count))
        }
        return rows.map { "\(padded($0.key, keyWidth))  \(padded($0.value, valueWidth))  \($0.source)\n" }.joined()
    }
}

/// Reads the settings of the box: flags over environment over file over defaults.
///
/// Every value given is checked, also one that another overrides, and everything wrong is reported at once.
public enum ConfigurationLoader {
    /// The file that is read when none is named.
    public static let defaultPath = "/etc/kibitz-local/config.yaml"
    /// The largest configuration file that is read, in bytes.
    public static let maximumFileSize = 64 * 1024
    /// What the names of the environment variables start with.
    static let environmentPrefix = "KIBITZ"

    /// Reads and checks everything the owner set.
    /// - Parameters:
    ///   - file: the path of the configuration file; nil for ``defaultPath``, which may be missing.
    ///   - environment: the process's environment. `KIBITZ_HTTP_PORT` sets `http.port`; lists are separated by commas.
    ///   - flags: the values of the `--set` flags, `KEY=VALUE` each; of two with the same key the last one counts.
    ///   - defaults: the values of what is not set.
    ///   - files: where files are read.
    /// - Throws: every problem found.
    public static func load(
        file: String? = nil, environment: [String: String] = [:], flags: [String] = [], defaults: BoxConfiguration,
        files: some FileAccess = SystemFiles()
    ) throws(ConfigurationProblems) -> LoadedConfiguration {
        var resolution = Resolution(defaults: defaults)
        resolution.apply(file: file, from: files)
        resolution.apply(environment: environment)
        resolution.apply(flags: flags)
        resolution.checkTogether(files: files)
        return try resolution.finish()
    }

    /// A configuration file with every setting at its value in `configuration`, explained and commented out.
    public static func sample(of configuration: BoxConfiguration) -> String {
        var text = """
            # Settings of a Kibitz Local box.
            #
            # Each setting is shown with its default. To change one, take away the "#" at the start of its line, and
            # at the start of its group's line (such as "#http:"). Lines that start with "# " are remarks.
            # A setting may also be an environment variable (KIBITZ_HTTP_PORT=80) or a flag (--set http.port=80).
            # "kibitz-local config" prints what is in effect and where it came from.

            """
        var group: Substring?
        for setting in Setting.all {
            let parts = setting.key.split(separator: ".")
            let parent = parts.count > 1 ? parts.first : nil
            if parent == nil || parent != group { text += "\n" }
            if let parent, parent != group { text += "#\(parent):\n" }
            group = parent
            let takes = "Takes \(setting.takes)."
            let fits = setting.summary.count + takes.count < 100
            text += "# \(setting.summary)\(fits ? " " : "\n# ")\(takes)\n"
            text += "#\(parent == nil ? "" : "  ")\(parts.last ?? ""): \(setting.text(configuration))\n"
        }
        return text
    }
}

extension Resolution {
    /// Applies the configuration file: the one named, or the default one if it is there.
    fileprivate mutating func apply(file named: String?, from files: some FileAccess) {
        let path = named ?? ConfigurationLoader.defaultPath
        do {
            let text = try files.read(path, atMost: ConfigurationLoader.maximumFileSize)
            var reader = ConfigurationFileReader(path: path)
            reader.read(text)
            found += reader.found
            apply(GivenValues(providerName: path, values: reader.values), rank: .file)
        } catch {
            if named == nil, error == .missing { return }
            found.append(Found(rank: .file, ConfigurationProblem(path, error.description)))
        }
    }

    /// Applies the environment variables that start with `KIBITZ_`.
    fileprivate mutating func apply(environment: [String: String]) {
        let prefix = ConfigurationLoader.environmentPrefix
        // Mostly there is none, and to ask for each takes as long as all else here.
        guard environment.keys.contains(where: { $0.hasPrefix(prefix + "_") }) else { return }
        let environment = environment.withGroupScalars(prefix: prefix)
        let provider = EnvironmentVariablesProvider(environmentVariables: environment)
            .prefixKeys(with: ConfigKey([prefix]))
        // A lookup names the variable whether it is there or not.
        let names = Setting.all.compactMap { setting in
            (try? provider.value(forKey: setting.absoluteKey, type: .string).encodedKey).map { (setting.key, $0) }
        }
        let nameOfKey = Dictionary(uniqueKeysWithValues: names)
        for name in environment.keys.sorted() where name.hasPrefix(prefix + "_") && !nameOfKey.values.contains(name) {
            let key = String(name.dropFirst(prefix.count + 1).lowercased().map { $0 == "_" ? "." : $0 })
            let suggestions = Setting.suggestions(for: key).compactMap { nameOfKey[$0] }
            let advice =
                suggestions.isEmpty
                ? "\"kibitz-local config\" lists all" : "did you mean \(suggestions.joined(separator: " or "))?"
            found.append(Found(rank: .environment, ConfigurationProblem(shown(name), "no such setting; \(advice)")))
        }
        apply(provider.snapshot(), rank: .environment)
    }

    /// Applies the values of the `--set` flags.
    fileprivate mutating func apply(flags: [String]) {
        let place = "--set"
        var values: [String: GivenValues.Given] = [:]
        for flag in flags {
            guard let equals = flag.firstIndex(of: "=") else {
                found.append(Found(rank: .flag, ConfigurationProblem(place, "\(shown(flag)) is not KEY=VALUE")))
                continue
            }
            let name = String(flag[..<equals])
            let key = Setting.scalarKey(of: name) ?? name
            let text = String(flag[equals...].dropFirst())
            guard let setting = Setting.named(key) else {
                let problem = ConfigurationProblem(place, key: shown(key), Setting.adviceForUnknown(key))
                found.append(Found(rank: .flag, problem))
                continue
            }
            values[key] = GivenValues.Given(
                content: setting.isList ? .list(listItems(text)) : .scalar(text), place: place, line: 0)
        }
        apply(GivenValues(providerName: place, values: values), rank: .flag)
    }
}

extension [String: String] {
    /// The same with `KIBITZ_WIFI` as `KIBITZ_WIFI_MODE`, where that is not set as well.
    fileprivate func withGroupScalars(prefix: String) -> [String: String] {
        var result = self
        for group in Setting.groups {
            guard let key = Setting.scalarKey(of: group), let value = self["\(prefix)_\(group.uppercased())"] else {
                continue
            }
            result["\(prefix)_\(group.uppercased())"] = nil
            let name = "\(prefix)_\(key.uppercased().replacing(".", with: "_"))"
            if result[name] == nil { result[name] = value }
        }
        return result
    }
}

/// The items of a list in one text, read as the environment provider reads them: commas between, spaces around.
private func listItems(_ text: String) -> [String] {
    func trimmed(_ item: Substring) -> Substring {
        var item = item.drop(while: \.isWhitespace)
        while item.last?.isWhitespace == true { item.removeLast() }
        return item
    }
    return text.split(separator: ",", omittingEmptySubsequences: false).map { String(trimmed($0)) }
}
