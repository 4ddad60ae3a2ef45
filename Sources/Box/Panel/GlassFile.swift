import Glibc
import PanelDrivers
import SansIO

/// What an e-paper shows and when it was refreshed, in a file: for a process that is started again.
///
/// Its times are the kernel's, since the machine's start. What was before that start nobody can date without a clock; then
/// only that the glass was refreshed is kept, as if at the start. A file that can't be written or read costs a refresh.
struct GlassFile {
    /// Where it is.
    let path: String
    /// The machine's present start (proc_sys_kernel(5), `random/boot_id`).
    var boot = smallFile("/proc/sys/kernel/random/boot_id")?.split(separator: "\n").first.map(String.init) ?? ""

    init(path: String) {
        self.path = path
    }

    /// What was kept; nil: nothing.
    func read() -> GlassMemory? {
        let words = smallFile(path)?.split(whereSeparator: \.isWhitespace) ?? []
        guard words.count > 2, !boot.isEmpty else { return nil }
        guard words[0] == boot else { return GlassMemory(picture: nil, fullRefreshes: [.zero]) }
        guard let partials = Int(words[2]) else { return nil }
        return GlassMemory(
            picture: UInt64(words[1], radix: 16),
            fullRefreshes: words[3...].compactMap { UInt64($0).map { Timestamp(nanoseconds: $0) } },
            partialRefreshes: partials)
    }

    /// Keeps it. In place and at once: it matters only until the machine's next start.
    func write(_ memory: GlassMemory) {
        let picture = memory.picture.map { String($0, radix: 16) } ?? "-"
        let times = memory.fullRefreshes.map { " \($0.nanoseconds)" }.joined()
        let line = "\(boot) \(picture) \(memory.partialRefreshes)\(times)\n"
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return }
        defer { close(file) }
        if pwrite(file, line, line.utf8.count, 0) == line.utf8.count {
            _ = ftruncate(file, off_t(line.utf8.count))
        } else {
            _ = ftruncate(file, 0)
        }
    }
}
