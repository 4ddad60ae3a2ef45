public import Raster

/// UltraChip's UC8176, also sold as IL0398: 400 sources, 300 gates, white, black and red.
///
/// Sources: its datasheet, sections "Command table" and "Register description"; the waveform registers, which it leaves
/// out, from UC8151's; values that depend on the glass from Good Display's specifications of GDEW042T2 and
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

    /// What brings a picture onto the glass.
    public func program(showing picture: Picture, over old: Picture?) -> [PanelOperation] {
        UltraChip(
            // 400x300.
            panelSetting: 0x0f,
            resolution: [
                UInt8(format.width >> 8), UInt8(format.width & 0xff), UInt8(format.height >> 8),
                UInt8(format.height & 0xff),
            ],
            // -1.0 V.
            vcom: 0x12
        ).program(showing: picture, over: old)
    }
}
