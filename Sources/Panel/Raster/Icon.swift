/// A small drawing that says what a screen is about before anyone reads it.
public enum Icon: Hashable, Sendable, CaseIterable {
    /// A dot that sends waves.
    case wifi
    /// Two people.
    case people
    /// A padlock.
    case lock
    /// A phone with a bar.
    case phone
    /// A triangle with an exclamation mark.
    case warning
    /// A plug on its cable.
    case plug
    /// Two arrows in a circle.
    case renew
    /// An arrow onto a line.
    case download
    /// A circle with a line at its top.
    case power
    /// A tick.
    case check
    /// Three dots.
    case wait
    /// An arrow back around a circle.
    case reset

    /// Its forms, in a square whose sides are 1.
    public var shapes: [Shape] {
        switch self {
        case .wifi:
            [
                .disc(0.5, 0.80, radius: 0.085),
                .arc(0.5, 0.80, radius: 0.26, width: 0.10, from: -45, to: 45),
                .arc(0.5, 0.80, radius: 0.46, width: 0.10, from: -45, to: 45),
                .arc(0.5, 0.80, radius: 0.66, width: 0.10, from: -45, to: 45),
            ]
        case .people:
            [
                .disc(0.70, 0.34, radius: 0.13), .box(0.47, 0.52, 0.46, 0.50, radius: 0.22),
                .without(.disc(0.36, 0.30, radius: 0.24)), .without(.box(0.02, 0.47, 0.68, 0.7, radius: 0.30)),
                .disc(0.36, 0.30, radius: 0.17), .box(0.07, 0.53, 0.58, 0.50, radius: 0.27),
                .without(.box(0, 0.90, 1, 0.3, radius: 0)),
            ]
        case .lock:
            [
                .arc(0.5, 0.36, radius: 0.22, width: 0.12, from: -100, to: 100),
                .line(0.28, 0.38, 0.28, 0.5, width: 0.12), .line(0.72, 0.38, 0.72, 0.5, width: 0.12),
                .box(0.14, 0.46, 0.72, 0.48, radius: 0.10), .without(.line(0.5, 0.64, 0.5, 0.76, width: 0.12)),
            ]
        case .phone:
            [
                .box(0.24, 0.03, 0.52, 0.94, radius: 0.11), .without(.box(0.32, 0.14, 0.36, 0.62, radius: 0.02)),
                .without(.disc(0.5, 0.865, radius: 0.05)),
            ]
        case .warning:
            [
                .triangle(0.5, 0.16, 0.90, 0.85, 0.10, 0.85, radius: 0.07),
                .without(.line(0.5, 0.40, 0.5, 0.60, width: 0.10)), .without(.disc(0.5, 0.755, radius: 0.06)),
            ]
        case .plug:
            [
                .line(0.36, 0.08, 0.36, 0.32, width: 0.10), .line(0.64, 0.08, 0.64, 0.32, width: 0.10),
                .box(0.20, 0.28, 0.60, 0.40, radius: 0.16),
                .box(0.20, 0.28, 0.60, 0.18, radius: 0.04),
                .line(0.5, 0.66, 0.5, 0.94, width: 0.10),
            ]
        case .renew:
            [
                .arc(0.5, 0.5, radius: 0.34, width: 0.10, from: -80, to: 42),
                .arc(0.5, 0.5, radius: 0.34, width: 0.10, from: 100, to: 222),
                .triangle(0.92, 0.30, 0.82, 0.56, 0.60, 0.36, radius: 0.02),
                .triangle(0.08, 0.70, 0.18, 0.44, 0.40, 0.64, radius: 0.02),
            ]
        case .download:
            [
                .line(0.5, 0.12, 0.5, 0.56, width: 0.11), .line(0.5, 0.64, 0.30, 0.44, width: 0.11),
                .line(0.5, 0.64, 0.70, 0.44, width: 0.11), .line(0.16, 0.86, 0.84, 0.86, width: 0.11),
            ]
        case .power:
            [
                .arc(0.5, 0.54, radius: 0.34, width: 0.11, from: 38, to: 322),
                .line(0.5, 0.10, 0.5, 0.46, width: 0.11),
            ]
        case .check:
            [.line(0.16, 0.54, 0.40, 0.78, width: 0.14), .line(0.40, 0.78, 0.86, 0.26, width: 0.14)]
        case .wait:
            [.disc(0.17, 0.5, radius: 0.11), .disc(0.5, 0.5, radius: 0.11), .disc(0.83, 0.5, radius: 0.11)]
        case .reset:
            [
                .arc(0.5, 0.54, radius: 0.34, width: 0.11, from: -50, to: 215),
                .triangle(0.06, 0.30, 0.38, 0.12, 0.36, 0.46, radius: 0.02),
            ]
        }
    }

    /// Whether it points somewhere, and so is turned over where lines begin at the right.
    var isDirected: Bool {
        switch self {
        case .people: true
        case .wifi, .lock, .phone, .warning, .plug, .renew, .download, .power, .check, .wait, .reset: false
        }
    }
}

extension Canvas {
    /// Draws a small drawing.
    /// - Parameters:
    ///   - icon: which.
    ///   - box: the square that it fills.
    ///   - color: its colour.
    ///   - rightToLeft: whether lines begin at the right.
    public mutating func draw(_ icon: Icon, in box: Rect, _ color: Color, rightToLeft: Bool = false) {
        draw(icon.shapes, in: box, color, mirrored: rightToLeft && icon.isDirected)
    }
}
