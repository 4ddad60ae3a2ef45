import Glibc

/// Why a socket or device for radios cannot be had: the environment's fault.
public struct RadioSocketError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What failed, for example `open a netlink socket`.
    public let operation: String
    /// What the system says of it.
    public let reason: String
    /// What to do; nil when there is nothing to be said.
    public let advice: String?

    /// Makes an error.
    init(_ operation: String, reason: String, advice: String? = nil) {
        self.operation = operation
        self.reason = reason
        self.advice = advice
    }

    /// Makes an error of `errno`.
    init(_ operation: String, code: Int32) {
        let advice: String? =
            switch code {
            case EPERM, EACCES: "The box must run as root, or with the capabilities CAP_NET_ADMIN and CAP_NET_RAW."
            case ENOENT, ENXIO, ENODEV: "The device is not there."
            default: nil
            }
        self.init(operation, reason: "\(String(cString: strerror(code))) (error \(code))", advice: advice)
    }

    /// What happened and what to do, in a sentence or two.
    public var description: String {
        "cannot \(operation): \(reason)." + (advice.map { " \($0)" } ?? "")
    }
}
