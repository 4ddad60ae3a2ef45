public import Button
public import NIOCore
import SansIO

/// The box's button on its line, on an event loop: what a person did with it.
///
/// The button connects the line to ground and the chip's resistor holds it up, so nothing else is needed at it. Costs
/// nothing while nobody touches it. Used and told on its event loop only.
public final class ButtonLine {
    private let eventLoop: any EventLoop
    private let onEvent: (ButtonEvent) -> Void
    private let onFailure: (DeviceError) -> Void
    private var input: GPIOInput?
    private var button = Button()
    private var timer: Scheduled<Void>?

    /// Finds the line `KIBITZ_BUTTON` and begins to listen.
    /// - Parameters:
    ///   - eventLoop: the loop, of a `MultiThreadedEventLoopGroup`; one that nothing blocks for long.
    ///   - onEvent: takes what a person did.
    ///   - onFailure: takes what the kernel says of a line that cannot be read. It has to be opened anew then: its chip may have
    ///     gone, and when it comes again the kernel knows it for another one.
    /// - Throws: what is missing and what to do.
    public init(
        on eventLoop: any EventLoop, onEvent: @escaping (ButtonEvent) -> Void,
        onFailure: @escaping (DeviceError) -> Void
    ) throws(DeviceError) {
        self.eventLoop = eventLoop
        self.onEvent = onEvent
        self.onFailure = onFailure
        let input = try GPIOInput(
            .button, activeLow: true, bias: .pullUp, on: eventLoop, onEdge: { [weak self] in self?.handle($0) },
            onFailure: { [weak self] in self?.fail($0) })
        self.input = input
        handle(.level(isPressed: try input.level()))
    }

    /// Ends the listening and lets the line go; nothing is told any more.
    public func close() {
        timer?.cancel()
        input?.close()
        input = nil
    }

    private func handle(_ edge: GPIOEdge) {
        if edge.isAfterLoss { handle(.lostEdges) }
        handle(.edge(isPressed: edge.isActive, at: edge.time))
    }

    private func wake() {
        guard let input else { return }
        do {
            handle(.level(isPressed: try input.level()))
        } catch {
            fail(error)
        }
    }

    private func fail(_ error: DeviceError) {
        guard input != nil else { return }
        // What was held is let go.
        handle(.unreadable)
        close()
        onFailure(error)
    }

    private func handle(_ buttonInput: ButtonInput) {
        guard input != nil else { return }
        var events: [ButtonEvent] = []
        let now = NIODeadline.now()
        let deadline = button.handle(buttonInput, at: Timestamp(nanoseconds: now.uptimeNanoseconds), into: &events)
        timer?.cancel()
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        timer = deadline.map { deadline in
            eventLoop.scheduleTask(deadline: .uptimeNanoseconds(deadline.nanoseconds)) { bound.value.wake() }
        }
        for event in events where input != nil { onEvent(event) }
    }
}
