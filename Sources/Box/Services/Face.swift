import BoxNetwork
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

    /// How long things last.
    struct Times: Sendable {
        /// From one look at the state of the box to the next, while people come and go.
        var pause = Duration.milliseconds(250)
        /// How long the last picture may take: a three-colour e-paper may be at one already.
        var finish = Duration.seconds(60)
        /// After how much of that a person is told how to go without it.
        var patience = Duration.seconds(2)
        /// How long a machine may take to end this process when it shuts down; after that the room is shown again.
        var shutdown = Duration.seconds(90)
        /// How long it is said, instead of the room, that what was wanted by the button has failed; and on a panel that is dark
        /// without the box, why that has.
        var notice = Duration.seconds(10)
        /// How long that stays among what is wrong.
        var memory = Duration.seconds(300)
    }

    /// What was wanted of the box that ends it. Nothing else is shown then, unless it fails.
    private enum Fate {
        case reset
        case shutdown
    }

    private struct State {
        /// What is shown instead of the room.
        var instead: Screen?
        var fate: Fate?
        /// What the button was held for in vain, and how often something was.
        var failure: (trouble: Trouble, sentence: String)?
        var failures = 0
        /// Looks at the box's state so far, and which of them is shown.
        var looks: UInt64 = 0
        var shownLook: UInt64 = 0
        /// The end has begun; tells whether the machine goes off with the box.
        var departure: Task<Bool, Never>?
        /// The button's own command went well.
        var isShutDown = false
        var isOver = false
        /// How many install new software at present.
        var updaters = 0
    }

    let panel: PanelService
    private let configuration: BoxConfiguration
    private let machine: Machine
    private let times: Times
    private let logger: Logger
    private let button = Mutex<ButtonService?>(nil)
    private let state = Mutex(State())
    private let screen = Mutex<(@Sendable () async -> Screen)?>(nil)
    private let changes = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// Starts the panel; it shows that the box is starting, or the room's codes already.
    /// - Parameters:
    ///   - directory: the state directory's path.
    ///   - room: the room as it will be; nil: it is not known.
    ///   - machine: what it runs on.
    ///   - times: how long things last.
    init(
        configuration: BoxConfiguration, directory: String, room: Screen? = nil, machine: Machine = .this,
        times: Times = Times(), logger: Logger
    ) {
        self.configuration = configuration
        self.machine = machine
        self.times = times
        self.logger = logger
        let changed = changes.continuation
        panel = PanelService(
            configuration: PanelConfiguration(configuration, directory: directory), logger: logger,
            onTrouble: { changed.yield() })
        panel.begin(.starting(name: configuration.name), early: room)
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
            // What changes meanwhile is looked at together; before the room is open there is nothing to look at.
            if screen.withLock({ $0 != nil }) { try? await Task.sleep(for: times.pause) }
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
            guard look > state.shownLook, state.departure == nil else { return }
            state.shownLook = look
            if state.fate == nil { panel.show(state.instead ?? (state.updaters > 0 ? .updating : screen)) }
        }
        shine(isOpen: screen.isRoom)
    }

    /// New software is being installed, or one who did that has ended.
    func updating(_ isSo: Bool) {
        state.withLock { state in
            state.updaters += isSo ? 1 : -1
            if isSo, state.departure == nil, state.fate == nil, state.instead == nil { panel.show(.updating) }
        }
        changed()
    }

    /// Shows something else than the room, or the room again.
    func show(instead screen: Screen?) async {
        put(screen)
        if screen == nil { await update() }
    }

    /// - Parameter screen: instead of the room; nil: the next look shows the room again.
    private func put(_ screen: Screen?) {
        state.withLock { state in
            guard state.departure == nil else { return }
            state.instead = screen
            if state.fate == nil, let screen { panel.show(screen) }
        }
        if screen != nil { shine(isOpen: true) }
    }

    private func shine(isOpen: Bool) {
        let (isBusy, isEnding) = state.withLock {
            ($0.fate != nil || $0.instead != nil || $0.updaters > 0, $0.departure != nil)
        }
        button.withLock { $0 }?.light(isEnding ? .off : isBusy ? .blinking : isOpen ? .on : .off)
    }

    /// What the button was held for in vain: the panel's words for it, and those of `status`.
    var failure: (trouble: Trouble, sentence: String)? { state.withLock { $0.failure } }

    /// How panel and button are doing.
    func snapshot() async -> (panel: PanelSnapshot, button: ButtonSnapshot) {
        (await panel.snapshot(), await button.withLock { $0 }?.snapshot() ?? ButtonSnapshot())
    }
}

// MARK: The end

extension Face {
    /// The box is about to be made as it was when it was new.
    func resetting() { decide(.reset, .resetting) }

    /// It was not.
    func resetFailed(_ error: any Error) { fail(.resetFails, "the box could not be reset: \(error)") }

