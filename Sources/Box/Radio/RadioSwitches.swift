import BoxNetwork
import Glibc
public import NIOCore
import NL80211

/// The switches that keep Wi-Fi radios off (rfkill), watched by way of `/dev/rfkill`.
///
/// Used and told on its event loop only.
public final class RadioSwitches {
    /// One of them.
    public struct Switch: Hashable, Sendable {
        /// Its number.
        public var index: UInt32
        /// What it belongs to: a radio's name such as `phy0`, or another device's.
        public var name: String
        /// Whether software has switched the radio off.
        public var isSoftBlocked: Bool
        /// Whether a switch of the machine has.
        public var isHardBlocked: Bool
    }

    /// Switches kept at most.
    public static let maximumCount = 64
    /// Octets of a name at most.
    private static let nameCapacity = 64

    private let descriptor: CInt
    private let eventLoop: any EventLoop
    private var reader: DescriptorReader?
    private var switches: [UInt32: Switch] = [:]

    /// Begins to watch; the switches there are follow at once.
    /// - Parameters:
    ///   - eventLoop: the loop, of a `MultiThreadedEventLoopGroup`; this is called on it.
    ///   - onChange: takes all switches of Wi-Fi radios, by number, after each change.
    /// - Throws: ``RadioSocketError`` when the kernel has no rfkill, or the process may not.
    public init(on eventLoop: any EventLoop, onChange: @escaping ([Switch]) -> Void) throws(RadioSocketError) {
        eventLoop.preconditionInEventLoop()
        self.eventLoop = eventLoop
        descriptor = open("/dev/rfkill", O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw RadioSocketError("watch the radios' switches", code: errno) }
        reader = DescriptorReader(
            // A read gives one event, of a length that grows with kernels.
            descriptor, capacity: 4 * RadioSwitch.eventSize, on: eventLoop,
            onRead: { [weak self] buffer in
                guard let self, let event = buffer.withUnsafeReadableBytes({ RadioSwitch(RawSpan(_unsafeBytes: $0)) })
                else { return }
                if take(event) { onChange(switches.values.sorted { $0.index < $1.index }) }
            },
            onFailure: { _ in })
    }

    deinit {
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    /// Lets a radio be on again as far as software goes.
    /// - Parameter index: the switch's number.
    /// - Returns: whether the kernel took it.
    @discardableResult
    public func unblock(_ index: UInt32) -> Bool {
        eventLoop.preconditionInEventLoop()
        let event = RadioSwitch.unblocking(index: index)
        return event.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) } == event.count
    }

    /// Ends the watch.
    public func close() {
        eventLoop.preconditionInEventLoop()
        reader?.close()
        reader = nil
    }

    /// Takes an event and says whether anything is different.
    private func take(_ event: RadioSwitch) -> Bool {
        guard event.type == RadioSwitch.wirelessLANType else { return false }
        switch event.operation {
        case .removed:
            return switches.removeValue(forKey: event.index) != nil
        case .added, .changed:
            let known = switches[event.index]
            guard known != nil || switches.count < Self.maximumCount else { return false }
            let new = Switch(
                index: event.index, name: known?.name ?? Self.name(of: event.index),
                isSoftBlocked: event.isSoftBlocked, isHardBlocked: event.isHardBlocked)
            switches[event.index] = new
            return new != known
        }
    }

    private static func name(of index: UInt32) -> String {
        let file = open("/sys/class/rfkill/rfkill\(index)/name", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { Glibc.close(file) }
        let text = [UInt8](unsafeUninitializedCapacity: nameCapacity) { buffer, count in
            count = max(0, read(file, buffer.baseAddress, nameCapacity))
        }
        return String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
