public import QRCode

/// A picture that is being drawn. What lies outside of it is left away.
public struct Canvas: ~Copyable {
    // Variables, because Swift 6.2 lets no init call a mutating method beside constants.
    /// Its size and colours.
    public private(set) var format: PictureFormat
    /// All of it.
    public var bounds: Rect { Rect(x: 0, y: 0, width: format.width, height: format.height) }

    /// The planes of `dark` and `accent`; both empty where pixels are words.
    private var dark: [UInt8] = []
    private var accent: [UInt8] = []
    private var words: [UInt16] = []
    private var bytesPerRow: Int

    /// What a pixel can be on planes.
    private enum Ink {
        case white
        case dark
        case accent
    }

    /// Makes a picture of one colour.
    /// - Parameters:
    ///   - format: its size and colours.
    ///   - background: the colour of every pixel.
    public init(format: PictureFormat, background: Color) {
        self.format = format
        bytesPerRow = Picture.bytesPerRow(format)
        switch format.depth {
        case .mono: dark = [UInt8](repeating: 0, count: format.height * bytesPerRow)
        case .accent:
            dark = [UInt8](repeating: 0, count: format.height * bytesPerRow)
            accent = dark
        case .rgb565: words = [UInt16](repeating: background.rgb565, count: format.width * format.height)
        }
        if format.depth != .rgb565, ink(background) != .white { fill(bounds, background) }
    }

    /// Ends the drawing.
    public consuming func picture() -> Picture {
        switch format.depth {
        case .mono: Picture(format: format, pixels: .planes(dark: dark, accent: nil))
        case .accent: Picture(format: format, pixels: .planes(dark: dark, accent: accent))
        case .rgb565: Picture(format: format, pixels: .rgb565(words))
        }
    }

    /// The nearest ink.
    private func ink(_ color: Color) -> Ink {
        let (white, black) = (color.distance(to: .white), color.distance(to: .black))
        if case .accent(let third) = format.depth, color.distance(to: third.color) < min(white, black) {
            return .accent
        }
        return black <= white ? .dark : .white
    }

    /// Fills a box.
    public mutating func fill(_ box: Rect, _ color: Color) {
        let box = box.intersection(bounds)
        guard box.width > 0, box.height > 0 else { return }
        if format.depth == .rgb565 {
            let word = color.rgb565
            for y in box.y..<box.bottom {
                let start = y * format.width
                for index in start + box.x..<start + box.right { words[index] = word }
            }
        } else {
            let ink = ink(color)
            for y in box.y..<box.bottom { setRow(y, box.x..<box.right, ink) }
        }
    }

    /// Sets columns of one row, a byte at a time.
    private mutating func setRow(_ y: Int, _ columns: Range<Int>, _ ink: Ink) {
        let (first, last) = (columns.lowerBound / 8, (columns.upperBound - 1) / 8)
        for byte in first...last {
            var mask: UInt8 = 0xFF
            if byte == first { mask &= 0xFF >> UInt8(columns.lowerBound % 8) }
            if byte == last { mask &= 0xFF << UInt8(7 - (columns.upperBound - 1) % 8) }
            set(y * bytesPerRow + byte, mask, ink)
        }
    }

    private mutating func set(_ byte: Int, _ mask: UInt8, _ ink: Ink) {
        if ink == .dark { dark[byte] |= mask } else { dark[byte] &= ~mask }
        guard !accent.isEmpty else { return }
        if ink == .accent { accent[byte] |= mask } else { accent[byte] &= ~mask }
    }

    /// Lays a colour over one pixel.
    /// - Parameters:
    ///   - x: the pixel's column.
    ///   - y: the pixel's row.
    ///   - color: what is laid over it.
    ///   - coverage: how much of the pixel is covered, 0 to 255; without shades half of it counts as all.
    mutating func blend(_ x: Int, _ y: Int, _ color: Color, coverage: UInt8) {
        guard x >= 0, y >= 0, x < format.width, y < format.height, coverage > 0 else { return }
        guard format.depth == .rgb565 else {
            if coverage >= 128 { set(y * bytesPerRow + x / 8, 0x80 >> UInt8(x % 8), ink(color)) }
            return
        }
        let index = y * format.width + x
        guard coverage < 255 else {
            words[index] = color.rgb565
            return
        }
        let below = Color(rgb565: words[index])
        let (over, under) = (UInt32(coverage), 255 - UInt32(coverage))
        func mix(_ a: UInt8, _ b: UInt8) -> UInt32 { (UInt32(a) * over + UInt32(b) * under + 127) / 255 }
        words[index] =
            Color(
                mix(color.red, below.red) << 16 | mix(color.green, below.green) << 8 | mix(color.blue, below.blue)
            ).rgb565
    }

    /// Draws the dark modules of a QR code; the light ones and the quiet zone are what is below.
    /// - Parameters:
    ///   - code: the code.
    ///   - x: the left edge of the symbol, without its quiet zone.
    ///   - y: the top edge of the symbol.
    ///   - module: pixels on each side of a module.
    ///   - color: the colour of the dark modules.
    public mutating func draw(_ code: borrowing QRCode, x: Int, y: Int, module: Int, _ color: Color) {
        for row in 0..<code.size {
            var column = 0
            while column < code.size {
                guard code.isDark(column, row) else {
                    column += 1
                    continue
                }
                var end = column
                while code.isDark(end, row) { end += 1 }
                fill(
                    Rect(x: x + column * module, y: y + row * module, width: (end - column) * module, height: module),
                    color)
                column = end
            }
        }
    }
}
