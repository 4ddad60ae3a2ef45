import CLinux
import Glibc
import NIOCore
import NIOEmbedded
import Raster
import Screens
import Testing

@testable import BoxPanel

@Suite struct FramebufferTests {
    /// Memory of a screen that is only memory.
    private final class Memory: FrameMemory {
        let layout: FrameLayout
        let octets: UnsafeMutableRawBufferPointer
        var flushes = 0
        var isCurrent = true
        var isSecondBest = false

        init(_ layout: FrameLayout) {
            self.layout = layout
            octets = .allocate(byteCount: layout.stride * layout.height, alignment: 8)
            octets.initializeMemory(as: UInt8.self, repeating: 0xA5)
        }

        deinit { octets.deallocate() }

        func flush() { flushes += 1 }

        func pixel(_ x: Int, _ y: Int) -> UInt32 {
            (0..<layout.pixelBytes).reduce(0) {
                $0 | UInt32(octets[y * layout.stride + x * layout.pixelBytes + $1]) << UInt32(8 * $1)
            }
        }
    }

    private static let rgb565 = FrameLayout(
        width: 320, height: 480, stride: 640, pixelBytes: 2, red: .init(offset: 11, length: 5),
        green: .init(offset: 5, length: 6), blue: .init(offset: 0, length: 5))

    private func words(_ format: PictureFormat) -> [UInt16] {
        (0..<format.width * format.height).map { UInt16(truncatingIfNeeded: $0 &* 40503) }
    }

    @Test func aSmallPanelOfTheKernelsShowsThePictureAsItIs() {
        let memory = Memory(Self.rgb565)
        let words = words(memory.layout.picture)
        memory.layout.fill(memory.octets, with: words)
        #expect(memory.layout.scale == 1 && words.count == 320 * 480)
        for y in 0..<480 {
            for x in 0..<320 where memory.pixel(x, y) != UInt32(words[y * 320 + x]) {
                Issue.record("\(x), \(y)")
                return
            }
        }
    }

    /// A picture of 1080 rows would take 4 MB, and its letters could be read from near only.
    @Test func aLargeScreenShowsEachPixelAsASquare() {
        let layout = FrameLayout.xrgb8888(width: 1366, height: 768, stride: 5504)
        let memory = Memory(layout)
        let format = layout.picture
        #expect(format.width == 455 && format.height == 256 && layout.scale == 3)
        let words = words(format)
        layout.fill(memory.octets, with: words)
        func wide(_ word: UInt16) -> UInt32 {
            let (red, green, blue) = (UInt32(word >> 11), UInt32(word >> 5 & 63), UInt32(word & 31))
            return (red << 3 | red >> 2) << 16 | (green << 2 | green >> 4) << 8 | (blue << 3 | blue >> 2)
        }
        for (x, y) in [(0, 0), (2, 2), (3, 0), (700, 400), (1364, 767), (1362, 765)] {
            #expect(memory.pixel(x, y) == wide(words[y / 3 * 455 + x / 3]), "\(x), \(y)")
        }
        #expect(memory.pixel(1365, 5) == 0xFFFFFF, "what is left over is white")
        #expect(memory.octets[layout.stride - 1] == 0xA5, "nothing is written beyond a row")
    }

    @Test func colorsKeepTheirEnds() {
        let layout = FrameLayout.xrgb8888(width: 1, height: 1, stride: 4)
        #expect(layout.pixel(0xFFFF) == 0xFFFFFF && layout.pixel(0) == 0)
        #expect(layout.pixel(0xF800) == 0xFF0000 && layout.pixel(0x07E0) == 0xFF00 && layout.pixel(0x001F) == 0xFF)
    }

