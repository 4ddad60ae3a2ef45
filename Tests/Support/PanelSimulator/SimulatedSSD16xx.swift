public import PanelDrivers
public import Raster
public import SansIO

/// A panel with one of Solomon Systech's controllers, from their datasheets (SSD1680 0.14, SSD1675A, SSD1675B: "Functional
/// block description", "Command table", "Command description").
public struct SimulatedSSD16xx: SimulatedEPaper {
    /// What the controllers differ in.
    public struct Chip: Sendable {
        let sources: Int
        let gates = 296
        /// Phases of a waveform.
        let phases: Int
        /// How the times of a phase lie: the bytes with the frames of its four parts, the one with its repetitions, and how
        /// many there are.
        let times: (parts: [Int], repeats: Int, stride: Int)
        /// The source the glass' first column hangs on.
        let firstSource: Int
        /// Display update control 1 after a reset, by which sources 0 to 175 are used (0), or 8 to 167 (0x80).
        var sourcesAtReset: UInt8 = 0
        /// How many parameters each command has; -1: any number.
        let parameters: [UInt8: Int]
        /// Whether the analog and digital block control must be set.
        let needsBlockControl: Bool

        private static let common: [UInt8: Int] = [
            0x01: 3, 0x03: 1, 0x04: 3, 0x10: 1, 0x11: 1, 0x12: 0, 0x18: 1, 0x1a: 2, 0x20: 0, 0x22: 1, 0x24: -1,
            0x26: -1,
            0x2c: 1, 0x3c: 1, 0x44: 2, 0x45: 4, 0x46: 1, 0x47: 1, 0x4e: 1, 0x4f: 2, 0x7f: 0,
        ]

        /// SSD1680.
        public static let ssd1680 = Chip(
            sources: 176, phases: 12, times: ([0, 1, 3, 4], 6, 7), firstSource: 8,
            parameters: common.merging([0x0c: 4, 0x21: 2, 0x32: 153, 0x37: 10, 0x3f: 1]) { $1 },
            needsBlockControl: false)
        /// An SSD1680 that uses the fewer sources by itself, as those of GDEY0213B74 do by what libraries send them: some write
        /// from the RAM's second byte on with the former, and from its first with these.
        public static let ssd1680z: Chip = {
            var chip = ssd1680
            chip.sourcesAtReset = 0x80
            return chip
        }()
        /// SSD1675A.
        public static let ssd1675a = Chip(
            sources: 160, phases: 7, times: ([0, 1, 2, 3], 4, 5), firstSource: 0,
            parameters: common.merging([0x21: 1, 0x32: 70, 0x3a: 1, 0x3b: 1, 0x74: 1, 0x7e: 1]) { $1 },
            needsBlockControl: true)
        /// SSD1675B.
        public static let ssd1675b = Chip(
            sources: 160, phases: 10, times: ([0, 1, 2, 3], 4, 5), firstSource: 0,
            parameters: common.merging([0x21: 1, 0x32: 100, 0x3a: 1, 0x3b: 1, 0x74: 1, 0x7e: 1]) { $1 },
            needsBlockControl: true)
    }

    /// A waveform.
    private enum Waveform {
        /// The panel's own, of one of the two display modes.
        case own(isMode2: Bool)
        /// One that was sent: what it does to each of four transitions, and how long it takes.
        case sent(pulses: [[Int]], duration: Duration)
    }

    /// Its circuit.
    public var circuit: EPaperCircuit
    private let chip: Chip
    private let format: PictureFormat
    /// Black and white RAM, red RAM.
    private var planes: [[UInt8]]
    private var registers: [UInt8: [UInt8]] = [:]
    private var counter = (x: 0, y: 0)
    /// The RAM that is being written, and how many bytes it got.
    private var writing: (plane: Int, bytes: Int)?
    private var waveform: Waveform?
    /// Whether the voltages that belong to the panel's own waveform are there.
    private var hasOwnVoltages = false
    private var hasClock = false
    private var hasVoltages = false

