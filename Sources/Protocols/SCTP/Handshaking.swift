import SansIO
import Wire

extension SCTPAssociation {
    // MARK: The calling side (RFC 9260 section 5.1)

    mutating func connect(at now: Timestamp, into output: inout SCTPOutput) {
        guard isClosed else { return }
        local = makeHandshake()
        timeout = RetransmissionTimeout(configuration.timing)
        state = .cookieWait(retries: 0)
        writeInitiation(at: now, into: &output)
    }

    /// T1-init or T1-cookie has expired.
    mutating func retryHandshake(at now: Timestamp, into output: inout SCTPOutput) {
        timers.handshake = .never
        switch state {
        case .cookieWait(let retries):
            guard retries < configuration.timing.maximumInitRetransmissions else {
                return close(.unreachable, into: &output)
            }
            state = .cookieWait(retries: retries + 1)
            timeout.backOff()
            writeInitiation(at: now, into: &output)
        case .cookieEchoed(let cookie, let retries):
            guard retries < configuration.timing.maximumInitRetransmissions else {
                return close(.unreachable, into: &output)
            }
            state = .cookieEchoed(cookie: cookie, retries: retries + 1)
            timeout.backOff()
            writeCookieEcho(cookie, unrecognized: [], at: now, into: &output)
        case .closed, .established, .shutdownPending, .shutdownSent, .shutdownReceived, .shutdownAckSent:
            break
        }
    }

    /// The peer's cookie had expired when it came back: another one is asked for (RFC 9260 section 5.2.6, alternative 1).
    mutating func restartHandshake(at now: Timestamp, into output: inout SCTPOutput) {
        guard case .cookieEchoed(_, let retries) = state else { return }
        guard retries < configuration.timing.maximumInitRetransmissions else {
            return close(.unreachable, into: &output)
        }
        state = .cookieWait(retries: retries + 1)
        writeInitiation(at: now, into: &output)
    }

    mutating func receiveInitiationAcknowledgement(_ chunk: Chunk, at now: Timestamp, into output: inout SCTPOutput) {
        // RFC 9260 section 5.2.3: in any other state it is an old one.
        guard case .cookieWait(let retries) = state, let answer = HandshakeChunk(chunk) else { return }
        let size = PacketHeader.size + Chunk.headerSize + (answer.cookie?.byteCount ?? 0)
        guard answer.handshake.isValid, let cookie = answer.cookie, size <= configuration.maximumPacketSize else {
            if answer.handshake.initiateTag != 0 {
                writeAbort(.invalidParameter, [], tag: answer.handshake.initiateTag, into: &output)
            }
            return close(.protocolViolation(.invalidHandshake), into: &output)
        }
        begin(local: local, peer: answer.handshake)
        let copy = cookie.copied
        // The retries count on: a peer whose cookies are always stale is not asked for ever.
        state = .cookieEchoed(cookie: copy, retries: retries)
        writeCookieEcho(copy, unrecognized: answer.unrecognized, at: now, into: &output)
    }

    mutating func receiveCookieAcknowledgement(at now: Timestamp, into output: inout SCTPOutput) {
        // RFC 9260 section 5.2.5: in any other state it is an old one.
        guard case .cookieEchoed = state else { return }
        establish(at: now, into: &output)
    }

    private mutating func writeInitiation(at now: Timestamp, into output: inout SCTPOutput) {
        closePacket(&output)
        openPacket(tag: 0, in: &output)
        output.written.writeHandshake(.initiation, local, cookie: [], unrecognized: [])
        closePacket(&output, needsChecksum: true)
        timers.handshake = now + timeout.current
    }

    private mutating func writeCookieEcho(
        _ cookie: [UInt8], unrecognized: [UInt8], at now: Timestamp, into output: inout SCTPOutput
    ) {
        closePacket(&output)
        openPacket(tag: peer.initiateTag, in: &output)
        output.written.write(chunk: .cookieEcho, length: Chunk.headerSize + cookie.count)
        output.written.append(contentsOf: cookie)
        output.written.writeZeros(-cookie.count & 3)
        let size = Chunk.headerSize + Parameter.headerSize + unrecognized.count
        if !unrecognized.isEmpty, hasRoom(for: size, in: output) {
            writeError(.unrecognizedParameters, unrecognized.span.bytes, into: &output)
        }
        closePacket(&output, needsChecksum: true)
        timers.handshake = now + timeout.current
    }

    // MARK: The called side

