import ArgumentParser
import Box
import BoxConfiguration
import Logging

/// `kibitz-local run`: the box itself.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Opens the room, until it is stopped by Ctrl-C.")

    @OptionGroup var settings: SettingOptions
    @OptionGroup var state: StateOption

    func run() async throws {
        let loaded = try settings.options(state: state.state).loadConfiguration()
        let level = Logger.Level(rawValue: loaded.configuration.log.level.rawValue) ?? .info
        LoggingSystem.bootstrap { JournalLogHandler(label: $0, level: level) }
        let box = try Box(
            configuration: loaded.configuration, state: try stateDirectoryPath(state.state),
            logger: Logger(label: "kibitz-local"))
        try await box.run()
    }
}
