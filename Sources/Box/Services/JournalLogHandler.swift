import Glibc
public import Logging

/// Writes log lines to standard error: with a priority prefix for journald (sd-daemon(3)) when it reads them, with a
/// time of day otherwise.
public struct JournalLogHandler: LogHandler {
    /// The least important level that is written.
    public var logLevel: Logger.Level
    /// Facts added to each line.
    public var metadata: Logger.Metadata = [:]
    private let label: String
    private let forJournal: Bool

    /// Makes a handler.
    /// - Parameters:
    ///   - label: the logger's name, shown in front of each message.
    ///   - level: the least important level that is written.
    public init(label: String, level: Logger.Level) {
        self.label = label
        // journald says so when it is what reads our standard error (systemd.exec(5)).
        forJournal = getenv("JOURNAL_STREAM") != nil
        logLevel = level
    }

    /// One of the facts added to each line.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one line.
    public func log(event: LogEvent) {
        var line = forJournal ? "<\(event.level.priority)>" : "\(Self.timeOfDay()) \(event.level) "
        line += "\(label): \(event.message)"
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(value)" }
        // One line stays one line, whatever a peer put into it.
        line = String(line.map { $0.isNewline ? " " : $0 }) + "\n"
        line.withUTF8 { bytes in
            // One write for each line keeps lines of several threads apart; a full pipe loses it rather than us.
            _ = write(STDERR_FILENO, bytes.baseAddress, bytes.count)
        }
    }

    private static func timeOfDay() -> String {
        var now = time(nil)
        var parts = tm()
        localtime_r(&now, &parts)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }
}

extension Logger.Level {
    /// The syslog priority of the level (RFC 5424, section 6.2.1).
    fileprivate var priority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        @unknown default: 6
        }
    }
}
