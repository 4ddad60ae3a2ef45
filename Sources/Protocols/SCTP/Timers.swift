import SansIO
import Wire

extension Timestamp {
    /// A time that doesn't come.
    static let never = Timestamp(nanoseconds: .max)
}

/// When each timer expires; ``Timestamp/never`` while it isn't running.
struct Timers: Sendable {
    /// T1-init and T1-cookie, which never run at once.
    var handshake = Timestamp.never
    /// T3-rtx.
    var retransmission = Timestamp.never
    /// Of acknowledgements held back.
    var acknowledgement = Timestamp.never
    var heartbeat = Timestamp.never
    /// The Re-configuration Timer (RFC 6525 section 5.1.1).
    var reset = Timestamp.never
    /// T2-shutdown.
    var shutdown = Timestamp.never
    /// T5-shutdown-guard.
    var shutdownGuard = Timestamp.never
    /// When empty buffers give their memory back.
    var release = Timestamp.never

    /// The first to expire.
    var earliest: Timestamp? {
        let early = min(min(handshake, retransmission), min(acknowledgement, heartbeat))
        let late = min(min(reset, shutdown), min(shutdownGuard, release))
        let first = min(early, late)
        return first == .never ? nil : first
    }
}

extension SCTPAssociation {
    mutating func expireTimers(at now: Timestamp, into output: inout SCTPOutput) {
        if timers.handshake <= now { retryHandshake(at: now, into: &output) }
        if timers.retransmission <= now { retransmissionTimedOut(at: now, into: &output) }
        if timers.acknowledgement <= now {
            timers.acknowledgement = .never
            acknowledgement = .due
        }
        if timers.heartbeat <= now { beat(at: now, into: &output) }
        if timers.reset <= now { resetTimedOut(at: now, into: &output) }
        if timers.shutdown <= now { shutdownTimedOut(at: now, into: &output) }
        if timers.shutdownGuard <= now {
            // RFC 9260 section 9.2: an overall guard aborts a shutdown that takes too long.
            writeAbort(nil, [], into: &output)
            close(.unreachable, into: &output)
        }
        if timers.release <= now {
            timers.release = .never
            sending.releaseEmptyBuffers()
            receiving.releaseEmptyBuffers()
        }
    }

    // MARK: HEARTBEAT (RFC 9260 section 8.3)

    /// Asks whether the peer is there, unless it has been heard of lately.
    private mutating func beat(at now: Timestamp, into output: inout SCTPOutput) {
        timers.heartbeat = .never
        guard isUp, let interval = configuration.timing.heartbeatInterval else { return }
        if heartbeat != nil {
            heartbeat = nil
            timeout.backOff()
            countError(into: &output)
            guard isUp else { return }
        } else if lastReceived + interval > now {
            timers.heartbeat = lastReceived + interval
            return
        }
        let beat = Heartbeat(nonce: generator.next(), sent: now)
        heartbeat = beat
        writeHeartbeat(nonce: beat.nonce, into: &output)
        timers.heartbeat = now + timeout.current
    }

    /// Sends a HEARTBEAT because the user wants one; its answer is not waited for.
    mutating func ask(into output: inout SCTPOutput) {
        guard isUp else { return }
        writeHeartbeat(nonce: generator.next(), into: &output)
    }

    private mutating func writeHeartbeat(nonce: UInt64, into output: inout SCTPOutput) {
        makeRoom(for: 16, in: &output)
        output.written.write(chunk: .heartbeat, length: 16)
        output.written.write(parameter: 1, length: 12)
        output.written.write(nonce)
    }

    mutating func receiveHeartbeat(_ chunk: Chunk, into output: inout SCTPOutput) {
        let size = chunk.bytes.byteCount
        guard mayReply(), size + PacketHeader.size <= configuration.maximumPacketSize else { return }
        makeRoom(for: size, in: &output)
        output.written.write(chunk: .heartbeatAcknowledgement, length: size)
        chunk.value.withUnsafeBytes { output.written.append(contentsOf: $0) }
        output.written.writeZeros(-size & 3)
    }

    mutating func receiveHeartbeatAcknowledgement(_ chunk: Chunk, at now: Timestamp) {
        var reader = ByteReader(chunk.value)
        guard let beat = heartbeat, reader.readUInt32() == 0x0001_000C, reader.readUInt64() == beat.nonce else {
            return
        }
        heartbeat = nil
        errors = 0
        timeout.measured(now - beat.sent)
        if let interval = configuration.timing.heartbeatInterval { timers.heartbeat = now + interval }
    }
}
