import IEEE80211
import NL80211
import Netlink

/// What an answer holds; nothing where it is one to another question.
extension NetlinkReply {
    var wiphys: [Wiphy] { if case .wiphys(let list) = self { list } else { [] } }

    var interfaces: [WirelessInterface] { if case .interfaces(let list) = self { list } else { [] } }

    var machines: [LinkNeighbour] { if case .neighbours(let list) = self { list } else { [] } }

    var stations: [StationInfo] { if case .stations(let list) = self { list } else { [] } }

    /// The packet number of a key's last frame, of at most six octets.
    var keySequence: UInt64? {
        guard case .keySequence(let octets) = self, octets.count <= 8 else { return nil }
        return octets.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The country whose rules are in force; `00` for what is allowed everywhere.
    var country: String { if case .regulatory(let domain) = self { domain.alpha2 } else { "00" } }

    /// The access points that a scan found. A signal that the driver has in no known unit counts as near.
    var neighbours: [Neighbour] {
        guard case .scan(let list) = self else { return [] }
        return list.map { Neighbour(frequency: Int($0.frequency), signal: $0.signal.map { Int($0) / 100 } ?? -60) }
    }

    /// How much of the time each frequency in MHz is in use, 0 to 1.
    var busy: [Int: Double] {
        guard case .survey(let list) = self else { return [:] }
        var busy: [Int: Double] = [:]
        for entry in list {
            guard let time = entry.time, let share = entry.timeBusy, time > 0, share <= time else { continue }
            busy[Int(entry.frequency)] = Double(share) / Double(time)
        }
        return busy
    }
}
