/// What `kibitz-local wifi` tells; its JSON form is the one of `--json`.
public struct WiFiStatus: Codable, Sendable, Equatable {
    /// Where the Wi-Fi is.
    public enum State: String, Codable, Sendable {
        /// None is wanted: `wifi: none`.
        case none
        /// On the way.
        case starting
        /// For something to happen or to be mended; `trouble` says what.
        case waiting
        /// Beacons are sent.
        case up
        /// It has ended with the box.
        case stopped
    }

    /// One phone.
    public struct Station: Codable, Sendable, Equatable {
        /// Its MAC address, which phones make up for each network.
        public var address: String
        /// Whether it has shown that it knows the passphrase.
        public var authorized: Bool
        /// Signal in dBm, where the radio tells.
        public var signal: OrNull<Int>
        /// The rate of the last frame to it in Mb/s, where the radio tells.
        public var rate: OrNull<Double>
        /// How it showed that it knows the passphrase: `WPA2` or `WPA3`.
        public var akm: String
        /// Whether its management frames are protected.
        public var protected: Bool
        /// Seconds since it was last heard, where the radio tells.
        public var idle: OrNull<Int>
    }

    /// One phone that was refused.
    public struct Refused: Codable, Sendable, Equatable {
        /// Its MAC address.
        public var address: String
        /// Why.
        public var reason: String
        /// How often.
        public var count: Int
    }

    /// Where it is.
    public var state: State
    /// What is wrong, in sentences; empty when all is well.
    public var troubles: [String]
    /// The first of `troubles`.
    public var trouble: OrNull<String>
    /// The network interface.
    public var interface: OrNull<String>
    /// The radio, as the kernel names it.
    public var radio: OrNull<String>
    /// Who does authentication, association and handshakes: `soft-mac`, `full-mac` or `offloaded`.
    public var chip: OrNull<String>
    /// The access point's MAC address.
    public var bssid: OrNull<String>
    /// The channel's number.
    public var channel: OrNull<Int>
    /// Its centre in MHz.
    public var frequency: OrNull<Int>
    /// What is used around it, in MHz.
    public var width: OrNull<Int>
    /// The country whose rules are in force.
    public var country: OrNull<String>
    /// The network's name.
    public var ssid: OrNull<String>
    /// The passphrase.
    public var passphrase: OrNull<String>
    /// What phones may use: `WPA2`, `WPA3` or `WPA2 and WPA3`.
    public var security: OrNull<String>
    /// The box's address on it.
    public var address: OrNull<String>
    /// How often the access point came up.
    public var starts: Int
    /// Milliseconds from the last start's beginning to the first beacon.
    public var startTime: OrNull<Int>
    /// The most phones at once, while it is up.
    public var limit: OrNull<Int>
    /// Who is on it.
    public var stations: [Station]
    /// Who was refused lately, the newest last.
    public var refused: [Refused]
}

extension WiFiStatus {
    /// One JSON object with sorted keys.
    public var json: String { jsonText(self) }

    /// Lines for a person.
    public var text: String {
        var lines: [String] = []
        switch state {
        case .none: lines.append("The box makes no Wi-Fi of its own (wifi.mode).")
        case .starting: lines.append("The Wi-Fi is starting.")
        case .waiting: lines.append("There is no Wi-Fi at present.")
        case .stopped: lines.append("The Wi-Fi has ended.")
        case .up:
            lines.append(
                "Name       \(ssid.value ?? "")   passphrase \(passphrase.value ?? "")   \(security.value ?? "")")
            lines.append(
                "Radio      \(radio.value ?? "") (\(chip.value ?? "")), interface \(interface.value ?? ""), "
                    + "channel \(channel.value ?? 0) (\(frequency.value ?? 0) MHz), \(width.value ?? 0) MHz wide, "
                    + "country \(country.value ?? "")")
            if let address = address.value { lines.append("Address    \(address)") }
            lines.append("Phones     \(stations.count)" + (limit.value.map { " of \($0)" } ?? ""))
        }
        for station in stations {
            var line = "  \(station.address)  \(station.akm)\(station.protected ? ", protected" : "")"
            if !station.authorized { line += ", joining" }
            if let signal = station.signal.value { line += ", \(signal) dBm" }
            if let rate = station.rate.value { line += ", \(rate) Mb/s" }
            if let idle = station.idle.value { line += ", heard \(idle) s ago" }
            lines.append(line)
        }
        for refused in refused {
            lines.append(
                "Refused    \(refused.address)  \(refused.reason)"
                    + (refused.count > 1 ? " (\(refused.count) times)" : ""))
        }
        lines += troubles.map { "Trouble    " + $0 }
        return lines.joined(separator: "\n")
    }
}
