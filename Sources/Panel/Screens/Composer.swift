import QRCode
import Raster

/// Makes the parts that screens are put together of. Everything is laid out from left to right; where lines begin at the
/// right the whole is mirrored at the end.
struct Composer {
    let format: PictureFormat
    let style: Style
    let texts: Texts
    let typesetter: Typesetter

    init(_ format: PictureFormat, _ texts: Texts, _ typesetter: Typesetter) {
        self.format = format
        style = Style(format)
        self.texts = texts
        self.typesetter = typesetter
    }

    var isRightToLeft: Bool { texts.language.isRightToLeft }

    /// Words of the panel's language.
    func words(
        _ string: String, _ weight: Font.Weight, _ sizes: ClosedRange<Int>, width: Int, height: Int = .max, lines: Int,
        centered: Bool, tone: Style.Tone = .text
    ) -> Part {
        let paragraph = typesetter.paragraph(ordered(string), weight, rightToLeft: isRightToLeft)
        return part(
            typesetter.set(
                paragraph, sizes: sizes, width: max(0, width), height: height, maximumLines: lines, balanced: centered),
            width: width, centered: centered, tone: tone)
    }

    /// A name or an error of another script keeps its own order: its full stop stands behind it, not before.
    private func ordered(_ string: String) -> String {
        let isForeign = isRightToLeft && !string.unicodeScalars.contains { (0x590...0x5FF).contains($0.value) }
        return isForeign ? Paragraph.isolated(string) : string
    }

    /// A name, a passphrase or an address: in one line if it can be, in thinner letters if it must be.
    func name(
        _ string: String, _ weight: Font.Weight, _ sizes: ClosedRange<Int>, width: Int, lines: Int, centered: Bool
    ) -> Part {
        // Two lines are better than one that is hard to read.
        let comfortable = min(sizes.upperBound, max(sizes.lowerBound, style.base - 2))
        var set: SetText?
        for least in Set([comfortable, sizes.lowerBound]).sorted(by: >) {
            for count in 1...lines {
                for weight in Set([weight, .regular]).sorted(by: { $0.rawValue > $1.rawValue })
                where set?.isCut ?? true {
                    set = typesetter.set(
                        typesetter.paragraph(string, weight, rightToLeft: false, isName: true),
                        sizes: least...sizes.upperBound, width: max(0, width), height: .max, maximumLines: count)
                }
            }
        }
        guard let set else { return Part(width: 0, height: 0) }
        return part(set, width: width, centered: centered, tone: .text)
    }

    private func part(_ set: SetText, width: Int, centered: Bool, tone: Style.Tone) -> Part {
        let width = min(width, set.width)
        let alignment: Alignment = centered ? .center : .left
        let box = Rect(x: 0, y: 0, width: width, height: set.height)
        return Part(width: width, height: set.height, Element(kind: .text(set, alignment, tone), box: box))
    }

    /// Headings, each behind the number of its step, all in the same size.
    /// - Parameters:
    ///   - steps: the steps.
    ///   - sizes: of the letters.
    ///   - width: how long a line may be.
    ///   - lines: how many lines each may have.
    ///   - centered: whether lines are in the middle.
    ///   - stacked: whether the number stands above the words rather than before them.
    func titles(
        _ steps: [Step], _ sizes: ClosedRange<Int>, width: Int, lines: Int, centered: Bool, stacked: Bool = false
    ) -> [Part] {
        var result: [Part] = []
        for size in sizes.reversed() {
            result = steps.map { title($0, size, width: width, lines: lines, centered: centered, stacked: stacked) }
            if !result.contains(where: { $0.isCut }) { break }
        }
        return result
    }

    private func title(
        _ step: Step, _ size: Int, width: Int, lines: Int, centered: Bool, stacked: Bool
    ) -> Part {
        let badge = step.number.map { self.badge($0, size) } ?? Part(width: 0, height: 0)
        let gap = badge.width > 0 ? max(2, size / 3) : 0
        let room = stacked ? width : width - badge.width - gap
        // Bold Hebrew runs together where it is drawn in few pixels.
        let weight: Font.Weight = isRightToLeft && style.isPaper && size < 12 ? .regular : .bold
        let text = words(
            step.title, weight, size...size, width: room, lines: lines, centered: centered && badge.width == 0)
        return stacked
            ? Part.column([badge, text], gap: gap / 2, width: width, centered: centered)
            : Part.row(badge, text, gap: gap)
    }

