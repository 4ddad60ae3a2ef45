import Netlink

/// A switch that keeps a radio off, as `/dev/rfkill` tells of it (`struct rfkill_event`, linux/rfkill.h).
public struct RadioSwitch: Hashable, Sendable {
    /// What happened to a switch (`enum rfkill_operation`).
    public enum Operation: UInt8, Hashable, Sendable {
        /// It is there; told of each when the device is opened.
        case added = 0
        /// It is gone.
        case removed = 1
        /// It changed.
        case changed = 2
    }

    /// `RFKILL_TYPE_WLAN`.
    public static let wirelessLANType: UInt8 = 1
    /// Octets of an event of the first version, which every kernel takes and gives.
    public static let eventSize = 8

    /// Its number; `/sys/class/rfkill/rfkill<index>/name` is the radio's name.
    public var index: UInt32
    /// What kind of radio.
    public var type: UInt8
    /// What happened.
    public var operation: Operation
    /// Off by software, which can be undone.
    public var isSoftBlocked: Bool
    /// Off by hardware: a slider, a wire, an airplane mode of the machine.
    public var isHardBlocked: Bool

    /// Makes a switch.
    public init(
        index: UInt32, type: UInt8 = wirelessLANType, operation: Operation, isSoftBlocked: Bool, isHardBlocked: Bool
    ) {
        self.index = index
        self.type = type
        self.operation = operation
        self.isSoftBlocked = isSoftBlocked
        self.isHardBlocked = isHardBlocked
    }

    /// Reads one event; nil when it is cut off or tells something unknown.
    /// - Parameter bytes: what one read(2) of the device gave.
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= Self.eventSize, let index = bytes.hostUInt32(at: 0), let type = bytes.uint8(at: 4),
            let operation = bytes.uint8(at: 5).flatMap(Operation.init(rawValue:)), let soft = bytes.uint8(at: 6),
            let hard = bytes.uint8(at: 7)
        else { return nil }
        self.init(
            index: index, type: type, operation: operation, isSoftBlocked: soft != 0, isHardBlocked: hard != 0)
    }

    /// The event that, written to the device, lets a radio be on again as far as software goes.
    /// - Parameter index: the switch's number.
    public static func unblocking(index: UInt32) -> [UInt8] {
        withUnsafeBytes(of: index) { [UInt8]($0) } + [wirelessLANType, Operation.changed.rawValue, 0, 0]
    }
}
