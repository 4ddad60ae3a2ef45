import PanelDrivers
import PanelSimulator
import Raster
import SansIO
import TestSupport
import Testing

@Suite struct TFTFailureTests {
    /// What a person sees on the small glass.
    private func visible(_ rig: TFTRig) -> Picture { TFTDriverTests.visible(rig) }

    /// Reset, first picture, wake up, that picture once more, another picture, and the first one again.
    private func story(_ rig: inout TFTRig) {
        let format = rig.controller.format
        rig.give(.start)
        rig.give(.show(.plain(format, 1)))
        rig.run(for: .milliseconds(200))
        rig.give(.show(Picture.plain(format, 1).painted(rows: 5..<8, 2).painted(rows: 30..<33, 3)))
        rig.give(.show(.plain(format, 1)))
    }

    @Test func afterAFailureAtAnyOperationItRecovers() {
        var programs: [[PanelOperation]] = []
        var dry = TFTDriverTests.smallRig()
        dry.failing = {
            programs.append($1); return nil
        }
        story(&dry)
        #expect(programs.count == 6)

        for (number, program) in programs.enumerated() {
            for index in program.indices {
                var rig = TFTDriverTests.smallRig()
                rig.failing = { program, _ in program == number + 1 ? index : nil }
                story(&rig)
                let failed = rig.now
                rig.run(for: .seconds(2))
                #expect(rig.violations == [], "program \(number), operation \(index)")
                #expect(visible(rig) == .plain(rig.controller.format, 1))
                #expect(rig.events.filter { $0 == .trouble(.bus(5)) }.count == 1)
                #expect(rig.events.filter { $0 == .recovered }.count == 1)
                #expect(rig.events.last == .recovered || rig.events.last == .shown)
                #expect(rig.lastEvent - failed < .seconds(1))
                // Nobody knows what the memory held: everything was sent again.
                let pixels = rig.bus.panel.pixelBytes
                rig.give(.show(.plain(rig.controller.format, 1)))
                #expect(rig.bus.panel.pixelBytes == pixels)
            }
        }
    }

    @Test func aPanelThatIsNotThereIsTriedLaterAndLater() {
        var rig = TFTDriverTests.smallRig()
        rig.failing = { _, program in program.firstIndex { if case .command = $0 { true } else { false } } }
        rig.give(.start)
        rig.give(.show(.plain(rig.controller.format, 1)))
        var waits: [Duration] = []
        for _ in 0..<12 {
            guard let wake = rig.wake else { break }
            waits.append(wake - rig.now)
            rig.now = wake
            rig.give(.wake)
        }
        #expect(
            waits
                == [250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000, 30000, 30000].map {
                    .milliseconds($0)
                })
        #expect(rig.events == [.trouble(.bus(5))], "told once")

        // Somebody plugs it in.
        rig.failing = { _, _ in nil }
        rig.run(for: .seconds(31))
        #expect(rig.events == [.trouble(.bus(5)), .recovered, .shown])
        #expect(visible(rig) == .plain(rig.controller.format, 1))

