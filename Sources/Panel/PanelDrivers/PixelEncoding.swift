/// How a pixel's colour goes over the wire.
enum PixelEncoding: Sendable {
    /// 16 bits, the high byte first.
    case rgb565
    /// 18 bits: a byte each of red, green and blue, the colour in its six highest bits.
    case rgb666

    /// Bytes of one pixel.
    var bytes: Int {
        switch self {
        case .rgb565: 2
        case .rgb666: 3
        }
    }

    /// The bytes of pixels.
    /// - Parameters:
    ///   - pixels: a picture's RGB565 words.
    ///   - range: which of them.
    func encode(_ pixels: [UInt16], _ range: Range<Int>) -> [UInt8] {
        let pixels = pixels.span
        return [UInt8](unsafeUninitializedCapacity: range.count * bytes) { buffer, count in
            count = buffer.count
            switch self {
            case .rgb565:
                for index in 0..<range.count {
                    let pixel = pixels[range.lowerBound + index]
                    buffer[index &* 2] = UInt8(truncatingIfNeeded: pixel >> 8)
                    buffer[index &* 2 &+ 1] = UInt8(truncatingIfNeeded: pixel)
                }
            case .rgb666:
                for index in 0..<range.count {
                    let pixel = pixels[range.lowerBound + index]
                    // Red and blue have one bit less than the wire: the highest is repeated as the lowest, so that white is
                    // white (as the controllers' own tables for 16 bits have it).
                    let red = UInt8(truncatingIfNeeded: pixel >> 11)
                    let green = UInt8(truncatingIfNeeded: pixel >> 5) & 0x3F
                    let blue = UInt8(truncatingIfNeeded: pixel) & 0x1F
                    buffer[index &* 3] = (red << 3) | (red >> 4) << 2
                    buffer[index &* 3 &+ 1] = green << 2
                    buffer[index &* 3 &+ 2] = (blue << 3) | (blue >> 4) << 2
                }
            }
        }
    }
}
