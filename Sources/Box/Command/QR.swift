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

    /// Pixels for each module of the PNG: a poster printed at 300 dpi is then about 5 cm wide.
    static let pixelsPerModule = 16

    func run() throws {
        let status = try client(state).status()
        guard let link = hub ? status.hubLink.value : status.link else { throw NoHub() }
        let code = try QRCode(text: link)
        if let png { try writeFile(png, code.png(scale: Self.pixelsPerModule)) }
        if let svg { try writeFile(svg, Array(code.svg().utf8)) }
        if png == nil, svg == nil {
            print(code.terminalText(isatty(STDOUT_FILENO) == 1 ? .colors : .plain))
            print(link)
        }
    }

    private func writeFile(_ path: String, _ bytes: [UInt8]) throws {
        guard let file = fopen(path, "w") else {
            throw FileProblem(path: path, reason: String(cString: strerror(errno)))
        }
        let written = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, written == bytes.count else {
            throw FileProblem(path: path, reason: String(cString: strerror(errno)))
        }
    }
}

/// The code of a hub was asked for, and the box has none.
struct NoHub: Error, CustomStringConvertible {
    let description = "this box has no LAN hub; set hub.enabled to true and start it again"
}

/// A file the owner asked for can't be written.
struct FileProblem: Error, CustomStringConvertible {
    let path: String
    let reason: String
    var description: String { "can't write \(path): \(reason)" }
}
