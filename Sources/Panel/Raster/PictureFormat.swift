/// What a panel can show: how many pixels, and which colours each may have.
public struct PictureFormat: Hashable, Sendable {
    /// The colours of a pixel.
    public enum Depth: Hashable, Sendable {
        /// White and black.
        case mono
        /// White, black and one colour more, as e-paper has it.
        case accent(Accent)
        /// 5 bits of red, 6 of green, 5 of blue.
        case rgb565
    }

    /// The third colour of an e-paper.
    public enum Accent: String, Hashable, Sendable, CaseIterable {
        case red
        case yellow
    }

    /// Pixels in a row.
    public let width: Int
    /// Rows.
    public let height: Int
    /// The colours of each pixel.
    public let depth: Depth

    /// Makes a format.
    /// - Parameters:
    ///   - width: pixels in a row, at least 1.
    ///   - height: rows, at least 1.
    ///   - depth: the colours of a pixel.
    public init(width: Int, height: Int, depth: Depth) {
        precondition(width > 0 && height > 0)
        self.width = width
        self.height = height
        self.depth = depth
    }

    /// The format of the same panel seen after a turn.
    public func turned(_ turn: Turn) -> PictureFormat {
        switch turn {
        case .none, .half: self
        case .quarter, .threeQuarters: PictureFormat(width: height, height: width, depth: depth)
        }
    }
}

/// How far a picture is turned, clockwise, before the panel shows it: a panel may hang on its side or upside down.
public enum Turn: Int, Hashable, Sendable, CaseIterable {
    case none = 0
    case quarter = 90
    case half = 180
    case threeQuarters = 270
}
