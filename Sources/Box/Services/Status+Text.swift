import FoundationEssentials

extension Status {
    /// The status as one JSON object with sorted keys.
    public var json: String { jsonText(self) }

    /// The status in lines for a person.
    public var text: String {
        var lines = [
            "\(name): Kibitz Local \(version), process \(pid), up \(Self.spoken(seconds: uptime))",
            "Join       \(link)",
            wifi.value.map { "Wi-Fi      \($0.ssid), passphrase \($0.passphrase)" },
            "Ports      HTTP \(http), HTTPS \(https) (certificate: \(certificate)), STUN and TURN \(stun)/udp"
                + (hub.value.map { ", LAN hub \($0)/udp" } ?? ""),
            "Addresses  \(addresses.isEmpty ? "none" : addresses.joined(separator: ", "))",
            "Room       \(people.count) of \(room.limit) people, code generation \(room.generation)"
                + (guests > 0 ? ", and \(guests) PeerJS clients" : ""),
        ].compactMap { $0 }
        let width = people.map { $0.shownName.count }.max() ?? 0
        for person in people {
            var line = "  " + person.shownName + String(repeating: " ", count: width - person.shownName.count)
            line += "  " + person.address
            if person.away {
                line += "  away, coming back?"
            } else {
                let devices = [person.camera ? "camera" : nil, person.microphone ? "microphone" : nil].compactMap { $0 }
                line += "  " + (devices.isEmpty ? "watching" : devices.joined(separator: " and "))
                line += ", \(person.links.healthy) of \(person.links.total) links"
                if person.links.relayed > 0 { line += " (\(person.links.relayed) through the box)" }
            }
            lines.append(line)
        }
        lines += [
            "Links      \(links.healthy) of \(links.total) work, \(links.relayed) through the box",
            "Traffic    \(traffic.signalingFrames) signaling frames, \(traffic.signalingDrops) dropped; "
                + "\(traffic.stunAnswers) STUN answers; \(traffic.turnAllocations) TURN allocations, "
                + "\(traffic.turnPackets) packets, \(Self.spoken(bytes: traffic.turnBytes)), \(traffic.turnRefusals) refused",
        ]
        if hub.value != nil {
            lines.append(
                "Hub        \(traffic.hubClients) clients, \(traffic.hubPeers) phones connected; "
                    + "\(traffic.hubFrames) frames, \(traffic.hubDrops) dropped; \(traffic.hubRefusals) packets refused"
            )
        }
        lines.append(
            "Panel      \(panel.model)" + (panel.shows.value.map { ", shows: \($0)" } ?? "")
                + (panel.firstCodes.value.map { "; first codes after \($0) ms" } ?? "")
                + (button.present ? "; button" + (button.light.value.map { " with light (\($0))" } ?? "") : ""))
        if let hubLink = hubLink.value { lines.append("Hub link   \(hubLink)") }
        lines += trouble.map { "Trouble    " + $0 }
        return lines.joined(separator: "\n")
    }

    private static func spoken(seconds: Int) -> String {
        switch seconds {
        case ..<60: "\(seconds) s"
        case ..<3600: "\(seconds / 60) min"
        case ..<86400: "\(seconds / 3600) h \(seconds / 60 % 60) min"
        default: "\(seconds / 86400) d \(seconds / 3600 % 24) h"
        }
    }

    private static func spoken(bytes: UInt64) -> String {
        switch bytes {
        case ..<10_000: "\(bytes) bytes"
        case ..<10_000_000: "\(bytes / 1000) KB"
        case ..<10_000_000_000: "\(bytes / 1_000_000) MB"
        default: "\(bytes / 1_000_000_000) GB"
        }
    }
}

extension Status.Person {
    fileprivate var shownName: String { name.isEmpty ? id : name }
}

/// A value as one JSON object with sorted keys, as the command line prints it.
func jsonText(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
}
