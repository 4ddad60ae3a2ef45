import Raster

/// What UltraChip's controllers have in common (UC81xx, also sold as IL03xx): the sequence, and waveforms that are sent.
struct UltraChip {
    /// Panel setting (R00h) without the bits for colours and waveforms: resolution, rows from the top, from the left, booster
    /// on, no reset.
    let panelSetting: UInt8
    /// Resolution (R61h).
    let resolution: [UInt8]
    /// VCOM (R82h) for a waveform that is sent.
    let vcom: UInt8

    /// Bytes of a waveform table: seven groups of six, and two more for VCOM (UC8151, "Register description", R20h to R24h).
    static let tableLength = 42

    /// The waveform for a partial refresh, ours: a pixel that changes is driven to its colour for 32 frames of 10 ms and
    /// grounded for one, VCOM and what does not change rest as long.
    ///
    /// A group (UC8151, R20h to R24h): four levels of two bits (1: VDH, to black; 2: VDL, to white; 0: ground), the frames of
    /// each, how often the group is run.
    static let partialWaveform: [PanelOperation] = [
        table(0x20, level: 0, length: tableLength + 2),  // VCOM
        table(0x21, level: 0),  // white stays
        table(0x22, level: 0x80),  // black becomes white
        table(0x23, level: 0x40),  // white becomes black
        table(0x24, level: 0),  // black stays
    ]

    private static func table(_ command: UInt8, level: UInt8, length: Int = tableLength) -> PanelOperation {
        let group: [UInt8] = [level, 32, 1, 0, 0, 1]
        return .command(command, group + Array(repeating: 0, count: length - group.count))
    }

    /// What brings a picture onto the glass.
    func program(showing picture: Picture, over old: Picture?) -> [PanelOperation] {
        let (dark, accent) = EPaperProgram.planes(picture)
        let white = EPaperProgram.inverted(dark)
        var program = EPaperProgram.reset
        if old != nil {
            // R01h: internal voltages, VGH 16 V, VDH 11 V, VDL -11 V, VDHR 4.2 V.
            program.append(.command(0x01, [0x03, 0x00, 0x2b, 0x2b, 0x09]))
        }
        program += [
            // R06h: booster soft start. R04h: voltages on.
            .command(0x06, [0x17, 0x17, 0x17]),
            .command(0x04, []), .wait(EPaperProgram.busyDelay), .awaitReady(limit: EPaperProgram.powerLimit),
            // R00h, bit 4: two colours; bit 5: the waveform is sent, not from the chip's memory.
            .command(0x00, [panelSetting | (accent == nil ? 0x10 : 0) | (old == nil ? 0 : 0x20)]),
            .command(0x61, resolution),
            // R50h: data interval 10; the border white (in a partial refresh floating, so unmoved). Planes: 1 is white, and
            // with three colours 0 is the third.
            .command(0x50, [accent != nil ? 0x77 : old == nil ? 0x97 : 0x17]),
        ]
        if old != nil {
            // R30h: 100 frames a second.
            program += [.command(0x30, [0x3a]), .command(0x82, [vcom])]
            program += Self.partialWaveform
        }
        // R10h: with two colours what was seen (in a full refresh the other colour, so that each pixel is driven whatever the
        // chip's memory does with those that do not change), with three white and black. R13h: what is to be seen, or the
        // third colour.
        if let accent {
            program += [.command(0x10, white), .command(0x13, EPaperProgram.inverted(accent))]
        } else {
            let before = old.map { EPaperProgram.inverted(EPaperProgram.planes($0).dark) }
            program += [.command(0x10, before ?? dark), .command(0x13, white)]
        }
        let inkLimit = EPaperProgram.inkLimit(picture.format, isPartial: old != nil)
        program += [
            // R12h: display refresh.
            .command(0x12, []), .wait(EPaperProgram.busyDelay), .awaitReady(limit: inkLimit),
            // R50h: the border floats while the voltages go off (R02h).
            .command(0x50, [accent == nil ? 0x17 : 0xf7]),
            .command(0x02, []), .wait(EPaperProgram.busyDelay), .awaitReady(limit: EPaperProgram.powerLimit),
            // R07h: deep sleep, with its check code.
            .command(0x07, [0xa5]),
        ]
        return program
    }
}
