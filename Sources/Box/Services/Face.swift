import BoxConfiguration
import BoxPanel
import Button
import Glibc
import Logging
import PanelDrivers
import Raster
import Screens
import Synchronization

/// The box's face: what the panel shows, what the button does, how its light shines.
final class Face: Sendable {
    /// What a person at the button may want.
    struct Actions: Sendable {
        /// New codes for the room.
        var rotate: @Sendable () async throws -> Void
        /// Everything as it was when the box was new.
        var reset: @Sendable () async throws -> Void
    }

    /// From one look at the state of the box to the next, while people come and go.
    private static let pause = Duration.milliseconds(250)
    /// How long the last picture may take: a three-colour e-paper may be at one already.
    static let finishLimit = Duration.seconds(60)
    /// How long a machine may take to end this process when it shuts down; after that the room is shown again.
    private static let shutdownLimit = Duration.seconds(90)

    private struct State {
        /// What is shown instead of the room.
        var instead: Screen?
        /// Looks at the box's state so far, and which of them is shown.
        var looks: UInt64 = 0
        var shownLook: UInt64 = 0
        var isEnding = false
    }

    let panel: PanelService
    private let configuration: BoxConfiguration
    private let logger: Logger
    private let button = Mutex<ButtonService?>(nil)
    private let state = Mutex(State())
    private let screen = Mutex<(@Sendable () async -> Screen)?>(nil)
    private let changes = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// Starts the panel; it shows that the box is starting.
    /// - Parameter directory: the state directory's path.
    init(configuration: BoxConfiguration, directory: String, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        let changed = changes.continuation
        panel = PanelService(
            configuration: PanelConfiguration(configuration, directory: directory), logger: logger,
            onTrouble: { changed.yield() })
        panel.show(.starting(name: configuration.name))
    }

    /// Something that the panel shows may have changed. Returns at once, on any thread.
    func changed() { changes.continuation.yield() }

    /// The room is open: shows it from now on, and listens to the button.
    /// - Parameters:
    ///   - screen: finds out what there is to show.
    ///   - actions: what the button can do.
    func open(screen: @escaping @Sendable () async -> Screen, actions: Actions) async {
        self.screen.withLock { $0 = screen }
        if configuration.button.enabled != .no {
            let button = ButtonService(
                on: panel.eventLoop, isExpected: configuration.button.enabled == .yes, logger: logger,
                onEvent: { self.take($0, actions) }, onTrouble: { self.changed() })
            self.button.withLock { $0 = button }
        }
        await update()
    }

    /// Follows what changes until the box ends.
    func follow() async {
        for await _ in changes.stream {
            await update()
            // What changes meanwhile is looked at together.
            try? await Task.sleep(for: Self.pause)
        }
    }

    /// Looks at the box's state, and shows it.
    func update() async {
        guard let find = screen.withLock({ $0 }) else { return }
        let look = state.withLock { state in
            state.looks += 1
            return state.looks
        }
        let screen = await find()
        state.withLock { state in
            // Of two looks at once the one that began later has seen more.
            guard look > state.shownLook, !state.isEnding else { return }
            state.shownLook = look
            panel.show(state.instead ?? screen)
        }
        shine(isOpen: screen.isRoom)
    }

    /// Shows something else than the room, or the room again.
    func show(instead screen: Screen?) async {
        state.withLock { state in
            guard !state.isEnding else { return }
            state.instead = screen
            if let screen { panel.show(screen) }
        }
        if screen == nil { await update() } else { shine(isOpen: true) }
    }

    private func shine(isOpen: Bool) {
        let (isBusy, isEnding) = state.withLock { ($0.instead != nil, $0.isEnding) }
        button.withLock { $0 }?.light(isEnding ? .off : isBusy ? .blinking : isOpen ? .on : .off)
    }

    /// The box is about to end.
    func ending() {
        state.withLock { state in
            guard !state.isEnding else { return }
            state.isEnding = true
            // What is being reset does not shut down.
            if state.instead != .resetting { panel.show(.shuttingDown) }
        }
        shine(isOpen: false)
    }

