public import PanelDrivers
public import Raster
public import SansIO

/// A panel with one of UltraChip's controllers, from their datasheets (UC8151 and UC8176: "Command table", "Register
/// description").
public struct SimulatedUC81xx: SimulatedEPaper {
    /// What the controllers differ in.
    public struct Chip: Sendable {
        /// How many parameters each command has; -1: any number.
        let parameters: [UInt8: Int]
        /// What the resolution bits of the panel setting stand for.
        let resolutions: [(width: Int, height: Int)]
        /// How long a refresh in two colours takes.
        let full: Duration

        private static let common: [UInt8: Int] = [
            0x00: 1, 0x01: 5, 0x02: 0, 0x03: 1, 0x04: 0, 0x06: 3, 0x07: 1, 0x10: -1, 0x11: 0, 0x12: 0, 0x13: -1,
            0x20: 44,
            0x21: 42, 0x22: 42, 0x23: 42, 0x24: 42, 0x30: 1, 0x41: 1, 0x50: 1, 0x60: 1, 0x82: 1, 0x91: 0, 0x92: 0,
        ]

        /// UC8151, IL0373.
        public static let uc8151 = Chip(
            parameters: common.merging([0x61: 3, 0x90: 7]) { $1 },
            resolutions: [(96, 230), (96, 252), (128, 296), (160, 296)], full: .milliseconds(3000))
        /// UC8176, IL0398.
        public static let uc8176 = Chip(
            parameters: common.merging([0x61: 4, 0x90: 9]) { $1 },
            resolutions: [(400, 300), (320, 300), (320, 240), (200, 300)], full: .milliseconds(4000))
    }

    /// Its circuit.
    public var circuit: EPaperCircuit
    private let chip: Chip
    private let format: PictureFormat
    private var registers: [UInt8: [UInt8]] = [:]
    /// The planes of R10h and R13h, as far as they were sent.
    private var planes: [UInt8: [UInt8]] = [:]
    private var writing: UInt8?
    private var hasPower = false

