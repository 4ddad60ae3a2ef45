import PanelDrivers
import PanelSimulator
import Raster
import SansIO
import TestSupport
import Testing

@Suite struct TFTDriverTests {
    static let names = PanelModel.all.filter { $0.makeController().format.depth == .rgb565 }.map(\.name)

    /// A small glass, for tests that go through many pictures.
    static let small = TFTGlass(width: 16, height: 40, firstRow: 7, access: [], inverted: true)

    static func smallRig() -> TFTRig {
        // The glass of 47 rows has 7 at its top that a person cannot tell from its frame: nothing is written there.
        TFTRig(
            ST7789(small),
            SimulatedTFT(.st7789, .init(columns: 16, rows: 47, inverting: true), clock: 62_500_000),
            clock: 62_500_000)
    }

    /// What a person sees on the small glass of its 40 rows.
    static func visible(_ rig: TFTRig) -> Picture {
        let all = rig.visible
        guard case .rgb565(let words) = all.pixels else { return all }
        return Picture(format: rig.controller.format, pixels: .rgb565(Array(words[(7 * 16)...])))
    }

    @Test(arguments: names) func everyModelShowsWhatItIsGiven(name: String) throws {
        var generator = SeededGenerator(seed: 1)
        var rig = try TFTRig(name)
        let first = Picture.noise(rig.controller.format, &generator)
        rig.start(showing: first)
        #expect(rig.violations == [])
        #expect(rig.visible == first)
        #expect(rig.events == [.shown])

        let second = Picture.noise(rig.controller.format, &generator)
        rig.give(.show(second))
        #expect(rig.violations == [])
        #expect(rig.visible == second)
        #expect(rig.events == [.shown, .shown])
    }

    /// A panel hangs turned; the picture is turned back before, and upright for whoever stands before it.
    @Test(arguments: names, Turn.allCases) func everyTurnIsSeenUpright(name: String, turn: Turn) throws {
        var generator = SeededGenerator(seed: 2)
        var rig = try TFTRig(name)
        let upright = Picture.noise(rig.controller.format.turned(turn), &generator)
        rig.start(showing: upright.turned(turn))
        #expect(rig.violations == [])
        let back = try #require(Turn(rawValue: (360 - turn.rawValue) % 360))
        #expect(rig.visible.turned(back) == upright)
    }

    @Test(arguments: names) func theSizeIsThatOfTheTable(name: String) throws {
        let model = try #require(PanelModel.named(name))
        let format = model.makeController(accent: .red).format
        #expect((format.width, format.height, format.depth) == (model.width, model.height, .rgb565))
        #expect(model.busy == nil)
    }

    @Test func namesAreUnique() {
        #expect(Set(PanelModel.all.map(\.name)).count == PanelModel.all.count)
    }

    /// From process start to the first QR handed to the panel there are 150 ms, and before the panel's start something
    /// happens too.
    @Test func theFirstPictureIsHandedOverDuringTheWaitAfterTheReset() throws {
        var rig = try TFTRig("st7789-240x320")
        let start = rig.now
        rig.give(.start)
        #expect(rig.now - start < .milliseconds(11))
        rig.give(.show(.plain(rig.controller.format, 0x1234)))
        #expect(rig.now - start < .milliseconds(31), "two waits of 5 ms and a frame of 20")
        #expect(rig.bus.panel.pixelBytes == 240 * 320 * 2)
        #expect(rig.events == [])
        // What is lit at first is the picture already.
        var lit: [Picture] = []
        rig.onProgram = { if $0.backlight { lit.append($0.visible(at: .zero)) } }
        rig.run(for: .milliseconds(200))
        #expect(!lit.isEmpty, "the frame is sent once more")
        #expect(lit.allSatisfy { $0 == .plain(rig.controller.format, 0x1234) })
        #expect(rig.events == [.shown])
        #expect(rig.lastEvent - start < .milliseconds(151))
        #expect(rig.violations == [])
    }

    /// Copies of the chips that ignore pixels in their sleep get them when they are awake.
    @Test func aCopyThatIsDeafInItsSleep() {
        var rig = Self.smallRig()
        rig.bus.panel.isDeafAsleep = true
        let picture = Picture.plain(rig.controller.format, 0x0F0F)
        rig.start(showing: picture)
        #expect(rig.events == [.shown])
        #expect(Self.visible(rig) == picture)
    }

    @Test func nothingIsLitBeforeThereIsAPicture() throws {
        var rig = Self.smallRig()
        rig.give(.start)
        #expect(rig.wake == nil, "without a picture there is nothing to wake up for")
        rig.run(for: .seconds(5))
        #expect(!rig.bus.panel.backlight)
        #expect(rig.programs == 1)
        let picture = Picture.plain(rig.controller.format, 0xF800)
        rig.give(.show(picture))
        #expect(Self.visible(rig) == picture)
        #expect(rig.violations == [])
    }

