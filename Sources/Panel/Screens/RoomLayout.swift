import QRCode
import Raster

/// The screen of a room: one or two codes with their words, and who is there.
///
/// How the parts are arranged is found by trial: every arrangement with every size of module that the panel can have, and
/// the one that reads best is taken. So a panel of another size needs no line of code.
struct RoomLayout {
    private let composer: Composer
    private let screen: RoomScreen
    private let steps: [Step]

    private var style: Style { composer.style }
    private var gap: Int { composer.style.gap }

    /// How the parts of the steps lie.
    private enum Arrangement: CaseIterable {
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

    private struct Candidate {
        var part: Part
        var score: Float
    }

    init(_ composer: Composer, _ screen: RoomScreen) {
        self.composer = composer
        self.screen = screen
        var steps: [Step] = []
        let texts = composer.texts
        if let wifi = screen.wifi, let code = try? QRCode(text: wifi.code) {
            steps.append(
                Step(
                    number: 1, title: texts[.joinWiFi], code: code,
                    details: [
                        .init(label: .network, icon: .wifi, value: wifi.ssid),
                        .init(label: .password, icon: .key, value: wifi.passphrase),
                    ]))
        }
        if let code = try? QRCode(text: screen.link) {
            let details = screen.address.map { [Step.Detail(label: nil, icon: nil, value: $0)] } ?? []
            let alone = steps.isEmpty
            steps.append(
                Step(
                    number: alone ? nil : 2, title: texts[alone ? .scanToJoin : .openRoom], code: code,
                    details: details))
        }
        self.steps = steps
    }

    /// One page, or one for each step.
    func pages() -> [Part] {
        if steps.count < 2 || fits(steps) { return [page(steps, number: nil)] }
        return steps.indices.map { page([steps[$0]], number: $0) }
    }

    private func fits(_ steps: [Step]) -> Bool {
        let foot = foot(steps)
        return best(steps, body(foot), from: style.minimumModule, cut: false) != nil
    }

    private func foot(_ steps: [Step]) -> Part {
        let width = composer.format.width - 2 * style.margin
        let strips = strips().map { composer.strip($0, width: width) }
        return Part.column(strips, gap: max(1, gap / 2), width: width, centered: false)
    }

    /// What is left above the foot.
    private func body(_ foot: Part) -> Rect {
        Rect(
            x: style.margin, y: style.margin, width: composer.format.width - 2 * style.margin,
            height: composer.format.height - 2 * style.margin - foot.height - (style.isPaper ? 0 : gap / 2))
    }

    private func strips() -> [StripContent] {
        let texts = composer.texts
        var strips: [StripContent] = []
        if let trouble = screen.troubles.first {
            strips.append(
                StripContent(icon: .warning, text: texts.trouble(trouble).sentence, isWarning: true))
        }
        if let limit = screen.full {
            strips.append(StripContent(icon: .phone, text: texts.full(limit), isWarning: true))
        } else {
            let missing = screen.people.healthy < screen.people.count
            strips.append(
                StripContent(
                    icon: .people, text: texts.people(screen.people.count),
                    mark: screen.people.count > 0 ? (missing ? .warning : .check) : nil, isWorried: missing,
                    note: texts.links(screen.people)))
        }
        let small = min(composer.format.width, composer.format.height) < 200
        return small ? Array(strips.prefix(1)) : strips
    }

    private func page(_ steps: [Step], number: Int?) -> Part {
        let foot = foot(steps)
        let body = body(foot)
        var result = Part(width: composer.format.width, height: composer.format.height)
        let found = best(steps, body, from: 1, cut: false) ?? best(steps, body, from: 1, cut: true)
        if let found { result.add(found.part, x: body.x, y: body.y) }
        result.add(foot, x: style.margin, y: composer.format.height - style.margin - foot.height)
        return result
    }

    /// The best arrangement of steps in a box.
    /// - Parameters:
    ///   - steps: the steps.
    ///   - body: the box.
    ///   - least: pixels of a module, at least.
    ///   - cut: whether texts may be cut.
    private func best(_ steps: [Step], _ body: Rect, from least: Int, cut: Bool) -> Candidate? {
        var best: Candidate?
        let smallest = steps.map { $0.code.size }.min() ?? 21
        let most = max(body.width, body.height) / (smallest + 2 * QRCode.QuietZone.standard.rawValue)
        guard most >= least else { return nil }
        for module in stride(from: most, through: least, by: -1) {
            // Smaller modules are no gain when the letters are as they should be.
            if let best, best.score >= 8.5 * Float(min(module, style.goodModule)) / Float(style.goodModule) + 4 {
                break
            }
            for arrangement in Arrangement.allCases {
                for labelled in [true, false] {
                    guard let part = arrange(steps, arrangement, module, labelled, body), cut || !part.isCut else {
                        continue
                    }
                    let score = score(part, module, labelled)
                    if score > best?.score ?? -1 { best = Candidate(part: part, score: score) }
                }
            }
        }
        return best
    }

    private func score(_ part: Part, _ module: Int, _ labelled: Bool) -> Float {
        let good = style.goodModule
        var score = 8 * Float(min(module, good)) / Float(good) + Float(max(0, module - good)) * 0.5
        if labelled { score += 1 }
        var sizes: Float = 0
        var count: Float = 0
        for element in part.elements {
            guard case .text(let text, _, _) = element.kind else { continue }
            sizes += Float(min(text.size, style.base + 2)) / Float(style.base)
            if text.lineCount > 1 { sizes -= 0.15 * Float(text.lineCount - 1) }
            count += 1
        }
        return score + (count > 0 ? 2 * sizes / count : 0)
    }

