import Glibc

/// A simple form within a square whose sides are 1; x grows to the right and y downwards.
///
/// Each is a distance: how far a point is outside of it (less than 0: inside), so that edges are smooth where a panel has
/// shades.
public enum Shape: Sendable {
    /// A line with round ends.
    case line(Float, Float, Float, Float, width: Float)
    /// Part of a ring with round ends: its centre, radius, and two angles in degrees, clockwise from the top.
    case arc(Float, Float, radius: Float, width: Float, from: Float, to: Float)
    /// A filled circle.
    case disc(Float, Float, radius: Float)
    /// A filled box with round corners: its left top, width, height.
    case box(Float, Float, Float, Float, radius: Float)
    /// A filled triangle with round corners, its points clockwise.
    case triangle(Float, Float, Float, Float, Float, Float, radius: Float)
    /// Takes away what the forms before it have here.
    indirect case without(Shape)

    func distance(_ x: Float, _ y: Float) -> Float {
        switch self {
        case .line(let x0, let y0, let x1, let y1, let width):
            return Self.toSegment(x, y, x0, y0, x1, y1) - width / 2
        case .disc(let cx, let cy, let radius):
            return hypotf(x - cx, y - cy) - radius
        case .box(let left, let top, let width, let height, let radius):
            let dx = abs(x - left - width / 2) - width / 2 + radius
            let dy = abs(y - top - height / 2) - height / 2 + radius
            return hypotf(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - radius
        case .arc(let cx, let cy, let radius, let width, let from, let to):
            let middle = (from + to) / 2 * .pi / 180
            let half = abs(to - from) / 2 * .pi / 180
            // Turned so that the arc's middle is at the top, and folded over: only its right end is left.
            let (dx, dy) = (x - cx, y - cy)
            let px = abs(dx * cosf(middle) + dy * sinf(middle))
            let py = dx * sinf(middle) - dy * cosf(middle)
            let inside = atan2f(px, py) <= half
            let distance =
                inside
                ? abs(hypotf(px, py) - radius) : hypotf(px - radius * sinf(half), py - radius * cosf(half))
            return distance - width / 2
        case .triangle(let x0, let y0, let x1, let y1, let x2, let y2, let radius):
            var distance = Self.toSegment(x, y, x0, y0, x1, y1)
            distance = min(distance, Self.toSegment(x, y, x1, y1, x2, y2))
            distance = min(distance, Self.toSegment(x, y, x2, y2, x0, y0))
            func left(_ ax: Float, _ ay: Float, _ bx: Float, _ by: Float) -> Bool {
                (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0
            }
            let inside = left(x0, y0, x1, y1) && left(x1, y1, x2, y2) && left(x2, y2, x0, y0)
            return (inside ? -distance : distance) - radius
        case .without(let shape):
            return shape.distance(x, y)
        }
    }

    private static func toSegment(_ x: Float, _ y: Float, _ x0: Float, _ y0: Float, _ x1: Float, _ y1: Float) -> Float {
        let (dx, dy) = (x1 - x0, y1 - y0)
        let length = dx * dx + dy * dy
        let along = length > 0 ? max(0, min(1, ((x - x0) * dx + (y - y0) * dy) / length)) : 0
        return hypotf(x - x0 - along * dx, y - y0 - along * dy)
    }
}

extension Canvas {
    /// Draws forms as one, each laid over or cut out of those before it.
    /// - Parameters:
    ///   - shapes: the forms.
    ///   - box: where the square is in which they are given; if it is no square, its left top one.
    ///   - color: the colour of all of them.
    ///   - mirrored: whether left and right change places.
    public mutating func draw(_ shapes: [Shape], in box: Rect, _ color: Color, mirrored: Bool = false) {
        let side = min(box.width, box.height)
        guard side > 0 else { return }
        let scale = 1 / Float(side)
        for row in 0..<side {
            for column in 0..<side {
                let x = (Float(mirrored ? side - 1 - column : column) + 0.5) * scale
                let y = (Float(row) + 0.5) * scale
                var distance = Float.infinity
                for shape in shapes {
                    if case .without = shape {
                        distance = max(distance, -shape.distance(x, y))
                    } else {
                        distance = min(distance, shape.distance(x, y))
                    }
                }
                let coverage = max(0, min(1, 0.5 - distance * Float(side)))
                blend(box.x + column, box.y + row, color, coverage: UInt8(coverage * 255 + 0.5))
            }
        }
    }

    /// Fills a box with round corners.
    public mutating func fill(_ box: Rect, radius: Int, _ color: Color) {
        let radius = max(0, min(radius, min(box.width, box.height) / 2))
        fill(box.inset(radius, 0), color)
        fill(Rect(x: box.x, y: box.y + radius, width: radius, height: box.height - 2 * radius), color)
        fill(Rect(x: box.right - radius, y: box.y + radius, width: radius, height: box.height - 2 * radius), color)
        for row in 0..<radius {
            for column in 0..<radius {
                let distance = hypotf(
                    Float(radius) - Float(column) - 0.5, Float(radius) - Float(row) - 0.5)
                let coverage = UInt8(max(0, min(1, Float(radius) - distance + 0.5)) * 255)
                for (x, y) in [
                    (box.x + column, box.y + row), (box.right - 1 - column, box.y + row),
                    (box.x + column, box.bottom - 1 - row), (box.right - 1 - column, box.bottom - 1 - row),
                ] {
                    blend(x, y, color, coverage: coverage)
                }
            }
        }
    }
}
