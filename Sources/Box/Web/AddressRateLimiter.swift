import SansIO
import Synchronization

/// A token bucket for each remote address.
final class AddressRateLimiter: Sendable {
    /// Addresses remembered; beyond it all are forgotten at once, which is lenient but bounded.
    static let maxAddresses = 1024

    private let rate: Double
    private let burst: Double
    private let buckets = Mutex<[String: TokenBucket]>([:])

    /// - Parameters:
    ///   - rate: requests a second in the long run.
    ///   - burst: requests at once.
    init(rate: Double, burst: Double) {
        self.rate = rate
        self.burst = burst
    }

    func allows(_ address: String) -> Bool {
        let now = Timestamp.now
        return buckets.withLock { buckets in
            if buckets[address] == nil, buckets.count >= Self.maxAddresses { buckets.removeAll() }
            return buckets[address, default: TokenBucket(rate: rate, burst: burst, now: now)].take(at: now)
        }
    }
}
