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
        let paragraph = typesetter.paragraph(string, weight, rightToLeft: isRightToLeft)
        return part(
            typesetter.set(
                paragraph, sizes: sizes, width: max(0, width), height: height, maximumLines: lines, balanced: centered),
            width: width, centered: centered, tone: tone)
    }

    /// A name, a passphrase or an address: in one line if it can be, however small.
    func name(
        _ string: String, _ weight: Font.Weight, _ sizes: ClosedRange<Int>, width: Int, lines: Int, centered: Bool
    ) -> Part {
        let paragraph = typesetter.paragraph(string, weight, rightToLeft: false, isName: true)
        var set: SetText?
        for count in 1...lines where set?.isCut ?? true {
            set = typesetter.set(paragraph, sizes: sizes, width: max(0, width), height: .max, maximumLines: count)
        }
        guard let set else { return Part(width: 0, height: 0) }
        return part(set, width: width, centered: centered, tone: .text)
    }

    private func part(_ set: SetText, width: Int, centered: Bool, tone: Style.Tone) -> Part {
        let width = min(width, set.width)
        let alignment: Alignment = centered ? .center : .left
        let box = Rect(x: 0, y: 0, width: width, height: set.height)
        return Part(
            width: width, height: set.height, elements: [Element(kind: .text(set, alignment, tone), box: box)])
    }

    /// A heading, behind the number of its step.
    func title(_ step: Step, width: Int, lines: Int, centered: Bool) -> Part {
        guard let number = step.number else {
            return words(step.title, .bold, style.titles, width: width, lines: lines, centered: centered)
        }
        let sizes = style.titles
        var result = Part(width: 0, height: 0)
        for size in sizes.reversed() {
            let side = badgeSide(size)
            let gap = max(2, size / 3)
            let text = words(
                step.title, .bold, size...size, width: width - side - gap, lines: lines, centered: false)
            result = Part.row(badge(number, size), text, gap: gap)
            if !text.isCut { break }
        }
        return result
    }

    /// Odd, so that the number can be in its middle.
    private func badgeSide(_ size: Int) -> Int { (size * 5 / 4) | 1 }

    private func badge(_ number: Int, _ size: Int) -> Part {
        let side = badgeSide(size)
        let paragraph = typesetter.paragraph("\(number)", .bold, rightToLeft: false)
        let digit = max(9, size * 7 / 8)
        let set = typesetter.set(paragraph, sizes: digit...digit, width: side, height: .max, maximumLines: 1)
        return Part(
            width: side, height: side,
            elements: [Element(kind: .badge(set), box: Rect(x: 0, y: 0, width: side, height: side))])
    }

    /// A code with its quiet zone.
    func code(_ code: QRCode, module: Int) -> Part {
        let side = Self.side(code, module)
        return Part(
            width: side, height: side,
            elements: [Element(kind: .code(code, module: module), box: Rect(x: 0, y: 0, width: side, height: side))])
    }

    /// Pixels on each side of a code with its quiet zone.
    static func side(_ code: QRCode, _ module: Int) -> Int {
        (code.size + 2 * QRCode.QuietZone.standard.rawValue) * module
    }

    func icon(_ icon: Icon, _ side: Int, _ tone: Style.Tone) -> Part {
        Part(
            width: side, height: side,
            elements: [Element(kind: .icon(icon, tone), box: Rect(x: 0, y: 0, width: side, height: side))])
    }

    /// What a step says in words.
    func details(_ step: Step, labelled: Bool, width: Int, lines: Int, centered: Bool) -> Part {
        let parts = step.details.map { detail -> Part in
            if labelled, let label = detail.label {
                return Part.column(
                    [
                        words(
                            texts[label], .regular, style.labels, width: width, lines: 1, centered: centered,
                            tone: .muted),
                        name(detail.value, .bold, style.values, width: width, lines: lines, centered: centered),
                    ], gap: 0, width: width, centered: centered)
            }
            let side = style.base
            guard let icon = detail.icon, detail.label != nil else {
                return name(detail.value, .regular, style.values, width: width, lines: lines, centered: centered)
            }
            let gap = max(2, style.base / 4)
            let value = name(
                detail.value, .bold, style.values, width: width - side - gap, lines: lines, centered: false)
            return Part.row(self.icon(icon, side, .text), value, gap: gap)
        }
        let gap = labelled ? max(1, style.gap / 2) : 0
        return Part.column(parts, gap: gap, width: width, centered: centered)
    }

    /// One line of what is going on, at the foot of the panel.
    func strip(_ content: StripContent, width: Int) -> Part {
        let loud = content.isWarning
        let padding = max(2, style.gap)
        let tone: Style.Tone = loud ? .onWarning : .text
        let side = style.base + (style.isPaper ? 0 : 2)
        let inner = width - 2 * padding
        let sizes = max(9, style.base - 2)...style.base
        let iconGap = max(3, style.base / 3)

        var trailing = Part(width: 0, height: 0)
        if let mark = content.mark {
            trailing = icon(mark, side, content.isWorried ? .warning : style.isPaper ? .text : .accent)
            if let note = content.note {
                let text = words(
                    note, .regular, sizes, width: max(0, inner / 2 - side - iconGap), lines: 1, centered: false,
                    tone: .muted)
                if !text.isCut { trailing = Part.row(trailing, text, gap: iconGap) }
            }
        }
        let room = inner - side - iconGap - (trailing.width > 0 ? trailing.width + iconGap : 0)
        var text = words(
            content.text, loud ? .bold : .regular, sizes, width: room, lines: 1, centered: false, tone: tone)
        if text.isCut {
            text = words(content.text, .regular, sizes, width: room, lines: 3, centered: false, tone: tone)
        }
        let line = Part.row(icon(content.icon, side, tone), text, gap: iconGap)
        let height = max(line.height, trailing.height) + (style.isPaper && !loud ? 2 : max(2, style.gap))
        var result = Part(width: width, height: height)
        if loud || !style.isPaper {
            result.elements.append(
                Element(
                    kind: .ground(loud ? .warning : .surface, radius: style.isPaper ? 0 : style.gap),
                    box: Rect(x: 0, y: 0, width: width, height: height)))
        } else {
            result.elements.append(
                Element(kind: .ground(.text, radius: 0), box: Rect(x: 0, y: 0, width: width, height: 1)))
        }
        result.add(line, x: padding, y: (height - line.height + 1) / 2)
        if trailing.width > 0 {
            result.add(trailing, x: width - padding - trailing.width, y: (height - trailing.height + 1) / 2)
        }
        return result
    }
}

/// A step that people take with their phones.
struct Step {
    struct Detail {
        var label: Texts.Key?
        var icon: Icon?
        var value: String
    }

    /// Its place, where there is more than one.
    var number: Int?
    var title: String
    var code: QRCode
    var details: [Detail]
}

/// What the foot of the panel says.
struct StripContent {
    var icon: Icon
    var text: String
    /// Whether it has to be seen before everything else.
    var isWarning = false
    /// A sign at the end of the line.
    var mark: Icon?
    /// Whether that sign is a bad one.
    var isWorried = false
    /// The sign in words, where there is room.
    var note: String?
}
