import SansIO
import Wire

/// SHUTDOWN, SHUTDOWN ACK, SHUTDOWN COMPLETE (RFC 9260 section 9.2).
extension SCTPAssociation {
    mutating func beginShutdown(into output: inout SCTPOutput) {
        switch state {
        case .established: state = .shutdownPending
        case .cookieWait, .cookieEchoed:
            writeAbort(nil, [], into: &output)
            close(.aborted, into: &output)
        case .closed, .shutdownPending, .shutdownSent, .shutdownReceived, .shutdownAckSent: break
        }
    }

    /// Goes on once everything sent has been acknowledged.
    mutating func advanceShutdown(at now: Timestamp, into output: inout SCTPOutput) {
        guard sending.isEmpty else { return }
        switch state {
        case .shutdownPending:
            writeShutdown(into: &output)
            state = .shutdownSent(retries: 0)
        case .shutdownReceived:
            writeShutdownAcknowledgement(into: &output)
            state = .shutdownAckSent(retries: 0)
        case .closed, .cookieWait, .cookieEchoed, .established, .shutdownSent, .shutdownAckSent: return
        }
        timers.shutdown = now + timeout.current
        timers.heartbeat = .never
        timers.reset = .never
        if timers.shutdownGuard == .never { timers.shutdownGuard = now + configuration.timing.maximumRTO * 5 }
    }

    mutating func shutdownTimedOut(at now: Timestamp, into output: inout SCTPOutput) {
        timers.shutdown = .never
        let limit = configuration.timing.maximumRetransmissions
        switch state {
        case .shutdownSent(let retries) where retries < limit:
            writeShutdown(into: &output)
            state = .shutdownSent(retries: retries + 1)
        case .shutdownAckSent(let retries) where retries < limit:
            writeShutdownAcknowledgement(into: &output)
            state = .shutdownAckSent(retries: retries + 1)
        case .shutdownSent, .shutdownAckSent:
            writeAbort(nil, [], into: &output)
            return close(.unreachable, into: &output)
        case .closed, .cookieWait, .cookieEchoed, .established, .shutdownPending, .shutdownReceived: return
        }
        timeout.backOff()
        timers.shutdown = now + timeout.current
    }

    mutating func receiveShutdown(_ chunk: Chunk, at now: Timestamp, into output: inout SCTPOutput) {
        var reader = ByteReader(chunk.value)
        guard let cumulative = reader.readUInt32() else { return }
        if sendsData { receiveCumulativeAcknowledgement(TSN(cumulative), at: now, into: &output) }
        switch state {
        case .established, .shutdownPending: state = .shutdownReceived
        case .shutdownSent:
            // Both sides ended it at once.
            writeShutdownAcknowledgement(into: &output)
            state = .shutdownAckSent(retries: 0)
            timers.shutdown = now + timeout.current
        case .closed, .cookieWait, .cookieEchoed, .shutdownReceived, .shutdownAckSent: break
        }
    }

    mutating func receiveShutdownAcknowledgement(_ header: PacketHeader, into output: inout SCTPOutput) {
        switch state {
        case .shutdownSent, .shutdownAckSent:
            writeAlone(.shutdownComplete, tag: peer.initiateTag, into: &output)
            close(.shutdown, into: &output)
        case .cookieWait, .cookieEchoed:
            // RFC 9260 section 8.5.1, rule E.
            writeAlone(.shutdownComplete, flags: 1, tag: header.verificationTag, into: &output)
        case .closed, .established, .shutdownPending, .shutdownReceived: break
        }
    }

    mutating func receiveShutdownComplete(into output: inout SCTPOutput) {
        if case .shutdownAckSent = state { close(.shutdown, into: &output) }
    }

    mutating func writeShutdown(into output: inout SCTPOutput) {
        makeRoom(for: 8, in: &output)
        output.written.write(chunk: .shutdown, length: 8)
        output.written.write(receiving.cumulative.value)
    }

    mutating func writeShutdownAcknowledgement(into output: inout SCTPOutput) {
        makeRoom(for: Chunk.headerSize, in: &output)
        output.written.write(chunk: .shutdownAcknowledgement, length: Chunk.headerSize)
    }
}
