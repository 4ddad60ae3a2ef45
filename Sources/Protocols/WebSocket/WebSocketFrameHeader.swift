import Wire

/// What a frame is (RFC 6455, section 5.2).
public enum WebSocketOpcode: UInt8, Sendable, CaseIterable {
    /// The next piece of a message.
    case continuation = 0x0
    /// A text message, or its first piece.
    case text = 0x1
    /// A binary message, or its first piece.
    case binary = 0x2
    /// The end of the connection.
    case close = 0x8
    /// To be answered by a pong of the same payload.
    case ping = 0x9
    /// The answer to a ping, or a sign of life unasked for.
    case pong = 0xA

    /// Whether it is of a control frame, which may come between the pieces of a message (section 5.5).
    @inlinable
    public var isControl: Bool { rawValue & 0x8 != 0 }
}

/// The bytes before a frame's payload (RFC 6455, section 5.2).
public struct WebSocketFrameHeader: Hashable, Sendable {
    /// Bytes of the longest header.
    public static let maximumByteCount = 14
    /// Bytes of a control frame's payload at most (section 5.5).
    public static let maximumControlPayload = 125

    /// Whether the frame is the last one of its message.
    public var isFinal: Bool
    /// What the frame is.
    public var opcode: WebSocketOpcode
    /// The four octets of the masking key as they lie in memory; nil for a frame that is not masked.
    public var mask: UInt32?
    /// Bytes of the payload.
    public var payloadByteCount: Int

    /// Makes a header.
    /// - Parameters:
    ///   - opcode: what the frame is.
    ///   - isFinal: whether it is the last one of its message.
    ///   - mask: the masking key's octets as they lie in memory; a client must give one, a server must not.
    ///   - payloadByteCount: bytes of the payload.
    @inlinable
    public init(_ opcode: WebSocketOpcode, isFinal: Bool = true, mask: UInt32? = nil, payloadByteCount: Int) {
        self.isFinal = isFinal
        self.opcode = opcode
        self.mask = mask
        self.payloadByteCount = payloadByteCount
    }

    /// Bytes of the header itself.
    @inlinable
    public var byteCount: Int {
        2 + (payloadByteCount < 126 ? 0 : payloadByteCount <= 0xFFFF ? 2 : 8) + (mask == nil ? 0 : 4)
    }

    /// Reads a header.
    /// - Parameter bytes: begin with the header, of which the end may not have come yet.
    /// - Returns: nil when more bytes are needed to tell.
    /// - Throws: what is wrong as soon as the bytes that are there show it.
    public init?(parsing bytes: RawSpan) throws(WebSocketFailure) {
        var reader = ByteReader(bytes)
        guard let first = reader.readUInt8() else { return nil }
        guard first & 0x70 == 0 else { throw .reservedBits }
        guard let opcode = WebSocketOpcode(rawValue: first & 0x0F) else { throw .unknownOpcode }
        isFinal = first & 0x80 != 0
        self.opcode = opcode
        guard isFinal || !opcode.isControl else { throw .malformedControlFrame }
        guard let second = reader.readUInt8() else { return nil }
        guard second & 0x7F <= Self.maximumControlPayload || !opcode.isControl else { throw .malformedControlFrame }
        switch second & 0x7F {
        case 126:
            guard let length = reader.readUInt16() else { return nil }
            guard length >= 126 else { throw .malformedLength }
            payloadByteCount = Int(length)
        case 127:
            guard let length = reader.readUInt64() else { return nil }
            guard length > 0xFFFF, let count = Int(exactly: length) else { throw .malformedLength }
            payloadByteCount = count
        case let length:
            payloadByteCount = Int(length)
        }
        mask = nil
        if second & 0x80 != 0 {
            guard let key = reader.readUInt32() else { return nil }
            mask = key.bigEndian
        }
    }

    /// Appends the header's bytes.
    @inlinable
    public func write(to bytes: inout [UInt8]) {
        bytes.append((isFinal ? 0x80 : 0) | opcode.rawValue)
        let marker: UInt8 = mask == nil ? 0 : 0x80
        switch payloadByteCount {
        case ..<126:
            bytes.append(marker | UInt8(truncatingIfNeeded: payloadByteCount))
        case ...0xFFFF:
            bytes.append(marker | 126)
            withUnsafeBytes(of: UInt16(truncatingIfNeeded: payloadByteCount).bigEndian) { bytes.append(contentsOf: $0) }
        default:
            bytes.append(marker | 127)
            withUnsafeBytes(of: UInt64(payloadByteCount).bigEndian) { bytes.append(contentsOf: $0) }
        }
        if let mask { withUnsafeBytes(of: mask) { bytes.append(contentsOf: $0) } }
    }
}

extension [UInt8] {
    /// Appends a server's frame: one piece, not masked (RFC 6455, sections 5.1 and 5.2).
    /// - Parameters:
    ///   - opcode: what the frame is.
    ///   - payload: its payload; of a control frame 125 bytes at most.
    public mutating func appendWebSocketFrame(_ opcode: WebSocketOpcode, _ payload: RawSpan) {
        WebSocketFrameHeader(opcode, payloadByteCount: payload.byteCount).write(to: &self)
        payload.withUnsafeBytes { append(contentsOf: $0) }
    }

    /// Appends a server's close frame (RFC 6455, section 5.5.1).
    /// - Parameters:
    ///   - code: why the connection is closed.
    ///   - reason: the same in words; cut at the end of a character to what a control frame takes.
    public mutating func appendWebSocketClose(_ code: WebSocketCloseCode, reason: String) {
        var payload = [UInt8(truncatingIfNeeded: code.rawValue >> 8), UInt8(truncatingIfNeeded: code.rawValue)]
        for scalar in reason.unicodeScalars {
            let encoded = UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            guard payload.count + encoded.count <= WebSocketFrameHeader.maximumControlPayload else { break }
            payload.append(contentsOf: encoded)
        }
        appendWebSocketFrame(.close, payload.span.bytes)
    }
}
