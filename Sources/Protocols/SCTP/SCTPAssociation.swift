public import SansIO
import Wire

/// One SCTP association without sockets, clocks or threads (RFC 9260), as WebRTC's data channels use it: over DTLS
/// (RFC 8261), with one path, partial reliability (RFC 3758) and stream reset (RFC 6525).
///
/// It takes the peer's handshake at any time and begins one when asked to. Before the peer has echoed its cookie, nothing
/// is kept. Idle, it holds no memory but its own and a few octets for each stream in use.
public struct SCTPAssociation: ~Copyable {
    /// What it has done so far.
    public internal(set) var counters = SCTPCounters()
    let configuration: SCTPConfiguration
    var generator: any RandomNumberGenerator & Sendable
    /// Signs cookies; another association's aren't taken.
    let cookieKey: SipHash
    var state = State.closed
    /// What this side told the peer in its INIT or INIT ACK.
    var local = Handshake.none
    /// What the peer told of itself.
    var peer = Handshake.none
    var timers = Timers()
    var timeout: RetransmissionTimeout
    var congestion = CongestionControl(segment: 0, peerWindow: 0)
    var sending = SendQueue(initialTSN: TSN(0))
    var receiving = ReceiveQueue(initialTSN: TSN(0))
    var resets = Resets()
    var acknowledgement = Acknowledgement.none
    /// Timeouts since the peer last answered: the counter of RFC 9260 section 8.1.
    var errors = 0
    /// a_rwnd of the peer's last acknowledgement.
    var peerWindow = 0
    /// Whether an acknowledgement came since T3-rtx last expired.
    var hasHeardSinceTimeout = false
    /// The chunk whose round trip is being measured (RFC 9260 section 6.3.1, rule C4).
    var roundTripProbe: (tsn: TSN, sent: Timestamp)?
    /// Whether the next packet of lost chunks goes out whatever the congestion window (RFC 9260 section 7.2.4, step 3).
    var isFastRetransmitting = false
    /// The TSN of the last FORWARD-TSN sent, until it has to be sent again.
    var forwarded: TSN?
    var heartbeat: Heartbeat?
    var lastReceived = Timestamp.zero
    /// Answers to the packet that is being read.
    var replies = 0

    /// Where the association stands (RFC 9260 section 4).
    enum State: Sendable {
        case closed
        case cookieWait(retries: Int)
        case cookieEchoed(cookie: [UInt8], retries: Int)
        case established
        case shutdownPending
        case shutdownSent(retries: Int)
        case shutdownReceived
        case shutdownAckSent(retries: Int)
    }

    /// What is owed to the peer for its data (RFC 9260 section 6.2).
    enum Acknowledgement: Sendable {
        case none
        /// So many packets came; a timer is running.
        case held(packets: Int)
        case due
    }

    /// A HEARTBEAT that waits for its answer.
    struct Heartbeat: Sendable {
        let nonce: UInt64
        let sent: Timestamp
    }

    /// Makes an association that waits for the peer.
    /// - Parameters:
    ///   - configuration: how it behaves.
    ///   - generator: must be cryptographically strong: tags, first sequence numbers and the key of cookies come from it.
    public init(configuration: SCTPConfiguration, generator: any RandomNumberGenerator & Sendable) {
        var generator = generator
        self.configuration = configuration
        cookieKey = SipHash(key0: generator.next(), key1: generator.next())
        self.generator = generator
        timeout = RetransmissionTimeout(configuration.timing)
    }

    /// Whether messages can be sent.
    public var isEstablished: Bool {
        switch state {
        case .established: true
        case .closed, .cookieWait, .cookieEchoed, .shutdownPending, .shutdownSent, .shutdownReceived, .shutdownAckSent:
            false
        }
    }

    /// Octets of messages queued or not yet acknowledged.
    public var bufferedBytes: Int { sending.bytes.count }

    /// Octets of memory held beside the value itself, roughly.
    public var footprint: Int {
        sending.footprint + receiving.footprint
            + StreamTable.entrySize * (sending.streams.count + receiving.streams.count)
    }

    /// Takes in what happened and says what to do about it.
    /// - Parameters:
    ///   - input: what happened.
    ///   - now: the present time.
    ///   - output: what to do is appended to it.
    /// - Returns: when to call again with ``SCTPInput/wake`` if nothing happens before, or nil if there is no need.
    public mutating func handle(_ input: SCTPInput, at now: Timestamp, into output: inout SCTPOutput) -> Timestamp? {
        switch input {
        case .packet(let bytes): receive(bytes, at: now, into: &output)
        case .connect: connect(at: now, into: &output)
        case .send(let payload, let stream, let ppid, let isUnordered, let reliability):
            if let refusal = enqueue(payload, stream, ppid, isUnordered, reliability, at: now) {
                output.events.append(.refused(refusal))
                return timers.earliest
            }
        case .reset(let streams): resets.ask(streams)
        case .shutdown: beginShutdown(into: &output)
        case .abort(let reason):
            writeAbort(.userInitiatedAbort, Array(reason.utf8.prefix(Self.longestReason)), into: &output)
            close(.aborted, into: &output)
        case .heartbeat: ask(into: &output)
        case .wake: break
        }
        if timers.earliest.map({ $0 <= now }) ?? false { expireTimers(at: now, into: &output) }
        flush(at: now, into: &output)
        return timers.earliest
    }

