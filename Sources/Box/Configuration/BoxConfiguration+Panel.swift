import PanelDrivers
import Raster

extension BoxConfiguration {
    /// Where the codes and the state are shown.
    public struct Panel: Sendable, Equatable {
        /// What shows them.
        public enum Model: Sendable, Hashable {
            /// The terminal that the process was started from.
            case terminal
            /// Nothing.
            case none
            /// A picture file that is kept up to date.
            case png
            /// A screen that the kernel drives: HDMI, or a panel with a driver of its own.
            case framebuffer
            /// A panel on the SPI bus, by its name in `PanelModel`'s table.
            case spi(String)
        }

        /// How far the picture is turned, clockwise, for a panel that hangs on its side or upside down.
        public enum Turn: String, Sendable, CaseIterable {
            case none = "0"
            case quarter = "90"
            case half = "180"
            case threeQuarters = "270"
        }

        /// The third colour of an e-paper.
        public enum Accent: String, Sendable, CaseIterable {
            case none
            case red
            case yellow
        }

        /// A picture's size, in pixels.
        public struct Size: Sendable, Equatable {
            /// Pixels in a row.
            public var width: Int
            /// Rows.
            public var height: Int

            /// Makes a size.
            public init(width: Int, height: Int) {
                self.width = width
                self.height = height
            }

            /// What a side may have: less holds no code that a phone can read.
            public static let sides = 120...1024
        }

        /// What shows the codes and the state.
        public var model: Model
        /// How far the picture is turned.
        public var turn = Turn.none
        /// The device of the bus that the panel is on.
        public var spi = Self.usualBus
        /// The bus' clock in megahertz; nil for what the panel's datasheet allows.
        public var clock: Int?
        /// The third colour.
        public var accent = Accent.none
        /// The size of the picture file; nil for 320×480.
        public var size: Size?
        /// The picture file, or the framebuffer's device; nil for the usual one.
        public var path: String?

        /// The first device of the first bus.
        public static let usualBus = "/dev/spidev0.0"

        /// Makes the settings of a panel of that kind.
        public init(model: Model) {
            self.model = model
        }
    }

    /// A language of the panel (ISO 639-1).
    public enum Language: String, Sendable, CaseIterable {
        case english = "en"
        case german = "de"
        case french = "fr"
        case spanish = "es"
        case hebrew = "he"
    }

    /// The button.
    public struct Button: Sendable, Equatable {
        /// Whether there is one.
        public enum Presence: String, Sendable, CaseIterable {
            /// If there is a line KIBITZ_BUTTON.
            case auto
            /// There is; without its line something is wrong.
            case yes = "true"
            /// There is none, or it is somebody else's.
            case no = "false"
        }

        /// Whether there is one.
        public var enabled = Presence.auto
        /// The program, and its arguments, that shuts the machine down.
        public var shutdown = ["systemctl", "poweroff"]

        /// Makes the defaults.
        public init() {}
    }
}

extension ValueType<BoxConfiguration.Panel.Model> {
    private static let words: [(String, BoxConfiguration.Panel.Model)] = [
        ("terminal", .terminal), ("none", .none), ("png", .png), ("framebuffer", .framebuffer),
    ]

    static let panelModel = ValueType(
        words: "one of \((words.map(\.0) + PanelModel.all.map(\.name)).joined(separator: ", "))",
        parse: { text in
            words.first { $0.0 == text }?.1 ?? PanelModel.named(text).map { .spi($0.name) }
        },
        format: { model in
            if case .spi(let name) = model { return name }
            return words.first { $0.1 == model }?.0 ?? ""
        })
}

extension ValueType<BoxConfiguration.Panel.Size?> {
    static let pictureSize = ValueType(
        words: "auto or a width and a height in pixels, each "
            + "\(BoxConfiguration.Panel.Size.sides.lowerBound) to \(BoxConfiguration.Panel.Size.sides.upperBound), "
            + "such as 320x480",
        parse: { text in
            if text == "auto" { return .some(nil) }
            let sides = text.split(separator: "x", omittingEmptySubsequences: false).compactMap {
                decimal($0, in: BoxConfiguration.Panel.Size.sides)
            }
            guard sides.count == 2, text.utf8.count(where: { $0 == UInt8(ascii: "x") }) == 1 else { return nil }
            return BoxConfiguration.Panel.Size(width: sides[0], height: sides[1])
        },
        format: { $0.map { "\($0.width)x\($0.height)" } ?? "auto" })
}

extension ValueType<Int?> {
    static let megahertzOrAuto = ValueType(
        words: "auto or a number of megahertz (1 to 125)",
        parse: { text in
            if text == "auto" { return .some(nil) }
            guard let number = decimal(text, in: 1...125) else { return nil }
            return number
        }, format: { $0.map { "\($0)" } ?? "auto" })
}

extension ValueType<String> {
    static let device = ValueType(
        words: "the path of a device such as \(BoxConfiguration.Panel.usualBus)",
        parse: { $0.hasPrefix("/dev/") && $0.utf8.count <= 255 && !$0.utf8.contains(0) ? $0 : nil }, format: { $0 })
}

extension ValueType<[String]> {
    static let command = ValueType(
        words: "a program and its arguments, with spaces between",
        parse: { text in
            let words = text.split(separator: " ").map(String.init)
            return words.isEmpty || words.count > 16 || text.utf8.contains(0) ? nil : words
        },
        format: { $0.joined(separator: " ") })
}

extension Rule {
    /// What is said of a panel goes with what it is.
    static var panel: [Rule] {
        [
            panel("turn", for: "a panel or a framebuffer") { panel in
                switch panel.model {
                case .spi, .framebuffer: true
                case .terminal, .none, .png: panel.turn == .none
                }
            },
            panel("spi", for: "a panel on that bus") { $0.isOnBus || $0.spi == BoxConfiguration.Panel.usualBus },
            panel("clock", for: "a panel on the SPI bus") { $0.isOnBus || $0.clock == nil },
            panel("size", for: "png") { $0.model == .png || $0.size == nil },
            panel("path", for: "png or framebuffer") {
                $0.model == .png || $0.model == .framebuffer || $0.path == nil
            },
            Rule(
                keys: ["panel.accent", "panel.model"],
                holds: { configuration in
                    switch configuration.panel.model {
                    case .png: true
                    case .spi(let name):
                        configuration.panel.accent == .none
                            || PanelModel.named(name)?.accents.contains {
                                $0.rawValue == configuration.panel.accent.rawValue
                            } == true
                    case .terminal, .none, .framebuffer: configuration.panel.accent == .none
                    }
                },
                explanation: {
                    let model = ValueType.panelModel.format($0.panel.model)
                    let sold = PanelModel.named(model)?.accents.map(\.rawValue) ?? []
                    return "panel.accent is \($0.panel.accent.rawValue), and \(model) has "
                        + (sold.isEmpty ? "no third colour" : "only \(sold.joined(separator: " or "))")
                }),
        ]
    }

    private static func panel(
        _ key: String, for what: String, holds: @escaping (BoxConfiguration.Panel) -> Bool
    ) -> Rule {
        Rule(
            keys: ["panel.\(key)", "panel.model"], holds: { holds($0.panel) },
            explanation: {
                "panel.\(key) is for \(what), and panel.model is \(ValueType.panelModel.format($0.panel.model))"
            })
    }
}

extension BoxConfiguration.Panel {
    fileprivate var isOnBus: Bool {
        if case .spi = model { true } else { false }
    }
}
