/// One thing that is wrong in what the owner set.
public struct ConfigurationProblem: Sendable, Equatable, CustomStringConvertible {
    /// Where: `/etc/kibitz-local/config.yaml:7`, the name of an environment variable, or `--set`.
    public let place: String
    /// The key it is about, such as `http.port`; nil when it is about none.
    public let key: String?
    /// What is wrong and what may stand there instead.
    public let explanation: String

    init(_ place: String, key: String? = nil, _ explanation: String) {
        self.place = place
        self.key = key
        self.explanation = explanation
    }

    /// The whole problem as one line.
    public var description: String {
        key.map { "\(place): \($0): \(explanation)" } ?? "\(place): \(explanation)"
    }
}

/// Everything that is wrong in what the owner set, found in one go.
public struct ConfigurationProblems: Error, Sendable, Equatable, CustomStringConvertible {
    /// The problems: of the file in the order of its lines, then of the environment, then of the flags.
    public let problems: [ConfigurationProblem]

    /// One line for each problem.
    public var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}
