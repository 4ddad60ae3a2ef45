public import Netlink
public import SansIO

/// The number by which an answer is matched with its request.
public struct NetlinkRequestID: RawRepresentable, Hashable, Sendable {
    /// The number; whoever asks chooses it.
    public let rawValue: UInt64

    /// Makes one of its number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// Why a request has no answer.
public enum NetlinkFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kernel refused it.
    case refused(NetlinkError)
    /// The socket could not take it: the environment's fault.
    case notSent(ErrorNumber)
    /// The answer was lost with others when the socket's buffer was full; whether it was done is not known.
    case answerLost
    /// No answer came in time.
    case timedOut
    /// As many requests as may be are under way: our fault.
    case tooManyRequests
    /// The request is longer than a message may be: our fault.
    case tooLong
    /// What was to be listed kept changing.
    case inconsistent
    /// The socket was closed.
    case closed

    /// What happened, in a few words.
    public var description: String {
        switch self {
        case .refused(let error): error.description
        case .notSent(let number): "the request could not be sent: \(number)"
        case .answerLost: "the kernel's answer was lost"
        case .timedOut: "no answer in time"
        case .tooManyRequests: "too many requests at once"
        case .tooLong: "the request is too long"
        case .inconsistent: "the list kept changing"
        case .closed: "the socket is closed"
        }
    }

    /// The kernel's number, when it refused.
    public var number: ErrorNumber? {
        if case .refused(let error) = self { return error.number }
        return nil
    }
}

/// Something that happens to a ``NetlinkClient``.
public enum NetlinkInput: ~Escapable {
    /// Someone asks.
    case request(NetlinkRequestID, NetlinkRequest)
    /// A datagram of the socket.
    case datagram(RawSpan)
    /// The socket did not take the message with this sequence number.
    case sendFailed(sequence: UInt32, ErrorNumber)
    /// The kernel dropped messages because the socket's buffer was full (`ENOBUFS`).
    case overrun
    /// The socket is closed: what is under way has no answer.
    case closed
    /// The time that ``NetlinkClient/handle(_:at:into:)`` asked for has come.
    case wake
}

/// What a ``NetlinkClient`` wants done. One value is used again and again: empty it before each input.
public struct NetlinkOutput: Sendable {
    /// A message for the kernel.
    public struct Message: Hashable, Sendable {
        /// Its sequence number, for ``NetlinkInput/sendFailed(sequence:_:)``.
        public var sequence: UInt32
        /// Its octets.
        public var bytes: [UInt8]
    }

    /// Something to tell.
    public enum Event: Sendable {
        /// A request's outcome.
        case reply(NetlinkRequestID, Result<NetlinkReply, NetlinkFailure>)
        /// A radio or a station.
        case nl80211(NL80211Event)
        /// A link or an address.
        case route(RouteEvent)
        /// Events were lost: whoever keeps count of what there is has to ask anew.
        case eventsLost
    }

    /// Messages to send, each on its own, in order.
    public var messages: [Message] = []
    /// What happened, in order.
    public var events: [Event] = []

    /// Makes an empty output.
    public init() {}

    /// Forgets all and keeps the memory.
    public mutating func removeAll() {
        messages.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
    }
}

/// One netlink socket's conversation with the kernel, without the socket: requests go out with numbers, messages come
/// back and become answers and events.
///
/// The kernel handles a request while it is being sent, so answers are there at once; only a buffer that overflowed
/// keeps one back. A socket can have one list told at a time (`EBUSY` otherwise), so lists wait for each other, and other
/// requests may overtake them.
public struct NetlinkClient: Sendable {
    /// Which family the socket speaks.
    public enum Family: Hashable, Sendable {
        /// Routing: links and addresses.
        case route
        /// nl80211.
        /// - number: what the kernel calls it, of its generic netlink controller.
        case nl80211(number: UInt16)
    }

    /// Requests under way at most, those that wait included.
    public static let maximumRequests = 4096
    /// How often a list is asked for that changes while it is told.
    public static let maximumAttempts = 4
    /// How long an answer may take. A driver that resets its firmware holds its lock for seconds.
    public static let timeout = Duration.seconds(15)

    private struct Pending {
        let id: NetlinkRequestID
        let request: NetlinkRequest
        var collector: NetlinkReplyCollector
        var attempt: Int
        let deadline: Timestamp
    }

    private struct Waiting {
        let id: NetlinkRequestID
        let request: NetlinkRequest
        let attempt: Int
        let deadline: Timestamp
    }

    private let family: Family
    private var pending: [UInt32: Pending] = [:]
    /// Lists to be asked for, in order.
    private var waiting: [Waiting] = []
    /// The number of the list that is being told.
    private var dump: UInt32?
    private var sequence: UInt32 = 0
    private var writer = NetlinkWriter()
    /// Datagrams that could not be read to their end; the kernel's or our fault.
    public private(set) var malformedCount = 0

    /// Makes a client without requests.
    public init(family: Family) { self.family = family }

