import BoxConfiguration
import BoxHub
import BoxLAN
import BoxNetwork
import BoxState
import Glibc

// What the box's own Wi-Fi needs.
extension Doctor {
    mutating func examineWiFi(_ configuration: BoxConfiguration, isRunning: Bool) {
        let path = isRunning ? try? stateDirectoryPath(options.state) : nil
        let present = path.flatMap { try? ControlClient(state: $0).wifi() }
        // What is wrong with it is among the running box's troubles.
        let state = present.map { present in
            present.text.split(separator: "\n").dropFirst().first.map(String.init) ?? present.state.rawValue
        }
        guard configuration.wifi.mode != .none else {
            // It may have been told otherwise at its start.
            guard let state, present?.state != WiFiStatus.State.none else {
                return fine("wifi", "none of the box's own is wanted (wifi.mode)")
            }
            return fine("wifi", state)
        }
        let missing = AccessNetwork.missing()
        for (detail, package) in missing { wrong("wifi", detail, mend: "apt install \(package)") }
        if missing.isEmpty { fine("wifi", "nft and dnsmasq are there for its network") }
        examineInterface(configuration)
        examineNamePorts()
        examineFirewalls(configuration)
        guard configuration.wifi.mode == .auto else { return }
        examineCountry(configuration)
        if geteuid() != 0, !isRunning {
            wrong("wifi", "only root may make an access point", mend: "run as root, or set wifi to none")
        }
        if let state { fine("wifi", state) } else { examineRadios() }
        examineRivals(configuration)
    }

    /// Looks for the interface that the owner has named.
    private mutating func examineInterface(_ configuration: BoxConfiguration) {
        guard let name = configuration.wifi.interface else { return }
        let isRadio = configuration.wifi.mode == .auto
        guard access("/sys/class/net/\(name)" + (isRadio ? "/phy80211" : ""), F_OK) != 0 else { return }
        wrong(
            "wifi", "there is no \(isRadio ? "Wi-Fi" : "network") interface \(name)", mend: "correct wifi.interface",
            fatal: false)
    }

    /// Looks for another program that answers names, or gives out addresses, on whatever interface there is. One that does
    /// so at an address of its own, as systemd-resolved, or shares with others is in nobody's way.
    private mutating func examineNamePorts() {
        let loopback: UInt32 = 0x7F4D_0001
        for (port, error) in [
            (53, bindError(port: 53, type: SOCK_DGRAM, address: loopback)),
            (67, bindError(port: 67, type: SOCK_DGRAM, isShared: true)),
        ] where error == EADDRINUSE {
            wrong(
                "wifi", "\(port)/udp is in use by another program, so phones on the Wi-Fi get no address",
                mend: "stop it ('ss -lunp sport = :\(port)' names it)")
        }
    }

    /// Looks for firewalls of the owner's that let in only what they name: a packet has to pass theirs as well as the box's.
    private mutating func examineFirewalls(_ configuration: BoxConfiguration) {
        guard geteuid() == 0 else { return }
        let (end, chains) = MachineCommand.follow(RunningProgram(), ["nft", "list", "chains"], true)
        let tables = Self.strictTables(chains)
        guard end == .exited(0), !tables.isEmpty else { return }
        var tcp = [80, configuration.http.port, configuration.https.port].map(Int.init)
        if tcp[0] == tcp[1] { tcp.removeFirst() }
        let udp =
            [53, 67, Int(configuration.stun.port)]
            + (configuration.hub.enabled ? [Int(configuration.hub.port ?? HubServer.usualPorts[0])] : [])
        let relay =
            configuration.turn.enabled
            ? ", \(configuration.turn.ports.lowerBound)-\(configuration.turn.ports.upperBound)" : ""
        func list(_ ports: [Int]) -> String { ports.map(String.init).joined(separator: ", ") }
        wrong(
            "wifi",
            "the firewall (table \(tables.joined(separator: ", "))) lets in what its rules name, and nothing else",
            mend:
                "unless they do, let in by the Wi-Fi's interface: icmp, icmpv6, tcp \(list(tcp)), udp \(list(udp))\(relay)",
            fatal: false)
    }

