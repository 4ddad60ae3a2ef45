import PanelDrivers

/// How a panel and a button are wired, as the overlays of `overlays/` have it.
public enum PanelWiring {
    /// The overlay of a button with no panel.
    public static let buttonAlone = "kibitz-button"

    /// The overlays that suit a panel, the usual one first.
    /// - Parameter model: its name in `PanelModel`'s table.
    public static func overlays(of model: String) -> [String] {
        switch model {
        case "waveshare-1.3-hat": ["kibitz-lcd-hat"]
        case "adafruit-1.3-bonnet": ["kibitz-tft-bonnet", "kibitz-mini-pitft"]
        case "adafruit-pitft-2.8": ["kibitz-pitft"]
        case "display-hat-mini": ["kibitz-display-hat-mini"]
        case "waveshare-3.5a": ["kibitz-tft35"]
        case "ssd1675-250x122", "ssd1675b-250x122", "ssd1680-250x122": ["kibitz-epaper", "kibitz-eink-bonnet"]
        default: PanelModel.named(model)?.busy == nil ? ["kibitz-tft"] : ["kibitz-epaper"]
        }
    }

    /// The lines without which a panel cannot be driven. Some boards have no reset or backlight line.
    /// - Parameter model: its name in `PanelModel`'s table.
    public static func lines(of model: String) -> [GPIOLineName] {
        PanelModel.named(model)?.busy == nil ? [.dataCommand] : [.dataCommand, .reset, .busy]
    }
}

/// What a Raspberry Pi's firmware was told at its start: `config.txt`.
public struct BootConfiguration: Sendable {
    /// The folders that may hold it, the present one first.
    public static let folders = ["/boot/firmware", "/boot"]

    /// The folder that holds it.
    public let folder: String
    /// The overlays it loads, in order, without their parameters.
    public let overlays: [String]
    /// Whether it switches the SPI bus on.
    public let hasSPI: Bool

    /// Reads the text of a `config.txt`. Its filters (`[pi4]`) are taken to hold, but for `[none]`.
    /// - Parameters:
    ///   - text: the text.
    ///   - folder: the folder it is in.
    public init(_ text: String, folder: String) {
        var overlays: [String] = []
        var hasSPI = false
        var holds = true
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.filter { $0 != " " && $0 != "\t" }
            if line.hasPrefix("[") { holds = line != "[none]" }
            guard holds, !line.hasPrefix("#"), let equals = line.firstIndex(of: "=") else { continue }
            let words = line[line.index(after: equals)...].split { $0 == "," || $0 == ":" }
            switch line[..<equals] {
            case "dtoverlay", "device_tree_overlay":
                if let name = words.first { overlays.append(String(name)) }
            case "dtparam", "device_tree_param":
                for word in words where word == "spi" || word.hasPrefix("spi=") {
                    hasSPI = ["spi", "spi=on", "spi=true", "spi=yes", "spi=1"].contains(word)
                }
            default: break
            }
        }
        self.folder = folder
        self.overlays = overlays
        self.hasSPI = hasSPI
    }

    /// What has to be done so that one of these overlays is loaded.
    /// - Parameters:
    ///   - wanted: the overlays that would do, the usual one first; not empty.
    ///   - isOverlayThere: whether the file of an overlay is there, by its path.
    public func mend(_ wanted: [String], isOverlayThere: (String) -> Bool) -> String {
        let file = "\(folder)/config.txt"
        if let loaded = overlays.last(where: wanted.contains) {
            let path = "\(folder)/overlays/\(loaded).dtbo"
            return isOverlayThere(path)
                ? "\(file) has dtoverlay=\(loaded): restart the machine"
                : "\(file) has dtoverlay=\(loaded), but \(path) is missing: compile it ('scripts/image overlays')"
        }
        let lines = wanted.map { "dtoverlay=\($0)" }.joined(separator: " (or, for another board with it, ")
        let addition = lines + (wanted.count > 1 ? ")" : "")
        guard let other = overlays.last(where: { $0.hasPrefix("kibitz-") }) else {
            return "add the line \(addition) to \(file), and restart the machine"
        }
        return "change dtoverlay=\(other) in \(file) to \(addition), and restart the machine"
    }

    /// What has to be done so that the device of a bus is there.
    /// - Parameter path: the device, for example `/dev/spidev0.0`.
    public func mend(bus path: String) -> String {
        let file = "\(folder)/config.txt"
        let number = path.dropFirst("/dev/spidev".count).prefix { $0.isNumber }
        if path.hasPrefix("/dev/spidev"), number != "0", !number.isEmpty {
            return "add the line dtoverlay=spi\(number)-1cs to \(file), and restart the machine"
        }
        return hasSPI
            ? "\(file) has dtparam=spi=on: restart the machine, or load the kernel's driver ('modprobe spidev')"
            : "add the line dtparam=spi=on to \(file), and restart the machine"
    }
}
