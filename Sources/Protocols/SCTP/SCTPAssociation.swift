public import SansIO
import Wire

/// One SCTP association without sockets, clocks or threads (RFC 9260), as WebRTC's data channels use it: over DTLS
/// (RFC 8261), with one path, partial reliability (RFC 3758) and stream reset (RFC 6525).
///
/// It takes the peer's handshake at any time and begins one when asked to. Before the peer has echoed its cookie, nothing
/// is kept.
public struct SCTPAssociation: ~Copyable {
    /// What it has done so far.
    public internal(set) var counters = SCTPCounters()
    let configuration: SCTPConfiguration
    var generator: any RandomNumberGenerator & Sendable

    /// Makes an association that waits for the peer.
    /// - Parameters:
    ///   - configuration: how it behaves.
    ///   - generator: must be cryptographically strong: tags, first sequence numbers and the key of cookies come from it.
    public init(configuration: SCTPConfiguration, generator: any RandomNumberGenerator & Sendable) {
        self.configuration = configuration
        self.generator = generator
    }

    /// Whether messages can be sent.
    public var isEstablished: Bool { false }

    /// Octets of messages queued or not yet acknowledged.
    public var bufferedBytes: Int { 0 }

    /// Takes in what happened and says what to do about it.
    /// - Parameters:
    ///   - input: what happened.
    ///   - now: the present time.
    ///   - output: what to do is appended to it.
    /// - Returns: when to call again with ``SCTPInput/wake`` if nothing happens before, or nil if there is no need.
    public mutating func handle(_ input: SCTPInput, at now: Timestamp, into output: inout SCTPOutput) -> Timestamp? {
        nil
    }
}
