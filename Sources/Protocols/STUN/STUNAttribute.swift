public import Wire

/// The kind of a STUN attribute (RFC 8489 section 18.3, RFC 8656 section 18, RFC 8445 section 16.1).
public struct STUNAttributeType: RawRepresentable, Hashable, Sendable {
    /// The type's number.
    public let rawValue: UInt16

    /// Makes a type, known or not.
    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// Whether a receiver that does not know the type may ignore it (RFC 8489 section 14).
    @inlinable
    public var isOptional: Bool { rawValue >= 0x8000 }

    // RFC 8489.

    /// The sender's address as the server sees it, in the clear.
    public static let mappedAddress = STUNAttributeType(rawValue: 0x0001)
    /// Who authenticates.
    public static let username = STUNAttributeType(rawValue: 0x0006)
    /// An HMAC-SHA1 over what comes before.
    public static let messageIntegrity = STUNAttributeType(rawValue: 0x0008)
    /// Why a request was refused.
    public static let errorCode = STUNAttributeType(rawValue: 0x0009)
    /// The attributes a request was refused for.
    public static let unknownAttributes = STUNAttributeType(rawValue: 0x000A)
    /// Where the credentials are valid.
    public static let realm = STUNAttributeType(rawValue: 0x0014)
    /// A server's challenge, given back by the client.
    public static let nonce = STUNAttributeType(rawValue: 0x0015)
    /// An HMAC-SHA256 over what comes before.
    public static let messageIntegritySHA256 = STUNAttributeType(rawValue: 0x001C)
    /// How the client made its key.
    public static let passwordAlgorithm = STUNAttributeType(rawValue: 0x001D)
    /// Who authenticates, as a hash.
    public static let userhash = STUNAttributeType(rawValue: 0x001E)
    /// The sender's address as the server sees it, hidden from meddling NATs.
    public static let xorMappedAddress = STUNAttributeType(rawValue: 0x0020)
    /// How a client may make its key.
    public static let passwordAlgorithms = STUNAttributeType(rawValue: 0x8002)
    /// The name of an alternate server.
    public static let alternateDomain = STUNAttributeType(rawValue: 0x8003)
    /// What software sent the message.
    public static let software = STUNAttributeType(rawValue: 0x8022)
    /// Where else to ask.
    public static let alternateServer = STUNAttributeType(rawValue: 0x8023)
    /// A CRC-32 that tells STUN from other protocols.
    public static let fingerprint = STUNAttributeType(rawValue: 0x8028)

    // RFC 8656 (TURN).

    /// The number of a channel.
    public static let channelNumber = STUNAttributeType(rawValue: 0x000C)
    /// How long an allocation lives, in seconds.
    public static let lifetime = STUNAttributeType(rawValue: 0x000D)
    /// The address of a peer.
    public static let xorPeerAddress = STUNAttributeType(rawValue: 0x0012)
    /// Application data.
    public static let data = STUNAttributeType(rawValue: 0x0013)
    /// The relayed address of an allocation.
    public static let xorRelayedAddress = STUNAttributeType(rawValue: 0x0016)
    /// The family the relayed address should have.
    public static let requestedAddressFamily = STUNAttributeType(rawValue: 0x0017)
    /// Asks for an even port, and perhaps for the next one too.
    public static let evenPort = STUNAttributeType(rawValue: 0x0018)
    /// The protocol between server and peer.
    public static let requestedTransport = STUNAttributeType(rawValue: 0x0019)
    /// Asks that data is not fragmented on its way to the peer.
    public static let dontFragment = STUNAttributeType(rawValue: 0x001A)
    /// Names a port set aside earlier.
    public static let reservationToken = STUNAttributeType(rawValue: 0x0022)
    /// Asks for a second relayed address of the other family.
    public static let additionalAddressFamily = STUNAttributeType(rawValue: 0x8000)
    /// Why an address of a family could not be had.
    public static let addressErrorCode = STUNAttributeType(rawValue: 0x8001)
    /// An ICMP error that came for data sent to a peer.
    public static let icmp = STUNAttributeType(rawValue: 0x8004)

    // RFC 8445 (ICE).

