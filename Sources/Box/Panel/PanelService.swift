import BoxNetwork
public import Logging
public import NIOCore
import NIOPosix
import PanelDrivers
import Raster
public import Screens
import Synchronization

/// How the panel is doing.
public struct PanelSnapshot: Sendable {
    /// What the panel is, by its name in the configuration.
    public var name: String
    /// What it shows, or is about to.
    public var screen: Screen?
    /// Pictures it was given since the start.
    public var pictures = 0
    /// From the start of the process to the first codes that the panel was given; nil: none yet.
    public var firstCodes: Duration?
    /// What is wrong with it.
    public var trouble: PanelTrouble?
}

/// The box's panel, on a thread of its own: one that is slow, broken or absent delays nobody.
public final class PanelService: Sendable {
    /// The picture that is made where the panel shows none itself.
    private static let usualFormat = PictureFormat(width: 320, height: 480, depth: .rgb565)
    /// How long who asks waits for the panel's thread, which draws, or may be stuck in a device.
    static let patience = Duration.seconds(2)

    /// The panel's event loop; the button is on it too.
    public let eventLoop: any EventLoop
    private let configuration: PanelConfiguration
    private let logger: Logger
    private let onTrouble: @Sendable () -> Void
    private let engine: NIOLoopBoundBox<PanelEngine?>
    /// What is told while its thread is stuck.
    private let last: Mutex<PanelSnapshot>
    /// Whether nobody waits for the last picture any more, and what ends the wait.
    private let haste = Mutex<(isWanted: Bool, end: (@Sendable (Bool) -> Bool)?)>((false, nil))

    /// Starts a panel; it shows nothing yet.
    /// - Parameters:
    ///   - configuration: which.
    ///   - logger: where its troubles are logged.
    ///   - onTrouble: called when what is wrong with it has changed; on the panel's event loop.
    public init(configuration: PanelConfiguration, logger: Logger, onTrouble: @escaping @Sendable () -> Void) {
        self.configuration = configuration
        self.logger = logger
        self.onTrouble = onTrouble
        last = Mutex(PanelSnapshot(name: configuration.name))
        let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
        eventLoop = loop
        engine = .makeEmptyBox(valueType: PanelEngine.self, eventLoop: loop)
        loop.execute {
            let engine = self.makeEngine()
            self.engine.value = engine
            engine.start()
        }
    }

    private func makeEngine() -> PanelEngine {
        let surface = makeSurface()
        let language = configuration.language
        let engine = PanelEngine(surface: surface, loop: eventLoop) { [unowned surface] screen, page in
            // Letters are loaded for each picture, and let go again.
            try ScreenRenderer(format: surface.format ?? Self.usualFormat, language: language).draw(screen, page: page)
        }
        (surface as? FramebufferSurface)?.onFound = { [weak engine] in engine?.showAgain() }
        return engine
    }

    private func makeSurface() -> any PanelSurface {
        let loop = eventLoop
        let changed = { [weak self] in
            guard let self else { return }
            // In the log once for each time.
            if let trouble = self.engine.value?.trouble { self.logger.warning("panel: \(trouble)") }
            self.onTrouble()
        }
        switch configuration.kind {
        case .none: return NoSurface()
        case .terminal: return TerminalSurface(texts: Texts(configuration.language), loop: loop)
        case .file(let path, let format, let isShared):
            return PictureFile(
                path: path, mode: isShared ? 0o644 : 0o600, format: format, loop: loop, onTrouble: changed)
        case .framebuffer(let path):
            return FramebufferSurface(
                turn: configuration.turn, loop: loop,
                open: { () throws(DeviceError) in try openFrameMemory(path) }, onTrouble: changed)
        case .spi(let model, let path, let clock, let accent):
            return ControllerSurface(
                controller: model.makeController(accent: accent), turn: configuration.turn, loop: loop,
                open: { () throws(DeviceError) in
                    try KernelWires(model: model, path: path, clock: clock ?? model.clock, on: loop)
                }, memory: configuration.memory.map { GlassFile(path: $0) }, onTrouble: changed)
        }
    }

    /// Shows the first screen.
    /// - Parameters:
    ///   - screen: what is true.
    ///   - early: what most likely comes next; shown in its place where it can be taken back at once.
    public func begin(_ screen: Screen, early: Screen?) {
        eventLoop.execute { self.engine.value?.begin(screen, early: early) }
    }

    /// Shows a screen: soon, or with others of its kind a little later.
    public func show(_ screen: Screen) {
        eventLoop.execute { self.engine.value?.show(screen) }
    }

    /// How it is doing.
    public func snapshot() async -> PanelSnapshot {
        let present = await onLoop { engine in
            let snapshot = PanelSnapshot(
                name: self.configuration.name, screen: engine?.screen, pictures: engine?.count ?? 0,
                firstCodes: engine?.firstCodes, trouble: engine?.trouble)
            self.last.withLock { $0 = snapshot }
            return snapshot
        }
        if let present { return present }
        var snapshot = last.withLock { $0 }
        snapshot.trouble = .stuck
        return snapshot
    }

    /// The present picture as a PNG file, whatever the panel is.
    /// - Throws: errors whose description tells the owner what to do.
    public func picture() async throws -> [UInt8] {
        guard let picture = await onLoop({ engine in Result { try engine?.picture() ?? [] } }) else {
            throw PanelTrouble.stuck
        }
        return try picture.get()
    }

    /// The present screen in words, with its codes, as a terminal shows it.
    /// - Parameter colors: whether the terminal knows colours.
    public func text(colors: Bool) async -> String {
        let texts = Texts(configuration.language)
        return await onLoop { engine in engine?.screen.map { ScreenText(texts, colors: colors).text(of: $0) } ?? "" }
            ?? ""
    }

    /// Waits until a last screen is to be seen, and lets the panel rest.
    /// - Parameters:
    ///   - screen: what it shows from then on, if it can without power.
    ///   - reading: how long that is left to be read on a panel that can't.
    ///   - limit: how long that may take; the panel is left as it is then.
    public func finish(showing screen: Screen?, reading: Duration, limit: Duration) async {
        // The time is kept elsewhere: the panel's thread may be stuck in a terminal that takes nothing, or in a device.
        _ = await answer(within: limit) { (give: @escaping @Sendable (Bool) -> Bool) in
            eventLoop.execute {
                guard let engine = self.engine.value else {
                    _ = give(true)
                    return
                }
                if let screen { engine.show(screen) }
                engine.finish(reading: reading) { _ = give(true) }
            }
            let isHasty = haste.withLock { haste in
                haste.end = give
                return haste.isWanted
            }
            if isHasty { _ = give(false) }
        }
    }

    /// Ends the wait of ``finish(showing:reading:limit:)``, or that to come: the panel is left as it is.
    public func hurry() {
        let end = haste.withLock { haste in
            haste.isWanted = true
            return haste.end
        }
        _ = end?(false)
    }

    /// - Returns: nil when the panel's thread does not answer.
    private func onLoop<Result: Sendable>(_ body: @escaping @Sendable (PanelEngine?) -> Result) async -> Result? {
        await answer(within: Self.patience) { give in
            eventLoop.execute { _ = give(body(self.engine.value)) }
        }
    }
}

extension PanelTrouble: Error {
    /// Its thread does not answer.
    static let stuck = PanelTrouble(
        .silent, "the panel's device takes nothing and does not say why; look at the panel's wires, or at the terminal")
}
