import Raster

/// What the programs of all e-papers have in common.
enum EPaperProgram {
    /// How long RESET is held: the datasheets ask for some microseconds, and boards with a switch in their reset line (of
    /// Waveshare) cut the panel's power when it is held for long.
    static let resetPulse: Duration = .milliseconds(2)
    /// How long a chip may be busy with its reset: 10 ms (SSD1680, "General operation flow"), with room.
    static let resetLimit: Duration = .seconds(1)
    /// How long switching the voltages on or off may take: below 0.2 s, with room for a cold panel.
    static let powerLimit: Duration = .seconds(3)
    /// How long BUSY may be late behind the command that causes it: 200 µs (Good Display's example programs).
    static let busyDelay: Duration = .milliseconds(1)

    /// How long the ink may take, longest in the cold: 2 to 4 s with two colours and 15 s with three at 25 °C, twice to three
    /// times as long at 0 °C.
    static func inkLimit(_ format: PictureFormat, isPartial: Bool) -> Duration {
        switch format.depth {
        case .accent: .seconds(45)
        case .mono, .rgb565: .seconds(isPartial ? 6 : 15)
        }
    }

    /// Resets the chip, which also ends its deep sleep.
    static let reset: [PanelOperation] = [
        .reset(true), .wait(resetPulse), .reset(false), .wait(.milliseconds(10)), .awaitReady(limit: resetLimit),
    ]

    /// Both planes as they are: 1 where the pixel is black, 1 where it has the third colour.
    static func planes(_ picture: Picture) -> (dark: [UInt8], accent: [UInt8]?) {
        switch picture.pixels {
        case .planes(let dark, let accent): (dark, accent)
        case .rgb565: ([], nil)
        }
    }

    /// The other colour for each pixel.
    static func inverted(_ plane: [UInt8]) -> [UInt8] { plane.map { ~$0 } }

    /// Writes a plane into a RAM of Solomon Systech's controllers, from its first byte on (4Eh, 4Fh).
    static func write(_ command: UInt8, _ plane: [UInt8]) -> [PanelOperation] {
        [.command(0x4e, [0]), .command(0x4f, [0, 0]), .command(command, plane)]
    }
}
