public import Raster

/// Solomon Systech's SSD1680: 176 sources, 296 gates, white, black and red.
///
/// Sources: its datasheet, revision 0.14, sections "Waveform", "Command table", "Command description" and
/// "Operation flow and code sequence"; the glass of 2.13" and 2.9" hangs on its sources from the 8th on.
public struct SSD1680: EPaperChip {
    /// The size and the colours of the glass, the way it is wired.
    public let format: PictureFormat
    /// Serial clock, write mode ("AC characteristics").
    public let maximumClock: UInt32 = 20_000_000

    /// Makes the chip of a glass.
    /// - Parameters:
    ///   - width: pixels in a row, at most 160 (sources).
    ///   - height: rows, at most 296 (gates).
    ///   - accent: the third colour of its ink.
    public init(width: Int, height: Int, accent: PictureFormat.Accent? = nil) {
        precondition(width <= 160 && height <= 296)
        format = PictureFormat(width: width, height: height, depth: accent.map { .accent($0) } ?? .mono)
    }

    /// What brings a picture onto the glass.
    public func program(showing picture: Picture, over old: Picture?) -> [PanelOperation] {
        var program = SolomonSystech.begin(format)
        program += [
            // Border waveform: like a pixel that becomes white; at VCOM, so unmoved, in a partial refresh.
            .command(0x3c, [old == nil ? 0x05 : 0x80]),
            // Temperature: the chip's own sensor.
            .command(0x18, [0x80]),
            // Display update control 1: the red plane as 0 where it means nothing; sources 8 to 167, which is said because chips of
            // one name differ in what they take by themselves.
            .command(0x21, [format.depth == .mono && old == nil ? 0x40 : 0x00, 0x80]),
        ]
        if old != nil {
            program += [
                // Temperature, waveform and voltages from the chip's memory; then our waveform over its.
                .command(0x22, [0xb1]), .command(0x20, []), .wait(EPaperProgram.busyDelay),
                .awaitReady(limit: EPaperProgram.resetLimit), .command(0x32, Self.partialWaveform),
            ]
        }
        // Display update control 2: clock and voltages on, temperature and waveform from the chip's memory and display mode 1,
        // or display mode 2 with what was loaded, voltages and clock off.
        return program + SolomonSystech.finish(picture, over: old, sequence: old == nil ? 0xf7 : 0xcf)
    }

    /// The waveform for a partial refresh ("Waveform"): five tables with the voltages in four parts of each of twelve groups, two
    /// bits a part (1: to black, 2: to white); for each group the frames of its parts and how often they are repeated; the
    /// groups' frames a second (2: 75); where all gates are on.
    ///
    /// Only what changes is driven, once, for 24 frames.
    private static let partialWaveform: [UInt8] = {
        var bytes = [UInt8](repeating: 0, count: 153)
        // By what the pixel was (red RAM) and becomes: table 1, black becomes white; table 2, white becomes black.
        bytes[12] = 0x80
        bytes[24] = 0x40
        bytes[60] = 24
        for index in 144..<150 { bytes[index] = 0x22 }
        return bytes
    }()
}
