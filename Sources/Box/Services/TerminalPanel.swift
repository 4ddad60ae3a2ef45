import Glibc
import QRCode

/// Shows the join QR and the link on standard output: the panel of a box that runs in a terminal.
struct TerminalPanel: Sendable {
    /// Whether standard output is a terminal that shows colours; else the QR is drawn dark on light, as for paper.
    let colors = isatty(STDOUT_FILENO) == 1

    /// Draws the codes.
    /// - Parameters:
    ///   - link: what the QR holds.
    ///   - room: the room's name.
    ///   - reason: why it is drawn again, or nil the first time.
    func show(link: JoinLink, room: String, reason: String? = nil) {
        var text = ""
        if let reason { text += "\n\(reason)\n" }
        text += "\nScan this to join \(room):\n\n"
        if let code = try? QRCode(text: link.description) {
            text += code.terminalText(colors ? .colors : .plain)
        }
        text += "\n  \(link)\n\n"
        text.withUTF8 { _ = write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    }
}
