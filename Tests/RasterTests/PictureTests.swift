import Foundation
import Raster
import Testing

private func run(_ tool: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = tool
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(tool[0]) failed")
    return String(decoding: data, as: UTF8.self)
}

/// Some pixels of every colour, without any symmetry.
private func speckled(_ depth: PictureFormat.Depth, width: Int = 19, height: Int = 11) -> Picture {
    let format = PictureFormat(width: width, height: height, depth: depth)
    var canvas = Canvas(format: format, background: .white)
    for y in 0..<height {
        for x in 0..<width {
            let value = (x * 7 + y * 13 + x * y) % 5
            let color: Color = value == 0 ? .black : value == 1 ? PictureFormat.Accent.red.color : .white
            canvas.fill(Rect(x: x, y: y, width: 1, height: 1), color)
        }
    }
    canvas.fill(Rect(x: 0, y: height - 2, width: width, height: 2), .black)
    return canvas.picture()
}

private let depths: [PictureFormat.Depth] = [.mono, .accent(.red), .accent(.yellow), .rgb565]

@Suite struct PictureTests {
    @Test func turnedOnItsSideWidthAndHeightChangePlaces() {
        let format = PictureFormat(width: 128, height: 296, depth: .accent(.red))
        #expect(format.turned(.quarter) == PictureFormat(width: 296, height: 128, depth: .accent(.red)))
        #expect(format.turned(.half) == format)
    }

    /// Clockwise: what was at the left top is at the right top after a quarter.
    @Test(arguments: depths)
    func aQuarterIsClockwise(_ depth: PictureFormat.Depth) {
        let picture = speckled(depth)
        let turned = picture.turned(.quarter)
        #expect(turned.format == picture.format.turned(.quarter))
        for y in 0..<picture.format.height {
            for x in 0..<picture.format.width {
                #expect(turned[picture.format.height - 1 - y, x] == picture[x, y])
            }
        }
    }

    @Test(arguments: depths)
    func turnsAddUp(_ depth: PictureFormat.Depth) {
        let picture = speckled(depth)
        #expect(picture.turned(.none) == picture)
        #expect(picture.turned(.quarter).turned(.quarter) == picture.turned(.half))
        #expect(picture.turned(.half).turned(.quarter) == picture.turned(.threeQuarters))
        #expect(picture.turned(.threeQuarters).turned(.quarter) == picture)
        #expect(picture.turned(.half) != picture)
    }

    @Test(arguments: depths)
    func bytesOfColourAreThePixels(_ depth: PictureFormat.Depth) {
        let picture = speckled(depth)
        let bytes = picture.rgb()
        #expect(bytes.count == 19 * 11 * 3)
        for (index, start) in stride(from: 0, to: bytes.count, by: 3).enumerated() {
            let color = picture[index % 19, index / 19]
            #expect(Array(bytes[start..<start + 3]) == [color.red, color.green, color.blue])
        }
    }

    /// Pillow, which checks every sum in the file, sees the same pixels.
    @Test(arguments: depths)
    func otherPeoplesReaderSeesTheSamePNG(_ depth: PictureFormat.Depth) throws {
        for picture in [speckled(depth), speckled(depth, width: 1, height: 3), speckled(depth, width: 300, height: 70)]
        {
            let file = FileManager.default.temporaryDirectory.appending(path: "kibitz-picture-\(UUID()).png")
            try Data(picture.png()).write(to: file)
            defer { try? FileManager.default.removeItem(at: file) }
            let read = """
                import sys; from PIL import Image
                image = Image.open(sys.argv[1]); image.load()
                print(image.size, image.convert('RGB').tobytes().hex())
                """
            let seen = try run(["/usr/bin/python3", "-c", read, file.path])
            let hex = picture.rgb().map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            #expect(seen == "(\(picture.format.width), \(picture.format.height)) \(hex)\n")
        }
    }
}
