public import DTLS
import DataChannel
public import SCTP
public import SansIO
import Wire

/// The data channels of one peer over whatever carries datagrams: DTLS, SCTP over it (RFC 8261), and data channels over that
/// (RFC 8831), as one machine.
public struct DataChannelTransport: ~Copyable {
    private var dtls: DTLSSession
    private var sctp: SCTPAssociation
    private var channels: DataChannelTable
    private let role: DTLSRole
    private let limits: TransportLimits
    private var stage = Stage.handshaking
    private var isWritable = true
    /// Channels to open once there is an association; with a stream, ones the peer knows of.
    private var early: [(stream: UInt16?, parameters: DataChannelParameters)] = []
    /// Whether the last datagram was proven to come from the peer: it held application data, or completed the handshake.
    public private(set) var isProven = false
    private var dtlsDeadline: Timestamp?
    private var sctpDeadline: Timestamp?
    /// Streams whose reset the peer can't have or refused: it is to be told in another way that their channels are closed.
    private var failedResets: [UInt16] = []
    /// Whether we are ending the association.
    private var isEnding = false

    /// How far a transport is.
    private enum Stage {
        /// The DTLS handshake goes on.
        case handshaking
        /// DTLS is there, the SCTP handshake goes on.
        case associating(DTLSPeer)
        case connected
        case closed
    }

    /// Makes a transport that waits for the peer's first flight, or, as a DTLS client, for ``TransportInput/start``.
    /// - Parameters:
    ///   - context: our DTLS identity and role. The client also begins the SCTP handshake and numbers its channels evenly.
    ///   - role: the context's role.
    ///   - association: how SCTP behaves.
    ///   - limits: the most that is kept.
    ///   - generator: must be cryptographically strong.
    public init(
        context: DTLSContext, role: DTLSRole, association: SCTPConfiguration = SCTPConfiguration(),
        limits: TransportLimits = TransportLimits(), generator: any RandomNumberGenerator & Sendable
    ) {
        dtls = DTLSSession(context: context)
        sctp = SCTPAssociation(configuration: association, generator: generator)
        // RFC 8832 section 6: the DTLS client takes the even identifiers.
        channels = DataChannelTable(parity: role == .client ? .even : .odd, limits: limits.channels)
        self.role = role
        self.limits = limits
    }

    /// Octets of messages queued or not yet acknowledged.
    public var bufferedBytes: Int { sctp.bufferedBytes }

    /// Octets of memory held for messages: those that wait or are not acknowledged, and those received in part.
    public var heldBytes: Int { sctp.footprint }

    /// What the SCTP association has done.
    public var sctpCounters: SCTPCounters { sctp.counters }

    /// Whether channels can be used.
    public var isConnected: Bool {
        switch stage {
        case .connected: true
        case .handshaking, .associating, .closed: false
        }
    }

    /// Takes in what happened and says what to do about it.
    /// - Parameters:
    ///   - input: what happened.
    ///   - now: the present time.
    ///   - output: what to do is appended to it.
    /// - Returns: when to call again with ``TransportInput/wake`` if nothing happens before, or nil if there is no need.
    public mutating func handle(
        _ input: borrowing TransportInput, at now: Timestamp, into output: inout TransportOutput
    ) -> Timestamp? {
        switch stage {
        case .closed: return nil
        case .handshaking, .associating, .connected: break
        }
        switch input {
        case .start:
            drive(.start, at: now, into: &output)
        case .datagram(let bytes):
            drive(.datagram(bytes), at: now, into: &output)
        case .send(let bytes, let stream, let kind):
            send(bytes, stream, kind, at: now, into: &output)
        case .openChannel(let parameters): make(nil, parameters, at: now, into: &output)
        case .negotiateChannel(let stream, let parameters): make(stream, parameters, at: now, into: &output)
        case .closeChannel(let stream):
            update(.close(stream: stream), at: now, into: &output)
        case .probe:
            associate(.heartbeat, at: now, into: &output)
        case .close:
            associate(.abort(reason: ""), at: now, into: &output)
            shut(.closed, at: now, into: &output)
        case .wake:
            if let dtlsDeadline, dtlsDeadline <= now { drive(.wake, at: now, into: &output) }
            if let sctpDeadline, sctpDeadline <= now { associate(.wake, at: now, into: &output) }
        }
        switch stage {
        case .closed: return nil
        case .handshaking, .associating, .connected: break
        }
        if !failedResets.isEmpty { endFailedResets(at: now, into: &output) }
        watchBuffer(into: &output)
        guard let dtlsDeadline else { return sctpDeadline }
        guard let sctpDeadline else { return dtlsDeadline }
        return min(dtlsDeadline, sctpDeadline)
    }

