public import Raster

/// A panel that can be bought: its name in the configuration, its controller, and how its glass is wired to that.
public struct PanelModel: Sendable {
    /// The level at which a BUSY line says that the controller is busy.
    public enum Busy: Hashable, Sendable {
        /// Solomon Systech's (SSD16xx).
        case activeHigh
        /// UltraChip's (UC81xx, where the line is called BUSY_N).
        case activeLow
    }

    /// Its name in the configuration, of lower-case letters, digits, `-` and `.`.
    public let name: String
    /// Boards that carry it, for people.
    public let boards: String
    /// Pixels in a row of the glass, the way it is wired.
    public let width: Int
    /// Rows of the glass, the way it is wired.
    public let height: Int
    /// The third colours it is sold with; empty for panels without.
    public let accents: [PictureFormat.Accent]
    /// The bus' clock, in hertz, where the configuration says nothing: the datasheet's highest, or what the board's maker gives.
    public let clock: UInt32
    /// The bus' mode (clock polarity and phase, 0 to 3).
    public let spiMode: UInt8
    /// How its BUSY line speaks; nil for panels that have none.
    public let busy: Busy?
    /// Makes the controller.
    private let build: @Sendable (PictureFormat.Accent?) -> any PanelController

    /// Makes a line of the table.
    init(
        _ name: String, boards: String, width: Int, height: Int, accents: [PictureFormat.Accent] = [], clock: UInt32,
        spiMode: UInt8 = 0, busy: Busy? = nil, build: @escaping @Sendable (PictureFormat.Accent?) -> any PanelController
    ) {
        self.name = name
        self.boards = boards
        self.width = width
        self.height = height
        self.accents = accents
        self.clock = clock
        self.spiMode = spiMode
        self.busy = busy
        self.build = build
    }

    /// Makes the panel's controller; its `format` says what pictures it takes.
    /// - Parameter accent: the third colour of the glass; nil, or one it is not sold with: white and black.
    public func makeController(accent: PictureFormat.Accent? = nil) -> any PanelController {
        build(accent.flatMap { accents.contains($0) ? $0 : nil })
    }

    /// Every panel there is a driver for.
    public static var all: [PanelModel] { tft + ePaper }

    /// The panel of that name, or nil.
    public static func named(_ name: String) -> PanelModel? { all.first { $0.name == name } }
}
