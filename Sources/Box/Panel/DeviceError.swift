import Glibc

/// Why a device of the panel or the button cannot be used: the environment's fault.
public struct DeviceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What failed, for example `use the line KIBITZ_DC`.
    public let operation: String
    /// `errno`.
    public let code: Int32
    /// What to do; nil when there is nothing to be said.
    public let advice: String?

    /// Makes an error.
    init(_ operation: String, code: Int32, advice: String? = nil) {
        self.operation = operation
        self.code = code
        self.advice = advice
    }

    /// What to do where a device may not be opened. Root may open all of them, unless the service manager forbids it.
    static func permissionAdvice(group: String) -> String {
        geteuid() == 0
            ? "The service may not use it: DeviceAllow= of kibitz-local.service has to name it, and restarting the service "
                + "helps if the device's driver was loaded later."
            : "The box must be allowed to open it: run it as root or in the group \(group)."
    }

    /// What happened and what to do, in a sentence or two.
    public var description: String {
        "cannot \(operation): \(String(cString: strerror(code))) (error \(code))." + (advice.map { " \($0)" } ?? "")
    }
}
