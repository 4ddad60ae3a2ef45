extension PanelModel {
    /// The e-papers.
    static var ePaper: [PanelModel] { [] }
}
