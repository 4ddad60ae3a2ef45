import QRCode
import Raster

/// The screen of a room: one or two codes with their words, and who is there.
///
/// How the parts are arranged is found by trial: every arrangement with every size of module that the panel can have, and
/// the one that reads best is taken. So a panel of another size needs no line of code.
struct RoomLayout {
    let composer: Composer
    private let screen: RoomScreen
    private let steps: [Step]
    /// Whether the foot says what to do about what is wrong.
    private var advises = false
    /// Whether the foot leaves out who is there where something is wrong.
    private var isBrief = false

    private var style: Style { composer.style }
    private var format: PictureFormat { composer.format }

    init(_ composer: Composer, _ screen: RoomScreen) {
        self.composer = composer
        self.screen = screen
        let texts = composer.texts
        var steps: [Step] = []
        if let wifi = screen.wifi, let code = try? QRCode(text: wifi.code) {
            steps.append(
                Step(
                    number: 1, title: texts[.joinWiFi], code: code,
                    details: [
                        .init(label: .network, icon: .wifi, value: wifi.ssid),
                        .init(label: .password, icon: .lock, value: wifi.passphrase),
                    ]))
        }
        if let code = try? QRCode(text: screen.link) {
            let alone = steps.isEmpty
            steps.append(
                Step(
                    number: alone ? nil : 2, title: texts[alone ? .scanToJoin : .openRoom], code: code,
                    details: screen.address.map { [Step.Detail(label: nil, value: $0)] } ?? [],
                    name: screen.name, hint: alone ? texts[.sameNetwork] : nil))
        }
        self.steps = steps
    }

    /// One page, or one for each step. What to do about what is wrong is said where the codes lose nothing by it.
    func pages() -> [Part] {
        let plain = arranged()
        guard let trouble = screen.troubles.first, !composer.texts.trouble(trouble).advice.isEmpty else { return plain }
        var copy = self
        copy.advises = true
        guard !copy.foot().isCut else { return plain }
        let advised = copy.arranged()
        let keepsCodes =
            advised.count == plain.count && advised.brokenNames <= plain.brokenNames
            && zip(advised, plain).allSatisfy { $0.modules == $1.modules && (!$0.isCut || $1.isCut) }
        return keepsCodes ? advised : plain
    }

    /// What has to be typed is easily mistaken where it is broken, and nobody types how many people there are.
    private func arranged() -> [Part] {
        let plain = inPlace()
        let broken = plain.brokenNames
        // On an upright panel it is the width that lacks.
        guard broken > 0, !isBrief, format.width >= format.height, !screen.troubles.isEmpty, screen.full == nil else {
            return plain
        }
        var copy = self
        copy.isBrief = true
        let brief = copy.inPlace()
        let keepsCodes =
            brief.count == plain.count
            && zip(brief, plain).allSatisfy { zip($0.modules, $1.modules).allSatisfy { $0 >= $1 } }
        return keepsCodes && brief.brokenNames < broken ? brief : plain
    }

    private func inPlace() -> [Part] {
        // No code holds a text that long.
        if steps.isEmpty { return [Part(width: format.width, height: format.height)] }
        if steps.count < 2 { return [page(steps)] }
        if let found = best(steps, from: style.minimumModule, cut: false) { return [found] }
        return steps.map { page([$0]) }
    }

    private func page(_ steps: [Step]) -> Part {
        best(steps, from: style.minimumModule, cut: false) ?? best(steps, from: style.minimumModule, cut: true)
            ?? best(steps, from: 1, cut: true) ?? Part(width: format.width, height: format.height)
    }

