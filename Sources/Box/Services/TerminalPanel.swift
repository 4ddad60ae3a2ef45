import Glibc
import QRCode

/// Shows the join QR and the link on standard output: the panel of a box that runs in a terminal.
struct TerminalPanel: Sendable {
    /// Whether standard output is a terminal that shows colours; else the QR is drawn dark on light, as for paper.
    let colors = isatty(STDOUT_FILENO) == 1

    /// Draws the codes: two steps where the box makes the Wi-Fi, else only the room's.
    /// - Parameters:
    ///   - wifi: the box's own Wi-Fi, or nil where it makes none.
    ///   - link: what the room's QR holds.
    ///   - room: the room's name.
    ///   - troubles: what is wrong, as sentences without a capital and a full stop.
    ///   - reason: why it is drawn again, or nil the first time.
    func show(wifi: Status.WiFi?, link: JoinLink, room: String, troubles: [String], reason: String? = nil) {
        var text = text(wifi: wifi, link: link.description, room: room, troubles: troubles, reason: reason)
        text.withUTF8 { _ = write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    }

    func text(wifi: Status.WiFi?, link: String, room: String, troubles: [String], reason: String?) -> String {
        var text = ""
        if let reason { text += "\n\(reason)\n" }
        if let wifi {
            text += "\nStep 1: scan this to join the Wi-Fi:\n\n\(code(wifi.code))"
            text += "\n  Wi-Fi       \(wifi.ssid)\n  Passphrase  \(wifi.passphrase)\n"
            text += "\nStep 2: scan this to join \(room):\n\n"
        } else {
            text += "\nScan this to join \(room):\n\n"
        }
        text += "\(code(link))\n  \(link)\n\n"
        for trouble in troubles { text += "\(sentence(trouble))\n" }
        return troubles.isEmpty ? text : text + "\n"
    }

    private func sentence(_ words: String) -> String {
        words.prefix(1).uppercased() + words.dropFirst() + (words.last == "." ? "" : ".")
    }

    private func code(_ text: String) -> String {
        (try? QRCode(text: text))?.terminalText(colors ? .colors : .plain) ?? ""
    }
}
