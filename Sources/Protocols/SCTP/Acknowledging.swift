import SansIO
import Wire

/// What the peer says has arrived (RFC 9260 sections 6.2.1, 6.3 and 7.2).
extension SCTPAssociation {
    mutating func receiveAcknowledgement(
        _ sack: SelectiveAcknowledgement, at now: Timestamp, into output: inout SCTPOutput
    ) {
        let count = sack.cumulative.distance(from: sending.cumulative)
        // Rule D i: it has been overtaken by a later one.
        guard count >= 0 else { return }
        guard count <= sending.chunks.count else { return fail(.acknowledgedUnsent, into: &output) }
        let flight = sending.flight
        measureRoundTrip(sack.cumulative, at: now)
        var octets = sending.acknowledgeFirst(count)
        peerWindow = Int(sack.window)
        hasHeardSinceTimeout = true
        if sack.blocks.byteCount > 0 || sending.acknowledgedCount > 0 {
            guard let gaps = acknowledgeGaps(sack.blocks) else { return fail(.acknowledgedUnsent, into: &output) }
            octets += gaps.octets
            if count > 0 {
                congestion.acknowledged(octets, flight: flight, isAllAcknowledged: sending.chunks.isEmpty)
                congestion.advanced(to: sack.cumulative)
            }
            // Section 7.2.4: chunks before the last that is newly acknowledged are missing; while Fast Recovery moves on,
            // all before the last acknowledged at all.
            let isRecovering = congestion.recoveryExit != nil && count > 0
            noteMissing(
                before: isRecovering ? gaps.end : gaps.lastNew,
                newest: gaps.lastNew > 0 ? sending.tsn(at: gaps.lastNew - 1) : nil)
        } else if count > 0 {
            congestion.acknowledged(octets, flight: flight, isAllAcknowledged: sending.chunks.isEmpty)
            congestion.advanced(to: sack.cumulative)
        }
        restartRetransmissionTimer(hasAdvanced: count > 0, at: now)
        // What was given up counts too: the peer is there.
        if octets > 0 || count > 0 { errors = 0 }
    }

    /// A SHUTDOWN acknowledges too, but says nothing of gaps (RFC 9260 section 3.3.8).
    mutating func receiveCumulativeAcknowledgement(
        _ cumulative: TSN, at now: Timestamp, into output: inout SCTPOutput
    ) {
        let count = cumulative.distance(from: sending.cumulative)
        guard count >= 0 else { return }
        guard count <= sending.chunks.count else { return fail(.acknowledgedUnsent, into: &output) }
        if sending.acknowledgeFirst(count) > 0 { errors = 0 }
        restartRetransmissionTimer(hasAdvanced: count > 0, at: now)
    }

    /// Takes gap ack blocks in.
    /// - Returns: octets not acknowledged before, the index behind the last chunk acknowledged, and the one behind the last newly
    ///   acknowledged; or nil when they name what wasn't sent.
    private mutating func acknowledgeGaps(_ blocks: RawSpan) -> (octets: Int, end: Int, lastNew: Int)? {
        var octets = 0
        var lastNew = 0
        // The first chunk not looked at yet. Blocks out of order, or that overlap, add nothing: each chunk is looked at once.
        var next = 0
        var reader = ByteReader(blocks)
        while let first = reader.readUInt16(), let last = reader.readUInt16() {
            guard last <= sending.chunks.count else { return nil }
            guard first > next, last >= first else { continue }
            for index in next..<(Int(first) - 1) { sending.unacknowledge(at: index) }
            for index in (Int(first) - 1)..<Int(last) {
                let new = sending.acknowledge(at: index)
                octets += new
                if new > 0 { lastNew = index + 1 }
            }
            next = Int(last)
        }
        if sending.acknowledgedCount > 0 {
            for index in next..<sending.chunks.count { sending.unacknowledge(at: index) }
        }
        return (octets, next, lastNew)
    }

    /// Counts a miss of the chunks in flight before one that has arrived; three make it lost (RFC 9260 section 7.2.4).
    ///
    /// A deviation from rule 5 there, by which only T3-rtx finds a chunk lost again that was sent again: acknowledgements of
    /// chunks sent after it count too, as in FreeBSD's SCTP. Else a packet in twenty lost, as on bad Wi-Fi, means many timeouts.
    /// - Parameters:
    ///   - end: the index behind the last chunk before which all others are missing.
    ///   - newest: the last TSN newly acknowledged by a gap ack block.
    private mutating func noteMissing(before end: Int, newest: TSN?) {
        for index in 0..<end where sending.chunks[index].state == .inFlight {
            let chunk = sending.chunks[index]
            if chunk.transmissions > 1, newest?.precedes(chunk.successor) ?? true { continue }
            // A peer may take back what it acknowledged as often as it likes, so this stops counting.
            let misses = min(chunk.misses, Self.missesUntilLost) + 1
            sending.chunks[index].misses = misses
            guard misses >= Self.missesUntilLost else { continue }
            sending.lose(at: index)
            counters.fastRetransmits &+= 1
            isFastRetransmitting = true
            congestion.lost(lastSent: sending.nextTSN.previous)
        }
    }

    private static var missesUntilLost: UInt8 { 3 }

    private mutating func measureRoundTrip(_ cumulative: TSN, at now: Timestamp) {
        guard let probe = roundTripProbe, !cumulative.precedes(probe.tsn) else { return }
        timeout.measured(now - probe.sent)
        roundTripProbe = nil
    }

    /// RFC 9260 section 6.3.2, rules R2 and R3.
    private mutating func restartRetransmissionTimer(hasAdvanced: Bool, at now: Timestamp) {
        if sending.chunks.isEmpty {
            timers.retransmission = .never
        } else if hasAdvanced {
            timers.retransmission = now + timeout.current
        }
    }

    /// T3-rtx has expired (RFC 9260 section 6.3.3).
    mutating func retransmissionTimedOut(at now: Timestamp, into output: inout SCTPOutput) {
        timers.retransmission = .never
        guard isUp, !sending.chunks.isEmpty else { return }
        counters.timeouts &+= 1
        congestion.timedOut()
        timeout.backOff()
        roundTripProbe = nil
        for index in 0..<sending.chunks.count {
            sending.lose(at: index)
            sending.chunks[index].misses = 0
        }
        forwarded = nil
        timers.retransmission = now + timeout.current
        // Section 6.1, rule A: while the peer answers that it has no room, it isn't dead.
        if peerWindow > 0 || !hasHeardSinceTimeout { countError(into: &output) }
        hasHeardSinceTimeout = false
    }
}