    /// The best arrangement of steps.
    /// - Parameters:
    ///   - steps: the steps.
    ///   - least: pixels of a module, at least.
    ///   - cut: whether texts may be cut.
    private func best(_ steps: [Step], from least: Int, cut: Bool) -> Part? {
        let strips = foot()
        let body = body(under: strips.height)
        let people = calm()
        let quiet = 2 * QRCode.QuietZone.standard.rawValue
        let most = max(format.width, format.height) / ((steps.map { $0.code.size }.min() ?? 21) + quiet)
        guard most >= least else { return nil }
        var best: (part: Part, score: Float)?
        func take(_ part: Part?, _ score: (Part) -> Float, finish: (Part) -> Part) {
            guard let part, cut || !part.isCut else { return }
            let score = score(part)
            if score > best?.score ?? -1 { best = (finish(part), score) }
        }
        for module in stride(from: most, through: least, by: -1) {
            let worth = worth(of: module)
            // With smaller modules it can only become worse.
            if let best, best.score >= worth + Self.mostForWords + Wording.full.worth { break }
            for tightness in 0...Style.tightest {
                for wording in Wording.allCases {
                    if let best, best.score >= worth + Self.mostForWords + wording.worth { continue }
                    let steps = StepsLayout(composer, steps, module: module, tightness: tightness, wording: wording)
                    func score(_ part: Part) -> Float { worth + self.words(part) + wording.worth }
                    for arrangement in StepsLayout.Arrangement.allCases {
                        take(steps.arranged(arrangement, in: body), score) { part in
                            var page = Part(width: format.width, height: format.height)
                            page.add(part, x: body.x, y: body.y)
                            page.add(strips, x: (format.width - strips.width) / 2, y: body.bottom + footGap)
                            return page
                        }
                    }
                    if let people {
                        // The same size of code is better seen with a foot.
                        take(steps.around(people, format), { score($0) - 0.3 }) { $0 }
                    }
                }
            }
        }
        return best?.part
    }

    /// What the size of the modules is worth.
    private func worth(of module: Int) -> Float {
        let good = style.goodModule
        // Modules of 2 pixels are for glass that holds no others.
        let poor: Float = style.isPaper && module < 3 ? -1 : 0
        return poor + 8 * Float(min(module, good)) / Float(good) + Float(max(0, module - good)) * 0.4
    }

    private static let mostForWords: Float = 2.6

    /// What the letters are worth: large ones, in few lines.
    private func words(_ part: Part) -> Float {
        var sizes: Float = 0
        var lines: Float = 0
        var count: Float = 0
        for element in part.elements {
            guard case .text(let text, _, _) = element.kind else { continue }
            sizes += Float(min(text.size, style.base + 2)) / Float(style.base)
            lines += Float(text.lineCount - 1)
            count += 1
        }
        return count > 0 ? 2 * sizes / count - 0.25 * lines : 0
    }

    // MARK: Foot

    private var footGap: Int { style.isPaper ? 0 : style.gap / 2 }

    /// Strips of e-paper go from edge to edge.
    private func foot() -> Part {
        let width = style.isPaper ? format.width : format.width - 2 * style.margin
        return Part.column(
            strips().map { composer.strip($0, width: width) }, gap: style.isPaper ? 0 : style.gap / 2, width: width,
            centered: false)
    }

    /// What is left above the foot.
    private func body(under foot: Int) -> Rect {
        let bottom = format.height - foot - (style.isPaper ? 0 : style.margin) - footGap
        return Rect(
            x: style.margin, y: style.margin, width: format.width - 2 * style.margin, height: bottom - style.margin)
    }

    private func strips() -> [StripContent] {
        let texts = composer.texts
        var strips: [StripContent] = []
        if let trouble = screen.troubles.first {
            let (sentence, advice) = texts.trouble(trouble)
            strips.append(
                StripContent(
                    icon: .warning, text: sentence, short: sentence, isWarning: true,
                    advice: advises && !advice.isEmpty ? advice : nil))
        }
        if let limit = screen.full {
            strips.append(
                StripContent(icon: .phone, text: texts.full(limit), short: texts.full(limit), isWarning: true))
        } else if !isBrief {
            strips.append(people())
        }
        return min(format.width, format.height) < 200 ? Array(strips.prefix(1)) : strips
    }

    private func people() -> StripContent {
        let people = screen.people
        let missing = people.healthy < people.count
        return StripContent(
            icon: .people, text: composer.texts.people(people.count), short: composer.texts.peopleShort(people.count),
            mark: people.count > 0 ? (missing ? .warning : .check) : nil, isWorried: missing,
            note: composer.texts.links(people))
    }

    /// Who is there, when there is nothing else to say.
    private func calm() -> StripContent? {
        screen.troubles.isEmpty && screen.full == nil && style.isPaper ? people() : nil
    }
}

extension [Part] {
    /// Lines that there would not be if no name or word to type were broken.
    fileprivate var brokenNames: Int {
        flatMap(\.elements).reduce(0) { count, element in
            guard case .text(let text, _, _) = element.kind, text.isName else { return count }
            return count + text.lineCount - 1
        }
    }
}

extension Part {
    /// Pixels of a module of each code, in their order.
    fileprivate var modules: [Int] {
        elements.compactMap { element in
            guard case .code(_, let module) = element.kind else { return nil }
            return module
        }
    }
}
