import PanelDrivers
import PanelSimulator
import Raster
import SansIO
import TestSupport
import Testing

/// Any simulated e-paper.
struct AnyEPaper: SimulatedEPaper {
    var panel: any SimulatedEPaper

    var circuit: EPaperCircuit {
        get { panel.circuit }
        set { panel.circuit = newValue }
    }

    mutating func apply(_ operation: PanelOperation, at now: Timestamp) { panel.apply(operation, at: now) }
}

/// A controller chip and the simulator of its panel.
struct EPaperKind: Sendable, CustomTestStringConvertible {
    let name: String
    let chip: any EPaperChip
    let simulator: @Sendable (PictureFormat) -> any SimulatedEPaper

    var testDescription: String { name }
    var panel: AnyEPaper { AnyEPaper(panel: simulator(chip.format)) }
    var isMono: Bool { chip.format.depth == .mono }

    /// Every panel that the table of models has, with every colour it is sold with.
    static let all: [EPaperKind] = [
        EPaperKind("ssd1680 122x250", SSD1680(width: 122, height: 250), .ssd1680),
        EPaperKind("ssd1680 122x250 red", SSD1680(width: 122, height: 250, accent: .red), .ssd1680),
        EPaperKind("ssd1680z 122x250", SSD1680(width: 122, height: 250), .ssd1680z),
        EPaperKind("ssd1680 128x296", SSD1680(width: 128, height: 296), .ssd1680),
        EPaperKind("ssd1680 128x296 yellow", SSD1680(width: 128, height: 296, accent: .yellow), .ssd1680),
        EPaperKind("ssd1675a 122x250", SSD1675(.a, width: 122, height: 250), .ssd1675a),
        EPaperKind("ssd1675b 122x250", SSD1675(.b, width: 122, height: 250), .ssd1675b),
        EPaperKind("ssd1675b 122x250 red", SSD1675(.b, width: 122, height: 250, accent: .red), .ssd1675b),
        EPaperKind("ssd1675b 128x296", SSD1675(.b, width: 128, height: 296), .ssd1675b),
        EPaperKind("ssd1675b 128x296 yellow", SSD1675(.b, width: 128, height: 296, accent: .yellow), .ssd1675b),
        EPaperKind("uc8151 128x296", UC8151(width: 128, height: 296), .uc8151),
        EPaperKind("uc8151 128x296 red", UC8151(width: 128, height: 296, accent: .red), .uc8151),
        EPaperKind("uc8176 400x300", UC8176(), .uc8176),
        EPaperKind("uc8176 400x300 yellow", UC8176(accent: .yellow), .uc8176),
    ]

    /// Each chip with two and with three colours on a glass of few pixels, for long runs.
    static let small: [EPaperKind] = [
        EPaperKind("ssd1680", SSD1680(width: 20, height: 12), .ssd1680),
        EPaperKind("ssd1680 red", SSD1680(width: 20, height: 12, accent: .red), .ssd1680),
        EPaperKind("ssd1675a", SSD1675(.a, width: 20, height: 12), .ssd1675a),
        EPaperKind("ssd1675b red", SSD1675(.b, width: 20, height: 12, accent: .red), .ssd1675b),
        EPaperKind("uc8151", UC8151(width: 24, height: 12), .uc8151),
        EPaperKind("uc8151 red", UC8151(width: 24, height: 12, accent: .red), .uc8151),
    ]
    static let smallMono = small.filter(\.isMono)
    static let smallAccent = small.filter { !$0.isMono }

    init(_ name: String, _ chip: any EPaperChip, _ solomon: SimulatedSSD16xx.Chip) {
        self.name = name
        self.chip = chip
        simulator = { SimulatedSSD16xx(solomon, format: $0) }
    }

    init(_ name: String, _ chip: any EPaperChip, _ ultraChip: SimulatedUC81xx.Chip) {
        self.name = name
        self.chip = chip
        simulator = { SimulatedUC81xx(ultraChip, format: $0) }
    }

