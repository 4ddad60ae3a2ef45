import Raster

/// The modules of the table, seen from outside: which part of the controller's memory lies behind the glass, and how.
public struct TFTModule: Sendable {
    /// Its controller.
    public let chip: TFTChip
    /// Its glass.
    public let mounting: SimulatedTFT.Mounting
    /// The fastest clock of the datasheet, in hertz; some boards' makers give more.
    public var clock: UInt32 { mounting.words ? .max : 1_000_000_000 / chip.serialCycle }

    /// By the model's name in the configuration.
    public static let all: [String: TFTModule] = {
        func ips(_ rows: Int, _ turn: Turn = .none) -> TFTModule {
            TFTModule(chip: .st7789, mounting: .init(columns: 240, rows: rows, turn: turn, inverting: true))
        }
        let ili9341 = TFTModule(
            chip: .ili9341, mounting: .init(columns: 240, rows: 320, mirrored: true, blueFirst: true))
        return [
            "st7789-240x240": ips(240),
            "st7789-240x240-no-cs": ips(240),
            "adafruit-1.3-bonnet": ips(240, .half),
            "waveshare-1.3-hat": ips(240, .threeQuarters),
            "st7789-240x320": ips(320),
            "display-hat-mini": ips(320, .quarter),
            "ili9341-240x320": ili9341,
            "adafruit-pitft-2.8": ili9341,
            "ili9486-320x480": TFTModule(
                chip: .ili9486, mounting: .init(columns: 320, rows: 480, mirrored: true, blueFirst: true)),
            "waveshare-3.5a": TFTModule(
                chip: .ili9486,
                mounting: .init(
                    columns: 320, rows: 480, mirrored: true, turn: .threeQuarters, blueFirst: true, words: true)),
        ]
    }()
}
