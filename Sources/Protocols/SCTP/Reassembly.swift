import Wire

extension ReceiveQueue {
    /// Fragments of one message with consecutive TSNs, or a whole message that waits for others of its stream.
    struct Run: Sendable {
        /// What keeping a run costs beyond its bytes: the record, and the head of its array.
        static let overhead = 96

        let first: TSN
        var last: TSN
        let stream: UInt16
        let ssn: UInt16
        let ppid: UInt32
        var flags: DataChunk.Flags
        var bytes: [UInt8]

        var isUnordered: Bool { flags.contains(.unordered) }
        var hasBeginning: Bool { flags.contains(.beginning) }
        var hasEnd: Bool { flags.contains(.end) }
        var cost: Int { bytes.count + Self.overhead }

        /// Whether `next` goes on where this run ends.
        func continues(in next: Run) -> Bool {
            !hasEnd && !next.hasBeginning && next.first == last.next && next.stream == stream && next.ssn == ssn
                && next.isUnordered == isUnordered
        }
    }

    /// Takes a chunk in that can't be delivered at once, or delivers it with what waits for it.
    /// - Parameter isNext: whether it is the very next TSN; then there is always room for it, since the peer can't go on without.
    mutating func hold(
        _ chunk: DataChunk, isNext: Bool, _ configuration: SCTPConfiguration, into output: inout SCTPOutput
    ) -> Outcome {
        let limits = configuration.limits
        let isOrdered = !chunk.flags.contains(.unordered)
        if isOrdered {
            guard streams.admits(chunk.stream, limit: limits.streams) else { return .violation(.streamLimit) }
            // Behind what was delivered: no message any more, whatever it is.
            if chunk.ssn.precedes(serial: streams[chunk.stream]) { return .accepted }
        }
        if chunk.flags.isSuperset(of: .whole), !isOrdered || chunk.ssn == streams[chunk.stream] {
            guard chunk.payload.byteCount <= configuration.maximumMessageSize else {
                return .violation(.messageTooLong)
            }
            output.deliver(chunk)
            if isOrdered {
                streams[chunk.stream] = chunk.ssn &+ 1
                deliverWaiting(of: chunk.stream, after: chunk.tsn, into: &output)
            }
            return .accepted
        }
        let cost = heldBytes + chunk.payload.byteCount + Run.overhead
        if cost > limits.reassemblyBytes || runs.count >= limits.reassemblyRuns {
            guard isNext else { return .overLimit }
            guard cost <= limits.reassemblyBytes + configuration.maximumMessageSize,
                runs.count < 2 * limits.reassemblyRuns
            else { return .violation(.reassemblyLimit) }
        }
        let index = insert(chunk)
        guard runs[index].bytes.count <= configuration.maximumMessageSize else { return .violation(.messageTooLong) }
        return deliverWhole(around: index, configuration, into: &output)
    }

    /// Passes over messages that the peer gave up, and delivers those that waited only for them (RFC 3758 section 3.6).
    /// - Parameters:
    ///   - skipped: streams and the last skipped message of each, two octets each.
    ///   - limit: how many streams may be in use.
    mutating func skip(_ skipped: RawSpan, limit: Int, into output: inout SCTPOutput) {
        if !runs.isEmpty {
            var through: [UInt16: UInt16] = [:]
            var reader = ByteReader(skipped)
            while let stream = reader.readUInt16(), let ssn = reader.readUInt16() { through[stream] = ssn }
            // Whole messages among the skipped came before the peer gave up the others.
            deliverDue(into: &output) { run, _ in
                through[run.stream].map { !$0.precedes(serial: run.ssn) } ?? false
            }
        }
        var reader = ByteReader(skipped)
        while let stream = reader.readUInt16(), let ssn = reader.readUInt16() {
            if !ssn.precedes(serial: streams[stream]), streams.admits(stream, limit: limit) {
                streams[stream] = ssn &+ 1
            }
        }
        deliverDue(into: &output) { run, streams in run.ssn == streams[run.stream] }
    }

    /// Drops what is left of messages of which a part was given up.
    /// - Parameter target: the TSN of the FORWARD-TSN chunk.
    mutating func dropUnfinished(through target: TSN) {
        var kept = 0
        var index = 0
        while index < runs.count, !target.precedes(runs[index].first) {
            var end = index
            // A whole message stays: it waits for others of its stream.
            if runs[index].hasBeginning, let whole = wholeMessage(from: index) { end = whole }
            if end == index {
                heldBytes -= runs[index].cost
                index += 1
            }
            while index < end {
                runs.swapAt(kept, index)
                kept += 1
                index += 1
            }
        }
        runs.removeSubrange(kept..<index)
    }