    /// The same panel with another driver.
    func with(_ chip: any EPaperChip) -> EPaperKind { EPaperKind(name: name, chip: chip, simulator: simulator) }

    private init(
        name: String, chip: any EPaperChip, simulator: @escaping @Sendable (PictureFormat) -> any SimulatedEPaper
    ) {
        self.name = name
        self.chip = chip
        self.simulator = simulator
    }

    /// A picture of noise.
    func picture(_ seed: UInt64) -> Picture { Self.picture(seed, chip.format) }

    /// A picture of noise.
    static func picture(_ seed: UInt64, _ format: PictureFormat) -> Picture {
        var generator = SeededGenerator(seed: seed)
        let stride = Picture.bytesPerRow(format)
        let padding = UInt8(truncatingIfNeeded: 0xff << (stride * 8 - format.width))
        func plane() -> [UInt8] {
            (0..<stride * format.height).map {
                UInt8.random(in: 0...255, using: &generator) & ($0 % stride == stride - 1 ? padding : 0xff)
            }
        }
        let dark = plane()
        let accent = format.depth == .mono ? nil : zip(plane(), dark).map { $0 & ~$1 }
        return Picture(format: format, pixels: .planes(dark: dark, accent: accent))
    }
}

/// A controller, its panel and what a shell does between them, in virtual time.
struct EPaperBench {
    var controller: any PanelController
    var bus: SimulatedBus<AnyEPaper>
    var now = Timestamp(nanoseconds: 1_000_000_000)
    var events: [PanelEvent] = []
    /// What is to be carried out.
    var program: [PanelOperation]?
    var deadline: Timestamp?
    /// What the next process is to know.
    var memory: GlassMemory?

    init(_ kind: EPaperKind) {
        self.init(EPaper(kind.chip), kind.panel)
    }

    init(_ controller: any PanelController, _ panel: AnyEPaper) {
        self.controller = controller
        bus = SimulatedBus(panel, clock: 4_000_000)
    }

    var panel: AnyEPaper { bus.panel }
    var visible: Picture { panel.visible(at: now) }
    var refreshes: [EPaperCircuit.Refresh] { panel.circuit.refreshes }
    /// The seconds at which refreshes began, from the first on.
    var seconds: [Int] {
        refreshes.map { Int(($0.began - refreshes[0].began).wholeNanoseconds / 1_000_000_000) }
    }

    /// Tells the controller something; a program it answers with waits for `carryOut`.
    mutating func tell(_ input: PanelInput) {
        var output = PanelOutput()
        deadline = controller.handle(input, at: now, into: &output)
        for event in output.events {
            if case .remember(let memory) = event { self.memory = memory } else { events.append(event) }
        }
        guard !output.program.isEmpty else { return }
        precondition(program == nil, "two programs at once")
        program = output.program
    }

    /// Carries out the program.
    mutating func carryOut(failing: Int? = nil) {
        guard let operations = program else { return }
        program = nil
        tell(bus.carryOut(operations, at: &now, failing: failing))
    }

    /// Tells the controller something, and carries out what there is to do now.
    mutating func give(_ input: PanelInput) {
        tell(input)
        while program != nil { carryOut() }
    }

    /// Lets time pass.
    mutating func pass(_ duration: Duration) {
        let end = now + duration
        while program != nil { carryOut() }
        while let due = deadline, due <= end {
            now = max(now, due)
            give(.wake)
        }
        now = max(now, end)
    }

    /// Kills the process: another one takes over, with what this one has remembered.
    mutating func restart(_ kind: EPaperKind) {
        program = nil
        controller = EPaper(kind.chip)
        if let memory { tell(.remember(memory)) }
        give(.start)
    }

    /// The events since the last call.
    mutating func takeEvents() -> [PanelEvent] {
        defer { events = [] }
        return events
    }
}
