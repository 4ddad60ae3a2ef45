public import Raster
public import SansIO

/// Ilitek ILI9341: TFTs of 240×320 by four-line serial bus.
///
/// Sections are those of the datasheet "ILI9341, a-Si TFT LCD Single Chip Driver", version 1.11 of 2011.
public struct ILI9341: PanelController {
    private var driver: TFTDriver

    /// Makes the controller of a glass.
    /// - Parameter glass: at most as big as the frame memory (240 columns, 320 rows); its bus is serial.
    public init(_ glass: TFTGlass) {
        driver = TFTDriver(glass: glass, sequences: Self.sequences(glass))
    }

    /// The size of the glass, in RGB565.
    public var format: PictureFormat { driver.format }

    /// §18.3.4, tscycw: 100 ns. Makers of boards give up to three times as much.
    public var maximumClock: UInt32 { 10_000_000 }

    /// Takes one input; see `PanelController`.
    public mutating func handle(
        _ input: borrowing PanelInput, at now: Timestamp, into output: inout PanelOutput
    ) -> Timestamp? {
        driver.handle(input, at: now, into: &output)
    }

    static func sequences(_ glass: TFTGlass) -> TFTSequences {
        TFTSequences(
            resetPulse: .microseconds(10),  // §15.4, tRW
            afterReset: .milliseconds(5),  // §15.4, note 7; §8.2.2
            softwareReset: 0x01,  // §8.2.2, Software Reset
            setUp: [
                .command(0xC0, [0x23]),  // §8.3.16, Power Control 1: 4.60 V for the grey levels
                .command(0xC1, [0x10]),  // §8.3.17, Power Control 2: the step-up factors
                .command(0xC5, [0x3E, 0x28]),  // §8.3.18, VCOM Control 1: 4.250 V and -1.500 V
                .command(0xC7, [0x86]),  // §8.3.19, VCOM Control 2: shifted by -58 steps, against flicker
                .command(0x3A, [0x55]),  // §8.2.33, COLMOD: 16 bits a pixel
                .command(0x36, [glass.access.rawValue]),  // §8.2.29, Memory Access Control
                .command(glass.inverted ? 0x21 : 0x20, []),  // §8.2.16 and §8.2.15, Display Inversion ON, OFF
            ],
            resetToSleepOut: .milliseconds(120),  // §15.4, note 7; §8.2.2
            wakeUp: [
                .command(0x11, []),  // §8.2.12, Sleep Out
                .wait(.milliseconds(5)),
                .command(0x29, []),  // §8.2.19, Display ON
            ],
            behindSleepOut: .milliseconds(5),
            sleepOutToSleepIn: .milliseconds(120),  // §8.2.12
            displayOff: 0x28,  // §8.2.18, Display OFF
            sleepIn: 0x10,  // §8.2.11, Enter Sleep Mode
            afterSleepIn: .milliseconds(5),  // §8.2.11
            encoding: .rgb565)
    }
}
