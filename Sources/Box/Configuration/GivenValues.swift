import Configuration

/// The values of the file or of the flags, as a snapshot of swift-configuration.
///
/// What it answers as the encoded key is the place where the value stands, so that a lookup tells its source.
struct GivenValues: ConfigSnapshot {
    /// A value and where it stands.
    struct Given: Sendable, Equatable {
        var content: GivenValue
        /// The place of the whole value, as it is shown: `config.yaml:7` or `--set`.
        var place: String
        /// The line of the value, from 1; 0 where there are no lines.
        var line: Int
        /// The column of the value, from 1; 0 where there are no columns.
        var column = 0
        /// The line of each item of a list.
        var itemLines: [Int] = []
    }

    /// What the values come from.
    let providerName: String
    /// The values by key.
    let values: [String: Given]

    /// Looks a value up; a value of another type is none.
    func value(forKey key: AbsoluteConfigKey, type: ConfigType) -> LookupResult {
        let name = key.components.joined(separator: ".")
        guard let given = values[name] else { return LookupResult(encodedKey: name, value: nil) }
        let content: ConfigContent? =
            switch (given.content, type) {
            case (.scalar(let text), .string): .string(text)
            case (.list(let items), .stringArray): .stringArray(items)
            case (.scalar, _), (.list, _): nil
            }
        return LookupResult(encodedKey: given.place, value: content.map { ConfigValue($0, isSecret: false) })
    }
}
