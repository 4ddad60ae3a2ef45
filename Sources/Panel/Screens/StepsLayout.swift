import Raster

/// Arranges steps that are settled but for their places.
struct StepsLayout {
    /// How the parts of the steps lie.
    enum Arrangement: CaseIterable {
        /// Steps side by side, each with its words below its code.
        case columns
        /// Steps side by side, each with its words beside its code.
        case columnsBeside
        /// Steps above each other, each with its words beside its code.
        case rows
        /// Steps above each other, each with its words below its code.
        case rowsBelow
        /// Codes at both ends and the words in between.
        case between
    }

    private let composer: Composer
    private let steps: [Step]
    private let codes: [Part]
    private let sizes: Style.Sizes
    private let wording: Wording
    private let isTight: Bool

    private var style: Style { composer.style }
    private var gap: Int { composer.style.gap }
    /// A quiet zone on white paper is space enough around it.
    private var codeGap: Int { style.isPaper ? 0 : gap }

    /// - Parameters:
    ///   - composer: makes the parts.
    ///   - steps: the steps, in their order.
    ///   - module: pixels on each side of a code's module.
    ///   - tightness: how much the letters make way for the codes, from 0 to ``Style/tightest``.
    ///   - wording: how much is said.
    init(_ composer: Composer, _ steps: [Step], module: Int, tightness: Int, wording: Wording) {
        self.composer = composer
        self.steps = steps
        self.wording = wording
        isTight = tightness == Style.tightest
        codes = steps.map { composer.code($0.code, module: module) }
        sizes = composer.style.sizes(tightness: tightness)
    }

    /// Everything in its place, or nil where it does not fit.
    func arranged(_ arrangement: Arrangement, in body: Rect) -> Part? {
        // Most trials end here: their codes alone are too high, and words take long to set.
        let heights = codes.map { $0.height }
        let isStacked = arrangement == .rows || arrangement == .rowsBelow
        guard (isStacked ? heights.reduce(0, +) : heights.max() ?? 0) <= body.height else { return nil }
        switch arrangement {
        case .columns: return columns(body)
        case .columnsBeside:
            let width = (body.width - gap * (steps.count - 1)) / steps.count
            guard steps.count > 1, let parts = beside(width), parts.allSatisfy({ $0.height <= body.height }) else {
                return nil
            }
            var result = Part(width: body.width, height: body.height)
            for (index, part) in parts.enumerated() {
                result.add(
                    part, x: index * (width + gap) + (width - part.width) / 2, y: (body.height - part.height) / 2)
            }
            return result
        case .rows: return beside(body.width).flatMap { stacked($0, body) }
        case .rowsBelow: return steps.count > 1 ? below(body.width).flatMap { stacked($0, body) } : nil
        case .between:
            guard steps.count == 2 else { return nil }
            return between(body, Part(width: 0, height: 0))
        }
    }

    /// Codes at both ends of the whole panel, and in between their words and who is there.
    func around(_ people: StripContent, _ format: PictureFormat) -> Part? {
        guard steps.count == 2 else { return nil }
        let room = format.width - codes[0].width - codes[1].width
        guard room >= style.base * 4 else { return nil }
        let gap = max(2, style.base / 4)
        /// - Parameter mark: whether the sign of how the links are stands behind; a bad one else is the one before.
        func line(mark: Bool, lines: Int) -> Part {
            let sign = mark ? people.mark : nil
            let icon = sign == nil && people.isWorried ? Icon.warning : people.icon
            let text = composer.words(
                people.short, .regular, sizes.labels.lowerBound...style.base,
                width: room - (style.base + gap) * (sign == nil ? 1 : 2), lines: lines, centered: false)
            let line = Part.row(composer.icon(icon, style.base, .text), text, gap: gap)
            guard let sign else { return line }
            return Part.row(line, composer.icon(sign, style.base, people.isWorried ? .warning : .text), gap: gap)
        }
        var last = line(mark: true, lines: 1)
        if last.isCut { last = line(mark: false, lines: 1) }
        if last.isCut { last = line(mark: false, lines: 2) }
        return between(Rect(x: 0, y: 0, width: format.width, height: format.height), last)
    }

