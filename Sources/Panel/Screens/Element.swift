import QRCode
import Raster

/// Something with a place on the panel.
struct Element {
    enum Kind {
        case text(SetText, Alignment, Style.Tone)
        /// A code with its quiet zone; the box is both.
        case code(QRCode, module: Int)
        /// A number in a circle.
        case badge(SetText)
        case icon(Icon, Style.Tone)
        /// A ground for other elements, with round corners of this radius.
        case ground(Style.Tone, radius: Int)
        /// A ring, as much of it in the accent as is left.
        case ring(left: Float)
    }

    var kind: Kind
    var box: Rect

    /// Whether others lie on it.
    var isGround: Bool {
        switch kind {
        case .ground, .ring: true
        case .text, .code, .badge, .icon: false
        }
    }

    /// Whether it is a text that could not be shown whole.
    var isCut: Bool {
        switch kind {
        case .text(let text, _, _), .badge(let text): text.isCut
        case .code, .icon, .ground, .ring: false
        }
    }
}

extension Part {
    /// The same where lines begin at the right.
    func mirrored() -> Part {
        var result = Part(width: width, height: height)
        for var element in elements {
            element.box.x = width - element.box.right
            if case .text(let text, .left, let tone) = element.kind { element.kind = .text(text, .right, tone) }
            result.add(element)
        }
        return result
    }
}

/// Elements that are laid out together; the left top of them is 0, 0.
struct Part {
    var width: Int
    var height: Int
    private(set) var elements: [Element] = []
    /// Whether a text in it could not be shown whole.
    private(set) var isCut = false

    init(width: Int, height: Int, _ element: Element? = nil) {
        self.width = width
        self.height = height
        if let element { add(element) }
    }

    mutating func add(_ element: Element) {
        elements.append(element)
        isCut = isCut || element.isCut
    }

    /// The letters of its texts.
    var fonts: [Font] {
        elements.compactMap { if case .text(let text, _, _) = $0.kind { text.font } else { nil } }
    }

    /// Adds what another part has.
    mutating func add(_ other: Part, x: Int, y: Int) {
        isCut = isCut || other.isCut
        for var element in other.elements {
            element.box.x += x
            element.box.y += y
            elements.append(element)
        }
    }

    /// Parts above each other.
    /// - Parameters:
    ///   - parts: from the top.
    ///   - gap: rows between two that are not empty.
    ///   - width: of the whole.
    ///   - centered: whether each is in the middle rather than at the beginning of a line.
    static func column(_ parts: [Part], gap: Int, width: Int, centered: Bool) -> Part {
        var result = Part(width: width, height: 0)
        for part in parts {
            if result.height > 0, part.height > 0 { result.height += gap }
            result.add(part, x: centered ? (width - part.width) / 2 : 0, y: result.height)
            result.height += part.height
        }
        return result
    }

    /// Two parts beside each other, each in the middle of the height.
    static func row(_ first: Part, _ second: Part, gap: Int) -> Part {
        let height = max(first.height, second.height)
        var result = Part(width: first.width + gap + second.width, height: height)
        result.add(first, x: 0, y: (height - first.height) / 2)
        result.add(second, x: first.width + gap, y: (height - second.height) / 2)
        return result
    }
}
