import Wire

/// Appending of network-order integers to the bytes of packets. `ByteWriter` has no room for the checksum, which is written
/// last.
extension [UInt8] {
    @inline(__always)
    mutating func write<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    /// Two eight-octet words at once: the head of most chunks.
    @inline(__always)
    mutating func write(_ high: UInt64, _ low: UInt64) {
        Swift.withUnsafeBytes(of: SIMD2(high.bigEndian, low.bigEndian)) { append(contentsOf: $0) }
    }

    mutating func writeZeros(_ count: Int) {
        append(contentsOf: repeatElement(0, count: Swift.max(0, count)))
    }

    /// Writes two octets over ones written before.
    mutating func overwrite(_ value: UInt16, at offset: Int) {
        self[offset] = UInt8(truncatingIfNeeded: value >> 8)
        self[offset + 1] = UInt8(truncatingIfNeeded: value)
    }

    mutating func write(chunk type: ChunkType, flags: UInt8 = 0, length: Int) {
        write(UInt32(type.rawValue) << 24 | UInt32(flags) << 16 | UInt32(UInt16(truncatingIfNeeded: length)))
    }

    mutating func write(parameter type: UInt16, length: Int) {
        write(UInt32(type) << 16 | UInt32(UInt16(truncatingIfNeeded: length)))
    }

    /// The head of a DATA chunk (RFC 9260 section 3.3.1); payload and padding come behind it.
    @inline(__always)
    mutating func writeDataHeader(
        flags: DataChunk.Flags, tsn: TSN, stream: UInt16, ssn: UInt16, ppid: UInt32, length: Int
    ) {
        let size = UInt16(truncatingIfNeeded: DataChunk.headerSize + length)
        let head = UInt32(ChunkType.data.rawValue) << 24 | UInt32(flags.rawValue) << 16 | UInt32(size)
        write(
            UInt64(head) << 32 | UInt64(tsn.value),
            UInt64(stream) << 48 | UInt64(ssn) << 32 | UInt64(ppid))
    }

    /// An INIT or INIT ACK chunk (RFC 9260 sections 3.3.2 and 3.3.3).
    /// - Parameters:
    ///   - type: which of the two.
    ///   - handshake: what this side tells of itself.
    ///   - cookie: the state cookie of an INIT ACK, else empty.
    ///   - unrecognized: whole parameters of the peer's INIT to report, each padded.
    mutating func writeHandshake(_ type: ChunkType, _ handshake: Handshake, cookie: [UInt8], unrecognized: [UInt8]) {
        let start = count
        write(chunk: type, length: 0)
        write(handshake.initiateTag)
        write(handshake.window)
        write(handshake.outgoingStreams)
        write(handshake.incomingStreams)
        write(handshake.initialTSN.value)
        if !cookie.isEmpty {
            write(parameter: HandshakeParameter.stateCookie.rawValue, length: Parameter.headerSize + cookie.count)
            append(contentsOf: cookie)
            writeZeros(-cookie.count & 3)
        }
        if handshake.capabilities.contains(.forwardTSN) {
            write(parameter: HandshakeParameter.forwardTSNSupported.rawValue, length: Parameter.headerSize)
        }
        var extensions: [ChunkType] = []
        if handshake.capabilities.contains(.reconfiguration) { extensions.append(.reconfiguration) }
        if handshake.capabilities.contains(.forwardTSN) { extensions.append(.forwardTSN) }
        if !extensions.isEmpty {
            write(
                parameter: HandshakeParameter.supportedExtensions.rawValue,
                length: Parameter.headerSize + extensions.count)
            for type in extensions { append(type.rawValue) }
            writeZeros(-extensions.count & 3)
        }
        if handshake.capabilities.contains(.zeroChecksum) {
            write(parameter: HandshakeParameter.zeroChecksumAcceptable.rawValue, length: Parameter.headerSize + 4)
            write(HandshakeParameter.dtls)
        }
        var unreported = ParameterReader(ByteReader(unrecognized.span.bytes))
        while let parameter = unreported.next() {
            write(
                parameter: HandshakeParameter.unrecognized.rawValue,
                length: Parameter.headerSize + parameter.bytes.byteCount)
            parameter.bytes.withUnsafeBytes { append(contentsOf: $0) }
            writeZeros(-parameter.bytes.byteCount & 3)
        }
        overwrite(UInt16(truncatingIfNeeded: count - start), at: start + 2)
    }

    /// An error cause (RFC 9260 section 3.3.10) with its padding.
    mutating func write(cause: ErrorCause, _ value: RawSpan) {
        write(parameter: cause.rawValue, length: Parameter.headerSize + value.byteCount)
        value.withUnsafeBytes { append(contentsOf: $0) }
        writeZeros(-value.byteCount & 3)
    }

    /// A RE-CONFIG chunk that asks for a reset of outgoing streams (RFC 6525 section 4.1).
    mutating func writeOutgoingReset(
        sequence: UInt32, responseSequence: UInt32, lastTSN: TSN, streams: some Collection<UInt16>
    ) {
        let length = OutgoingResetRequest.headerSize + 2 * streams.count
        write(chunk: .reconfiguration, length: Chunk.headerSize + length)
        write(parameter: ReconfigurationParameter.outgoingReset.rawValue, length: length)
        write(sequence)
        write(responseSequence)
        write(lastTSN.value)
        for stream in streams { write(stream) }
        writeZeros(-length & 3)
    }

    /// A RE-CONFIG chunk that answers a request (RFC 6525 section 4.4).
    mutating func writeReconfigurationResponse(sequence: UInt32, result: ReconfigurationResult) {
        write(chunk: .reconfiguration, length: Chunk.headerSize + 12)
        write(parameter: ReconfigurationParameter.response.rawValue, length: 12)
        write(sequence)
        write(result.rawValue)
    }
}
