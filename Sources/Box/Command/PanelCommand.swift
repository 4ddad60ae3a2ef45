import ArgumentParser
import Box
import Glibc

/// `kibitz-local panel`: what the panel shows.
struct PanelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "panel", abstract: "Shows in the terminal what the panel shows, or writes its picture to a file.")

    @OptionGroup var state: StateOption
    @Option(help: "Writes the panel's picture as a PNG file.", completion: .file(extensions: ["png"]))
    var png: String?

    func run() throws {
        let picture = try client(state).panel()
        if let png {
            try writeFile(png, picture.png)
        } else {
            print(isatty(STDOUT_FILENO) == 1 ? picture.colored : picture.plain, terminator: "")
        }
    }
}

/// Writes a file for the owner.
/// - Throws: ``FileProblem``.
func writeFile(_ path: String, _ bytes: [UInt8]) throws {
    guard let file = fopen(path, "w") else {
        throw FileProblem(path: path, reason: String(cString: strerror(errno)))
    }
    let written = fwrite(bytes, 1, bytes.count, file)
    guard fclose(file) == 0, written == bytes.count else {
        throw FileProblem(path: path, reason: String(cString: strerror(errno)))
    }
}
