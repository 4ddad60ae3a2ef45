/// A band that phones know.
public enum RadioBand: Hashable, Sendable {
    /// 2.4 GHz, channels 1 to 14.
    case ghz2
    /// 5 GHz, channels 36 to 177.
    case ghz5
}

/// How much of a band a BSS uses (IEEE 802.11-2020, 11.16, 11.40).
public enum ChannelWidth: UInt8, Hashable, Sendable, Comparable {
    /// 20 MHz, without HT.
    case mhz20NoHT = 0
    /// 20 MHz.
    case mhz20 = 1
    /// 40 MHz.
    case mhz40 = 2
    /// 80 MHz.
    case mhz80 = 3

    /// The order of widths.
    public static func < (left: ChannelWidth, right: ChannelWidth) -> Bool { left.rawValue < right.rawValue }

    /// The width in MHz.
    public var megahertz: Int {
        switch self {
        case .mhz20NoHT, .mhz20: 20
        case .mhz40: 40
        case .mhz80: 80
        }
    }
}

/// Where a BSS is: its primary channel and the width around it.
public struct OperatingChannel: Hashable, Sendable {
    /// The band.
    public let band: RadioBand
    /// The primary channel's number.
    public let number: UInt8
    /// How much is used around it.
    public let width: ChannelWidth

    /// Makes a channel.
    /// - Parameters:
    ///   - frequency: the primary channel's centre, in MHz.
    ///   - width: how much is used around it. In 2.4 GHz never more than 20 MHz is: there are three channels for all
    ///     neighbours together.
    /// - Returns: nil where there is no such channel, or none of that width around it (IEEE 802.11-2020, Annex E).
    public init?(frequency: Int, width: ChannelWidth) {
        switch frequency {
        case 2412...2472 where (frequency - 2407) % 5 == 0:
            self.init(band: .ghz2, number: UInt8((frequency - 2407) / 5), width: width)
        case 2484: self.init(band: .ghz2, number: 14, width: width)
        case 5180...5885 where (frequency - 5000) % 5 == 0:
            self.init(band: .ghz5, number: UInt8((frequency - 5000) / 5), width: width)
        default: return nil
        }
    }

    private init?(band: RadioBand, number: UInt8, width: ChannelWidth) {
        self.band = band
        self.number = number
        self.width = width
        switch band {
        case .ghz2: guard width <= .mhz20 else { return nil }
        case .ghz5:
            guard Self.places.contains(number) else { return nil }
            // Groups start at 36, 100 and 149; 165 has no partner below 169 in most countries' rules, and 173 and 177
            // form the last pair of 40 MHz.
            guard width < .mhz80 || number < 165 else { return nil }
            guard width < .mhz40 || number != 165 else { return nil }
        }
    }

    private static let places: Set<UInt8> = Set(
        Array(stride(from: UInt8(36), through: 64, by: 4)) + Array(stride(from: UInt8(100), through: 144, by: 4))
            + Array(stride(from: UInt8(149), through: 177, by: 4)))

    /// The primary channel's centre, in MHz.
    public var frequency: Int { Self.frequency(band: band, number: Int(number)) }

    /// The centre of all that is used, in MHz.
    public var centerFrequency: Int { Self.frequency(band: band, number: centerNumber) }

    /// The centre of all that is used, as a channel number.
    public var centerNumber: Int {
        switch width {
        case .mhz20NoHT, .mhz20: Int(number)
        case .mhz40: Int(number) + 2 * secondaryOffset
        case .mhz80: Int(number) - placeInGroup(of: 4) * 4 + 6
        }
    }

    /// Where the secondary channel of 40 MHz is: 1 above, -1 below, 0 when there is none.
    public var secondaryOffset: Int {
        switch width {
        case .mhz20NoHT, .mhz20: 0
        case .mhz40, .mhz80: placeInGroup(of: 2) == 0 ? 1 : -1
        }
    }

    private func placeInGroup(of count: Int) -> Int {
        let number = Int(number)
        let first = number >= 149 ? 149 : number >= 100 ? 100 : 36
        return (number - first) / 4 % count
    }

    private static func frequency(band: RadioBand, number: Int) -> Int {
        switch band {
        case .ghz2: number == 14 ? 2484 : 2407 + 5 * number
        case .ghz5: 5000 + 5 * number
        }
    }
}
