public import Raster
public import SansIO

/// Sitronix ST7789V: TFTs of 240×320 and 240×240 by four-line serial bus.
///
/// Sections are those of the datasheet "ST7789V, 240RGB × 320 dot 262K Color", version 1.3 of 2014.
public struct ST7789: PanelController {
    private var driver: TFTDriver

    /// Makes the controller of a glass.
    /// - Parameter glass: at most as big as the frame memory (240 columns, 320 rows); its bus is serial.
    public init(_ glass: TFTGlass) {
        driver = TFTDriver(glass: glass, sequences: Self.sequences(glass))
    }

    /// The size of the glass, in RGB565.
    public var format: PictureFormat { driver.format }

    /// §7.4.3, TSCYCW: 16 ns.
    public var maximumClock: UInt32 { 62_500_000 }

    /// Takes one input; see `PanelController`.
    public mutating func handle(
        _ input: borrowing PanelInput, at now: Timestamp, into output: inout PanelOutput
    ) -> Timestamp? {
        driver.handle(input, at: now, into: &output)
    }

    static func sequences(_ glass: TFTGlass) -> TFTSequences {
        TFTSequences(
            resetPulse: .microseconds(10),  // §7.4.5, TRW
            afterReset: .milliseconds(5),  // §7.4.5, note 7; §9.1.2
            softwareReset: 0x01,  // §9.1.2, SWRESET
            setUp: [
                .command(0x3A, [0x55]),  // §9.1.32, COLMOD: 16 bits a pixel
                .command(0x36, [glass.access.rawValue]),  // §9.1.28, MADCTL
                .command(glass.inverted ? 0x21 : 0x20, []),  // §9.1.16, INVON; §9.1.15, INVOFF
            ],
            resetToSleepOut: .milliseconds(120),  // §7.4.5, note 7; §9.1.2
            wakeUp: [
                .command(0x11, []),  // §9.1.12, SLPOUT
                .wait(.milliseconds(5)),
                .command(0x29, []),  // §9.1.19, DISPON
            ],
            behindSleepOut: .milliseconds(5),
            sleepOutToSleepIn: .milliseconds(120),  // §9.1.12
            displayOff: 0x28,  // §9.1.18, DISPOFF
            sleepIn: 0x10,  // §9.1.11, SLPIN
            afterSleepIn: .milliseconds(5),  // §9.1.11
            encoding: .rgb565)
    }
}
