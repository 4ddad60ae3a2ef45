import Wire

/// A DATA chunk (RFC 9260 section 3.3.1).
struct DataChunk: ~Escapable {
    static let headerSize = 16

    /// The flags of a chunk.
    struct Flags: OptionSet {
        let rawValue: UInt8
        /// E: the last fragment of its message.
        static let end = Flags(rawValue: 1)
        /// B: the first fragment of its message.
        static let beginning = Flags(rawValue: 2)
        /// U: not ordered among the messages of its stream.
        static let unordered = Flags(rawValue: 4)
        /// I: the sender would like to have it acknowledged at once.
        static let immediate = Flags(rawValue: 8)
        /// A whole message.
        static let whole: Flags = [.beginning, .end]
    }

    let flags: Flags
    let tsn: TSN
    let stream: UInt16
    let ssn: UInt16
    let ppid: UInt32
    /// May be empty, which is the peer's fault.
    let payload: RawSpan

    /// Reads a chunk.
    /// - Returns: nil when it is too short for its header.
    @_lifetime(copy chunk)
    init?(_ chunk: Chunk) {
        var reader = ByteReader(chunk.value)
        guard let tsn = reader.readUInt32(), let stream = reader.readUInt16(), let ssn = reader.readUInt16(),
            let ppid = reader.readUInt32(), let payload = reader.readBytes(reader.remaining)
        else { return nil }
        flags = Flags(rawValue: chunk.flags & 0x0F)
        self.tsn = TSN(tsn)
        self.stream = stream
        self.ssn = ssn
        self.ppid = ppid
        self.payload = payload
    }
}

/// A SACK chunk (RFC 9260 section 3.3.4).
struct SelectiveAcknowledgement: ~Escapable {
    static let headerSize = 16

    /// All TSNs up to this one have come.
    let cumulative: TSN
    /// a_rwnd: octets the receiver has room for.
    let window: UInt32
    /// Gap ack blocks: pairs of offsets from ``cumulative``, two octets each, first and last TSN of a run that has come.
    let blocks: RawSpan
    /// TSNs that came more than once, four octets each.
    let duplicates: RawSpan

    /// Reads a chunk.
    /// - Returns: nil when it is too short for what it says it holds.
    @_lifetime(copy chunk)
    init?(_ chunk: Chunk) {
        var reader = ByteReader(chunk.value)
        guard let cumulative = reader.readUInt32(), let window = reader.readUInt32(),
            let blockCount = reader.readUInt16(), let duplicateCount = reader.readUInt16(),
            let blocks = reader.readBytes(4 * Int(blockCount)),
            let duplicates = reader.readBytes(4 * Int(duplicateCount))
        else { return nil }
        self.cumulative = TSN(cumulative)
        self.window = window
        self.blocks = blocks
        self.duplicates = duplicates
    }
}

/// A FORWARD-TSN chunk (RFC 3758 section 3.2).
struct ForwardTSN: ~Escapable {
    static let headerSize = 8

    /// Nothing up to this TSN will be sent any more.
    let cumulative: TSN
    /// The streams with skipped ordered messages: stream and the last skipped sequence number, two octets each.
    let skipped: RawSpan

    /// Reads a chunk.
    /// - Returns: nil when it is too short, or ends within a stream.
    @_lifetime(copy chunk)
    init?(_ chunk: Chunk) {
        var reader = ByteReader(chunk.value)
        guard let cumulative = reader.readUInt32(), reader.remaining & 3 == 0,
            let skipped = reader.readBytes(reader.remaining)
        else { return nil }
        self.cumulative = TSN(cumulative)
        self.skipped = skipped
    }
}

/// What one side tells of itself in INIT or INIT ACK (RFC 9260 sections 3.3.2 and 3.3.3), and in a cookie.
struct Handshake: Equatable {
    static let headerSize = 20

    /// The tag the other side has to put into its packets.
    var initiateTag: UInt32
    /// a_rwnd: octets of data it has room for.
    var window: UInt32
    /// Streams it wants to send on.
    var outgoingStreams: UInt16
    /// Streams it takes at most.
    var incomingStreams: UInt16
    var initialTSN: TSN
    var capabilities: Capabilities

