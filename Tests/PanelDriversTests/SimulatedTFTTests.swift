import PanelDrivers
import PanelSimulator
import Raster
import SansIO
import TestSupport
import Testing

/// A simulator that finds nothing proves nothing: drivers with one mistake each.
@Suite struct SimulatedTFTTests {
    /// A mistake in a driver.
    struct Mistake: Sendable, CustomTestStringConvertible {
        let name: String
        let change: @Sendable ([PanelOperation]) -> [PanelOperation]
        var testDescription: String { name }

        init(_ name: String, _ change: @escaping @Sendable ([PanelOperation]) -> [PanelOperation]) {
            self.name = name
            self.change = change
        }

        /// Another operation in place of each.
        init(each name: String, _ change: @escaping @Sendable (PanelOperation) -> PanelOperation?) {
            self.init(name) { $0.compactMap(change) }
        }
    }

    static let mistakes: [Mistake] = [
        Mistake(each: "a reset that is too short") { $0 == .wait(.microseconds(10)) ? .wait(.microseconds(9)) : $0 },
        Mistake(each: "no reset at all") {
            if case .reset = $0 { nil } else if $0 == .command(0x01, []) { nil } else { $0 }
        },
        Mistake(each: "no wait after resets and sleep out") { $0 == .wait(.milliseconds(5)) ? nil : $0 },
        Mistake(each: "a wait of 4 ms") { $0 == .wait(.milliseconds(5)) ? .wait(.milliseconds(4)) : $0 },
        Mistake("sleep out at once") { program in
            program.flatMap { $0 == .command(0x21, []) ? [$0, .command(0x11, []), .wait(.milliseconds(5))] : [$0] }
        },
        Mistake(each: "no sleep out") { $0 == .command(0x11, []) ? nil : $0 },
        Mistake(each: "never on") { $0 == .command(0x29, []) ? nil : $0 },
        Mistake(each: "no light") { if case .backlight = $0 { nil } else { $0 } },
        Mistake(each: "not inverted") { $0 == .command(0x21, []) ? .command(0x20, []) : $0 },
        Mistake(each: "blue for red") {
            if case .command(0x36, let value) = $0 { .command(0x36, [value[0] ^ 0x08]) } else { $0 }
        },
        Mistake(each: "mirrored") {
            if case .command(0x36, let value) = $0 { .command(0x36, [value[0] ^ 0x40]) } else { $0 }
        },
        Mistake(each: "no MADCTL parameter") { if case .command(0x36, _) = $0 { .command(0x36, []) } else { $0 } },
        Mistake(each: "12 bits a pixel") { $0 == .command(0x3A, [0x55]) ? .command(0x3A, [0x53]) : $0 },
        Mistake(each: "18 bits a pixel") { $0 == .command(0x3A, [0x55]) ? .command(0x3A, [0x66]) : $0 },
        Mistake(each: "a window one row down") {
            if case .command(0x2B, var value) = $0 {
                value[1] += 1
                value[3] += 1
                return .command(0x2B, value)
            }
            return $0
        },
        Mistake(each: "a window that ends before it begins") {
            if case .command(0x2B, let value) = $0 { .command(0x2B, Array(value[2...] + value[..<2])) } else { $0 }
        },
        Mistake(each: "a window beyond the memory") {
            if case .command(0x2B, let value) = $0 { .command(0x2B, value[..<2] + [0x01, 0x40]) } else { $0 }
        },
        Mistake(each: "a window of three parameters") {
            if case .command(0x2A, let value) = $0 { .command(0x2A, Array(value[..<3])) } else { $0 }
        },
        Mistake(each: "a window of five parameters") {
            if case .command(0x2A, let value) = $0 { .command(0x2A, value + [0]) } else { $0 }
        },
        Mistake(each: "one column less") {
            if case .command(0x2A, var value) = $0 {
                value[3] -= 1
                return .command(0x2A, value)
            }
            return $0
        },
        Mistake(each: "the low byte first") {
            guard case .data(let bytes) = $0 else { return $0 }
            return .data(bytes.indices.map { bytes[$0 ^ 1] })
        },
        Mistake(each: "a byte lost") { if case .data(let bytes) = $0 { .data(Array(bytes.dropLast())) } else { $0 } },
        Mistake(each: "no RAMWR") { $0 == .command(0x2C, []) ? nil : $0 },
        Mistake(each: "an unknown command") { $0 == .command(0x21, []) ? .command(0x27, []) : $0 },
        Mistake(each: "words on a bus of bytes") { $0 == .command(0x2C, []) ? .wideCommand(0x2C) : $0 },
        Mistake("commands during the reset") { $0.filter { $0 != .reset(false) } },
        Mistake("data before any command") { [.data([1])] + $0 },
    ]