    @Test func aScreenThatIsPluggedInLaterGetsItsPicture() throws {
        let loop = EmbeddedEventLoop()
        let memory = Memory(Self.rgb565)
        var isThere = false
        let surface = FramebufferSurface(
            turn: .quarter, loop: loop,
            open: { () throws(DeviceError) in
                guard isThere else { throw DeviceError("open /dev/fb0", code: 2) }
                return memory
            }, onTrouble: {})
        let engine = PanelEngine(surface: surface, loop: loop) { [unowned surface] screen, page in
            try ScreenRenderer(format: try #require(surface.format), language: .english).draw(screen, page: page)
        }
        surface.onFound = { engine.showAgain() }
        engine.start()
        engine.show(.room(.room()))
        #expect(surface.trouble?.kind == .missing && memory.flushes == 0)
        isThere = true
        loop.advanceTime(by: .seconds(5))
        #expect(surface.trouble == nil && memory.flushes == 1)
        let format = PictureFormat(width: 480, height: 320, depth: .rgb565)
        #expect(surface.format == format, "a panel on its side is wide")
        let picture = try ScreenRenderer(format: format, language: .english).draw(.room(.room())).picture
        let expected = Memory(Self.rgb565)
        guard case .rgb565(let words) = picture.turned(.quarter).pixels else { return }
        expected.layout.fill(expected.octets, with: words)
        #expect(memory.octets.elementsEqual(expected.octets))
    }

    /// A surface, the screens it finds one after the other, and how often it asked for its picture.
    private final class Bench {
        let loop = EmbeddedEventLoop()
        var screen: Memory?
        var found = 0
        private(set) var surface: FramebufferSurface!

        init(_ screen: Memory?) {
            self.screen = screen
            surface = FramebufferSurface(
                turn: .none, loop: loop,
                open: { [unowned self] () throws(DeviceError) in
                    guard let screen = self.screen else { throw DeviceError("open /dev/fb0", code: 2) }
                    return screen
                }, onTrouble: {})
            surface.onFound = { [unowned self] in found += 1 }
            surface.start()
        }
    }

    /// The firmware's framebuffer was opened once; the real driver comes some ten seconds after the start, and what was drawn
    /// from then on was seen by nobody.
    @Test func aScreenThatChangesHandsIsFoundAgain() {
        let first = Memory(Self.rgb565)
        let bench = Bench(first)
        #expect(bench.found == 1)
        bench.loop.advanceTime(by: .seconds(60))
        #expect(bench.found == 1, "nothing is drawn while nothing changes")
        bench.screen = Memory(.xrgb8888(width: 800, height: 480, stride: 3200))
        first.isCurrent = false
        bench.loop.advanceTime(by: .seconds(5))
        #expect(bench.found == 2 && bench.surface.format?.width == 400)
        // Unplugged, and plugged in again.
        bench.screen?.isCurrent = false
        bench.screen = nil
        bench.loop.advanceTime(by: .seconds(5))
        #expect(bench.found == 2 && bench.surface.trouble?.kind == .missing)
        bench.screen = Memory(Self.rgb565)
        bench.loop.advanceTime(by: .seconds(5))
        #expect(bench.found == 3 && bench.surface.trouble == nil)
        bench.surface.finish {}
        bench.screen?.isCurrent = false
        bench.loop.advanceTime(by: .seconds(60))
        #expect(bench.found == 3, "nothing is opened after the end")
    }

    /// A boot screen has the display at first: its framebuffer is used until the display is to be had.
    @Test func aBetterScreenIsTakenWhenItIsToBeHad() {
        let first = Memory(Self.rgb565)
        first.isSecondBest = true
        let bench = Bench(first)
        let same = Memory(Self.rgb565)
        same.isSecondBest = true
        bench.screen = same
        bench.loop.advanceTime(by: .seconds(20))
        #expect(bench.found == 1, "it is no better")
        bench.screen = nil
        bench.loop.advanceTime(by: .seconds(5))
        #expect(bench.found == 1 && bench.surface.trouble == nil, "what is there stays")
        bench.screen = Memory(.xrgb8888(width: 800, height: 480, stride: 3200))
        bench.loop.advanceTime(by: .seconds(5))
        #expect(bench.found == 2 && bench.surface.format?.width == 400)
    }

    @Test func cardsWithoutAScreenAreLeftOut() throws {
        let folder = "/tmp/kibitz-drm-\(UInt32.random(in: 0 ... .max))"
        mkdir(folder, 0o700)
        defer {
            for name in ["card0", "card1-HDMI-A-1", "card1-HDMI-A-2", "card2-SPI-1", "card3-DSI-1", "version"] {
                unlink("\(folder)/\(name)/status")
                rmdir("\(folder)/\(name)")
            }; rmdir(folder)
        }
        for (name, status) in [
            ("card0", nil), ("card1-HDMI-A-1", "disconnected\n"), ("card1-HDMI-A-2", "connected\n"),
            ("card2-SPI-1", "unknown\n"), ("card3-DSI-1", "disconnected\n"), ("version", "connected\n"),
        ] as [(String, String?)] {
            mkdir("\(folder)/\(name)", 0o700)
            guard let status, let file = fopen("\(folder)/\(name)/status", "w") else { continue }
            fputs(status, file)
            fclose(file)
        }
        #expect(cardsWithScreens(in: folder) == ["/dev/dri/card1", "/dev/dri/card2"])
        #expect(cardsWithScreens(in: folder + "/nowhere") == [])
    }

    /// The console was drawn over a picture in the framebuffer: its cursor blinked in a code.
    @Test func theConsoleLeavesTheScreenAndGetsItBack() throws {
        var mode = KD_TEXT
        var set: [CInt] = []
        func control(_ console: CInt, _ request: UInt, _ value: inout CInt) -> Bool {
            guard console >= 0 else { return false }
            guard request == UInt(KDSETMODE) else {
                value = mode
                return request == UInt(KDGETMODE)
            }
            mode = value
            set.append(value)
            return true
        }
        /// Whether a console was taken; it is given back at once.
        func takes(_ path: String) -> Bool { GraphicConsole(path, control: control) != nil }
        do {
            let console = GraphicConsole("/dev/null", control: control)
            #expect(set == [KD_GRAPHICS])
            let isSomebodys = !takes("/dev/null")
            #expect(isSomebodys && set == [KD_GRAPHICS])
            _ = consume console
        }
        #expect(set == [KD_GRAPHICS, KD_TEXT])
        #expect(!takes("/nowhere/tty0"), "a machine without a console")
        let isNone = GraphicConsole("/dev/null") == nil
        #expect(isNone, "what is no console does not know the request")
        #expect(set.count == 2)
    }

    @Test func theEndGivesTheScreenBack() {
        let loop = EmbeddedEventLoop()
        weak var memory: Memory?
        let surface = FramebufferSurface(
            turn: .none, loop: loop,
            open: { () throws(DeviceError) in
                let screen = Memory(Self.rgb565)
                memory = screen
                return screen
            }, onTrouble: {})
        surface.start()
        #expect(memory != nil)
        var isDone = false
        surface.finish { isDone = true }
        #expect(isDone && memory == nil)
    }
}
