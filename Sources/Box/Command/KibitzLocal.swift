import ArgumentParser
import Box
import BoxConfiguration
import CLinux

@main
struct KibitzLocal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kibitz-local",
        abstract: "A video room on the local network: no internet, no account, no app.",
        version: boxVersion,
        subcommands: [
            Run.self, StatusCommand.self, WiFiCommand.self, PanelCommand.self, QR.self, Rotate.self, Reset.self,
            Updating.self, DoctorCommand.self, Config.self,
        ])

    static func main() async {
        CLinux_prepareHeap()
        // To find out what a command line means takes longer than all else of a start; this one a machine gives at each.
        guard let options = Run.plain(CommandLine.arguments.dropFirst()) else { return await main(nil) }
        do {
            try await Run.open(options)
        } catch {
            exit(withError: error)
        }
    }
}

/// Where the running box keeps its state; how the commands find it.
struct StateOption: ParsableArguments {
    @Option(help: "The state directory.", completion: .directory)
    var state: String?
}

/// Where settings come from.
struct SettingOptions: ParsableArguments {
    @Option(
        help: "The configuration file (default: \(ConfigurationLoader.defaultPath), if it is there).",
        completion: .file(extensions: ["yaml"]))
    var config: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Sets one key for this run; may be given several times.", valueName: "key=value"))
    var settings: [String] = []

    @Flag(help: "The box is this machine's own service: ports 80 and 443, no codes in the terminal.")
    var service = false

    func options(state: String?) -> BoxOptions {
        BoxOptions(config: config, state: state, settings: settings, role: service ? .service : .person)
    }
}
