/// Text from outside as it is shown in a message: on one line, cut short, in quotes where it would be misread.
func shown(_ text: String) -> String {
    let limit = 60
    var result = text.unicodeScalars.prefix(limit).map { scalar in
        scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
    }.joined()
    if text.unicodeScalars.count > limit { result += "…" }
    return text.isEmpty || text.contains(where: \.isWhitespace) ? "\"\(result)\"" : result
}

/// A scalar as it stands in YAML: plain where that reads back as the same text, else in double quotes.
func yamlScalar(_ text: String) -> String {
    let isPlain =
        text.unicodeScalars.allSatisfy { scalar in
            scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                || " -_./~".unicodeScalars.contains(scalar)
        } && text.first.map { !" -~".contains($0) } == true && text.last != " "
    if isPlain { return text }
    return text.unicodeScalars.reduce(into: "\"") { result, scalar in
        result += "\"\\".unicodeScalars.contains(scalar) ? "\\\(scalar)" : String(scalar)
    } + "\""
}

/// The candidate that `text` was most likely meant to be; nil when none is near.
func nearest(to text: String, among candidates: [String]) -> String? {
    // One slip in three letters, three at most: more would suggest something unrelated.
    let limit = min(3, max(1, text.count / 3))
    guard text.count <= 64 else { return nil }
    let distances = candidates.map { (candidate: $0, distance: editDistance(text, $0)) }
    return distances.filter { $0.distance <= limit }.min { $0.distance < $1.distance }?.candidate
}

/// The least number of letters to insert, delete, replace or swap with their neighbour (optimal string alignment).
func editDistance(_ lhs: String, _ rhs: String) -> Int {
    let (a, b) = (Array(lhs), Array(rhs))
    var twoBack: [Int] = []
    var above = Array(0...b.count)
    for i in a.indices {
        var row = [i + 1]
        for j in b.indices {
            var best = min(above[j] + (a[i] == b[j] ? 0 : 1), above[j + 1] + 1, row[j] + 1)
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, twoBack[j - 1] + 1) }
            row.append(best)
        }
        (twoBack, above) = (above, row)
    }
    return above[b.count]
}
