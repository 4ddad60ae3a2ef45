import SansIO

/// Messages on their way out: those that wait, and the chunks of those sent and not yet acknowledged.
///
/// Messages leave in the order they came in, whatever their stream (RFC 8260 section 3.1: first come, first served), so that
/// their bytes are one queue.
struct SendQueue: Sendable {
    /// When a message is given up.
    enum Patience: BitwiseCopyable, Sendable {
        case endless
        case retransmits(UInt16)
        /// Nanoseconds of a `Timestamp`, which is no `BitwiseCopyable`.
        case until(UInt64)
    }

    /// A message of which some bytes have no TSN yet.
    struct Message: BitwiseCopyable, Sendable {
        /// Of the first byte without a TSN.
        var position: UInt64
        /// Bytes without a TSN.
        var remaining: Int
        let ppid: UInt32
        let stream: UInt16
        let isUnordered: Bool
        /// Whether a part of it has a TSN.
        var hasBegun = false
        /// The stream sequence number, once it has begun.
        var ssn: UInt16 = 0
        let patience: Patience
    }

    /// A chunk that has a TSN and is not covered by the cumulative TSN ack yet.
    struct Chunk: BitwiseCopyable, Sendable {
        enum State: BitwiseCopyable, Sendable {
            /// On its way, as far as known.
            case inFlight
            /// Lost, as far as known; to be sent again.
            case lost
            /// Acknowledged by a gap ack block, which the peer may take back (RFC 9260 section 6.2.1).
            case acknowledged
            /// Given up (RFC 3758).
            case abandoned
        }

        let position: UInt64
        let ppid: UInt32
        let length: UInt16
        let stream: UInt16
        let ssn: UInt16
        var flags: DataChunk.Flags.RawValue
        var state: State
        /// How often it was sent.
        var transmissions: UInt16
        /// Acknowledgements in a row that reported later chunks and not this one.
        var misses: UInt8 = 0
        /// Of the first new chunk after it was last sent again.
        var successor = TSN(0)
        let patience: Patience

        /// Octets of the chunk, as congestion and flow control count them.
        var size: Int { DataChunk.headerSize + Int(length) }
    }

    var bytes = ByteQueue()
    private(set) var messages = Ring<Message>()
    var chunks = Ring<Chunk>()
    var streams = StreamTable()
    /// The next TSN to give out.
    var nextTSN: TSN
    /// Octets of chunks in flight.
    var flight = 0
    /// How many chunks are to be sent again.
    var lostCount = 0
    /// How many chunks are acknowledged by gap ack blocks.
    var acknowledgedCount = 0

    init(initialTSN: TSN) {
        nextTSN = initialTSN
    }

    /// The last TSN of which the peer has told that it came, and all before it.
    var cumulative: TSN { nextTSN.advanced(by: -chunks.count - 1) }
    var isEmpty: Bool { chunks.isEmpty && messages.isEmpty }

    func tsn(at index: Int) -> TSN { cumulative.advanced(by: index + 1) }

    /// Lets a message wait for its TSNs.
    mutating func append(_ message: Message) {
        streams.enqueue(message.stream)
        messages.append(message)
    }

    /// Notes that the first `length` octets of what waits of the first message have a TSN.
    mutating func begin(ssn: UInt16, length: Int) {
        messages[0].hasBegun = true
        messages[0].ssn = ssn
        messages[0].remaining -= length
        messages[0].position += UInt64(length)
    }

    /// Takes out the first message: all of it has TSNs, or it is given up.
    mutating func removeFirstMessage() {
        guard let message = messages.first else { return }
        messages.removeFirst()
        streams.dequeue(message.stream)
    }

    /// Frees the bytes that no message and no chunk needs any more.
    mutating func discardBytes() {
        bytes.discard(before: chunks.first?.position ?? messages.first?.position ?? bytes.end)
    }

