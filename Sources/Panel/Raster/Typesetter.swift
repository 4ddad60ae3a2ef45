/// Sets lines of text while a picture is drawn: fonts, and the glyphs they gave so far. It is made for one picture, so
/// that nothing of it stays in memory.
public final class Typesetter {
    private let regular: FontFace
    private let bold: FontFace
    let shades: Bool

    /// A layout is found by trial, so the same words are wanted again and again.
    private var paragraphs: [ParagraphKey: Paragraph] = [:]
    private var settings: [SettingKey: SetText] = [:]

    private struct ParagraphKey: Hashable {
        var string: String
        var weight: Font.Weight
        var isRightToLeft: Bool
        var isName: Bool
    }

    private struct SettingKey: Hashable {
        var paragraph: ParagraphKey
        var sizes: ClosedRange<Int>
        var width: Int
        var height: Int
        var maximumLines: Int
        var isBalanced: Bool
    }

    /// Opens the fonts.
    /// - Parameters:
    ///   - fonts: their files.
    ///   - shades: whether the edges of letters may be between two colours; else each pixel is all or nothing.
    /// - Throws: ``FontError`` when a file is missing or no font.
    public init(_ fonts: Fonts, shades: Bool) throws(FontError) {
        let library = try FontLibrary()
        regular = try FontFace(fonts.regular, library)
        bold = try FontFace(fonts.bold, library)
        self.shades = shades
    }

    func face(_ weight: Font.Weight) -> FontFace {
        switch weight {
        case .regular: regular
        case .bold: bold
        }
    }

    /// Breaks a text into lines.
    /// - Parameters:
    ///   - text: the text.
    ///   - size: pixels of an em.
    ///   - width: how long a line may be.
    ///   - anywhere: whether a word that is longer may be broken between any two letters.
    /// - Returns: the lines, or nil when a word is too long.
    func lines(of text: Paragraph, size: Int, width: Int, anywhere: Bool) -> [Range<Int>]? {
        var lines: [Range<Int>] = []
        var start = 0
        /// The last place where the line may end, and where the next would begin: behind the spaces.
        var place: (end: Int, next: Int)?
        var length = 0
        var index = 0
        while index < text.count {
            let advance = text.advance(index, size: size)
            if length + advance > width, !text.isSpace(index), index > start {
                if let found = place {
                    lines.append(start..<found.end)
                    start = found.next
                } else if anywhere {
                    lines.append(start..<index)
                    start = index
                } else {
                    return nil
                }
                (place, length, index) = (nil, 0, start)
                continue
            }
            guard advance <= width || text.isSpace(index) else { return nil }
            length += advance
            if text.isSpace(index) {
                if index > start { place = (place?.next == index ? place?.end ?? index : index, index + 1) }
            } else if text.mayBreak(after: index) {
                place = (index + 1, index + 1)
            }
            index += 1
        }
        var end = text.count
        while end > start, text.isSpace(end - 1) { end -= 1 }
        lines.append(start..<end)
        return lines
    }

    /// Sets a text as large as fits.
    ///
    /// It becomes smaller first, then words are broken, and as the last resort its end is left away.
    /// - Parameters:
    ///   - text: the text.
    ///   - sizes: pixels of an em, from the least that can be read to what looks best.
    ///   - width: how long a line may be.
    ///   - height: how high all lines together may be.
    ///   - maximumLines: how many lines it may have.
    ///   - balanced: whether lines of about the same length are wanted, as in a title.
    public func set(
        _ text: Paragraph, sizes: ClosedRange<Int>, width: Int, height: Int, maximumLines: Int = 9,
        balanced: Bool = false
    ) -> SetText {
        let paragraph = ParagraphKey(
            string: text.string, weight: text.weight, isRightToLeft: text.isRightToLeft, isName: text.isName)
        let key = SettingKey(
            paragraph: paragraph, sizes: sizes, width: width, height: height, maximumLines: maximumLines,
            isBalanced: balanced)
        if let known = settings[key] { return known }
        let result = settled(
            text, sizes: sizes, width: width, height: height, maximumLines: maximumLines, balanced: balanced)
        settings[key] = result
        return result
    }

    private func settled(
        _ text: Paragraph, sizes: ClosedRange<Int>, width: Int, height: Int, maximumLines: Int, balanced: Bool
    ) -> SetText {
        // A name rather becomes smaller than it is broken between any two letters.
        for anywhere in text.isName ? [false, true] : [false] {
            for size in sizes.reversed() {
                if let lines = fitting(text, size, width, height, maximumLines, anywhere: anywhere) {
                    let best = balanced && lines.count > 1 ? self.balanced(text, size, width, lines) : lines
                    return SetText(text: text, size: size, lines: best, isCut: false)
                }
            }
        }
        let size = sizes.lowerBound
        if let lines = fitting(text, size, width, height, maximumLines, anywhere: true) {
            return SetText(text: text, size: size, lines: lines, isCut: true)
        }
        // As much of its beginning as fits, found by halves.
        var best = SetText(text: text, size: size, lines: [], isCut: true)
        let ends = Array(text.string.indices)
        var (low, high) = (0, ends.count)
        while low < high {
            let middle = (low + high) / 2
            var rest = text.string[..<ends[middle]]
            while rest.last == " " { rest.removeLast() }
            let shorter = Paragraph(
                rest + "…", text.weight, rightToLeft: text.isRightToLeft, isName: text.isName, face: face(text.weight))
            if let lines = fitting(shorter, size, width, height, maximumLines, anywhere: true) {
                best = SetText(text: shorter, size: size, lines: lines, isCut: true)
                low = middle + 1
            } else {
                high = middle
            }
        }
        return best
    }

