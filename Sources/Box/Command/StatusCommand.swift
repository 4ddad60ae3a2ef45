import ArgumentParser
import Box

/// `kibitz-local status`: what the running box does at present.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows the people in the room, their links, and the traffic.")

    @OptionGroup var state: StateOption
    @Flag(help: "Prints one JSON object instead of text.")
    var json = false

    func run() throws {
        let status = try client(state).status()
        print(json ? status.json : status.text)
    }
}

/// `kibitz-local rotate`: new credentials for the room.
struct Rotate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes a new room code: everyone is sent out, and old links and QR codes stop working.")

    @OptionGroup var state: StateOption

    func run() throws {
        let status = try client(state).rotate()
        print("New codes are valid, generation \(status.room.generation). The join link is now:")
        print(status.link)
    }
}

/// A client of the box that runs with this state directory.
func client(_ option: StateOption) throws -> ControlClient {
    ControlClient(state: try stateDirectoryPath(option.state))
}
