import Wire

/// The common header of a packet (RFC 9260 section 3.1).
struct PacketHeader {
    static let size = 12

    let sourcePort: UInt16
    let destinationPort: UInt16
    let verificationTag: UInt32
    /// As it stands in memory: the checksum is the one field that is sent low octet first (appendix A).
    let checksum: UInt32

    /// Reads a header.
    /// - Returns: nil when the packet is too short for one.
    init?(_ reader: inout ByteReader) {
        guard let source = reader.readUInt16(), let destination = reader.readUInt16(), let tag = reader.readUInt32(),
            let checksum = reader.readUInt32()
        else { return nil }
        sourcePort = source
        destinationPort = destination
        verificationTag = tag
        self.checksum = checksum.byteSwapped
    }
}

/// Chunk types (RFC 9260 section 3.2, RFC 3758, RFC 6525). Others are read too and treated by their highest bits.
enum ChunkType: UInt8 {
    case data = 0
    case initiation = 1
    case initiationAcknowledgement = 2
    case selectiveAcknowledgement = 3
    case heartbeat = 4
    case heartbeatAcknowledgement = 5
    case abort = 6
    case shutdown = 7
    case shutdownAcknowledgement = 8
    case error = 9
    case cookieEcho = 10
    case cookieAcknowledgement = 11
    case shutdownComplete = 14
    case reconfiguration = 130
    case forwardTSN = 192
}

/// What to do with a chunk or parameter of a type one doesn't know: its two highest bits (RFC 9260 sections 3.2 and 3.2.1).
struct UnknownTypeAction: Equatable {
    let stops: Bool
    let reports: Bool

    init(chunkType: UInt8) {
        stops = chunkType & 0x80 == 0
        reports = chunkType & 0x40 != 0
    }

    init(parameterType: UInt16) {
        self.init(chunkType: UInt8(parameterType >> 8))
    }
}

/// A chunk in the packet it came in.
struct Chunk: ~Escapable {
    static let headerSize = 4

    let type: UInt8
    let flags: UInt8
    /// The whole chunk without padding.
    let bytes: RawSpan
    /// What follows the chunk's header.
    let value: RawSpan

    @_lifetime(copy bytes)
    init(type: UInt8, flags: UInt8, bytes: RawSpan) {
        self.type = type
        self.flags = flags
        self.bytes = bytes
        value = bytes.extracting(min(Self.headerSize, bytes.byteCount)..<bytes.byteCount)
    }
}

/// Reads the chunks of a packet one after the other.
struct ChunkReader: ~Escapable {
    private var reader: ByteReader
    /// Whether what is left is no chunk; nothing more is read then.
    private(set) var isMalformed = false

    /// Makes a reader of what `reader` has left.
    @_lifetime(copy reader)
    init(_ reader: ByteReader) {
        self.reader = reader
    }

    /// Whether all has been read.
    var isAtEnd: Bool { reader.remaining == 0 }

    /// The next chunk, or nil at the end or where what follows isn't one.
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    mutating func next() -> Chunk? {
        guard reader.remaining > 0, !isMalformed else { return nil }
        var head = reader
        guard let type = head.readUInt8(), let flags = head.readUInt8(), let length = head.readUInt16(),
            length >= Chunk.headerSize, let bytes = reader.readBytes(Int(length))
        else {
            isMalformed = true
            return nil
        }
        // Padding is not counted in the length; the last chunk's may be missing.
        _ = reader.skip(min(-Int(length) & 3, reader.remaining))
        return Chunk(type: type, flags: flags, bytes: bytes)
    }
}

/// A parameter or error cause: type, length, value (RFC 9260 section 3.2.1).
struct Parameter: ~Escapable {
    static let headerSize = 4

    let type: UInt16
    /// The whole parameter without padding.
    let bytes: RawSpan
    /// What follows the parameter's header.
    let value: RawSpan

    @_lifetime(copy bytes)
    init(type: UInt16, bytes: RawSpan) {
        self.type = type
        self.bytes = bytes
        value = bytes.extracting(min(Self.headerSize, bytes.byteCount)..<bytes.byteCount)
    }
}

/// Reads parameters or error causes one after the other.
struct ParameterReader: ~Escapable {
    private var reader: ByteReader
    /// Whether what is left is no parameter; nothing more is read then.
    private(set) var isMalformed = false

    /// Makes a reader of what `reader` has left.
    @_lifetime(copy reader)
    init(_ reader: ByteReader) {
        self.reader = reader
    }

    /// The next parameter, or nil at the end or where what follows isn't one.
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    mutating func next() -> Parameter? {
        guard reader.remaining > 0, !isMalformed else { return nil }
        var head = reader
        guard let type = head.readUInt16(), let length = head.readUInt16(), length >= Parameter.headerSize,
            let bytes = reader.readBytes(Int(length))
        else {
            isMalformed = true
            return nil
        }
        _ = reader.skip(min(-Int(length) & 3, reader.remaining))
        return Parameter(type: type, bytes: bytes)
    }
}
