public import NIOCore
import Wire

/// Bounds the TCP connections of the web server, so that one phone, or one broken program, can't take them all.
///
/// A connection is *half-open* until its first complete request head has come. Beyond a limit, the oldest half-open
/// connection makes room for the newest: whoever sends a request at once always gets in, however many sockets
/// somebody else holds open and silent.
///
/// All of its state lives on one event loop.
public final class ConnectionGate: Sendable {
    /// How many connections there may be.
    public struct Limits: Sendable {
        /// Connections that have not yet sent a request, over all ports.
        public var halfOpen = 128
        /// How long a connection may take to its first complete request head, TLS handshake included.
        public var requestTimeout = TimeAmount.seconds(10)
        /// Connections of one remote address that have sent a request.
        public var established = 64
        /// Connections that have sent a request, over all remote addresses.
        public var establishedInAll = 1024

        /// The defaults.
        public init() {}
    }

    /// What the gate has seen.
    public struct Counters: Sendable {
        /// Connections that have sent a request and are still there.
        public var established = 0
        /// Connections that have not yet sent a request.
        public var halfOpen = 0
        /// Connections accepted since the start.
        public var accepted = 0
        /// Half-open connections closed to make room for newer ones.
        public var evicted = 0
        /// Half-open connections closed because their request did not come in time.
        public var timedOut = 0
        /// Connections ended because what came is no HTTP, or no TLS.
        public var malformed = 0
        /// Connections refused because their address, or all together, held too many.
        public var refused = 0
    }

    private final class State {
        var counters = Counters()
        /// Half-open connections, oldest first; closed and promoted ones stay as holes until they reach the front.
        var waiting: CircularBuffer<Entry> = []
        var byAddress: [IPAddress: Int] = [:]
        var timer: Scheduled<Void>?
    }

    fileprivate final class Entry {
        let channel: any Channel
        let deadline: NIODeadline
        var isHalfOpen = true
        init(channel: any Channel, deadline: NIODeadline) {
            self.channel = channel
            self.deadline = deadline
        }
    }

    private let limits: Limits
    private let loop: any EventLoop
    private let state: NIOLoopBoundBox<State>

    /// Makes a gate.
    /// - Parameters:
    ///   - limits: how many connections there may be.
    ///   - eventLoop: the one loop on which every connection lives.
    public init(limits: Limits = Limits(), eventLoop: any EventLoop) {
        self.limits = limits
        loop = eventLoop
        state = NIOLoopBoundBox.makeBoxSendingValue(State(), eventLoop: eventLoop)
    }

    /// What the gate has seen.
    public func counters() async -> Counters {
        (try? await loop.submit { self.countersOnLoop }.get()) ?? Counters()
    }

    /// What the gate has seen; on the event loop only.
    var countersOnLoop: Counters { state.value.counters }

    /// Takes in a connection just accepted. On the event loop only.
    func admit(_ channel: any Channel) -> Admission {
        let state = state.value
        state.counters.accepted += 1
        state.counters.halfOpen += 1
        let entry = Entry(channel: channel, deadline: loop.now + limits.requestTimeout)
        state.waiting.append(entry)
        if state.counters.halfOpen > limits.halfOpen { evictOldest(state) }
        armTimer(state)
        let admission = Admission(entry: NIOLoopBound(entry, eventLoop: loop))
        channel.closeFuture.whenComplete { _ in self.settle(admission.entry.value) }
        return admission
    }

    /// A connection's place at the gate.
    struct Admission: Sendable {
        fileprivate let entry: NIOLoopBound<Entry>
    }

    /// The connection has sent its first request head: it counts for its address from now on.
    /// - Returns: false when the address, or all together, hold too many: the connection is to be refused.
    func promote(_ admission: Admission) -> Bool {
        let entry = admission.entry.value
        guard entry.isHalfOpen else { return false }
        settle(entry)
        let state = state.value
        let address = IPAddress(entry.channel.remoteAddress)
        guard state.counters.established < limits.establishedInAll,
            // Loopback stands for the box's own programs.
            address.isLoopback || state.byAddress[address, default: 0] < limits.established
        else {
            state.counters.refused += 1
            return false
        }
        state.counters.established += 1
        state.byAddress[address, default: 0] += 1
        entry.channel.closeFuture.whenComplete { _ in self.release(address) }
        return true
    }

    /// What came over a connection is no HTTP, or no TLS. On the event loop only.
    func countMalformed() { state.value.counters.malformed += 1 }

    private func release(_ address: IPAddress) {
        let state = state.value
        state.counters.established -= 1
        if let count = state.byAddress[address] { state.byAddress[address] = count > 1 ? count - 1 : nil }
    }

    /// The connection is not half-open any more: promoted, closed by its peer, or about to be closed by us.
    private func settle(_ entry: Entry) {
        guard entry.isHalfOpen else { return }
        entry.isHalfOpen = false
        state.value.counters.halfOpen -= 1
        dropSettled(state.value)
    }

    private func dropSettled(_ state: State) {
        while let first = state.waiting.first, !first.isHalfOpen { state.waiting.removeFirst() }
        // Holes behind a patient connection must not add up.
        if state.waiting.count > 2 * limits.halfOpen { state.waiting = state.waiting.filter(\.isHalfOpen).asBuffer }
    }

    private func evictOldest(_ state: State) {
        guard let oldest = state.waiting.first(where: \.isHalfOpen) else { return }
        state.counters.evicted += 1
        // Before the close takes effect, so that the next eviction finds the next oldest.
        settle(oldest)
        oldest.channel.close(promise: nil)
    }

    private func armTimer(_ state: State) {
        guard state.timer == nil, let first = state.waiting.first(where: \.isHalfOpen) else { return }
        state.timer = loop.assumeIsolated().scheduleTask(deadline: first.deadline) {
            state.timer = nil
            let now = self.loop.now
            for entry in state.waiting where entry.isHalfOpen && entry.deadline <= now {
                state.counters.timedOut += 1
                self.settle(entry)
                entry.channel.close(promise: nil)
            }
            self.armTimer(state)
        }
    }
}

extension Sequence {
    fileprivate var asBuffer: CircularBuffer<Element> { CircularBuffer(self) }
}