    /// Answers an INIT with a cookie and keeps nothing of it (RFC 9260 sections 5.1, 5.2.1 and 5.2.2).
    mutating func receiveInitiation(_ chunk: Chunk, at now: Timestamp, into output: inout SCTPOutput) {
        guard let call = HandshakeChunk(chunk), call.handshake.initiateTag != 0 else { return counters.malformed &+= 1 }
        guard call.handshake.isValid else {
            return writeAbort(.invalidParameter, [], tag: call.handshake.initiateTag, into: &output)
        }
        let answer: Handshake
        var tieTags = Cookie.TieTags.none
        switch state {
        case .closed: answer = makeHandshake()
        case .cookieWait: answer = local
        case .cookieEchoed:
            answer = local
            tieTags = Cookie.TieTags(local: local.initiateTag, peer: peer.initiateTag)
        case .established, .shutdownPending, .shutdownSent, .shutdownReceived:
            answer = makeHandshake()
            tieTags = Cookie.TieTags(local: local.initiateTag, peer: peer.initiateTag)
        case .shutdownAckSent:
            // RFC 9260 section 9.2: the peer didn't hear the end of the last association.
            return writeShutdownAcknowledgement(into: &output)
        }
        let cookie = Cookie(created: now, local: answer, peer: call.handshake, tieTags: tieTags).signed(with: cookieKey)
        // Each is reported with a head of its own; what could be too long for the packet isn't reported.
        let fits = call.unrecognized.count <= (configuration.maximumPacketSize - 2 * Cookie.size) / 2
        closePacket(&output)
        openPacket(tag: call.handshake.initiateTag, in: &output)
        output.written.writeHandshake(
            .initiationAcknowledgement, answer, cookie: cookie, unrecognized: fits ? call.unrecognized : [])
        closePacket(&output, needsChecksum: true)
    }

    /// Takes the cookie back (RFC 9260 sections 5.1.5 and 5.2.4).
    /// - Returns: whether the rest of the packet belongs to the association.
    mutating func receiveCookieEcho(
        _ chunk: Chunk, _ tag: UInt32, at now: Timestamp, into output: inout SCTPOutput
    ) -> Bool {
        guard let cookie = Cookie(chunk.value, signedWith: cookieKey), tag == cookie.local.initiateTag else {
            counters.refusedCookies &+= 1
            return false
        }
        let isLocalSame = !isClosed && cookie.local.initiateTag == local.initiateTag
        let isPeerSame = !isClosed && cookie.peer.initiateTag == peer.initiateTag
        let age = now - cookie.created
        guard age <= configuration.timing.cookieLifetime || (isLocalSame && isPeerSame) else {
            counters.refusedCookies &+= 1
            refuseStale(cookie, age: age - configuration.timing.cookieLifetime, into: &output)
            return false
        }
        switch state {
        case .closed:
            begin(local: cookie.local, peer: cookie.peer)
            establish(at: now, into: &output)
        case .cookieWait, .cookieEchoed:
            // Both sides called at once: the peer's tag is that of its INIT (action B), or the same as in its INIT ACK (D).
            guard isLocalSame else { return false }
            begin(local: cookie.local, peer: cookie.peer)
            establish(at: now, into: &output)
        case .established, .shutdownPending, .shutdownSent, .shutdownReceived:
            if isLocalSame, isPeerSame { break }
            // Action A: the peer has begun anew. With a tag of ours and another of the peer's (B), it did so during the
            // handshake. All else (C) is old.
            let isTied = cookie.tieTags == Cookie.TieTags(local: local.initiateTag, peer: peer.initiateTag)
            guard !isPeerSame, isLocalSame || isTied else { return false }
            restart(cookie, at: now, into: &output)
        case .shutdownAckSent:
            if isLocalSame, isPeerSame { return false }
            // RFC 9260 section 5.2.4, action A: first the old association has to end.
            writeShutdownAcknowledgement(into: &output)
            writeError(.cookieWhileShuttingDown, RawSpan(), into: &output)
            return false
        }
        makeRoom(for: Chunk.headerSize, in: &output)
        output.written.write(chunk: .cookieAcknowledgement, length: Chunk.headerSize)
        return true
    }

    private mutating func restart(_ cookie: Cookie, at now: Timestamp, into output: inout SCTPOutput) {
        closePacket(&output)
        timers = Timers()
        sending = SendQueue(initialTSN: cookie.local.initialTSN)
        resets = Resets()
        roundTripProbe = nil
        isFastRetransmitting = false
        forwarded = nil
        heartbeat = nil
        begin(local: cookie.local, peer: cookie.peer)
        state = .established
        lastReceived = now
        if let interval = configuration.timing.heartbeatInterval { timers.heartbeat = now + interval }
        output.events.append(.restarted)
    }

    /// Tells the peer by how many microseconds its cookie had expired (RFC 9260 section 3.3.10.3).
    private mutating func refuseStale(_ cookie: Cookie, age: Duration, into output: inout SCTPOutput) {
        var value: [UInt8] = []
        value.write(UInt32(clamping: age.wholeNanoseconds / 1000))
        closePacket(&output)
        openPacket(tag: cookie.peer.initiateTag, in: &output)
        writeError(.staleCookie, value.span.bytes, into: &output)
        closePacket(&output, needsChecksum: true)
    }

    private mutating func makeHandshake() -> Handshake {
        var capabilities: Handshake.Capabilities = [.forwardTSN, .reconfiguration]
        if configuration.omitsChecksums { capabilities.insert(.zeroChecksum) }
        return Handshake(
            // Of 0 a tag may not be (RFC 9260 section 5.3.1).
            initiateTag: UInt32.random(in: 1...(.max), using: &generator),
            window: UInt32(clamping: configuration.limits.reassemblyBytes),
            // RFC 8831 section 6.2.
            outgoingStreams: .max, incomingStreams: .max,
            initialTSN: TSN(UInt32.random(in: 0...(.max), using: &generator)), capabilities: capabilities)
    }
}

extension Handshake {
    /// Whether an association can be made with it (RFC 9260 section 3.3.2).
    var isValid: Bool {
        initiateTag != 0 && outgoingStreams != 0 && incomingStreams != 0
    }
}
