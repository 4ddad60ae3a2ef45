import Glibc
import NIOCore
import Raster
import Screens

/// A PNG file that always holds the present picture, whole: readers never see half of one.
final class PictureFile: PanelSurface {
    let format: PictureFormat?
    var pace: PanelPace { .quick }
    var keepsPicture: Bool { true }
    private(set) var trouble: PanelTrouble? {
        didSet { if trouble != oldValue { onTrouble() } }
    }

    private let path: String
    /// The codes are in it.
    private let mode: mode_t
    private let loop: any EventLoop
    private let onTrouble: () -> Void
    private var retry: Scheduled<Void>?

    /// From one try to the next where the file can't be written: a disk that was full has room again.
    private static let retryDelay = TimeAmount.seconds(5)

    /// - Parameters:
    ///   - mode: who may read it.
    ///   - onTrouble: called when ``trouble`` has changed.
    init(path: String, mode: mode_t, format: PictureFormat, loop: any EventLoop, onTrouble: @escaping () -> Void) {
        self.path = path
        self.mode = mode
        self.format = format
        self.loop = loop
        self.onTrouble = onTrouble
    }

    func start() {}

    func show(_ screen: Screen, awaited: Bool, picture: () throws -> Picture) {
        retry?.cancel()
        do { store(try picture().png()) } catch { trouble = PanelTrouble(.font, "\(error)") }
    }

    private func store(_ octets: [UInt8]) {
        let code = write(octets)
        guard code != 0 else { return trouble = nil }
        let advice =
            switch code {
            case ENOSPC, EDQUOT: "free some space"
            case EROFS: "correct panel.path, or let the service write there (ReadWritePaths= of kibitz-local.service)"
            default: "correct panel.path"
            }
        trouble = PanelTrouble(
            .file, "the panel's picture can't be written to \(path): \(String(cString: strerror(code))); \(advice)")
        retry = loop.assumeIsolated().scheduleTask(in: Self.retryDelay) { [weak self] in self?.store(octets) }
    }

    func finish(_ done: @escaping () -> Void) {
        retry?.cancel()
        done()
    }

    /// Not made durable: after a loss of power there is a new picture anyway.
    /// - Returns: `errno`, or 0.
    private func write(_ bytes: [UInt8]) -> Int32 {
        let temporary = path + ".new"
        // Not one that somebody else has laid there.
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard file >= 0 else { return errno }
        var rest = bytes[...]
        // The service's UMask= takes from `open` what others may.
        var code = fchmod(file, mode) == 0 ? 0 : errno
        while code == 0, !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count >= 0 { rest = rest.dropFirst(count) } else if errno != EINTR { code = errno }
        }
        if close(file) != 0, code == 0 { code = errno }
        if code == 0, rename(temporary, path) != 0 { code = errno }
        if code != 0 { unlink(temporary) }
        return code
    }
}

/// No panel.
final class NoSurface: PanelSurface {
    var format: PictureFormat? { nil }
    var pace: PanelPace { .quick }
    var keepsPicture: Bool { true }
    var trouble: PanelTrouble? { nil }
    func start() {}
    func show(_ screen: Screen, awaited: Bool, picture: () throws -> Picture) {}
    func finish(_ done: @escaping () -> Void) { done() }
}