    /// Makes a panel.
    /// - Parameters:
    ///   - chip: its controller.
    ///   - format: its glass, the way it is wired.
    public init(_ chip: Chip, format: PictureFormat) {
        self.chip = chip
        self.format = format
        circuit = EPaperCircuit(format)
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
            guard let writing else { return circuit.violation("data behind no data command", at: now) }
            planes[writing, default: []] += bytes
        }
    }

    /// What a reset sets back; the memory is lost in deep sleep.
    private mutating func forget() {
        registers = [0x00: [0x0f], 0x30: [0x3c], 0x50: [0xd7]]
        planes = [:]
        hasPower = false
    }

    private func byte(_ command: UInt8) -> Int { Int(registers[command]?.first ?? 0) }

    private mutating func take(_ command: UInt8, _ parameters: [UInt8], at now: Timestamp) {
        guard let count = chip.parameters[command] else {
            return circuit.violation("command 0x\(String(command, radix: 16)) is not in the table", at: now)
        }
        guard count < 0 || parameters.count == count else {
            return circuit.violation(
                "command 0x\(String(command, radix: 16)) with \(parameters.count) parameters", at: now)
        }
        if count > 0 { registers[command] = parameters }
        // BUSY_N falls up to 200 µs behind the command.
        let busyFrom = now + .microseconds(200)
        switch command {
        case 0x00: if parameters[0] & 1 == 0 { forget() }
        case 0x02:
            if !hasPower { circuit.violation("power off without power", at: now) }
            hasPower = false
            circuit.busy(since: now, from: busyFrom, for: .milliseconds(40))
        case 0x04:
            hasPower = true
            circuit.busy(since: now, from: busyFrom, for: .milliseconds(80))
        case 0x07:
            if parameters[0] != 0xa5 { circuit.violation("deep sleep without its check code", at: now) }
            if hasPower { circuit.violation("deep sleep with the voltages on", at: now) }
            circuit.isAsleep = true
        case 0x10, 0x13:
            writing = command
            planes[command] = parameters
        case 0x12: refresh(from: busyFrom, at: now)
        case 0x91: circuit.violation("partial windows have no model", at: now)
        default: break
        }
    }

    /// Display refresh (R12h).
    private mutating func refresh(from: Timestamp, at now: Timestamp) {
        guard hasPower, byte(0x00) & 2 != 0 else { return circuit.violation("refresh without power", at: now) }
        let isMono = byte(0x00) & 0x10 != 0
        guard isMono == (format.depth == .mono) else { return circuit.violation("wrong number of colours", at: now) }
        guard resolution == (format.width, format.height) else {
            return circuit.violation("a resolution of \(resolution)", at: now)
        }
        let size = format.width / 8 * format.height
        guard let first = planes[0x10], let second = planes[0x13], first.count == size, second.count == size else {
            return circuit.violation("refresh of \(planes.mapValues(\.count)) bytes", at: now)
        }
        let polarity = byte(0x50) >> 4 & 3
        // By what was and what comes, or by the third colour and black and white; 1 is black, 1 is the third colour.
        var effects: [EPaperGlass.Effect]
        var duration = isMono ? chip.full : .seconds(15)
        var isPartial = false
        if !isMono {
            effects = [.put(.white), .put(.black), .put(.accent), .put(.accent)]
        } else {
            // The waveform may leave a pixel alone that does not change.
            effects = [.keep, .put(.black), .put(.white), .keep]
            if polarity > 1 { circuit.violation("this polarity knows no old picture", at: now) }
        }
        if byte(0x00) & 0x20 != 0 {
            guard isMono, let sent = sentWaveform(at: now) else {
                return circuit.violation("refresh without a waveform", at: now)
            }
            for command: UInt8 in [0x01, 0x82] where registers[command] == nil {
                circuit.violation("a sent waveform without R\(String(command, radix: 16))h", at: now)
            }
            effects = sent.effects
            duration = sent.duration
            if case (.keep, .keep) = (effects[0], effects[3]) { isPartial = true }
        }
        let (isDown, isRight) = (byte(0x00) & 8 != 0, byte(0x00) & 4 != 0)
        let (width, height) = (format.width, format.height)
        let edge = border(isMono: isMono)
        circuit.refresh(isPartial: isPartial, since: now, from: from, for: duration, effects: effects, border: edge) {
            x, y in
            let (column, row) = (isRight ? x : width - 1 - x, isDown ? y : height - 1 - y)
            let (byte, shift) = (row * width / 8 + column / 8, UInt8(7 - column % 8))
            let (a, b) = (Int(first[byte] >> shift) & 1, Int(second[byte] >> shift) & 1)
            // R50h, DDX: bit 0 set: 1 is white; bit 1 set: 0 is the third colour.
            let isWhite = { (bit: Int) in bit == polarity & 1 }
            if isMono { return (isWhite(a) ? 0 : 2) | (isWhite(b) ? 0 : 1) }
            return (b == polarity >> 1 ? 0 : 2) | (isWhite(a) ? 0 : 1)
        }
    }

    private var resolution: (Int, Int) {
        guard let bytes = registers[0x61]?.map(Int.init) else {
            let size = chip.resolutions[byte(0x00) >> 6]
            return (size.width, size.height)
        }
        return bytes.count == 3
            ? (bytes[0] & 0xf8, bytes[1] << 8 | bytes[2]) : (bytes[0] << 8 | bytes[1] & 0xf8, bytes[2] << 8 | bytes[3])
    }

    /// Reads the waveform registers (UC8151, R20h to R24h): groups of four levels, their frames, and how often they are run.
    private mutating func sentWaveform(at now: Timestamp) -> (effects: [EPaperGlass.Effect], duration: Duration)? {
        guard let frame = [0x39: 5, 0x3a: 10, 0x3c: 20][byte(0x30)] else { return nil }
        var lengths: Set<Int> = []
        var pulses: [UInt8: [Int]] = [:]
        for command in UInt8(0x20)...0x24 {
            guard let table = registers[command]?.map(Int.init) else { return nil }
            var length = 0
            for group in 0..<7 {
                let bytes = table[(group * 6)...].prefix(6).map { $0 }
                for _ in 0..<bytes[5] {
                    for part in 0..<4 where bytes[1 + part] > 0 {
                        let time = bytes[1 + part] * frame
                        length += time
                        switch bytes[0] >> (6 - 2 * part) & 3 {
                        case 1: pulses[command, default: []].append(time)
                        case 2: pulses[command, default: []].append(-time)
                        default: break
                        }
                    }
                }
            }
            lengths.insert(length)
        }
        if lengths.count != 1 { circuit.violation("waveforms of different lengths: \(lengths)", at: now) }
        if pulses[0x20] != nil { circuit.violation("VCOM is moved", at: now) }
        // White stays, white becomes black, black becomes white, black stays.
        let effects = [UInt8(0x21), 0x23, 0x22, 0x24].map { pulses[$0].map { .drive($0) } ?? EPaperGlass.Effect.keep }
        return (effects, .milliseconds(lengths.max() ?? 0))
    }

    /// R50h, VBD with DDX bit 0 set.
    private func border(isMono: Bool) -> EPaperGlass.Effect {
        switch (byte(0x50) >> 6, isMono) {
        case (1, true), (0, false): .put(.black)
        case (2, true), (1, false): .put(.white)
        case (2, false): .put(.accent)
        default: .keep
        }
    }
}
