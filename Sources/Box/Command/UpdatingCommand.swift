import ArgumentParser
import Box
import Glibc

/// `kibitz-local updating`: an updater, while the panel says that the box has to stay plugged in.
struct Updating: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs an updater. Until it ends, the panel says that the box has to stay plugged in.",
        discussion: "For example: kibitz-local updating -- apt-get upgrade --yes")

    @OptionGroup var state: StateOption
    @Argument(parsing: .postTerminator, help: "The program and its arguments, behind two dashes.")
    var program: [String] = []

    func validate() throws {
        if program.isEmpty { throw ValidationError("Say behind two dashes which program is to be run.") }
    }

    func run() throws {
        // This process becomes the updater; the box sees the connection close when that has ended, however it did.
        // Nobody's update fails because a panel does not tell of it.
        do { _ = try client(state).updating() } catch {
            var words = "The panel does not tell of the update: \(error)\n"
            words.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
        }
        var arguments = program.map { strdup($0) } + [nil]
        execvp(program[0], &arguments)
        throw NotStarted(program: program[0], code: errno)
    }
}

/// A program that could not be started.
struct NotStarted: Error, CustomStringConvertible {
    var program: String
    var code: Int32

    var description: String { "\(program) could not be started: \(String(cString: strerror(code)))" }
}
