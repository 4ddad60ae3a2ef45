public import Wire

/// The country element: which channels may be used, and how loud (IEEE 802.11-2020, 9.4.2.8).
public struct CountryElement: Hashable, Sendable {
    /// A run of channels with one limit.
    public struct Run: Hashable, Sendable {
        /// The first channel's number.
        public var first: UInt8
        /// How many channels.
        public var count: UInt8
        /// The highest power, in dBm.
        public var maximumPower: UInt8

        /// Makes a run.
        public init(first: UInt8, count: UInt8, maximumPower: UInt8) {
            self.first = first
            self.count = count
            self.maximumPower = maximumPower
        }
    }

    /// The country, as two letters in ASCII.
    public var code: [UInt8]
    /// The runs, by rising channel number.
    public var runs: [Run]

    /// Makes an element of the channels of one band that may be used.
    /// - Parameters:
    ///   - code: ISO 3166 alpha-2, two capital letters.
    ///   - band: the band the channels are of.
    ///   - channels: each channel's number and highest power in dBm.
    /// - Returns: nil for a code that is not two letters, or without a channel. The world's regulatory domain, `00`, is
    ///   not a country: a beacon says nothing then.
    public init?(code: String, band: RadioBand, channels: [(number: UInt8, maximumPower: UInt8)]) {
        let letters = Array(code.utf8)
        guard letters.count == 2, letters.allSatisfy({ (0x41...0x5A).contains($0) }), !channels.isEmpty else {
            return nil
        }
        self.code = letters
        let step: UInt8 = band == .ghz2 ? 1 : 4
        runs = []
        for channel in channels.sorted(by: { $0.number < $1.number }) {
            if let last = runs.last, last.maximumPower == channel.maximumPower, last.count < .max,
                Int(last.first) + Int(last.count) * Int(step) == Int(channel.number)
            {
                runs[runs.count - 1].count += 1
            } else {
                runs.append(Run(first: channel.number, count: 1, maximumPower: channel.maximumPower))
            }
        }
    }

    /// Appends the whole element; the third octet of the country says "any environment".
    public func write(into writer: inout ByteWriter) {
        var body = code + [0x20]
        for run in runs where body.count + 3 < maximumElementLength {
            body += [run.first, run.count, run.maximumPower]
        }
        // An even length, by an octet of padding.
        if body.count % 2 != 0 { body.append(0) }
        writer.write(element: .country, body: body)
    }
}
