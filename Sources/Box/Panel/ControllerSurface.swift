import NIOCore
import PanelDrivers
import Raster
import SansIO
import Screens

/// A panel on the SPI bus: carries out its controller's programs.
///
/// Waits are tasks of the event loop, and BUSY is an edge: between programs, and while the panel works, nothing runs.
/// Devices that fail are let go, and opened again for the next program.
final class ControllerSurface: PanelSurface {
    /// From one look for missing devices to the next, at first and at last.
    private static let retryDelays = Duration.seconds(1)...Duration.seconds(60)

    let format: PictureFormat?
    let pace: PanelPace
    var keepsPicture: Bool { controller.format.depth != .rgb565 }
    private(set) var trouble: PanelTrouble? {
        didSet { if trouble != oldValue { onTrouble() } }
    }

    private var controller: any PanelController
    private let turn: Turn
    private let loop: any EventLoop
    private let open: () throws(DeviceError) -> any PanelWires
    private let memory: GlassFile?
    private let onTrouble: () -> Void

    private var wires: (any PanelWires)?
    private var retryDelay = retryDelays.lowerBound
    private var hasStarted = false
    /// Why the wires were let go; nil: they were not.
    private var lost: DeviceError?
    /// What is to be shown once the wires are there.
    private var early: (picture: Picture, awaited: Bool)?
    /// What the controller has not been told yet.
    private var inputs: [PanelInput] = []
    private var isFeeding = false
    private var program: ArraySlice<PanelOperation> = []
    /// The end of a wait, and whether the BUSY line may end it.
    private var pause: (task: Scheduled<Void>, forBusy: Bool)?
    private var wake: Scheduled<Void>?
    private var onFinished: (() -> Void)?

    /// Makes a panel that is not open yet.
    /// - Parameters:
    ///   - controller: its controller chip.
    ///   - turn: how it hangs.
    ///   - open: opens its devices.
    ///   - memory: keeps what an e-paper shows.
    ///   - onTrouble: called when ``trouble`` has changed.
    init(
        controller: any PanelController, turn: Turn, loop: any EventLoop,
        open: @escaping () throws(DeviceError) -> any PanelWires, memory: GlassFile? = nil,
        onTrouble: @escaping () -> Void
    ) {
        self.controller = controller
        self.turn = turn
        self.loop = loop
        self.open = open
        self.memory = memory
        self.onTrouble = onTrouble
        format = controller.format.turned(turn)
        pace =
            switch controller.format.depth {
            case .rgb565: .quick
            case .mono: .paper
            case .accent: .colorPaper
            }
    }

    func start() {
        do throws(DeviceError) {
            _ = try connect()
        } catch {
            trouble = PanelTrouble(.missing, error)
            startLater()
            return
        }
        if trouble?.kind == .missing { trouble = nil }
        guard !hasStarted else { return }
        hasStarted = true
        if let kept = memory?.read() { feed(.remember(kept)) }
        feed(.start)
        if let early { feed(.show(early.picture, awaited: early.awaited)) }
        early = nil
    }

    private func startLater() {
        after(retryDelay) { $0.start() }
        retryDelay = min(retryDelay * 2, Self.retryDelays.upperBound)
    }

    /// The wires; opens them where they are not there.
    private func connect() throws(DeviceError) -> any PanelWires {
        if let wires { return wires }
        let wires = try open()
        wires.onReady = { [weak self] in self?.busyWasLetGo() }
        wires.onLost = { [weak self, weak wires] error in
            // Not from within what is let go.
            self?.after(.zero) { surface in
                if let wires, surface.wires === wires { surface.lose(error) }
            }
        }
        self.wires = wires
        lost = nil
        return wires
    }

    /// Lets devices go that fail though nothing is sent.
    private func lose(_ error: DeviceError) {
        wires = nil
        lost = error
        if let pause {
            pause.task.cancel()
            self.pause = nil
            program = []
            feed(.failed(.bus(error.code)))
        } else {
            trouble = PanelTrouble(.missing, error)
            startLater()
        }
    }

