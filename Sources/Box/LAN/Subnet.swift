public import Wire

/// The IPv4 addresses of the box's own Wi-Fi: a network of 256, the box first.
public struct Subnet: Hashable, Sendable, CustomStringConvertible {
    /// Leading bits of the network.
    public static let prefixLength = 24

    /// The network's own address, with a last octet of 0.
    private let base: UInt32

    /// The network that an IPv4 address is in; nil for IPv6.
    public init?(containing address: IPAddress) {
        guard case .v4(let value) = address else { return nil }
        base = value & 0xFFFF_FF00
    }

    private init(_ first: UInt32, _ second: UInt32, _ third: UInt32) {
        base = first << 24 | second << 16 | third << 8
    }

    /// The network.
    public var network: IPNetwork { IPNetwork(.v4(base), prefixLength: Self.prefixLength) }
    /// The box's address.
    public var box: IPAddress { .v4(base | 1) }
    /// The first and the last address that phones get. What lies around them is free for what an owner sets up by hand.
    var pool: (first: IPAddress, last: IPAddress) { (.v4(base | 10), .v4(base | 250)) }
    /// How many addresses phones can get.
    static let poolSize = 241

    /// In CIDR notation.
    public var description: String { network.description }

    /// What is tried, in this order: 10.77.0.0 and its neighbours, then networks of the other two private ranges
    /// (RFC 1918), for machines on which a VPN has all of 10.0.0.0/8.
    static let candidates: [Subnet] =
        (77...92).map { Subnet(10, $0, 0) } + (77...92).map { Subnet(172, 27, $0) }
        + (77...92).map { Subnet(192, 168, $0) }

    /// The first candidate that no other network of the machine has a part in.
    /// - Parameter used: networks of other interfaces and routes; a default route is none, whole or in two halves.
    /// - Returns: nil when all are in use.
    static func free(of used: [IPNetwork]) -> Subnet? {
        candidates.first { !$0.isUsed(in: used) }
    }

    /// Whether a network of `used` shares addresses with this one. Many VPNs route 0.0.0.0/1 and 128.0.0.0/1 so as to come
    /// before the default route: that is everything too, and no network.
    func isUsed(in used: [IPNetwork]) -> Bool {
        used.contains { $0.prefixLength > 1 && ($0.contains(network.base) || network.contains($0.base)) }
    }
}

/// The box's unique-local IPv6 prefix (RFC 4193): made once, so that phones know its addresses again.
public struct UniqueLocalPrefix: Hashable, Sendable {
    /// Leading bits of the network of the Wi-Fi.
    public static let prefixLength = 64

    /// The first 64 bits: `fd`, 40 random ones, and a subnet of 0.
    private let high: UInt64

    /// Makes a prefix (RFC 4193 section 3.2; any good source of randomness will do, by section 3.2.2).
    /// - Parameter generator: a cryptographically secure generator.
    init(using generator: inout some RandomNumberGenerator) {
        high = 0xFD << 56 | (UInt64.random(in: 0...0xFF_FFFF_FFFF, using: &generator)) << 16
    }

    /// The network of the Wi-Fi.
    public var network: IPNetwork { IPNetwork(.v6(high, 0), prefixLength: Self.prefixLength) }
    /// The box's address.
    public var box: IPAddress { .v6(high, 1) }

    // MARK: Text form

    private static let form = "kibitz-local lan 1"

    /// The prefix as one line of text: its 48 bits in hexadecimal.
    var text: String { "\(Self.form) \(String(high >> 16, radix: 16))\n" }

    /// Reads the form of ``text``; nil when it is damaged.
    init?(text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 4, let digits = words.last, let value = UInt64(digits.dropLast(), radix: 16),
            value >> 40 == 0xFD
        else { return nil }
        high = value << 16
        // Anything else than what is written, in the form too, is damage.
        guard self.text == text else { return nil }
    }
}
