import SansIO
import Wire

extension SCTPAssociation {
    /// Queues a message.
    /// - Returns: why not, or nil.
    mutating func enqueue(
        _ payload: RawSpan, _ stream: UInt16, _ ppid: UInt32, _ isUnordered: Bool, _ reliability: SCTPReliability,
        at now: Timestamp
    ) -> SendRefusal? {
        let limits = configuration.limits
        guard isEstablished else { return .notConnected }
        guard stream < peer.incomingStreams else { return .noSuchStream }
        let length = payload.byteCount
        guard length > 0 else { return .empty }
        guard length <= configuration.maximumMessageSize else { return .tooLong }
        guard sending.bytes.count + length <= limits.sendBufferBytes,
            sending.messages.count < limits.sendBufferMessages
        else { return .bufferFull }
        guard sending.streams.admits(stream, limit: limits.streams) else { return .noSuchStream }
        if resets.contains(stream) { return .streamResetting }
        let patience: SendQueue.Patience =
            switch reliability {
            case .reliable: .endless
            case .retransmits(let limit): .retransmits(limit)
            case .lifetime(let duration): .until((now + duration).nanoseconds)
            }
        sending.append(
            SendQueue.Message(
                position: sending.bytes.end, remaining: length, ppid: ppid, stream: stream, isUnordered: isUnordered,
                patience: patience))
        sending.bytes.append(payload)
        counters.messagesSent &+= 1
        return nil
    }

    /// Sends all that may be sent now, and ends the packet that is being written.
    mutating func flush(at now: Timestamp, into output: inout SCTPOutput) {
        defer { closePacket(&output) }
        guard isUp else { return }
        if case .due = acknowledgement {
            writeAcknowledgement(into: &output)
            // RFC 9260 section 9.2: data that still comes is answered by another SHUTDOWN.
            if case .shutdownSent = state { writeShutdown(into: &output) }
        }
        if sendsData {
            if !sending.isEmpty || forwarded != nil { transmit(at: now, into: &output) }
            requestReset(at: now, into: &output)
            advanceShutdown(at: now, into: &output)
        }
        if timers.release == .never, sending.isEmpty, receiving.runs.isEmpty,
            sending.footprint > 0 || receiving.footprint > 0
        {
            timers.release = now + configuration.timing.bufferRetention
        }
    }

    private mutating func transmit(at now: Timestamp, into output: inout SCTPOutput) {
        if peer.capabilities.contains(.forwardTSN) {
            if sending.lostCount > 0 { abandonHopeless(at: now) }
            writeForward(into: &output)
        }
        let burst = Burst(end: output.packets.count + configuration.timing.maximumBurst)
        if sending.lostCount > 0 { retransmit(burst, at: now, into: &output) }
        isFastRetransmitting = false
        if sending.lostCount == 0, !sending.messages.isEmpty { transmitMessages(burst, at: now, into: &output) }
        // RFC 9260 section 6.3.2, rule R1.
        if !sending.chunks.isEmpty, timers.retransmission == .never {
            timers.retransmission = now + timeout.current
        }
    }

    /// How many packets of data one call may still write (RFC 9260 section 6.1, rule D).
    private struct Burst {
        /// The index of the first packet that is too many.
        let end: Int

        func admits(_ output: borrowing SCTPOutput, _ fits: Bool) -> Bool {
            // A chunk that doesn't fit the open packet ends it and begins the next one.
            output.packets.count + (fits ? 0 : 1) < end
        }
    }

    // MARK: Chunks sent before

    /// Gives up lost chunks that aren't worth sending again (RFC 3758 section 3.5, rules A and T3).
    private mutating func abandonHopeless(at now: Timestamp) {
        var index = 0
        while index < sending.chunks.count, sending.lostCount > 0 {
            if sending.chunks[index].state == .lost, sending.isHopeless(at: index, at: now) {
                sending.abandonMessage(at: index)
                // Its acknowledgement will say when the peer was told, not how long the way is.
                roundTripProbe = nil
                counters.abandoned &+= 1
            }
            index += 1
        }
    }

    /// Sends lost chunks again, the earliest first, as far as the congestion window lets it (RFC 9260 section 6.1, rule C).
    private mutating func retransmit(_ burst: Burst, at now: Timestamp, into output: inout SCTPOutput) {
        // RFC 9260 section 7.2.4, step 3: a packetful goes out after a fast retransmit, whatever the window.
        var forced = isFastRetransmitting ? configuration.maximumPacketSize - PacketHeader.size : 0
        var index = 0
        while index < sending.chunks.count, sending.lostCount > 0 {
            let chunk = sending.chunks[index]
            guard chunk.state == .lost else {
                index += 1
                continue
            }
            guard sending.flight < congestion.window || forced >= chunk.size,
                burst.admits(output, hasRoom(for: chunk.size, in: output))
            else { return }
            forced -= chunk.size
            makeRoom(for: chunk.size, in: &output)
            let tsn = sending.tsn(at: index)
            write(chunk, tsn, into: &output)
            sending.chunks[index].state = .inFlight
            sending.chunks[index].misses = 0
            sending.chunks[index].successor = sending.nextTSN
            sending.chunks[index].transmissions &+= chunk.transmissions == .max ? 0 : 1
            sending.flight += chunk.size
            sending.lostCount -= 1
            counters.retransmissions &+= 1
            // Karn's algorithm: no round trip is measured with a chunk sent twice (section 6.3.1, rule C5).
            if let probe = roundTripProbe, !tsn.precedes(probe.tsn) { roundTripProbe = nil }
            // Section 7.2.4, step 4.
            if index == 0 { timers.retransmission = now + timeout.current }
            index += 1
        }
    }

