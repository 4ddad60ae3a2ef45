public import PanelDrivers
public import Raster
public import SansIO

/// A TFT: its controller with frame memory and registers, its glass, and its backlight.
///
/// The rules, which the datasheets of ST7789V, ILI9341 and ILI9486 have in common (each in its sections on reset timing,
/// SWRESET, SLPIN, SLPOUT): a reset pulse lasts 10 µs; no command within 5 ms of a reset; no sleep out within 120 ms of
/// a reset or of sleep in; no command within 5 ms of sleep in and sleep out; no sleep in and no software reset within 120 ms
/// of sleep out. Registers and frame memory can be written during sleep ("Register Availability: Sleep In, Yes"), and no
/// reset clears the memory.
public struct SimulatedTFT: SimulatedPanel {
    /// How the glass hangs on the controller: what a maker of modules decides.
    public struct Mounting: Sendable {
        /// How much of the memory can be seen, from its column and row 0.
        public var columns: Int
        /// How many of its rows.
        public var rows: Int
        /// Whether column 0 is on the right.
        public var mirrored: Bool
        /// How far a person sees it turned, clockwise, after that.
        public var turn: Turn
        /// Whether the leftmost part of a pixel is blue.
        public var blueFirst: Bool
        /// Whether it shows the complement of what the controller drives.
        public var inverting: Bool
        /// Whether shift registers make words of 16 bits.
        public var words: Bool

        /// Describes a module.
        public init(
            columns: Int, rows: Int, mirrored: Bool = false, turn: Turn = .none, blueFirst: Bool = false,
            inverting: Bool = false, words: Bool = false
        ) {
            self.columns = columns
            self.rows = rows
            self.mirrored = mirrored
            self.turn = turn
            self.blueFirst = blueFirst
            self.inverting = inverting
            self.words = words
        }
    }

    /// Its controller.
    public let chip: TFTChip
    /// Its glass.
    public let mounting: Mounting
    /// What was done against the datasheet.
    public private(set) var violations: [String] = []
    /// Whether it is a copy that takes no pixels in its sleep, against the datasheet.
    public var isDeafAsleep = false
    /// How many bytes of pixels came since the start.
    public private(set) var pixelBytes = 0
    /// Whether the light behind the glass is on.
    public private(set) var backlight = false

    /// 18 bits a pixel: red in the highest six. Random at power on.
    private var memory: [UInt32]

    // Registers.
    private var columnSpan: ClosedRange<Int>
    private var rowSpan: ClosedRange<Int>
    private var access: UInt8 = 0
    private var format: UInt8 = 0b110
    private var isInverted = false
    private var isAsleep = true
    private var isOn = false

    // What is being transferred.
    private var command: (code: UInt8, parameters: [UInt8], count: Int)?
    private var column = 0
    private var row = 0
    private var partial: [UInt8] = []

    // When things happened that others have to keep away from.
    private var resetSince: Timestamp?
    private var wasReset: Bool
    private var quietUntil: (Timestamp, String)?
    private var noSleepOutUntil: (Timestamp, String)?
    private var noSleepInUntil: Timestamp?

    /// Makes a panel that just got power.
    /// - Parameters:
    ///   - chip: its controller.
    ///   - mounting: its glass.
    ///   - clock: the bus' clock, in hertz; too fast a one is a violation.
    ///   - hasReset: whether the RESET line is wired; where not, the module resets itself at power on.
    public init(_ chip: TFTChip, _ mounting: Mounting, clock: UInt32, hasReset: Bool = true) {
        self.chip = chip
        self.mounting = mounting
        self.hasReset = hasReset
        wasReset = !hasReset
        columnSpan = 0...chip.columns - 1
        rowSpan = 0...chip.rows - 1
        var noise: UInt32 = 0x2545_F491
        memory = (0..<chip.columns * chip.rows).map { _ in
            noise = noise &* 1_664_525 &+ 1_013_904_223
            return noise >> 14
        }
        if !mounting.words, UInt64(clock) * UInt64(chip.serialCycle) > 1_000_000_000 {
            violations.append("\(chip.name): a clock of \(clock) Hz, cycles shorter than \(chip.serialCycle) ns")
        }
    }

    private let hasReset: Bool

