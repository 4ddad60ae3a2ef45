extension QRCode {
    /// The largest scale ``png(scale:quietZone:)`` takes, in pixels a module: 5,920 pixels a side at most.
    public static let maximumScale = 32

    /// Draws the code as a PNG file of one bit a pixel (RFC 2083).
    /// - Parameters:
    ///   - scale: pixels on each side of a module; a value outside 1 to ``maximumScale`` counts as the nearest.
    ///   - quietZone: the light border around the symbol.
    public func png(scale: Int = 8, quietZone: QuietZone = .standard) -> [UInt8] {
        let scale = min(max(scale, 1), Self.maximumScale)
        let border = quietZone.rawValue
        let width = (size + 2 * border) * scale

        var file = PNGWriter(width: width, height: width, colors: .gray1)
        for y in -border..<size + border {
            // Grayscale 1 is white.
            var row = [UInt8](repeating: 0, count: (width + 7) / 8)
            for pixel in 0..<width where !isDark(pixel / scale - border, y) {
                row[pixel / 8] |= 0x80 >> UInt8(pixel % 8)
            }
            for _ in 0..<scale { file.append(row) }
        }
        return file.finish()
    }
}
