public import Wire

/// The head of a ChannelData message (RFC 8656 section 12.4): channel number and length, application data behind it.
public enum ChannelData {
    /// Octets of the head.
    public static let headerSize = 4
    /// The numbers a client may bind. RFC 8656 section 12 ends them at 0x4FFF to leave room for DTLS on the same port, of
    /// which there is none here; clients of RFC 5766, coturn's among them, use all of these.
    public static let numbers: ClosedRange<UInt16> = 0x4000...0x7FFF

    /// The head of a message, its number in the upper half.
    /// - Parameters:
    ///   - number: the channel's number.
    ///   - length: octets of application data.
    @inlinable
    public static func header(number: UInt16, length: UInt16) -> UInt32 {
        UInt32(number) << 16 | UInt32(length)
    }

    /// Whether a datagram is ChannelData rather than STUN, by its first two bits (RFC 8656 section 12).
    @inlinable
    static func isLikely(firstOctet: UInt8) -> Bool {
        firstOctet >> 6 == 1
    }
}

/// Something that happens to a ``TURNServer``.
public enum TURNInput: ~Escapable {
    /// A datagram on the server's port.
    /// - client: where it came from.
    /// - server: the machine's address it was sent to.
    case datagram(RawSpan, client: TransportAddress, server: IPAddress)
    /// A datagram on a relayed address.
    /// - relay: the relayed address.
    /// - peer: where it came from.
    case peerDatagram(RawSpan, relay: TransportAddress, peer: TransportAddress)
    /// The socket that ``TURNOutput/Command/open(_:)`` asked for is there.
    case relayOpened(TransportAddress)
    /// The socket that ``TURNOutput/Command/open(_:)`` asked for cannot be had; another program may hold the port.
    case relayFailed(TransportAddress)
    /// The machine's addresses changed, or whom it serves.
    case changed(networks: [IPNetwork], localAddresses: [IPAddress])
    /// The credentials were rotated: every allocation made with the old ones ends now.
    case dropAll
    /// The time that ``TURNServer/handle(_:at:into:)`` asked for has come.
    case wake
}

/// What a ``TURNServer`` wants done. One value is used again and again: empty it before each input.
public struct TURNOutput: Sendable {
    /// A datagram to send.
    public struct Datagram: Sendable, Equatable {
        /// The socket to send from.
        public var source: Source
        /// Where to.
        public var destination: TransportAddress
        /// What.
        public var content: Content
    }

    /// Where a datagram leaves from.
    public enum Source: Sendable, Equatable {
        /// The server's port, on this of the machine's addresses.
        case server(IPAddress)
        /// A relayed address.
        case relay(TransportAddress)
    }

    /// The bytes of a datagram.
    public enum Content: Sendable, Equatable {
        /// A range of ``TURNOutput/bytes``.
        case written(Range<Int>)
        /// A range of the input's bytes.
        case payload(Range<Int>)
        /// The head of a ChannelData message, then a range of the input's bytes.
        case channelData(number: UInt16, Range<Int>)
    }

    /// A change to the sockets of relayed addresses.
    public enum Command: Sendable, Equatable {
        /// Bind a UDP socket to the address, then answer with ``TURNInput/relayOpened(_:)`` or
        /// ``TURNInput/relayFailed(_:)``.
        case open(TransportAddress)
        /// Close the socket of the address.
        case close(TransportAddress)
    }

    /// The bytes of the datagrams the server wrote itself.
    public internal(set) var written = ByteWriter(capacity: 2048)
    /// What to send, in this order.
    public internal(set) var datagrams: [Datagram] = []
    /// What to open and close, in this order, before sending.
    public internal(set) var commands: [Command] = []

    /// Makes an empty output.
    public init() {
        datagrams.reserveCapacity(4)
    }

    /// Empties the output and keeps its memory.
    public mutating func removeAll() {
        written.removeAll()
        datagrams.removeAll(keepingCapacity: true)
        commands.removeAll(keepingCapacity: true)
    }

    /// Takes the buffer of written bytes to append a message to; ``send(_:from:to:)`` gives it back.
    mutating func takeBuffer() -> ByteWriter {
        var buffer = ByteWriter()
        swap(&buffer, &written)
        return buffer
    }

    mutating func send(_ buffer: consuming ByteWriter, since start: Int, from source: Source, to: TransportAddress) {
        written = buffer
        datagrams.append(Datagram(source: source, destination: to, content: .written(start..<written.count)))
    }
}
