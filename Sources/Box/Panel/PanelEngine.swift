import Glibc
import NIOCore
import Raster
import SansIO
import Screens

/// What the panel shows at present. Everything happens on the panel's event loop.
///
/// Nothing runs while nothing changes, but for the turning of pages where the codes have no room beside each other.
final class PanelEngine {
    /// From one picture to the next where only the people in the room have changed.
    static let pause = TimeAmount.milliseconds(250)
    /// From a picture that could not be made to the next trial, at first and at last, in seconds.
    private static let retryDelays = 5...60

    private let surface: any PanelSurface
    private let loop: any EventLoop
    /// Draws one of a screen's pictures, and says how many there are.
    private let draw: (Screen, Int) throws -> (picture: Picture, pages: Int)

    /// What is to be shown.
    private(set) var screen: Screen?
    private(set) var page = 0
    /// How many pictures it takes, shown in turn.
    private var pages = 1
    /// Pictures that were handed over.
    private(set) var count = 0
    /// Whether a person waits for what comes next.
    private var isAwaited = false
    private var hasShownCodes = false
    /// Seconds until a picture that failed is tried again.
    private var retryDelay = retryDelays.lowerBound
    private var shown: Screen?
    private var shownAt = NIODeadline.uptimeNanoseconds(0)
    private var drawing: Scheduled<Void>?
    /// When ``drawing`` is due.
    private var due: NIODeadline?
    private var turning: Scheduled<Void>?
    /// From the start of the process to the first codes that were handed over.
    private(set) var firstCodes: Duration?
    private var hasFinished = false
    /// The last picture that was asked for, as a PNG file: pages ask for it again and again.
    private var file: (screen: Screen, page: Int, format: PictureFormat?, octets: [UInt8])?

    init(
        surface: any PanelSurface, loop: any EventLoop,
        draw: @escaping (Screen, Int) throws -> (picture: Picture, pages: Int)
    ) {
        self.surface = surface
        self.loop = loop
        self.draw = draw
    }

    /// What is wrong with the panel.
    var trouble: PanelTrouble? { surface.trouble }

    func start() { surface.start() }

    /// Shows the first screen, or what most likely comes next; not where that would stay: an e-paper would wear in a box that
    /// fails at each start, and lines at a terminal can't be taken back.
    func begin(_ screen: Screen, early: Screen?) {
        show(surface.keepsPicture ? screen : early ?? screen)
    }

    /// Shows a screen: at once, or with others of its kind a little later.
    func show(_ screen: Screen) {
        guard !hasFinished, screen != self.screen else { return }
        // One after another of those that may pass is one wait.
        let begun = screen.mayPass && self.screen?.mayPass == true ? due : nil
        self.screen = screen
        if screen.isCausedByAPerson || !hasShownCodes { isAwaited = true }
        cancelDrawing()
        guard screen != shown || hasFailed else { return }
        if let patience = surface.pace.patience(screen) {
            let end = loop.now + .nanoseconds(patience.wholeNanoseconds)
            handOver(at: min(begun ?? end, end))
        } else if screen.isOther(than: shown) {
            handOver()
        } else {
            handOver(at: max(loop.now, shownAt + Self.pause))
        }
    }

    private func cancelDrawing() {
        drawing?.cancel()
        (drawing, due) = (nil, nil)
    }

    private func handOver(at time: NIODeadline) {
        due = time
        drawing = loop.assumeIsolated().scheduleTask(deadline: time) { [weak self] in self?.handOver() }
    }

    /// Waits until the present screen is to be seen, then lets the panel rest.
    /// - Parameters:
    ///   - reading: how long it is left to be read on a panel that can't keep it.
    ///   - done: called once.
    func finish(reading: Duration = .zero, _ done: @escaping () -> Void) {
        hasFinished = true
        // What may pass is no news any more.
        if drawing != nil, screen?.mayPass != true { handOver() }
        cancelDrawing()
        turning?.cancel()
        turning = nil
        guard reading > .zero, !surface.keepsPicture, surface.trouble == nil else { return surface.finish(done) }
        loop.assumeIsolated().scheduleTask(in: .nanoseconds(reading.wholeNanoseconds)) { [surface] in
            surface.finish(done)
        }
    }