    func show(_ screen: Screen, awaited: Bool, picture: () throws -> Picture) {
        do {
            // The panel shows it upright when it is turned back.
            let picture = try picture().turned(turn)
            if trouble?.kind == .font { trouble = nil }
            if !hasStarted { early = (picture, awaited) } else { feed(.show(picture, awaited: awaited)) }
        } catch {
            if trouble == nil { trouble = PanelTrouble(.font, "\(error)") }
        }
    }

    func finish(_ done: @escaping () -> Void) {
        guard hasStarted, trouble == nil || trouble?.kind == .font else { return done() }
        onFinished = done
        // What was given before is shown first.
        feed(.stop)
    }

    /// Tells the controller, and carries out what it answers, until it answers nothing or time has to pass.
    private func feed(_ input: PanelInput) {
        inputs.append(input)
        guard !isFeeding else { return }
        isFeeding = true
        while !inputs.isEmpty {
            var output = PanelOutput()
            let deadline = controller.handle(inputs.removeFirst(), at: loop.timestamp, into: &output)
            wake?.cancel()
            wake = deadline.map { deadline in
                after(deadline - loop.timestamp) { surface in
                    surface.wake = nil
                    surface.feed(.wake)
                }
            }
            for event in output.events { take(event) }
            guard !output.program.isEmpty else { continue }
            program += output.program
            if pause == nil, let result = carryOut() { inputs.append(result) }
        }
        isFeeding = false
    }

    private func take(_ event: PanelEvent) {
        switch event {
        case .shown: break
        case .trouble(.busyTooLong):
            trouble = PanelTrouble(
                .silent,
                "the panel never answers: it stays busy; check that it is the model that panel names, and its wires")
            finished()
        case .trouble(.bus(let code)):
            trouble = PanelTrouble(.bus, lost ?? DeviceError("send to the panel", code: code))
            finished()
        case .recovered: trouble = nil
        case .remember(let glass): memory?.write(glass)
        case .stopped: finished()
        }
    }

    private func finished() {
        onFinished?()
        onFinished = nil
    }

    /// Carries out what is left of the program.
    /// - Returns: how it ended; nil: it goes on later.
    private func carryOut() -> PanelInput? {
        do throws(DeviceError) {
            let wires = try connect()
            while let operation = program.popFirst() {
                switch operation {
                case .reset, .backlight, .command, .wideCommand, .data: try wires.carryOut(operation)
                case .wait(let time):
                    pause = (after(time) { $0.pauseEnded() }, forBusy: false)
                    return nil
                case .awaitReady(let limit):
                    switch try wires.isBusy {
                    case false?: continue
                    case true?: pause = (after(limit) { $0.busyLasts() }, forBusy: true)
                    case nil: pause = (after(limit) { $0.pauseEnded() }, forBusy: false)
                    }
                    return nil
                }
            }
            retryDelay = Self.retryDelays.lowerBound
            return .finished
        } catch {
            program = []
            // What has gone and come back is another device.
            wires = nil
            lost = error
            return .failed(.bus(error.code))
        }
    }

    private func pauseEnded() {
        pause = nil
        if let result = carryOut() { feed(result) }
    }

    /// The BUSY line was let go; what is heard may be of a moment ago.
    private func busyWasLetGo() {
        guard let pause, pause.forBusy, (try? wires?.isBusy) != true else { return }
        pause.task.cancel()
        pauseEnded()
    }

    private func busyLasts() {
        // An edge that the kernel lost must not pass for a panel that is broken.
        if (try? wires?.isBusy) == false { return pauseEnded() }
        pause = nil
        program = []
        feed(.failed(.busyTooLong))
    }

    @discardableResult
    private func after(_ time: Duration, _ body: @escaping (ControllerSurface) -> Void) -> Scheduled<Void> {
        loop.assumeIsolated().scheduleTask(in: .nanoseconds(max(0, time.wholeNanoseconds))) { [weak self] in
            if let self { body(self) }
        }
    }
}

extension EventLoop {
    /// The present reading of its clock.
    var timestamp: Timestamp { Timestamp(nanoseconds: now.uptimeNanoseconds) }
}
