import CGPIOD
import Glibc

/// The names of the lines that a panel and a button are wired to. The overlays give them (`gpio-line-names`), and
/// whoever wires by hand may give them to any chip's lines.
public enum GPIOLineName: String, Sendable, CaseIterable {
    /// Tells a panel commands (low) from data (high).
    case dataCommand = "KIBITZ_DC"
    /// Resets a panel while low.
    case reset = "KIBITZ_RESET"
    /// Tells that an e-paper is busy.
    case busy = "KIBITZ_BUSY"
    /// Lights a TFT.
    case backlight = "KIBITZ_BACKLIGHT"
    /// The button.
    case button = "KIBITZ_BUTTON"
    /// The light at the button.
    case led = "KIBITZ_LED"
}

/// What keeps an input at a level while nothing drives it.
public enum GPIOBias: Sendable {
    /// Whatever is set up already.
    case asIs
    /// Nothing; something outside does.
    case disabled
    /// A resistor in the chip, to the supply.
    case pullUp
    /// A resistor in the chip, to ground.
    case pullDown

    fileprivate var shim: CGPIOD_bias {
        switch self {
        case .asIs: CGPIOD_BIAS_AS_IS
        case .disabled: CGPIOD_BIAS_DISABLED
        case .pullUp: CGPIOD_BIAS_PULL_UP
        case .pullDown: CGPIOD_BIAS_PULL_DOWN
        }
    }
}

/// A requested line (libgpiod): nobody else may use it until this ends.
struct GPIOLine: ~Copyable {
    /// What `gpioinfo` shows as the user of the line.
    private static let consumer = "kibitz-local"

    let name: GPIOLineName
    private var handle: CGPIOD_line

    private init(name: GPIOLineName, handle: CGPIOD_line) {
        self.name = name
        self.handle = handle
    }

    deinit {
        // The handle is a small value, and a deinit may not change what it ends.
        var last = handle
        CGPIOD_release(&last)
    }

    /// Finds and requests an output.
    static func output(_ name: GPIOLineName, activeLow: Bool, initial: Bool) throws(DeviceError) -> GPIOLine {
        try open(name) { request in
            request.is_output = true
            request.active_low = activeLow
            request.initial = initial
        }
    }

    /// Finds and requests an input that tells of both edges.
    static func input(_ name: GPIOLineName, activeLow: Bool, bias: GPIOBias) throws(DeviceError) -> GPIOLine {
        try open(name) { request in
            request.active_low = activeLow
            request.bias = bias.shim
        }
    }

    private static func open(
        _ name: GPIOLineName, _ fill: (inout CGPIOD_request) -> Void
    ) throws(DeviceError) -> GPIOLine {
        var handle = CGPIOD_line()
        let code = name.rawValue.withCString { nameText in
            consumer.withCString { consumerText in
                var request = CGPIOD_request()
                request.name = nameText
                request.consumer = consumerText
                fill(&request)
                return CGPIOD_open(&handle, &request) == 0 ? 0 : errno
            }
        }
        guard code == 0 else { throw failure(name, code) }
        return GPIOLine(name: name, handle: handle)
    }

    private static func failure(_ name: GPIOLineName, _ code: Int32) -> DeviceError {
        let advice: String? =
            switch code {
            case ENOENT:
                "No GPIO chip has a line of that name: the overlay of this panel or button is missing in config.txt"
                    + " (dtoverlay=kibitz-…); `kibitz-local doctor` says which."
            case EACCES, EPERM: DeviceError.permissionAdvice(group: "gpio")
            case EBUSY: "Another program or a kernel driver has the line; `gpioinfo` names it."
            default: nil
            }
        return DeviceError("use the line \(name.rawValue)", code: code, advice: advice)
    }

    /// What edges are read from; the line keeps it.
    var descriptor: CInt {
        mutating get { CGPIOD_descriptor(&handle) }
    }

    /// The level now: whether it is active.
    mutating func level() throws(DeviceError) -> Bool {
        let level = CGPIOD_get(&handle)
        guard level >= 0 else { throw DeviceError("read the line \(name.rawValue)", code: errno) }
        return level > 0
    }

    /// Sets an output.
    mutating func set(_ active: Bool) throws(DeviceError) {
        guard CGPIOD_set(&handle, active) == 0 else {
            throw DeviceError("set the line \(name.rawValue)", code: errno)
        }
    }
}

/// A line that the box drives.
public final class GPIOOutput {
    private var line: GPIOLine

    /// Finds and requests the line.
    /// - Parameters:
    ///   - name: the line, on any chip.
    ///   - activeLow: whether active is the low voltage.
    ///   - initial: whether it is active at first.
    /// - Throws: what is missing and what to do.
    public init(_ name: GPIOLineName, activeLow: Bool = false, initial: Bool = false) throws(DeviceError) {
        line = try GPIOLine.output(name, activeLow: activeLow, initial: initial)
    }

    /// Makes the line active or inactive.
    public func set(_ active: Bool) throws(DeviceError) {
        try line.set(active)
    }
}
