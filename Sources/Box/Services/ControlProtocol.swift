/// What the command line asks the running box over the control socket: one JSON line each way.
enum ControlRequest: String, Codable, Sendable {
    /// A ``Status``.
    case status
    /// New credentials for the room; answers as `status` does, with the new link.
    case rotate
    /// A ``WiFiStatus``.
    case wifi
    /// A ``PanelPicture``.
    case panel
    /// New software is being installed, for as long as the connection stays open; answers with nothing.
    case updating
    /// Everything the box keeps is removed, and it ends; answers with nothing once that is decided for good.
    case reset

    /// Whether the connection stays open when the answer was given.
    var isHeld: Bool { self == .updating }
}

/// The running box's answer.
struct ControlResponse: Codable, Sendable {
    var status: Status?
    var wifi: WiFiStatus?
    var panel: PanelPicture?
    /// Why the request failed, in words for the owner.
    var error: String?
}

/// The socket's name in the state directory.
let controlSocketName = "control.sock"
