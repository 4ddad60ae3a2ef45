/// Which rows of a picture differ from what a panel's memory holds.
enum ChangedRows {
    /// Two changed spans with at most this many unchanged rows between are sent as one: a window of its own costs a few
    /// transfers and turns of the D/C line, about as much time as these rows.
    static let mergedGap = 4

    /// The spans of rows to send, from the top, apart by more than `mergedGap`.
    /// - Parameters:
    ///   - old: the words in the memory; nil where they are not known.
    ///   - new: the words to be there.
    ///   - width: words in a row.
    static func spans(from old: [UInt16]?, to new: [UInt16], width: Int) -> [Range<Int>] {
        let height = new.count / width
        guard let old, old.count == new.count else { return [0..<height] }
        if old.withUnsafeBufferPointer({ $0.baseAddress }) == new.withUnsafeBufferPointer({ $0.baseAddress }) {
            return []
        }
        var spans: [Range<Int>] = []
        let (before, after) = (old.span, new.span)
        for row in 0..<height where differ(before, after, row * width, (row + 1) * width) {
            if let last = spans.last, row - last.upperBound <= mergedGap {
                spans[spans.count - 1] = last.lowerBound..<row + 1
            } else {
                spans.append(row..<row + 1)
            }
        }
        return spans
    }

    private static func differ(_ before: Span<UInt16>, _ after: Span<UInt16>, _ from: Int, _ end: Int) -> Bool {
        var index = from
        while index < end {
            if before[index] != after[index] { return true }
            index &+= 1
        }
        return false
    }
}
