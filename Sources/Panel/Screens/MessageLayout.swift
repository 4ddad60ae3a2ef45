import Raster

/// The screens without codes: a drawing, one thing said large, and what to do.
struct MessageLayout {
    let composer: Composer
    /// What is drawn large.
    enum Drawing {
        case icon(Icon, Style.Tone)
        /// Seconds that are left, of how many.
        case countdown(Int, of: Int)
    }

    let drawing: Drawing
    let title: String
    let advice: String

    func page() -> Part {
        let (style, format) = (composer.style, composer.format)
        let margin = max(style.margin, style.gap * 2)
        let (width, height) = (format.width - 2 * margin, format.height - 2 * margin)
        let wide = format.width * 3 >= format.height * 4
        let side = (wide ? min(height * 2 / 3, width / 4) : min(width, height) * 2 / 5) | 1
        let figure = figure(side)
        let room = wide ? width - side - style.gap * 4 : width
        let left = wide ? height : height - side - style.gap * 4
        let heading = composer.words(
            title, .bold, style.base...style.base * 2, width: room, height: left * 3 / 5, lines: 3, centered: !wide)
        let text = composer.words(
            advice, .regular, style.base - 1...style.base + style.base / 3, width: room,
            height: left - heading.height - style.gap, lines: 8, centered: !wide, tone: .muted)
        let words = Part.column([heading, text], gap: style.gap * 2, width: room, centered: !wide)
        let all =
            wide
            ? Part.row(figure, words, gap: style.gap * 4)
            : Part.column([figure, words], gap: style.gap * 4, width: width, centered: true)
        var result = Part(width: format.width, height: format.height)
        result.add(all, x: (format.width - all.width) / 2, y: (format.height - all.height) / 2)
        return result
    }

    private func figure(_ side: Int) -> Part {
        switch drawing {
        case .icon(let icon, let tone): return composer.icon(icon, side, tone)
        case .countdown(let seconds, let total):
            let square = Rect(x: 0, y: 0, width: side, height: side)
            let left = Float(max(0, min(seconds, total))) / Float(max(1, total))
            var part = Part(width: side, height: side, elements: [Element(kind: .ring(left: left), box: square)])
            let number = composer.words(
                "\(max(0, seconds))", .bold, 9...max(9, side / 2), width: side * 3 / 5, lines: 1, centered: true)
            part.add(number, x: (side - number.width) / 2, y: (side - number.height) / 2)
            return part
        }
    }
}
