import ArgumentParser
import Box

/// `kibitz-local wifi`: the box's own Wi-Fi.
struct WiFiCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wifi",
        abstract: "Shows the box's own Wi-Fi: radio, channel, the phones on it, and why one was refused.")

    @OptionGroup var state: StateOption
    @Flag(help: "Prints one JSON object instead of text.")
    var json = false

    func run() throws {
        let wifi = try client(state).wifi()
        print(json ? wifi.json : wifi.text)
    }
}
