import PanelDrivers
import PanelSimulator
import Raster
import SansIO
import Testing

/// The simulated e-papers by themselves: sequences of the makers' examples, and rules that no driver of ours breaks.
@Suite struct SimulatedEPaperTests {
    private static let format = PictureFormat(width: 20, height: 12, depth: .mono)
    private static let wake: [PanelOperation] = [
        .reset(true), .wait(.milliseconds(1)), .reset(false), .wait(.milliseconds(20)),
    ]

    /// What a program does to a panel that has just got its power.
    private func run(_ panel: any SimulatedEPaper, _ program: [PanelOperation]) -> (
        bus: SimulatedBus<AnyEPaper>, now: Timestamp
    ) {
        var bus = SimulatedBus(AnyEPaper(panel: panel), clock: 4_000_000)
        var now = Timestamp(nanoseconds: 1_000_000_000)
        _ = bus.carryOut(program, at: &now)
        return (bus, now)
    }

    private func solomon(_ program: [PanelOperation]) -> [String] {
        run(SimulatedSSD16xx(.ssd1680, format: Self.format), program).bus.panel.violations
    }

    private func ultraChip(_ program: [PanelOperation]) -> [String] {
        let format = PictureFormat(width: 24, height: 12, depth: .mono)
        return run(SimulatedUC81xx(.uc8151, format: format), program).bus.panel.violations
    }

    @Test("SSD1680 as Good Display's example has it: rows from the last to the first, the waveform of display mode 2")
    func bottomUp() {
        let (first, second) = (EPaperKind.picture(1, Self.format), EPaperKind.picture(2, Self.format))
        func rows(_ picture: Picture) -> [UInt8] {
            guard case .planes(let dark, _) = picture.pixels else { return [] }
            return (0..<12).reversed().flatMap { row in dark[row * 3..<row * 3 + 3].map { ~$0 } }
        }
        let setUp: [PanelOperation] =
            Self.wake + [
                .command(0x12, []), .wait(.milliseconds(20)), .command(0x01, [11, 0, 0]), .command(0x11, [0x01]),
                .command(0x44, [0, 2]), .command(0x45, [11, 0, 0, 0]), .command(0x3c, [0x05]),
                .command(0x21, [0, 0x80]),
                .command(0x18, [0x80]),
            ]
        func plane(_ command: UInt8, _ picture: Picture) -> [PanelOperation] {
            // In two pieces, as a shell splits them.
            [
                .command(0x4e, [0]), .command(0x4f, [11, 0]), .command(command, Array(rows(picture).prefix(7))),
                .data(Array(rows(picture).dropFirst(7))),
            ]
        }
        let none = Picture(format: Self.format, pixels: .planes(dark: Array(repeating: 0xff, count: 36), accent: nil))
        let full = setUp + plane(0x24, first) + plane(0x26, none) + [.command(0x22, [0xf7]), .command(0x20, [])]
        let partial =
            plane(0x26, first) + plane(0x24, second) + [.command(0x22, [0xff]), .command(0x20, [])]
        var (bus, now) = run(SimulatedSSD16xx(.ssd1680, format: Self.format), full)
        #expect(bus.panel.visible(at: now) != first)
        #expect(bus.carryOut([.awaitReady(limit: .seconds(3))], at: &now) == .finished)
        #expect(bus.panel.visible(at: now) == first)
        #expect(bus.carryOut(partial + [.awaitReady(limit: .seconds(1))], at: &now) == .finished)
        #expect(bus.panel.visible(at: now) == second)
        #expect(bus.panel.violations == [])
        #expect(bus.panel.circuit.refreshes.map(\.isPartial) == [false, true])
    }

    @Test("A refresh that is cut off by a reset leaves neither picture")
    func torn() {
        let kind = EPaperKind.smallMono[0]
        var bus = SimulatedBus(kind.panel, clock: 4_000_000)
        var now = Timestamp(nanoseconds: 1_000_000_000)
        _ = bus.carryOut(kind.chip.program(showing: kind.picture(1), over: nil), at: &now)
        let program = kind.chip.program(showing: kind.picture(2), over: nil)
        _ = bus.carryOut(program, at: &now, failing: program.count - 2)
        _ = bus.carryOut(Self.wake, at: &now)
        now = now + .seconds(10)
        #expect(bus.panel.visible(at: now) != kind.picture(1) && bus.panel.visible(at: now) != kind.picture(2))
        #expect(bus.panel.violations == [])
    }