    @Test func onlyChangedRowsAreSent() {
        var rig = Self.smallRig()
        let white = Picture.plain(rig.controller.format, 0xFFFF)
        rig.start(showing: white)
        #expect(rig.bus.panel.pixelBytes == 2 * 16 * 40 * 2, "asleep, and once more awake")

        func sent(_ picture: Picture) -> (pixels: Int, bytes: Int) {
            let (pixels, bytes) = (rig.bus.panel.pixelBytes, rig.bus.bytes)
            rig.give(.show(picture))
            #expect(Self.visible(rig) == picture)
            return (rig.bus.panel.pixelBytes - pixels, rig.bus.bytes - bytes)
        }
        // RASET with its four parameters and RAMWR are 6 bytes.
        #expect(sent(white.painted(rows: 3..<4, 0)) == (32, 38))
        #expect(sent(white) == (32, 38))
        #expect(sent(white.painted(rows: 39..<40, 0).painted(rows: 0..<1, 0)) == (64, 76))
        // Back again, and two rows with four between: six rows at once, besides the two that come back.
        #expect(sent(white.painted(rows: 10..<11, 0).painted(rows: 15..<16, 0)) == (32 * 8, 32 * 8 + 18))
        // Five between: each for itself.
        #expect(sent(white.painted(rows: 10..<11, 0).painted(rows: 16..<17, 0)).pixels == 32 * 2)
        #expect(rig.violations == [])
    }

    @Test func nothingIsSentWhenNothingChanged() {
        var rig = Self.smallRig()
        let picture = Picture.plain(rig.controller.format, 0x07E0)
        rig.start(showing: picture)
        let programs = rig.programs
        rig.give(.show(picture))
        rig.give(.show(.plain(rig.controller.format, 0x07E0)))
        #expect(rig.programs == programs)
        #expect(rig.events == [.shown, .shown, .shown])
        #expect(rig.wake == nil)
    }

    @Test func ofPicturesThatComeMeanwhileOnlyTheLastIsKept() {
        var rig = Self.smallRig()
        let format = rig.controller.format
        rig.start(showing: .plain(format, 0))
        let programs = rig.programs
        rig.meanwhile = [.show(.plain(format, 2)), .show(.plain(format, 3)), .show(.plain(format, 4))]
        rig.give(.show(.plain(format, 1)))
        #expect(Self.visible(rig) == .plain(format, 4))
        #expect(rig.programs == programs + 2)
        #expect(rig.events == [.shown, .shown], "the picture between was never the last given")
        // The one that is on its way, again: nothing more to do.
        rig.meanwhile = [.show(.plain(format, 6)), .show(.plain(format, 5))]
        rig.give(.show(.plain(format, 5)))
        #expect(rig.programs == programs + 3)
        #expect(rig.violations == [])
    }

    /// A picture that comes while another is on its way over a slow bus does not wait for the whole of that: with 15 MHz
    /// the codes after "rotating" would come too late.
    @Test func aNewerPictureWaitsForAPartOnly() throws {
        var rig = try TFTRig("ili9486-320x480")
        let format = rig.controller.format
        rig.start(showing: .plain(format, 0))
        rig.run(for: .seconds(1))
        let (programs, bytes, start) = (rig.programs, rig.bus.bytes, rig.now)
        rig.meanwhile = [.show(.plain(format, 2))]
        rig.give(.show(.plain(format, 1)))
        #expect(rig.visible == .plain(format, 2))
        #expect(rig.now - start < .milliseconds(265), "245 ms for a picture, and 18 for a part of the one before")
        #expect(rig.bus.bytes - bytes < 320 * 480 * 3 + 33_000)
        #expect(rig.programs - programs == 1 + (480 + 33) / 34, "34 rows at once")
        #expect(rig.events == [.shown, .shown])

        // Rows that both have in common go over the bus once.
        let first = Picture.plain(format, 3)
        rig.meanwhile = [.show(first.painted(rows: 0..<10, 4))]
        let before = rig.bus.panel.pixelBytes
        rig.give(.show(first))
        #expect(rig.visible == first.painted(rows: 0..<10, 4))
        #expect(rig.bus.panel.pixelBytes - before == (480 + 10) * 320 * 3)
        #expect(rig.violations == [])
    }

    @Test func aPictureOfAnotherSizeIsNotShown() {
        var rig = Self.smallRig()
        let picture = Picture.plain(rig.controller.format, 9)
        rig.start(showing: picture)
        rig.give(.show(.plain(PictureFormat(width: 40, height: 16, depth: .rgb565), 1)))
        rig.give(
            .show(
                Picture(
                    format: PictureFormat(width: 16, height: 40, depth: .mono),
                    pixels: .planes(dark: Array(repeating: 0, count: 80), accent: nil))))
        #expect(Self.visible(rig) == picture)
        #expect(rig.violations == [])
    }

