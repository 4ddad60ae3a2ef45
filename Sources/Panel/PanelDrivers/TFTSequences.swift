import SansIO

/// What a TFT controller's datasheet gives: its sequences and its waits. The addressing of the frame memory (2Ah CASET, 2Bh
/// RASET, 2Ch RAMWR) is the same for all of them, as MIPI DCS has it.
struct TFTSequences: Sendable {
    /// The RESET line is held for so long.
    var resetPulse: Duration
    /// Commands are taken so long after a reset.
    var afterReset: Duration
    /// The software reset, for panels whose RESET line is not wired.
    var softwareReset: UInt8
    /// Sets registers, once after each reset. The controller still sleeps; its registers and its memory can be written.
    var setUp: [PanelOperation]
    /// Sleep out may not be sent earlier after a reset.
    var resetToSleepOut: Duration
    /// From sleep to a picture, without the backlight.
    var wakeUp: [PanelOperation]
    /// How much of `wakeUp` is behind its sleep out at least.
    var behindSleepOut: Duration
    /// Sleep in, and any reset, may not be sent earlier after sleep out.
    var sleepOutToSleepIn: Duration
    /// The picture goes.
    var displayOff: UInt8
    /// Sleep.
    var sleepIn: UInt8
    /// Before the next command after sleep in, or before power goes.
    var afterSleepIn: Duration
    /// How pixels go over the wire.
    var encoding: PixelEncoding
}

/// Builds the programs of a TFT.
struct TFTPrograms: Sendable {
    /// Bytes of pixels in one program. A picture goes over the bus in several of them, so that a newer one has to wait for a
    /// part only: the whole takes a slow bus a quarter of a second.
    static let atOnce = 32 * 1024

    let glass: TFTGlass
    let sequences: TFTSequences

    /// How many rows a program writes.
    var rowsAtOnce: Int { max(1, Self.atOnce / (glass.width * sequences.encoding.bytes)) }

    /// Everything from power or an unknown state to registers that are set; ends at least `afterReset` behind the last reset.
    /// - Parameter delay: how long to wait first.
    func reset(after delay: Duration) -> [PanelOperation] {
        darken(after: delay) + wired(sequences.setUp + [.command(0x2A, span(glass.firstColumn, glass.width))])
    }

    /// From sleep to light.
    func wakeUp() -> [PanelOperation] { wired(sequences.wakeUp) + [.backlight(true)] }

    /// From a picture to darkness.
    /// - Parameter delay: how long to wait before sleep in.
    func rest(after delay: Duration) -> [PanelOperation] {
        [.backlight(false)]
            + wired([.command(sequences.displayOff, [])])
            + (delay > .zero ? [.wait(delay)] : [])
            + wired([.command(sequences.sleepIn, []), .wait(sequences.afterSleepIn)])
    }

    /// Darkness for a panel of which nobody knows what state it is in: after a reset it sleeps.
    /// - Parameter delay: how long to wait first.
    func darken(after delay: Duration) -> [PanelOperation] {
        [.backlight(false)] + (delay > .zero ? [.wait(delay)] : []) + [
            .reset(true), .wait(sequences.resetPulse), .reset(false), .wait(sequences.afterReset),
        ] + wired([.command(sequences.softwareReset, []), .wait(sequences.afterReset)])
    }

    /// Writes rows of a picture into the frame memory.
    func write(_ pixels: [UInt16], rows spans: [Range<Int>]) -> [PanelOperation] {
        var program: [PanelOperation] = []
        for rows in spans {
            program += wired([.command(0x2B, span(glass.firstRow + rows.lowerBound, rows.count)), .command(0x2C, [])])
            program.append(
                .data(
                    sequences.encoding.encode(pixels, rows.lowerBound * glass.width..<rows.upperBound * glass.width)))
        }
        return program
    }

    /// The parameters of a window's side: the first address and the last, 16 bits each.
    private func span(_ first: Int, _ count: Int) -> [UInt8] {
        [first, first + count - 1].flatMap { [UInt8(truncatingIfNeeded: $0 >> 8), UInt8(truncatingIfNeeded: $0)] }
    }

    /// The operations, in the words the bus has.
    private func wired(_ operations: [PanelOperation]) -> [PanelOperation] {
        guard glass.bus == .words else { return operations }
        return operations.flatMap { operation in
            guard case .command(let command, let parameters) = operation else { return [operation] }
            let words = PanelOperation.wideCommand(command)
            return parameters.isEmpty ? [words] : [words, .data(parameters.flatMap { [0, $0] })]
        }
    }
}
