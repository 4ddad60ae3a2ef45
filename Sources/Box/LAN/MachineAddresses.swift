import Glibc
import Wire

/// The addresses and routes of this machine, as far as they decide where the Wi-Fi's own may be.
struct MachineAddresses {
    /// One address of an interface, up or down.
    struct Entry {
        var interface: String
        var address: IPAddress
        var prefixLength: Int
    }

    /// Every address the system lists.
    var entries: [Entry] = []
    /// The destinations of IPv4 routes, each with its interface.
    var routes: [(interface: String, network: IPNetwork)] = []

    /// Reads them.
    static func current() -> MachineAddresses {
        var result = MachineAddresses()
        var list: UnsafeMutablePointer<ifaddrs>?
        if getifaddrs(&list) == 0 {
            var next = list
            while let entry = next?.pointee {
                next = entry.ifa_next
                guard let address = ipAddress(entry.ifa_addr) else { continue }
                let prefixLength =
                    switch ipAddress(entry.ifa_netmask) {
                    case .v4(let mask): mask.nonzeroBitCount
                    case .v6(let high, let low): high.nonzeroBitCount + low.nonzeroBitCount
                    case nil: 32
                    }
                result.entries.append(
                    Entry(
                        interface: String(cString: entry.ifa_name), address: address, prefixLength: prefixLength))
            }
            freeifaddrs(list)
        }
        result.routes = routes(in: text(of: "/proc/thread-self/net/route"))
        return result
    }

    /// What other interfaces than `interface` use.
    func networks(besides interface: String) -> [IPNetwork] {
        entries.filter { $0.interface != interface }.map { IPNetwork($0.address, prefixLength: $0.prefixLength) }
            + routes.filter { $0.interface != interface }.map(\.network)
    }

    /// The addresses of an interface, without link-local ones of IPv6.
    func addresses(of interface: String) -> [(address: IPAddress, prefixLength: Int)] {
        entries.filter { entry in
            guard entry.interface == interface else { return false }
            if case .v6(let high, _) = entry.address { return high >> 54 != 0x3FA }
            return true
        }.map { ($0.address, $0.prefixLength) }
    }

    /// The routes in the text of `/proc/net/route`. Columns (proc_pid_net(5)): interface, destination, gateway, flags,
    /// references, use, metric, mask, …; numbers are in the machine's byte order, addresses in the network's.
    static func routes(in text: String) -> [(interface: String, network: IPNetwork)] {
        text.split(separator: "\n").dropFirst().compactMap { line in
            let columns = line.split { $0 == "\t" || $0 == " " }
            guard columns.count >= 8, let destination = UInt32(columns[1], radix: 16),
                let mask = UInt32(columns[7], radix: 16), mask != 0
            else { return nil }
            return (
                String(columns[0]),
                IPNetwork(.v4(UInt32(bigEndian: destination)), prefixLength: mask.nonzeroBitCount)
            )
        }
    }

    private static func ipAddress(_ pointer: UnsafeMutablePointer<sockaddr>?) -> IPAddress? {
        guard let pointer else { return nil }
        let raw = UnsafeRawPointer(pointer)
        switch Int32(pointer.pointee.sa_family) {
        case AF_INET:
            return .v4(UInt32(bigEndian: raw.loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr))
        case AF_INET6:
            let bytes = raw.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            let halves = withUnsafeBytes(of: bytes) { $0.loadUnaligned(as: (UInt64, UInt64).self) }
            return .v6(UInt64(bigEndian: halves.0), UInt64(bigEndian: halves.1))
        default: return nil
        }
    }

    /// The text of a file of the kernel's, 256 KB of it at most; empty when it cannot be read.
    private static func text(of path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while text.count < 256 * 1024 {
            let count = buffer.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
            if count <= 0 { break }
            text += buffer[..<count]
        }
        return String(decoding: text, as: UTF8.self)
    }
}
