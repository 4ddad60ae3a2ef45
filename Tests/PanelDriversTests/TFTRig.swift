import PanelDrivers
import PanelSimulator
import Raster
import SansIO
import TestSupport

/// A TFT's driver on a simulated bus, in virtual time.
struct TFTRig {
    var controller: any PanelController
    var bus: SimulatedBus<SimulatedTFT>
    var now = Timestamp(nanoseconds: 1_000_000_000)
    var wake: Timestamp?
    var events: [PanelEvent] = []
    /// When the last of `events` came.
    var lastEvent = Timestamp.zero
    /// How many programs there were.
    var programs = 0
    /// The operations that fail: called with the number of the program and its operations, answers the index of the one.
    var failing: (Int, [PanelOperation]) -> Int? = { _, _ in nil }
    /// What a program is changed into, before it is carried out.
    var changing: ([PanelOperation]) -> [PanelOperation] = { $0 }
    /// Sees the panel before each program.
    var onProgram: (SimulatedTFT) -> Void = { _ in }
    /// What comes while the next program is being carried out.
    var meanwhile: [PanelInput] = []

    init(_ controller: any PanelController, _ panel: SimulatedTFT, clock: UInt32) {
        self.controller = controller
        bus = SimulatedBus(panel, clock: clock)
    }

    /// A model of the table on the module it was made for.
    init(_ name: String, clock: UInt32? = nil) throws {
        guard let model = PanelModel.named(name), let module = TFTModule.all[name] else { throw Missing(name: name) }
        let clock = clock ?? model.clock
        self.init(
            model.makeController(), SimulatedTFT(module.chip, module.mounting, clock: min(clock, module.clock)),
            clock: clock)
    }

    struct Missing: Error { let name: String }

    var violations: [String] { bus.panel.violations }
    var visible: Picture { bus.panel.visible(at: now) }

    /// Gives an input, and carries out whatever programs it brings.
    mutating func give(_ input: PanelInput) {
        var input = input
        while true {
            var output = PanelOutput()
            wake = controller.handle(input, at: now, into: &output)
            events += output.events
            if !output.events.isEmpty { lastEvent = now }
            if output.program.isEmpty { return }
            programs += 1
            onProgram(bus.panel)
            let program = changing(output.program)
            for later in meanwhile {
                var silent = PanelOutput()
                wake = controller.handle(later, at: now, into: &silent)
                events += silent.events
                precondition(silent.program.isEmpty, "a program while another is being carried out")
            }
            meanwhile = []
            input = bus.carryOut(program, at: &now, failing: failing(programs, program))
        }
    }

    /// Lets time pass; the driver is woken when it asked for it.
    mutating func run(for duration: Duration) {
        let end = now + duration
        while let time = wake, time <= end {
            now = max(now, time)
            give(.wake)
        }
        now = max(now, end)
    }

    /// From power to a picture that can be seen.
    mutating func start(showing picture: Picture) {
        give(.start)
        give(.show(picture))
        run(for: .milliseconds(200))
    }
}

extension Picture {
    /// A picture of nothing but noise.
    static func noise(_ format: PictureFormat, _ generator: inout SeededGenerator) -> Picture {
        Picture(
            format: format,
            pixels: .rgb565(
                (0..<format.width * format.height).map { _ in UInt16.random(in: 0...(.max), using: &generator) }))
    }

    /// A picture of one colour.
    static func plain(_ format: PictureFormat, _ colour: UInt16) -> Picture {
        Picture(format: format, pixels: .rgb565(Array(repeating: colour, count: format.width * format.height)))
    }

    /// The picture with some rows of another colour.
    func painted(rows: Range<Int>, _ colour: UInt16) -> Picture {
        guard case .rgb565(var words) = pixels else { return self }
        for index in rows.lowerBound * format.width..<rows.upperBound * format.width { words[index] = colour }
        return Picture(format: format, pixels: .rgb565(words))
    }
}