    private var stride: Int { chip.sources / 8 }

    /// Makes a panel.
    /// - Parameters:
    ///   - chip: its controller.
    ///   - format: its glass, the way it is wired.
    public init(_ chip: Chip, format: PictureFormat) {
        self.chip = chip
        self.format = format
        circuit = EPaperCircuit(format)
        planes = Array(
            repeating: (0..<chip.sources / 8 * chip.gates).map { UInt8(truncatingIfNeeded: $0 &* 151) }, count: 2)
    }

    /// Takes one operation.
    public mutating func apply(_ operation: PanelOperation, at now: Timestamp) {
        switch operation {
        case .reset: if circuit.line(operation, at: now) { forget() }
        case .wait, .awaitReady: break
        case .backlight, .wideCommand: circuit.violation("\(operation) for an e-paper", at: now)
        case .command(let command, let parameters):
            writing = nil
            if circuit.accepts(at: now) { take(command, parameters, at: now) }
        case .data(let bytes):
            guard circuit.accepts(at: now) else { return }
            if writing == nil {
                circuit.violation("data behind no RAM command", at: now)
            } else {
                write(bytes, at: now)
            }
        }
    }

    /// What a reset, by the line or by the command, sets back ("Command table", POR).
    private mutating func forget() {
        let lastByte = UInt8(stride - 1)
        registers = [
            0x01: [0x27, 0x01, 0], 0x11: [3], 0x18: [0x48], 0x21: [0, chip.sourcesAtReset], 0x22: [0xff], 0x3c: [0xc0],
        ]
        registers[0x44] = [0, lastByte]
        registers[0x45] = [0, 0, 0x27, 0x01]
        counter = (0, 0)
        waveform = nil
        hasOwnVoltages = false
        hasClock = false
        hasVoltages = false
    }

    private func word(_ command: UInt8, _ index: Int) -> Int {
        let bytes = registers[command] ?? [0, 0, 0, 0]
        return Int(bytes[index]) | Int(bytes[index + 1]) << 8
    }

    private func byte(_ command: UInt8, _ index: Int = 0) -> Int {
        Int(registers[command]?[index] ?? 0)
    }

    private mutating func take(_ command: UInt8, _ parameters: [UInt8], at now: Timestamp) {
        guard let count = chip.parameters[command] else {
            return circuit.violation("command 0x\(String(command, radix: 16)) is not in the table", at: now)
        }
        guard count < 0 || parameters.count == count else {
            return circuit.violation(
                "command 0x\(String(command, radix: 16)) with \(parameters.count) parameters", at: now)
        }
        if count > 0 { registers[command] = parameters }
        switch command {
        case 0x12:
            forget()
            circuit.busy(since: now, from: now, for: .milliseconds(12))
        case 0x10:
            if parameters[0] & 3 != 0 {
                if hasVoltages { circuit.violation("deep sleep with the voltages on", at: now) }
                circuit.isAsleep = true
                if parameters[0] & 3 == 3 { planes = planes.map { $0.map { ~$0 &* 3 } } }
            }
        case 0x20: activate(at: now)
        case 0x24, 0x26:
            writing = (command == 0x24 ? 0 : 1, 0)
            write(parameters, at: now)
        case 0x32: waveform = sentWaveform(parameters, at: now)
        case 0x44:
            if max(parameters[0], parameters[1]) >= stride {
                circuit.violation("RAM window outside of the RAM: bytes \(parameters[0])...\(parameters[1])", at: now)
            }
        case 0x45:
            if max(word(0x45, 0), word(0x45, 2)) >= chip.gates {
                circuit.violation("RAM window outside of the RAM: rows \(word(0x45, 0))...\(word(0x45, 2))", at: now)
            }
        case 0x4e: counter.x = Int(parameters[0])
        case 0x4f: counter.y = word(0x4f, 0)
        default: break
        }
    }

