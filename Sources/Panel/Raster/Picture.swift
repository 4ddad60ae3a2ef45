/// One picture, pixel by pixel, in the form panels take it.
public struct Picture: Equatable, Sendable {
    /// The pixels, row by row from the top left.
    public enum Pixels: Equatable, Sendable {
        /// One bit a pixel, the leftmost in a byte's highest bit; each row begins with a new byte, and the bits behind a
        /// row's last pixel are 0. A bit of `dark` is 1 where the pixel is black; a bit of `accent`, nil without a third
        /// colour, is 1 where it has that. No pixel is both.
        case planes(dark: [UInt8], accent: [UInt8]?)
        /// One word a pixel: red in the five highest bits, then green, then blue.
        case rgb565([UInt16])
    }

    /// Its size and colours.
    public let format: PictureFormat
    /// What each pixel is.
    public let pixels: Pixels

    /// Makes a picture.
    /// - Parameters:
    ///   - format: its size and colours.
    ///   - pixels: as many as the format has, in its form.
    public init(format: PictureFormat, pixels: Pixels) {
        switch (pixels, format.depth) {
        case (.planes(let dark, nil), .mono):
            precondition(dark.count == format.height * Self.bytesPerRow(format))
        case (.planes(let dark, let accent?), .accent):
            precondition(dark.count == format.height * Self.bytesPerRow(format) && accent.count == dark.count)
        case (.rgb565(let words), .rgb565):
            precondition(words.count == format.width * format.height)
        default:
            preconditionFailure("these are not pixels of that format")
        }
        self.format = format
        self.pixels = pixels
    }

    /// Bytes of one row of a plane.
    public static func bytesPerRow(_ format: PictureFormat) -> Int { (format.width + 7) / 8 }
}
