public import Raster

/// UltraChip's UC8176, also sold as IL0398: 400 sources, 300 gates, white, black and red.
///
/// Sources: its datasheet, sections 8.1 "Command table" and 8.2 "Register description"; the waveform registers, which it
/// leaves out, from UC8151's, 8.2; values that depend on the glass from Good Display's specifications of GDEW042T2 and
/// GDEW042Z15.
public struct UC8176: EPaperChip {
    /// The size and the colours of the glass, the way it is wired.
    public let format: PictureFormat
    /// Serial clock cycle of 100 ns, write mode ("AC characteristics").
    public let maximumClock: UInt32 = 10_000_000

    /// Makes the chip of a glass of 400 by 300 pixels.
    /// - Parameter accent: the third colour of its ink.
    public init(accent: PictureFormat.Accent? = nil) {
        format = PictureFormat(width: 400, height: 300, depth: accent.map { .accent($0) } ?? .mono)
    }

    /// The waveform for it is ours, and for two colours.
    public var hasPartialRefresh: Bool { format.depth == .mono }

    /// What brings a picture onto the glass.
    public func program(showing picture: Picture, over old: Picture?) -> [PanelOperation] {
        let (dark, accent) = EPaperProgram.planes(picture)
        let white = EPaperProgram.inverted(dark)
        var program = EPaperProgram.reset
        if old != nil {
            // R01h: internal voltages, VGH 16 V, VDH 11 V, VDL -11 V, VDHR 4.2 V.
            program.append(.command(0x01, [0x03, 0x00, 0x2b, 0x2b, 0x09]))
        }
        program += UltraChip.powerOn
        program += [
            // R00h: 400x300, waveform from the chip's memory (sent: bit 5), three colours (two: bit 4), rows from the top, from
            // the left, booster on, no reset.
            .command(0x00, [old != nil ? 0x3f : accent == nil ? 0x1f : 0x0f]),
            // R61h: resolution.
            .command(
                0x61,
                [
                    UInt8(format.width >> 8), UInt8(format.width & 0xff),
                    UInt8(format.height >> 8), UInt8(format.height & 0xff),
                ]),
            // R50h: data interval 10; the border white (in a partial refresh floating, so unmoved). Planes: 1 is white, and
            // with three colours 0 is red.
            .command(0x50, [accent != nil ? 0x77 : old == nil ? 0x97 : 0x17]),
        ]
        if old != nil {
            // R30h: 100 frames a second. R82h: VCOM -1.0 V.
            program += [.command(0x30, [0x3a]), .command(0x82, [0x12])]
            program += UltraChip.partialWaveform
        }
        // R10h: with two colours what was seen, with three white and black; R13h: what is to be seen, or red.
        if let accent {
            program += [.command(0x10, white), .command(0x13, EPaperProgram.inverted(accent))]
        } else {
            let before = old.map { EPaperProgram.inverted(EPaperProgram.planes($0).dark) }
            program += [.command(0x10, before ?? white), .command(0x13, white)]
        }
        program += UltraChip.refreshAndSleep(
            inkLimit: EPaperProgram.inkLimit(format, isPartial: old != nil), border: accent == nil ? 0x17 : 0xf7)
        return program
    }
}
