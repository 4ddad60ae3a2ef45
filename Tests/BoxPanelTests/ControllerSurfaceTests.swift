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
        try ScreenRenderer(format: try #require(surface.format), language: .english).picture(of: screen)
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

    private func ePaper(_ accent: PictureFormat.Accent? = nil, onTrouble: @escaping () -> Void = {})
        -> (ControllerSurface, SimulatedWires<SimulatedSSD16xx>)
    {
        let controller = EPaper(SSD1680(width: 122, height: 250, accent: accent))
        let wires = SimulatedWires(
            SimulatedSSD16xx(
                .ssd1680,
                format: PictureFormat(width: 122, height: 250, depth: accent.map { .accent($0) } ?? .mono)),
            hasBusy: true, loop: loop)
        return (
            ControllerSurface(
                controller: controller, turn: .quarter, loop: loop, open: { () throws(DeviceError) in wires },
                onTrouble: onTrouble), wires
        )
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