    // MARK: DTLS

    private mutating func drive(
        _ input: borrowing DTLSInput, at now: Timestamp, into output: inout TransportOutput
    ) {
        output.dtls.removeAll()
        dtlsDeadline = dtls.handle(input, at: now, into: &output.dtls)
        output.takeDatagrams()
        isProven = !output.dtls.records.isEmpty
        var ending: TransportCloseReason?
        for event in output.dtls.events {
            switch event {
            case .connected(let peer):
                isProven = true
                stage = .associating(peer)
                if role == .client { associate(.connect, at: now, into: &output) }
            case .closed: ending = .closedByPeer
            case .failed(let failure): ending = .dtlsFailed(failure)
            }
        }
        // What came in the same datagram before the end still counts.
        let data = output.dtls.applicationData
        for record in output.dtls.records {
            output.sctp.removeAll()
            sctpDeadline = sctp.handle(.packet(data.span.bytes.extracting(record)), at: now, into: &output.sctp)
            finishAssociating(at: now, into: &output)
        }
        if let ending { shut(ending, at: now, into: &output) }
    }

    /// Ends the transport.
    private mutating func shut(
        _ reason: TransportCloseReason, at now: Timestamp, into output: inout TransportOutput
    ) {
        if case .closed = stage { return }
        stage = .closed
        output.records.removeAll()
        _ = dtls.handle(.close, at: now, into: &output.records)
        output.takeRecords()
        output.events.append(.closed(reason))
    }

    // MARK: SCTP

    private mutating func associate(_ input: SCTPInput, at now: Timestamp, into output: inout TransportOutput) {
        switch stage {
        case .handshaking, .closed: return
        case .associating, .connected: break
        }
        output.sctp.removeAll()
        sctpDeadline = sctp.handle(input, at: now, into: &output.sctp)
        finishAssociating(at: now, into: &output)
    }

    /// Sends the packets of ``TransportOutput/sctp`` and carries out its events.
    private mutating func finishAssociating(at now: Timestamp, into output: inout TransportOutput) {
        seal(output.sctp, at: now, into: &output)
        guard !output.sctp.events.isEmpty else { return }
        let messages = output.sctp.messageBytes
        for event in output.sctp.events {
            switch event {
            case .message(let stream, let ppid, let range, _):
                let message = messages.span.bytes.extracting(range)
                output.channels.removeAll()
                channels.handle(.message(message, stream: stream, ppid: ppid), into: &output.channels)
                finishChannels(message, at: now, into: &output)
            case .established:
                guard case .associating(let peer) = stage else { break }
                stage = .connected
                output.events.append(.connected(peer))
                // Before the next event: a message may have come with the end of the handshake (RFC 9260 section 5.1).
                let channels = early
                early = []
                for (stream, parameters) in channels { make(stream, parameters, at: now, into: &output) }
            case .restarted: update(.restarted, at: now, into: &output)
            case .streamsReset(let streams): update(.streamsReset(streams), at: now, into: &output)
            case .outgoingReset(let streams): update(.outgoingReset(streams), at: now, into: &output)
            case .outgoingResetFailed(let streams): failedResets += streams
            case .refused: break
            case .closed(let reason):
                switch reason {
                case .aborted: break
                case .shutdown: shut(isEnding ? .closed : .closedByPeer, at: now, into: &output)
                case .abortedByPeer: shut(.closedByPeer, at: now, into: &output)
                case .unreachable, .protocolViolation: shut(.sctpFailed(reason), at: now, into: &output)
                }
            }
        }
    }

    /// Sends the packets of an SCTP output, each as one record of DTLS (RFC 8261 section 4).
    private mutating func seal(_ packets: SCTPOutput, at now: Timestamp, into output: inout TransportOutput) {
        guard !packets.packets.isEmpty else { return }
        output.records.removeAll()
        let bytes = packets.written
        for packet in packets.packets {
            dtlsDeadline = dtls.handle(.send(bytes.span.bytes.extracting(packet)), at: now, into: &output.records)
        }
        output.takeRecords()
    }

