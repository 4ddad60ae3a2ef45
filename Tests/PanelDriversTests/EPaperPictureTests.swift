import PanelDrivers
import PanelSimulator
import Raster
import SansIO
import Testing

/// What the drivers send, as the panels show it.
@Suite struct EPaperPictureTests {
    @Test("Every model shows each picture pixel by pixel, by full and by partial refreshes", arguments: EPaperKind.all)
    func pictures(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.give(.start)
        for seed in UInt64(1)...(kind.isMono ? 8 : 2) {
            bench.give(.show(kind.picture(seed), awaited: true))
            #expect(bench.visible == kind.picture(seed))
            #expect(bench.panel.border(at: bench.now) == .white)
            #expect(bench.panel.circuit.isAsleep)
            #expect(bench.takeEvents() == [.shown])
        }
        #expect(bench.panel.violations == [])
        let partial = bench.refreshes.map(\.isPartial)
        #expect(partial == (kind.isMono ? [false, true, true, true, true, true, false, true] : [false, false]))
    }

    @Test("White, black and colour all over", arguments: EPaperKind.all)
    func plain(kind: EPaperKind) {
        let format = kind.chip.format
        let stride = Picture.bytesPerRow(format)
        let row = (0..<stride).map {
            $0 < stride - 1 ? 0xff : UInt8(truncatingIfNeeded: 0xff << (stride * 8 - format.width))
        }
        let all = Array(repeatElement(row, count: format.height).joined())
        let none = [UInt8](repeating: 0, count: all.count)
        let planes: [(dark: [UInt8], accent: [UInt8]?)] =
            kind.isMono
            ? [(none, nil), (all, nil), (none, nil)] : [(none, none), (all, none), (none, all), (none, none)]
        var bench = EPaperBench(kind)
        bench.give(.start)
        for plane in planes {
            let picture = Picture(format: format, pixels: .planes(dark: plane.dark, accent: plane.accent))
            bench.give(.show(picture, awaited: true))
            #expect(bench.visible == picture)
            bench.pass(.seconds(180))
        }
        #expect(bench.panel.violations == [])
    }

    @Test("A panel in the cold, three times as slow", arguments: EPaperKind.all)
    func cold(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.bus.panel.circuit.slowness = 3
        bench.give(.start)
        for seed in UInt64(1)...2 { bench.give(.show(kind.picture(seed), awaited: true)) }
        #expect(bench.visible == kind.picture(2))
        #expect(bench.panel.violations == [])
        #expect(bench.takeEvents() == [.shown, .shown])
    }

    @Test("Every model of the table shows pictures, and has the right BUSY level and a clock the chip can bear")
    func models() throws {
        let models = PanelModel.all.filter { $0.busy != nil }
        #expect(models.count == 7)
        for model in models {
            #expect(PanelModel.named(model.name)?.width == model.width)
            #expect(model.busy == (model.name.hasPrefix("uc") ? .activeLow : .activeHigh))
            for accent in [nil] + model.accents.map(Optional.some) {
                let controller = model.makeController(accent: accent)
                let depth = accent.map { PictureFormat.Depth.accent($0) } ?? .mono
                #expect(controller.format == PictureFormat(width: model.width, height: model.height, depth: depth))
                #expect(model.clock <= controller.maximumClock)
                let panel = try #require(SimulatedEPaperModule.make(model, accent: accent))
                var bench = EPaperBench(controller, AnyEPaper(panel: panel))
                let picture = EPaperKind.picture(11, controller.format)
                bench.give(.start)
                bench.give(.show(picture))
                #expect(bench.visible == picture)
                #expect(bench.panel.violations == [])
            }
        }
        #expect(PanelModel.named("ssd1675-250x122")?.makeController(accent: .red).format.depth == .mono)
    }

    @Test("What goes over the bus for a picture, and for how long")
    func sizes() {
        for kind in EPaperKind.all {
            var bench = EPaperBench(kind)
            bench.give(.start)
            bench.give(.show(kind.picture(1)))
            let format = kind.chip.format
            let plane = Picture.bytesPerRow(format) * format.height
            // At most both planes, five waveform tables of 44 bytes, and the rest in 100 bytes.
            #expect(bench.bus.bytes <= 2 * plane + 320, "\(kind.name): \(bench.bus.bytes)")
            #expect(bench.bus.bytes >= plane)
        }
    }

