import ArgumentParser
import Box
import BoxConfiguration

/// `kibitz-local config`: the settings in effect.
struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints every setting's value in effect, and where it comes from.")

    @OptionGroup var settings: SettingOptions
    @Flag(help: "Prints a configuration file with every setting, explained.")
    var sample = false

    func run() throws {
        let options = settings.options(state: nil)
        if sample {
            print(ConfigurationLoader.sample(of: BoxConfiguration(for: options.role)), terminator: "")
        } else {
            print(try options.loadConfiguration().listing, terminator: "")
        }
    }
}
