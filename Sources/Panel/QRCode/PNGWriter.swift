/// Writes a PNG file (RFC 2083) row by row, compressed well where pixels repeat, as in drawings.
package struct PNGWriter {
    /// What a pixel is.
    package enum Colors {
        /// One bit: 1 is white.
        case gray1
        /// Two bits: the place in a table of up to four colours, each as 0xRRGGBB.
        case table2([UInt32])
        /// Three bytes: red, green, blue.
        case rgb8
    }

    private let width: Int
    private let height: Int
    private let colors: Colors
    private var deflate = RunLengthDeflate()
    private var above: [UInt8] = []

    /// Begins a file.
    /// - Parameters:
    ///   - width: pixels in a row.
    ///   - height: how many rows will come.
    ///   - colors: what a pixel is.
    package init(width: Int, height: Int, colors: Colors) {
        self.width = width
        self.height = height
        self.colors = colors
    }

    /// Adds the next row from the top, its pixels packed from the highest bit of each byte on.
    package mutating func append(_ row: [UInt8]) {
        // RFC 2083 section 6: a filter that makes a row like the one above all zeros (2, Up), or pixels like those to
        // their left (1, Sub, which only helps with whole bytes), deflates it to a few bits.
        if row == above {
            deflate.append(2)
            for _ in row { deflate.append(0) }
        } else if case .rgb8 = colors {
            deflate.append(1)
            for (index, byte) in row.enumerated() { deflate.append(index < 3 ? byte : byte &- row[index - 3]) }
        } else {
            deflate.append(0)
            for byte in row { deflate.append(byte) }
        }
        above = row
    }

    /// The whole file, after the last row.
    package consuming func finish() -> [UInt8] {
        // RFC 2083 section 4.1.1: width, height, bit depth, colour type, then deflate, adaptive filters, no interlace.
        var table: [UInt8] = []
        let kind: [UInt8]
        switch colors {
        case .gray1: kind = [1, 0]
        case .rgb8: kind = [8, 2]
        case .table2(let entries):
            kind = [2, 3]
            table = chunk("PLTE", entries.flatMap { bigEndian($0)[1...] })
        }
        let header = bigEndian(UInt32(width)) + bigEndian(UInt32(height)) + kind + [0, 0, 0]
        // RFC 2083 section 3.1.
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
            + chunk("IHDR", header) + table + chunk("IDAT", deflate.zlibStream()) + chunk("IEND", [])
    }
}

private func bigEndian(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
}

/// RFC 2083 section 3.2: length, type, data, and the CRC of type and data.
private func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(type.utf8) + data
    return bigEndian(UInt32(data.count)) + body + bigEndian(crc32(body))
}

/// RFC 2083 section 15: the CRC-32 of ISO 3309, bit by bit; our files are small.
private func crc32(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? 0xEDB8_8320 ^ crc >> 1 : crc >> 1 }
    }
    return ~crc
}

/// A compressor for bitmaps with long runs: one deflate block with the fixed Huffman codes (RFC 1951, section
/// 3.2.6), in which a repeated byte is a match at distance 1.
private struct RunLengthDeflate {
    private var bytes: [UInt8] = []
    private var bits: UInt32 = 0
    private var bitCount: UInt32 = 0
    private var lastByte: UInt8?
    /// How often `lastByte` was repeated without having been written.
    private var run = 0
    // Adler-32 (RFC 1950, section 8.2).
    private var adlerLow: UInt32 = 1
    private var adlerHigh: UInt32 = 0

    /// RFC 1951 section 3.2.5: the longest match.
    private static let longestMatch = 258

    init() {
        // RFC 1951 section 3.2.3: the last block (1), with fixed Huffman codes (01).
        put(0b011, count: 3)
    }

    mutating func append(_ byte: UInt8) {
        adlerLow = (adlerLow + UInt32(byte)) % 65521
        adlerHigh = (adlerHigh + adlerLow) % 65521
        if byte == lastByte {
            run += 1
            if run == Self.longestMatch { flushRun() }
        } else {
            flushRun()
            putSymbol(Int(byte))
            lastByte = byte
        }
    }

    /// Ends the block and wraps it in the zlib format (RFC 1950, section 2.2).
    consuming func zlibStream() -> [UInt8] {
        flushRun()
        putSymbol(256)
        if bitCount > 0 { put(0, count: 8 - bitCount) }
        // Deflate with a window of 32 KB, no dictionary; the two bytes are a multiple of 31.
        return [0x78, 0x01] + bytes + bigEndian(adlerHigh << 16 | adlerLow)
    }

    private mutating func flushRun() {
        guard run > 0, let lastByte else { return }
        if run < 3 {
            for _ in 0..<run { putSymbol(Int(lastByte)) }
        } else {
            putLength(run)
            // Distance 1 is code 0 of 5 bits.
            put(0, count: 5)
        }
        run = 0
    }

    /// RFC 1951 section 3.2.5: lengths 3 to 258 as codes 257 to 285 and extra bits.
    private mutating func putLength(_ length: Int) {
        if length == Self.longestMatch {
            putSymbol(285)
        } else if length <= 10 {
            putSymbol(254 + length)
        } else {
            // From 11 on, each group of four codes has one extra bit more and covers twice the lengths.
            let offset = length - 3
            let extra = Int.bitWidth - offset.leadingZeroBitCount - 3
            putSymbol(257 + 4 * extra + offset >> extra)
            put(UInt32(offset & (1 << extra - 1)), count: UInt32(extra))
        }
    }

    /// RFC 1951 section 3.2.6: the fixed code of a literal or length.
    private mutating func putSymbol(_ symbol: Int) {
        switch symbol {
        case ..<144: putCode(UInt32(0x30 + symbol), count: 8)
        case ..<256: putCode(UInt32(0x190 + symbol - 144), count: 9)
        case ..<280: putCode(UInt32(symbol - 256), count: 7)
        default: putCode(UInt32(0xC0 + symbol - 280), count: 8)
        }
    }

    /// Huffman codes go out from their highest bit (RFC 1951, section 3.1.1).
    private mutating func putCode(_ code: UInt32, count: UInt32) {
        for shift in stride(from: count, to: 0, by: -1) { put(code >> (shift - 1) & 1, count: 1) }
    }

    /// Everything else goes out from its lowest bit.
    private mutating func put(_ value: UInt32, count: UInt32) {
        bits |= value << bitCount
        bitCount += count
        while bitCount >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bits >>= 8
            bitCount -= 8
        }
    }
}