    @Test("Solomon Systech's rules")
    func solomonRules() {
        let wake = Self.wake
        #expect(solomon(wake + [.command(0x3c, [0x05])]) == [])
        #expect(solomon([.command(0x3c, [0x05])]) == ["1.0 s: transfer in deep sleep"])
        #expect(
            solomon([.reset(true), .wait(.microseconds(5)), .reset(false)]) == [
                "1.000005 s: RESET held for less than 50 µs"
            ])
        #expect(solomon([.reset(true), .command(0x12, [])]).first?.hasSuffix("transfer while RESET is held") == true)
        #expect(
            solomon(wake + [.command(0x12, []), .command(0x3c, [5])]).last?.hasSuffix("transfer while BUSY") == true)
        #expect(solomon(wake + [.command(0x10, [1]), .command(0x12, [])]).last?.hasSuffix("deep sleep") == true)
        let rules: [(String, [PanelOperation])] = [
            ("command 0x9a is not in the table", [.command(0x9a, [])]),
            ("command 0x36 is not in the table", [.command(0x36, [])]),
            ("command 0x44 with 1 parameters", [.command(0x44, [1])]),
            ("RAM window outside of the RAM: bytes 0...22", [.command(0x44, [0, 22])]),
            ("RAM window outside of the RAM: rows 0...296", [.command(0x45, [0, 0, 0x28, 0x01])]),
            (
                "RAM address (x: 3, y: 0) outside of its window",
                [.command(0x44, [0, 2]), .command(0x4e, [3]), .command(0x24, [0])]
            ),
            ("a RAM window against the entry mode", [.command(0x11, [1]), .command(0x24, [0])]),
            (
                "4 bytes for a smaller RAM window",
                [.command(0x44, [0, 2]), .command(0x45, [0, 0, 0, 0]), .command(0x24, [1, 2, 3, 4])]
            ),
            ("data behind no RAM command", [.command(0x3c, [5]), .data([1])]),
            ("sequence 0xc5 is not in the table", [.command(0x22, [0xc5]), .command(0x20, [])]),
            ("refresh without a waveform", [.command(0x22, [0xc7]), .command(0x20, [])]),
            ("the temperature of a sensor that is not there", [.command(0x22, [0xb1]), .command(0x20, [])]),
            (
                "deep sleep with the voltages on",
                [.command(0x22, [0xc0]), .command(0x20, []), .wait(.seconds(1)), .command(0x10, [1])]
            ),
            ("backlight(true) for an e-paper", [.backlight(true)]),
        ]
        for (rule, program) in rules {
            let violations = solomon(wake + program)
            #expect(violations.count == 1 && violations.first?.hasSuffix(rule) == true, "\(rule): \(violations)")
        }
    }

    @Test("UltraChip's rules")
    func ultraChipRules() {
        let wake = Self.wake
        let on: [PanelOperation] = [.command(0x04, []), .wait(.seconds(1))]
        let setUp: [PanelOperation] = [.command(0x00, [0x9f]), .command(0x61, [24, 0, 12])]
        let plane = [UInt8](repeating: 0, count: 36)
        let other = plane.map { ~$0 }
        #expect(
            ultraChip(wake + on + setUp + [.command(0x10, plane), .command(0x13, other), .command(0x12, [])]) == [])
        #expect(
            ultraChip(wake + [.command(0x04, []), .command(0x00, [0x9f])]).last?.hasSuffix("transfer while BUSY")
                == true)
        let rules: [(String, [PanelOperation])] = [
            ("command 0x14 is not in the table", [.command(0x14, [])]),
            ("command 0x61 with 4 parameters", [.command(0x61, [0, 24, 0, 12])]),
            ("refresh without power", setUp + [.command(0x10, plane), .command(0x13, plane), .command(0x12, [])]),
            ("refresh of [19: 36] bytes", on + setUp + [.command(0x13, plane), .command(0x12, [])]),
            ("a resolution of (128, 296)", on + [.command(0x00, [0x9f]), .command(0x12, [])]),
            ("wrong number of colours", on + [.command(0x00, [0x8f]), .command(0x12, [])]),
            (
                "refresh without a waveform",
                on + [
                    .command(0x00, [0xbf]), .command(0x61, [24, 0, 12]), .command(0x10, plane), .command(0x13, plane),
                    .command(0x12, []),
                ]
            ),
            ("power off without power", [.command(0x02, [])]),
            ("deep sleep with the voltages on", on + [.command(0x07, [0xa5])]),
            ("deep sleep without its check code", [.command(0x07, [0xa4])]),
            ("partial windows have no model", [.command(0x91, [])]),
            ("data behind no data command", [.command(0x50, [0x97]), .data([1])]),
        ]
        for (rule, program) in rules {
            let violations = ultraChip(wake + program)
            #expect(violations.count == 1 && violations.first?.hasSuffix(rule) == true, "\(rule): \(violations)")
        }
    }

    @Test("Refreshes too soon, and too many partial ones, are told", arguments: EPaperKind.small)
    func pace(kind: EPaperKind) {
        var bus = SimulatedBus(kind.panel, clock: 4_000_000)
        bus.panel.circuit.leastInterval = .seconds(180)
        var now = Timestamp(nanoseconds: 1_000_000_000)
        _ = bus.carryOut(kind.chip.program(showing: kind.picture(0), over: nil), at: &now)
        if kind.isMono {
            for seed in UInt64(1)...6 {
                #expect(bus.panel.violations == [])
                _ = bus.carryOut(kind.chip.program(showing: kind.picture(seed), over: kind.picture(seed - 1)), at: &now)
            }
            #expect(bus.panel.violations.count == 1)
            #expect(bus.panel.violations.last?.hasSuffix("6 partial refreshes without a full one") == true)
        }
        now = now + .seconds(170)
        _ = bus.carryOut(kind.chip.program(showing: kind.picture(9), over: nil), at: &now)
        #expect(bus.panel.violations.last?.contains("refresh too soon") == true)
    }

    @Test("Ink that is pushed one way only suffers: a waveform that is not balanced is told")
    func charge() {
        let kind = EPaperKind.smallMono[2]
        var bus = SimulatedBus(kind.panel, clock: 4_000_000)
        bus.panel.circuit.partialLimit = 100
        var now = Timestamp(nanoseconds: 1_000_000_000)
        for _ in 0..<6 {
            // Always "white becomes black", whatever is there.
            let none = Picture(
                format: kind.chip.format,
                pixels: .planes(dark: Array(repeating: 0, count: 3 * kind.chip.format.height), accent: nil))
            _ = bus.carryOut(kind.chip.program(showing: kind.picture(1), over: none), at: &now)
        }
        #expect(bus.panel.violations.contains { $0.contains("got more of one voltage") })
    }
}