    /// The tables whose chains for what comes in drop what no rule of theirs accepts.
    /// - Parameter chains: what `nft list chains` says: lines with a table's family and name, and below each its chains.
    static func strictTables(_ chains: String) -> [String] {
        var tables: [String] = []
        var table = ""
        for line in chains.split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "\t" }
            if words.count > 2, words[0] == "table" { table = "\(words[1]) \(words[2])" }
            // type filter hook input priority filter; policy drop;
            guard words.count > 7, words[2] == "hook", words[3] == "input", words.last == "drop;",
                !table.hasPrefix("ip6 "), !tables.contains(table)
            else { continue }
            tables.append(table)
        }
        return tables
    }

    private mutating func examineRadios() {
        let radios = Self.names(in: "/sys/class/ieee80211")
        if radios.isEmpty {
            wrong(
                "wifi", "there is no Wi-Fi adapter",
                mend: "plug one in, or set wifi to none if the box shall join a network that is there", fatal: false)
        } else {
            fine("wifi", "radios: \(radios.joined(separator: ", "))")
        }
        examineSwitches()
    }

    /// Looks for switches that keep a Wi-Fi radio off (rfkill).
    private mutating func examineSwitches() {
        for name in Self.names(in: "/sys/class/rfkill") {
            func value(_ key: String) -> String {
                String((Self.text(of: "/sys/class/rfkill/\(name)/\(key)") ?? "").prefix { $0 != "\n" })
            }
            guard value("type") == "wlan" else { continue }
            if value("hard") == "1" {
                wrong("wifi", "\(value("name")) is off by its switch", mend: "turn that switch on", fatal: false)
            } else if value("soft") == "1" {
                wrong("wifi", "\(value("name")) is switched off", mend: "rfkill unblock wifi", fatal: false)
            }
        }
    }

    private mutating func examineCountry(_ configuration: BoxConfiguration) {
        guard let country = configuration.country else {
            return wrong("country", "it is not set, so the Wi-Fi uses little", mend: "set country", fatal: false)
        }
        // As the kernel looks for it, which may know compressed files.
        let database = "/lib/firmware/regulatory.db"
        if ["", ".xz", ".zst"].contains(where: { access(database + $0, R_OK) == 0 }) {
            fine("country", country)
        } else {
            wrong(
                "country", "\(country), but the system has no radio rules for any country (\(database) is missing)",
                mend: "apt install wireless-regdb", fatal: false)
        }
    }

    /// Looks for programs that may take the adapter.
    private mutating func examineRivals(_ configuration: BoxConfiguration) {
        func disable(_ program: String) {
            wrong(
                "wifi", "\(program) is running and may take the adapter",
                mend: "stop it: systemctl disable --now \(program)", fatal: false)
        }
        if Self.isRunning("hostapd") { disable("hostapd") }
        guard Self.isRunning("NetworkManager") else {
            if Self.isRunning("wpa_supplicant") { disable("wpa_supplicant") }
            return
        }
        // It runs wpa_supplicant itself, as on Raspberry Pi OS, and starts it again when it needs it.
        let file = "/etc/NetworkManager/conf.d/kibitz-local.conf"
        let interface = configuration.wifi.interface ?? "wlan0"
        if let text = Self.text(of: file), text.contains("interface-name:\(interface)") {
            fine("wifi", "NetworkManager leaves \(interface) to the box (\(file))")
        } else {
            wrong(
                "wifi", "NetworkManager is running and may take the adapter",
                mend: "install \(file) from overlays/rootfs, with unmanaged-devices=interface-name:\(interface) in it; "
                    + "then: systemctl reload NetworkManager", fatal: false)
        }
    }
}
