import SansIO
import Wire

extension SCTPAssociation {
    /// Reads a packet.
    mutating func receive(_ bytes: RawSpan, at now: Timestamp, into output: inout SCTPOutput) {
        var reader = ByteReader(bytes)
        guard let header = PacketHeader(&reader), header.sourcePort == configuration.remotePort,
            header.destinationPort == configuration.localPort, isIntact(bytes, header)
        else { return counters.malformed &+= 1 }
        replies = 0
        var dataChunks = 0
        var asksForAcknowledgement = false
        var hasAcknowledgement = false
        var hasForward = false
        var isFirst = true
        var chunks = ChunkReader(reader)
        reading: while let chunk = chunks.next() {
            defer { isFirst = false }
            let type = ChunkType(rawValue: chunk.type)
            guard belongs(type, chunk, header, isFirst: isFirst) else {
                return refuse(type, header, into: &output)
            }
            switch type {
            case .data:
                guard takesData else { break }
                guard let data = DataChunk(chunk) else { break reading }
                dataChunks += 1
                if data.flags.contains(.immediate) { asksForAcknowledgement = true }
                receiveData(data, into: &output)
            case .selectiveAcknowledgement:
                // One in a packet says all; more would only cost time.
                guard sendsData || takesData, !hasAcknowledgement else { break }
                hasAcknowledgement = true
                guard let sack = SelectiveAcknowledgement(chunk) else { break reading }
                receiveAcknowledgement(sack, at: now, into: &output)
            case .initiation:
                // RFC 9260 section 4.3: an INIT is alone in its packet.
                guard isFirst, chunks.isAtEnd else { break reading }
                receiveInitiation(chunk, at: now, into: &output)
                return
            case .initiationAcknowledgement:
                guard isFirst, chunks.isAtEnd else { break reading }
                receiveInitiationAcknowledgement(chunk, at: now, into: &output)
            case .cookieEcho:
                guard receiveCookieEcho(chunk, header.verificationTag, at: now, into: &output) else { return }
            case .cookieAcknowledgement: receiveCookieAcknowledgement(at: now, into: &output)
            case .heartbeat: receiveHeartbeat(chunk, into: &output)
            case .heartbeatAcknowledgement: receiveHeartbeatAcknowledgement(chunk, at: now)
            case .abort:
                var causes = ParameterReader(ByteReader(chunk.value))
                let cause = causes.next()?.type ?? 0
                close(.abortedByPeer(cause: cause), into: &output)
            case .error: receiveError(chunk, at: now, into: &output)
            case .shutdown: receiveShutdown(chunk, at: now, into: &output)
            case .shutdownAcknowledgement: receiveShutdownAcknowledgement(header, into: &output)
            case .shutdownComplete: receiveShutdownComplete(into: &output)
            case .reconfiguration: receiveReconfiguration(chunk, at: now, into: &output)
            case .forwardTSN:
                guard takesData, !hasForward else { break }
                hasForward = true
                guard let forward = ForwardTSN(chunk) else { break reading }
                dataChunks += 1
                receiveForward(forward, into: &output)
            case nil:
                let action = UnknownTypeAction(chunkType: chunk.type)
                if action.reports { writeError(.unrecognizedChunk, chunk.bytes, into: &output) }
                if action.stops { break reading }
            }
            if isClosed { return }
        }
        if chunks.isMalformed { counters.malformed &+= 1 }
        counters.packetsReceived &+= 1
        if isUp { lastReceived = now }
        if dataChunks > 0 { noteData(asksForAcknowledgement, at: now, into: &output) }
    }

    /// Whether an answer may be written to the packet that is being read.
    mutating func mayReply() -> Bool {
        replies += 1
        return replies <= configuration.limits.repliesPerPacket
    }

    private func isIntact(_ bytes: RawSpan, _ header: PacketHeader) -> Bool {
        // RFC 9653 section 5.3: this side has offered to take packets without a checksum. Of INIT and COOKIE ECHO, which may
        // begin an association, it is always checked.
        if header.checksum == 0, configuration.omitsChecksums, !isClosed { return true }
        return header.checksum == bytes.withUnsafeBytes { CRC32c.checksum(ofPacket: $0) }
    }

