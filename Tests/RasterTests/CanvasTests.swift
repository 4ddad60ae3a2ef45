import QRCode
import Raster
import Testing

private let formats = [
    PictureFormat(width: 21, height: 13, depth: .mono),
    PictureFormat(width: 21, height: 13, depth: .accent(.red)),
    PictureFormat(width: 21, height: 13, depth: .accent(.yellow)),
    PictureFormat(width: 21, height: 13, depth: .rgb565),
]

@Suite struct CanvasTests {
    /// Every pixel of a box and no other, at every place within a byte.
    @Test(arguments: formats)
    func aBoxIsFilledAndNothingElse(_ format: PictureFormat) {
        for x in 0..<9 {
            for width in [1, 3, 8, 12] {
                var canvas = Canvas(format: format, background: .white)
                let box = Rect(x: x, y: 2, width: width, height: 5)
                canvas.fill(box, .black)
                let picture = canvas.picture()
                for row in 0..<format.height {
                    for column in 0..<format.width {
                        let inside = box.contains(Rect(x: column, y: row, width: 1, height: 1))
                        #expect(picture[column, row] == (inside ? .black : .white))
                    }
                }
            }
        }
    }

    @Test(arguments: formats)
    func whatIsOutsideIsLeftAway(_ format: PictureFormat) {
        func drawn(_ box: Rect) -> Picture {
            var canvas = Canvas(format: format, background: .white)
            canvas.fill(box, .black)
            return canvas.picture()
        }
        let whole = Rect(x: 0, y: 0, width: format.width, height: format.height)
        #expect(drawn(Rect(x: -50, y: -50, width: 500, height: 500)) == drawn(whole))
        for box in [
            Rect(x: 21, y: 0, width: 5, height: 5), Rect(x: 0, y: -9, width: 5, height: 9),
            Rect(x: 3, y: 3, width: -2, height: 4),
        ] {
            #expect(drawn(box) == drawn(Rect(x: 0, y: 0, width: 0, height: 0)))
        }
        var canvas = Canvas(format: format, background: .white)
        canvas.draw(.warning, in: Rect(x: 15, y: 8, width: 30, height: 30), .black)
        canvas.fill(Rect(x: -5, y: -5, width: 12, height: 12), radius: 4, .black)
        #expect(canvas.picture() != drawn(Rect(x: 0, y: 0, width: 0, height: 0)))
    }

    /// Drawing over an accent leaves none of it: a pixel is never both.
    @Test func aPixelIsOneColour() {
        let format = PictureFormat(width: 10, height: 2, depth: .accent(.red))
        var canvas = Canvas(format: format, background: .white)
        canvas.fill(canvas.bounds, PictureFormat.Accent.red.color)
        canvas.fill(Rect(x: 2, y: 0, width: 3, height: 2), .black)
        canvas.fill(Rect(x: 4, y: 0, width: 3, height: 1), .white)
        #expect(
            canvas.picture().pixels
                == .planes(
                    dark: [0b0011_0000, 0, 0b0011_1000, 0],
                    accent: [0b1100_0001, 0b1100_0000, 0b1100_0111, 0b1100_0000]))
    }

    /// Bits behind the last pixel stay 0, also of a dark background.
    @Test func aRowEndsWithItsPixels() {
        let canvas = Canvas(format: PictureFormat(width: 10, height: 1, depth: .mono), background: .black)
        #expect(canvas.picture().pixels == .planes(dark: [0xFF, 0b1100_0000], accent: nil))
    }

    @Test func aCodeIsDrawnModuleByModule() throws {
        let code = try QRCode(text: "WIFI:T:WPA;S:Kibitz;P:bcdfg;;")
        var canvas = Canvas(format: PictureFormat(width: 100, height: 100, depth: .mono), background: .white)
        canvas.draw(code, x: 7, y: 5, module: 3, .black)
        let picture = canvas.picture()
        for y in 0..<100 {
            for x in 0..<100 {
                let inside = x >= 7 && y >= 5
                #expect((picture[x, y] == .black) == (inside && code.isDark((x - 7) / 3, (y - 5) / 3)))
            }
        }
    }

    @Test func everyIconIsSeenAndStaysInItsBox() {
        for icon in Icon.allCases {
            for side in [9, 12, 40, 101] {
                var canvas = Canvas(
                    format: PictureFormat(width: side + 20, height: side + 20, depth: .mono), background: .white)
                canvas.draw(icon, in: Rect(x: 10, y: 10, width: side, height: side), .black)
                let picture = canvas.picture()
                var dark = 0
                for y in 0..<side + 20 {
                    for x in 0..<side + 20 where picture[x, y] == .black {
                        dark += 1
                        #expect((10..<10 + side).contains(x) && (10..<10 + side).contains(y), "\(icon)")
                    }
                }
                #expect(dark > side * side / 20, "\(icon) at \(side)")
            }
        }
    }

    @Test func coloursOfSixteenBitsGoThereAndBack() {
        for word in UInt16.min...UInt16.max where Color(rgb565: word).rgb565 != word {
            Issue.record("\(word) became \(Color(rgb565: word).rgb565)")
        }
        #expect(Color(rgb565: 0xFFFF) == .white && Color(rgb565: 0) == .black)
    }
}
