import IEEE80211
import NL80211
import Netlink
import Stations

/// What the kernel's answers say: payloads of messages, from the generic header on.
enum Replies {
    static func wiphys(_ messages: [[UInt8]]) -> [Wiphy] {
        var wiphys: [Wiphy] = []
        for message in messages { Wiphy.merge(GenericHeader.attributes(of: message.span.bytes), into: &wiphys) }
        return wiphys
    }

    static func interfaces(_ messages: [[UInt8]]) -> [WirelessInterface] {
        messages.compactMap { WirelessInterface(GenericHeader.attributes(of: $0.span.bytes)) }
    }

    /// The country whose rules are in force for all radios.
    static func country(_ messages: [[UInt8]]) -> String? {
        messages.compactMap { RegulatoryDomain(GenericHeader.attributes(of: $0.span.bytes)) }
            .first { $0.wiphy == nil }?.alpha2
    }

    static func neighbours(_ messages: [[UInt8]]) -> [Neighbour] {
        messages.compactMap { ScanResult(GenericHeader.attributes(of: $0.span.bytes)) }.map {
            // Drivers that have no signal strength in dBm count as near.
            Neighbour(frequency: Int($0.frequency), signal: $0.signal.map { Int($0) / 100 } ?? -60)
        }
    }

    /// How much of the time each frequency in MHz is in use, 0 to 1.
    static func busy(_ messages: [[UInt8]]) -> [Int: Double] {
        var busy: [Int: Double] = [:]
        for message in messages {
            guard let entry = SurveyEntry(GenericHeader.attributes(of: message.span.bytes)), let time = entry.time,
                let share = entry.timeBusy, time > 0, share <= time
            else { continue }
            busy[Int(entry.frequency)] = Double(share) / Double(time)
        }
        return busy
    }

    static func stations(_ messages: [[UInt8]]) -> [StationInfo] {
        messages.compactMap { StationInfo(GenericHeader.attributes(of: $0.span.bytes)) }
    }

    /// What a frame that is under way is called.
    static func cookie(_ messages: [[UInt8]]) -> UInt64? {
        messages.compactMap { TransmissionCookie(GenericHeader.attributes(of: $0.span.bytes))?.value }.first
    }
}
