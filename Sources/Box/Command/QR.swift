import ArgumentParser
import Box
import Glibc
import QRCode

/// `kibitz-local qr`: the join QR, as text or as a picture.
struct QR: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "qr", abstract: "Shows the join QR in the terminal, or writes it to a file.")

    @OptionGroup var state: StateOption
    @Option(help: "Writes the QR as a PNG picture.", completion: .file(extensions: ["png"]))
    var png: String?
    @Option(help: "Writes the QR as an SVG drawing.", completion: .file(extensions: ["svg"]))
    var svg: String?

    @Flag(help: "The code of the LAN hub, which joins by Kibitz's hosted page, instead of the box's own.")
    var hub = false

    @Flag(help: "The code of the box's own Wi-Fi, which a phone scans first.")
    var wifi = false

    /// Pixels for each module of the PNG: a poster printed at 300 dpi is then about 5 cm wide.
    static let pixelsPerModule = 16

    func validate() throws {
        if hub, wifi { throw ValidationError("--hub and --wifi are different codes; ask for one of them.") }
    }

    func run() throws {
        let status = try client(state).status()
        let text: String
        let caption: String
        if wifi {
            guard let network = status.wifi.value else { throw NoWiFi() }
            text = network.code
            caption = "Wi-Fi       \(network.ssid)\nPassphrase  \(network.passphrase)"
        } else {
            guard let link = hub ? status.hubLink.value : status.link else { throw NoHub() }
            text = link
            caption = link
        }
        let code = try QRCode(text: text)
        if let png { try writeFile(png, code.png(scale: Self.pixelsPerModule)) }
        if let svg { try writeFile(svg, Array(code.svg().utf8)) }
        if png == nil, svg == nil {
            print(code.terminalText(isatty(STDOUT_FILENO) == 1 ? .colors : .plain))
            print(caption)
        }
    }
}

/// The code of a hub was asked for, and the box has none.
struct NoHub: Error, CustomStringConvertible {
    let description = "this box has no LAN hub; set hub.enabled to true and start it again"
}

/// The code of a Wi-Fi was asked for, and the box makes none.
struct NoWiFi: Error, CustomStringConvertible {
    let description =
        "this box makes no Wi-Fi of its own at present; 'kibitz-local status' and the setting wifi.mode say why"
}

/// A file the owner asked for can't be written.
struct FileProblem: Error, CustomStringConvertible {
    let path: String
    let reason: String
    var description: String { "can't write \(path): \(reason)" }
}