    /// Takes one operation.
    public mutating func apply(_ operation: PanelOperation, at now: Timestamp) {
        switch operation {
        case .reset(let isActive):
            if hasReset { reset(isActive, at: now) }
        case .command(let code, let parameters):
            if mounting.words { violate("a command of 8 bits on a bus of words", now) }
            begin(code, at: now)
            take(parameters[...], at: now)
        case .wideCommand(let code):
            if !mounting.words { violate("a command of 16 bits on a bus of bytes", now) }
            begin(code, at: now)
        case .data(let bytes):
            if mounting.words && bytes.count % 2 != 0 { violate("half a word", now) }
            take(bytes[...], at: now)
        case .backlight(let isOn):
            backlight = isOn
        case .wait, .awaitReady:
            break
        }
    }

    /// What a person sees: black unless lit, awake and on.
    public func visible(at now: Timestamp) -> Picture {
        let isTurned = mounting.turn == .quarter || mounting.turn == .threeQuarters
        let (width, height) =
            isTurned ? (mounting.rows, mounting.columns) : (mounting.columns, mounting.rows)
        let isSwapped = (access & 0x08 != 0) != mounting.blueFirst
        let isNegative = isInverted != mounting.inverting
        let isDark = !backlight || isAsleep || !isOn || resetSince != nil
        var pixels = [UInt16](repeating: 0, count: width * height)
        if !isDark {
            for y in 0..<height {
                for x in 0..<width {
                    // Where on the unturned glass is what a person sees at (x, y)?
                    var (column, row) =
                        switch mounting.turn {
                        case .none: (x, y)
                        case .quarter: (y, width - 1 - x)
                        case .half: (width - 1 - x, height - 1 - y)
                        case .threeQuarters: (height - 1 - y, x)
                        }
                    if mounting.mirrored { column = mounting.columns - 1 - column }
                    var colour = memory[row * chip.columns + column]
                    if isNegative { colour ^= 0x3FFFF }
                    let (first, last) = (UInt16(colour >> 13), UInt16(colour >> 1 & 0x1F))
                    let green = UInt16(colour >> 6 & 0x3F) << 5
                    pixels[y * width + x] = isSwapped ? last << 11 | green | first : first << 11 | green | last
                }
            }
        }
        return Picture(format: PictureFormat(width: width, height: height, depth: .rgb565), pixels: .rgb565(pixels))
    }

    private mutating func violate(_ what: String, _ now: Timestamp) {
        violations.append("\(chip.name) at \(now.nanoseconds / 1000) µs: \(what)")
    }

    private mutating func reset(_ isActive: Bool, at now: Timestamp) {
        if isActive {
            resetSince = resetSince ?? now
            return
        }
        guard let since = resetSince else { return }
        if now - since < .microseconds(10) { violate("a reset of \(now - since)", now) }
        resetSince = nil
        wasReset = true
        setDefaults()
        access = 0
        quietUntil = (now + .milliseconds(5), "a reset")
        noSleepOutUntil = (now + .milliseconds(120), "a reset")
        noSleepInUntil = nil
    }

    /// What both resets do.
    private mutating func setDefaults() {
        (isAsleep, isOn, isInverted, format) = (true, false, false, 0b110)
        (columnSpan, rowSpan) = (0...chip.columns - 1, 0...chip.rows - 1)
        (command, partial) = (nil, [])
    }

    private mutating func begin(_ code: UInt8, at now: Timestamp) {
        if resetSince != nil {
            violate("command \(code) during a reset", now)
            return
        }
        if !wasReset {
            violate("command \(code) before the first reset", now)
            wasReset = true
        }
        if let (end, cause) = quietUntil, now < end { violate("command \(code) within 5 ms of \(cause)", now) }
        if let last = command, let range = chip.parameters[last.code], !range.contains(last.count) {
            violate("command \(last.code) with \(last.count) parameters", now)
        }
        if !partial.isEmpty { violate("command \(code) in the midst of a pixel", now) }
        partial = []
        command = (code, [], 0)
        guard chip.parameters[code] != nil else {
            violate("unknown command \(code)", now)
            return
        }
        switch code {
        case 0x01:
            if let end = noSleepInUntil, now < end { violate("software reset within 120 ms of sleep out", now) }
            setDefaults()
            quietUntil = (now + .milliseconds(5), "a software reset")
            noSleepOutUntil = (now + .milliseconds(120), "a software reset")
        case 0x10:
            if let end = noSleepInUntil, now < end { violate("sleep in within 120 ms of sleep out", now) }
            if !isAsleep { noSleepOutUntil = (now + .milliseconds(120), "sleep in") }
            isAsleep = true
            quietUntil = (now + .milliseconds(5), "sleep in")
        case 0x11:
            if let (end, cause) = noSleepOutUntil, now < end { violate("sleep out within 120 ms of \(cause)", now) }
            if isAsleep { noSleepInUntil = now + .milliseconds(120) }
            isAsleep = false
            quietUntil = (now + .milliseconds(5), "sleep out")
        case 0x20: isInverted = false
        case 0x21: isInverted = true
        case 0x28: isOn = false
        case 0x29: isOn = true
        case 0x2C:
            (column, row) = (columnSpan.lowerBound, rowSpan.lowerBound)
            let allowed: Set<UInt8> = mounting.words ? [0b101, 0b110] : chip.serialFormats
            if !allowed.contains(format) { violate("COLMOD \(format), which this bus does not take", now) }
        case 0x12, 0x30, 0x33, 0x37, 0x39:
            violate("command \(code) is not simulated", now)
        default: break
        }
    }

