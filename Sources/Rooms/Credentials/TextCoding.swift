/// Base64 with the URL-safe alphabet and without padding (RFC 4648 section 5).
enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// Encodes bytes.
    static func encode(_ bytes: [UInt8]) -> String {
        String(decoding: encodeBits(bytes, each: 6, alphabet), as: UTF8.self)
    }

    /// Decodes text; nil if it holds anything outside the alphabet, has a length no encoder makes, or bits left over
    /// that are not zero (so that each value has one text only).
    static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for character in text.utf8 {
            let value: UInt8
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = character - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = character - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character - UInt8(ascii: "0") + 52
            case UInt8(ascii: "-"): value = 62
            case UInt8(ascii: "_"): value = 63
            default: return nil
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        guard count < 6, bits & (1 << UInt32(count) - 1) == 0 else { return nil }
        return bytes
    }
}

/// Base32 in lower case and without padding (RFC 4648 section 6).
enum Base32 {
    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

    /// Encodes bytes.
    static func encode(_ bytes: [UInt8]) -> String {
        String(decoding: encodeBits(bytes, each: 5, alphabet), as: UTF8.self)
    }
}

/// Cuts bytes into groups of `width` bits, the last one filled up with zeros, and names each by its character.
private func encodeBits(_ bytes: [UInt8], each width: UInt32, _ alphabet: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count * 8 + Int(width) - 1) / Int(width))
    var bits: UInt32 = 0
    var count: UInt32 = 0
    let mask: UInt32 = 1 << width - 1
    for byte in bytes {
        bits = bits << 8 | UInt32(byte)
        count += 8
        while count >= width {
            count -= width
            text.append(alphabet[Int(bits >> count & mask)])
        }
    }
    if count > 0 { text.append(alphabet[Int(bits << (width - count) & mask)]) }
    return text
}