    /// The box has ended, but for its panel.
    func finish() async {
        ending()
        let isReset = state.withLock { $0.instead == .resetting }
        await panel.finish(showing: isReset ? nil : .off, limit: Self.finishLimit)
    }

    /// How panel and button are doing.
    func snapshot() async -> (panel: PanelSnapshot, button: ButtonSnapshot) {
        (await panel.snapshot(), await button.withLock { $0 }?.snapshot() ?? ButtonSnapshot())
    }
}

// MARK: The button

extension Face {
    private func take(_ event: ButtonEvent, _ actions: Actions) {
        switch event {
        case .pressed: Task { await self.rotate(actions) }
        case .holding(let seconds): show(now: .holding(shutDownIn: seconds))
        case .holdingOn(let seconds): show(now: .holdingOn(resetIn: seconds))
        case .cancelled, .stuck:
            show(now: nil)
            changed()
        case .shutDown: Task { await self.shutDown() }
        case .factoryReset: Task { await self.reset(actions) }
        }
    }

    /// The countdown, in the order in which it comes.
    private func show(now screen: Screen?) {
        state.withLock { state in
            guard !state.isEnding else { return }
            state.instead = screen
            if let screen { panel.show(screen) }
        }
        shine(isOpen: true)
    }

    private func rotate(_ actions: Actions) async {
        logger.notice("the button was pressed: the room's codes are changed")
        // The box says on the panel what comes of it.
        do { try await actions.rotate() } catch { logger.error("the room's codes could not be changed: \(error)") }
        await update()
    }

    private func reset(_ actions: Actions) async {
        logger.notice("the button was held: the box is made as it was when it was new")
        show(now: .resetting)
        do { try await actions.reset() } catch {
            logger.error("the box could not be reset: \(error)")
            await show(instead: nil)
        }
    }

    private func shutDown() async {
        logger.notice("the button was held: the machine shuts down")
        show(now: .shuttingDown)
        let command = configuration.button.shutdown
        let code = await runMachineCommand(command)
        if code == 0 {
            // It ends this process.
            try? await Task.sleep(for: Self.shutdownLimit)
            logger.error("\(command.joined(separator: " ")) has not ended the box")
        } else {
            logger.error("\(command.joined(separator: " ")) failed (\(code)); correct button.shutdown")
        }
        await show(instead: nil)
    }
}

extension Screen {
    /// Whether people can join.
    fileprivate var isRoom: Bool {
        if case .room = self { true } else { false }
    }

    /// What it is, in a word.
    var word: String {
        switch self {
        case .starting: "starting"
        case .room: "room"
        case .rotating: "rotating"
        case .updating: "updating"
        case .trouble: "trouble"
        case .holding: "holding"
        case .holdingOn: "holding-on"
        case .resetting: "resetting"
        case .shuttingDown: "shutting-down"
        case .off: "off"
        }
    }
}

extension PanelConfiguration {
    /// - Parameter directory: the state directory's path.
    init(_ configuration: BoxConfiguration, directory: String) {
        let panel = configuration.panel
        let accent = PictureFormat.Accent(rawValue: panel.accent.rawValue)
        let kind: Kind =
            switch panel.model {
            case .terminal: .terminal
            case .none: .none
            case .png:
                .file(
                    path: panel.path ?? directory + "/panel.png",
                    format: PictureFormat(
                        width: panel.size?.width ?? 320, height: panel.size?.height ?? 480,
                        depth: accent.map { .accent($0) } ?? .rgb565),
                    isShared: panel.path != nil)
            case .framebuffer: .framebuffer(path: panel.path)
            case .spi(let name):
                PanelModel.named(name).map {
                    .spi($0, path: panel.spi, clock: panel.clock.map { UInt32($0) * 1_000_000 }, accent: accent)
                } ?? .none
            }
        self.init(
            kind: kind, turn: Int(panel.turn.rawValue).flatMap { Turn(rawValue: $0) } ?? .none,
            language: Language(rawValue: configuration.language.rawValue) ?? .english)
    }
}