    /// Tells the peer what has been given up (RFC 3758 section 3.5, rules C1 to C4).
    private mutating func writeForward(into output: inout SCTPOutput) {
        guard let first = sending.chunks.first, first.state == .abandoned else {
            forwarded = nil
            return
        }
        let space = configuration.maximumPacketSize - PacketHeader.size - ForwardTSN.headerSize
        var skipped: [(stream: UInt16, ssn: UInt16)] = []
        var count = 0
        while count < sending.chunks.count, sending.chunks[count].state == .abandoned {
            let chunk = sending.chunks[count]
            if !DataChunk.Flags(rawValue: chunk.flags).contains(.unordered) {
                if let index = skipped.firstIndex(where: { $0.stream == chunk.stream }) {
                    skipped[index].ssn = chunk.ssn
                } else if skipped.count < space / 4 {
                    skipped.append((chunk.stream, chunk.ssn))
                } else {
                    break
                }
            }
            count += 1
        }
        let target = sending.tsn(at: count - 1)
        // Sent once for each move, and again when T3-rtx expires: an acknowledgement of each would have each answered.
        guard forwarded != target else { return }
        forwarded = target
        let length = ForwardTSN.headerSize + 4 * skipped.count
        makeRoom(for: length, in: &output)
        output.written.write(chunk: .forwardTSN, length: length)
        output.written.write(target.value)
        for (stream, ssn) in skipped {
            output.written.write(stream)
            output.written.write(ssn)
        }
    }

    // MARK: New chunks

    /// Sends what the windows let it (RFC 9260 section 6.1, rules A and B).
    private mutating func transmitMessages(_ burst: Burst, at now: Timestamp, into output: inout SCTPOutput) {
        let longest = configuration.maximumPacketSize - PacketHeader.size - DataChunk.headerSize
        while let message = sending.messages.first, sending.chunks.count < configuration.limits.outstandingChunks {
            if !message.hasBegun, case .until(let deadline) = message.patience, now.nanoseconds >= deadline {
                sending.removeFirstMessage()
                sending.discardBytes()
                counters.abandoned &+= 1
                continue
            }
            let length = min(message.remaining, longest)
            let size = DataChunk.headerSize + length
            // Rule A: with nothing in flight, one chunk probes a window that is too small.
            guard sending.flight < congestion.window, sending.flight == 0 || sending.flight + size <= peerWindow else {
                return
            }
            guard burst.admits(output, hasRoom(for: size, in: output)) else { return }
            bundleAcknowledgement(with: size, into: &output)
            makeRoom(for: size, in: &output)
            let ssn = message.isUnordered ? 0 : message.hasBegun ? message.ssn : sending.streams[message.stream]
            var flags: DataChunk.Flags = message.isUnordered ? .unordered : []
            if !message.hasBegun { flags.insert(.beginning) }
            if length == message.remaining {
                flags.insert(.end)
                sending.removeFirstMessage()
                if !message.isUnordered { sending.streams[message.stream] = ssn &+ 1 }
            } else {
                sending.begin(ssn: ssn, length: length)
            }
            let chunk = SendQueue.Chunk(
                position: message.position, ppid: message.ppid, length: UInt16(truncatingIfNeeded: length),
                stream: message.stream, ssn: ssn, flags: flags.rawValue, state: .inFlight, transmissions: 1,
                patience: message.patience)
            let tsn = sending.nextTSN
            write(chunk, tsn, into: &output)
            sending.chunks.append(chunk)
            sending.nextTSN = tsn.next
            sending.flight += size
            if roundTripProbe == nil { roundTripProbe = (tsn, now) }
        }
    }

    /// An acknowledgement held back goes along where there is room for it.
    @inline(__always)
    private mutating func bundleAcknowledgement(with size: Int, into output: inout SCTPOutput) {
        guard timers.acknowledgement != .never,
            hasRoom(for: size + SelectiveAcknowledgement.headerSize, in: output)
        else { return }
        // Control chunks come first in a packet (RFC 9260 section 6.10).
        if output.openPacket != nil { return }
        writeAcknowledgement(into: &output)
    }

    @inline(__always)
    private func write(_ chunk: SendQueue.Chunk, _ tsn: TSN, into output: inout SCTPOutput) {
        let length = Int(chunk.length)
        output.written.writeDataHeader(
            flags: DataChunk.Flags(rawValue: chunk.flags), tsn: tsn, stream: chunk.stream, ssn: chunk.ssn,
            ppid: chunk.ppid, length: length)
        sending.bytes.copy(from: chunk.position, length: length, to: &output.written)
        if length & 3 != 0 { output.written.writeZeros(-length & 3) }
    }
}
