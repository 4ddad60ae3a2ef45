import Glibc
import QRCode
import Raster
import Screens

/// Shows the codes and the link on standard output: the panel of a box that runs in a terminal.
final class TerminalSurface: PanelSurface {
    var format: PictureFormat? { nil }
    var pace: PanelPace { .quick }
    var trouble: PanelTrouble? { nil }

    private let words: ScreenText
    private var last: Screen?

    init(texts: Texts) {
        // Else the codes are drawn dark on light, as for paper.
        words = ScreenText(texts, colors: isatty(STDOUT_FILENO) == 1)
    }

    func start() {}

    func show(_ screen: Screen, awaited: Bool, picture: () throws -> Picture) {
        // Lines can't be taken back: who comes and goes would push the codes off the terminal.
        if case .room(var room) = screen {
            room.people = RoomScreen.People(count: 0, healthy: 0)
            guard last != .room(room) else { return }
            last = .room(room)
        } else {
            guard last != screen else { return }
            last = screen
        }
        var rest = words.text(of: screen).utf8[...]
        while !rest.isEmpty {
            let count = Array(rest).withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    func finish(_ done: @escaping () -> Void) { done() }
}

/// A screen in words, for terminals.
struct ScreenText {
    private let texts: Texts
    private let style: QRCode.TerminalStyle

    /// - Parameter colors: whether the terminal shows colours.
    init(_ texts: Texts, colors: Bool) {
        self.texts = texts
        style = colors ? .colors : .plain
    }

    /// The screen in lines; the codes are drawn with blocks.
    func text(of screen: Screen) -> String {
        let (title, advice): (String, String) =
            switch screen {
            case .room(let room): (text(of: room), "")
            case .starting: (texts[.starting], texts[.startingAdvice])
            case .rotating: (texts[.rotating], texts[.rotatingAdvice])
            case .updating: (texts[.updating], texts[.updatingAdvice])
            case .trouble(let trouble): texts.trouble(trouble)
            case .holding(let seconds): ("\(texts[.holdToShutDown]): \(seconds).", texts[.letGoToCancel])
            case .holdingOn(let seconds): ("\(texts[.holdToReset]): \(seconds).", texts[.letGoToShutDown])
            case .resetting: (texts[.resetting], texts[.resettingAdvice])
            case .shuttingDown: (texts[.shuttingDown], texts[.shuttingDownAdvice])
            case .off: (texts[.off], texts[.offAdvice])
            case .stopped: (texts[.stopped], texts[.stoppedAdvice])
            }
        return advice.isEmpty ? "\n\(title)\n" : "\n\(sentence(title)) \(advice)\n"
    }

    private func text(of room: RoomScreen) -> String {
        var text = ""
        if let wifi = room.wifi {
            let width = max(texts[.network].count, texts[.password].count)
            text += "1. \(texts[.joinWiFi])\n\n\(code(wifi.code))\n"
            for (label, value) in [(texts[.network], wifi.ssid), (texts[.password], wifi.passphrase)] {
                text += "  \(label)\(String(repeating: " ", count: width - label.count))  \(value)\n"
            }
            text += "\n2. \(texts[.openRoom]): \(room.name)\n"
        } else {
            text += "\(texts[.scanToJoin]): \(room.name)\n"
        }
        text += "\n\(code(room.link))\n  \(room.link)\n"
        if let full = room.full { text += "\n\(sentence(texts.full(full))) \(texts[.fullAdvice])" }
        for trouble in room.troubles {
            let (words, advice) = texts.trouble(trouble)
            text += "\n\(advice.isEmpty ? words : "\(sentence(words)) \(advice)")"
        }
        return room.full == nil && room.troubles.isEmpty ? text : text + "\n"
    }

    /// A title as a sentence of its own.
    private func sentence(_ title: String) -> String {
        title.last.map { ".…!?".contains($0) } == true ? title : title + "."
    }

    private func code(_ text: String) -> String {
        (try? QRCode(text: text))?.terminalText(style) ?? ""
    }
}
