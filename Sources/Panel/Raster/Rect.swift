/// A box of pixels; x grows to the right and y downwards.
public struct Rect: Hashable, Sendable {
    /// The leftmost column.
    public var x: Int
    /// The topmost row.
    public var y: Int
    /// Columns.
    public var width: Int
    /// Rows.
    public var height: Int

    /// Makes a box.
    public init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    /// The first column to the right of it.
    public var right: Int { x + width }
    /// The first row below it.
    public var bottom: Int { y + height }

    /// The box without its border of `horizontal` columns and `vertical` rows on each side.
    public func inset(_ horizontal: Int, _ vertical: Int) -> Rect {
        Rect(x: x + horizontal, y: y + vertical, width: width - 2 * horizontal, height: height - 2 * vertical)
    }

    /// The part that is in both boxes; its size is 0 where they do not meet.
    public func intersection(_ other: Rect) -> Rect {
        let (left, top) = (max(x, other.x), max(y, other.y))
        return Rect(
            x: left, y: top, width: max(0, min(right, other.right) - left),
            height: max(0, min(bottom, other.bottom) - top))
    }

    /// Whether they have a pixel in common.
    public func meets(_ other: Rect) -> Bool {
        let both = intersection(other)
        return both.width > 0 && both.height > 0
    }

    /// Whether all of `other` is in it.
    public func contains(_ other: Rect) -> Bool { intersection(other) == other }
}
