/// The value of a query's parameter, decoded; the first of several.
/// - Parameters:
///   - name: the parameter's name, as it stands in the query.
///   - query: what follows the `?` of a URL.
/// - Returns: nil when there is none of that name, or its encoding is broken.
public func queryValue(_ name: String, in query: String) -> String? {
    for item in query.split(separator: "&") {
        let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if parts[0] == name { return parts.count > 1 ? percentDecoded(parts[1]) : "" }
    }
    return nil
}

/// Undoes the percent-encoding of a query's value (RFC 3986, section 2.1), with `+` as a space as forms write it.
/// - Parameter text: the encoded value.
/// - Returns: nil when a `%` is not followed by two hexadecimal digits, or the bytes are not UTF-8.
public func percentDecoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    var rest = text.utf8.makeIterator()
    while let byte = rest.next() {
        switch byte {
        case UInt8(ascii: "%"):
            guard let high = rest.next().flatMap(hexadecimalDigit), let low = rest.next().flatMap(hexadecimalDigit)
            else {
                return nil
            }
            bytes.append(high << 4 | low)
        case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
        default: bytes.append(byte)
        }
    }
    return String(validating: bytes, as: UTF8.self)
}

private func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
