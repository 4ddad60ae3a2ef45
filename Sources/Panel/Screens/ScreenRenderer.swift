import QRCode
public import Raster

/// Draws screens for one panel, whatever its size and colours, in one language.
///
/// It keeps nothing but its settings: fonts are opened for a picture and closed with it.
public struct ScreenRenderer: Sendable {
    /// The size and colours of the pictures, the way people see the panel.
    public let format: PictureFormat
    private let texts: Texts
    private let fonts: Fonts

    /// Makes a renderer.
    /// - Parameters:
    ///   - format: the size and colours of the pictures, the way people see the panel: a panel that hangs on its side has
    ///     its width and height changed here, and its pictures turned afterwards.
    ///   - language: the language of the texts.
    ///   - fonts: the files of the letters.
    public init(format: PictureFormat, language: Language, fonts: Fonts = .dejaVu) {
        self.format = format
        self.fonts = fonts
        texts = Texts(language)
    }

    /// Draws one picture.
    /// - Parameters:
    ///   - screen: what is to be seen.
    ///   - page: which of its pictures, counted from 0; beyond the last it begins again.
    /// - Returns: the picture, and how many pictures the screen takes, shown in turn: two where both codes cannot be read
    ///   in one.
    /// - Throws: ``FontError`` when a font is missing.
    public func draw(_ screen: Screen, page: Int = 0) throws(FontError) -> (picture: Picture, pages: Int) {
        let typesetter = try Typesetter(fonts, shades: format.depth == .rgb565)
        let pages = plan(screen, typesetter)
        return (paint(pages[abs(page % pages.count)], typesetter), pages.count)
    }

    func plan(_ screen: Screen) throws(FontError) -> [Part] {
        plan(screen, try Typesetter(fonts, shades: format.depth == .rgb565))
    }

    /// What is where on each page; never empty.
    private func plan(_ screen: Screen, _ typesetter: Typesetter) -> [Part] {
        let composer = Composer(format, texts, typesetter)
        func message(_ icon: Icon, _ title: Texts.Key, _ advice: Texts.Key, _ tone: Style.Tone = .accent) -> [Part] {
            [
                MessageLayout(
                    composer: composer, drawing: .icon(icon, tone), title: texts[title], advice: texts[advice]
                ).page()
            ]
        }
        let pages: [Part]
        switch screen {
        case .starting(let name):
            pages = [
                MessageLayout(
                    composer: composer, drawing: .icon(.wait, .accent), title: name, advice: texts[.starting]
                ).page()
            ]
        case .room(let room): pages = RoomLayout(composer, room).pages()
        case .rotating: pages = message(.renew, .rotating, .rotatingAdvice)
        case .updating: pages = message(.download, .updating, .updatingAdvice)
        case .trouble(let trouble):
            let words = texts.trouble(trouble)
            pages = [
                MessageLayout(
                    composer: composer, drawing: .icon(.warning, .warning), title: words.sentence, advice: words.advice
                ).page()
            ]
        case .holding(let seconds):
            pages = [
                MessageLayout(
                    composer: composer, drawing: .countdown(seconds, of: 3), title: texts[.holdToShutDown],
                    advice: texts[.letGoToCancel]
                ).page()
            ]
        case .holdingOn(let seconds):
            pages = [
                MessageLayout(
                    composer: composer, drawing: .countdown(seconds, of: 7), title: texts[.holdToReset],
                    advice: texts[.letGoToShutDown]
                ).page()
            ]
        case .resetting: pages = message(.reset, .resetting, .resettingAdvice)
        case .shuttingDown: pages = message(.power, .shuttingDown, .shuttingDownAdvice)
        case .off: pages = message(.plug, .off, .offAdvice)
        case .stopped: pages = message(.power, .stopped, .stoppedAdvice)
        }
        return texts.language.isRightToLeft ? pages.map { $0.mirrored() } : pages
    }

    private func paint(_ part: Part, _ typesetter: Typesetter) -> Picture {
        let style = Style(format)
        var canvas = Canvas(format: format, background: style.color(.ground))
        for element in part.elements {
            let box = element.box
            switch element.kind {
            case .ground(let tone, let radius): canvas.fill(box, radius: radius, style.color(tone))
            case .text(let text, let alignment, let tone):
                canvas.draw(text, in: box, alignment, style.color(tone), typesetter)
            case .icon(let icon, let tone):
                canvas.draw(icon, in: box, style.color(tone), rightToLeft: texts.language.isRightToLeft)
            case .badge(let text):
                canvas.draw([.disc(0.5, 0.5, radius: 0.5)], in: box, style.color(.accent))
                // The middle of a digit in the middle of the circle.
                let top = box.y + (box.height - text.font.capHeight) / 2 + text.font.capHeight - text.font.ascent
                canvas.draw(
                    text, in: Rect(x: box.x, y: top, width: box.width, height: text.height), .center,
                    style.color(.onAccent), typesetter)
            case .code(let code, let module):
                if !style.isPaper { canvas.fill(box, radius: module * 2, style.color(.paper)) }
                let quiet = (box.width - code.size * module) / 2
                canvas.draw(code, x: box.x + quiet, y: box.y + quiet, module: module, style.color(.ink))
            case .ring(let left):
                let width: Float = 0.09
                canvas.draw(
                    [.arc(0.5, 0.5, radius: 0.5 - width, width: style.isPaper ? 0.02 : width, from: 0, to: 360)],
                    in: box,
                    style.color(style.isPaper ? .text : .surface))
                if left > 0 {
                    canvas.draw(
                        [.arc(0.5, 0.5, radius: 0.5 - width, width: width, from: 0, to: 360 * left)], in: box,
                        style.color(.accent))
                }
            }
        }
        return canvas.picture()
    }
}