    @Test func stopMakesItDarkAndStartLightsItAgain() {
        var rig = Self.smallRig()
        let picture = Picture.plain(rig.controller.format, 0xABCD)
        rig.start(showing: picture)
        rig.give(.stop)
        #expect(rig.events == [.shown, .stopped])
        #expect(!rig.bus.panel.backlight)
        #expect(Self.visible(rig) == .plain(rig.controller.format, 0))
        let programs = rig.programs
        rig.give(.show(.plain(rig.controller.format, 0x1111)))
        rig.run(for: .seconds(1))
        #expect(rig.programs == programs, "at rest nothing is sent")
        rig.give(.stop)
        #expect(rig.events == [.shown, .stopped, .stopped])

        rig.give(.start)
        rig.run(for: .milliseconds(200))
        #expect(Self.visible(rig) == .plain(rig.controller.format, 0x1111), "what was given at rest")
        #expect(rig.violations == [])
    }

    /// Sleep in may come 120 ms after sleep out at the earliest, also when the box is shut down at once.
    @Test func stopRightAfterTheWakeUpWaits() {
        var rig = Self.smallRig()
        rig.give(.start)
        rig.give(.show(.plain(rig.controller.format, 1)))
        while rig.events.isEmpty, let wake = rig.wake {
            rig.now = wake
            rig.give(.wake)
        }
        rig.give(.stop)
        #expect(rig.events == [.shown, .stopped])
        rig.give(.start)
        rig.run(for: .milliseconds(200))
        rig.give(.start)
        rig.run(for: .milliseconds(200))
        #expect(rig.events == [.shown, .stopped])
        #expect(rig.violations == [])
    }

    @Test(arguments: [PanelInput.stop, .start]) func stopAndStartWaitForTheProgram(input: PanelInput) {
        // At some programs: reset, picture, wake up, another picture.
        for program in 1...4 {
            var rig = Self.smallRig()
            var picture = Picture.plain(rig.controller.format, 1)
            if program == 1 { rig.meanwhile = [input] }
            rig.give(.start)
            if program == 2 { rig.meanwhile = [input] }
            rig.give(.show(picture))
            if program == 3 { rig.meanwhile = [input] }
            rig.run(for: .milliseconds(200))
            if program == 4 {
                rig.meanwhile = [input]
                picture = .plain(rig.controller.format, 2)
                rig.give(.show(picture))
            }
            rig.run(for: .milliseconds(200))
            if input == .stop {
                #expect(rig.events.last == .stopped)
                #expect(!rig.bus.panel.backlight)
            } else {
                #expect(Self.visible(rig) == picture)
            }
            #expect(rig.violations == [], "at program \(program)")
        }
    }

    /// 18 bits a pixel have a bit more for red and blue: full stays full, and none stays none.
    @Test func fiveBitsBecomeSix() throws {
        let glass = TFTGlass(width: 5, height: 1, access: [], inverted: false)
        var controller = ILI9486(glass)
        var output = PanelOutput()
        _ = controller.handle(.start, at: .zero, into: &output)
        output = PanelOutput()
        _ = controller.handle(
            .show(Picture(format: controller.format, pixels: .rgb565([0xFFFF, 0, 0xF800, 0x07E0, 0x8410]))), at: .zero,
            into: &output)
        _ = controller.handle(.finished, at: .zero, into: &output)
        #expect(
            output.program.last
                == .data([0xFC, 0xFC, 0xFC, 0, 0, 0, 0xFC, 0, 0, 0, 0xFC, 0, 0x84, 0x80, 0x84]))
    }

    @Test func ofStopAndStartTheLastCounts() {
        let orders: [(inputs: [PanelInput], isLit: Bool)] = [
            ([.stop, .start], true), ([.start, .stop], false), ([.stop, .stop], false),
            ([.start, .stop, .start], true),
        ]
        for (inputs, isLit) in orders {
            var rig = Self.smallRig()
            rig.start(showing: .plain(rig.controller.format, 1))
            rig.meanwhile = inputs
            rig.give(.show(.plain(rig.controller.format, 2)))
            rig.run(for: .milliseconds(200))
            #expect(rig.bus.panel.backlight == isLit)
            #expect(rig.events.filter { $0 == .stopped }.count == (isLit ? 0 : 1))

            // While it is being made dark already.
            rig = Self.smallRig()
            rig.start(showing: .plain(rig.controller.format, 1))
            rig.meanwhile = inputs
            rig.give(.stop)
            rig.run(for: .milliseconds(200))
            #expect(rig.bus.panel.backlight == isLit)
            #expect(rig.violations == [])
        }
        var rig = Self.smallRig()
        rig.start(showing: .plain(rig.controller.format, 1))
        rig.meanwhile = [.stop]
        rig.give(.stop)
        #expect(rig.events == [.shown, .stopped])
    }
}