    private mutating func write(_ bytes: [UInt8], at now: Timestamp) {
        guard let (plane, before) = writing else { return }
        let (left, right) = (byte(0x44, 0), byte(0x44, 1))
        let (top, bottom) = (word(0x45, 0), word(0x45, 2))
        let mode = byte(0x11)
        guard mode & 4 == 0 else { return circuit.violation("entry by columns has no model", at: now) }
        // Where the address decreases, the window begins with its highest.
        guard mode & 1 != 0 ? left <= right : left >= right, mode & 2 != 0 ? top <= bottom : top >= bottom else {
            return circuit.violation("a RAM window against the entry mode", at: now)
        }
        let columns = min(left, right)...max(left, right)
        let rows = min(top, bottom)...max(top, bottom)
        for byte in bytes {
            guard columns.contains(counter.x), rows.contains(counter.y), counter.x < stride, counter.y < chip.gates
            else {
                return circuit.violation("RAM address \(counter) outside of its window", at: now)
            }
            planes[plane][counter.y * stride + counter.x] = byte
            let atEnd = counter.x == (mode & 1 != 0 ? columns.upperBound : columns.lowerBound)
            if !atEnd {
                counter.x += mode & 1 != 0 ? 1 : -1
                continue
            }
            counter.x = mode & 1 != 0 ? columns.lowerBound : columns.upperBound
            let atLastRow = counter.y == (mode & 2 != 0 ? rows.upperBound : rows.lowerBound)
            if atLastRow {
                counter.y = mode & 2 != 0 ? rows.lowerBound : rows.upperBound
            } else {
                counter.y += mode & 2 != 0 ? 1 : -1
            }
        }
        let all = before + bytes.count
        if all > columns.count * rows.count { circuit.violation("\(all) bytes for a smaller RAM window", at: now) }
        writing = (plane, all)
    }

    /// Reads a waveform ("Waveform"): for each of five tables four parts of each phase; then for each phase
    /// the four parts' frames, and how often it is repeated; with SSD1680 the frames a second.
    private mutating func sentWaveform(_ bytes: [UInt8], at now: Timestamp) -> Waveform {
        var pulses: [[Int]] = Array(repeating: [], count: 4)
        var duration = 0
        for phase in 0..<chip.phases {
            let times = bytes[(chip.phases * 5 + phase * chip.times.stride)...].prefix(chip.times.stride).map(Int.init)
            var frame = 20
            if chip.times.stride == 7 {
                if times[2] != 0 || times[5] != 0 { circuit.violation("repeated parts have no model", at: now) }
                let rate = Int(bytes[144 + phase / 2] >> (phase % 2 == 0 ? 4 : 0) & 7)
                frame = 1000 / (25 * (rate + 1))
            }
            for _ in 0...times[chip.times.repeats] {
                for (part, index) in chip.times.parts.enumerated() where times[index] > 0 {
                    duration += times[index] * frame
                    for table in 0..<4 {
                        switch bytes[table * chip.phases + phase] >> UInt8(6 - 2 * part) & 3 {
                        case 1: pulses[table].append(times[index] * frame)
                        case 2: pulses[table].append(-times[index] * frame)
                        case 3: circuit.violation("VSH2 moves the third colour", at: now)
                        default: break
                        }
                    }
                }
            }
        }
        return .sent(pulses: pulses, duration: .milliseconds(duration))
    }

