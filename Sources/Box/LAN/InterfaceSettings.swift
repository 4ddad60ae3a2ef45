import Glibc

/// What the kernel does with packets on the access point's interface, set in `/proc/sys/net` (ip-sysctl.rst of the kernel's
/// documentation). Only the interface's own settings change; what the machine's owner chose for others stays.
struct InterfaceSettings {
    private var former: [(family: String, name: String, value: String)] = []
    private var isApplied = false

    private static let values: [(family: String, name: String, value: String)] = [
        // Nothing that comes in here is passed on, even where the machine forwards between others.
        ("ipv4", "forwarding", "0"), ("ipv6", "forwarding", "0"),
        // The box's other addresses are no business of this network's: it neither answers for them nor speaks from them.
        ("ipv4", "arp_ignore", "1"), ("ipv4", "arp_announce", "2"), ("ipv4", "proxy_arp", "0"),
        ("ipv4", "rp_filter", "1"),
        // A phone tells this machine nothing about routes.
        ("ipv4", "accept_redirects", "0"), ("ipv4", "accept_source_route", "0"), ("ipv4", "send_redirects", "0"),
        ("ipv6", "accept_ra", "0"), ("ipv6", "accept_redirects", "0"),
        // Router advertisements need a link-local address, and nobody else has the box's.
        ("ipv6", "disable_ipv6", "0"), ("ipv6", "accept_dad", "0"),
    ]

    /// Whether an interface is a bridge's port: what comes in by it counts as the bridge's then, and passes by all rules and
    /// settings of its own.
    /// - Parameter interface: the interface's name.
    static func isPort(_ interface: String) -> Bool { access("/sys/class/net/\(interface)/master", F_OK) == 0 }

    /// Whether the kernel has IPv6 at all.
    static var hasIPv6: Bool { access("/proc/sys/net/ipv6/conf/all", F_OK) == 0 }

    /// Sets everything, again where it was set before: an interface that was unplugged comes back as any other, and
    /// `net.ipv4.ip_forward=1` lets every interface forward anew.
    /// - Parameter interface: the interface's name.
    /// - Returns: whether anything was not as it should be, and is now; and what could not be set and matters, or nil.
    mutating func apply(to interface: String) -> (isMended: Bool, trouble: String?) {
        var isMended = false
        var trouble: String?
        for (family, name, value) in Self.values where family == "ipv4" || Self.hasIPv6 {
            let path = Self.path(family, interface, name)
            guard let old = Self.read(path), old != value else { continue }
            if Self.write(value, to: path) {
                isMended = true
                if !former.contains(where: { $0.family == family && $0.name == name }) {
                    former.append((family, name, old))
                }
            } else if name == "forwarding" {
                trouble = "\(path) can't be set to 0: \(String(cString: strerror(errno)))"
            }
        }
        // All as it shall be, and nobody else wants it just so: a run that was killed has left it. What every interface begins
        // with is put back then.
        if !isApplied, former.isEmpty {
            for (family, name, value) in Self.values {
                guard let usual = Self.read(Self.path(family, "default", name)), usual != value else { continue }
                former.append((family, name, usual))
            }
        }
        isApplied = true
        return (isMended, trouble)
    }

    /// Puts back what was there before.
    /// - Parameter interface: the interface's name, which may be another by now.
    mutating func restore(on interface: String) {
        for (family, name, value) in former { _ = Self.write(value, to: Self.path(family, interface, name)) }
        former = []
    }

    private static func path(_ family: String, _ interface: String, _ name: String) -> String {
        "/proc/sys/net/\(family)/conf/\(interface)/\(name)"
    }

    private static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = buffer.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count].prefix { $0 > 0x20 }, as: UTF8.self)
    }

    private static func write(_ value: String, to path: String) -> Bool {
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        return Array(value.utf8).withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) } == value.utf8.count
    }
}
