/// What a STUN message asks for or answers (RFC 8489 section 3, RFC 8656 section 17).
public struct STUNMethod: RawRepresentable, Hashable, Sendable {
    /// The method's 12-bit number; higher bits are not sent.
    public let rawValue: UInt16

    /// Makes a method, known or not.
    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// Asks from which address a message came (RFC 8489).
    public static let binding = STUNMethod(rawValue: 0x001)
    /// Asks for a relayed address (RFC 8656 section 7).
    public static let allocate = STUNMethod(rawValue: 0x003)
    /// Prolongs or ends an allocation (RFC 8656 section 8).
    public static let refresh = STUNMethod(rawValue: 0x004)
    /// Carries data from the client to a peer (RFC 8656 section 11).
    public static let send = STUNMethod(rawValue: 0x006)
    /// Carries data from a peer to the client (RFC 8656 section 11).
    public static let data = STUNMethod(rawValue: 0x007)
    /// Lets peers send to the allocation (RFC 8656 section 10).
    public static let createPermission = STUNMethod(rawValue: 0x008)
    /// Binds a channel number to a peer (RFC 8656 section 12).
    public static let channelBind = STUNMethod(rawValue: 0x009)
}

/// The role of a STUN message in its transaction (RFC 8489 section 5).
public enum STUNClass: UInt8, Sendable, CaseIterable {
    /// Wants an answer.
    case request = 0
    /// Gets none.
    case indication = 1
    /// Answers a request that was carried out.
    case success = 2
    /// Answers a request that was not.
    case error = 3
}

/// The 96 bits that tie a response to its request (RFC 8489 section 5).
public struct TransactionID: Hashable, Sendable {
    /// The first four octets.
    public let high: UInt32
    /// The last eight octets.
    public let low: UInt64

    /// Makes a transaction ID from its first four and its last eight octets.
    @inlinable
    public init(high: UInt32, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Makes a random transaction ID.
    /// - Parameter generator: must be cryptographically strong where an off-path attacker matters (RFC 8489 section 5).
    public init(using generator: inout some RandomNumberGenerator) {
        high = generator.next()
        low = generator.next()
    }
}

/// The 20 octets at the start of every STUN message (RFC 8489 section 5).
public struct STUNHeader: Hashable, Sendable {
    /// Octets of a header.
    public static let size = 20
    /// The value that tells STUN from other protocols on the same port.
    public static let magicCookie: UInt32 = 0x2112_A442

    /// What the message asks for or answers.
    public let method: STUNMethod
    /// Request, indication, success or error.
    public let messageClass: STUNClass
    /// Octets behind the header, padding included.
    public let length: Int
    /// The transaction the message belongs to.
    public let transactionID: TransactionID

    /// Reads a header; what follows it is not looked at.
    /// - Parameter bytes: a datagram.
    /// - Throws: ``STUNParseError/truncated``, ``STUNParseError/notSTUN`` or ``STUNParseError/unalignedLength``.
    @inlinable
    public init(_ bytes: RawSpan) throws(STUNParseError) {
        guard bytes.byteCount >= Self.size else { throw .truncated }
        // RFC 8489 section 5: the top two bits of a STUN message are zero, the cookie is fixed.
        let start = UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt32.self))
        let cookie = UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 4, as: UInt32.self))
        guard start >> 30 == 0, cookie == Self.magicCookie else { throw .notSTUN }
        guard start & 3 == 0 else { throw .unalignedLength }
        let type = UInt16(truncatingIfNeeded: start >> 16)
        // The class bits C1 and C0 sit at bits 8 and 4, the method's twelve bits around them.
        switch (type >> 7 & 2) | (type >> 4 & 1) {
        case 0: messageClass = .request
        case 1: messageClass = .indication
        case 2: messageClass = .success
        default: messageClass = .error
        }
        method = STUNMethod(rawValue: type & 0xF | type >> 1 & 0x70 | type >> 2 & 0xF80)
        length = Int(start & 0xFFFF)
        transactionID = TransactionID(
            high: UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt32.self)),
            low: UInt64(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 12, as: UInt64.self)))
    }

    /// The first 16 bits of a message of this class and method.
    @inlinable
    public static func type(_ messageClass: STUNClass, _ method: STUNMethod) -> UInt16 {
        let number = method.rawValue
        let kind = UInt16(messageClass.rawValue)
        return number & 0xF | (number & 0x70) << 1 | (number & 0xF80) << 2 | (kind & 1) << 4 | (kind & 2) << 7
    }
}

/// Why bytes are not a STUN message. The sender is at fault, or the bytes are not STUN.
public enum STUNParseError: Error, Hashable, Sendable {
    /// Fewer octets than a header, or than the header announces.
    case truncated
    /// The first two bits or the magic cookie are another protocol's.
    case notSTUN
    /// The length is not a multiple of four (RFC 8489 section 5).
    case unalignedLength
    /// More octets than the header announces; a datagram holds one message (RFC 8489 section 6.2.1).
    case trailingBytes
    /// An attribute reaches beyond the message's end.
    case attributeOverrun
}
