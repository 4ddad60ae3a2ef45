public import PanelDrivers
public import Raster
public import SansIO

/// A panel written from its controller's datasheet, not from the driver: it finds the driver's mistakes.
public protocol SimulatedPanel: Sendable {
    /// Takes one operation that begins at `now`; the time it takes is the bus' matter (`SimulatedBus`).
    mutating func apply(_ operation: PanelOperation, at now: Timestamp)

    /// What was done against the datasheet, oldest first, each with its time.
    var violations: [String] { get }

    /// When BUSY is let go: `now` where it is not held, nil where it will never be.
    func ready(at now: Timestamp) -> Timestamp?

    /// What a person sees.
    func visible(at now: Timestamp) -> Picture
}

extension SimulatedPanel {
    /// A panel without a BUSY line is always ready.
    public func ready(at now: Timestamp) -> Timestamp? { now }
}
