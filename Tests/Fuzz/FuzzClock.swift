import SansIO

/// A run of a core whose time passes.
protocol FuzzClock: ~Copyable {
    /// The present time.
    var now: Timestamp { get set }
    /// When the core wants to be called next.
    var wakeTime: Timestamp? { get }
    /// The core is called because it asked for that.
    mutating func wake() throws
}

extension FuzzClock where Self: ~Copyable {
    /// Lets time pass, in which the core is called when it wants to be: a finite number of times.
    /// - Parameter limit: how many times are too many for this core.
    mutating func pass(_ duration: Duration, limit: Int = 20_000) throws {
        let end = now + duration
        var wakes = 0
        while let time = wakeTime, time <= end {
            now = max(now, time)
            try wake()
            wakes += 1
            try always(wakes < limit, "a core wakes itself without end")
        }
        now = end
    }
}
