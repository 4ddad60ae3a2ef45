import NIOCore
import NIOEmbedded
import Raster
import Screens
import Testing

@testable import BoxPanel

@Suite struct PanelEngineTests {
    private let loop = EmbeddedEventLoop()

    private func engine(_ surface: NotingSurface, pages: Int = 1, drawn: @escaping (Screen, Int) -> Void = { _, _ in })
        -> PanelEngine
    {
        PanelEngine(surface: surface, loop: loop) { screen, page in
            drawn(screen, page)
            let picture = Picture(
                format: PictureFormat(width: 8, height: 8, depth: .rgb565),
                pixels: .rgb565(Array(repeating: 0, count: 64)))
            return (picture, pages)
        }
    }

    @Test func aScreenIsShownAtOnceAndOnlyOnce() {
        let surface = NotingSurface(.quick)
        let engine = engine(surface)
        engine.show(.starting(name: "Box"))
        engine.show(.room(.room()))
        engine.show(.room(.room()))
        #expect(surface.screens == [.starting(name: "Box"), .room(.room())])
        #expect(surface.awaited == [true, true])
        loop.advanceTime(by: .hours(1))
        #expect(surface.screens.count == 2, "nothing runs while nothing changes")
    }

    /// The codes came behind all else that a box begins with, and were the second picture.
    @Test func theFirstPictureIsThatOfTheCodesWhereItCanBeTakenBack() {
        for (pace, keepsPicture) in [(PanelPace.quick, false), (.quick, true), (.paper, true), (.colorPaper, true)] {
            let surface = NotingSurface(pace, keepsPicture: keepsPicture)
            let engine = engine(surface)
            engine.begin(.starting(name: "Box"), early: .room(.room()))
            #expect((engine.firstCodes != nil) == !keepsPicture)
            #expect(
                surface.screens == (keepsPicture ? pace == .quick ? [.starting(name: "Box")] : [] : [.room(.room())]))
            // All is up.
            engine.show(.room(.room()))
            loop.advanceTime(by: .minutes(1))
            #expect(surface.screens.last == .room(.room()))
            #expect(surface.screens.count == (keepsPicture && pace == .quick ? 2 : 1), "it is not drawn anew")
        }
    }

    @Test func codesThatAreNotKnownAreNotWaitedFor() {
        let surface = NotingSurface(.quick, keepsPicture: false)
        engine(surface).begin(.starting(name: "Box"), early: nil)
        #expect(surface.screens == [.starting(name: "Box")])
    }

    /// Each picture costs a composition and a transfer; a class that comes in together is one change.
    @Test func peopleWhoComeTogetherAreOnePicture() {
        let surface = NotingSurface(.quick)
        let engine = engine(surface)
        engine.show(.room(.room()))
        loop.advanceTime(by: .seconds(1))
        engine.show(.room(.room(people: 1)))
        loop.advanceTime(by: .zero)
        #expect(surface.screens.count == 2, "the first one is seen at once")
        for people in 2...5 { engine.show(.room(.room(people: people))) }
        #expect(surface.screens.count == 2)
        loop.advanceTime(by: .milliseconds(250))
        #expect(surface.screens.last == .room(.room(people: 5)) && surface.screens.count == 3)
        #expect(surface.awaited.last == false)
        engine.show(.room(.room(people: 6)))
        loop.advanceTime(by: .milliseconds(249))
        #expect(surface.screens.count == 3)
        loop.advanceTime(by: .milliseconds(1))
        #expect(surface.screens.last == .room(.room(people: 6)))
    }

    /// Old codes lead nowhere: they must not stand there for a moment more than needed.
    @Test func newCodesDoNotWaitForThePause() {
        let surface = NotingSurface(.quick)
        let engine = engine(surface)
        engine.show(.room(.room(people: 3)))
        engine.show(.room(.room(people: 4)))
        engine.show(.room(.room(secret: "BBBBBBBBBBBBBBBBBBBBBB")))
        #expect(surface.screens == [.room(.room(people: 3)), .room(.room(secret: "BBBBBBBBBBBBBBBBBBBBBB"))])
        loop.advanceTime(by: .seconds(10))
        #expect(surface.screens.count == 2, "what was waiting is not shown after what came later")
    }

    @Test func whatIsTakenBackInTimeIsNotShown() {
        let surface = NotingSurface(.quick)
        let engine = engine(surface)
        engine.show(.room(.room()))
        engine.show(.room(.room(people: 1)))
        engine.show(.room(.room()))
        loop.advanceTime(by: .seconds(10))
        #expect(surface.screens == [.room(.room())])
    }

    @Test func codesThatHaveNoRoomBesideEachOtherAreShownInTurn() {
        let surface = NotingSurface(.quick)
        var pages: [Int] = []
        let engine = engine(surface, pages: 2) { pages.append($1) }
        engine.show(.room(.room()))
        loop.advanceTime(by: .seconds(6))
        loop.advanceTime(by: .seconds(6))
        #expect(pages == [0, 1, 0])
        // Somebody may be scanning the page that is shown.
        loop.advanceTime(by: .seconds(6))
        engine.show(.room(.room(people: 1)))
        loop.advanceTime(by: .milliseconds(1))
        #expect(pages == [0, 1, 0, 1, 1])
        engine.show(.room(.room(secret: "BBBBBBBBBBBBBBBBBBBBBB")))
        #expect(pages.last == 0, "new codes begin with the first step")
        engine.finish {}
        loop.advanceTime(by: .hours(1))
        #expect(pages.count == 6)
    }

    /// It flashes at each turn, and wears.
    @Test func anEPaperTurnsItsPagesSeldom() {
        let surface = NotingSurface(.paper)
        let engine = engine(surface, pages: 2)
        engine.show(.room(.room()))
        loop.advanceTime(by: .minutes(10))
        #expect(surface.screens.count == 11)
    }

    /// A refresh that has begun can't be ended: a screen of a moment would keep the codes away for seconds.
    @Test func anEPaperSkipsWhatIsOverBeforeItCouldBeSeen() {
        for pace in [PanelPace.paper, .colorPaper] {
            let surface = NotingSurface(pace)
            let engine = engine(surface)
            engine.show(.starting(name: "Box"))
            loop.advanceTime(by: .milliseconds(150))
            engine.show(.room(.room()))
            engine.show(.rotating)
            loop.advanceTime(by: .milliseconds(300))
            engine.show(.room(.room(secret: "BBBBBBBBBBBBBBBBBBBBBB")))
            engine.show(.holding(shutDownIn: 2))
            loop.advanceTime(by: .milliseconds(100))
            engine.show(.room(.room(secret: "BBBBBBBBBBBBBBBBBBBBBB")))
            engine.show(.shuttingDown)
            loop.advanceTime(by: .seconds(4))
            engine.show(.off)
            loop.advanceTime(by: .seconds(60))
            #expect(
                surface.screens == [.room(.room()), .room(.room(secret: "BBBBBBBBBBBBBBBBBBBBBB")), .off], "\(pace)")
        }
    }

    @Test func anEPaperShowsAtLastWhatLasts() {
        let surface = NotingSurface(.paper)
        let engine = engine(surface)
        engine.show(.starting(name: "Box"))
        loop.advanceTime(by: .seconds(9))
        #expect(surface.screens.isEmpty, "a box that fails at its start has something else to say")
        loop.advanceTime(by: .seconds(1))
        #expect(surface.screens == [.starting(name: "Box")])
        engine.show(.holding(shutDownIn: 2))
        loop.advanceTime(by: .milliseconds(500))
        #expect(surface.screens.last == .holding(shutDownIn: 2))
    }

    /// A box that failed soon left "Starting" on its e-paper.
    @Test func whatHasNotBegunIsNotLeftBehind() {
        let surface = NotingSurface(.paper)
        let engine = engine(surface)
        engine.show(.starting(name: "Box"))
        engine.finish {}
        loop.advanceTime(by: .minutes(1))
        #expect(surface.screens.isEmpty && surface.hasFinished)
    }

    /// After each start of the machine a panel said that the box is on no network, an e-paper for 15 seconds and more: the
    /// network, or the radio, comes a moment later than the box.
    @Test(arguments: [PanelPace.quick, .paper, .colorPaper]) func aNetworkThatIsAMomentLateIsNotMissed(pace: PanelPace)
    {
        let surface = NotingSurface(pace)
        let engine = engine(surface)
        for trouble in [Trouble.noNetwork, .noRadio, .radioFails] {
            engine.show(.starting(name: "Box"))
            loop.advanceTime(by: .milliseconds(100))
            engine.show(.trouble(trouble))
            loop.advanceTime(by: .seconds(2))
            engine.show(.room(.room()))
            loop.advanceTime(by: .seconds(1))
            #expect(surface.screens.last == .room(.room()) && !surface.screens.contains(.trouble(trouble)))
        }
        // One that stays is told, and one that somebody has to mend at once.
        engine.show(.trouble(.noNetwork))
        loop.advanceTime(by: .seconds(20))
        #expect(surface.screens.last == .trouble(.noNetwork))
        engine.show(.trouble(.failed("Port 443 is taken.")))
        #expect(surface.screens.last == .trouble(.failed("Port 443 is taken.")))
    }

    /// A radio that is tried again and again must not keep an e-paper from saying anything at all.
    @Test func whatMayPassIsWaitedForOnce() {
        let surface = NotingSurface(.paper)
        let engine = engine(surface)
        for _ in 0..<3 {
            engine.show(.starting(name: "Box"))
            loop.advanceTime(by: .seconds(2))
            engine.show(.trouble(.noRadio))
            loop.advanceTime(by: .seconds(2))
        }
        #expect(surface.screens == [.starting(name: "Box")])
    }

    /// On a slow bus the codes came later than 300 ms after the press: the picture that says so went over it before them.
    @Test func newCodesComeWithoutAnAnnouncement() {
        let surface = NotingSurface(.quick)
        let engine = engine(surface)
        let later = Screen.room(.room(secret: "BBBBBBBBBBBBBBBBBBBBBB"))
        engine.show(.room(.room()))
        engine.show(.rotating)
        loop.advanceTime(by: .milliseconds(150))
        engine.show(later)
        #expect(surface.screens == [.room(.room()), later])
        // Unless they take their time.
        engine.show(.rotating)
        loop.advanceTime(by: .milliseconds(200))
        #expect(surface.screens.last == .rotating)
    }

    /// Why a box did not start was to be read for no moment on a panel that is dark without it.
    @Test func whatIsNotKeptIsLeftToBeRead() {
        for (keepsPicture, trouble) in [
            (false, nil), (true, nil), (false, PanelTrouble(.missing, "no bus")),
        ] {
            let surface = NotingSurface(.quick, keepsPicture: keepsPicture)
            surface.trouble = trouble
            let engine = engine(surface)
            engine.show(.trouble(.failed("Port 443 is taken.")))
            var isDone = false
            engine.finish(reading: .seconds(10)) { isDone = true }
            engine.show(.room(.room()))
            loop.advanceTime(by: .milliseconds(9_999))
            #expect(isDone == (keepsPicture || trouble != nil) && surface.hasFinished == isDone)
            loop.advanceTime(by: .milliseconds(1))
            #expect(isDone && surface.screens == [.trouble(.failed("Port 443 is taken."))])
        }
    }

    /// A network that came and went refreshed an e-paper without pause.
    @Test func onlyWhatAPersonHasCausedIsAwaited() {
        let surface = NotingSurface(.paper)
        let engine = engine(surface)
        func show(_ screen: Screen, _ isAwaited: Bool, _ line: Int = #line) {
            engine.show(screen)
            loop.advanceTime(by: .seconds(11))
            #expect(surface.screens.last == screen && surface.awaited.last == isAwaited, "line \(line)")
        }
        show(.starting(name: "Box"), true)
        show(.trouble(.noNetwork), true)
        show(.room(.room()), true)
        for people in 0..<5 {
            show(.trouble(.noNetwork), false)
            show(.room(.room(people: people)), false)
        }
        show(.room(.room(secret: "ADDRESSHASCHANGEDAAAAA")), false)
        show(.rotating, true)
        show(.room(.room(secret: "BBBBBBBBBBBBBBBBBBBBBB")), true)
        show(.room(.room(people: 1, secret: "BBBBBBBBBBBBBBBBBBBBBB")), false)
        // Too short to be drawn, and yet there is somebody.
        engine.show(.rotating)
        loop.advanceTime(by: .milliseconds(300))
        show(.room(.room(secret: "CCCCCCCCCCCCCCCCCCCCCC")), true)
        show(.trouble(.noNetwork), false)
        engine.show(.holding(shutDownIn: 3))
        show(.trouble(.noRadio), true)
        show(.trouble(.noNetwork), false)
        show(.shuttingDown, true)
        show(.off, true)
    }

    /// A picture that could not be drawn was not tried again until the next screen.
    @Test func aPictureThatFailedIsTriedAgain() {
        let surface = NotingSurface(.quick)
        let engine = engine(surface)
        surface.trouble = PanelTrouble(.font, "no letters")
        engine.show(.room(.room()))
        loop.advanceTime(by: .seconds(5))
        #expect(surface.screens.count == 2)
        loop.advanceTime(by: .hours(1))
        #expect((50...70).contains(surface.screens.count), "once a minute: \(surface.screens.count)")
        surface.trouble = nil
        loop.advanceTime(by: .minutes(1))
        let count = surface.screens.count
        loop.advanceTime(by: .hours(1))
        #expect(surface.screens.count == count)
        // The end ends this too.
        surface.trouble = PanelTrouble(.font, "no letters")
        engine.show(.off)
        engine.finish {}
        let last = surface.screens.count
        loop.advanceTime(by: .hours(1))
        #expect(surface.screens.count == last)
    }

    /// The last picture is what stays on an e-paper without power.
    @Test func whatWaitsIsShownBeforeTheEnd() {
        let surface = NotingSurface(.quick)
        let engine = engine(surface)
        engine.show(.room(.room()))
        engine.show(.room(.room(people: 2)))
        var isDone = false
        engine.finish { isDone = true }
        #expect(isDone && surface.hasFinished && surface.screens.last == .room(.room(people: 2)))
        engine.show(.starting(name: "Box"))
        loop.advanceTime(by: .seconds(60))
        #expect(surface.screens.count == 2, "nothing is shown after the end")
    }

    @Test func theFirstCodesAreTimed() throws {
        let surface = NotingSurface(.quick)
        let engine = engine(surface)
        engine.show(.starting(name: "Box"))
        #expect(engine.firstCodes == nil)
        engine.show(.room(.room()))
        let time = try #require(engine.firstCodes)
        #expect(time > .zero && time < .seconds(3600), "since the start of this process")
        loop.advanceTime(by: .seconds(5))
        engine.show(.room(.room(people: 1)))
        #expect(engine.firstCodes == time)
    }
}
