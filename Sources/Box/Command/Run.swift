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

    func run() async throws { try await Self.open(settings.options(state: state.state)) }

    /// Understands `run` with its own options, each word apart.
    /// - Returns: nil where there is anything else, which is for ``KibitzLocal`` to find out.
    static func plain(_ arguments: ArraySlice<String>) -> BoxOptions? {
        guard arguments.first == "run" else { return nil }
        var rest = arguments.dropFirst()
        var options = BoxOptions()
        while let name = rest.popFirst() {
            if name == "--service" {
                options.role = .service
                continue
            }
            guard let value = rest.popFirst(), !value.isEmpty, !value.hasPrefix("-") else { return nil }
            switch name {
            case "--config": options.config = value
            case "--state": options.state = value
            case "--set": options.settings.append(value)
            default: return nil
            }
        }
        return options
    }

    /// Opens the room.
    static func open(_ options: BoxOptions) async throws {
        let loaded: LoadedConfiguration
        do {
            loaded = try options.loadConfiguration()
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
            configuration: loaded.configuration, state: try stateDirectoryPath(options.state),
            configurationFile: options.config, logger: Logger(label: "kibitz-local"))
    }

    /// Sockets are files: takes as many as the system allows, where a shell's soft limit is often 1024.
    private static func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