    private func handOver() {
        cancelDrawing()
        guard let screen else { return }
        let isOther = screen.isOther(than: shown)
        // Somebody may be about to scan the page that is shown.
        if isOther { page = 0 }
        handOver(screen, isAwaited: isAwaited)
        if case .room = screen { hasShownCodes = true }
        // What comes behind it by itself has time.
        if !screen.isCausedByAPerson { isAwaited = false }
        shown = screen
        shownAt = loop.now
        if pages == 1 {
            turning?.cancel()
            turning = nil
        } else if turning == nil || isOther {
            turnLater()
        }
    }

    private func turnLater() {
        turning?.cancel()
        turning = loop.assumeIsolated().scheduleTask(in: .nanoseconds(surface.pace.pageTime.wholeNanoseconds)) {
            [weak self] in
            guard let self, let shown else { return }
            page = (page + 1) % pages
            handOver(shown, isAwaited: false)
            turnLater()
        }
    }

    private func handOver(_ screen: Screen, isAwaited: Bool) {
        // A surface of words takes no picture.
        pages = 1
        surface.show(screen, awaited: isAwaited) {
            let drawn = try draw(screen, page)
            pages = drawn.pages
            return drawn.picture
        }
        page %= pages
        count += 1
        if !hasFailed {
            retryDelay = Self.retryDelays.lowerBound
        } else if !hasFinished {
            // Letters that were missing may be installed; nobody says when.
            if drawing == nil { handOver(at: loop.now + .seconds(Int64(retryDelay))) }
            retryDelay = min(retryDelay * 2, Self.retryDelays.upperBound)
        }
        guard firstCodes == nil, surface.trouble == nil, case .room = screen else { return }
        firstCodes = timeSinceStart()
    }

    /// Whether the last picture could not be made.
    private var hasFailed: Bool { surface.trouble?.kind == .font }

    /// Draws the present screen once more, for a panel that was not there.
    func showAgain() { handOver() }

    /// The present picture as a PNG file; nil: there is none yet. Drawn once for each screen and page.
    func picture() throws -> [UInt8]? {
        guard let screen else { return nil }
        let page = screen == shown ? page : 0
        if let file, file.screen == screen, file.page == page, file.format == surface.format { return file.octets }
        let octets = try draw(screen, page).picture.png()
        file = (screen, page, surface.format, octets)
        return octets
    }

    /// From the start of the process until now, to a hundredth of a second (proc(5), `starttime`).
    private func timeSinceStart() -> Duration? {
        guard let text = smallFile("/proc/self/stat"),
            // The name of the program, in parentheses, may hold anything.
            let fields = text.split(separator: ")").last?.split(separator: " "), fields.count > 19,
            let ticks = Int64(fields[19])
        else { return nil }
        var now = timespec()
        clock_gettime(CLOCK_BOOTTIME, &now)
        let start = Duration.milliseconds(ticks * 1000 / Int64(sysconf(Int32(_SC_CLK_TCK))))
        return .seconds(now.tv_sec) + .nanoseconds(now.tv_nsec) - start
    }
}

extension Screen {
    /// Whether a person has caused it, and waits for it and for what comes behind it.
    fileprivate var isCausedByAPerson: Bool {
        switch self {
        case .room, .trouble, .starting: false
        case .rotating, .updating, .holding, .holdingOn, .resetting, .shuttingDown, .off, .stopped: true
        }
    }

    /// Whether it says something else than `former`: everything but who is in the room.
    fileprivate func isOther(than former: Screen?) -> Bool {
        guard case .room(let room) = self, case .room(let before)? = former else { return true }
        return room.wifi != before.wifi || room.link != before.link || room.name != before.name
    }
}

/// The text of a file of a few hundred octets; nil: it can't be read.
func smallFile(_ path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var octets = [UInt8](repeating: 0, count: 1024)
    let count = read(file, &octets, octets.count)
    return count > 0 ? String(decoding: octets[..<count], as: UTF8.self) : nil
}
