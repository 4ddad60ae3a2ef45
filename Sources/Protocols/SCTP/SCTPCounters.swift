/// What an ``SCTPAssociation`` has done since it was made. The counters wrap around.
public struct SCTPCounters: Sendable, Equatable {
    /// Packets received that were good.
    public internal(set) var packetsReceived: UInt32 = 0
    /// Messages received whole.
    public internal(set) var messagesReceived: UInt32 = 0
    /// Messages taken for sending.
    public internal(set) var messagesSent: UInt32 = 0
    /// DATA chunks received again.
    public internal(set) var duplicates: UInt32 = 0
    /// DATA chunks sent again.
    public internal(set) var retransmissions: UInt32 = 0
    /// Losses found by acknowledgements of later chunks (RFC 9260 section 7.2.4).
    public internal(set) var fastRetransmits: UInt32 = 0
    /// Losses found by T3-rtx (RFC 9260 section 6.3.3).
    public internal(set) var timeouts: UInt32 = 0
    /// Messages given up because of their ``SCTPReliability``.
    public internal(set) var abandoned: UInt32 = 0
    /// Packets dropped because they were damaged, or not for this association's ports.
    public internal(set) var malformed: UInt32 = 0
    /// Packets dropped because of their verification tag (RFC 9260 section 8.5).
    public internal(set) var wrongTag: UInt32 = 0
    /// Cookies refused: forged or expired.
    public internal(set) var refusedCookies: UInt32 = 0
    /// DATA chunks dropped because a limit of ``SCTPLimits`` was reached; the peer sends them again.
    public internal(set) var overLimit: UInt32 = 0

    /// Counters at zero.
    public init() {}
}
