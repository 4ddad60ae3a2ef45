import Raster

/// The measures and colours of one kind of panel: e-paper is white with black letters, a TFT the other way about, so that
/// it dazzles nobody in a dark room.
struct Style {
    /// What something is drawn in.
    enum Tone {
        /// The ground.
        case ground
        /// Letters.
        case text
        /// Letters that are less important.
        case muted
        /// What catches the eye.
        case accent
        /// Letters on that.
        case onAccent
        /// What is wrong.
        case warning
        /// Letters on that.
        case onWarning
        /// A calm ground of its own.
        case surface
        /// What a code lies on.
        case paper
        /// The code itself.
        case ink
    }

    /// The letters' size, in pixels of an em, that others are derived from.
    let base: Int
    /// Between what is apart.
    let gap: Int
    /// To the edge of the panel.
    let margin: Int
    /// Pixels of a module that can still be scanned from a hand's distance.
    let minimumModule: Int
    /// Pixels of a module beyond which larger letters are worth more.
    let goodModule: Int
    let isPaper: Bool
    private let depth: PictureFormat.Depth

    init(_ format: PictureFormat) {
        let side = min(format.width, format.height)
        depth = format.depth
        isPaper = depth != .rgb565
        // A pixel of e-paper is about 0.2 mm, one of a small TFT half of that.
        // Below 11 nothing can be read, however small the panel.
        base = max(11, isPaper ? 8 + side / 32 : 6 + side / 24)
        gap = max(2, side / 40)
        margin = max(3, side / 40)
        minimumModule = isPaper ? 2 : 3
        goodModule = isPaper ? 4 : 5
    }

    /// The sizes of letters, from the least that can be read to what looks best.
    struct Sizes {
        /// Names and passphrases, which people type.
        let values: ClosedRange<Int>
        /// The headings of steps.
        let titles: ClosedRange<Int>
        /// What stands beside.
        let labels: ClosedRange<Int>
    }

    /// The sizes for a room.
    /// - Parameter tightness: how much the letters make way for the codes, from 0 to ``tightest``.
    func sizes(tightness: Int) -> Sizes {
        let least = isPaper ? 10 : base - 3
        let most = max(least, [base + 3, base - 1, (base - 1 + least) / 2, least][tightness])
        // What stands beside is never larger.
        let label = min(most, max(9, tightness == 0 ? base - 1 : base - 3))
        return Sizes(values: least...most, titles: least...most, labels: min(label, max(9, base - 4))...label)
    }

    static let tightest = 3

    func color(_ tone: Tone) -> Color {
        switch depth {
        case .rgb565:
            switch tone {
            case .ground: Color(0x081018)
            case .text: Color(0xEEF3F1)
            case .muted: Color(0xA6B4B0)
            case .accent: Color(0x3FC9B9)
            case .onAccent: Color(0x06231F)
            case .warning: Color(0xFBBF6B)
            case .onWarning: Color(0x2B1B02)
            case .surface: Color(0x182830)
            case .paper: .white
            case .ink: .black
            }
        case .mono:
            switch tone {
            case .ground, .onAccent, .onWarning, .surface, .paper: .white
            case .text, .muted, .accent, .warning, .ink: .black
            }
        case .accent(let third):
            switch tone {
            case .ground, .surface, .paper: .white
            case .text, .muted, .ink: .black
            case .accent, .warning: third.color
            // Yellow is too light to carry white letters.
            case .onAccent, .onWarning: third == .yellow ? .black : .white
            }
        }
    }
}