    /// Analyses a text.
    /// - Parameters:
    ///   - string: what it says.
    ///   - weight: the strength of its letters.
    ///   - rightToLeft: whether its lines begin at the right.
    ///   - isName: whether it is a name or an address rather than words.
    public func paragraph(
        _ string: String, _ weight: Font.Weight, rightToLeft: Bool, isName: Bool = false
    ) -> Paragraph {
        let key = ParagraphKey(string: string, weight: weight, isRightToLeft: rightToLeft, isName: isName)
        if let known = paragraphs[key] { return known }
        let result = Paragraph(string, weight, rightToLeft: rightToLeft, isName: isName, face: face(weight))
        paragraphs[key] = result
        return result
    }

    private func fitting(
        _ text: Paragraph, _ size: Int, _ width: Int, _ height: Int, _ maximumLines: Int, anywhere: Bool
    ) -> [Range<Int>]? {
        let most = min(maximumLines, height / Font(text.weight, size).lineHeight)
        guard most > 0, let lines = lines(of: text, size: size, width: width, anywhere: anywhere), lines.count <= most
        else { return nil }
        return lines
    }

    /// The narrowest lines that are no more than `lines`.
    private func balanced(_ text: Paragraph, _ size: Int, _ width: Int, _ lines: [Range<Int>]) -> [Range<Int>] {
        var best = lines
        var (low, high) = (width / lines.count, width)
        while low < high {
            let middle = (low + high) / 2
            if let found = self.lines(of: text, size: size, width: middle, anywhere: false),
                found.count <= lines.count
            {
                (best, high) = (found, middle)
            } else {
                low = middle + 1
            }
        }
        return best
    }
}

/// A text whose size and lines are settled.
public struct SetText {
    let text: Paragraph
    /// Pixels of an em.
    public let size: Int
    let lines: [Range<Int>]
    /// Whether a part of it is missing, or a word is broken that should not be.
    public let isCut: Bool

    /// How many lines it has.
    public var lineCount: Int { lines.count }
    /// Letters and size.
    public var font: Font { Font(text.weight, size) }
    /// How high all its lines are together.
    public var height: Int { lines.count * font.lineHeight }
    /// What it says.
    public var string: String { text.string }
    /// Whether its lines begin at the right.
    public var isRightToLeft: Bool { text.isRightToLeft }
    /// Whether it is a name, an address or a word to type.
    public var isName: Bool { text.isName }

    /// How long its longest line is.
    public var width: Int { lines.map(width(of:)).max() ?? 0 }

    func width(of line: Range<Int>) -> Int { line.reduce(0) { $0 + text.advance($1, size: size) } }
}

/// Where lines are within their box.
public enum Alignment: Sendable {
    case left
    case center
    case right
}

extension Canvas {
    /// Draws a text.
    /// - Parameters:
    ///   - text: the text.
    ///   - box: its lines begin at the top of it, and go no further than its width.
    ///   - alignment: where the lines are in the box.
    ///   - color: the colour of the letters.
    ///   - typesetter: has the fonts.
    public mutating func draw(
        _ text: SetText, in box: Rect, _ alignment: Alignment, _ color: Color, _ typesetter: Typesetter
    ) {
        let face = typesetter.face(text.text.weight)
        var baseline = box.y + text.font.ascent
        for line in text.lines {
            let width = text.width(of: line)
            var x =
                switch alignment {
                case .left: box.x
                case .center: box.x + (box.width - width) / 2
                case .right: box.right - width
                }
            for index in text.text.visualOrder(line) {
                if let bitmap = face.bitmap(text.text.glyphs[index], size: text.size, shades: typesetter.shades) {
                    draw(bitmap, x: x + bitmap.left, y: baseline - bitmap.top, color)
                }
                x += text.text.advance(index, size: text.size)
            }
            baseline += text.font.lineHeight
        }
    }

    private mutating func draw(_ bitmap: FontFace.Bitmap, x: Int, y: Int, _ color: Color) {
        for row in 0..<bitmap.height {
            for column in 0..<bitmap.width {
                blend(x + column, y + row, color, coverage: bitmap.coverage[row * bitmap.width + column])
            }
        }
    }
}