    /// Odd, so that the number can be in its middle.
    private func badgeSide(_ size: Int) -> Int { (size * 5 / 4) | 1 }

    private func badge(_ number: Int, _ size: Int) -> Part {
        let side = badgeSide(size)
        let paragraph = typesetter.paragraph("\(number)", .bold, rightToLeft: false)
        let digit = max(9, size * 7 / 8)
        let set = typesetter.set(paragraph, sizes: digit...digit, width: side, height: .max, maximumLines: 1)
        return Part(
            width: side, height: side, Element(kind: .badge(set), box: Rect(x: 0, y: 0, width: side, height: side)))
    }

    /// A code with its quiet zone.
    func code(_ code: QRCode, module: Int) -> Part {
        let side = Self.side(code, module)
        return Part(
            width: side, height: side,
            Element(kind: .code(code, module: module), box: Rect(x: 0, y: 0, width: side, height: side)))
    }

    /// Pixels on each side of a code with its quiet zone.
    static func side(_ code: QRCode, _ module: Int) -> Int {
        (code.size + 2 * QRCode.QuietZone.standard.rawValue) * module
    }

    func icon(_ icon: Icon, _ side: Int, _ tone: Style.Tone) -> Part {
        Part(
            width: side, height: side,
            Element(kind: .icon(icon, tone), box: Rect(x: 0, y: 0, width: side, height: side)))
    }

    /// What a step says in words.
    /// - Parameters:
    ///   - step: the step.
    ///   - sizes: of the letters.
    ///   - wording: how much is said.
    ///   - width: how long a line may be.
    ///   - lines: how many lines each may have.
    ///   - centered: whether lines are in the middle.
    func details(_ step: Step, _ sizes: Style.Sizes, _ wording: Wording, width: Int, lines: Int, centered: Bool) -> Part
    {
        let labelled = wording == .full
        let side = style.base
        let indent = side + max(2, side / 4)
        func value(_ detail: Step.Detail, _ weight: Font.Weight, _ sizes: ClosedRange<Int>) -> Part {
            name(
                detail.value, weight, sizes, width: labelled ? width : width - indent, lines: lines,
                centered: centered && labelled)
        }
        // What has to be typed is all in the same letters.
        let fonts = step.details.filter { $0.label != nil }.flatMap { value($0, .bold, sizes.values).fonts }
        let common = sizes.values.lowerBound...(fonts.map { $0.size }.min() ?? sizes.values.upperBound)
        let weight: Font.Weight = fonts.contains { $0.weight == .regular } ? .regular : .bold
        var parts = step.details.map { detail -> Part in
            guard let label = detail.label else {
                if wording == .least { return Part(width: 0, height: 0) }
                let least = min(sizes.labels.upperBound, sizes.values.lowerBound)
                let most = max(least, min(side, sizes.values.upperBound))
                return name(detail.value, .regular, least...most, width: width, lines: lines, centered: centered)
            }
            let value = value(detail, weight, common)
            guard labelled else { return Part.row(icon(detail.icon, side, .text), value, gap: indent - side) }
            let heading = words(
                texts[label], .regular, sizes.labels, width: width, lines: 1, centered: centered, tone: .muted)
            return Part.column([heading, value], gap: 0, width: width, centered: centered)
        }
        if labelled, let title = step.name {
            // It may be as long as its owner likes: it is left out rather than cut.
            let part = name(title, .bold, sizes.values, width: width, lines: 2, centered: centered)
            if !part.isCut { parts.insert(part, at: 0) }
        }
        if labelled, let hint = step.hint {
            parts.append(
                words(hint, .regular, sizes.labels, width: width, lines: 6, centered: centered, tone: .muted))
        }
        return Part.column(parts, gap: labelled ? max(1, style.gap / 2) : 0, width: width, centered: centered)
    }

