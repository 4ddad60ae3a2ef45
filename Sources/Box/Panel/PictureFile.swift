import Glibc
import NIOCore
import Raster
import Screens

/// A PNG file that always holds the present picture, whole: readers never see half of one.
final class PictureFile: PanelSurface {
    let format: PictureFormat?
    var pace: PanelPace { .quick }
    private(set) var trouble: PanelTrouble? {
        didSet { if trouble != oldValue { onTrouble() } }
    }

    private let path: String
    /// The codes are in it.
    private let mode: mode_t
    private let onTrouble: () -> Void

    /// - Parameters:
    ///   - mode: who may read it.
    ///   - onTrouble: called when ``trouble`` has changed.
    init(path: String, mode: mode_t, format: PictureFormat, onTrouble: @escaping () -> Void) {
        self.path = path
        self.mode = mode
        self.format = format
        self.onTrouble = onTrouble
    }

    func start() {}

    func show(_ screen: Screen, awaited: Bool, picture: () throws -> Picture) {
        do {
            let bytes = try picture().png()
            let code = write(bytes)
            trouble =
                code == 0
                ? nil
                : PanelTrouble(
                    .file,
                    "the panel's picture can't be written to \(path): \(String(cString: strerror(code))); correct panel.path"
                )
        } catch {
            trouble = PanelTrouble(.font, "\(error)")
        }
    }

    func finish(_ done: @escaping () -> Void) { done() }

    /// Not made durable: after a loss of power there is a new picture anyway.
    /// - Returns: `errno`, or 0.
    private func write(_ bytes: [UInt8]) -> Int32 {
        let temporary = path + ".new"
        // Not one that somebody else has laid there.
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard file >= 0 else { return errno }
        var rest = bytes[...]
        var code: Int32 = 0
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
    var trouble: PanelTrouble? { nil }
    func start() {}
    func show(_ screen: Screen, awaited: Bool, picture: () throws -> Picture) {}
    func finish(_ done: @escaping () -> Void) { done() }
}
