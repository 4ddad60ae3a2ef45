import ArgumentParser
import Box
import Glibc

/// `kibitz-local reset`: the box as it was when it was new.
struct Reset: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes the box as it was when it was new: its keys, codes, certificates and Wi-Fi names are removed.",
        discussion:
            "The configuration file stays. A box that runs ends; the machine's own service begins anew by itself.")

    @OptionGroup var settings: SettingOptions
    @OptionGroup var state: StateOption
    @Flag(help: "Does not ask.")
    var yes = false

    func run() throws {
        if !yes { try ask() }
        let wasRunning = try resetBox(settings.options(state: state.state))
        print("The box is as it was when it was new. Printed codes and links of before are worth nothing any more.")
        if wasRunning { print("It ends now; the machine's own service begins anew within some seconds.") }
    }

    private func ask() throws {
        guard isatty(STDIN_FILENO) == 1 else { throw NotAsked() }
        print(
            "Every code, link and certificate of this box stops working, also printed ones. Type yes to go on: ",
            terminator: "")
        fflush(nil)
        guard readLine()?.lowercased() == "yes" else {
            print("Nothing was changed.")
            throw ExitCode.failure
        }
    }
}

/// Nobody is there to answer the question.
struct NotAsked: Error, CustomStringConvertible {
    let description = "this removes everything the box keeps, and nobody can be asked here; say --yes if it is wanted"
}
