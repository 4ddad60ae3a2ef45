/// What a person did with the box's button.
public enum ButtonEvent: Equatable, Sendable {
    /// Pressed and let go: change the room's credentials.
    case pressed
    /// Still held: the box shuts down when it is held for so many seconds more. Told once a second.
    case holding(shutDownIn: Int)
    /// Let go before: nothing happens.
    case cancelled
    /// Held long enough: shuts down when let go; in so many seconds everything is reset. Told once a second.
    case holdingOn(resetIn: Int)
    /// Let go after the countdown: shut down.
    case shutDown
    /// Held to the end: back to factory state.
    case factoryReset
    /// Held for so long that no person holds it: the line is stuck. Nothing happens until it is let go.
    case stuck
    /// It was stuck, and is let go.
    case released
}
