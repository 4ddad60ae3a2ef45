public import Raster
public import SansIO

/// The controller chip of a panel: makes pictures into what goes over the wires.
///
/// It answers with one program at a time: operations that the shell carries out in their order. When they are done, or one
/// of them failed, it is told; until then it gives no other. Of pictures that come meanwhile only the last is kept.
public protocol PanelController: Sendable {
    /// The size and the colours of the glass, the way it is wired.
    var format: PictureFormat { get }

    /// What the bus may not exceed when writing, in hertz (the datasheet's least clock period).
    var maximumClock: UInt32 { get }

    /// Takes one input.
    /// - Parameters:
    ///   - input: what happened.
    ///   - now: the present time.
    ///   - output: takes the next program and what there is to tell.
    /// - Returns: when to call again with `.wake`, or nil; replaces the answer before.
    mutating func handle(
        _ input: borrowing PanelInput, at now: Timestamp, into output: inout PanelOutput
    ) -> Timestamp?
}

/// What a controller is told.
public enum PanelInput: Equatable, Sendable {
    /// What was last told by `PanelEvent.remember`, before the first `start` of a process: ink stays where it is without one.
    case remember(GlassMemory)
    /// The panel has power: it is to be reset and set up.
    case start
    /// This is to be seen, in the controller's own format. `awaited`: a person stands before the panel and waits for it, so
    /// that an e-paper does not rest first, as long as that does not come too often.
    case show(Picture, awaited: Bool = false)
    /// The last program was carried out to its end.
    case finished
    /// An operation of the last program failed; nothing behind it was carried out.
    case failed(PanelFailure)
    /// The time that was asked for has come.
    case wake
    /// Puts the panel to rest: an e-paper keeps its picture, a TFT becomes dark.
    case stop
}

/// Why an operation failed.
public enum PanelFailure: Hashable, Sendable {
    /// The panel was busy for longer than its datasheet allows: it is not there, not wired, or broken.
    case busyTooLong
    /// The bus took no data: `errno`.
    case bus(Int32)
}

/// One step of a program.
public enum PanelOperation: Equatable, Sendable {
    /// Pulls the RESET line (true: active, which is low), or lets it go.
    case reset(Bool)
    /// Sends a command with the D/C line low, then its parameters with the line high.
    case command(UInt8, [UInt8])
    /// Sends a command as a word of 16 bits with the D/C line low, a byte of 0 first: for boards that hang a parallel bus
    /// of 16 bits behind shift registers. The driver gives its parameters as `data`, in words too.
    case wideCommand(UInt8)
    /// Sends bytes with the D/C line high, as further parameters of the last command.
    case data([UInt8])
    /// Switches the light behind a TFT, where a line for it is there.
    case backlight(Bool)
    /// Lets time pass, this much at least.
    case wait(Duration)
    /// Waits until BUSY is let go: at once when it is not held. A panel without the line waits the whole `limit`.
    case awaitReady(limit: Duration)
}

/// What a controller answers; the shell empties it after each call.
public struct PanelOutput: Sendable {
    /// What to carry out now; empty: nothing.
    public var program: [PanelOperation] = []
    /// What there is to tell, oldest first.
    public var events: [PanelEvent] = []

    /// Makes an empty answer.
    public init() {}
}

/// What a controller tells.
public enum PanelEvent: Equatable, Sendable {
    /// The picture that was last given is to be seen.
    case shown
    /// The panel does not work; it is tried again by itself.
    case trouble(PanelFailure)
    /// The panel works again.
    case recovered
    /// The panel rests.
    case stopped
    /// What the next process has to know of an e-paper; replaces what was told before.
    case remember(GlassMemory)
}