    /// - Returns: false if that is so already.
    @discardableResult private func decide(_ fate: Fate, _ screen: Screen) -> Bool {
        let isNew = state.withLock { state in
            guard state.departure == nil, state.fate != fate else { return false }
            state.fate = fate
            panel.show(screen)
            return true
        }
        shine(isOpen: true)
        return isNew
    }

    /// Tells of what was wanted in vain.
    private func fail(_ trouble: Trouble, _ sentence: String) {
        logger.error("\(sentence)")
        let number = state.withLock { state in
            state.fate = nil
            state.isShutDown = false
            state.failure = (trouble, sentence)
            state.failures += 1
            return state.failures
        }
        put(.trouble(trouble))
        Task {
            try? await Task.sleep(for: times.notice)
            state.withLock { state in
                if state.instead == .trouble(trouble), state.failures == number { state.instead = nil }
            }
            await update()
            try? await Task.sleep(for: times.memory)
            state.withLock { state in
                if state.failures == number { state.failure = nil }
            }
            changed()
        }
    }

    /// Nobody waits for the last picture any more.
    func hurry() { panel.hurry() }

    /// The box is about to end. Returns at once.
    func ending() { _ = depart() }

    /// Begins the end.
    /// - Returns: tells whether the machine goes off as well.
    private func depart() -> Task<Bool, Never> {
        let departure = state.withLock { state in
            if let departure = state.departure { return departure }
            // A task of its own: the box' services end by being cancelled.
            let departure = Task {
                let isGoingOff = await self.machine.isGoingOff()
                return self.state.withLock { state in
                    let isOff = isGoingOff || state.isShutDown
                    // Codes of a room that closes; what is being reset does not shut down.
                    if isOff, state.fate == nil, !state.isOver { self.panel.show(.shuttingDown) }
                    return isOff
                }
            }
            state.departure = departure
            return departure
        }
        shine(isOpen: false)
        return departure
    }

    /// The box has ended, but for its panel.
    /// - Parameter error: why, if nobody wanted that.
    func finish(_ error: (any Error)? = nil) async {
        let isFirst = state.withLock { state in
            defer { state.isOver = true }
            return !state.isOver
        }
        guard isFirst else { return }
        let isOff = await depart().value
        let isReset = state.withLock { $0.fate == .reset }
        let last: Screen? =
            if isReset {
                // What it shows already.
                nil
            } else if isOff {
                .off
            } else if configuration.panel.model == .terminal {
                // Whoever sits at it sees what came of it.
                nil
            } else if let error {
                .trouble(.failed("\(error)".asSentence))
            } else {
                .stopped
            }
        let isFailure = if case .trouble? = last { true } else { false }
        // Whoever sits at a terminal and has pressed Ctrl-C is told why it takes so long.
        let patience = Task {
            try await Task.sleep(for: times.patience)
            logger.notice("the panel takes its time for the last picture; Ctrl-C once more leaves it as it is")
        }
        defer { patience.cancel() }
        await panel.finish(showing: last, reading: isFailure ? times.notice : .zero, limit: times.finish)
    }
}

// MARK: The button

extension Face {
    /// Takes what a person did.
    func take(_ event: ButtonEvent, _ actions: Actions) {
        switch event {
        case .pressed: Task { await self.rotate(actions) }
        case .holding(let seconds): put(.holding(shutDownIn: seconds))
        case .holdingOn(let seconds): put(.holdingOn(resetIn: seconds))
        case .cancelled, .stuck, .released:
            put(nil)
            changed()
        case .shutDown: Task { await self.shutDown() }
        case .factoryReset: Task { await self.reset(actions) }
        }
    }

    private func rotate(_ actions: Actions) async {
        logger.notice("the button was pressed: the room's codes are changed")
        // The box says on the panel what comes of it.
        do { try await actions.rotate() } catch { logger.error("the room's codes could not be changed: \(error)") }
        await update()
    }

    private func reset(_ actions: Actions) async {
        logger.notice("the button was held: the box is made as it was when it was new")
        put(nil)
        resetting()
        do { try await actions.reset() } catch { resetFailed(error) }
    }

    private func shutDown() async {
        put(nil)
        // One at a time.
        guard decide(.shutdown, .shuttingDown) else { return }
        logger.notice("the button was held: the machine shuts down")
        let command = configuration.button.shutdown
        let end = await machine.run(command)
        let name = command.joined(separator: " ")
        guard end == .exited(0) else {
            return fail(
                .shutdownFails, "the machine could not be shut down by \(name): \(end); correct button.shutdown")
        }
        state.withLock { state in
            state.isShutDown = true
            state.failure = nil
        }
        // It ends this process.
        try? await Task.sleep(for: times.shutdown)
        fail(.shutdownFails, "the machine could not be shut down: \(name) went well, and nothing came of it")
    }
}

extension String {
    /// What errors say of themselves, as a sentence.
    fileprivate var asSentence: String {
        prefix(1).uppercased() + dropFirst() + (last.map { ".!?".contains($0) } == true ? "" : ".")
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
        case .stopped: "stopped"
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
        memory = directory + "/panel"
    }
}
