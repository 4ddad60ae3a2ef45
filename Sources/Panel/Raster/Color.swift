/// A colour as a person means it; a canvas shows the nearest that its panel has.
public struct Color: Hashable, Sendable {
    /// How much red, from 0 to 255.
    public let red: UInt8
    /// How much green, from 0 to 255.
    public let green: UInt8
    /// How much blue, from 0 to 255.
    public let blue: UInt8

    /// Makes a colour.
    /// - Parameter rgb: red in bits 16 to 23, green in 8 to 15, blue in 0 to 7.
    public init(_ rgb: UInt32) {
        red = UInt8(truncatingIfNeeded: rgb >> 16)
        green = UInt8(truncatingIfNeeded: rgb >> 8)
        blue = UInt8(truncatingIfNeeded: rgb)
    }

    /// Paper.
    public static let white = Color(0xFFFFFF)
    /// Ink.
    public static let black = Color(0x000000)

    /// Red in bits 16 to 23, green in 8 to 15, blue in 0 to 7.
    public var rgb: UInt32 { UInt32(red) << 16 | UInt32(green) << 8 | UInt32(blue) }

    /// The nearest of 65,536 colours.
    public var rgb565: UInt16 { UInt16(red & 0xF8) << 8 | UInt16(green & 0xFC) << 3 | UInt16(blue) >> 3 }

    /// What a pixel of 16 bits is; the lowest bits are filled so that white is white.
    public init(rgb565 word: UInt16) {
        let (r, g, b) = (UInt32(word >> 11), UInt32(word >> 5 & 63), UInt32(word & 31))
        self.init((r << 3 | r >> 2) << 16 | (g << 2 | g >> 4) << 8 | (b << 3 | b >> 2))
    }

    /// How far apart two colours are, as the square of a distance.
    func distance(to other: Color) -> Int {
        let (r, g, b) = (
            Int(red) - Int(other.red), Int(green) - Int(other.green), Int(blue) - Int(other.blue)
        )
        return r * r + g * g + b * b
    }
}

extension PictureFormat.Accent {
    /// How it is shown where it has to be seen on another screen.
    public var color: Color {
        switch self {
        case .red: Color(0xC8102E)
        case .yellow: Color(0xF2C200)
        }
    }
}
