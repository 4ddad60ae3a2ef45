import Raster

extension PanelModel {
    /// The e-papers.
    static var ePaper: [PanelModel] {
        [
            ePaper(
                "ssd1680-250x122",
                boards:
                    "2.13\": Waveshare 2.13inch e-Paper HAT V3 and V4, (B) V4; Adafruit 2.13\" Bonnet since 2022; GDEY0213B74",
                width: 122, height: 250, accents: [.red, .yellow], busy: .activeHigh
            ) { SSD1680(width: 122, height: 250, accent: $0) },
            ePaper(
                "ssd1680-296x128", boards: "2.9\": Waveshare 2.9inch e-Paper V2, (B) V3; GDEY029T94, GDEM029C90",
                width: 128, height: 296, accents: [.red, .yellow], busy: .activeHigh
            ) { SSD1680(width: 128, height: 296, accent: $0) },
            ePaper(
                "ssd1675-250x122",
                boards:
                    "2.13\", first generation (SSD1675A): Waveshare 2.13inch e-Paper HAT V2, first Adafruit 2.13\" Bonnets; GDEH0213B72",
                width: 122, height: 250, busy: .activeHigh
            ) { _ in SSD1675(.a, width: 122, height: 250) },
            ePaper(
                "ssd1675b-250x122", boards: "2.13\" with SSD1675B: some first Adafruit 2.13\" Bonnets; GDEH0213B73",
                width: 122, height: 250, accents: [.red, .yellow], busy: .activeHigh
            ) { SSD1675(.b, width: 122, height: 250, accent: $0) },
            ePaper(
                "ssd1675b-296x128", boards: "2.9\" with SSD1675B, most with three colours",
                width: 128, height: 296, accents: [.red, .yellow], busy: .activeHigh
            ) { SSD1675(.b, width: 128, height: 296, accent: $0) },
            ePaper(
                "uc8151-296x128",
                boards: "2.9\" with UC8151 or IL0373: Waveshare 2.9inch e-Paper (B), (C); GDEW029T5, GDEW029Z10",
                width: 128, height: 296, accents: [.red, .yellow], busy: .activeLow
            ) { UC8151(width: 128, height: 296, accent: $0) },
            ePaper(
                "uc8176-400x300",
                boards:
                    "4.2\" with UC8176 or IL0398: Waveshare 4.2inch e-Paper (not V2), (B), (C); GDEW042T2, GDEW042Z15",
                width: 400, height: 300, accents: [.red, .yellow], busy: .activeLow
            ) { UC8176(accent: $0) },
        ]
    }

    /// A line of it. The wires of the boards are short jumpers: 4 MHz are enough, as a plane takes 30 ms with it.
    private static func ePaper(
        _ name: String, boards: String, width: Int, height: Int, accents: [PictureFormat.Accent] = [], busy: Busy,
        chip: @escaping @Sendable (PictureFormat.Accent?) -> any EPaperChip
    ) -> PanelModel {
        PanelModel(
            name, boards: boards, width: width, height: height, accents: accents, clock: 4_000_000, busy: busy
        ) { EPaper(chip($0)) }
    }
}
