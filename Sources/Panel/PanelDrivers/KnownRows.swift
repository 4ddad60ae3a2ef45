/// What is known of the picture in a panel's memory, and so what has to be sent for another.
struct KnownRows: Sendable {
    /// Two changed spans with at most this many unchanged rows between are sent as one: a window of its own costs a few
    /// transfers and turns of the D/C line, about as much time as these rows.
    static let mergedGap = 4

    /// The picture: words of pixels, row by row.
    private var words: [UInt16] = []
    /// How many of its rows, from the top, are known.
    private var known = 0
    /// How many of its rows, from the top, are those of the picture that is wanted.
    private var done = 0

    /// Nothing is known any more.
    mutating func forget() { self = KnownRows() }

    /// Another picture is wanted.
    mutating func compareAnew() { done = 0 }

    /// The next spans of rows to send, from the top, apart by more than `mergedGap`; empty when the picture is there.
    /// - Parameters:
    ///   - wanted: the words of the picture that is to be in the memory, the same until `compareAnew()`.
    ///   - width: words in a row.
    ///   - limit: how many rows at most, at least 1.
    mutating func changes(to wanted: [UInt16], width: Int, limit: Int) -> [Range<Int>] {
        if words.count != wanted.count { (words, known, done) = (wanted, 0, 0) }
        let spans = differences(to: wanted, width: width, limit: limit)
        if spans.isEmpty {
            // One picture is enough to keep.
            words = wanted
            done = wanted.count / width
        }
        return spans
    }

    private func differences(to wanted: [UInt16], width: Int, limit: Int) -> [Range<Int>] {
        var spans: [Range<Int>] = []
        var count = 0
        let (before, after) = (words.span, wanted.span)
        for row in done..<wanted.count / width {
            if row < known, !differ(before, after, row * width, (row + 1) * width) { continue }
            if let last = spans.last, row - last.upperBound <= Self.mergedGap {
                spans[spans.count - 1] = last.lowerBound..<row + 1
                count += row + 1 - last.upperBound
            } else {
                spans.append(row..<row + 1)
                count += 1
            }
            if count >= limit { break }
        }
        return spans
    }

    /// Notes what was sent.
    /// - Parameters:
    ///   - spans: what `changes` answered.
    ///   - picture: the words of the picture that was wanted then.
    ///   - isWanted: whether it still is.
    mutating func sent(_ spans: [Range<Int>], of picture: [UInt16], width: Int, isWanted: Bool) {
        guard words.count == picture.count, let end = spans.last?.upperBound else { return }
        // Of the very same array nothing has to be copied.
        if words.withUnsafeBufferPointer({ $0.baseAddress }) != picture.withUnsafeBufferPointer({ $0.baseAddress }) {
            for rows in spans {
                let range = rows.lowerBound * width..<rows.upperBound * width
                words.replaceSubrange(range, with: picture[range])
            }
        }
        known = max(known, end)
        if isWanted { done = end }
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
