public import Raster

/// Solomon Systech's SSD1675: 160 sources, 296 gates, white, black and red.
///
/// Sources: the datasheets of SSD1675A and SSD1675B, sections "Waveform", "Command table" and "Operation flow and
/// code sequence". With two colours the waveforms are sent: the chip's memory has none for partial refreshes. With three they are
/// the panel's own.
public struct SSD1675: EPaperChip {
    /// The two chips of that name differ in how many phases a waveform has.
    public enum Revision: Int, Hashable, Sendable {
        case a = 7
        case b = 10
    }

    /// The size and the colours of the glass, the way it is wired.
    public let format: PictureFormat
    /// Serial clock, write mode ("AC characteristics").
    public let maximumClock: UInt32 = 20_000_000
    /// Which chip it is.
    public let revision: Revision

    /// Makes the chip of a glass.
    /// - Parameters:
    ///   - revision: which chip it is.
    ///   - width: pixels in a row, at most 160 (sources).
    ///   - height: rows, at most 296 (gates).
    ///   - accent: the third colour of its ink.
    public init(_ revision: Revision, width: Int, height: Int, accent: PictureFormat.Accent? = nil) {
        precondition(width <= 160 && height <= 296)
        self.revision = revision
        format = PictureFormat(width: width, height: height, depth: accent.map { .accent($0) } ?? .mono)
    }

    /// What brings a picture onto the glass.
    public func program(showing picture: Picture, over old: Picture?) -> [PanelOperation] {
        // Analog and digital block control, as the datasheet has them.
        var program = SolomonSystech.begin(format, block: [.command(0x74, [0x54]), .command(0x7e, [0x3b])])
        program += [
            // Border waveform: like a pixel that becomes white (LUT1); not driven, so unmoved, in a partial refresh.
            .command(0x3c, [old == nil ? 0x01 : 0xc0]),
            // Temperature: the chip's own sensor.
            .command(0x18, [0x80]),
        ]
        if format.depth == .mono {
            program += [
                // VCOM -2.1 V; gates 19 V; sources 15 V, 5 V, -15 V.
                .command(0x2c, [0x55]), .command(0x03, [0x15]), .command(0x04, [0x41, 0xa8, 0x32]),
                // Dummy lines and the time of a line: 50 frames a second.
                .command(0x3a, [0x30]), .command(0x3b, [0x0a]),
                .command(0x32, waveform(isPartial: old != nil)),
            ]
        }
        // Display update control 2: clock and voltages on, with three colours temperature and waveform from the chip's memory,
        // display mode 1, voltages and clock off.
        return program + SolomonSystech.finish(picture, over: old, sequence: format.depth == .mono ? 0xc7 : 0xf7)
    }

    /// How long ink is driven from one colour to the other, in frames of 20 ms.
    private static let drive: UInt8 = 12
    /// How long it is driven to and fro, so that it comes loose.
    private static let shake: UInt8 = 8

    /// A waveform ("Waveform"): for each of five tables the voltages in four parts of each phase, two bits a part (1: to black, 2: to
    /// white); then for each phase the frames of its four parts, and how often it is repeated.
    ///
    /// Full: the wrong colour, three times black and white, the right colour; each pixel gets as much of one voltage as
    /// of the other. Partial: only what changes is driven, once.
    private func waveform(isPartial: Bool) -> [UInt8] {
        let phases = revision.rawValue
        // By what the pixel was (red RAM) and becomes: black stays, becomes white, becomes black, white stays; VCOM.
        let voltages: [[UInt8]]
        let times: [[UInt8]]
        if isPartial {
            voltages = [[], [0x80], [0x40], [], []]
            times = [[Self.drive, 0, 0, 0, 0]]
        } else {
            voltages = [[0x80, 0x60, 0x40], [0x40, 0x60, 0x80], [0x80, 0x60, 0x40], [0x40, 0x60, 0x80], []]
            times = [[Self.drive, 0, 0, 0, 0], [Self.shake, Self.shake, 0, 0, 2], [Self.drive, 0, 0, 0, 0]]
        }
        var bytes = voltages.flatMap { $0 + Array(repeating: 0, count: phases - $0.count) }
        bytes += times.joined()
        return bytes + Array(repeating: 0, count: 10 * phases - bytes.count)
    }
}