    @Test(
        "Drivers with a mistake are caught: each operation of a program is left out once",
        arguments: EPaperKind.small)
    func canaries(kind: EPaperKind) {
        for isPartial in kind.isMono ? [false, true] : [false] {
            let old = isPartial ? kind.picture(7) : nil
            let whole = kind.chip.program(showing: kind.picture(8), over: old)
            var unseen: Set<UInt8> = []
            for index in whole.indices {
                var program = whole
                let left = program.remove(at: index)
                if isNoticed(program, showing: kind.picture(8), over: old, on: kind) { continue }
                switch left {
                case .command(let command, _): unseen.insert(command)
                case .reset, .data, .awaitReady: Issue.record("\(left) is not noticed")
                case .wait(.milliseconds(1)) where kind.name.hasPrefix("uc"): Issue.record("\(left) is not noticed")
                default: break
                }
            }
            // Those that say what is so after a reset anyway: the second reset, every gate in use, entry mode, rows, first address,
            // in a partial refresh the sequence and the border; and a sensor that only the panel's own waveforms use.
            // UltraChip: the booster's start, the frames' rate, the border, the resolution that R00h has too.
            let harmless: Set<UInt8> =
                kind.name.hasPrefix("uc")
                ? kind.isMono ? [0x06, 0x30, 0x50, 0x61] : [0x00, 0x06, 0x50, 0x61]
                : Set([0x01, 0x11, 0x12, 0x18, 0x45, 0x4e, 0x4f] + (isPartial ? [0x22, 0x3c] : []))
            #expect(unseen.subtracting(harmless) == [], "\(kind.name), partial: \(isPartial)")
        }
    }

    @Test("Drivers with a mistake are caught: wrong bytes", arguments: EPaperKind.small)
    func wrongBytes(kind: EPaperKind) {
        let whole = kind.chip.program(showing: kind.picture(8), over: nil)
        for index in whole.indices {
            guard case .command(let command, let parameters) = whole[index], !parameters.isEmpty else { continue }
            var shorter = whole
            shorter[index] = .command(command, parameters.dropLast(parameters.count > 30 ? 3 : 1))
            #expect(
                isNoticed(shorter, showing: kind.picture(8), over: nil, on: kind), "0x\(String(command, radix: 16))")
            if parameters.count == 36, ![0x10, 0x26].contains(command) || !kind.isMono {
                var inverted = whole
                inverted[index] = .command(command, parameters.map { ~$0 })
                #expect(isNoticed(inverted, showing: kind.picture(8), over: nil, on: kind))
            }
            var unknown = whole
            unknown[index] = .command(0xd3, parameters)
            #expect(isNoticed(unknown, showing: kind.picture(8), over: nil, on: kind))
        }
    }

    @Test("A partial refresh over a picture that is not there leaves the wrong pixels", arguments: EPaperKind.smallMono)
    func ghosts(kind: EPaperKind) {
        let program = kind.chip.program(showing: kind.picture(3), over: kind.picture(2))
        #expect(isNoticed(program, showing: kind.picture(3), over: kind.picture(1), on: kind))
        #expect(!isNoticed(program, showing: kind.picture(3), over: kind.picture(2), on: kind))
    }

    /// Whether the simulator complains, or something else is to be seen.
    private func isNoticed(
        _ program: [PanelOperation], showing picture: Picture, over old: Picture?, on kind: EPaperKind
    ) -> Bool {
        var bus = SimulatedBus(kind.panel, clock: 4_000_000)
        var now = Timestamp(nanoseconds: 1_000_000_000)
        if let old { _ = bus.carryOut(kind.chip.program(showing: old, over: nil), at: &now) }
        guard bus.panel.violations.isEmpty else { return true }
        let answer = bus.carryOut(program, at: &now)
        return answer != .finished || !bus.panel.violations.isEmpty || bus.panel.visible(at: now) != picture
            || bus.panel.border(at: now) != .white || !bus.panel.circuit.isAsleep
    }
}
