import BoxNetwork
public import Button
public import Logging
public import NIOCore
import Synchronization

/// How the light at the button shines.
public enum ButtonLight: String, Sendable {
    case off
    case on
    /// Something is happening: the button is held, or the codes are being changed.
    case blinking
}

/// How the button and its light are doing.
public struct ButtonSnapshot: Sendable {
    /// Whether there is one.
    public var isThere = false
    /// How its light shines; nil: it has none.
    public var light: ButtonLight?
    /// What is wrong; nil: nothing.
    public var trouble: PanelTrouble?

    /// No button.
    public init(isThere: Bool = false, light: ButtonLight? = nil, trouble: PanelTrouble? = nil) {
        self.isThere = isThere
        self.light = light
        self.trouble = trouble
    }
}

/// The box's button and the light at it, on the panel's event loop. Costs nothing while nobody touches it.
public final class ButtonService: Sendable {
    /// From a line that is lost or missing to the next look for it, at first and at last, in seconds.
    private static let retryDelays = 1...10
    /// Half of a blink.
    private static let blink = TimeAmount.milliseconds(250)

    private final class State {
        var line: ButtonLine?
        var led: GPIOOutput?
        var light = ButtonLight.off
        var blinking: Scheduled<Void>?
        var trouble: PanelTrouble?
        /// Whether it is wrong if there is no line.
        var isExpected: Bool
        var retryDelay = retryDelays.lowerBound

        init(isExpected: Bool) { self.isExpected = isExpected }
    }

    private let eventLoop: any EventLoop
    private let logger: Logger
    private let onEvent: @Sendable (ButtonEvent) -> Void
    private let onTrouble: @Sendable () -> Void
    private let state: NIOLoopBoundBox<State>
    /// What is told while its thread is stuck.
    private let last = Mutex(ButtonSnapshot())

    /// Begins to listen.
    /// - Parameters:
    ///   - eventLoop: the panel's loop.
    ///   - isExpected: whether it is wrong if there is no line KIBITZ_BUTTON.
    ///   - logger: where its troubles are logged.
    ///   - onEvent: takes what a person did, on the event loop.
    ///   - onTrouble: called when what is wrong has changed, on the event loop.
    public init(
        on eventLoop: any EventLoop, isExpected: Bool, logger: Logger,
        onEvent: @escaping @Sendable (ButtonEvent) -> Void, onTrouble: @escaping @Sendable () -> Void
    ) {
        self.eventLoop = eventLoop
        self.logger = logger
        self.onEvent = onEvent
        self.onTrouble = onTrouble
        state = .makeBoxSendingValue(State(isExpected: isExpected), eventLoop: eventLoop)
        eventLoop.execute { self.open() }
    }

    private func open() {
        do throws(DeviceError) {
            state.value.line = try ButtonLine(
                on: eventLoop, onEvent: { [weak self] in self?.take($0) },
                onFailure: { [weak self] in self?.lose($0) })
            note(nil)
        } catch {
            // A box without a button is well; one whose line something else holds, or that may not be used, is not.
            let isWrong = state.value.isExpected || !error.isMissing
            note(isWrong ? PanelTrouble(.missing, error) : nil)
            if isWrong { openLater() }
            return
        }
        // A box without the light needs none.
        state.value.led = try? GPIOOutput(.led)
        shine()
    }

    private func openLater() {
        let delay = state.value.retryDelay
        state.value.retryDelay = min(2 * delay, Self.retryDelays.upperBound)
        eventLoop.assumeIsolated().scheduleTask(in: .seconds(Int64(delay))) { [weak self] in self?.open() }
    }

    /// The line can't be read any more.
    private func lose(_ error: DeviceError) {
        note(PanelTrouble(.missing, error))
        // It was there, so it is expected. The light was most likely on the same chip.
        state.value.isExpected = true
        (state.value.line, state.value.led) = (nil, nil)
        shine()
        openLater()
    }

    private func take(_ event: ButtonEvent) {
        state.value.retryDelay = Self.retryDelays.lowerBound
        note(
            event == .stuck
                ? PanelTrouble(.silent, "the button is stuck: it is held for too long; look at its wires") : nil)
        onEvent(event)
    }

    private func note(_ trouble: PanelTrouble?) {
        guard trouble != state.value.trouble else { return }
        state.value.trouble = trouble
        if let trouble { logger.warning("button: \(trouble)") }
        onTrouble()
    }

    /// Makes the light shine so.
    public func light(_ light: ButtonLight) {
        eventLoop.execute {
            guard self.state.value.light != light else { return }
            self.state.value.light = light
            self.shine()
        }
    }

    private func shine() {
        let state = state.value
        state.blinking?.cancel()
        state.blinking = nil
        guard let led = state.led else { return }
        switch state.light {
        case .off: try? led.set(false)
        case .on: try? led.set(true)
        case .blinking: blink(led, isOn: true)
        }
    }

    private func blink(_ led: GPIOOutput, isOn: Bool) {
        try? led.set(isOn)
        state.value.blinking = eventLoop.assumeIsolated().scheduleTask(in: Self.blink) { [weak self] in
            self?.blink(led, isOn: !isOn)
        }
    }

    /// How it is doing.
    public func snapshot() async -> ButtonSnapshot {
        let present = await answer(within: PanelService.patience) { give in
            eventLoop.execute {
                let state = self.state.value
                let snapshot = ButtonSnapshot(
                    isThere: state.line != nil, light: state.led == nil ? nil : state.light, trouble: state.trouble)
                self.last.withLock { $0 = snapshot }
                _ = give(snapshot)
            }
        }
        // That the panel's thread is stuck, the panel tells.
        return present ?? last.withLock { $0 }
    }
}