    private mutating func take(_ bytes: ArraySlice<UInt8>, at now: Timestamp) {
        if bytes.isEmpty { return }
        guard resetSince == nil, let (code, _, _) = command, let range = chip.parameters[code] else {
            violate("data without a command", now)
            return
        }
        if code == 0x2C || code == 0x3C {
            write(bytes)
            return
        }
        var values = Array(bytes)
        if mounting.words, case .some = command {
            // A register takes the low byte of a word.
            if stride(from: 0, to: bytes.count, by: 2).contains(where: { values[$0] != 0 }) {
                violate("a parameter of more than 8 bits for command \(code)", now)
            }
            values = stride(from: 1, to: bytes.count, by: 2).map { values[$0] }
        }
        for value in values {
            command?.parameters.append(value)
            command?.count += 1
            guard let parameters = command?.parameters else { return }
            if parameters.count > range.upperBound { violate("too many parameters for command \(code)", now) }
            if parameters.count == range.upperBound { set(code, parameters, at: now) }
        }
    }

    private mutating func set(_ code: UInt8, _ parameters: [UInt8], at now: Timestamp) {
        switch code {
        case 0x2A, 0x2B:
            let first = Int(parameters[0]) << 8 | Int(parameters[1])
            let last = Int(parameters[2]) << 8 | Int(parameters[3])
            let isExchanged = access & 0x20 != 0
            let limit = (code == 0x2A) != isExchanged ? chip.columns : chip.rows
            guard first <= last, last < limit else {
                violate("a window from \(first) to \(last) of \(limit)", now)
                return
            }
            if code == 0x2A { columnSpan = first...last } else { rowSpan = first...last }
        case 0x36: access = parameters[0]
        case 0x3A: format = parameters[0] & 0b111
        default: break
        }
    }

    /// Pixels go from the window's start, row by row, and from its end to its start again.
    private mutating func write(_ bytes: ArraySlice<UInt8>) {
        pixelBytes += bytes.count
        let size = format == 0b101 ? 2 : 3
        let all = partial + bytes
        let whole = all.count / size * size
        for index in stride(from: 0, to: whole, by: size) {
            let colour: UInt32
            if size == 2 {
                let word = UInt32(all[index]) << 8 | UInt32(all[index + 1])
                // The highest bit of red and blue is their lowest too.
                let (red, blue) = ((word >> 11) << 1 | word >> 15, (word & 0x1F) << 1 | (word >> 4 & 1))
                colour = red << 12 | (word >> 5 & 0x3F) << 6 | blue
            } else {
                colour =
                    UInt32(all[index] >> 2) << 12 | UInt32(all[index + 1] >> 2) << 6 | UInt32(all[index + 2] >> 2)
            }
            put(colour)
        }
        partial = Array(all[whole...])
    }

    private mutating func put(_ colour: UInt32) {
        // MV exchanges, then MX mirrors the memory's columns and MY its rows.
        var (x, y) = access & 0x20 != 0 ? (row, column) : (column, row)
        if access & 0x40 != 0 { x = chip.columns - 1 - x }
        if access & 0x80 != 0 { y = chip.rows - 1 - y }
        let address = y * chip.columns + x
        if address >= 0, address < memory.count, !(isAsleep && isDeafAsleep) { memory[address] = colour }
        column += 1
        if column > columnSpan.upperBound {
            column = columnSpan.lowerBound
            row = row == rowSpan.upperBound ? rowSpan.lowerBound : row + 1
        }
    }
}
