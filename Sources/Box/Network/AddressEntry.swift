import Glibc
public import Wire

/// One address of one of this machine's interfaces, whether that is up or down.
public struct AddressEntry: Sendable {
    /// The interface's name.
    public let interface: String
    /// The address.
    public let address: IPAddress
    /// Leading bits of its network.
    public let prefixLength: Int
    /// The interface's flags (netdevice(7)).
    let flags: UInt32

    /// Makes an entry.
    /// - Parameters:
    ///   - interface: the interface's name.
    ///   - address: the address.
    ///   - prefixLength: leading bits of its network.
    ///   - flags: the interface's flags (netdevice(7)).
    public init(interface: String, address: IPAddress, prefixLength: Int, flags: UInt32 = 0) {
        self.interface = interface
        self.address = address
        self.prefixLength = prefixLength
        self.flags = flags
    }

    /// Every address the system lists.
    /// - Throws: ``NetworkError`` when it lists none: it is out of memory or descriptors.
    public static func all() throws(NetworkError) -> [AddressEntry] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else {
            throw NetworkError(operation: "list the network addresses", code: errno)
        }
        defer { freeifaddrs(list) }
        var result: [AddressEntry] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ifa_next
            guard let address = ipAddress(entry.ifa_addr) else { continue }
            let prefixLength =
                switch ipAddress(entry.ifa_netmask) {
                case .v4(let mask): mask.nonzeroBitCount
                case .v6(let high, let low): high.nonzeroBitCount + low.nonzeroBitCount
                // No mask: nobody else is in the network.
                case nil: address.bitCount
                }
            result.append(
                AddressEntry(
                    interface: String(cString: entry.ifa_name), address: address, prefixLength: prefixLength,
                    flags: entry.ifa_flags))
        }
        return result
    }

    func has(_ flag: Int) -> Bool { flags & UInt32(flag) != 0 }
}

extension IPAddress {
    fileprivate var bitCount: Int { if case .v4 = self { 32 } else { 128 } }
}

/// The text of the kernel's table of IPv4 routes (proc_pid_net(5)), 256 KB of it at most; empty when it cannot be read.
public func routeTable() -> String { readFile("/proc/thread-self/net/route") }

private func ipAddress(_ pointer: UnsafeMutablePointer<sockaddr>?) -> IPAddress? {
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
private func readFile(_ path: String) -> String {
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
