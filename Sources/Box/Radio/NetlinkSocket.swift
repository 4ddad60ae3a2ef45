import BoxNetwork
import CNetlink
import Glibc
public import NIOCore
public import NL80211
import Netlink
import SansIO

/// A netlink socket on an event loop: requests to the kernel, its answers, and what it tells unasked.
///
/// All is used and told on the event loop. The kernel carries a request out within send(2), and a driver may take
/// seconds for one, so the loop must not be one that media waits for. Nothing is told from within a call of
/// ``send(_:_:)``. Whoever drops it closes it first: until then the event loop keeps a duplicate, and with it all that the
/// socket owns.
public final class NetlinkSocket {
    /// What a socket is for.
    public enum Kind: Hashable, Sendable {
        /// Links and addresses.
        case route
        /// Radios and their stations.
        case nl80211
    }

    private var handle: NetlinkHandle?
    private let eventLoop: any EventLoop
    private let onEvent: (NetlinkOutput.Event) -> Void
    private var client: NetlinkClient
    private var output = NetlinkOutput()
    private var reader: DescriptorReader?
    private var timer: (deadline: Timestamp, task: Scheduled<Void>)?

    /// Opens a socket and begins to read.
    /// - Parameters:
    ///   - kind: what it is for.
    ///   - eventLoop: the loop, of a `MultiThreadedEventLoopGroup`; this is called on it.
    ///   - onEvent: takes answers and events.
    /// - Throws: ``RadioSocketError`` when the kernel has no such family: without a radio it may have no nl80211.
    public init(
        _ kind: Kind, on eventLoop: any EventLoop, onEvent: @escaping (NetlinkOutput.Event) -> Void
    ) throws(RadioSocketError) {
        eventLoop.preconditionInEventLoop()
        self.eventLoop = eventLoop
        self.onEvent = onEvent
        let handle: NetlinkHandle
        switch kind {
        case .route:
            handle = try NetlinkHandle.open(protocol: NETLINK_ROUTE)
            client = NetlinkClient(family: .route)
            for group in RouteEvent.groups { try handle.join(Int32(group)) }
        case .nl80211:
            handle = try NetlinkHandle.open(protocol: NETLINK_GENERIC)
            let name = NL80211Request.familyName
            client = NetlinkClient(family: .nl80211(number: try handle.resolve(family: name)))
            for group in NL80211Request.groups { try handle.join(try handle.resolve(group: group, of: name)) }
        }
        try handle.setNonBlocking()
        let descriptor = handle.descriptor
        self.handle = consume handle
        reader = DescriptorReader(
            descriptor, capacity: NetlinkHandle.datagramCapacity, on: eventLoop,
            onRead: { [weak self] buffer in
                buffer.withUnsafeReadableBytes { self?.feed(.datagram(RawSpan(_unsafeBytes: $0))) }
            },
            // ENOBUFS says that messages were dropped; what else a read may fail with can have cost some as well.
            onFailure: { [weak self] _ in self?.feed(.overrun) })
    }

    /// Asks the kernel.
    /// - Parameters:
    ///   - id: the answer's number.
    ///   - request: what to ask.
    public func send(_ id: NetlinkRequestID, _ request: NetlinkRequest) {
        eventLoop.preconditionInEventLoop()
        if handle == nil {
            tellLater([.reply(id, .failure(.closed))])
        } else {
            feed(.request(id, request), isFromOutside: true)
        }
    }

    /// Closes the socket, and with it ends what it owns: an access point, registrations, interfaces. What is under way is
    /// told to have failed.
    public func close() {
        eventLoop.preconditionInEventLoop()
        guard handle != nil else { return }
        handle = nil
        reader?.close()
        reader = nil
        feed(.closed, isFromOutside: true)
    }

    private func feed(_ input: borrowing NetlinkInput, isFromOutside: Bool = false) {
        // Whoever is told may ask at once.
        var output = NetlinkOutput()
        swap(&output, &self.output)
        var deadline = client.handle(input, at: now, into: &output)
        var sent = 0
        // A message that was not taken may make room for another.
        while sent < output.messages.count {
            let message = output.messages[sent]
            sent += 1
            let code = handle?.send(message.bytes) ?? EBADF
            guard code != 0 else { continue }
            deadline = client.handle(
                .sendFailed(sequence: message.sequence, ErrorNumber(rawValue: code)), at: now, into: &output)
        }
        wake(at: deadline)
        if isFromOutside {
            tellLater(output.events)
        } else {
            for event in output.events { onEvent(event) }
        }
        output.removeAll()
        swap(&output, &self.output)
    }

    private func tellLater(_ events: [NetlinkOutput.Event]) {
        guard !events.isEmpty else { return }
        let socket = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute {
            for event in events { socket.value.onEvent(event) }
        }
    }

    private func wake(at deadline: Timestamp?) {
        guard let deadline else {
            timer?.task.cancel()
            timer = nil
            return
        }
        // One that comes early does no harm.
        if let timer, timer.deadline <= deadline { return }
        timer?.task.cancel()
        let socket = NIOLoopBound(self, eventLoop: eventLoop)
        let task = eventLoop.scheduleTask(deadline: .uptimeNanoseconds(deadline.nanoseconds)) {
            socket.value.timer = nil
            socket.value.feed(.wake)
        }
        timer = (deadline, task)
    }

    private var now: Timestamp { Timestamp(nanoseconds: NIODeadline.now().uptimeNanoseconds) }
}
