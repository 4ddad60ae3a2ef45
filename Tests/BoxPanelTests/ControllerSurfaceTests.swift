import Glibc
import NIOCore
import NIOEmbedded
import PanelDrivers
import PanelSimulator
import Raster
import SansIO
import Screens
import Testing

@testable import BoxPanel

@Suite struct ControllerSurfaceTests {
    private let loop = EmbeddedEventLoop()

    private func picture(_ surface: ControllerSurface, _ screen: Screen) throws -> Picture {
        try ScreenRenderer(format: try #require(surface.format), language: .english).draw(screen).picture
    }

    private func tft(_ turn: Turn = .none) throws -> (ControllerSurface, SimulatedWires<SimulatedTFT>) {
        let model = try #require(PanelModel.named("st7789-240x240"))
        let wires = SimulatedWires(
            SimulatedTFT(
                .st7789, .init(columns: 240, rows: 240, turn: .none, inverting: true), clock: 10_000_000),
            hasBusy: false, loop: loop)
        return (
            ControllerSurface(
                controller: model.makeController(), turn: turn, loop: loop, open: { () throws(DeviceError) in wires },
                onTrouble: {}), wires
        )
    }

    private func ePaper(
        _ accent: PictureFormat.Accent? = nil, memory: GlassFile? = nil, onTrouble: @escaping () -> Void = {}
    ) -> (ControllerSurface, SimulatedWires<SimulatedSSD16xx>) {
        let controller = EPaper(SSD1680(width: 122, height: 250, accent: accent))
        let wires = SimulatedWires(
            SimulatedSSD16xx(
                .ssd1680,
                format: PictureFormat(width: 122, height: 250, depth: accent.map { .accent($0) } ?? .mono)),
            hasBusy: true, loop: loop)
        return (
            ControllerSurface(
                controller: controller, turn: .quarter, loop: loop, open: { () throws(DeviceError) in wires },
                memory: memory, onTrouble: onTrouble), wires
        )
    }

    /// A box whose service manager starts it again each second wore its panel: every process drew the same screen.
    @Test func theNextProcessKnowsWhatTheGlassShows() throws {
        let path = "/tmp/kibitz-glass-\(UInt64.random(in: 0...(.max)))"
        defer { unlink(path) }
        for life in 0..<3 {
            let (surface, wires) = ePaper(memory: GlassFile(path: path))
            surface.start()
            let picture = try picture(surface, .trouble(.noRadio))
            surface.show(.trouble(.noRadio), awaited: true) { picture }
            var isDone = false
            surface.finish { isDone = true }
            loop.advanceTime(by: .seconds(10))
            #expect(isDone)
            #expect(wires.panel.circuit.refreshes.count == (life == 0 ? 1 : 0))
        }
        var file = GlassFile(path: path)
        let kept = try #require(file.read())
        #expect(kept.picture != nil && kept.fullRefreshes.count == 1)
        // Of another start of the machine only that it was refreshed counts.
        file.boot = "another"
        #expect(file.read() == GlassMemory(picture: nil, fullRefreshes: [.zero]))
        for text in ["", "\(GlassFile(path: path).boot) x y z", "\u{0}", String(repeating: "9 ", count: 2000)] {
            let octets = Array(text.utf8)
            let descriptor = open(path, O_WRONLY | O_TRUNC)
            _ = write(descriptor, octets, octets.count)
            close(descriptor)
            let kept = GlassFile(path: path).read()
            #expect(kept == nil || kept?.picture == nil, "\(text)")
        }
        // A longer line before a shorter one.
        let times = (1...7).map { Timestamp(nanoseconds: UInt64($0) << 50) }
        GlassFile(path: path).write(GlassMemory(picture: .max, fullRefreshes: times, partialRefreshes: 5))
        let short = GlassMemory(picture: 1, fullRefreshes: [], partialRefreshes: 2)
        GlassFile(path: path).write(short)
        #expect(GlassFile(path: path).read() == short)
    }

    /// The kernel's driver was loaded anew: the open device is dead for ever.
    @Test func aDeviceThatHasGoneIsOpenedAgain() throws {
        let model = try #require(PanelModel.named("st7789-240x240"))
        var wires: [SimulatedWires<SimulatedTFT>] = []
        let surface = ControllerSurface(
            controller: model.makeController(), turn: .none, loop: loop,
            open: { () throws(DeviceError) in
                let new = SimulatedWires(
                    SimulatedTFT(
                        .st7789, .init(columns: 240, rows: 240, turn: .none, inverting: true), clock: 10_000_000),
                    hasBusy: false, loop: loop)
                wires.append(new)
                return new
            }, onTrouble: {})
        surface.start()
        loop.advanceTime(by: .seconds(1))
        wires[0].failure = ENODEV
        let picture = try picture(surface, .room(.room()))
        surface.show(.room(.room()), awaited: true) { picture }
        loop.advanceTime(by: .seconds(120))
        #expect(wires.count == 2 && wires[1].visible == picture)
        #expect(surface.trouble == nil)
    }

    /// A BUSY line that can't be read was tried, and logged, twenty times a second.
    @Test func aBusyLineThatIsLostIsLetGo() throws {
        var troubles = 0
        let (surface, wires) = ePaper { troubles += 1 }
        surface.start()
        wires.onLost?(DeviceError("read the line KIBITZ_BUSY", code: ENODEV))
        loop.advanceTime(by: .milliseconds(1))
        #expect(surface.trouble?.kind == .missing && troubles == 1)
        loop.advanceTime(by: .seconds(2))
        #expect(surface.trouble == nil && troubles == 2)
        // And while it is waited for.
        let picture = try picture(surface, .room(.room()))
        surface.show(.room(.room()), awaited: true) { picture }
        loop.advanceTime(by: .milliseconds(200))
        wires.onLost?(DeviceError("read the line KIBITZ_BUSY", code: ENODEV))
        loop.advanceTime(by: .milliseconds(1))
        #expect(surface.trouble == PanelTrouble(.bus, DeviceError("read the line KIBITZ_BUSY", code: ENODEV)))
        loop.advanceTime(by: .seconds(60))
        #expect(surface.trouble == nil && wires.visible == picture.turned(.quarter))
    }

    /// A panel without letters still goes dark at the end.
    @Test func lettersThatAreMissingDoNotKeepThePanelFromItsRest() throws {
        let (surface, wires) = try tft()
        surface.start()
        let picture = try picture(surface, .room(.room()))
        surface.show(.room(.room()), awaited: true) { picture }
        loop.advanceTime(by: .seconds(1))
        let before = wires.operations
        surface.show(.off, awaited: true) { throw DeviceError("read the font", code: ENOENT) }
        #expect(surface.trouble?.kind == .font)
        var isDone = false
        surface.finish { isDone = true }
        loop.advanceTime(by: .seconds(5))
        #expect(isDone && wires.operations > before)
    }

    @Test(arguments: Turn.allCases) func aTFTShowsThePictureHoweverItHangs(turn: Turn) throws {
        let (surface, wires) = try tft(turn)
        surface.start()
        let picture = try picture(surface, .room(.room()))
        surface.show(.room(.room()), awaited: true) { picture }
        loop.advanceTime(by: .milliseconds(400))
        #expect(wires.visible == picture.turned(turn))
        #expect(wires.panel.violations == [])
        #expect(surface.trouble == nil)
        let operations = wires.operations
        loop.advanceTime(by: .hours(1))
        #expect(wires.operations == operations, "nothing runs while nothing changes")
    }

    @Test func anEPaperIsWaitedForByTheEdgeOfBusy() throws {
        let (surface, wires) = ePaper()
        surface.start()
        for screen in [Screen.room(.room()), .room(.room(people: 3)), .shuttingDown] {
            let picture = try picture(surface, screen)
            surface.show(screen, awaited: true) { picture }
            loop.advanceTime(by: .seconds(20))
            #expect(wires.visible == picture.turned(.quarter), "\(screen)")
        }
        #expect(wires.panel.violations == [])
        #expect(surface.trouble == nil)
    }

    /// While an e-paper refreshes, the room goes on, and of what it is given meanwhile only the last counts.
    @Test func theLastOfManyPicturesIsSeen() throws {
        let (surface, wires) = ePaper()
        surface.start()
        for seconds in 0...9 {
            let screen = Screen.holdingOn(resetIn: 10 - seconds)
            let picture = try picture(surface, screen)
            surface.show(screen, awaited: true) { picture }
            loop.advanceTime(by: .milliseconds(20))
        }
        loop.advanceTime(by: .seconds(30))
        #expect(wires.visible == (try picture(surface, .holdingOn(resetIn: 1))).turned(.quarter))
        #expect(wires.panel.violations == [])
        #expect(wires.panel.circuit.refreshes.count <= 2)
    }

    @Test func offStaysOnTheGlass() throws {
        for accent in [nil, PictureFormat.Accent.red] {
            let (surface, wires) = ePaper(accent)
            surface.start()
            surface.show(.room(.room()), awaited: true) { try! picture(surface, .room(.room())) }
            loop.advanceTime(by: .milliseconds(300))
            let off = try picture(surface, .off)
            surface.show(.off, awaited: true) { off }
            var isDone = false
            surface.finish { isDone = true }
            #expect(!isDone, "a refresh takes seconds")
            loop.advanceTime(by: .seconds(60))
            #expect(isDone && wires.visible == off.turned(.quarter), "\(String(describing: accent))")
            #expect(wires.panel.violations == [])
            #expect(wires.panel.circuit.isAsleep, "left awake, the glass wears")
        }
    }

    /// A TFT was put to rest before its first picture was there, so that nobody could read why the box did not start.
    @Test func whyTheBoxFailedIsToBeReadOnATFT() throws {
        let (surface, wires) = try tft()
        let screen = Screen.trouble(.failed("Port 443 is taken."))
        let picture = try picture(surface, screen)
        let engine = PanelEngine(surface: surface, loop: loop) { _, _ in (picture, 1) }
        engine.start()
        engine.show(.starting(name: "Box"))
        engine.show(screen)
        var isDone = false
        engine.finish(reading: .seconds(10)) { isDone = true }
        loop.advanceTime(by: .seconds(1))
        #expect(wires.visible == picture && !isDone)
        loop.advanceTime(by: .milliseconds(8_999))
        #expect(wires.visible == picture && !isDone)
        loop.advanceTime(by: .seconds(1))
        #expect(wires.visible != picture && isDone)
        #expect(wires.panel.violations == [])
    }

    @Test func aPanelThatNeverAnswersIsReportedAndTriedAgain() throws {
        var changes = 0
        let (surface, wires) = ePaper { changes += 1 }
        wires.isStuck = true
        surface.start()
        let picture = try picture(surface, .room(.room()))
        surface.show(.room(.room()), awaited: true) { picture }
        loop.advanceTime(by: .seconds(120))
        #expect(surface.trouble?.kind == .silent)
        #expect(changes == 1)
        var isDone = false
        wires.isStuck = false
        loop.advanceTime(by: .seconds(3600))
        #expect(surface.trouble == nil, "it works again")
        #expect(changes == 2)
        #expect(wires.visible == picture.turned(.quarter))
        surface.finish { isDone = true }
        loop.advanceTime(by: .seconds(60))
        #expect(isDone)
    }

    /// The box must end though its panel does not.
    @Test func aPanelThatIsSilentDoesNotHoldUpTheEnd() throws {
        let (surface, wires) = ePaper()
        wires.isStuck = true
        surface.start()
        let picture = try picture(surface, .off)
        surface.show(.off, awaited: true) { picture }
        loop.advanceTime(by: .seconds(120))
        var isDone = false
        surface.finish { isDone = true }
        #expect(isDone)
    }

    @Test func aBusThatFailsIsReported() throws {
        let (surface, wires) = try tft()
        surface.start()
        loop.advanceTime(by: .seconds(1))
        wires.failure = ENODEV
        let picture = try picture(surface, .room(.room()))
        surface.show(.room(.room()), awaited: true) { picture }
        loop.advanceTime(by: .seconds(1))
        #expect(surface.trouble?.kind == .bus)
        wires.failure = nil
        loop.advanceTime(by: .seconds(3600))
        #expect(surface.trouble == nil)
        #expect(wires.visible == picture)
    }

    /// udev may make the devices after the box has started.
    @Test func devicesThatComeLaterAreFound() throws {
        let model = try #require(PanelModel.named("st7789-240x240"))
        let wires = SimulatedWires(
            SimulatedTFT(.st7789, .init(columns: 240, rows: 240, turn: .none, inverting: true), clock: 10_000_000),
            hasBusy: false, loop: loop)
        var isThere = false
        var looks = 0
        let surface = ControllerSurface(
            controller: model.makeController(), turn: .none, loop: loop,
            open: { () throws(DeviceError) in
                looks += 1
                guard isThere else { throw DeviceError("open /dev/spidev0.0", code: ENOENT, advice: "Load it.") }
                return wires
            }, onTrouble: {})
        surface.start()
        let picture = try picture(surface, .room(.room()))
        surface.show(.room(.room()), awaited: true) { picture }
        #expect(surface.trouble?.kind == .missing)
        #expect(surface.trouble?.description.hasSuffix("Load it") == true)
        loop.advanceTime(by: .hours(1))
        #expect((60...80).contains(looks), "once a minute in the end: \(looks)")
        isThere = true
        loop.advanceTime(by: .seconds(61))
        #expect(surface.trouble == nil)
        #expect(wires.visible == picture)
    }
}
