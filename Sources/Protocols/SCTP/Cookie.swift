import SansIO
import Wire

/// The state cookie (RFC 9260 section 5.1.3): all that this side has to know to set the association up when the peer brings it
/// back, signed, so that nothing is kept until then.
struct Cookie: Equatable {
    static let size = 64

    /// When it was made.
    var created: Timestamp
    /// What this side told the peer in its INIT ACK.
    var local: Handshake
    /// What the peer told in its INIT.
    var peer: Handshake
    /// The tags of the association there was when the INIT came, or zeros (section 5.2.2).
    var tieTags: TieTags

    /// The tags of both sides.
    struct TieTags: Equatable {
        var local: UInt32
        var peer: UInt32

        static let none = TieTags(local: 0, peer: 0)
    }

    init(created: Timestamp, local: Handshake, peer: Handshake, tieTags: TieTags) {
        self.created = created
        self.local = local
        self.peer = peer
        self.tieTags = tieTags
    }

    /// Reads a cookie that this side signed.
    /// - Returns: nil when it is another's, or forged.
    init?(_ bytes: RawSpan, signedWith key: SipHash) {
        guard bytes.byteCount == Self.size else { return nil }
        let signed = bytes.extracting(0..<(Self.size - 8)).withUnsafeBytes { key.tag(of: $0) }
        var reader = ByteReader(bytes)
        guard let created = reader.readUInt64(), let local = Self.readHandshake(&reader),
            let peer = Self.readHandshake(&reader), let localTie = reader.readUInt32(),
            let peerTie = reader.readUInt32(), reader.readUInt64() == signed
        else { return nil }
        self.created = Timestamp(nanoseconds: created)
        self.local = local
        self.peer = peer
        tieTags = TieTags(local: localTie, peer: peerTie)
    }

    /// The cookie's bytes.
    func signed(with key: SipHash) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.size)
        bytes.write(created.nanoseconds)
        Self.write(local, to: &bytes)
        Self.write(peer, to: &bytes)
        bytes.write(tieTags.local)
        bytes.write(tieTags.peer)
        let tag = bytes.withUnsafeBytes { key.tag(of: $0) }
        bytes.write(tag)
        return bytes
    }

    private static func write(_ handshake: Handshake, to bytes: inout [UInt8]) {
        bytes.write(handshake.initiateTag)
        bytes.write(handshake.window)
        bytes.write(handshake.outgoingStreams)
        bytes.write(handshake.incomingStreams)
        bytes.write(handshake.initialTSN.value)
        bytes.write(UInt32(handshake.capabilities.rawValue))
    }

    private static func readHandshake(_ reader: inout ByteReader) -> Handshake? {
        guard let tag = reader.readUInt32(), let window = reader.readUInt32(), let outgoing = reader.readUInt16(),
            let incoming = reader.readUInt16(), let tsn = reader.readUInt32(), let capabilities = reader.readUInt32()
        else { return nil }
        return Handshake(
            initiateTag: tag, window: window, outgoingStreams: outgoing, incomingStreams: incoming,
            initialTSN: TSN(tsn),
            capabilities: Handshake.Capabilities(rawValue: UInt8(truncatingIfNeeded: capabilities)))
    }
}
