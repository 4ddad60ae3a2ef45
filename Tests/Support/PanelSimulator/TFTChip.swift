/// What a TFT controller's datasheet says of it, as far as a four-line serial or a parallel write bus goes.
public struct TFTChip: Sendable {
    /// Its name.
    public let name: String
    /// Columns of the frame memory.
    public let columns: Int
    /// Rows of the frame memory.
    public let rows: Int
    /// The least serial write cycle, in nanoseconds.
    public let serialCycle: UInt32
    /// The values of COLMOD's low three bits that the serial bus takes.
    public let serialFormats: Set<UInt8>
    /// How many parameters each command that writes takes; commands that are not here are unknown or only read.
    public let parameters: [UInt8: ClosedRange<Int>]

    /// The commands of MIPI DCS that all of them have.
    static let common: [UInt8: ClosedRange<Int>] = [
        0x00: 0...0,  // NOP
        0x01: 0...0,  // SWRESET
        0x10: 0...0,  // SLPIN
        0x11: 0...0,  // SLPOUT
        0x12: 0...0,  // PTLON
        0x13: 0...0,  // NORON
        0x20: 0...0,  // INVOFF
        0x21: 0...0,  // INVON
        0x28: 0...0,  // DISPOFF
        0x29: 0...0,  // DISPON
        0x2A: 4...4,  // CASET
        0x2B: 4...4,  // RASET
        0x2C: 0...(.max),  // RAMWR
        0x30: 4...4,  // PTLAR
        0x33: 6...6,  // VSCRDEF
        0x34: 0...0,  // TEOFF
        0x35: 1...1,  // TEON
        0x36: 1...1,  // MADCTL
        0x37: 2...2,  // VSCRSADD
        0x38: 0...0,  // IDMOFF
        0x39: 0...0,  // IDMON
        0x3A: 1...1,  // COLMOD
        0x3C: 0...(.max),  // RAMWRC
        0x44: 2...2,  // STE
        0x51: 1...1,  // WRDISBV
        0x53: 1...1,  // WRCTRLD
        0x55: 1...1,  // WRCABC
        0x5E: 1...1,  // WRCABCMB
    ]

    /// Sitronix ST7789V, datasheet 1.3: §9.1 and §9.2; §7.4.3, TSCYCW.
    public static let st7789 = TFTChip(
        name: "ST7789V", columns: 240, rows: 320, serialCycle: 16, serialFormats: [0b011, 0b101, 0b110],
        parameters: common.merging([
            0x26: 1...1,  // GAMSET
            0xB0: 2...2,  // RAMCTRL
            0xB1: 3...3,  // RGBCTRL
            0xB2: 5...5,  // PORCTRL
            0xB3: 3...3,  // FRCTRL1
            0xB7: 1...1,  // GCTRL
            0xBA: 1...1,  // DGMEN
            0xBB: 1...1,  // VCOMS
            0xC0: 1...1,  // LCMCTRL
            0xC2: 2...2,  // VDVVRHEN
            0xC3: 1...1,  // VRHS
            0xC4: 1...1,  // VDVS
            0xC5: 1...1,  // VCMOFSET
            0xC6: 1...1,  // FRCTRL2
            0xD0: 2...2,  // PWCTRL1
            0xE0: 14...14,  // PVGAMCTRL
            0xE1: 14...14,  // NVGAMCTRL
        ]) { $1 })

    /// Ilitek ILI9341, datasheet 1.11: §8.2 and §8.3; §18.3.4, tscycw.
    public static let ili9341 = TFTChip(
        name: "ILI9341", columns: 240, rows: 320, serialCycle: 100, serialFormats: [0b101, 0b110],
        parameters: common.merging([
            0x26: 1...1,  // GAMSET
            0x2D: 128...128,  // RGBSET
            0xB0: 1...1,  // IFMODE
            0xB1: 2...2,  // FRMCTR1
            0xB4: 1...1,  // INVTR
            0xB5: 4...4,  // PRCTR
            0xB6: 3...4,  // DISCTRL
            0xB7: 1...1,  // ETMOD
            0xC0: 1...1,  // PWCTRL1
            0xC1: 1...1,  // PWCTRL2
            0xC5: 2...2,  // VMCTRL1
            0xC7: 1...1,  // VMCTRL2
            0xE0: 15...15,  // PGAMCTRL
            0xE1: 15...15,  // NGAMCTRL
            0xF6: 3...3,  // IFCTL
        ]) { $1 })

    /// Ilitek ILI9486: §8.2; its serial bus takes 3 and 18 bits a pixel.
    public static let ili9486 = TFTChip(
        name: "ILI9486", columns: 320, rows: 480, serialCycle: 66, serialFormats: [0b001, 0b110],
        parameters: common.merging([
            0xB0: 1...1,  // IFMODE
            0xB1: 2...2,  // FRMCTR1
            0xB4: 1...1,  // INVTR
            0xB5: 4...4,  // PRCTR
            0xB6: 3...3,  // DISCTRL
            0xB7: 1...1,  // ETMOD
            0xC0: 2...2,  // PWCTRL1
            0xC1: 1...2,  // PWCTRL2
            0xC2: 1...1,  // PWCTRL3
            0xC5: 4...4,  // VMCTRL1
            0xE0: 15...15,  // PGAMCTRL
            0xE1: 15...15,  // NGAMCTRL
        ]) { $1 })
}
