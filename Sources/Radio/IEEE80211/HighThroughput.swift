import Wire

/// What a radio can do with HT, as its driver reports it (IEEE 802.11-2020, 9.4.2.55).
public struct HTCapabilities: Hashable, Sendable {
    /// The element's body, in octets.
    public static let byteCount = 26

    /// HT capability information.
    public var information: UInt16
    /// The longest A-MPDU and the spacing within it.
    public var ampduParameters: UInt8
    /// The MCS set, 16 octets.
    public var mcsSet: [UInt8]

    /// Makes capabilities of what nl80211 reports of a band.
    /// - Parameters:
    ///   - information: `NL80211_BAND_ATTR_HT_CAPA`.
    ///   - ampduFactor: `NL80211_BAND_ATTR_HT_AMPDU_FACTOR`.
    ///   - ampduDensity: `NL80211_BAND_ATTR_HT_AMPDU_DENSITY`.
    ///   - mcsSet: `NL80211_BAND_ATTR_HT_MCS_SET`.
    /// - Returns: nil when the MCS set has not 16 octets.
    public init?(information: UInt16, ampduFactor: UInt8, ampduDensity: UInt8, mcsSet: [UInt8]) {
        guard mcsSet.count == 16 else { return nil }
        self.information = information
        ampduParameters = ampduFactor & 3 | (ampduDensity & 7) << 2
        self.mcsSet = mcsSet
    }

    /// The element's body for a BSS: what of the radio's abilities holds at its width. Receivers stay awake (SM power
    /// save is off), and antenna selection and explicit beamforming are not offered.
    func body(width: ChannelWidth) -> [UInt8] {
        var information = information | 0x000C
        // 40 MHz, short guard interval in it, DSSS in it; "intolerant of 40 MHz" is for stations of 2.4 GHz.
        if width < .mhz40 { information &= ~0x1042 }
        information &= ~0x4000
        var writer = ByteWriter(capacity: Self.byteCount)
        writer.write(little: information)
        writer.write(ampduParameters)
        writer.write(bytes: mcsSet)
        writer.writeZeros(Self.byteCount - writer.count)
        return writer.bytes
    }
}

/// What a radio can do with VHT, as its driver reports it (IEEE 802.11-2020, 9.4.2.157).
public struct VHTCapabilities: Hashable, Sendable {
    /// The element's body, in octets.
    public static let byteCount = 12

    /// VHT capability information.
    public var information: UInt32
    /// The MCS and NSS set, 8 octets.
    public var mcsSet: [UInt8]

    /// Makes capabilities of what nl80211 reports of a band.
    /// - Parameters:
    ///   - information: `NL80211_BAND_ATTR_VHT_CAPA`.
    ///   - mcsSet: `NL80211_BAND_ATTR_VHT_MCS_SET`.
    /// - Returns: nil when the MCS set has not 8 octets.
    public init?(information: UInt32, mcsSet: [UInt8]) {
        guard mcsSet.count == 8 else { return nil }
        self.information = information
        self.mcsSet = mcsSet
    }

    /// The element's body for a BSS of at most 80 MHz: nothing of 160 MHz, and no beamforming.
    var body: [UInt8] {
        let notOffered: UInt32 = 0x0000_000C | 0x0000_0040 | 0x001F_F800
        var writer = ByteWriter(capacity: Self.byteCount)
        writer.write(little: information & ~notOffered)
        writer.write(bytes: mcsSet)
        return writer.bytes
    }
}

/// What a radio can do with HE, as its driver reports it (IEEE 802.11ax-2021, 9.4.2.248).
public struct HECapabilities: Hashable, Sendable {
    /// HE MAC capabilities, 6 octets.
    public var mac: [UInt8]
    /// HE PHY capabilities, 11 octets.
    public var phy: [UInt8]
    /// The MCS and NSS set, of which the first 4 octets are for up to 80 MHz.
    public var mcsSet: [UInt8]
    /// PPE thresholds; may be longer than what counts of it.
    public var ppeThresholds: [UInt8]

    /// Makes capabilities of what nl80211 reports of a band for access points.
    /// - Parameters:
    ///   - mac: `NL80211_BAND_IFTYPE_ATTR_HE_CAP_MAC`.
    ///   - phy: `NL80211_BAND_IFTYPE_ATTR_HE_CAP_PHY`.
    ///   - mcsSet: `NL80211_BAND_IFTYPE_ATTR_HE_CAP_MCS_SET`.
    ///   - ppeThresholds: `NL80211_BAND_IFTYPE_ATTR_HE_CAP_PPE`.
    /// - Returns: nil when one of them is too short for what it says.
    public init?(mac: [UInt8], phy: [UInt8], mcsSet: [UInt8], ppeThresholds: [UInt8]) {
        guard mac.count == 6, phy.count == 11, mcsSet.count >= 4 else { return nil }
        self.mac = mac
        self.phy = phy
        self.mcsSet = mcsSet
        self.ppeThresholds = ppeThresholds
        guard let count = ppeThresholdsLength, ppeThresholds.count >= count else { return nil }
    }

    /// How many octets of the PPE thresholds count; nil when the first is missing.
    private var ppeThresholdsLength: Int? {
        guard phy[6] & 0x80 != 0 else { return 0 }
        return ppeThresholds.first.map(Self.ppeThresholdsLength)
    }

    /// How many octets PPE thresholds have that begin with this one (9.4.2.248.5).
    private static func ppeThresholdsLength(_ first: UInt8) -> Int {
        let units = (first >> 3 & 0x0F).nonzeroBitCount
        return (7 + 6 * units * (Int(first & 7) + 1) + 7) / 8
    }

    /// How many octets an element's body has by what stands in it; nil when it is shorter.
    static func byteCount(of body: RawSpan) -> Int? {
        // MAC and PHY capabilities.
        guard body.byteCount >= 6 + 11 else { return nil }
        let widths = body.unsafeLoad(fromByteOffset: 6, as: UInt8.self)
        let hasThresholds = body.unsafeLoad(fromByteOffset: 6 + 6, as: UInt8.self) & 0x80 != 0
        // An MCS and NSS set each for up to 80 MHz, for 160 MHz and for 80+80 MHz.
        var count = 6 + 11 + 4 + (widths & 0x08 != 0 ? 4 : 0) + (widths & 0x10 != 0 ? 4 : 0)
        if hasThresholds {
            guard body.byteCount > count else { return nil }
            count += ppeThresholdsLength(body.unsafeLoad(fromByteOffset: count, as: UInt8.self))
        }
        return body.byteCount < count ? nil : count
    }

    /// The element's body for a BSS of at most 80 MHz: nothing wider, and no beamforming.
    func body(channel: OperatingChannel) -> [UInt8] {
        var phy = phy
        switch channel.band {
        // Widths: 40 MHz in 2.4 GHz, then 40 and 80 MHz in 5 GHz, 160 MHz, 80+80 MHz.
        case .ghz2: phy[0] &= ~0x1E
        case .ghz5: phy[0] &= ~0x1A
        }
        // SU beamformer; SU beamformee and MU beamformer.
        phy[3] &= ~0x80
        phy[4] &= ~0x03
        return mac + phy + mcsSet.prefix(4) + ppeThresholds.prefix(ppeThresholdsLength ?? 0)
    }
}
