extension PanelModel {
    /// The TFTs.
    static var tft: [PanelModel] { [] }
}
