import SansIO

/// Messages for those who are not there, by destination.
///
/// As in PeerServer a sender hears of it once for each pair of sender and destination: the time runs from the pair's
/// first message, and when it is over all messages of the pair go at once.
struct MessageQueues: Sendable {
    /// What became of a message.
    enum Outcome: Sendable {
        /// It waits until then at most.
        case queued(until: Timestamp)
        /// There was no room for it, and its sender is to be told so.
        case full
        /// There was no room for it, and its sender will be told when the time of its pair is over, or was just told.
        case fullAgain
    }

    private struct Pair: Hashable, Sendable {
        let sender: String
        let destination: String
    }

    private struct Message: Sendable {
        let sender: String
        let bytes: [UInt8]
    }

    private struct Queue: Sendable {
        var messages: [Message] = []
        var byteCount = 0
        /// Each sender of `messages`, and when its time is over.
        var senders: [(id: String, deadline: Timestamp)] = []

        /// Appends a message; with a deadline if it is its sender's first.
        mutating func append(_ message: Message, deadline: Timestamp?) {
            messages.append(message)
            byteCount += message.bytes.count
            if let deadline { senders.append((message.sender, deadline)) }
        }
    }

    private var queues: [String: Queue] = [:]
    private var messagesOfSender: [String: Int] = [:]
    /// Pairs whose sender was told that there is no room, and until when it is not told again.
    private var told: [Pair: Timestamp] = [:]
    /// Messages that wait, in all.
    private(set) var count = 0
    /// Bytes that wait, in all.
    private(set) var byteCount = 0

    /// Queues a message unless a limit forbids it.
    mutating func add(
        _ bytes: [UInt8], from sender: String, to destination: String, limits: PeerBroker.Limits, now: Timestamp
    ) -> Outcome {
        let queue = queues[destination]
        let known = queue?.senders.first { $0.id == sender }
        guard queue != nil || queues.count < limits.queuedDestinations,
            (queue?.messages.count ?? 0) < limits.queuedMessages,
            (queue?.byteCount ?? 0) + bytes.count <= limits.queuedBytes,
            byteCount + bytes.count <= limits.queuedTotalBytes,
            messagesOfSender[sender, default: 0] < limits.queuedMessagesPerSender
        else {
            let pair = Pair(sender: sender, destination: destination)
            guard known == nil, told[pair] == nil else { return .fullAgain }
            // Beyond the limit a sender is told more often, which costs no memory.
            if told.count < limits.queuedDestinations { told[pair] = now + limits.queueTime }
            return .full
        }
        let deadline = known?.deadline ?? now + limits.queueTime
        queues[destination, default: Queue()].append(
            Message(sender: sender, bytes: bytes), deadline: known == nil ? deadline : nil)
        messagesOfSender[sender, default: 0] += 1
        count += 1
        byteCount += bytes.count
        return .queued(until: deadline)
    }

    /// Takes out what waits for `destination`, in the order in which it came.
    mutating func take(for destination: String) -> [[UInt8]] {
        guard let queue = queues.removeValue(forKey: destination) else { return [] }
        for message in queue.messages { forget(message) }
        return queue.messages.map(\.bytes)
    }

    /// Takes out the messages whose time is over.
    /// - Returns: how many they were, and each pair of which there were any, those with the earliest end first.
    mutating func expire(at now: Timestamp) -> (count: Int, pairs: [(sender: String, destination: String)]) {
        for (pair, deadline) in told where deadline <= now { told[pair] = nil }
        var expired: [(deadline: Timestamp, sender: String, destination: String)] = []
        let before = count
        for destination in Array(queues.keys) {
            guard var queue = queues[destination], queue.senders.contains(where: { $0.deadline <= now }) else {
                continue
            }
            let late = queue.senders.filter { $0.deadline <= now }
            queue.senders.removeAll { $0.deadline <= now }
            for message in queue.messages where late.contains(where: { $0.id == message.sender }) {
                forget(message)
                queue.byteCount -= message.bytes.count
            }
            queue.messages.removeAll { message in late.contains { $0.id == message.sender } }
            queues[destination] = queue.messages.isEmpty ? nil : queue
            expired += late.map { ($0.deadline, $0.id, destination) }
        }
        // By time, then by name, so that the same inputs always give the same outputs.
        expired.sort { ($0.deadline, $0.sender, $0.destination) < ($1.deadline, $1.sender, $1.destination) }
        return (before - count, expired.map { ($0.sender, $0.destination) })
    }

    /// When `expire` has something to do next.
    var nextDeadline: Timestamp? {
        let queued = queues.values.lazy.compactMap { $0.senders.lazy.map(\.deadline).min() }.min()
        return [queued, told.values.min()].compactMap(\.self).min()
    }

    private mutating func forget(_ message: Message) {
        count -= 1
        byteCount -= message.bytes.count
        let left = messagesOfSender[message.sender, default: 1] - 1
        messagesOfSender[message.sender] = left > 0 ? left : nil
    }
}
