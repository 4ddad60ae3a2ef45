/// Which files hold the letters.
public struct Fonts: Hashable, Sendable {
    /// The file of the upright letters.
    public var regular: String
    /// The file of the bold letters.
    public var bold: String

    /// Names two files of fonts.
    public init(regular: String, bold: String) {
        self.regular = regular
        self.bold = bold
    }

    /// DejaVu Sans: Latin, Greek, Cyrillic, Hebrew, Arabic and many signs; hinted for few pixels.
    public static let dejaVu = Fonts(
        regular: "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
        bold: "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf")
}

/// Which of the two files, and how large.
public struct Font: Hashable, Sendable {
    /// The strength of the letters.
    public enum Weight: Int, Hashable, Sendable {
        case regular
        case bold
    }

    /// The strength of the letters.
    public var weight: Weight
    /// Pixels of an em.
    public var size: Int

    /// Chooses letters.
    public init(_ weight: Weight, _ size: Int) {
        self.weight = weight
        self.size = size
    }

    /// From the top of a line to its baseline: room for capitals with accents.
    public var ascent: Int { (size * 15 + 8) / 16 }
    /// From the top of a line to the next one's.
    public var lineHeight: Int { ascent + (size + 2) / 4 }
    /// How high a capital is.
    public var capHeight: Int { (size * 73 + 50) / 100 }
}

/// Why nothing can be written on a panel.
public enum FontError: Error, Equatable, CustomStringConvertible {
    /// A font is not there or cannot be read.
    case unreadable(String)
    /// A library that letters are drawn with is not there.
    case missingLibrary(String)
    /// FreeType could not begin: no memory.
    case outOfMemory

    /// The reason in words, and what to do.
    public var description: String {
        switch self {
        case .unreadable(let path):
            "the panel's font \(path) is missing or broken: install Debian's package fonts-dejavu-core"
        case .missingLibrary(let name):
            "\(name), with which the panel draws, is missing: install Debian's packages libfreetype6, libfribidi0 and libqrencode4"
        case .outOfMemory: "no memory for the panel's fonts"
        }
    }
}
