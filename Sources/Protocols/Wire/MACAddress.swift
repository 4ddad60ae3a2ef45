/// A MAC address of 48 bits (IEEE 802-2014, clause 8).
public struct MACAddress: Hashable, Sendable {
    /// How many octets it has.
    public static let byteCount = 6
    /// The address of everyone, `ff:ff:ff:ff:ff:ff`.
    public static let broadcast = MACAddress(0xffff_ffff_ffff)

    /// The address as a number; the octet that is sent first is the highest of the low six.
    public let value: UInt64

    /// Makes an address of a number's low 48 bits.
    @inlinable
    public init(_ value: UInt64) {
        self.value = value & 0xffff_ffff_ffff
    }

    /// Makes an address of its six octets; nil for any other count.
    /// - Parameter octets: in the order in which they are sent.
    @inlinable
    public init?(_ octets: some Collection<UInt8>) {
        guard octets.count == Self.byteCount else { return nil }
        self.init(octets.reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// Reads the usual text form, six pairs of hexadecimal digits with colons between.
    /// - Parameter text: such as `02:00:00:00:01:0a`, in small or capital letters.
    public init?(_ text: some StringProtocol) {
        let pairs = text.split(separator: ":", omittingEmptySubsequences: false)
        guard pairs.count == Self.byteCount else { return nil }
        var value: UInt64 = 0
        for pair in pairs {
            guard pair.utf8.count == 2, pair.allSatisfy(\.isHexDigit), let octet = UInt8(pair, radix: 16) else {
                return nil
            }
            value = value << 8 | UInt64(octet)
        }
        self.init(value)
    }

    /// The six octets, in the order in which they are sent.
    public var octets: [UInt8] {
        (0..<Self.byteCount).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (Self.byteCount - 1 - $0))) }
    }

    /// Whether it names a group of stations and not one (the first bit on the air is set).
    @inlinable
    public var isGroup: Bool { value & 0x0100_0000_0000 != 0 }

    /// Whether it was chosen locally, as phones do that hide their own, and not by a manufacturer.
    @inlinable
    public var isLocal: Bool { value & 0x0200_0000_0000 != 0 }
}

extension MACAddress: CustomStringConvertible {
    /// The usual text form, in small letters.
    public var description: String {
        octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }
}

extension MACAddress: Comparable {
    /// The order of the octets.
    @inlinable
    public static func < (left: MACAddress, right: MACAddress) -> Bool { left.value < right.value }
}

extension ByteReader {
    /// Reads a MAC address.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func readMACAddress() -> MACAddress? {
        guard remaining >= MACAddress.byteCount, let high = readUInt16(), let low = readUInt32() else { return nil }
        return MACAddress(UInt64(high) << 32 | UInt64(low))
    }
}

extension ByteWriter {
    /// Appends a MAC address.
    @inlinable
    public mutating func write(_ address: MACAddress) {
        write(UInt16(truncatingIfNeeded: address.value >> 32))
        write(UInt32(truncatingIfNeeded: address.value))
    }
}