    /// Extensions.
    struct Capabilities: OptionSet {
        let rawValue: UInt8
        /// FORWARD-TSN (RFC 3758).
        static let forwardTSN = Capabilities(rawValue: 1)
        /// RE-CONFIG (RFC 6525).
        static let reconfiguration = Capabilities(rawValue: 2)
        /// Packets without a checksum, over DTLS (RFC 9653).
        static let zeroChecksum = Capabilities(rawValue: 4)
    }
}

/// Parameters of INIT and INIT ACK.
enum HandshakeParameter: UInt16 {
    case ipv4Address = 5
    case ipv6Address = 6
    case stateCookie = 7
    case unrecognized = 8
    case cookiePreservative = 9
    case supportedAddressTypes = 12
    /// RFC 4820; nothing but filling.
    case padding = 0x8005
    /// RFC 5061 section 4.2.7, which RFC 6525 uses too.
    case supportedExtensions = 0x8008
    /// RFC 9653 section 3.
    case zeroChecksumAcceptable = 0x8001
    /// RFC 3758 section 3.1.
    case forwardTSNSupported = 0xC000

    /// The error detection method of RFC 9653 that DTLS is.
    static let dtls: UInt32 = 1
}

/// An INIT or INIT ACK chunk as it came.
struct HandshakeChunk: ~Escapable {
    let handshake: Handshake
    /// The cookie of an INIT ACK.
    let cookie: RawSpan?
    /// Parameters to report to the peer, each padded to four octets.
    let unrecognized: [UInt8]

    /// Reads a chunk.
    /// - Returns: nil when it is too short or a parameter is malformed.
    @_lifetime(copy chunk)
    init?(_ chunk: Chunk) {
        var reader = ByteReader(chunk.value)
        guard let tag = reader.readUInt32(), let window = reader.readUInt32(), let outgoing = reader.readUInt16(),
            let incoming = reader.readUInt16(), let tsn = reader.readUInt32()
        else { return nil }
        var capabilities: Handshake.Capabilities = []
        var cookie: RawSpan?
        var unrecognized: [UInt8] = []
        var parameters = ParameterReader(reader)
        reading: while let parameter = parameters.next() {
            switch HandshakeParameter(rawValue: parameter.type) {
            case .stateCookie: cookie = parameter.value
            case .forwardTSNSupported: capabilities.insert(.forwardTSN)
            case .supportedExtensions:
                var types = ByteReader(parameter.value)
                while let type = types.readUInt8() {
                    switch ChunkType(rawValue: type) {
                    case .forwardTSN: capabilities.insert(.forwardTSN)
                    case .reconfiguration: capabilities.insert(.reconfiguration)
                    case .data, .initiation, .initiationAcknowledgement, .selectiveAcknowledgement, .heartbeat,
                        .heartbeatAcknowledgement, .abort, .shutdown, .shutdownAcknowledgement, .error, .cookieEcho,
                        .cookieAcknowledgement, .shutdownComplete, nil:
                        break
                    }
                }
            case .zeroChecksumAcceptable:
                var method = ByteReader(parameter.value)
                if method.readUInt32() == HandshakeParameter.dtls { capabilities.insert(.zeroChecksum) }
            case .ipv4Address, .ipv6Address, .supportedAddressTypes, .cookiePreservative, .padding, .unrecognized:
                // Over DTLS there is one path and no addresses (RFC 8261 section 5).
                break
            case nil:
                let action = UnknownTypeAction(parameterType: parameter.type)
                if action.reports {
                    parameter.bytes.withUnsafeBytes { unrecognized.append(contentsOf: $0) }
                    unrecognized.append(contentsOf: repeatElement(0, count: -unrecognized.count & 3))
                }
                if action.stops { break reading }
            }
        }
        guard !parameters.isMalformed else { return nil }
        handshake = Handshake(
            initiateTag: tag, window: window, outgoingStreams: outgoing, incomingStreams: incoming,
            initialTSN: TSN(tsn), capabilities: capabilities)
        self.cookie = cookie
        self.unrecognized = unrecognized
    }
}

/// Error causes (RFC 9260 section 3.3.10).
enum ErrorCause: UInt16 {
    case invalidStream = 1
    case missingParameter = 2
    case staleCookie = 3
    case outOfResource = 4
    case unrecognizedChunk = 6
    case invalidParameter = 7
    case unrecognizedParameters = 8
    case noUserData = 9
    case cookieWhileShuttingDown = 10
    case userInitiatedAbort = 12
    case protocolViolation = 13
}
