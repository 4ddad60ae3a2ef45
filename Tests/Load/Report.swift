import CLinux
import Glibc

/// A line of JSON for the caller: an event's name and its numbers.
func report(_ event: String, _ numbers: KeyValuePairs<String, Double> = [:]) {
    let fields = numbers.map { name, number in ",\"\(name)\":\(number)" }.joined()
    print("{\"event\":\"\(event)\"\(fields)}")
    // The caller acts on each line at once.
    fflush(nil)
}

/// Nanoseconds of the monotonic clock.
func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Latencies in steps of a microsecond, up to 100 ms; longer ones count as that.
struct Latencies {
    private var counts = [Int](repeating: 0, count: 100_000)
    private(set) var count = 0

    mutating func add(nanoseconds: UInt64) {
        counts[min(Int(nanoseconds / 1_000), counts.count - 1)] += 1
        count += 1
    }

    /// The latency in microseconds that `share` (0 to 1) of all do not exceed.
    func percentile(_ share: Double) -> Double {
        var left = Int((Double(count) * share).rounded(.up))
        for (microseconds, number) in counts.enumerated() {
            left -= number
            if left <= 0 { return Double(microseconds) }
        }
        return Double(counts.count)
    }
}
