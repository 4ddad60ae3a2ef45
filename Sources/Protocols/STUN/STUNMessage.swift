/// A STUN message in memory it only borrows: the header and every attribute were checked to fit, nothing was copied
/// and nothing judged.
public struct STUNMessage: ~Escapable {
    /// The whole message.
    public let bytes: RawSpan
    /// Its header.
    public let header: STUNHeader
    /// Where the attributes end that count; a MESSAGE-INTEGRITY or FINGERPRINT sets the end.
    @usableFromInline let meaningfulEnd: Int
    /// Offsets of the first attribute of each kind; 0 where there is none.
    @usableFromInline let integrityOffset: Int
    @usableFromInline let integritySHA256Offset: Int
    @usableFromInline let fingerprintOffset: Int

    /// Reads a message that fills `bytes`.
    /// - Parameter bytes: a datagram.
    /// - Throws: what is wrong with the bytes.
    @inlinable
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) throws(STUNParseError) {
        let header = try STUNHeader(bytes)
        let end = STUNHeader.size + header.length
        guard bytes.byteCount >= end else { throw .truncated }
        guard bytes.byteCount == end else { throw .trailingBytes }
        var integrity = 0
        var integritySHA256 = 0
        var fingerprint = 0
        var meaningful = end
        var offset = STUNHeader.size
        while offset < end {
            // The header's length is a multiple of four and so is each step, so four octets are there.
            guard end - offset >= 4 else { throw .attributeOverrun }
            let start = UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
            let next = offset + 4 + (Int(start & 0xFFFF) + 3) & ~3
            guard next <= end else { throw .attributeOverrun }
            // RFC 8489 sections 14.5 to 14.7: what follows an integrity attribute is ignored, but for the
            // SHA-256 one behind the SHA-1 one and for FINGERPRINT.
            if fingerprint == 0 {
                switch STUNAttributeType(rawValue: UInt16(truncatingIfNeeded: start >> 16)) {
                case .messageIntegrity where integrity == 0 && integritySHA256 == 0:
                    integrity = offset
                    meaningful = min(meaningful, offset)
                case .messageIntegritySHA256 where integritySHA256 == 0:
                    integritySHA256 = offset
                    meaningful = min(meaningful, offset)
                case .fingerprint:
                    fingerprint = offset
                    meaningful = min(meaningful, offset)
                default: break
                }
            }
            offset = next
        }
        self.bytes = bytes
        self.header = header
        meaningfulEnd = meaningful
        integrityOffset = integrity
        integritySHA256Offset = integritySHA256
        fingerprintOffset = fingerprint
    }

    /// What the message asks for or answers.
    @inlinable
    public var method: STUNMethod { header.method }

    /// Request, indication, success or error.
    @inlinable
    public var messageClass: STUNClass { header.messageClass }

    /// The transaction the message belongs to.
    @inlinable
    public var transactionID: TransactionID { header.transactionID }

    /// Whether a MESSAGE-INTEGRITY attribute is there; ``isIntact(key:)`` says whether it is right.
    @inlinable
    public var hasIntegrity: Bool { integrityOffset > 0 }

    /// Whether a MESSAGE-INTEGRITY-SHA256 attribute is there; ``isIntactSHA256(key:)`` says whether it is right.
    @inlinable
    public var hasIntegritySHA256: Bool { integritySHA256Offset > 0 }

    /// Whether a FINGERPRINT attribute is there; ``isFingerprintValid`` says whether it is right.
    @inlinable
    public var hasFingerprint: Bool { fingerprintOffset > 0 }

    /// Every attribute in the message's order, unknown, repeated and ignored ones included.
    @inlinable
    public var attributes: STUNAttributes {
        @_lifetime(copy self) get { STUNAttributes(bytes, from: STUNHeader.size, to: bytes.byteCount) }
    }

    /// The attributes a receiver goes by: those before the first integrity attribute or fingerprint
    /// (RFC 8489 section 14.5).
    @inlinable
    public var meaningfulAttributes: STUNAttributes {
        @_lifetime(copy self) get { STUNAttributes(bytes, from: STUNHeader.size, to: meaningfulEnd) }
    }

    /// The first attribute of a type among the meaningful ones; later ones of its type do not count
    /// (RFC 8489 section 14).
    @inlinable
    @_lifetime(copy self)
    public func first(_ type: STUNAttributeType) -> STUNAttribute? {
        var attributes = meaningfulAttributes
        while let attribute = attributes.next() {
            if attribute.type == type { return attribute }
        }
        return nil
    }
}

/// Walks the attributes of a ``STUNMessage``.
public struct STUNAttributes: ~Escapable {
    @usableFromInline let bytes: RawSpan
    @usableFromInline let end: Int
    @usableFromInline var offset: Int

    @inlinable
    @_lifetime(copy bytes)
    init(_ bytes: RawSpan, from start: Int, to end: Int) {
        self.bytes = bytes
        self.end = end
        offset = start
    }

    /// The next attribute, or nil behind the last one.
    @inlinable
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    public mutating func next() -> STUNAttribute? {
        guard end - offset >= 4 else { return nil }
        let start = UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
        let length = Int(start & 0xFFFF)
        let position = offset
        guard end - position - 4 >= length else { return nil }
        offset = position + 4 + (length + 3) & ~3
        return STUNAttribute(
            type: STUNAttributeType(rawValue: UInt16(truncatingIfNeeded: start >> 16)),
            value: bytes.extracting((position + 4)..<(position + 4 + length)), valueOffset: position + 4)
    }
}
