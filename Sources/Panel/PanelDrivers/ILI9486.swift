public import Raster
public import SansIO

/// Ilitek ILI9486: TFTs of 320×480, by four-line serial bus or behind shift registers.
///
/// Sections are those of the datasheet "ILI9486, a-Si TFT LCD Single Chip Driver, 320RGB × 480".
public struct ILI9486: PanelController {
    private let bus: TFTGlass.Bus
    private var driver: TFTDriver

    /// Makes the controller of a glass.
    /// - Parameter glass: at most as big as the frame memory (320 columns, 480 rows).
    public init(_ glass: TFTGlass) {
        bus = glass.bus
        driver = TFTDriver(glass: glass, sequences: Self.sequences(glass))
    }

    /// The size of the glass, in RGB565.
    public var format: PictureFormat { driver.format }

    /// The serial write cycle: 66 ns. Behind shift registers those are what counts; 16 MHz is what the boards' makers give.
    public var maximumClock: UInt32 {
        switch bus {
        case .serial: 15_000_000
        case .words: 16_000_000
        }
    }

    /// Takes one input; see `PanelController`.
    public mutating func handle(
        _ input: borrowing PanelInput, at now: Timestamp, into output: inout PanelOutput
    ) -> Timestamp? {
        driver.handle(input, at: now, into: &output)
    }

    static func sequences(_ glass: TFTGlass) -> TFTSequences {
        // The serial bus takes 3 and 18 bits a pixel only, the parallel one 16 too (§8.2.32).
        let encoding: PixelEncoding =
            switch glass.bus {
            case .serial: .rgb666
            case .words: .rgb565
            }
        return TFTSequences(
            resetPulse: .microseconds(10),  // reset timing, tRW
            afterReset: .milliseconds(5),  // reset timing, note 7; §8.2.2
            softwareReset: 0x01,  // §8.2.2, SWRESET
            setUp: [
                .command(0xC2, [0x44]),  // §8.2.60, Power Control 3: the step-up clocks in normal mode
                .command(0xC5, [0x00, 0x00, 0x00, 0x00]),  // §8.2.63, VCOM Control 1: the maker's
                .command(0x3A, [encoding == .rgb666 ? 0x66 : 0x55]),  // §8.2.32, COLMOD
                .command(0x36, [glass.access.rawValue]),  // §8.2.28, MADCTL
                .command(glass.inverted ? 0x21 : 0x20, []),  // §8.2.17 and §8.2.16, INVON, INVOFF
            ],
            resetToSleepOut: .milliseconds(120),  // reset timing, note 7; §8.2.2
            wakeUp: [
                .command(0x11, []),  // §8.2.13, SLPOUT
                .wait(.milliseconds(5)),
                .command(0x29, []),  // §8.2.19, DISPON
            ],
            behindSleepOut: .milliseconds(5),
            sleepOutToSleepIn: .milliseconds(120),  // §8.2.13
            displayOff: 0x28,  // §8.2.18, DISPOFF
            sleepIn: 0x10,  // §8.2.12, SLPIN
            afterSleepIn: .milliseconds(5),  // §8.2.12
            encoding: encoding)
    }
}