    private mutating func send(
        _ bytes: RawSpan, _ stream: UInt16, _ kind: DataChannelMessageKind, at now: Timestamp,
        into output: inout TransportOutput
    ) {
        guard case .connected = stage,
            let sending = channels.sending(on: stream, kind, isEmpty: bytes.isEmpty)
        else { return output.events.append(.sendRefused(stream: stream, .notConnected)) }
        if bytes.isEmpty {
            // RFC 8831 section 6.6: SCTP has no empty messages; one zero octet stands for it.
            let zero: InlineArray<1, UInt8> = [0]
            associate(
                .send(
                    zero.span.bytes, stream: stream, ppid: sending.ppid, isUnordered: sending.isUnordered,
                    reliability: sending.reliability), at: now, into: &output)
        } else {
            associate(
                .send(
                    bytes, stream: stream, ppid: sending.ppid, isUnordered: sending.isUnordered,
                    reliability: sending.reliability), at: now, into: &output)
        }
        for event in output.sctp.events {
            if case .refused(let cause) = event { output.events.append(.sendRefused(stream: stream, cause)) }
        }
    }

    // MARK: Channels

    /// Makes a channel, or notes it until there is an association.
    private mutating func make(
        _ stream: UInt16?, _ parameters: DataChannelParameters, at now: Timestamp, into output: inout TransportOutput
    ) {
        guard isConnected else {
            guard early.count < limits.channels.channels else {
                return output.events.append(.refused(.tooManyChannels))
            }
            return early.append((stream, parameters))
        }
        if let stream {
            update(.negotiate(stream: stream, parameters), at: now, into: &output)
        } else {
            update(.open(parameters), at: now, into: &output)
        }
    }

    private mutating func update(
        _ input: borrowing DataChannelInput, at now: Timestamp, into output: inout TransportOutput
    ) {
        output.channels.removeAll()
        channels.handle(input, into: &output.channels)
        finishChannels(RawSpan(), at: now, into: &output)
    }

    /// Carries out what the channels said; `message` is what made them say it.
    private mutating func finishChannels(
        _ message: RawSpan, at now: Timestamp, into output: inout TransportOutput
    ) {
        for event in output.channels.events {
            switch event {
            case .message(let stream, let kind, let isEmpty):
                let start = output.payload.count
                if !isEmpty { message.withUnsafeBytes { output.payload.append(contentsOf: $0) } }
                output.events.append(.message(stream: stream, kind, start..<output.payload.count))
            case .send(let stream, let range):
                let bytes = output.channels.written
                reply(
                    .send(
                        bytes.span.bytes.extracting(range), stream: stream, ppid: DCEPMessage.ppid,
                        isUnordered: false, reliability: .reliable), at: now, into: &output)
            case .reset(let stream): reply(.reset(streams: [stream]), at: now, into: &output)
            case .opening(let stream): output.events.append(.channelOpening(stream: stream))
            case .opened(let stream, let parameters, let isIncoming):
                output.events.append(.channelOpened(stream: stream, parameters, isIncoming: isIncoming))
            case .closed(let stream): output.events.append(.channelClosed(stream: stream))
            case .refused(let cause): output.events.append(.refused(cause))
            }
        }
    }

    /// Sends what channels want said. This happens while the events of another use of the association are being carried out, so
    /// it has an output of its own. It can tell of a refusal, to a peer that has filled the buffers with its own doing, and of a
    /// reset that the peer never announced (RFC 6525).
    private mutating func reply(_ input: SCTPInput, at now: Timestamp, into output: inout TransportOutput) {
        output.replies.removeAll()
        sctpDeadline = sctp.handle(input, at: now, into: &output.replies)
        seal(output.replies, at: now, into: &output)
        for event in output.replies.events {
            if case .outgoingResetFailed(let streams) = event { failedResets += streams }
        }
    }

    /// Closes channels that can't be closed by a reset. RFC 8831 section 6.7 knows no other way for a single one: those are dead on
    /// our side, and the peer learns of it when nothing else is served and the association ends, behind all that waits.
    private mutating func endFailedResets(at now: Timestamp, into output: inout TransportOutput) {
        let streams = failedResets
        failedResets.removeAll()
        update(.outgoingReset(streams), at: now, into: &output)
        guard isConnected, !isEnding, !channels.isServed else { return }
        isEnding = true
        associate(.shutdown, at: now, into: &output)
    }

    /// Tells when too much waits for the peer, and when that is over.
    private mutating func watchBuffer(into output: inout TransportOutput) {
        let buffered = sctp.bufferedBytes
        if isWritable, buffered > limits.highWater {
            isWritable = false
            output.events.append(.unwritable)
        } else if !isWritable, buffered < limits.lowWater {
            isWritable = true
            output.events.append(.writable)
        }
    }
}