    /// Steps side by side, their headings, codes and words each at the same height.
    private func columns(_ body: Rect) -> Part? {
        let width = (body.width - gap * (steps.count - 1)) / steps.count
        guard codes.allSatisfy({ $0.width <= width }) else { return nil }
        let titles = composer.titles(steps, sizes.titles, width: width, lines: 1, centered: true)
        let details = details(width: width, lines: 2, centered: true)
        let rows = [titles, codes, details]
        let heights = rows.map { parts in parts.map { $0.height }.max() ?? 0 }
        let spare = body.height - heights.reduce(0, +)
        guard spare >= (isTight ? gap / 2 : gap * 2) else { return nil }
        // Paper around a code is space already, so there the rest goes above and below.
        let space = style.isPaper ? min(spare / 4, gap) : spare / 4
        var result = Part(width: body.width, height: body.height)
        for index in steps.indices {
            let x = index * (width + gap)
            var y = (spare - 2 * space) / 3
            for (height, parts) in zip(heights, rows) {
                result.add(parts[index], x: x + (width - parts[index].width) / 2, y: y)
                y += height + space
            }
        }
        return result
    }

    private func stacked(_ parts: [Part], _ body: Rect) -> Part? {
        let spare = body.height - parts.reduce(0) { $0 + $1.height }
        guard spare >= (isTight && style.isPaper ? 2 : gap * 2) * (parts.count - 1) + (isTight ? 0 : gap * 2) else {
            return nil
        }
        var result = Part(width: body.width, height: body.height)
        // More between the steps than at the edges.
        let edge = spare / (parts.count * 2)
        let space = parts.count > 1 ? (spare - 2 * edge) / (parts.count - 1) : 0
        var y = edge
        for part in parts {
            result.add(part, x: (body.width - part.width) / 2, y: y)
            y += part.height + space
        }
        return result
    }

    private func beside(_ width: Int) -> [Part]? {
        let space = style.isPaper ? 0 : gap * 2
        let widest = codes.map { $0.width }.max() ?? 0
        let room = width - widest - space
        guard room >= style.base * 4 else { return nil }
        // Rather the number above large words than all of it small in one line.
        let inline =
            max(sizes.titles.lowerBound, min(sizes.titles.upperBound, style.base - 1))...sizes.titles.upperBound
        var titles = composer.titles(steps, inline, width: room, lines: 1, centered: false)
        if titles.contains(where: { $0.isCut }) {
            titles = composer.titles(steps, sizes.titles, width: room, lines: 3, centered: false, stacked: true)
        }
        let details = details(width: room, lines: 4, centered: false)
        var parts: [Part] = []
        for index in steps.indices {
            let words = Part.column(
                [titles[index], details[index]], gap: gap * (wording == .full ? 2 : 1), width: room, centered: false)
            parts.append(Part.row(codes[index], words, gap: space))
        }
        return parts
    }

    private func below(_ width: Int) -> [Part]? {
        guard codes.allSatisfy({ $0.width <= width }) else { return nil }
        let titles = composer.titles(steps, sizes.titles, width: width, lines: 1, centered: true)
        let details = details(width: width, lines: 2, centered: true)
        return steps.indices.map {
            Part.column([titles[$0], codes[$0], details[$0]], gap: codeGap, width: width, centered: true)
        }
    }

    private func details(width: Int, lines: Int, centered: Bool) -> [Part] {
        steps.map {
            composer.details($0, sizes, wording, width: width, lines: lines, centered: centered)
        }
    }

    private func between(_ body: Rect, _ last: Part) -> Part? {
        let space = codes[0].width + codes[1].width
        let room = body.width - space - 2 * codeGap
        guard room >= style.base * 4 else { return nil }
        let edge = last.height > 0 ? style.margin : 0
        let titles = composer.titles(
            steps, sizes.titles, width: body.width / 2 - gap - edge, lines: 1, centered: false)
        let top = max(titles[0].height, titles[1].height)
        let words = Part.column(
            details(width: room, lines: 4, centered: true) + [last], gap: gap * 2, width: room, centered: true)
        let tallest = max(codes[0].height, codes[1].height)
        let spare = body.height - top - tallest - codeGap
        guard spare >= 0 else { return nil }
        let y = last.height > 0 ? min(spare, style.margin) : spare / 3
        // What is left below the headings.
        let (below, left) = (y + top + codeGap, body.height - y - top - codeGap)
        guard words.height + (isTight ? 1 : gap * 2) <= left else { return nil }
        var result = Part(width: body.width, height: body.height)
        result.add(titles[0], x: edge, y: y)
        result.add(titles[1], x: body.width - titles[1].width - edge, y: y)
        for (code, x) in zip(codes, [0, body.width - codes[1].width]) {
            result.add(code, x: x, y: below + (left - code.height) / 2)
        }
        result.add(words, x: codes[0].width + codeGap, y: below + (left - words.height + 1) / 2)
        return result
    }
}
