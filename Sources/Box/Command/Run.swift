import ArgumentParser
import Box
import BoxConfiguration
import Glibc
import Logging

/// `kibitz-local run`: the box itself.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Opens the room, until it is stopped by Ctrl-C.")

    @OptionGroup var settings: SettingOptions
    @OptionGroup var state: StateOption

    init() {}

    /// Understands `run` with its own options, each word apart.
    /// - Returns: nil where there is anything else, which is for ``KibitzLocal`` to find out.
    init?(plain arguments: ArraySlice<String>) {
        guard arguments.first == "run" else { return nil }
        var rest = arguments.dropFirst()
        var settings = SettingOptions()
        (settings.config, settings.settings, settings.service) = (nil, [], false)
        var state = StateOption()
        state.state = nil
        while let name = rest.popFirst() {
            if name == "--service" {
                settings.service = true
                continue
            }
            guard let value = rest.popFirst(), !value.isEmpty, !value.hasPrefix("-") else { return nil }
            switch name {
            case "--config": settings.config = value
            case "--state": state.state = value
            case "--set": settings.settings.append(value)
            default: return nil
            }
        }
        self.settings = settings
        self.state = state
    }

    func run() async throws {
        let loaded: LoadedConfiguration
        do {
            loaded = try settings.options(state: state.state).loadConfiguration()
        } catch {
            // EX_CONFIG of sysexits(3): the unit does not start it again until somebody has mended the settings.
            var text = error.description + "\n"
            text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
            throw ExitCode(78)
        }
        raiseFileLimit()
        let level = Logger.Level(rawValue: loaded.configuration.log.level.rawValue) ?? .info
        LoggingSystem.bootstrap { JournalLogHandler(label: $0, level: level) }
        try await Box.run(
            configuration: loaded.configuration, state: try stateDirectoryPath(state.state),
            configurationFile: settings.config, logger: Logger(label: "kibitz-local"))
    }

    /// Sockets are files: takes as many as the system allows, where a shell's soft limit is often 1024.
    private func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
