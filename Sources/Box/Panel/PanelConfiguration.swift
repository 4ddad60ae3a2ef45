public import PanelDrivers
public import Raster
public import Screens

/// Which panel there is, and how it speaks.
public struct PanelConfiguration: Sendable {
    /// What shows the screens.
    public enum Kind: Sendable {
        /// Nothing.
        case none
        /// Standard output.
        case terminal
        /// A PNG file; `isShared`: others than its owner may read it.
        case file(path: String, format: PictureFormat, isShared: Bool)
        /// A screen that the kernel drives; nil: the first there is.
        case framebuffer(path: String?)
        /// A panel on the SPI bus.
        /// - Parameters:
        ///   - path: the bus' device.
        ///   - clock: its rate in hertz; nil for the model's own.
        case spi(PanelModel, path: String, clock: UInt32?, accent: PictureFormat.Accent?)
    }

    /// What shows the screens.
    public var kind: Kind
    /// How it hangs.
    public var turn: Turn
    /// The language of its words.
    public var language: Language
    /// The file that keeps what an e-paper shows beyond this process; nil: none.
    public var memory: String?

    /// Makes a configuration.
    public init(kind: Kind, turn: Turn = .none, language: Language = .english) {
        self.kind = kind
        self.turn = turn
        self.language = language
    }

    /// Its name in the configuration file.
    public var name: String {
        switch kind {
        case .none: "none"
        case .terminal: "terminal"
        case .file: "png"
        case .framebuffer: "framebuffer"
        case .spi(let model, _, _, _): model.name
        }
    }
}
