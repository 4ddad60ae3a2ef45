import Glibc
import Raster
import Screens

private func status(_ key: String) -> Int {
    guard let file = fopen("/proc/self/status", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 200)
    while fgets(&line, 200, file) != nil {
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard text.hasPrefix(key) else { continue }
        return text.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0
    }
    return 0
}

/// How long a full picture takes, of the thread's own time, and how much memory stays and is used meanwhile (Linux's VmRSS
/// and VmHWM, with the pages of the font files).
func measure() throws {
    let (before, own) = (status("VmRSS:"), status("RssAnon:"))
    let busy = screens.filter { ["room-links", "room-trouble"].contains($0.name) }
    for size in sizes where !size.name.contains("-red") && !size.name.contains("-yellow") {
        for (name, screen) in busy {
            let renderer = ScreenRenderer(format: size.format, language: .german)
            _ = try renderer.draw(screen)
            var times: [Double] = []
            for _ in 0..<50 {
                var start = timespec()
                var end = timespec()
                clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start)
                _ = try renderer.draw(screen)
                clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end)
                times.append(Double(end.tv_sec - start.tv_sec) * 1e3 + Double(end.tv_nsec - start.tv_nsec) / 1e6)
            }
            times.sort()
            print("\(name) \(size.name): median \(times[25]) ms, longest \(times[49]) ms")
        }
    }
    print(
        "resident: \(before) kB before the first picture, \(status("VmRSS:")) kB after the last, \(status("VmHWM:")) at most"
    )
    print("of that the program's own: \(own) kB before, \(status("RssAnon:")) kB after")
}