    /// One line of what is going on, at the foot of the panel.
    func strip(_ content: StripContent, width: Int) -> Part {
        let loud = content.isWarning
        let padding = max(3, style.gap)
        let tone: Style.Tone = loud ? .onWarning : .text
        let side = style.base + (style.isPaper ? 0 : 2)
        let gap = max(3, style.base / 3)
        let room = width - 2 * padding - side - gap
        let sizes = max(9, style.base - 2)...style.base

        func text(_ string: String, width: Int, lines: Int = 1) -> Part {
            let bold = words(string, .bold, sizes, width: width, lines: 1, centered: false, tone: tone)
            if loud, !bold.isCut { return bold }
            return words(string, .regular, sizes, width: width, lines: lines, centered: false, tone: tone)
        }
        var trailing = Part(width: 0, height: 0)
        var leading = Part(width: 0, height: 0)
        if let mark = content.mark {
            let sign = icon(mark, side, content.isWorried ? .warning : style.isPaper ? .text : .accent)
            trailing = sign
            leading = text(content.text, width: room - side - gap)
            if let note = content.note, !leading.isCut {
                let left = room - leading.width - 2 * gap - side - gap
                let words = words(note, .regular, sizes, width: left, lines: 1, centered: false, tone: .muted)
                if !words.isCut { trailing = Part.row(sign, words, gap: gap) }
            }
            if leading.isCut { leading = text(content.short, width: room - side - gap) }
        } else {
            leading = text(content.text, width: room)
            if leading.isCut { leading = text(content.short, width: room) }
        }
        if leading.isCut {
            leading = text(content.text, width: trailing.width > 0 ? room - trailing.width - gap : room, lines: 4)
        }
        if let advice = content.advice {
            let words = words(advice, .regular, sizes, width: room, lines: 4, centered: false, tone: tone)
            leading = Part.column([leading, words], gap: max(1, style.gap / 2), width: room, centered: false)
        }
        let line = Part.row(icon(content.icon, side, tone), leading, gap: gap)
        let height = max(line.height, trailing.height) + (style.isPaper ? 3 : style.gap)
        var result = Part(width: width, height: height)
        if loud || !style.isPaper {
            result.add(
                Element(
                    kind: .ground(loud ? .warning : .surface, radius: style.isPaper ? 0 : style.gap),
                    box: Rect(x: 0, y: 0, width: width, height: height)))
        } else {
            result.add(
                Element(kind: .ground(.text, radius: 0), box: Rect(x: 0, y: 0, width: width, height: 1)))
        }
        result.add(line, x: padding, y: (height - line.height + 1) / 2)
        if trailing.width > 0 {
            result.add(trailing, x: width - padding - trailing.width, y: (height - trailing.height + 1) / 2)
        }
        return result
    }
}

/// How much is said beside the codes.
enum Wording: CaseIterable {
    /// The room's name, and each word with its meaning above it.
    case full
    /// Each word with a sign before it.
    case brief
    /// Only what has to be typed where a phone cannot scan.
    case least

    /// What it is worth against larger letters and codes.
    var worth: Float {
        switch self {
        case .full: 0.6
        case .brief: 0
        case .least: -1
        }
    }
}

/// A step that people take with their phones.
struct Step {
    struct Detail {
        /// What it is; nil where that can be seen.
        var label: Texts.Key?
        var icon = Icon.wifi
        var value: String
    }

    /// Its place, where there is more than one.
    var number: Int?
    var title: String
    var code: QRCode
    var details: [Detail]
    /// The room's name, where there is room for it.
    var name: String?
    /// What else has to be known, where there is room for it.
    var hint: String?
}

/// What the foot of the panel says.
struct StripContent {
    var icon: Icon
    var text: String
    /// The same in few letters.
    var short: String
    /// Whether it has to be seen before everything else.
    var isWarning = false
    /// A sign at the end of the line.
    var mark: Icon?
    /// Whether that sign is a bad one.
    var isWorried = false
    /// The sign in words, where there is room.
    var note: String?
    /// What to do, in lines of its own.
    var advice: String?
}
