/// Something that happens to an ``SCTPAssociation``.
public enum SCTPInput: ~Escapable {
    /// An SCTP packet came from the peer: the content of one DTLS record (RFC 8261 section 3).
    case packet(RawSpan)
    /// Set the association up by sending INIT. A side that is only called waits instead; both may call at once
    /// (RFC 9260 section 5.2.1).
    case connect
    /// Send a message.
    /// - stream: the outgoing stream.
    /// - ppid: the payload protocol identifier, for example 51 for text (RFC 8831 section 8).
    /// - isUnordered: whether it may overtake messages of its stream.
    /// - reliability: how long to try.
    ///
    /// The message itself is not empty: SCTP cannot carry that, and data channels have the identifiers 56 and 57 for it.
    case send(RawSpan, stream: UInt16, ppid: UInt32, isUnordered: Bool, reliability: SCTPReliability)
    /// Reset outgoing streams once everything sent on them has left, as a data channel does to close (RFC 6525,
    /// RFC 8831 section 6.7).
    case reset(streams: [UInt16])
    /// End the association when everything sent has arrived (RFC 9260 section 9.2).
    case shutdown
    /// End the association now and tell the peer why (RFC 9260 section 9.1).
    case abort(reason: String)
    /// Ask the peer for a sign of life by a HEARTBEAT (RFC 9260 section 8.3), though nothing is due. Whether it answers is no
    /// matter of the association's.
    case heartbeat
    /// The time that ``SCTPAssociation/handle(_:at:into:)`` asked for has come.
    case wake
}

/// How long an ``SCTPAssociation`` tries to deliver a message (RFC 3758, RFC 7496).
public enum SCTPReliability: Sendable, Equatable {
    /// Until it is delivered or the association is dead.
    case reliable
    /// At most this many times after the first.
    case retransmits(UInt16)
    /// As long as the message is younger than this.
    case lifetime(Duration)
}

/// What an ``SCTPAssociation`` wants done. One value is used again and again, for all associations: empty it before each
/// input.
public struct SCTPOutput: Sendable {
    /// The bytes of the packets to send.
    public internal(set) var written: [UInt8] = []
    /// The packets to send, in this order, as ranges of ``written``. Each fits a DTLS record of its own.
    public internal(set) var packets: [Range<Int>] = []
    /// The bytes of the messages received.
    public internal(set) var messageBytes: [UInt8] = []
    /// What happened, in this order.
    public internal(set) var events: [SCTPEvent] = []
    /// Where in ``written`` the packet begins that is being written, if there is one.
    var openPacket: Int?

    /// Makes an empty output.
    public init() {
        written.reserveCapacity(2048)
        packets.reserveCapacity(4)
        events.reserveCapacity(4)
    }

    /// Empties the output and keeps its memory.
    public mutating func removeAll() {
        written.removeAll(keepingCapacity: true)
        packets.removeAll(keepingCapacity: true)
        messageBytes.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
        openPacket = nil
    }
}

/// Something an ``SCTPAssociation`` tells whoever uses it.
public enum SCTPEvent: Sendable, Equatable {
    /// The association is there; messages can be sent.
    case established
    /// The peer lost its state and set the association up anew (RFC 9260 section 5.2.4, action A). Nothing sent or received
    /// before counts any more: streams begin anew, and messages not yet acknowledged are dropped.
    case restarted
    /// A message came.
    /// - stream: the incoming stream.
    /// - ppid: the payload protocol identifier.
    /// - bytes: a range of ``SCTPOutput/messageBytes``.
    /// - isUnordered: whether it may have overtaken others of its stream.
    case message(stream: UInt16, ppid: UInt32, bytes: Range<Int>, isUnordered: Bool)
    /// The peer reset its outgoing streams: nothing more comes on them until they begin anew. An empty list means all of them.
    case streamsReset([UInt16])
    /// The peer confirmed the reset of these outgoing streams; they may be used anew.
    case outgoingReset([UInt16])
    /// The peer can't or won't have these outgoing streams reset.
    case outgoingResetFailed([UInt16])
    /// The message of this input was not taken.
    case refused(SendRefusal)
    /// The association is over; a new ``SCTPInput/connect`` or the peer's INIT begins another one.
    case closed(SCTPCloseReason)
}

/// Why a message was not taken. The raw value is a label for counters.
public enum SendRefusal: String, Sendable, CaseIterable {
    /// There is no association, or it is ending.
    case notConnected = "not_connected"
    /// The message has no bytes, which SCTP cannot carry.
    case empty
    /// The message is longer than ``SCTPConfiguration/maximumMessageSize``. The caller's fault.
    case tooLong = "too_long"
    /// ``SCTPLimits/sendBufferBytes`` or ``SCTPLimits/sendBufferMessages`` is reached: the peer takes messages more slowly than
    /// they are sent. Wait until ``SCTPAssociation/bufferedBytes`` has fallen.
    case bufferFull = "buffer_full"
    /// The peer takes fewer streams than that, or ``SCTPLimits/streams`` are in use.
    case noSuchStream = "no_such_stream"
    /// The stream is being reset; wait for ``SCTPEvent/outgoingReset(_:)``.
    case streamResetting = "stream_resetting"
}

/// Why an ``SCTPAssociation`` is over.
public enum SCTPCloseReason: Sendable, Equatable {
    /// Shut down in good order by either side.
    case shutdown
    /// ``SCTPInput/abort(reason:)`` was asked for.
    case aborted
    /// The peer aborted, for the first of the causes it gave (RFC 9260 section 3.3.10), 0 if it gave none.
    case abortedByPeer(cause: UInt16)
    /// The peer does not answer: ``SCTPTiming/maximumRetransmissions`` in a row, or those of the handshake, went unanswered.
    case unreachable
    /// The peer broke the protocol; it was told so by an ABORT.
    case protocolViolation(SCTPViolation)
}

/// How a peer broke the protocol so that its ``SCTPAssociation`` was aborted. The raw value is a label for counters.
public enum SCTPViolation: String, Sendable, CaseIterable {
    /// It acknowledged what was never sent.
    case acknowledgedUnsent = "acknowledged_unsent"
    /// A DATA chunk without data (RFC 9260 section 3.3.1).
    case noUserData = "no_user_data"
    /// A message longer than ``SCTPConfiguration/maximumMessageSize``.
    case messageTooLong = "message_too_long"
    /// More unfinished messages than ``SCTPLimits/reassemblyBytes`` hold.
    case reassemblyLimit = "reassembly_limit"
    /// More incoming streams in use than ``SCTPLimits/streams``.
    case streamLimit = "stream_limit"
    /// It offered no stream or an initiate tag of 0 (RFC 9260 section 3.3.2).
    case invalidHandshake = "invalid_handshake"
}
