/// What the programs of UltraChip's controllers have in common (UC81xx, also sold as IL03xx).
enum UltraChip {
    /// Bytes of a waveform table: seven groups of six, and two more for VCOM (UC8151, 8.1 "Command table", R20h to R24h).
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

    /// Booster soft start and voltages on (R06h, R04h).
    static let powerOn: [PanelOperation] = [
        .command(0x06, [0x17, 0x17, 0x17]),
        .command(0x04, []), .wait(EPaperProgram.busyDelay), .awaitReady(limit: EPaperProgram.powerLimit),
    ]

    /// Display refresh (R12h), then voltages off (R02h) and deep sleep with its check code (R07h).
    /// - Parameters:
    ///   - inkLimit: how long the ink may take.
    ///   - border: VCOM and data interval (R50h) with which the border floats while the voltages go off.
    static func refreshAndSleep(inkLimit: Duration, border: UInt8) -> [PanelOperation] {
        [
            .command(0x12, []), .wait(EPaperProgram.busyDelay), .awaitReady(limit: inkLimit),
            .command(0x50, [border]),
            .command(0x02, []), .wait(EPaperProgram.busyDelay), .awaitReady(limit: EPaperProgram.powerLimit),
            .command(0x07, [0xa5]),
        ]
    }
}
