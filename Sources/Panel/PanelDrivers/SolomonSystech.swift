import Raster

/// What SSD1675 and SSD1680 have alike ("Command description" in the datasheets of both).
enum SolomonSystech {
    /// Resets the chip, and says how its glass is wired and where in its memory a picture goes.
    /// - Parameter block: what a chip wants to be told first.
    static func begin(_ format: PictureFormat, block: [PanelOperation] = []) -> [PanelOperation] {
        let lastRow = UInt16(truncatingIfNeeded: format.height - 1)
        return EPaperProgram.reset + [
            // Software reset, 10 ms ("General operation flow").
            .command(0x12, []), .wait(.milliseconds(10)), .awaitReady(limit: EPaperProgram.resetLimit),
        ] + block + [
            // Driver output control: gates in use; in their order.
            .command(0x01, [UInt8(lastRow & 0xff), UInt8(lastRow >> 8), 0]),
            // Data entry mode: rows from the top, in them from the left.
            .command(0x11, [0x03]),
            // RAM window in bytes and rows.
            .command(0x44, [0, UInt8((format.width + 7) / 8 - 1)]),
            .command(0x45, [0, 0, UInt8(lastRow & 0xff), UInt8(lastRow >> 8)]),
        ]
    }

    /// Fills the chip's memory, drives the ink, and puts the chip to sleep.
    /// - Parameters:
    ///   - picture: what is to be seen.
    ///   - old: what is seen, where only the difference is driven.
    ///   - sequence: what is done in which order (display update control 2).
    static func finish(_ picture: Picture, over old: Picture?, sequence: UInt8) -> [PanelOperation] {
        let (dark, accent) = EPaperProgram.planes(picture)
        // Black and white RAM: 1 is white. Red RAM: 1 is red, in a partial refresh what the pixel was.
        var program = EPaperProgram.write(0x24, EPaperProgram.inverted(dark))
        if let plane = accent ?? old.map({ EPaperProgram.inverted(EPaperProgram.planes($0).dark) }) {
            program += EPaperProgram.write(0x26, plane)
        }
        return program + [
            .command(0x22, [sequence]), .command(0x20, []), .wait(EPaperProgram.busyDelay),
            .awaitReady(limit: EPaperProgram.inkLimit(picture.format, isPartial: old != nil)),
            // Deep sleep, mode 1. BUSY is held until the next reset.
            .command(0x10, [0x01]),
        ]
    }
}
