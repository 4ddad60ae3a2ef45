public import Raster

/// UltraChip's UC8151, also sold as IL0373: 160 sources, 296 gates, white, black and red.
///
/// Sources: its datasheet, sections "Command table", "Register description" and "Power management"; values that depend on the glass from Good Display's specifications of GDEW029T5 and GDEW029Z10.
public struct UC8151: EPaperChip {
    /// The size and the colours of the glass, the way it is wired.
    public let format: PictureFormat
    /// Serial clock cycle of 100 ns, write mode ("AC characteristics").
    public let maximumClock: UInt32 = 10_000_000

    /// Makes the chip of a glass.
    /// - Parameters:
    ///   - width: pixels in a row, at most 160 (sources), in whole bytes.
    ///   - height: rows, at most 296 (gates).
    ///   - accent: the third colour of its ink.
    public init(width: Int, height: Int, accent: PictureFormat.Accent? = nil) {
        precondition(width <= 160 && width.isMultiple(of: 8) && height <= 296)
        format = PictureFormat(width: width, height: height, depth: accent.map { .accent($0) } ?? .mono)
    }

    /// What brings a picture onto the glass.
    public func program(showing picture: Picture, over old: Picture?) -> [PanelOperation] {
        UltraChip(
            // 128x296.
            panelSetting: 0x8f,
            resolution: [UInt8(format.width), UInt8(format.height >> 8), UInt8(format.height & 0xff)],
            // -0.5 V.
            vcom: 0x08
        ).program(showing: picture, over: old)
    }
}
