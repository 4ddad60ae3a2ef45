import Foundation
import QRCode
import Testing

/// Runs a tool of the system on a file with `content`.
/// - Returns: its standard output.
private func run(_ tool: [String], onFile content: [UInt8]) throws -> String {
    let file = FileManager.default.temporaryDirectory.appending(path: "kibitz-qr-\(UUID()).png")
    try Data(content).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = tool + [file.path]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(tool[0]) refused the file")
    return String(decoding: data, as: UTF8.self)
}

@Suite struct PNGTests {
    /// A PNG reader with the checks of zlib and of every CRC: prints the size, then each row as 0 and 1.
    private static let reader = """
        import struct, sys, zlib
        data = open(sys.argv[1], "rb").read()
        assert data[:8] == b"\\x89PNG\\r\\n\\x1a\\n"
        at, chunks = 8, []
        while at < len(data):
            length, kind = struct.unpack(">I4s", data[at:at + 8])
            body = data[at + 8:at + 8 + length]
            crc, = struct.unpack(">I", data[at + 8 + length:at + 12 + length])
            assert crc == zlib.crc32(kind + body), kind
            chunks.append((kind, body))
            at += 12 + length
        assert [kind for kind, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
        width, height, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
        assert rest == [1, 0, 0, 0, 0], rest
        decoder = zlib.decompressobj()
        raw = decoder.decompress(chunks[1][1]) + decoder.flush()
        assert decoder.eof and not decoder.unused_data
        stride = (width + 7) // 8
        assert len(raw) == height * (stride + 1)
        above = bytes(stride)
        for y in range(height):
            filter, row = raw[y * (stride + 1)], raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)]
            assert filter in (0, 2)
            above = bytes((a + b) & 255 for a, b in zip(row, above)) if filter == 2 else row
            print("".join(f"{byte:08b}" for byte in above)[:width])
        """

    @Test(arguments: [1, 2, 3, 8, 32])
    func everyPixelIsItsModule(scale: Int) throws {
        for (length, quietZone) in [(1, QRCode.QuietZone.standard), (40, .narrow), (300, .standard)] {
            let code = try QRCode(text: String(repeating: "k", count: length))
            let png = code.png(scale: scale, quietZone: quietZone)
            let rows = try run(["python3", "-c", Self.reader], onFile: png).split(separator: "\n").map {
                Array($0.utf8)
            }
            let border = quietZone.rawValue
            let width = (code.size + 2 * border) * scale
            try #require(rows.count == width)
            var wrong = 0
            for (y, row) in rows.enumerated() {
                try #require(row.count == width)
                for (x, pixel) in row.enumerated() {
                    let dark = code.isDark(x / scale - border, y / scale - border)
                    if pixel != UInt8(ascii: dark ? "0" : "1") { wrong += 1 }
                }
            }
            #expect(wrong == 0)
        }
    }

    @Test func scalesOutOfRangeCountAsTheNearest() throws {
        let code = try QRCode(text: "kibitz")
        #expect(code.png(scale: 0) == code.png(scale: 1))
        #expect(code.png(scale: .min) == code.png(scale: 1))
        #expect(code.png(scale: .max) == code.png(scale: QRCode.maximumScale))
    }

    @Test func aLargeScaleCostsLittle() throws {
        let code = try QRCode(text: String(repeating: "k", count: 200))
        #expect(code.png(scale: 10).count < 12_000)
    }

    /// The link of the room, texts of other kinds, and a link for each length of up to 200 bytes.
    private static let texts =
        [
            "http://192.168.1.5:8080/#f3xQ0vT2m8J5cK7wRZ1aYg",
            "https://kibitz.local/#f3xQ0vT2m8J5cK7wRZ1aYg",
            "WIFI:T:WPA;S:Kibitz\\;Box;P:correct\\:horse;;",
            "HTTPS://EXAMPLE.ORG/ABC-123", "0123456789012345678901234567890", "Grüße, 世界 🎥", "x", "12", "A B$%*+-./:",
        ]
        + [30, 64, 100, 137, 200].map { length in
            let link = "https://192.168.100.200:8443/?v=1#"
            let secret = (0..<length).map {
                "abcdefghijkmnpqrstuvwxyzABCDEFGH23456789-_".utf8.map { $0 }[($0 * 7 + length) % 42]
            }
            return String(decoding: Array((link.utf8 + secret).prefix(length)), as: UTF8.self)
        }

    @Test(arguments: texts)
    func aReaderReadsTheTextBack(_ text: String) throws {
        let code = try QRCode(text: text)
        for scale in [2, 4, 7, 12] {
            let read = try run(
                ["zbarimg", "--raw", "--quiet", "--nodbus", "-Sdisable", "-Sqrcode.enable"],
                onFile: code.png(scale: scale))
            #expect(read == text + "\n", "scale \(scale)")
        }
    }
}
