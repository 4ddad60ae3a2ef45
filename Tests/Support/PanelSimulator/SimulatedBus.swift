public import PanelDrivers
public import SansIO

/// Carries out programs on a simulated panel in virtual time, as the shell does on a real one.
public struct SimulatedBus<Panel: SimulatedPanel>: Sendable {
    /// What hangs on it.
    public var panel: Panel
    /// Bits a second.
    public let clock: UInt32
    /// Bytes that went over the wire so far.
    public private(set) var bytes = 0

    /// Makes a bus.
    /// - Parameters:
    ///   - panel: what hangs on it.
    ///   - clock: bits a second.
    public init(_ panel: Panel, clock: UInt32) {
        self.panel = panel
        self.clock = clock
    }

    /// Carries out a program.
    /// - Parameters:
    ///   - program: its operations.
    ///   - now: when it begins; when it ended, after.
    ///   - failing: the index of the operation at which the bus fails; nothing of it reaches the panel.
    /// - Returns: what to tell the controller: `.finished` or `.failed`.
    public mutating func carryOut(
        _ program: [PanelOperation], at now: inout Timestamp, failing: Int? = nil
    ) -> PanelInput {
        for (index, operation) in program.enumerated() {
            if index == failing { return .failed(.bus(5)) }
            panel.apply(operation, at: now)
            switch operation {
            case .reset, .backlight: break
            case .command(_, let parameters): transfer(1 + parameters.count, &now)
            case .wideCommand: transfer(2, &now)
            case .data(let data): transfer(data.count, &now)
            case .wait(let duration): now = now + duration
            case .awaitReady(let limit):
                guard let ready = panel.ready(at: now), ready - now <= limit else {
                    now = now + limit
                    return .failed(.busyTooLong)
                }
                now = max(now, ready)
            }
        }
        return .finished
    }

    private mutating func transfer(_ count: Int, _ now: inout Timestamp) {
        bytes += count
        now = now + .nanoseconds(Int64(count) * 8_000_000_000 / Int64(clock))
    }
}