    /// Master activation: the sequence of display update control 2 (command 22h).
    private mutating func activate(at now: Timestamp) {
        let sequence = byte(0x22)
        guard [0x80, 0x01, 0xc0, 0x03, 0x91, 0x99, 0xb1, 0xb9, 0xc7, 0xcf, 0xf7, 0xff].contains(sequence) else {
            return circuit.violation("sequence 0x\(String(sequence, radix: 16)) is not in the table", at: now)
        }
        if chip.needsBlockControl, byte(0x74) != 0x54 || byte(0x7e) != 0x3b {
            circuit.violation("analog and digital block control are not set", at: now)
        }
        hasClock = hasClock || sequence & 0x80 != 0
        hasVoltages = hasVoltages || sequence & 0x40 != 0
        if sequence & 0x20 != 0, byte(0x18) != 0x80 {
            circuit.violation("the temperature of a sensor that is not there", at: now)
        }
        if sequence & 0x10 != 0 {
            waveform = .own(isMode2: sequence & 0x08 != 0)
            hasOwnVoltages = true
        }
        circuit.busy(since: now, from: now, for: .milliseconds(100))
        if sequence & 0x04 != 0 { display(at: now) }
        if sequence & 0x02 != 0 { hasVoltages = false }
        if sequence & 0x01 != 0 { hasClock = false }
    }

    private mutating func display(at now: Timestamp) {
        guard hasClock, hasVoltages else { return circuit.violation("refresh without clock or voltages", at: now) }
        // By the bits of red RAM and black and white RAM.
        var effects: [EPaperGlass.Effect]
        var duration: Duration
        var isPartial = false
        switch (waveform, format.depth == .mono) {
        case (nil, _): return circuit.violation("refresh without a waveform", at: now)
        case (.own(false), true):
            effects = [.put(.black), .put(.white), .put(.grey), .put(.grey)]
            duration = .milliseconds(2200)
        case (.own(true), true):
            effects = [.keep, .put(.white), .put(.black), .keep]
            duration = .milliseconds(450)
            isPartial = true
        case (.own(false), false):
            effects = [.put(.black), .put(.white), .put(.accent), .put(.accent)]
            duration = .seconds(15)
        case (.own(true), false): return circuit.violation("three colours have no display mode 2", at: now)
        case (.sent(let pulses, let time), true):
            for command: UInt8 in [0x03, 0x04, 0x2c, 0x3a, 0x3b] where registers[command] == nil && !hasOwnVoltages {
                circuit.violation("a sent waveform without 0x\(String(command, radix: 16))", at: now)
            }
            effects = pulses.map { $0.isEmpty ? .keep : .drive($0) }
            duration = time
            isPartial = pulses[0].isEmpty && pulses[3].isEmpty
        case (.sent, _): return circuit.violation("no model for a sent waveform here", at: now)
        }
        // Display update control 1: how RAM is read, and which sources the RAM's first byte is for.
        let control = byte(0x21)
        let first = chip.parameters[0x21] == 2 && byte(0x21, 1) & 0x80 != 0 ? 8 : 0
        let (mux, isReversed) = (word(0x01, 0) & 0x1ff, byte(0x01, 2) & 1 != 0)
        let (planes, stride, sources) = (planes, stride, chip.sources)
        func bit(_ plane: Int, _ x: Int, _ y: Int) -> Int {
            let option = plane == 0 ? control & 0xf : control >> 4
            if option == 4 { return 0 }
            let bit = Int(planes[plane][y * stride + x / 8] >> UInt8(7 - x % 8)) & 1
            return option == 8 ? 1 - bit : bit
        }
        let offset = chip.firstSource - first
        let edge = border(effects)
        circuit.refresh(isPartial: isPartial, since: now, from: now, for: duration, effects: effects, border: edge) {
            x, y in
            let row = isReversed ? mux - y : y
            guard y <= mux, row >= 0, x + offset >= 0, x + offset < sources else { return nil }
            return bit(1, x + offset, row) << 1 | bit(0, x + offset, row)
        }
    }

    /// Border waveform (command 3Ch): a transition like a pixel's, a level, VCOM, or not driven.
    private func border(_ effects: [EPaperGlass.Effect]) -> EPaperGlass.Effect {
        let value = byte(0x3c)
        switch value >> 6 {
        case 0: return effects[value & 3]
        case 1: return .put(.grey)
        default: return .keep
        }
    }
}