        // After a minute of peace the next failure is a first one again.
        rig.run(for: .seconds(61))
        rig.failing = { _, _ in 0 }
        rig.give(.show(.plain(rig.controller.format, 2)))
        #expect(rig.wake == rig.now + .milliseconds(250))
        #expect(rig.violations == [])
    }

    @Test func anEarlyWakeChangesNothing() {
        var rig = TFTDriverTests.smallRig()
        rig.failing = { number, _ in number == 1 ? 3 : nil }
        rig.give(.start)
        let wake = rig.wake
        rig.give(.wake)
        rig.give(.finished)
        rig.give(.failed(.busyTooLong))
        #expect(rig.wake == wake)
        #expect(rig.programs == 1)
        #expect(rig.events == [.trouble(.bus(5))])
    }

    /// A box that shuts down while its panel is in trouble does not leave a bright glass behind, when that can be had.
    @Test func stopAfterAFailureResetsThePanel() {
        for fails in [false, true] {
            var rig = TFTDriverTests.smallRig()
            rig.start(showing: .plain(rig.controller.format, 1))
            rig.failing = { number, _ in number == 5 ? 1 : nil }
            rig.give(.show(.plain(rig.controller.format, 2)))
            #expect(rig.bus.panel.backlight)
            rig.failing = { _, _ in fails ? 3 : nil }
            rig.give(.stop)
            #expect(rig.wake == nil)
            #expect(!rig.bus.panel.backlight)
            #expect(rig.events == [.shown, .trouble(.bus(5))] + (fails ? [.trouble(.bus(5)), .stopped] : [.stopped]))
            #expect(rig.violations == [])
        }
    }

    /// Panels whose RESET line goes nowhere are reset by a command.
    @Test func withoutAResetLine() {
        var generator = SeededGenerator(seed: 4)
        let clock: UInt32 = 60_000_000
        var rig = TFTRig(
            ST7789(TFTGlass(width: 24, height: 16, access: [.mirrorRows, .exchange], inverted: true)),
            SimulatedTFT(
                .st7789, .init(columns: 16, rows: 320, turn: .quarter, inverting: true), clock: clock, hasReset: false),
            clock: clock)
        rig.failing = { number, _ in number % 5 == 4 ? 0 : nil }
        rig.start(showing: .noise(rig.controller.format, &generator))
        for _ in 0..<20 {
            rig.give(.show(.noise(rig.controller.format, &generator)))
            rig.run(for: .milliseconds(Int64.random(in: 0...400, using: &generator)))
        }
        rig.give(.stop)
        rig.give(.start)
        rig.run(for: .seconds(1))
        #expect(rig.violations == [])
        #expect(rig.bus.panel.backlight)
    }

    /// The rules that count where only the software reset is left: not within 120 ms of sleep out.
    @Test func withoutAResetLineNothingHastens() {
        let glass = TFTDriverTests.small
        func rig() -> TFTRig {
            TFTRig(
                ST7789(glass),
                SimulatedTFT(
                    .st7789, .init(columns: 16, rows: 47, inverting: true), clock: 1_000_000, hasReset: false),
                clock: 1_000_000)
        }
        /// To the moment when its picture can be seen, or the wake up failed.
        func untilLit(_ rig: inout TFTRig) {
            rig.give(.start)
            rig.give(.show(.plain(rig.controller.format, 1)))
            while rig.events.isEmpty, let wake = rig.wake {
                rig.now = wake
                rig.give(.wake)
            }
        }
        for input in [PanelInput.start, .stop] {
            var lit = rig()
            untilLit(&lit)
            #expect(lit.events == [.shown])
            lit.give(input)
            lit.run(for: .seconds(1))
            #expect(lit.violations == [])

            // Sleep out was sent, and then something failed.
            var failed = rig()
            failed.failing = { number, program in number == 3 ? program.count - 1 : nil }
            untilLit(&failed)
            #expect(failed.events == [.trouble(.bus(5))])
            failed.give(input)
            failed.run(for: .seconds(1))
            #expect(failed.violations == [])
        }
    }

    /// Somebody pulls the panel off and plugs in another: what that has in its memory nobody knows.
    @Test func anotherPanelGetsTheWholePicture() {
        for failing in 1...5 {
            var rig = TFTDriverTests.smallRig()
            rig.failing = { number, _ in number == failing ? 1 : nil }
            rig.start(showing: .plain(rig.controller.format, 1))
            rig.give(.show(.plain(rig.controller.format, 1).painted(rows: 1..<2, 3)))
            rig.bus.panel = TFTDriverTests.smallRig().bus.panel
            rig.run(for: .seconds(1))
            #expect(rig.violations == [])
            #expect(visible(rig) == .plain(rig.controller.format, 1).painted(rows: 1..<2, 3))
        }
        // And one that was started again without a failure.
        var rig = TFTDriverTests.smallRig()
        rig.start(showing: .plain(rig.controller.format, 1))
        rig.bus.panel = TFTDriverTests.smallRig().bus.panel
        var lit: [Picture] = []
        rig.onProgram = { if $0.backlight { lit.append($0.visible(at: .zero)) } }
        rig.give(.start)
        rig.run(for: .seconds(1))
        #expect(visible(rig) == .plain(rig.controller.format, 1))
        #expect(lit == [rig.visible], "what is lit at first is not what the other panel had in its memory")
    }

    /// Pictures, failures and rests in any order: no rule is broken, what is lit was given, and in the end the last picture is
    /// there.
    @Test(arguments: 0..<60) func randomSequences(seed: UInt64) {
        randomSequence(seed: seed, steps: 120, rig: TFTDriverTests.smallRig(), seen: visible)
    }

    /// The same on a glass whose pictures go over the bus in five parts.
    @Test(arguments: 0..<6) func randomSequencesInParts(seed: UInt64) throws {
        let clock: UInt32 = 16_000_000
        let rig = TFTRig(
            ILI9486(TFTGlass(width: 480, height: 161, access: .exchange, inverted: false, bus: .words)),
            SimulatedTFT(
                .ili9486,
                .init(columns: 161, rows: 480, mirrored: true, turn: .threeQuarters, words: true), clock: clock),
            clock: clock)
        randomSequence(seed: seed, steps: 40, rig: rig) { $0.visible }
    }

    private func randomSequence(seed: UInt64, steps: Int, rig: TFTRig, seen: (TFTRig) -> Picture) {
        var generator = SeededGenerator(seed: seed)
        var rig = rig
        let format = rig.controller.format
        var last = Picture.plain(format, 0)
        var isOn = true
        var unreliable = false
        var dice = SeededGenerator(seed: ~seed)
        rig.give(.start)
        for _ in 0..<steps {
            switch Int.random(in: 0..<12, using: &generator) {
            case 0...4:
                let from = Int.random(in: 0..<format.height, using: &generator)
                let rows = from..<Int.random(in: from...format.height, using: &generator)
                last = last.painted(rows: rows, UInt16.random(in: 0...(.max), using: &generator))
                if Bool.random(using: &generator) { rig.meanwhile.append(.show(.plain(format, 77))) }
                rig.meanwhile.append(.show(last))
                rig.give(.show(last))
            case 5: last = .noise(format, &generator); rig.give(.show(last))
            case 6: unreliable.toggle()
            case 7: rig.give(.wake)
            case 8: rig.give(.stop); isOn = false
            case 9: rig.give(.start); isOn = true
            default: rig.run(for: .microseconds(Int64.random(in: 0...400_000, using: &generator)))
            }
            let probability = unreliable ? 0.3 : 0
            rig.failing = { _, program in
                Double.random(in: 0..<1, using: &dice) < probability
                    ? Int.random(in: 0..<program.count, using: &dice) : nil
            }
        }
        rig.failing = { _, _ in nil }
        if !isOn { rig.give(.start) }
        rig.meanwhile = []
        rig.give(.show(last))
        rig.run(for: .seconds(62))
        #expect(rig.violations == [])
        #expect(seen(rig) == last)
        #expect(rig.wake == nil)
        #expect(rig.events.last == .shown || rig.events.last == .recovered)
    }
}
