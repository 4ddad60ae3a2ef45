/// How a TFT's glass hangs on its controller, and the controller on the bus: what a board's maker chose.
public struct TFTGlass: Hashable, Sendable {
    /// How the controller gets its bytes.
    public enum Bus: Hashable, Sendable {
        /// Four-line serial: the controller is on the SPI bus itself.
        case serial
        /// Shift registers behind the SPI bus make words of 16 bits for the controller's parallel port.
        case words
    }

    /// The bits of the parameter of MADCTL that say where the first pixel is, and in which order the colours lie.
    public struct Access: OptionSet, Hashable, Sendable {
        /// The parameter.
        public let rawValue: UInt8
        /// Makes a parameter.
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// MY: rows from the bottom.
        public static let mirrorRows = Access(rawValue: 0x80)
        /// MX: columns from the right.
        public static let mirrorColumns = Access(rawValue: 0x40)
        /// MV: rows and columns exchanged.
        public static let exchange = Access(rawValue: 0x20)
        /// BGR: blue where the controller expects red.
        public static let blueFirst = Access(rawValue: 0x08)
    }

    /// Pixels in a row, as `access` has rows.
    public var width: Int
    /// Rows, as `access` has them.
    public var height: Int
    /// The column address of the leftmost pixel, where the glass is smaller than the controller's memory.
    public var firstColumn: Int
    /// The row address of the topmost pixel.
    public var firstRow: Int
    /// MADCTL.
    public var access: Access
    /// Whether a bit of 1 makes the glass dark, so that the controller has to invert (IPS glass mostly).
    public var inverted: Bool
    /// How the controller gets its bytes.
    public var bus: Bus

    /// Describes a glass.
    public init(
        width: Int, height: Int, firstColumn: Int = 0, firstRow: Int = 0, access: Access, inverted: Bool,
        bus: Bus = .serial
    ) {
        self.width = width
        self.height = height
        self.firstColumn = firstColumn
        self.firstRow = firstRow
        self.access = access
        self.inverted = inverted
        self.bus = bus
    }
}
