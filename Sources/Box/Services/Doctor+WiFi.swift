import BoxConfiguration
import BoxLAN
import BoxState
import Glibc

// What the box's own Wi-Fi needs.
extension Doctor {
    mutating func examineWiFi(_ configuration: BoxConfiguration, isRunning: Bool) {
        guard configuration.wifi.mode != .none else {
            return fine("wifi", "none of the box's own is wanted (wifi.mode)")
        }
        let missing = AccessNetwork.missing()
        for (detail, package) in missing { wrong("wifi", detail, mend: "apt install \(package)") }
        if missing.isEmpty { fine("wifi", "nft and dnsmasq are there for its network") }
        examineInterface(configuration)
        examineNamePorts()
        guard configuration.wifi.mode == .auto else { return }
        examineCountry(configuration)
        if geteuid() != 0, !isRunning {
            wrong("wifi", "only root may make an access point", mend: "run as root, or set wifi to none")
        }
        if isRunning, let path = try? stateDirectoryPath(options.state),
            let wifi = try? ControlClient(state: path).wifi()
        {
            // What is wrong with it is among the running box's troubles.
            fine("wifi", wifi.text.split(separator: "\n").dropFirst().first.map(String.init) ?? wifi.state.rawValue)
        } else {
            examineRadios()
        }
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