    /// Octets of the reason of an abort that are sent.
    static let longestReason = 256

    // MARK: Beginning and end

    /// Sets the association up with what both sides have told (RFC 9260 section 5.1).
    mutating func begin(local: Handshake, peer: Handshake) {
        self.local = local
        self.peer = peer
        timeout = RetransmissionTimeout(configuration.timing)
        congestion = CongestionControl(
            segment: configuration.maximumPacketSize - PacketHeader.size, peerWindow: Int(peer.window))
        receiving = ReceiveQueue(initialTSN: peer.initialTSN)
        sending.nextTSN = local.initialTSN
        resets.begin(localTSN: local.initialTSN, peerTSN: peer.initialTSN)
        peerWindow = Int(peer.window)
        errors = 0
        // The first data is acknowledged at once, so that the peer learns the round trip.
        acknowledgement = .held(packets: configuration.timing.packetsPerAcknowledgement - 1)
    }

    /// Enters ESTABLISHED.
    mutating func establish(at now: Timestamp, into output: inout SCTPOutput) {
        state = .established
        timers.handshake = .never
        lastReceived = now
        if let interval = configuration.timing.heartbeatInterval { timers.heartbeat = now + interval }
        output.events.append(.established)
    }

    /// Ends the association and forgets everything of it.
    mutating func close(_ reason: SCTPCloseReason, into output: inout SCTPOutput) {
        closePacket(&output)
        let wasOpen = !isClosed
        state = .closed
        local = .none
        peer = .none
        timers = Timers()
        sending = SendQueue(initialTSN: TSN(0))
        receiving = ReceiveQueue(initialTSN: TSN(0))
        resets = Resets()
        acknowledgement = .none
        roundTripProbe = nil
        isFastRetransmitting = false
        forwarded = nil
        heartbeat = nil
        errors = 0
        if wasOpen { output.events.append(.closed(reason)) }
    }

    /// Tells the peer that it broke the protocol, and ends the association (RFC 9260 section 3.3.10.13).
    mutating func fail(_ violation: SCTPViolation, into output: inout SCTPOutput) {
        let cause: ErrorCause =
            switch violation {
            case .noUserData: .noUserData
            case .reassemblyLimit, .streamLimit, .messageTooLong: .outOfResource
            case .invalidHandshake: .invalidParameter
            case .acknowledgedUnsent: .protocolViolation
            }
        writeAbort(cause, Array(violation.rawValue.utf8), into: &output)
        close(.protocolViolation(violation), into: &output)
    }

    /// Counts a timeout; ends the association when there were too many in a row (RFC 9260 section 8.1).
    mutating func countError(into output: inout SCTPOutput) {
        errors += 1
        if errors > configuration.timing.maximumRetransmissions {
            writeAbort(nil, [], into: &output)
            close(.unreachable, into: &output)
        }
    }

    var isClosed: Bool {
        switch state {
        case .closed: true
        case .cookieWait, .cookieEchoed, .established, .shutdownPending, .shutdownSent, .shutdownReceived,
            .shutdownAckSent:
            false
        }
    }

    /// Whether the handshake is over and the association not.
    var isUp: Bool {
        switch state {
        case .closed, .cookieWait, .cookieEchoed: false
        case .established, .shutdownPending, .shutdownSent, .shutdownReceived, .shutdownAckSent: true
        }
    }

    /// Whether data may be sent (RFC 9260 section 6).
    var sendsData: Bool {
        switch state {
        case .established, .shutdownPending, .shutdownReceived: true
        case .closed, .cookieWait, .cookieEchoed, .shutdownSent, .shutdownAckSent: false
        }
    }

    /// Whether data is taken (RFC 9260 section 6).
    var takesData: Bool {
        switch state {
        case .established, .shutdownPending, .shutdownSent: true
        case .closed, .cookieWait, .cookieEchoed, .shutdownReceived, .shutdownAckSent: false
        }
    }
}

extension Handshake {
    /// Of no association.
    static let none = Handshake(
        initiateTag: 0, window: 0, outgoingStreams: 0, incomingStreams: 0, initialTSN: TSN(0), capabilities: [])
}