    private func arrange(
        _ steps: [Step], _ arrangement: Arrangement, _ module: Int, _ labelled: Bool, _ body: Rect
    ) -> Part? {
        switch arrangement {
        case .columns: columns(steps, module, labelled, body)
        case .columnsBeside:
            cells(steps, body, width: (body.width - gap * (steps.count - 1)) / steps.count, horizontal: true) {
                beside($0, module, labelled, $1)
            }
        case .rows: cells(steps, body, width: body.width, horizontal: false) { beside($0, module, labelled, $1) }
        case .rowsBelow:
            steps.count < 2
                ? nil : cells(steps, body, width: body.width, horizontal: false) { below($0, module, labelled, $1) }
        case .between: steps.count == 2 ? between(steps, module, labelled, body) : nil
        }
    }

    /// Steps side by side, their headings, codes and words each at the same height.
    private func columns(_ steps: [Step], _ module: Int, _ labelled: Bool, _ body: Rect) -> Part? {
        let width = (body.width - gap * (steps.count - 1)) / steps.count
        let titles = steps.map { composer.title($0, width: width, lines: 1, centered: true) }
        let codes = steps.map { composer.code($0.code, module: module) }
        let details = steps.map {
            composer.details($0, labelled: labelled, width: width, lines: 2, centered: true)
        }
        func tallest(_ parts: [Part]) -> Int { parts.map { $0.height }.max() ?? 0 }
        let heights = [titles, codes, details].map(tallest)
        let spare = body.height - heights.reduce(0, +)
        guard codes.allSatisfy({ $0.width <= width }), spare >= (style.isPaper ? 0 : gap) else { return nil }
        // Evenly above, between and below; a quiet zone of white paper is space enough.
        let space = spare / 4
        var result = Part(width: body.width, height: body.height)
        for index in steps.indices {
            let x = index * (width + gap)
            var y = space
            for (row, parts) in [titles, codes, details].enumerated() {
                let part = parts[index]
                let drop = row == 1 ? (heights[row] - part.height) / 2 : 0
                result.add(part, x: x + (width - part.width) / 2, y: y + drop)
                y += heights[row] + space
            }
        }
        return result
    }

    private func cells(
        _ steps: [Step], _ body: Rect, width: Int, horizontal: Bool, _ make: (Step, Int) -> Part?
    ) -> Part? {
        var parts: [Part] = []
        for step in steps {
            guard let part = make(step, width), part.width <= width else { return nil }
            parts.append(part)
        }
        var result = Part(width: body.width, height: body.height)
        if horizontal {
            guard parts.allSatisfy({ $0.height <= body.height }) else { return nil }
            for (index, part) in parts.enumerated() {
                result.add(
                    part, x: index * (width + gap) + (width - part.width) / 2, y: (body.height - part.height) / 2)
            }
        } else {
            let spare = body.height - parts.reduce(0) { $0 + $1.height }
            guard spare >= (style.isPaper ? 0 : gap * (parts.count - 1)) else { return nil }
            var y = spare / (parts.count + 1)
            for part in parts {
                result.add(part, x: (width - part.width) / 2, y: y)
                y += part.height + spare / (parts.count + 1)
            }
        }
        return result
    }

    private func beside(_ step: Step, _ module: Int, _ labelled: Bool, _ width: Int) -> Part? {
        let code = composer.code(step.code, module: module)
        let space = style.isPaper ? 0 : gap * 2
        let room = width - code.width - space
        guard room >= style.base * 4 else { return nil }
        let title = composer.title(step, width: room, lines: 3, centered: false)
        let details = composer.details(step, labelled: labelled, width: room, lines: 4, centered: false)
        let words = Part.column([title, details], gap: gap * 2, width: room, centered: false)
        guard words.height <= max(code.height, style.base * 8) else { return nil }
        return Part.row(code, words, gap: space)
    }

    private func below(_ step: Step, _ module: Int, _ labelled: Bool, _ width: Int) -> Part? {
        let code = composer.code(step.code, module: module)
        guard code.width <= width else { return nil }
        return Part.column(
            [
                composer.title(step, width: width, lines: 1, centered: true), code,
                composer.details(step, labelled: labelled, width: width, lines: 2, centered: true),
            ], gap: style.isPaper ? 0 : gap, width: width, centered: true)
    }

    private func between(_ steps: [Step], _ module: Int, _ labelled: Bool, _ body: Rect) -> Part? {
        let codes = steps.map { composer.code($0.code, module: module) }
        let room = body.width - codes[0].width - codes[1].width
        guard room >= style.base * 4 else { return nil }
        let titles = steps.map { composer.title($0, width: body.width / 2 - gap, lines: 1, centered: false) }
        let top = max(titles[0].height, titles[1].height)
        let words = Part.column(
            steps.map { composer.details($0, labelled: labelled, width: room, lines: 4, centered: true) }, gap: gap * 2,
            width: room, centered: true)
        let tallest = max(codes[0].height, codes[1].height)
        guard top + tallest <= body.height, words.height <= body.height - top else { return nil }
        let spare = body.height - top - tallest
        var result = Part(width: body.width, height: body.height)
        result.add(titles[0], x: 0, y: spare / 3)
        result.add(titles[1], x: body.width - titles[1].width, y: spare / 3)
        let y = top + spare * 2 / 3
        result.add(codes[0], x: 0, y: y + (tallest - codes[0].height) / 2)
        result.add(codes[1], x: body.width - codes[1].width, y: y + (tallest - codes[1].height) / 2)
        result.add(words, x: codes[0].width, y: top + (body.height - top - words.height) / 2)
        return result
    }
}
