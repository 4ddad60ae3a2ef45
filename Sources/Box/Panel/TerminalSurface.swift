import Glibc
import NIOCore
import QRCode
import Raster
import Screens

/// Shows the codes and the link on standard output: the panel of a box that runs in a terminal.
final class TerminalSurface: PanelSurface {
    var format: PictureFormat? { nil }
    var pace: PanelPace { .quick }
    var keepsPicture: Bool { true }
    var trouble: PanelTrouble? { nil }

    /// From one try to the next where a terminal takes nothing: it was halted (Ctrl-S), or nobody reads.
    private static let retryDelay = TimeAmount.milliseconds(100)
    /// How long the last screen waits for such a terminal.
    private static let finishDelay = TimeAmount.seconds(1)

    private let words: ScreenText
    private let output: PatientOutput
    private let loop: any EventLoop
    private var last: Screen?
    /// What is left of the screen that is being written, and the one behind it.
    private var rest: ArraySlice<UInt8> = []
    private var next: [UInt8]?
    private var retry: Scheduled<Void>?
    private var onWritten: (() -> Void)?

    /// - Parameter descriptor: where it writes.
    init(texts: Texts, loop: any EventLoop, descriptor: CInt = STDOUT_FILENO) {
        // Else the codes are drawn dark on light, as for paper.
        words = ScreenText(texts, colors: isatty(descriptor) == 1)
        output = PatientOutput(descriptor)
        self.loop = loop
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
        // One that nobody has seen is not worth its lines any more.
        next = Array(words.text(of: screen).utf8)
        write()
    }

    private func write() {
        retry?.cancel()
        retry = nil
        while !rest.isEmpty || next != nil {
            if rest.isEmpty {
                rest = (next ?? [])[...]
                next = nil
            }
            switch output.write(rest) {
            case .some(let count): rest = rest.dropFirst(count)
            case .none:
                retry = loop.assumeIsolated().scheduleTask(in: Self.retryDelay) { [weak self] in self?.write() }
                return
            }
        }
        onWritten?()
        onWritten = nil
    }

    func finish(_ done: @escaping () -> Void) {
        guard retry != nil else { return done() }
        onWritten = done
        loop.assumeIsolated().scheduleTask(in: Self.finishDelay) { [weak self] in
            self?.onWritten?()
            self?.onWritten = nil
        }
    }
}

/// Writes to a descriptor that others share, and never waits for who reads.
final class PatientOutput {
    private let descriptor: CInt
    private let kind: mode_t
    /// The same terminal or pipe, opened once more: whether its writes wait is then this program's affair alone.
    private let own: CInt

    init(_ descriptor: CInt) {
        var status = stat()
        fstat(descriptor, &status)
        kind = status.st_mode & S_IFMT
        self.descriptor = descriptor
        own =
            kind == S_IFIFO || kind == S_IFCHR
            ? open("/proc/self/fd/\(descriptor)", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1
    }

    deinit { if own >= 0 { close(own) } }

    /// Writes what is taken at once.
    /// - Returns: how many octets need no further try, all of them when nobody can ever read them; nil: none is taken now.
    func write(_ octets: ArraySlice<UInt8>) -> Int? {
        while true {
            let count = octets.withUnsafeBytes { octets in
                if own >= 0 { return Glibc.write(own, octets.baseAddress, octets.count) }
                if kind == S_IFSOCK {
                    return send(
                        descriptor, octets.baseAddress, octets.count,
                        Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
                }
                // A terminal of somebody else's, which could not be opened: a few octets, where it has room. A file takes all.
                guard kind == S_IFCHR || kind == S_IFIFO else {
                    return Glibc.write(descriptor, octets.baseAddress, octets.count)
                }
                var ask = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                guard poll(&ask, 1, 0) > 0 else {
                    errno = EAGAIN
                    return -1
                }
                return Glibc.write(descriptor, octets.baseAddress, min(octets.count, 64))
            }
            if count > 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN: return nil
            default: return octets.count
            }
        }
    }
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