    /// Puts a chunk into the run it goes on with, or into one of its own.
    /// - Returns: the run's index.
    private mutating func insert(_ chunk: DataChunk) -> Int {
        var index = runs.count
        if let last = runs.last, chunk.tsn.precedes(last.first) {
            var low = 0
            while low < index {
                let middle = (low + index) / 2
                if runs[middle].first.precedes(chunk.tsn) { low = middle + 1 } else { index = middle }
            }
        }
        var run = Run(
            first: chunk.tsn, last: chunk.tsn, stream: chunk.stream, ssn: chunk.ssn, ppid: chunk.ppid,
            flags: chunk.flags.subtracting(.immediate), bytes: [])
        if index > 0, runs[index - 1].continues(in: run) {
            index -= 1
            chunk.payload.withUnsafeBytes { runs[index].bytes.append(contentsOf: $0) }
            runs[index].last = chunk.tsn
            if run.hasEnd { runs[index].flags.insert(.end) }
            heldBytes += chunk.payload.byteCount
        } else {
            run.bytes = chunk.payload.withUnsafeBytes { [UInt8]($0) }
            heldBytes += run.cost
            runs.insert(run, at: index)
        }
        return index
    }

    /// Delivers the message of a run if nothing of it is missing and it is its turn.
    private mutating func deliverWhole(
        around index: Int, _ configuration: SCTPConfiguration, into output: inout SCTPOutput
    ) -> Outcome {
        // Both sides are looked at first: in a flood of fragments most fill no gap, and are done with here.
        let run = runs[index]
        guard run.hasBeginning || (index > 0 && runs[index - 1].continues(in: run)),
            run.hasEnd || (index + 1 < runs.count && run.continues(in: runs[index + 1]))
        else { return .accepted }
        var first = index
        while !runs[first].hasBeginning {
            guard first > 0, runs[first - 1].continues(in: runs[first]) else { return .accepted }
            first -= 1
        }
        guard let end = wholeMessage(from: first) else { return .accepted }
        let length = runs[first..<end].reduce(0) { $0 + $1.bytes.count }
        guard length <= configuration.maximumMessageSize else { return .violation(.messageTooLong) }
        let message = runs[first]
        if message.isUnordered {
            deliver(first..<end, into: &output)
        } else if message.ssn == streams[message.stream] {
            let last = runs[end - 1].last
            deliver(first..<end, into: &output)
            streams[message.stream] = message.ssn &+ 1
            deliverWaiting(of: message.stream, after: last, into: &output)
        }
        return .accepted
    }

    /// Delivers the messages of a stream that waited for the one just delivered.
    /// - Parameter tsn: the last TSN of what was delivered; later messages have later ones.
    private mutating func deliverWaiting(of stream: UInt16, after tsn: TSN, into output: inout SCTPOutput) {
        guard let newest = runs.last, tsn.precedes(newest.first) else { return }
        deliverDue(into: &output) { run, streams in run.stream == stream && run.ssn == streams[stream] }
    }

    /// Delivers the whole ordered messages that are due. Later messages of a stream have later TSNs, so one look from front to
    /// back finds them all.
    private mutating func deliverDue(into output: inout SCTPOutput, _ isDue: (Run, StreamTable) -> Bool) {
        var kept = 0
        var index = 0
        while index < runs.count {
            let run = runs[index]
            if !run.isUnordered, run.hasBeginning, isDue(run, streams), let end = wholeMessage(from: index) {
                handOver(index..<end, into: &output)
                streams[run.stream] = run.ssn &+ 1
                index = end
            } else {
                if kept != index { runs.swapAt(kept, index) }
                kept += 1
                index += 1
            }
        }
        runs.removeLast(runs.count - kept)
    }

    /// The index behind the last run of the message that begins with a run, if nothing of it is missing.
    private func wholeMessage(from first: Int) -> Int? {
        var index = first
        while !runs[index].hasEnd {
            guard index + 1 < runs.count, runs[index].continues(in: runs[index + 1]) else { return nil }
            index += 1
        }
        return index + 1
    }

    private mutating func deliver(_ range: Range<Int>, into output: inout SCTPOutput) {
        handOver(range, into: &output)
        runs.removeSubrange(range)
    }

    private mutating func handOver(_ range: Range<Int>, into output: inout SCTPOutput) {
        let start = output.messageBytes.count
        for index in range {
            output.messageBytes.append(contentsOf: runs[index].bytes)
            heldBytes -= runs[index].cost
        }
        let message = runs[range.lowerBound]
        output.events.append(
            .message(
                stream: message.stream, ppid: message.ppid, bytes: start..<output.messageBytes.count,
                isUnordered: message.isUnordered))
    }
}
