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
        // The drawing and the title make way for the advice.
        var page = page(step: 0)
        var step = 1
        while page.isCut, step <= Self.steps {
            page = self.page(step: step)
            step += 1
        }
        return page
    }

    private static let steps = 6

    private func page(step: Int) -> Part {
        let (style, format) = (composer.style, composer.format)
        let margin = max(style.margin, style.gap * 2)
        let (width, height) = (format.width - 2 * margin, format.height - 2 * margin)
        let wide = format.width * 3 >= format.height * 4
        let gap = wide ? style.gap * 4 : style.gap * 3
        let largest = wide ? min(height * 2 / 3, width / 4) : min(width, height) * 2 / 5
        let side = largest * (10 - step) / 10 | 1
        let room = wide ? width - side - gap : width
        let left = wide ? height : height - side - gap
        let smallest = max(10, style.base - step / 2)
        let title = smallest...max(smallest, style.base * (10 - step) / 5)
        let heading = composer.words(
            self.title, .bold, title, width: room, height: left, lines: step < 3 ? 3 : 5, centered: !wide)
        let least = max(style.isPaper ? 10 : 12, style.base - (step < 3 ? 1 : 3))
        let text = composer.words(
            advice, .regular, least...max(least, style.base + style.base / 3 - step), width: room,
            height: left - heading.height - style.gap * 2, lines: 9, centered: !wide, tone: .muted)
        let words = Part.column(
            [heading, text], gap: style.gap * 2, width: max(heading.width, text.width), centered: !wide)
        let all =
            wide
            ? Part.row(figure(side), words, gap: gap)
            : Part.column([figure(side), words], gap: gap, width: width, centered: true)
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
            var part = Part(width: side, height: side, Element(kind: .ring(left: left), box: square))
            let number = composer.words(
                "\(max(0, seconds))", .bold, 9...max(9, side / 2), width: side * 3 / 5, lines: 1, centered: true)
            part.add(number, x: (side - number.width) / 2, y: (side - number.height) / 2)
            return part
        }
    }
}
