/// How frames are protected: a cipher suite selector (IEEE 802.11-2020, 9.4.2.24.2), the OUI in the high three octets
/// and the type in the low one, as nl80211 writes it too.
public struct CipherSuite: RawRepresentable, Hashable, Sendable {
    /// OUI and type.
    public let rawValue: UInt32

    /// Makes a selector of its number.
    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The group's cipher, used for one station too: never right for a pairwise key of ours.
    public static let useGroup = CipherSuite(rawValue: 0x000F_AC00)
    /// WEP with 40 bits. Broken; known so that it can be refused by name.
    public static let wep40 = CipherSuite(rawValue: 0x000F_AC01)
    /// TKIP. Broken; known so that it can be refused by name.
    public static let tkip = CipherSuite(rawValue: 0x000F_AC02)
    /// CCMP with 128 bits, what every phone speaks.
    public static let ccmp = CipherSuite(rawValue: 0x000F_AC04)
    /// WEP with 104 bits. Broken; known so that it can be refused by name.
    public static let wep104 = CipherSuite(rawValue: 0x000F_AC05)
    /// BIP with CMAC and 128 bits, which protects management frames to all.
    public static let bipCMAC128 = CipherSuite(rawValue: 0x000F_AC06)
    /// No group-addressed traffic at all.
    public static let noGroupTraffic = CipherSuite(rawValue: 0x000F_AC07)
    /// GCMP with 128 bits.
    public static let gcmp = CipherSuite(rawValue: 0x000F_AC08)
    /// GCMP with 256 bits.
    public static let gcmp256 = CipherSuite(rawValue: 0x000F_AC09)
    /// CCMP with 256 bits.
    public static let ccmp256 = CipherSuite(rawValue: 0x000F_AC0A)
    /// BIP with GMAC and 128 bits.
    public static let bipGMAC128 = CipherSuite(rawValue: 0x000F_AC0B)
    /// BIP with GMAC and 256 bits.
    public static let bipGMAC256 = CipherSuite(rawValue: 0x000F_AC0C)
    /// BIP with CMAC and 256 bits.
    public static let bipCMAC256 = CipherSuite(rawValue: 0x000F_AC0D)
}

/// How a station shows that it knows the secret: an AKM suite selector (IEEE 802.11-2020, 9.4.2.24.3).
public struct AKMSuite: RawRepresentable, Hashable, Sendable {
    /// OUI and type.
    public let rawValue: UInt32

    /// Makes a selector of its number.
    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// IEEE 802.1X, with a server behind the access point.
    public static let ieee8021X = AKMSuite(rawValue: 0x000F_AC01)
    /// A pre-shared key, with SHA-1 (WPA2).
    public static let psk = AKMSuite(rawValue: 0x000F_AC02)
    /// A pre-shared key, with SHA-256.
    public static let pskSHA256 = AKMSuite(rawValue: 0x000F_AC06)
    /// Simultaneous authentication of equals, with SHA-256 (WPA3).
    public static let sae = AKMSuite(rawValue: 0x000F_AC08)
    /// Simultaneous authentication of equals with a hash as long as the group asks for.
    public static let saeExtended = AKMSuite(rawValue: 0x000F_AC18)

    /// Whether the station authenticates by SAE.
    public var isSAE: Bool { self == .sae || self == .saeExtended }
}

extension CipherSuite: CustomStringConvertible {
    /// The selector in the standard's notation, such as `00-0F-AC:4`.
    public var description: String { selectorText(rawValue) }
}

extension AKMSuite: CustomStringConvertible {
    /// The selector in the standard's notation, such as `00-0F-AC:8`.
    public var description: String { selectorText(rawValue) }
}

private func selectorText(_ value: UInt32) -> String {
    let octets = [value >> 24, value >> 16 & 255, value >> 8 & 255].map { octet in
        let text = String(octet, radix: 16, uppercase: true)
        return text.count < 2 ? "0" + text : text
    }
    return octets.joined(separator: "-") + ":\(value & 255)"
}
