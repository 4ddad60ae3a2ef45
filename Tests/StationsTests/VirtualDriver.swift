import Authenticator
import IEEE80211
import Stations
import WiFiCrypto
import Wire

/// What a kernel keeps for an access point, and what it refuses: an entry for each station, with its state and its key.
struct VirtualDriver {
    /// A station's entry.
    struct Entry {
        var station: NewStation
        var isAssociated = false
        var isAuthorized = false
        var key: SecretBytes?
    }

    /// How many entries the chip holds.
    var capacity = 2007
    private(set) var entries: [MACAddress: Entry] = [:]
    private(set) var groupKeys: GroupKeys?
    private(set) var groupInstallations = 0
    /// The most entries there were at once.
    private(set) var peak = 0
    /// What no access point may ask of a driver, in words.
    private(set) var problems: [String] = []
    /// Every pairwise key that was installed.
    private var installed: [SecretBytes] = []
    private var lastInstalled: [MACAddress: SecretBytes] = [:]

    mutating func add(_ station: NewStation) -> Bool {
        if entries[station.address] != nil {
            problems.append("\(station.address) is added twice")
            return false
        }
        if entries.values.contains(where: { $0.station.aid == station.aid && station.aid != 0 }) {
            problems.append("\(station.address) gets the number of another")
        }
        guard entries.count < capacity else { return false }
        entries[station.address] = Entry(station: station)
        peak = max(peak, entries.count)
        return true
    }

    /// What a chip does by itself.
    mutating func chipAssociates(_ station: NewStation) {
        entries[station.address] = Entry(station: station, isAssociated: true)
        peak = max(peak, entries.count)
    }

    mutating func associate(_ address: MACAddress) {
        guard entries[address] != nil else { return problems.append("\(address) is associated without an entry") }
        entries[address]?.isAssociated = true
    }

    mutating func install(_ key: SecretBytes, _ address: MACAddress) {
        guard entries[address]?.isAssociated == true else {
            return problems.append("\(address) gets a key before it is associated")
        }
        // Packet numbers start at zero with each installation: the same key twice is the end of its secrecy.
        if lastInstalled[address] == key || installed.suffix(200).contains(key) {
            problems.append("\(address) gets a key that was installed before")
        }
        lastInstalled[address] = key
        installed.append(key)
        if installed.count > 400 { installed.removeFirst(200) }
        entries[address]?.key = key
    }

    mutating func installGroup(_ keys: GroupKeys) {
        if keys == groupKeys { problems.append("the same group keys are installed twice") }
        if let old = groupKeys, old.gtkIndex == keys.gtkIndex {
            problems.append("new group keys have the index of those in use")
        }
        groupKeys = keys
        groupInstallations += 1
    }

    mutating func authorize(_ address: MACAddress) {
        guard let entry = entries[address], entry.isAssociated, entry.key != nil else {
            return problems.append("\(address) is authorized without a key")
        }
        entries[address]?.isAuthorized = true
    }

    mutating func remove(_ address: MACAddress) { entries[address] = nil }

    mutating func problem(_ text: String) { problems.append(text) }
}