    /// Takes the cumulative TSN ack in.
    /// - Parameter count: how many chunks it covers; no more than there are.
    /// - Returns: octets that were not acknowledged before.
    mutating func acknowledgeFirst(_ count: Int) -> Int {
        var octets = 0
        for index in 0..<count {
            let chunk = chunks[index]
            switch chunk.state {
            case .inFlight:
                flight -= chunk.size
                octets += chunk.size
            case .lost:
                lostCount -= 1
                octets += chunk.size
            case .acknowledged: acknowledgedCount -= 1
            case .abandoned: break
            }
        }
        chunks.removeFirst(count)
        discardBytes()
        return octets
    }

    /// Marks a chunk as acknowledged by a gap ack block.
    /// - Returns: octets that were not acknowledged before.
    mutating func acknowledge(at index: Int) -> Int {
        let chunk = chunks[index]
        switch chunk.state {
        case .inFlight: flight -= chunk.size
        case .lost: lostCount -= 1
        case .acknowledged, .abandoned: return 0
        }
        chunks[index].state = .acknowledged
        acknowledgedCount += 1
        return chunk.size
    }

    /// Takes an acknowledgement back because the peer did (RFC 9260 section 6.2.1, rule D iii).
    mutating func unacknowledge(at index: Int) {
        guard chunks[index].state == .acknowledged else { return }
        chunks[index].state = .inFlight
        chunks[index].misses = 0
        acknowledgedCount -= 1
        flight += chunks[index].size
    }

    /// Marks a chunk in flight as lost.
    mutating func lose(at index: Int) {
        guard chunks[index].state == .inFlight else { return }
        chunks[index].state = .lost
        flight -= chunks[index].size
        lostCount += 1
    }

    /// Whether the message of a lost chunk isn't worth sending again.
    func isHopeless(at index: Int, at now: Timestamp) -> Bool {
        switch chunks[index].patience {
        case .endless: false
        // RFC 7496 section 3.1 (RFC 8831 section 6.6): the limit counts sendings after the first.
        case .retransmits(let limit): chunks[index].transmissions > limit
        case .until(let deadline): now.nanoseconds >= deadline
        }
    }

    /// Gives the message of a chunk up: all of its chunks, and what of it has no TSN yet (RFC 3758 section 3.5, A3).
    mutating func abandonMessage(at index: Int) {
        var first = index
        while first > 0, chunks[first].flags & DataChunk.Flags.beginning.rawValue == 0 { first -= 1 }
        var current = first
        while current < chunks.count {
            let chunk = chunks[current]
            switch chunk.state {
            case .inFlight: flight -= chunk.size
            case .lost: lostCount -= 1
            case .acknowledged: acknowledgedCount -= 1
            case .abandoned: break
            }
            chunks[current].state = .abandoned
            if chunk.flags & DataChunk.Flags.end.rawValue != 0 { return }
            current += 1
        }
        // Its last fragment has no TSN: one that is never sent ends it, so that the peer doesn't take the next message's
        // beginning for a continuation.
        guard let message = messages.first, message.hasBegun else { return }
        removeFirstMessage()
        chunks.append(
            Chunk(
                position: message.position, ppid: message.ppid, length: 0, stream: message.stream, ssn: message.ssn,
                flags: DataChunk.Flags.end.rawValue | (message.isUnordered ? DataChunk.Flags.unordered.rawValue : 0),
                state: .abandoned, transmissions: 0, patience: message.patience))
        nextTSN = nextTSN.next
        if !message.isUnordered { streams[message.stream] = message.ssn &+ 1 }
    }

    /// Gives the memory of empty buffers back.
    mutating func releaseEmptyBuffers() {
        bytes.releaseIfEmpty()
        messages.releaseIfEmpty()
        chunks.releaseIfEmpty()
    }

    /// Octets of memory held by buffers.
    var footprint: Int { bytes.footprint + messages.footprint + chunks.footprint }
}