    /// How many requests are under way.
    public var pendingCount: Int { pending.count + waiting.count }

    /// Takes what happened and says what to do.
    /// - Parameters:
    ///   - input: what happened.
    ///   - now: the present time.
    ///   - output: gets messages to send and events.
    /// - Returns: when it wants ``NetlinkInput/wake``; replaces what was said before.
    public mutating func handle(
        _ input: borrowing NetlinkInput, at now: Timestamp, into output: inout NetlinkOutput
    ) -> Timestamp? {
        switch input {
        case .request(let id, let request):
            guard pendingCount < Self.maximumRequests else {
                output.events.append(.reply(id, .failure(.tooManyRequests)))
                break
            }
            let entry = Waiting(id: id, request: request, attempt: 1, deadline: now + Self.timeout)
            if request.isDump {
                waiting.append(entry)
            } else {
                send(entry, into: &output)
            }
        case .datagram(let bytes):
            var reader = NetlinkMessageReader(bytes)
            while let message = reader.next() { take(message, into: &output) }
            if reader.isMalformed { malformedCount += 1 }
        case .sendFailed(let sequence, let number):
            if let entry = remove(sequence) {
                output.events.append(.reply(entry.id, .failure(.notSent(number))))
            }
        case .overrun:
            // Which messages were lost is not known.
            failPending(.answerLost, into: &output)
            output.events.append(.eventsLost)
        case .closed:
            failPending(.closed, into: &output)
            for entry in waiting { output.events.append(.reply(entry.id, .failure(.closed))) }
            waiting.removeAll()
        case .wake:
            for number in pending.keys.sorted() where pending[number].map({ $0.deadline <= now }) == true {
                if let entry = remove(number) { output.events.append(.reply(entry.id, .failure(.timedOut))) }
            }
            for entry in waiting where entry.deadline <= now {
                output.events.append(.reply(entry.id, .failure(.timedOut)))
            }
            waiting.removeAll { $0.deadline <= now }
        }
        while dump == nil, !waiting.isEmpty { send(waiting.removeFirst(), into: &output) }
        return [pending.values.lazy.map(\.deadline).min(), waiting.lazy.map(\.deadline).min()].compactMap { $0 }.min()
    }

    private mutating func remove(_ sequence: UInt32) -> Pending? {
        if dump == sequence { dump = nil }
        return pending.removeValue(forKey: sequence)
    }

    private mutating func send(_ entry: Waiting, into output: inout NetlinkOutput) {
        repeat {
            sequence &+= 1
            // 0 is the number of messages that nobody asked for.
        } while sequence == 0 || pending[sequence] != nil
        writer.removeAll()
        switch (entry.request, family) {
        case (.nl80211(let request), .nl80211(let number)):
            request.encode(family: number, sequence: sequence, into: &writer)
        case (.route(let request), .route):
            request.encode(sequence: sequence, into: &writer)
        case (.nl80211, .route), (.route, .nl80211):
            output.events.append(.reply(entry.id, .failure(.notSent(.notSupported))))
            return
        }
        guard !writer.isOverfull else {
            output.events.append(.reply(entry.id, .failure(.tooLong)))
            return
        }
        if entry.request.isDump { dump = sequence }
        pending[sequence] = Pending(
            id: entry.id, request: entry.request, collector: NetlinkReplyCollector(for: entry.request),
            attempt: entry.attempt, deadline: entry.deadline)
        output.messages.append(NetlinkOutput.Message(sequence: sequence, bytes: writer.bytes))
    }

    private mutating func take(_ message: borrowing NetlinkMessage, into output: inout NetlinkOutput) {
        let number = message.header.sequence
        guard number != 0, pending[number] != nil else {
            if let event = event(message) { output.events.append(event) }
            return
        }
        guard let result = pending[number]?.collector.take(message), let entry = remove(number) else { return }
        switch result {
        case .success where entry.collector.isInconsistent && entry.attempt >= Self.maximumAttempts:
            output.events.append(.reply(entry.id, .failure(.inconsistent)))
        case .success where entry.collector.isInconsistent:
            let again = Waiting(
                id: entry.id, request: entry.request, attempt: entry.attempt + 1, deadline: entry.deadline)
            waiting.insert(again, at: 0)
        case .success(let reply):
            output.events.append(.reply(entry.id, .success(reply)))
        case .failure(let error):
            output.events.append(.reply(entry.id, .failure(.refused(error))))
        }
    }

    private func event(_ message: borrowing NetlinkMessage) -> NetlinkOutput.Event? {
        switch family {
        case .route: RouteEvent(message).map { .route($0) }
        case .nl80211(let number):
            message.header.type == number ? NL80211Event(message.payload).map { .nl80211($0) } : nil
        }
    }

    private mutating func failPending(_ failure: NetlinkFailure, into output: inout NetlinkOutput) {
        for (_, entry) in pending.sorted(by: { $0.key < $1.key }) {
            output.events.append(.reply(entry.id, .failure(failure)))
        }
        pending.removeAll()
        dump = nil
    }
}
