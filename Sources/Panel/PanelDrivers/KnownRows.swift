/// What is known of the picture in a panel's memory, and so what has to be sent for another.
struct KnownRows: Sendable {
    /// Two changed spans with at most this many unchanged rows between are sent as one: a window of its own costs a few
    /// transfers and turns of the D/C line, about as much time as these rows.
    static let mergedGap = 4

    /// The picture: words of pixels, row by row.
    private var words: [UInt16] = []
    /// How many of its rows, from the top, are known.
    private var known = 0

    /// Nothing is known any more.
    mutating func forget() { self = KnownRows() }

    /// The spans of rows that have to be sent, from the top, apart by more than `mergedGap`.
    /// - Parameters:
    ///   - new: the words to be in the memory.
    ///   - width: words in a row.
    func changes(to new: [UInt16], width: Int) -> [Range<Int>] {
        let height = new.count / width
        let compared = words.count == new.count ? min(known, height) : 0
        var spans: [Range<Int>] = []
        if !isSame(new) {
            let (before, after) = (words.span, new.span)
            for row in 0..<compared where differ(before, after, row * width, (row + 1) * width) {
                append(row..<row + 1, to: &spans)
            }
        }
        if compared < height { append(compared..<height, to: &spans) }
        return spans
    }

    /// Notes what was sent: some of `changes`, from the first on.
    mutating func sent(_ spans: [Range<Int>], of new: [UInt16], width: Int) {
        if words.count != new.count {
            words = new
            known = 0
        }
        if !isSame(new) {
            for rows in spans {
                let range = rows.lowerBound * width..<rows.upperBound * width
                words.replaceSubrange(range, with: new[range])
            }
        }
        known = max(known, spans.last?.upperBound ?? 0)
        // One picture is enough to keep.
        if known * width == new.count, changes(to: new, width: width).isEmpty { words = new }
    }

    /// The first rows of spans, at most `count`.
    static func first(_ count: Int, of spans: [Range<Int>]) -> [Range<Int>] {
        var left = count
        var result: [Range<Int>] = []
        for rows in spans where left > 0 {
            let part = rows.lowerBound..<min(rows.upperBound, rows.lowerBound + left)
            result.append(part)
            left -= part.count
        }
        return result
    }

    private func append(_ rows: Range<Int>, to spans: inout [Range<Int>]) {
        if let last = spans.last, rows.lowerBound - last.upperBound <= Self.mergedGap {
            spans[spans.count - 1] = last.lowerBound..<rows.upperBound
        } else {
            spans.append(rows)
        }
    }

    /// Whether it is the very array, which spares comparing.
    private func isSame(_ new: [UInt16]) -> Bool {
        words.withUnsafeBufferPointer { $0.baseAddress } == new.withUnsafeBufferPointer { $0.baseAddress }
    }

    private func differ(_ before: Span<UInt16>, _ after: Span<UInt16>, _ from: Int, _ end: Int) -> Bool {
        var index = from
        while index < end {
            if before[index] != after[index] { return true }
            index &+= 1
        }
        return false
    }
}
