import BoxPanel
import FoundationEssentials

/// What the panel shows at present, codes and all.
public struct PanelPicture: Codable, Sendable, Equatable {
    /// In words, for a terminal that knows colours.
    public var colored: String
    /// In words, dark on light.
    public var plain: String
    private var encoded: Data

    init(colored: String, plain: String, png: [UInt8]) {
        self.colored = colored
        self.plain = plain
        encoded = Data(png)
    }

    /// The picture as a PNG file.
    public var png: [UInt8] { [UInt8](encoded) }
}

extension Face {
    /// What the panel shows.
    /// - Throws: errors whose description tells the owner what to do.
    func picture() async throws -> PanelPicture {
        PanelPicture(
            colored: await panel.text(colors: true), plain: await panel.text(colors: false),
            png: try await panel.picture())
    }
}
