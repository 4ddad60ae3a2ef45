extension QRCode {
    /// How a terminal is told the colours.
    public enum TerminalStyle: Sendable {
        /// Black on white by ANSI escape sequences: scans on dark and on light terminals.
        case colors
        /// No escape sequences; dark modules are drawn, so it scans where the background is light (a file, paper).
        case plain
    }

    /// Draws the code with half blocks, two modules above each other in a character; every line ends in a newline.
    /// - Parameters:
    ///   - style: whether to set the colours.
    ///   - quietZone: the light border around the symbol.
    public func terminalText(_ style: TerminalStyle, quietZone: QuietZone = .standard) -> String {
        // Colours 16 and 231 of the 256-colour palette are true black and white; the first sixteen are whatever
        // the terminal's theme makes of them.
        let (start, end) =
            switch style {
            case .colors: ("\u{1B}[38;5;16;48;5;231m", "\u{1B}[0m")
            case .plain: ("", "")
            }
        let range = -quietZone.rawValue..<size + quietZone.rawValue
        var text = ""
        for y in stride(from: range.lowerBound, to: range.upperBound, by: 2) {
            text += start
            for x in range {
                switch (isDark(x, y), isDark(x, y + 1)) {
                case (true, true): text += "█"
                case (true, false): text += "▀"
                case (false, true): text += "▄"
                case (false, false): text += " "
                }
            }
            text += end + "\n"
        }
        return text
    }
}
