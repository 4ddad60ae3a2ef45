import Glibc
import PanelDrivers
import PanelSimulator
import Raster
import SansIO

/// `kibitz-panel-decode MODEL HERTZ [red|yellow]`: a simulated panel at the end of real wires. Reads one line each of what
/// happens on them, and answers each with one line. Times are nanoseconds.
///
///     transfer TIME data|command HEX   what went over the bus while D/C was high or low
///     reset TIME on|off                the RESET line
///     backlight on|off
///     time TIME                        nothing happened
///         → `ready`, `busy TIME` (until then), or `stuck`
///     picture TIME FILE                writes what a person sees, as PPM → `written`
///     violations                       → what was done against the datasheet, `; ` between them
@main
struct PanelDecode {
    private var panel: any SimulatedPanel
    /// Commands that have no parameters and begin work: they count at once, others when their parameters are there.
    private let immediate: Set<UInt8>
    /// Whether the panel takes words of 16 bits, and a command in the lower half of one.
    private var takesWords = false
    private var pending: (command: UInt8, time: Timestamp)?

    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count > 2, let clock = UInt32(arguments[2]),
            var decoder = PanelDecode(
                arguments[1], clock: clock,
                accent: arguments.count > 3 ? (arguments[3] == "red" ? .red : .yellow) : nil)
        else { fail("usage: kibitz-panel-decode MODEL HERTZ [red|yellow]") }
        // Answers go out at once.
        while let line = readLine() { say(decoder.take(line.split(separator: " ")), to: STDOUT_FILENO) }
    }

    private static func fail(_ text: String) -> Never {
        say(text, to: STDERR_FILENO)
        exit(2)
    }

    private static func say(_ text: String, to descriptor: CInt) {
        let octets = Array((text + "\n").utf8)
        guard Glibc.write(descriptor, octets, octets.count) == octets.count else { exit(1) }
    }

    private init?(_ name: String, clock: UInt32, accent: PictureFormat.Accent?) {
        guard let model = PanelModel.named(name) else { return nil }
        if let module = TFTModule.all[name] {
            // A pulse of 10 µs at RESET is too short for who looks at the line now and then.
            panel = SimulatedTFT(module.chip, module.mounting, clock: min(clock, module.clock), hasReset: false)
            immediate = []
            takesWords = module.mounting.words
        } else if let paper = SimulatedEPaperModule.make(model, accent: accent) {
            panel = paper
            // Reset and refresh; power off, power on, refresh.
            immediate = paper is SimulatedSSD16xx ? [0x12, 0x20] : [0x02, 0x04, 0x12]
        } else {
            return nil
        }
    }

    private mutating func take(_ words: [Substring]) -> String {
        switch words.first {
        case "transfer":
            guard words.count == 4, let time = Self.time(words[1]), let octets = Self.octets(words[3]) else { break }
            transfer(octets, isData: words[2] == "data", at: time)
            return answer(at: time)
        case "reset":
            guard words.count == 3, let time = Self.time(words[1]) else { break }
            flush()
            panel.apply(.reset(words[2] == "on"), at: time)
            return answer(at: time)
        case "backlight":
            guard words.count == 2 else { break }
            panel.apply(.backlight(words[1] == "on"), at: .zero)
            return "ready"
        case "time":
            guard words.count == 2, let time = Self.time(words[1]) else { break }
            return answer(at: time)
        case "picture":
            guard words.count == 3, let time = Self.time(words[1]) else { break }
            flush()
            return Self.write(panel.visible(at: time), to: String(words[2])) ? "written" : "error"
        case "violations":
            return panel.violations.joined(separator: "; ")
        default:
            break
        }
        Self.fail("what is: \(words)")
    }

    private mutating func transfer(_ octets: [UInt8], isData: Bool, at time: Timestamp) {
        if !isData, takesWords {
            flush()
            for index in stride(from: 1, to: octets.count, by: 2) { panel.apply(.wideCommand(octets[index]), at: time) }
        } else if !isData {
            for command in octets {
                flush()
                pending = (command, time)
                if immediate.contains(command) { flush() }
            }
        } else if let (command, begun) = pending {
            pending = nil
            panel.apply(.command(command, octets), at: begun)
        } else {
            panel.apply(.data(octets), at: time)
        }
    }

    private mutating func flush() {
        guard let (command, time) = pending else { return }
        pending = nil
        panel.apply(.command(command, []), at: time)
    }

    private func answer(at time: Timestamp) -> String {
        // Some hold BUSY 200 µs after a command only; who drives the line is slower than that, and has to begin.
        let soon = time + .microseconds(200)
        guard let ready = panel.ready(at: soon) else { return "stuck" }
        return ready > soon ? "busy \(ready.nanoseconds)" : "ready"
    }

    private static func time(_ word: Substring) -> Timestamp? { UInt64(word).map { Timestamp(nanoseconds: $0) } }

    private static func octets(_ word: Substring) -> [UInt8]? {
        let digits = Array(word.utf8)
        guard digits.count % 2 == 0 else { return nil }
        func value(_ digit: UInt8) -> UInt8 { digit <= 0x39 ? digit &- 0x30 : (digit | 0x20) &- 0x57 }
        return stride(from: 0, to: digits.count, by: 2).map { value(digits[$0]) << 4 | value(digits[$0 + 1]) }
    }

    private static func write(_ picture: Picture, to path: String) -> Bool {
        let (width, height) = (picture.format.width, picture.format.height)
        var octets = Array("P6 \(width) \(height) 255\n".utf8)
        octets.reserveCapacity(octets.count + width * height * 3)
        switch picture.pixels {
        case .rgb565(let words):
            for word in words {
                // As wide as it is: the lowest bits say nothing.
                octets += [UInt8(word >> 11) << 3, UInt8(word >> 5 & 0x3F) << 2, UInt8(word & 0x1F) << 3]
            }
        case .planes(let dark, let accent):
            let accentColour: [UInt8] =
                if case .accent(.yellow) = picture.format.depth { [255, 255, 0] } else { [255, 0, 0] }
            let stride = Picture.bytesPerRow(picture.format)
            for y in 0..<height {
                for x in 0..<width {
                    let (index, bit) = (y * stride + x / 8, UInt8(0x80) >> UInt8(x % 8))
                    let isAccent = accent.map { $0[index] & bit != 0 } ?? false
                    octets += isAccent ? accentColour : dark[index] & bit != 0 ? [0, 0, 0] : [255, 255, 255]
                }
            }
        }
        guard let file = fopen(path, "w") else { return false }
        defer { fclose(file) }
        return fwrite(octets, 1, octets.count, file) == octets.count
    }
}