    @Test(arguments: mistakes) func aDriverWithAMistakeIsCaught(mistake: Mistake) {
        var generator = SeededGenerator(seed: 9)
        var rig = TFTDriverTests.smallRig()
        rig.changing = mistake.change
        var last = Picture.noise(rig.controller.format, &generator)
        rig.start(showing: last)
        last = last.painted(rows: 2..<5, 0x8001)
        rig.give(.show(last))
        #expect(rig.violations != [] || TFTDriverTests.visible(rig) != last)
    }

    @Test func aDriverWithoutAMistakeIsNot() {
        var generator = SeededGenerator(seed: 9)
        var rig = TFTDriverTests.smallRig()
        var last = Picture.noise(rig.controller.format, &generator)
        rig.start(showing: last)
        last = last.painted(rows: 2..<5, 0x8001)
        rig.give(.show(last))
        #expect(rig.violations == [])
        #expect(TFTDriverTests.visible(rig) == last)
    }

    /// A driver that forgets that a failure leaves the memory unknown, or that sends a row too few.
    @Test func lostRowsAreSeen() {
        var rig = TFTDriverTests.smallRig()
        let format = rig.controller.format
        rig.start(showing: .plain(format, 1))
        rig.changing = { $0.filter { if case .data = $0 { false } else { true } } }
        rig.give(.show(.plain(format, 2)))
        #expect(TFTDriverTests.visible(rig) == .plain(format, 1))
    }

    @Test func tooFastAClockIsAViolation() {
        for (chip, clock): (TFTChip, UInt32) in [(.st7789, 62_500_000), (.ili9341, 10_000_000), (.ili9486, 15_000_000)]
        {
            let mounting = SimulatedTFT.Mounting(columns: 1, rows: 1)
            #expect(SimulatedTFT(chip, mounting, clock: clock).violations == [])
            #expect(SimulatedTFT(chip, mounting, clock: clock + clock / 50).violations.count == 1)
        }
    }

    @Test func theDriversKnowTheirClocks() {
        let glass = TFTGlass(width: 8, height: 8, access: [], inverted: false)
        let all: [(any PanelController, TFTChip)] = [
            (ST7789(glass), .st7789), (ILI9341(glass), .ili9341), (ILI9486(glass), .ili9486),
        ]
        for (controller, chip) in all {
            #expect(SimulatedTFT(chip, .init(columns: 1, rows: 1), clock: controller.maximumClock).violations == [])
        }
    }

    /// The 16-bit bus behind shift registers takes words only, the serial bus of an ILI9486 no 16 bits a pixel.
    @Test func busesAreNotInterchangeable() {
        let mounting = SimulatedTFT.Mounting(columns: 320, rows: 480)
        for (bus, words) in [(TFTGlass.Bus.serial, true), (.words, false)] {
            var mounting = mounting
            mounting.words = words
            var rig = TFTRig(
                ILI9486(TFTGlass(width: 320, height: 480, access: [], inverted: false, bus: bus)),
                SimulatedTFT(.ili9486, mounting, clock: 15_000_000), clock: 15_000_000)
            rig.start(showing: .plain(rig.controller.format, 0xF00F))
            #expect(rig.violations != [])
        }
        var panel = SimulatedTFT(.ili9486, mounting, clock: 15_000_000, hasReset: false)
        panel.apply(.command(0x3A, [0x55]), at: .zero)
        panel.apply(.command(0x2C, []), at: .zero)
        #expect(panel.violations.count == 1)
    }

    /// Behind the last pixel of a window comes its first.
    @Test func theWindowWraps() {
        var panel = SimulatedTFT(.st7789, .init(columns: 3, rows: 3), clock: 1_000_000, hasReset: false)
        var now = Timestamp.zero
        for operation: PanelOperation in [
            .command(0x3A, [0x55]), .command(0x2C, []), .data(Array(repeating: 0, count: 240 * 3 * 2)),
            .command(0x2A, [0, 1, 0, 2]), .command(0x2B, [0, 1, 0, 2]), .command(0x2C, []),
            .data([0, 1, 0, 2, 0, 3, 0, 4, 0, 5]), .command(0x11, []), .wait(.milliseconds(5)), .command(0x29, []),
            .backlight(true),
        ] {
            panel.apply(operation, at: now)
            if case .wait(let duration) = operation { now = now + duration }
        }
        #expect(panel.violations == [])
        #expect(panel.visible(at: now).pixels == .rgb565([0, 0, 0, 0, 5, 2, 0, 3, 4]))
    }
}