    /// Whether the verification tag is the one that a chunk of this type must have (RFC 9260 section 8.5).
    private func belongs(_ type: ChunkType?, _ chunk: Chunk, _ header: PacketHeader, isFirst: Bool) -> Bool {
        let tag = header.verificationTag
        switch type {
        case .initiation: return tag == 0
        // Its own cookie says which tag it must have.
        case .cookieEcho: return isFirst
        case .abort, .shutdownComplete:
            // The T bit says that the sender knew no tag but the one it was sent.
            let isReflected = chunk.flags & 1 == 1
            return !isClosed && tag == (isReflected ? peer.initiateTag : local.initiateTag) && tag != 0
        case .initiationAcknowledgement, .shutdownAcknowledgement: return !isClosed && tag == local.initiateTag
        case .data, .selectiveAcknowledgement, .heartbeat, .heartbeatAcknowledgement, .shutdown, .error,
            .cookieAcknowledgement, .reconfiguration, .forwardTSN, nil:
            // Until the peer has told its tag, it can't be answered.
            return !isClosed && tag == local.initiateTag && peer.initiateTag != 0
        }
    }

    /// Deals with a packet that belongs to no association, or not to this one (RFC 9260 section 8.4).
    private mutating func refuse(_ type: ChunkType?, _ header: PacketHeader, into output: inout SCTPOutput) {
        counters.wrongTag &+= 1
        guard output.openPacket == nil else { return }
        // The end of an earlier association may be heard in the handshake of the next (section 8.5.1, rule E).
        guard isClosed || (type == .shutdownAcknowledgement && !isUp) else { return }
        switch type {
        case .abort, .shutdownComplete, .initiation, .initiationAcknowledgement, .cookieEcho, .cookieAcknowledgement,
            .error, .heartbeatAcknowledgement:
            break
        case .shutdownAcknowledgement:
            writeAlone(.shutdownComplete, flags: 1, tag: header.verificationTag, into: &output)
        case .data, .selectiveAcknowledgement, .heartbeat, .shutdown, .reconfiguration, .forwardTSN, nil:
            writeAlone(.abort, flags: 1, tag: header.verificationTag, into: &output)
        }
    }

    // MARK: DATA and FORWARD-TSN

    private mutating func receiveData(_ chunk: DataChunk, into output: inout SCTPOutput) {
        guard chunk.payload.byteCount > 0 else { return fail(.noUserData, into: &output) }
        guard chunk.stream < local.incomingStreams else {
            // RFC 9260 section 6.5: the TSN counts as received, the sender is told. Such a stream can't be, while 65,535
            // are offered.
            var cause: [UInt8] = []
            cause.write(chunk.stream)
            cause.write(UInt16(0))
            writeError(.invalidStream, cause.span.bytes, into: &output)
            receiving.discard(chunk.tsn, configuration.limits)
            return
        }
        let before = output.events.count
        switch receiving.receive(chunk, configuration, into: &output) {
        case .accepted: counters.messagesReceived &+= UInt32(truncatingIfNeeded: output.events.count - before)
        case .duplicate: counters.duplicates &+= 1
        case .overLimit: counters.overLimit &+= 1
        case .violation(let violation): return fail(violation, into: &output)
        }
    }

    private mutating func receiveForward(_ chunk: ForwardTSN, into output: inout SCTPOutput) {
        // RFC 3758 section 3.6: an old one is acknowledged and otherwise nothing.
        acknowledgement = .due
        guard receiving.skip(to: chunk.cumulative) else { return }
        let before = output.events.count
        receiving.skip(chunk.skipped, limit: configuration.limits.streams, into: &output)
        receiving.dropUnfinished(through: chunk.cumulative)
        counters.messagesReceived &+= UInt32(truncatingIfNeeded: output.events.count - before)
    }

    /// Decides when to acknowledge a packet with data (RFC 9260 section 6.2).
    private mutating func noteData(_ isAskedFor: Bool, at now: Timestamp, into output: inout SCTPOutput) {
        performDeferredReset(into: &output)
        if case .shutdownSent = state { acknowledgement = .due }
        if isAskedFor || !receiving.blocks.isEmpty || !receiving.duplicates.isEmpty { acknowledgement = .due }
        switch acknowledgement {
        case .due: break
        case .none: hold(packets: 1, at: now)
        case .held(let packets): hold(packets: packets + 1, at: now)
        }
    }

    private mutating func hold(packets: Int, at now: Timestamp) {
        if packets >= configuration.timing.packetsPerAcknowledgement {
            acknowledgement = .due
        } else {
            acknowledgement = .held(packets: packets)
            if timers.acknowledgement == .never {
                timers.acknowledgement = now + configuration.timing.acknowledgementDelay
            }
        }
    }

    // MARK: ERROR

    private mutating func receiveError(_ chunk: Chunk, at now: Timestamp, into output: inout SCTPOutput) {
        var causes = ParameterReader(ByteReader(chunk.value))
        while let cause = causes.next() {
            if cause.type == ErrorCause.staleCookie.rawValue { restartHandshake(at: now, into: &output) }
        }
    }
}
