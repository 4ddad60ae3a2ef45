import Wire

/// The rates of a BSS or a station without HT, in units of 500 kb/s (IEEE 802.11-2020, 9.4.2.3, 9.4.2.12).
public struct SupportedRates: Hashable, Sendable {
    /// The highest bit of a rate: every station must have it.
    public static let basic: UInt8 = 0x80
    /// Selectors in place of a rate, which say what a station must be able to do (Table 9-93); they are no rates.
    private static let firstSelector: UInt8 = 122

    /// The octets as they are on the air: the rate, with ``basic`` set where it is one.
    public var octets: [UInt8]

    /// Makes rates of their octets.
    public init(octets: [UInt8]) { self.octets = octets }

    /// Makes the rates of a BSS of what a radio offers. Basic are those of 802.11b in 2.4 GHz (11 Mb/s and below) and
    /// 6, 12 and 24 Mb/s in 5 GHz, which every station of the band has.
    /// - Parameters:
    ///   - hundredKilobits: the radio's rates, in units of 100 kb/s, as nl80211 gives them.
    ///   - band: where the BSS is.
    public init(hundredKilobits: [Int], band: RadioBand) {
        octets = hundredKilobits.compactMap { rate -> UInt8? in
            guard rate > 0, rate % 5 == 0, let value = UInt8(exactly: rate / 5), value < Self.firstSelector else {
                return nil
            }
            let isBasic =
                switch band {
                case .ghz2: rate <= 110 && rate != 60 && rate != 90
                case .ghz5: rate == 60 || rate == 120 || rate == 240
                }
            return isBasic ? value | Self.basic : value
        }
    }

    /// The rates, in units of 500 kb/s, without marks and selectors.
    public var values: Set<UInt8> {
        Set(octets.map { $0 & ~Self.basic }.filter { $0 > 0 && $0 < Self.firstSelector })
    }

    /// The basic ones among them.
    public var basicValues: Set<UInt8> {
        Set(octets.filter { $0 & Self.basic != 0 }.map { $0 & ~Self.basic }.filter { $0 < Self.firstSelector })
    }

    /// Whether a rate beyond 802.11b is among them (OFDM, from 6 Mb/s; 11 Mb/s and 5.5 Mb/s are CCK).
    public var hasOFDM: Bool { values.contains { $0 != 2 && $0 != 4 && $0 != 11 && $0 != 22 } }

    /// Appends the supported rates element: the first eight.
    func writeFirst(into writer: inout ByteWriter) {
        writer.write(element: .supportedRates, body: octets.prefix(8))
    }

    /// Appends the extended supported rates element, if there are more than eight.
    func writeRest(into writer: inout ByteWriter) {
        guard octets.count > 8 else { return }
        writer.write(element: .extendedSupportedRates, body: octets.dropFirst(8))
    }
}