    /// The priority a peer-reflexive candidate would have.
    public static let priority = STUNAttributeType(rawValue: 0x0024)
    /// The controlling agent nominates this pair.
    public static let useCandidate = STUNAttributeType(rawValue: 0x0025)
    /// The sender is the controlled agent; holds its tie-breaker.
    public static let iceControlled = STUNAttributeType(rawValue: 0x8029)
    /// The sender is the controlling agent; holds its tie-breaker.
    public static let iceControlling = STUNAttributeType(rawValue: 0x802A)
}

/// The family of an address on the wire (RFC 8489 section 14.1).
public enum STUNAddressFamily: UInt8, Sendable {
    /// IPv4.
    case v4 = 0x01
    /// IPv6.
    case v6 = 0x02
}

/// One attribute of a ``STUNMessage``, its value borrowed.
///
/// The members that read the value answer nil when it has not the form they expect.
public struct STUNAttribute: ~Escapable {
    /// The attribute's kind.
    public let type: STUNAttributeType
    /// Its value without padding.
    public let value: RawSpan
    /// Where the value starts, counted from the message's first byte.
    public let valueOffset: Int

    @inlinable
    @_lifetime(copy value)
    init(type: STUNAttributeType, value: RawSpan, valueOffset: Int) {
        self.type = type
        self.value = value
        self.valueOffset = valueOffset
    }

    /// The value as one octet, reserved octets behind it ignored, as REQUESTED-TRANSPORT, EVEN-PORT and the
    /// address-family attributes have it (RFC 8656 section 18).
    public var leadingOctet: UInt8? {
        var reader = ByteReader(value)
        return reader.readUInt8()
    }

    /// The value as a 32-bit number, as LIFETIME and PRIORITY have it.
    public var uint32: UInt32? {
        guard value.byteCount == 4 else { return nil }
        var reader = ByteReader(value)
        return reader.readUInt32()
    }

    /// The value as a 64-bit number, as RESERVATION-TOKEN and the ICE tie-breakers have it.
    public var uint64: UInt64? {
        guard value.byteCount == 8 else { return nil }
        var reader = ByteReader(value)
        return reader.readUInt64()
    }

    /// The value of CHANNEL-NUMBER: 16 bits, then 16 reserved ones (RFC 8656 section 18.1).
    public var channelNumber: UInt16? {
        guard value.byteCount == 4 else { return nil }
        var reader = ByteReader(value)
        return reader.readUInt16()
    }

    /// The value as text, or nil when it is not UTF-8.
    public var text: String? {
        value.withUnsafeBytes { String(validating: $0, as: UTF8.self) }
    }

    /// The value as an address in the clear (RFC 8489 section 14.1).
    public var address: TransportAddress? {
        addressMasked(port: 0, high: 0, middle: 0, low: 0)
    }

    /// The value as an address masked by the cookie and, for IPv6, the transaction (RFC 8489 section 14.2).
    /// - Parameter transactionID: the message's.
    public func xorAddress(_ transactionID: TransactionID) -> TransportAddress? {
        addressMasked(
            port: UInt16(STUNHeader.magicCookie >> 16), high: STUNHeader.magicCookie, middle: transactionID.high,
            low: transactionID.low)
    }

    private func addressMasked(port: UInt16, high: UInt32, middle: UInt32, low: UInt64) -> TransportAddress? {
        var reader = ByteReader(value)
        guard reader.skip(1), let family = reader.readUInt8().flatMap(STUNAddressFamily.init(rawValue:)),
            let maskedPort = reader.readUInt16()
        else { return nil }
        switch family {
        case .v4:
            guard reader.remaining == 4, let first = reader.readUInt32() else { return nil }
            return TransportAddress(.v4(first ^ high), port: maskedPort ^ port)
        case .v6:
            guard reader.remaining == 16, let first = reader.readUInt64(), let last = reader.readUInt64() else {
                return nil
            }
            let mask = UInt64(high) << 32 | UInt64(middle)
            return TransportAddress(.v6(first ^ mask, last ^ low), port: maskedPort ^ port)
        }
    }

    /// The value of ERROR-CODE (RFC 8489 section 14.8), without its reason phrase.
    public var errorCode: STUNErrorCode? {
        var reader = ByteReader(value)
        guard reader.skip(2), let hundreds = reader.readUInt8(), let rest = reader.readUInt8(),
            (3...6).contains(hundreds & 7), rest < 100
        else { return nil }
        return STUNErrorCode(rawValue: UInt16(hundreds & 7) * 100 + UInt16(rest))
    }

