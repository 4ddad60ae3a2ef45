/// Which TSNs have come, and the messages that are unfinished or must wait for others.
struct ReceiveQueue: Sendable {
    /// TSNs that came beyond a gap.
    struct Block: Sendable, Equatable {
        var first: TSN
        var last: TSN
    }

    /// What became of a chunk.
    enum Outcome: Equatable {
        /// It is new: delivered, or held.
        case accepted
        /// It had come before.
        case duplicate
        /// A limit is reached; as if it had not come.
        case overLimit
        /// The association can't go on.
        case violation(SCTPViolation)
    }

    /// All TSNs up to this one have come.
    private(set) var cumulative: TSN
    /// What came beyond, in order.
    private(set) var blocks: [Block] = []
    /// TSNs that came more than once since the last acknowledgement.
    private(set) var duplicates: [TSN] = []
    var runs: [Run] = []
    /// Octets held, with what it costs to keep them.
    var heldBytes = 0
    /// The next stream sequence number to deliver of each stream.
    var streams = StreamTable()

    /// How many duplicates an acknowledgement reports.
    static let reportedDuplicates = 16

    init(initialTSN: TSN) {
        cumulative = initialTSN.previous
    }

    /// a_rwnd: octets there is room for.
    func window(_ limits: SCTPLimits) -> UInt32 {
        UInt32(clamping: limits.reassemblyBytes - heldBytes)
    }

    /// Takes a chunk in.
    mutating func receive(
        _ chunk: DataChunk, _ configuration: SCTPConfiguration, into output: inout SCTPOutput
    ) -> Outcome {
        let offset = chunk.tsn.distance(from: cumulative)
        if offset == 1, runs.isEmpty, chunk.flags.isSuperset(of: .whole) {
            // Next in line and whole, with nothing waiting: the usual case.
            guard chunk.payload.byteCount <= configuration.maximumMessageSize else {
                return .violation(.messageTooLong)
            }
            if !chunk.flags.contains(.unordered) {
                guard streams.admits(chunk.stream, limit: configuration.limits.streams) else {
                    return .violation(.streamLimit)
                }
                if streams[chunk.stream] == chunk.ssn {
                    streams[chunk.stream] = chunk.ssn &+ 1
                    note(chunk.tsn)
                    output.deliver(chunk)
                    return .accepted
                }
            } else {
                note(chunk.tsn)
                output.deliver(chunk)
                return .accepted
            }
        }
        guard offset > 0, !hasCome(chunk.tsn) else {
            if duplicates.count < Self.reportedDuplicates { duplicates.append(chunk.tsn) }
            return .duplicate
        }
        // Acknowledgements can't name what is further away (RFC 9260 section 3.3.4).
        guard offset <= Int(UInt16.max) else { return .overLimit }
        guard offset == 1 || blocks.count < configuration.limits.gaps || touchesBlock(chunk.tsn) else {
            return .overLimit
        }
        let outcome = hold(chunk, isNext: offset == 1, configuration, into: &output)
        if outcome == .accepted { note(chunk.tsn) }
        return outcome
    }

    /// Notes that a chunk has come that nobody wants.
    mutating func discard(_ tsn: TSN, _ limits: SCTPLimits) {
        let offset = tsn.distance(from: cumulative)
        guard offset > 0, offset <= Int(UInt16.max), !hasCome(tsn), offset == 1 || blocks.count < limits.gaps else {
            return
        }
        note(tsn)
    }

    /// Puts streams back to their beginning; nothing of them is held after that (RFC 6525 section 5.2.2).
    /// - Parameter numbers: which ones; none means all.
    mutating func reset(_ numbers: [UInt16]) {
        if numbers.isEmpty { streams.resetAll() }
        for stream in numbers { streams.reset(stream) }
        guard !runs.isEmpty else { return }
        let numbers = Set(numbers)
        runs.removeAll { run in
            guard !run.isUnordered, numbers.isEmpty || numbers.contains(run.stream), !cumulative.precedes(run.last)
            else { return false }
            heldBytes -= run.cost
            return true
        }
    }

    /// Moves the cumulative point because the peer gave up what is before it (RFC 3758 section 3.6).
    /// - Returns: false when it had moved so far before.
    mutating func skip(to target: TSN) -> Bool {
        guard cumulative.precedes(target) else { return false }
        cumulative = target
        var passed = 0
        while passed < blocks.count, !cumulative.next.precedes(blocks[passed].first) {
            if cumulative.precedes(blocks[passed].last) { cumulative = blocks[passed].last }
            passed += 1
        }
        blocks.removeFirst(passed)
        return true
    }

    /// Takes the duplicates to report.
    mutating func takeDuplicates() -> [TSN] {
        guard !duplicates.isEmpty else { return [] }
        defer { duplicates = [] }
        return duplicates
    }

    mutating func releaseEmptyBuffers() {
        if blocks.isEmpty { blocks = [] }
        if runs.isEmpty { runs = [] }
    }

    /// Octets of memory held by buffers.
    var footprint: Int {
        heldBytes + blocks.capacity * MemoryLayout<Block>.stride + runs.capacity * MemoryLayout<Run>.stride
    }

    // MARK: TSNs

    private func hasCome(_ tsn: TSN) -> Bool {
        let index = blockIndex(endingAtOrAfter: tsn)
        return index < blocks.count && !tsn.precedes(blocks[index].first)
    }

    /// Whether the TSN would lengthen a block rather than begin one.
    private func touchesBlock(_ tsn: TSN) -> Bool {
        let index = blockIndex(endingAtOrAfter: tsn.previous)
        return index < blocks.count && !tsn.next.precedes(blocks[index].first)
    }

    /// The first block that ends at a TSN or after it.
    private func blockIndex(endingAtOrAfter tsn: TSN) -> Int {
        guard let last = blocks.last, !last.last.precedes(tsn) else { return blocks.count }
        var low = 0
        var high = blocks.count - 1
        while low < high {
            let middle = (low + high) / 2
            if blocks[middle].last.precedes(tsn) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Notes that a TSN has come that had not.
    private mutating func note(_ tsn: TSN) {
        if tsn == cumulative.next {
            cumulative = tsn
            if let first = blocks.first, first.first == tsn.next {
                cumulative = first.last
                blocks.removeFirst()
            }
            return
        }
        let index = blockIndex(endingAtOrAfter: tsn.previous)
        guard index < blocks.count else { return blocks.append(Block(first: tsn, last: tsn)) }
        if blocks[index].last == tsn.previous {
            blocks[index].last = tsn
            if index + 1 < blocks.count, blocks[index + 1].first == tsn.next {
                blocks[index].last = blocks[index + 1].last
                blocks.remove(at: index + 1)
            }
        } else if blocks[index].first == tsn.next {
            blocks[index].first = tsn
        } else {
            blocks.insert(Block(first: tsn, last: tsn), at: index)
        }
    }
}

extension SCTPOutput {
    /// Hands over a message that came in one chunk.
    @inline(__always)
    mutating func deliver(_ chunk: DataChunk) {
        let start = messageBytes.count
        chunk.payload.withUnsafeBytes { messageBytes.append(contentsOf: $0) }
        events.append(
            .message(
                stream: chunk.stream, ppid: chunk.ppid, bytes: start..<messageBytes.count,
                isUnordered: chunk.flags.contains(.unordered)))
    }
}
