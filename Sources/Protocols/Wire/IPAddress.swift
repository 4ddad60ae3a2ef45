/// An IPv4 or IPv6 address in host byte order.
public enum IPAddress: Hashable, Sendable {
    /// An IPv4 address, its first octet in the highest byte.
    case v4(UInt32)
    /// An IPv6 address, as its first and its last eight octets.
    case v6(UInt64, UInt64)
}

extension IPAddress {
    /// Reads dotted-decimal IPv4 text (RFC 6943, section 3.1.1: the strict form, four decimal numbers).
    /// - Parameter text: for example `192.168.1.5`; leading zeros are refused, since some read them as octal.
    /// - Returns: nil when the text is not an IPv4 address.
    public init?(ipv4 text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                part.utf8.count == 1 || part.utf8.first != 0x30, let octet = UInt8(part)
            else { return nil }
            value = value << 8 | UInt32(octet)
        }
        self = .v4(value)
    }

    /// Whether the address is in a range that is not routed on the Internet: RFC 1918 and link-local (RFC 3927)
    /// for IPv4, unique-local (RFC 4193) and link-local (RFC 4291) for IPv6.
    public var isPrivate: Bool {
        switch self {
        case .v4(let value):
            value >> 24 == 10 || value >> 20 == 0xAC1 || value >> 16 == 0xC0A8 || value >> 16 == 0xA9FE
        case .v6(let high, _):
            high >> 57 == 0x7E || high >> 54 == 0x3FA
        }
    }

    /// Whether the address means this machine itself (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3).
    public var isLoopback: Bool {
        switch self {
        case .v4(let value): value >> 24 == 127
        case .v6(let high, let low): high == 0 && low == 1
        }
    }
}

extension IPAddress: CustomStringConvertible {
    /// Dotted decimal for IPv4, the form of RFC 5952 for IPv6.
    public var description: String {
        switch self {
        case .v4(let value):
            return "\(value >> 24).\(value >> 16 & 255).\(value >> 8 & 255).\(value & 255)"
        case .v6(let high, let low):
            let groups = (0..<8).map { index -> UInt16 in
                UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64(48 - 16 * (index % 4)))
            }
            // RFC 5952 section 4.2: the longest run of two or more zero groups becomes "::", the first of equals.
            var best = 0..<0
            var start = 0
            while start < 8 {
                var end = start
                while end < 8, groups[end] == 0 { end += 1 }
                if end - start >= 2, end - start > best.count { best = start..<end }
                start = max(end, start + 1)
            }
            func text(_ range: Range<Int>) -> String {
                range.map { String(groups[$0], radix: 16) }.joined(separator: ":")
            }
            return best.isEmpty ? text(0..<8) : text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
        }
    }
}

/// An address and a port of UDP or TCP.
public struct TransportAddress: Hashable, Sendable, CustomStringConvertible {
    /// The host's address.
    public var address: IPAddress
    /// The port, 0 to 65535.
    public var port: UInt16

    /// Makes a transport address.
    @inlinable
    public init(_ address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// `address:port`, an IPv6 address in brackets.
    public var description: String {
        switch address {
        case .v4: "\(address):\(port)"
        case .v6: "[\(address)]:\(port)"
        }
    }
}

/// A network: every address that shares the first `prefixLength` bits of `base` (RFC 4632).
public struct IPNetwork: Hashable, Sendable, CustomStringConvertible {
    /// An address of the network.
    public let base: IPAddress
    /// How many leading bits are the network's: 0 to 32 for IPv4, 0 to 128 for IPv6; larger values count as those.
    public let prefixLength: Int

    /// Makes a network.
    public init(_ base: IPAddress, prefixLength: Int) {
        self.base = base
        self.prefixLength = prefixLength
    }

    /// Whether `address` belongs to the network; false for the other family.
    public func contains(_ address: IPAddress) -> Bool {
        // A shift by the whole width or more gives zero in Swift, so a prefix of 0 needs no case of its own.
        switch (base, address) {
        case (.v4(let lhs), .v4(let rhs)):
            return (lhs ^ rhs) >> UInt32(max(0, 32 - prefixLength)) == 0
        case (.v6(let lhsHigh, let lhsLow), .v6(let rhsHigh, let rhsLow)):
            return (lhsHigh ^ rhsHigh) >> UInt64(max(0, 64 - prefixLength)) == 0
                && (prefixLength <= 64 || (lhsLow ^ rhsLow) >> UInt64(max(0, 128 - prefixLength)) == 0)
        case (.v4, .v6), (.v6, .v4):
            return false
        }
    }

    /// The network in CIDR notation.
    public var description: String { "\(base)/\(prefixLength)" }
}
