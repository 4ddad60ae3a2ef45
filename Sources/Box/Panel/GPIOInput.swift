import BoxNetwork
import CGPIOD
import CLinux
import Glibc
public import NIOCore
public import SansIO

/// A change of an input, as the kernel saw it.
public struct GPIOEdge: Equatable, Sendable {
    /// Whether the line became active.
    public let isActive: Bool
    /// When: by the kernel's monotonic clock, at the interrupt.
    public let time: Timestamp
    /// Whether edges before this one were lost.
    public let isAfterLoss: Bool
}

/// A line that the box listens to, on an event loop. Costs nothing while it does not change.
///
/// Used and told on its event loop only.
public final class GPIOInput {
    /// Edges taken by one read.
    private static let edgesPerRead = Int(CGPIOD_EVENT_QUEUE)

    private var line: GPIOLine
    private let eventLoop: any EventLoop
    private let onEdge: (GPIOEdge) -> Void
    private let onFailure: (DeviceError) -> Void
    private var reader: DescriptorReader?
    /// The last edge's number; nil: none yet.
    private var sequence: UInt32?
    private var lastLevel: Bool

    /// Finds the line, requests it and begins to listen.
    /// - Parameters:
    ///   - name: the line, on any chip.
    ///   - activeLow: whether active is the low voltage.
    ///   - bias: what keeps it at a level while nothing drives it.
    ///   - eventLoop: the loop, of a `MultiThreadedEventLoopGroup`.
    ///   - onEdge: takes each change. One that the kernel lost is told too, by what the level is found to be.
    ///   - onFailure: takes what the kernel says of a line that cannot be read, again and again while that is so.
    /// - Throws: what is missing and what to do.
    public init(
        _ name: GPIOLineName, activeLow: Bool = false, bias: GPIOBias = .asIs, on eventLoop: any EventLoop,
        onEdge: @escaping (GPIOEdge) -> Void, onFailure: @escaping (DeviceError) -> Void
    ) throws(DeviceError) {
        eventLoop.preconditionInEventLoop()
        var line = try GPIOLine.input(name, activeLow: activeLow, bias: bias)
        lastLevel = try line.level()
        let descriptor = line.descriptor
        self.line = line
        self.eventLoop = eventLoop
        self.onEdge = onEdge
        self.onFailure = onFailure
        reader = DescriptorReader(
            descriptor, capacity: Self.edgesPerRead * Int(CGPIOD_EVENT_SIZE), on: eventLoop,
            onRead: { [weak self] in self?.read($0) }, onFailure: { [weak self] in self?.fail($0) })
    }

    deinit {
        reader?.close()
    }

    /// The level now: whether the line is active.
    public func level() throws(DeviceError) -> Bool {
        eventLoop.preconditionInEventLoop()
        return try line.level()
    }

    /// Ends the listening; nothing is told any more. The line is let go with this object.
    public func close() {
        reader?.close()
        reader = nil
    }

    private func read(_ octets: ByteBuffer) {
        let events = octets.withUnsafeReadableBytes { octets in
            stride(from: 0, through: octets.count - Int(CGPIOD_EVENT_SIZE), by: Int(CGPIOD_EVENT_SIZE)).map {
                CGPIOD_decode_event(octets.baseAddress?.advanced(by: $0))
            }
        }
        for event in events where reader != nil {
            // libgpiod 1 does not count; there a full queue says that more may have come.
            let isAfterLoss = event.sequence != 0 && sequence.map { $0 &+ 1 != event.sequence } ?? false
            sequence = event.sequence
            lastLevel = event.active
            onEdge(
                GPIOEdge(
                    isActive: event.active, time: Timestamp(nanoseconds: event.nanoseconds), isAfterLoss: isAfterLoss))
        }
        // What the last edge said may be over, and that edge lost: the queue was full.
        guard reader != nil, events.count >= Self.edgesPerRead, let level = try? line.level(), level != lastLevel
        else { return }
        lastLevel = level
        onEdge(
            GPIOEdge(
                isActive: level, time: Timestamp(nanoseconds: NIODeadline.now().uptimeNanoseconds), isAfterLoss: true))
    }

    private func fail(_ code: Int32) {
        onFailure(DeviceError("read the line \(line.name.rawValue)", code: code == 0 ? EIO : code))
    }
}
