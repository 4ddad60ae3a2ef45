public import BoxConfiguration
import BoxState
import Glibc

/// What the command line says about how a box runs.
public struct BoxOptions: Sendable {
    /// The configuration file, or nil for the default one if it is there.
    public var config: String?
    /// The state directory, or nil for the default one.
    public var state: String?
    /// Settings of this run, each `key=value`.
    public var settings: [String]
    /// Whether a person runs the box, or it is the machine's own service: the defaults differ.
    public var role: BoxConfiguration.Role

    /// Makes options.
    public init(
        config: String? = nil, state: String? = nil, settings: [String] = [], role: BoxConfiguration.Role = .person
    ) {
        self.config = config
        self.state = state
        self.settings = settings
        self.role = role
    }

    /// Reads the configuration these options lead to.
    /// - Throws: all that is wrong with it, at once.
    public func loadConfiguration() throws(ConfigurationProblems) -> LoadedConfiguration {
        try ConfigurationLoader.load(
            file: config, environment: processEnvironment(), flags: settings, defaults: BoxConfiguration(for: role))
    }
}

/// There is no place for the state.
public struct NoStateDirectory: Error, CustomStringConvertible {
    /// What is wrong, and what to do about it.
    public let description = "neither XDG_STATE_HOME nor HOME is set; name a state directory with --state"
}

/// The state directory the options name, or else the default one of this user.
/// - Throws: ``NoStateDirectory``.
public func stateDirectoryPath(_ named: String?) throws(NoStateDirectory) -> String {
    if let named { return named }
    guard let path = StateDirectory.defaultPath(userID: geteuid(), environment: processEnvironment()) else {
        throw NoStateDirectory()
    }
    return path
}

/// The environment of this process.
func processEnvironment() -> [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
        let pair = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if pair.count == 2 { variables[String(pair[0])] = String(pair[1]) }
        entry += 1
    }
    return variables
}
