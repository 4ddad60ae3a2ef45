public import PanelDrivers
public import Raster

/// The panels of the table of models, simulated.
public enum SimulatedEPaperModule {
    /// Makes a panel.
    /// - Parameters:
    ///   - model: which one.
    ///   - accent: the third colour of its glass.
    /// - Returns: nil for one that is no e-paper.
    public static func make(_ model: PanelModel, accent: PictureFormat.Accent?) -> (any SimulatedEPaper)? {
        guard model.busy != nil else { return nil }
        let format = model.makeController(accent: accent).format
        for (name, chip) in solomon where model.name.hasPrefix(name) { return SimulatedSSD16xx(chip, format: format) }
        for (name, chip) in ultraChip where model.name.hasPrefix(name) { return SimulatedUC81xx(chip, format: format) }
        return nil
    }

    private static let solomon: [(String, SimulatedSSD16xx.Chip)] = [
        ("ssd1680-", .ssd1680), ("ssd1675-", .ssd1675a), ("ssd1675b-", .ssd1675b),
    ]
    private static let ultraChip: [(String, SimulatedUC81xx.Chip)] = [("uc8151-", .uc8151), ("uc8176-", .uc8176)]
}
