import Configuration

/// Where a value comes from; the larger one wins.
enum SourceRank: Int, Comparable {
    case defaults
    case file
    case environment
    case flag

    static func < (lhs: SourceRank, rhs: SourceRank) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// A problem with what is needed to put it in order.
struct Found {
    var rank: SourceRank
    var line = 0
    var problem: ConfigurationProblem

    init(rank: SourceRank, line: Int = 0, _ problem: ConfigurationProblem) {
        self.rank = rank
        self.line = line
        self.problem = problem
    }
}

/// The settings on the way from defaults to what is in effect: sources are applied from the weakest to the strongest.
struct Resolution {
    private struct Origin {
        var rank: SourceRank
        var place: String
        var line: Int
    }

    private(set) var configuration: BoxConfiguration
    var found: [Found] = []
    private var origins: [String: Origin] = [:]

    init(defaults: BoxConfiguration) {
        configuration = defaults
    }

    /// Puts every value of a source in its place, and notes those that cannot be read.
    mutating func apply(_ source: some ConfigSnapshot, rank: SourceRank) {
        let given = source as? GivenValues
        for setting in Setting.all {
            // What is not there need not be looked up.
            if let given, given.values[setting.key] == nil { continue }
            guard
                let lookup = try? source.value(
                    forKey: setting.absoluteKey, type: setting.isList ? .stringArray : .string),
                let value = lookup.value.flatMap(GivenValue.init)
            else { continue }
            let lines = given?.values[setting.key]
            if let refusal = setting.read(value, &configuration) {
                var line = lines?.line ?? 0
                var place = lookup.encodedKey
                if let item = refusal.item, let itemLines = lines?.itemLines, item < itemLines.count {
                    line = itemLines[item]
                    place = "\(source.providerName):\(line)"
                }
                found.append(
                    Found(rank: rank, line: line, ConfigurationProblem(place, key: setting.key, refusal.explanation)))
            } else {
                origins[setting.key] = Origin(rank: rank, place: lookup.encodedKey, line: lines?.line ?? 0)
            }
        }
    }

    /// Checks what no setting can know alone: other settings, and the files that paths lead to.
    mutating func checkTogether(files: some FileAccess) {
        for rule in Rule.all where !rule.holds(configuration) {
            report(about: rule.keys, rule.explanation(configuration))
        }
        for setting in Setting.all {
            guard let (kind, value) = setting.path, let path = value(configuration) else { continue }
            do {
                try files.check(path, is: kind)
            } catch {
                report(about: [setting.key], "\(shown(path)): \(error)")
            }
        }
    }

    /// Notes a problem of settings that do not go together, at the place of the one that was set last.
    private mutating func report(about keys: [String], _ explanation: String) {
        // A setting with a problem of its own has kept a weaker value, which the owner never meant.
        guard !found.contains(where: { found in keys.contains { $0 == found.problem.key } }) else { return }
        let set = keys.compactMap { key in origins[key].map { (key: key, origin: $0) } }
        let last = set.max { ($0.origin.rank, $0.origin.line) < ($1.origin.rank, $1.origin.line) }
        found.append(
            Found(
                rank: last?.origin.rank ?? .defaults, line: last?.origin.line ?? 0,
                ConfigurationProblem(last?.origin.place ?? "default", key: last?.key ?? keys.first, explanation)))
    }

    /// The result, or everything that is wrong.
    consuming func finish() throws(ConfigurationProblems) -> LoadedConfiguration {
        guard found.isEmpty else {
            let inOrder = found.enumerated().sorted {
                ($0.element.rank, $0.element.line, $0.offset) < ($1.element.rank, $1.element.line, $1.offset)
            }
            throw ConfigurationProblems(problems: inOrder.map(\.element.problem))
        }
        return LoadedConfiguration(configuration: configuration, sources: origins.mapValues(\.place))
    }
}

extension Setting {
    /// The key as swift-configuration has it.
    var absoluteKey: AbsoluteConfigKey {
        AbsoluteConfigKey(key.split(separator: ".").map(String.init))
    }
}

extension GivenValue {
    /// A value that a snapshot of swift-configuration holds; nil for types that no setting asks for.
    fileprivate init?(_ value: ConfigValue) {
        switch value.content {
        case .string(let text): self = .scalar(text)
        // An environment variable without text is an empty list, not a list of one empty item.
        case .stringArray([""]): self = .list([])
        case .stringArray(let items): self = .list(items)
        case .int, .double, .bool, .bytes, .intArray, .doubleArray, .boolArray, .byteChunkArray: return nil
        }
    }
}

/// What must be true of several settings together.
struct Rule {
    let keys: [String]
    let holds: (BoxConfiguration) -> Bool
    let explanation: (BoxConfiguration) -> String

    static var all: [Rule] {
        [
            Rule(
                keys: ["certificate.chain", "certificate.key"],
                holds: { ($0.certificateChain == nil) == ($0.certificateKey == nil) },
                explanation: { "needs certificate.\($0.certificateKey == nil ? "key" : "chain") as well" }),
            Rule(
                keys: ["http.port", "https.port"], holds: { $0.http.port != $0.https.port },
                explanation: { "http.port and https.port are both \($0.http.port)" }),
            Rule(
                keys: ["stun.port", "turn.ports"],
                holds: { !$0.turn.enabled || !$0.turn.ports.contains($0.stun.port) },
                explanation: {
                    "stun.port (\($0.stun.port)) must not be one of turn.ports (\($0.turn.ports.lowerBound)-\($0.turn.ports.upperBound))"
                }),
            Rule(
                keys: ["hub.port", "stun.port"], holds: { !$0.hub.enabled || $0.hub.port != $0.stun.port },
                explanation: { "hub.port and stun.port are both \($0.stun.port)" }),
            Rule(
                keys: ["hub.port", "turn.ports"],
                holds: { configuration in
                    !configuration.hub.enabled || !configuration.turn.enabled
                        || configuration.hub.port.map(configuration.turn.ports.contains) != true
                },
                explanation: {
                    "hub.port (\($0.hub.port ?? 0)) must not be one of turn.ports (\($0.turn.ports.lowerBound)-\($0.turn.ports.upperBound))"
                }),
            Rule(
                keys: ["discovery", "hub.enabled"], holds: { !$0.discovery || $0.hub.enabled },
                explanation: { _ in "discovery needs the hub: hub.enabled is false" }),
            Rule(
                keys: ["direct", "hub.enabled"], holds: { $0.direct == .off || $0.hub.enabled },
                explanation: { _ in "direct needs the hub's port: hub.enabled is false" }),
            Rule(
                keys: ["wifi.mode", "wifi.interface"],
                holds: { $0.wifi.mode != .wired || $0.wifi.interface != nil },
                explanation: { _ in "wifi.mode is wired, so wifi.interface must name the cable's interface" }),
            Rule(
                keys: ["broker.clients", "room.people"], holds: { $0.room.people <= $0.broker.clients },
                explanation: {
                    "room.people (\($0.room.people)) must not be more than broker.clients (\($0.broker.clients))"
                }),
        ] + panel
    }
}
