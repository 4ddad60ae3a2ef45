extension PanelModel {
    /// The TFTs.
    static var tft: [PanelModel] {
        [
            PanelModel(
                "st7789-240x240", boards: "modules of 1.3 and 1.54 inch with a CS pin",
                TFTGlass(width: 240, height: 240, access: [], inverted: true), ST7789.init),
            PanelModel(
                "st7789-240x240-no-cs", boards: "modules of 1.3 inch without a CS pin", spiMode: 3,
                TFTGlass(width: 240, height: 240, access: [], inverted: true), ST7789.init),
            // The glass shows the upper 240 rows of a memory of 320; upside down those are addresses 80 to 319.
            PanelModel(
                "adafruit-1.3-bonnet", boards: "Adafruit 1.3\" Color TFT Bonnet, Mini PiTFT 1.3\"",
                TFTGlass(
                    width: 240, height: 240, firstRow: 80, access: [.mirrorRows, .mirrorColumns], inverted: true),
                ST7789.init),
            PanelModel(
                "waveshare-1.3-hat", boards: "Waveshare 1.3inch LCD HAT",
                TFTGlass(width: 240, height: 240, access: [.mirrorColumns, .exchange], inverted: true), ST7789.init),
            PanelModel(
                "st7789-240x320", boards: "Waveshare 2inch LCD Module, Adafruit 2.0\" IPS, others of 2 to 2.8 inch",
                TFTGlass(width: 240, height: 320, access: [], inverted: true), ST7789.init),
            PanelModel(
                "display-hat-mini", boards: "Pimoroni Display HAT Mini", clock: 60_000_000,
                TFTGlass(width: 320, height: 240, access: [.mirrorRows, .exchange], inverted: true), ST7789.init),
            PanelModel(
                "ili9341-240x320", boards: "modules of 2.2 to 3.2 inch",
                TFTGlass(width: 240, height: 320, access: [.mirrorColumns, .blueFirst], inverted: false),
                ILI9341.init),
            PanelModel(
                "adafruit-pitft-2.8", boards: "Adafruit PiTFT 2.8\", 2.4\" HAT and 2.2\" HAT", clock: 32_000_000,
                TFTGlass(width: 240, height: 320, access: [.mirrorColumns, .blueFirst], inverted: false),
                ILI9341.init),
            PanelModel(
                "ili9486-320x480", boards: "modules of 3.5 inch on a serial bus",
                TFTGlass(width: 320, height: 480, access: [.mirrorColumns, .blueFirst], inverted: false),
                ILI9486.init),
            PanelModel(
                "waveshare-3.5a", boards: "Waveshare 3.5inch RPi LCD (A) and its many copies",
                TFTGlass(
                    width: 480, height: 320, access: [.exchange, .blueFirst], inverted: false, bus: .words),
                ILI9486.init),
        ]
    }

    /// Makes a line of a TFT.
    /// - Parameter clock: what the board's maker gives; nil: the datasheet's highest.
    private init<Controller: PanelController>(
        _ name: String, boards: String, clock: UInt32? = nil, spiMode: UInt8 = 0, _ glass: TFTGlass,
        _ make: @escaping @Sendable (TFTGlass) -> Controller
    ) {
        self.init(
            name, boards: boards, width: glass.width, height: glass.height,
            clock: clock ?? make(glass).maximumClock, spiMode: spiMode, build: { _ in make(glass) })
    }
}
