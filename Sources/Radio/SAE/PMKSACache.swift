import SansIO
import WiFiCrypto
import Wire

/// The pairwise master keys of stations that were here, so that one that comes back need not go through SAE again (IEEE
/// 802.11-2020, 12.6.8.3 and 12.6.10.3). One for each address, and no more than a limit: the oldest goes first.
struct PMKSACache: Sendable {
    private struct Entry {
        let pmk: SecretBytes
        let pmkid: [UInt8]
        let method: SAEMethod
        let expires: Timestamp
    }

    private let limit: Int
    private let lifetime: Duration
    private var entries: [MACAddress: Entry] = [:]

    init(limit: Int, lifetime: Duration) {
        self.limit = limit
        self.lifetime = lifetime
    }

    var count: Int { entries.count }

    /// When the first of them expires.
    private(set) var deadline: Timestamp?

    mutating func insert(_ keys: SAEKeys, by method: SAEMethod, for address: MACAddress, at now: Timestamp) {
        entries[address] = Entry(pmk: keys.pmk, pmkid: keys.pmkid, method: method, expires: now + lifetime)
        if entries.count > limit, let oldest = entries.min(by: { $0.value.expires < $1.value.expires })?.key {
            entries[oldest] = nil
        }
        deadline = entries.values.map(\.expires).min()
    }

    func key(
        for address: MACAddress, pmkid: some Collection<UInt8>
    ) -> (pmk: SecretBytes, method: SAEMethod)? {
        guard let entry = entries[address], pmkid.elementsEqual(entry.pmkid) else { return nil }
        return (entry.pmk, entry.method)
    }

    mutating func remove(_ address: MACAddress) {
        entries[address] = nil
    }

    mutating func removeAll() {
        entries.removeAll()
        deadline = nil
    }

    mutating func expire(at now: Timestamp) {
        guard let deadline, now >= deadline else { return }
        entries = entries.filter { $0.value.expires > now }
        self.deadline = entries.values.map(\.expires).min()
    }
}
