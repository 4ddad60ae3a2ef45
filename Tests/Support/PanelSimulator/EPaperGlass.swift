import Raster

/// The ink of an e-paper: where it is in each pixel, and how far voltages have moved it.
public struct EPaperGlass: Sendable {
    /// What a pixel, or the border, shows when its ink came to rest.
    public enum Ink: Hashable, Sendable {
        case white, black, accent
        /// Between white and black.
        case grey
    }

    /// What a waveform does to the pixels that it is for.
    enum Effect {
        /// Nothing: the pixel keeps what it shows.
        case keep
        /// One of the panel's own waveforms: ends at this ink wherever it began.
        case put(Ink)
        /// Voltages in their order: milliseconds to black (positive) or to white (negative).
        case drive([Int])
    }

    /// How long ink takes from one colour to the other, in milliseconds.
    static let travel = 200
    /// How much more of one voltage than of the other a pixel may have got, in milliseconds, before it suffers.
    static let chargeLimit = 1000
    private static let accentPosition = Int16.max

    let format: PictureFormat
    /// Milliseconds from white for each pixel.
    private var positions: [Int16]
    private var charges: [Int16]
    /// What the border shows.
    public private(set) var border = Ink.grey

    /// A glass as it comes: its ink lies anyhow.
    init(_ format: PictureFormat) {
        self.format = format
        positions = (0..<format.width * format.height).map { Int16($0 &* 7919 % (Self.travel + 1)) }
        charges = Array(repeating: 0, count: positions.count)
    }

    /// Drives every pixel, and the border.
    /// - Parameters:
    ///   - effects: by code; what the waveforms do.
    ///   - border: what is done to the border.
    ///   - code: which effect is a pixel's.
    mutating func refresh(_ effects: [Effect], border: Effect, code: (_ x: Int, _ y: Int) -> Int?) {
        switch border {
        case .keep: break
        case .put(let ink): self.border = ink
        case .drive(let pulses): self.border = Self.ink(Self.moved(0, by: pulses).position)
        }
        for y in 0..<format.height {
            for x in 0..<format.width {
                guard let code = code(x, y) else { continue }
                let index = y * format.width + x
                switch effects[code] {
                case .keep: break
                case .put(.white): positions[index] = 0
                case .put(.black): positions[index] = Int16(Self.travel)
                case .put(.accent): positions[index] = Self.accentPosition
                case .put(.grey): positions[index] = Int16(Self.travel / 2)
                case .drive(let pulses):
                    let (position, charge) = Self.moved(Int(positions[index]), by: pulses)
                    positions[index] = Int16(position)
                    charges[index] = Int16(clamping: Int(charges[index]) + charge)
                }
            }
        }
    }

    /// Where ink goes, and how much more of one voltage than of the other it got.
    private static func moved(_ start: Int, by pulses: [Int]) -> (position: Int, charge: Int) {
        var position = min(start, travel)
        var charge = 0
        for pulse in pulses {
            position = min(max(position + pulse, 0), travel)
            charge += pulse
        }
        return (position, charge)
    }

    private static func ink(_ position: Int) -> Ink {
        if position > travel { return .accent }
        return position <= travel / 10 ? .white : position >= travel - travel / 10 ? .black : .grey
    }

    /// A refresh that was cut off: every other row got nothing of it.
    func torn(before: EPaperGlass) -> EPaperGlass {
        var torn = self
        for y in stride(from: 0, to: format.height, by: 2) {
            let row = y * format.width..<(y + 1) * format.width
            torn.positions.replaceSubrange(row, with: before.positions[row])
        }
        torn.border = .grey
        return torn
    }

    /// Pixels that are neither of their colours.
    var greyPixels: Int { positions.count { Self.ink(Int($0)) == .grey } }

    /// Pixels that suffered from one-sided voltages.
    var spoiltPixels: Int { charges.count { abs(Int($0)) > Self.chargeLimit } }

    /// What a person sees; grey pixels count as white.
    var picture: Picture {
        let stride = Picture.bytesPerRow(format)
        var dark = [UInt8](repeating: 0, count: stride * format.height)
        var accent = dark
        for y in 0..<format.height {
            for x in 0..<format.width {
                let position = positions[y * format.width + x]
                guard position >= Self.travel - Self.travel / 10 else { continue }
                let bit = UInt8(0x80) >> UInt8(x % 8)
                if position > Self.travel { accent[y * stride + x / 8] |= bit } else { dark[y * stride + x / 8] |= bit }
            }
        }
        return Picture(format: format, pixels: .planes(dark: dark, accent: format.depth == .mono ? nil : accent))
    }
}
