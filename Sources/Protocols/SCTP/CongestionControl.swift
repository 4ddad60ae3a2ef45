/// How much may be in flight (RFC 9260 section 7.2). Counted in octets of whole DATA chunks.
struct CongestionControl: Sendable {
    /// cwnd.
    private(set) var window: Int
    /// ssthresh.
    private(set) var threshold: Int
    /// partial_bytes_acked.
    private var partial = 0
    /// PMDCS: the longest chunk that fits a packet.
    private let segment: Int
    /// The last TSN sent when Fast Recovery began, while it lasts (section 7.2.4).
    private(set) var recoveryExit: TSN?

    /// Makes the state of a new association.
    /// - Parameters:
    ///   - segment: octets of the longest chunk that fits a packet.
    ///   - peerWindow: a_rwnd of the peer's handshake.
    init(segment: Int, peerWindow: Int) {
        self.segment = segment
        // Section 7.2.1.
        window = min(4 * segment, max(2 * segment, 4404))
        threshold = max(peerWindow, window)
    }

    /// Takes an acknowledgement in that moved the cumulative TSN ack point.
    /// - Parameters:
    ///   - acknowledged: octets newly acknowledged, gap blocks included.
    ///   - flight: octets in flight before it came.
    ///   - isAllAcknowledged: whether nothing is in flight any more.
    mutating func acknowledged(_ acknowledged: Int, flight: Int, isAllAcknowledged: Bool) {
        guard recoveryExit == nil else { return }
        // The window was in full use if one more chunk wouldn't have fitted: chunks are not cut to fill it to the octet.
        let wasFull = flight + segment > window
        if window <= threshold {
            // Section 7.2.1: slow start.
            if wasFull { window += min(acknowledged, segment) }
        } else {
            // Section 7.2.2: congestion avoidance.
            partial += acknowledged
            if partial >= window, wasFull {
                partial -= window
                window += segment
            }
            partial = min(partial, window)
        }
        if isAllAcknowledged { partial = 0 }
    }

    /// Ends Fast Recovery when all that was in flight when it began has arrived.
    mutating func advanced(to cumulative: TSN) {
        if let exit = recoveryExit, !cumulative.precedes(exit) { recoveryExit = nil }
    }

    /// A chunk was found lost by acknowledgements of later ones (section 7.2.4).
    /// - Parameter lastSent: the last TSN sent.
    mutating func lost(lastSent: TSN) {
        guard recoveryExit == nil else { return }
        threshold = max(window / 2, 4 * segment)
        window = threshold
        partial = 0
        recoveryExit = lastSent
    }

    /// T3-rtx expired (section 7.2.3).
    mutating func timedOut() {
        threshold = max(window / 2, 4 * segment)
        window = segment
        partial = 0
        recoveryExit = nil
    }
}
