public import Wire

/// Writes one STUN message, attribute by attribute; after each one the bytes are a valid message.
public struct STUNWriter: Sendable {
    private var writer: ByteWriter
    private let start: Int
    private let transactionID: TransactionID
    /// Whether an attribute was left out because the message would have outgrown its 16-bit length.
    public private(set) var isFull = false

    /// Starts a message.
    /// - Parameters:
    ///   - messageClass: request, indication, success or error.
    ///   - method: what it asks for or answers.
    ///   - transactionID: its transaction.
    ///   - buffer: what to append the message to; ``finish()`` gives it back.
    public init(
        _ messageClass: STUNClass, _ method: STUNMethod, _ transactionID: TransactionID,
        appendingTo buffer: consuming ByteWriter = ByteWriter(capacity: 128)
    ) {
        start = buffer.count
        writer = buffer
        self.transactionID = transactionID
        writer.write(STUNHeader.type(messageClass, method))
        writer.write(UInt16(0))
        writer.write(STUNHeader.magicCookie)
        writer.write(transactionID.high)
        writer.write(transactionID.low)
    }

    /// Ends the message.
    /// - Returns: the buffer given at the start with the message behind what it held.
    public consuming func finish() -> ByteWriter {
        writer
    }

    /// The message so far.
    public var bytes: ArraySlice<UInt8> { writer.bytes[start...] }

    /// Appends an attribute whose value `body` writes, `count` bytes.
    private mutating func append(_ type: STUNAttributeType, count: Int, _ body: (inout ByteWriter) -> Void) {
        let length = writer.count - start - STUNHeader.size + 4 + (count + 3) & ~3
        guard let size = UInt16(exactly: count), let total = UInt16(exactly: length) else {
            isFull = true
            return
        }
        writer.write(type.rawValue)
        writer.write(size)
        body(&writer)
        // RFC 8489 section 14: padding to four octets is not counted in the attribute's length.
        writer.writeZeros(-count & 3)
        writer.overwrite(total, at: start + 2)
    }

    /// Appends an attribute without a value, such as USE-CANDIDATE.
    public mutating func append(_ type: STUNAttributeType) {
        append(type, count: 0) { _ in }
    }

    /// Appends an attribute with the value `bytes`.
    public mutating func append(_ type: STUNAttributeType, bytes: some Collection<UInt8>) {
        append(type, count: bytes.count) { $0.write(bytes: bytes) }
    }

    /// Appends an attribute with the value `bytes`.
    public mutating func append(_ type: STUNAttributeType, _ bytes: RawSpan) {
        bytes.withUnsafeBytes { append(type, bytes: $0) }
    }

    /// Appends an attribute with text as its value, in UTF-8.
    public mutating func append(_ type: STUNAttributeType, text: String) {
        append(type, bytes: text.utf8)
    }

    /// Appends an attribute with a 32-bit value.
    public mutating func append(_ type: STUNAttributeType, uint32: UInt32) {
        append(type, count: 4) { $0.write(uint32) }
    }

    /// Appends an attribute with a 64-bit value.
    public mutating func append(_ type: STUNAttributeType, uint64: UInt64) {
        append(type, count: 8) { $0.write(uint64) }
    }

    /// Appends an attribute with an address in the clear (RFC 8489 section 14.1).
    public mutating func append(_ type: STUNAttributeType, address: TransportAddress) {
        append(type, address, port: 0, high: 0, middle: 0, low: 0)
    }

    /// Appends an attribute with an address masked by cookie and transaction (RFC 8489 section 14.2).
    public mutating func append(_ type: STUNAttributeType, xorAddress address: TransportAddress) {
        append(
            type, address, port: UInt16(STUNHeader.magicCookie >> 16), high: STUNHeader.magicCookie,
            middle: transactionID.high, low: transactionID.low)
    }

    private mutating func append(
        _ type: STUNAttributeType, _ address: TransportAddress, port: UInt16, high: UInt32, middle: UInt32, low: UInt64
    ) {
        switch address.address {
        case .v4(let value):
            append(type, count: 8) {
                $0.write(UInt16(STUNAddressFamily.v4.rawValue))
                $0.write(address.port ^ port)
                $0.write(value ^ high)
            }
        case .v6(let first, let last):
            append(type, count: 20) {
                $0.write(UInt16(STUNAddressFamily.v6.rawValue))
                $0.write(address.port ^ port)
                $0.write(first ^ (UInt64(high) << 32 | UInt64(middle)))
                $0.write(last ^ low)
            }
        }
    }

    /// Appends ERROR-CODE (RFC 8489 section 14.8).
    /// - Parameters:
    ///   - code: why the request is refused.
    ///   - reason: a phrase for people; the recommended one unless given.
    public mutating func append(_ code: STUNErrorCode, reason: String? = nil) {
        let reason = reason ?? code.reason
        append(.errorCode, count: 4 + reason.utf8.count) {
            $0.write(UInt16(0))
            $0.write(UInt8(truncatingIfNeeded: code.rawValue / 100))
            $0.write(UInt8(truncatingIfNeeded: code.rawValue % 100))
            $0.write(bytes: reason.utf8)
        }
    }

    /// Appends UNKNOWN-ATTRIBUTES (RFC 8489 section 14.9).
    public mutating func append(unknownAttributes types: [STUNAttributeType]) {
        append(.unknownAttributes, count: 2 * types.count) {
            for type in types { $0.write(type.rawValue) }
        }
    }

    /// Appends PASSWORD-ALGORITHMS or PASSWORD-ALGORITHM (RFC 8489 sections 14.11 and 14.12).
    public mutating func append(_ type: STUNAttributeType, algorithms: [STUNPasswordAlgorithm]) {
        append(type, count: 4 * algorithms.count) {
            for algorithm in algorithms {
                $0.write(algorithm.rawValue)
                $0.write(UInt16(0))
            }
        }
    }

    /// Appends MESSAGE-INTEGRITY over what was written so far (RFC 8489 section 14.5).
    public mutating func appendIntegrity(key: STUNKey) {
        // The hash covers the header with a length that already counts this attribute.
        sealed(count: 20) { key.sha1($0, announcing: $1) }.map { append(.messageIntegrity, bytes: $0) }
    }

    /// Appends MESSAGE-INTEGRITY-SHA256 over what was written so far (RFC 8489 section 14.6).
    /// - Parameters:
    ///   - key: the shared secret.
    ///   - count: how many octets of the hash to send: 16 to 32, a multiple of four.
    public mutating func appendIntegritySHA256(key: STUNKey, count: Int = 32) {
        let count = min(32, max(16, count & ~3))
        sealed(count: count) { key.sha256($0, announcing: $1) }
            .map { append(.messageIntegritySHA256, bytes: $0.prefix(count)) }
    }

    /// Appends FINGERPRINT over what was written so far (RFC 8489 section 14.7); nothing may follow it.
    public mutating func appendFingerprint() {
        sealed(count: 4) { STUNFingerprint.value($0, announcing: $1) }.map { append(.fingerprint, uint32: $0) }
    }

    private func sealed<Seal>(count: Int, _ body: (RawSpan, UInt16) -> Seal) -> Seal? {
        guard let total = UInt16(exactly: writer.count - start - STUNHeader.size + 4 + count) else { return nil }
        let span = writer.bytes.span.bytes
        return body(span.extracting(start..<span.byteCount), total)
    }
}