    /// The reason phrase of ERROR-CODE, or nil when it is not UTF-8.
    public var errorReason: String? {
        guard value.byteCount >= 4 else { return nil }
        return value.extracting(4..<value.byteCount).withUnsafeBytes { String(validating: $0, as: UTF8.self) }
    }

    /// The value of UNKNOWN-ATTRIBUTES (RFC 8489 section 14.9).
    public var attributeTypes: [STUNAttributeType]? {
        guard value.byteCount % 2 == 0 else { return nil }
        var reader = ByteReader(value)
        var types: [STUNAttributeType] = []
        while let type = reader.readUInt16() { types.append(STUNAttributeType(rawValue: type)) }
        return types
    }

    /// The value of PASSWORD-ALGORITHMS, or of PASSWORD-ALGORITHM as a list of one (RFC 8489 sections 14.11 and
    /// 14.12). Parameters are passed over: no algorithm known today has any.
    public var passwordAlgorithms: [STUNPasswordAlgorithm]? {
        var reader = ByteReader(value)
        var algorithms: [STUNPasswordAlgorithm] = []
        while reader.remaining > 0 {
            guard let number = reader.readUInt16(), let length = reader.readUInt16(), reader.skip(Int(length)) else {
                return nil
            }
            // Some leave out the padding behind the last one.
            _ = reader.skip(min(-Int(length) & 3, reader.remaining))
            algorithms.append(STUNPasswordAlgorithm(rawValue: number))
        }
        return algorithms
    }
}

/// Why a request was refused (RFC 8489 section 14.8, RFC 8656 section 19, RFC 8445 section 7.3.1.1).
public struct STUNErrorCode: RawRepresentable, Hashable, Sendable {
    /// The code, 300 to 699.
    public let rawValue: UInt16

    /// Makes a code, known or not.
    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// Ask another server.
    public static let tryAlternate = STUNErrorCode(rawValue: 300)
    /// The request is malformed.
    public static let badRequest = STUNErrorCode(rawValue: 400)
    /// The request lacks credentials, or they are wrong.
    public static let unauthenticated = STUNErrorCode(rawValue: 401)
    /// The server's policy forbids it.
    public static let forbidden = STUNErrorCode(rawValue: 403)
    /// A comprehension-required attribute is not known.
    public static let unknownAttribute = STUNErrorCode(rawValue: 420)
    /// There is no such allocation, or already one.
    public static let allocationMismatch = STUNErrorCode(rawValue: 437)
    /// The nonce is no longer valid.
    public static let staleNonce = STUNErrorCode(rawValue: 438)
    /// The address family is not served.
    public static let addressFamilyNotSupported = STUNErrorCode(rawValue: 440)
    /// The allocation belongs to other credentials.
    public static let wrongCredentials = STUNErrorCode(rawValue: 441)
    /// The transport between server and peer is not served.
    public static let unsupportedTransport = STUNErrorCode(rawValue: 442)
    /// The peer's family is not the allocation's.
    public static let peerAddressFamilyMismatch = STUNErrorCode(rawValue: 443)
    /// This user has as many allocations as it may.
    public static let allocationQuotaReached = STUNErrorCode(rawValue: 486)
    /// Both ICE agents took the same role.
    public static let roleConflict = STUNErrorCode(rawValue: 487)
    /// The server failed for now.
    public static let serverError = STUNErrorCode(rawValue: 500)
    /// The server has nothing left to give.
    public static let insufficientCapacity = STUNErrorCode(rawValue: 508)

    /// The reason phrase the standards recommend.
    public var reason: String {
        switch self {
        case .tryAlternate: "Try Alternate"
        case .badRequest: "Bad Request"
        case .unauthenticated: "Unauthenticated"
        case .forbidden: "Forbidden"
        case .unknownAttribute: "Unknown Attribute"
        case .allocationMismatch: "Allocation Mismatch"
        case .staleNonce: "Stale Nonce"
        case .addressFamilyNotSupported: "Address Family not Supported"
        case .wrongCredentials: "Wrong Credentials"
        case .unsupportedTransport: "Unsupported Transport Protocol"
        case .peerAddressFamilyMismatch: "Peer Address Family Mismatch"
        case .allocationQuotaReached: "Allocation Quota Reached"
        case .roleConflict: "Role Conflict"
        case .serverError: "Server Error"
        case .insufficientCapacity: "Insufficient Capacity"
        default: "Error"
        }
    }
}
