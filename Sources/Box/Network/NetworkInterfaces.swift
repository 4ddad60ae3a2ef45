import Glibc
import Wire

/// Why the machine's network could not be read: the environment's fault.
public struct NetworkError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What failed, for example `list the network addresses`.
    public let operation: String
    /// The system's number for it (`errno`).
    public let code: Int32

    /// What happened, in one sentence.
    public var description: String { "cannot \(operation): \(String(cString: strerror(code))) (error \(code))." }
}

extension LocalNetwork {
    /// The machine's networks as they are now.
    /// - Throws: ``NetworkError`` when the system does not list them: it is out of memory or descriptors.
    public static func current() throws(NetworkError) -> LocalNetwork {
        let routes = defaultRoutes(in: routeTable())
        var interfaces: [String: Interface] = [:]
        var found: [(interface: Interface, address: IPAddress, prefixLength: Int)] = []
        // Up, and with a carrier: an access point in use or a cable in its socket.
        for entry in try AddressEntry.all() where entry.has(IFF_UP) && entry.has(IFF_RUNNING) {
            let name = entry.interface
            let interface =
                interfaces[name]
                ?? Interface(
                    name: name, index: if_nametoindex(name), isLoopback: entry.has(IFF_LOOPBACK),
                    isPointToPoint: entry.has(IFF_POINTOPOINT),
                    isHardware: access("/sys/class/net/\(name)/device", F_OK) == 0,
                    defaultRouteMetric: routes[name])
            interfaces[name] = interface
            found.append((interface, entry.address, entry.prefixLength))
        }
        return LocalNetwork(found)
    }

    /// The machine's name for multicast DNS (RFC 6762, section 3), `<hostname>.local`.
    /// - Returns: nil when the machine has no name of its own.
    public static func localName() -> String? {
        var buffer = [UInt8](repeating: 0, count: 256)
        guard buffer.withUnsafeMutableBytes({ gethostname($0.baseAddress!, 255) }) == 0 else { return nil }
        return localName(hostname: String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self))
    }

    /// The multicast DNS name of a host: the first label of its name, in lower case, as Avahi makes it.
    static func localName(hostname: String) -> String? {
        let label = hostname.prefix { $0 != "." }.lowercased()
        // RFC 1123, section 2.1: letters, digits and hyphens, 63 at most.
        let isName =
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
            && label.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || $0 == UInt8(ascii: "-")
            }
        return isName && label != "localhost" ? "\(label).local" : nil
    }
}

/// The interfaces of the IPv4 default routes in the text of `/proc/net/route`, each with its lowest metric.
///
/// Columns (proc_pid_net(5)): interface, destination, gateway, flags, references, use, metric, mask, …
func defaultRoutes(in text: String) -> [String: UInt32] {
    var metrics: [String: UInt32] = [:]
    for line in text.split(separator: "\n").dropFirst() {
        let columns = line.split { $0 == "\t" || $0 == " " }
        guard columns.count >= 8, columns[1] == "00000000", columns[7] == "00000000",
            let flags = UInt32(columns[3], radix: 16), flags & RTF_UP != 0, let metric = UInt32(columns[6])
        else { continue }
        let name = String(columns[0])
        metrics[name] = min(metrics[name] ?? .max, metric)
    }
    return metrics
}

/// "The route is usable", of linux/route.h, not in Swift's module of the C library.
private let RTF_UP: UInt32 = 0x1
