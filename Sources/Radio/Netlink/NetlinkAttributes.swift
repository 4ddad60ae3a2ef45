public import Wire

/// One attribute of a netlink message (`struct nlattr`, linux/netlink.h), borrowed.
public struct NetlinkAttribute: ~Escapable {
    /// `NLA_F_NESTED`: the payload is attributes.
    public static let nestedFlag: UInt16 = 0x8000
    /// `NLA_F_NET_BYTEORDER`: the payload is in network order.
    public static let networkOrderFlag: UInt16 = 0x4000
    /// Octets of an attribute's header.
    public static let headerSize = 4
    /// Octets of payload at most: the header's length has 16 bits.
    public static let maximumPayload = 0xffff - headerSize

    /// Which attribute, without the two flags.
    public let type: UInt16
    /// Its octets, without padding.
    public let payload: RawSpan

    @_lifetime(copy payload)
    init(type: UInt16, payload: RawSpan) {
        self.type = type
        self.payload = payload
    }

    /// The payload as one octet; nil when it is shorter.
    public var uint8: UInt8? { payload.uint8(at: 0) }
    /// The payload as one signed octet; nil when it is shorter.
    public var int8: Int8? { payload.uint8(at: 0).map { Int8(bitPattern: $0) } }
    /// The payload as two octets; nil when it is shorter.
    public var uint16: UInt16? { payload.hostUInt16(at: 0) }
    /// The payload as four octets; nil when it is shorter.
    public var uint32: UInt32? { payload.hostUInt32(at: 0) }
    /// The payload as four octets with a sign; nil when it is shorter.
    public var int32: Int32? { payload.hostUInt32(at: 0).map { Int32(bitPattern: $0) } }
    /// The payload as eight octets; nil when it is shorter.
    public var uint64: UInt64? { payload.hostUInt64(at: 0) }
    /// A copy of the payload.
    public var bytes: [UInt8] { payload.copied }
    /// The payload as a MAC address; nil when it is not six octets.
    public var macAddress: MACAddress? { payload.byteCount == MACAddress.byteCount ? MACAddress(bytes) : nil }
    /// The payload as text, up to its first zero octet; what is not UTF-8 is replaced.
    public var string: String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    /// The payload as four-octet integers; an incomplete last one is left out.
    public var uint32s: [UInt32] {
        (0..<(payload.byteCount / 4)).compactMap { payload.hostUInt32(at: 4 * $0) }
    }
    /// The payload as attributes.
    public var nested: NetlinkAttributes {
        @_lifetime(copy self)
        get { NetlinkAttributes(payload) }
    }
}

/// Reads attributes one after another. A header that does not fit its place ends the reading.
public struct NetlinkAttributes: ~Escapable {
    private let bytes: RawSpan
    private var position = 0
    /// Whether an attribute was cut off or said nonsense; those before it were read.
    public private(set) var isMalformed = false

    /// Makes a reader.
    /// - Parameter bytes: attributes, from the first octet of the first one.
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) {
        self.bytes = bytes
    }

    /// The next attribute; nil after the last, or when the rest cannot be read.
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    public mutating func next() -> NetlinkAttribute? {
        // Less than a header is padding of the last one.
        guard bytes.byteCount - position >= NetlinkAttribute.headerSize else {
            if position < bytes.byteCount { isMalformed = true }
            position = bytes.byteCount
            return nil
        }
        guard let length = bytes.hostUInt16(at: position), let type = bytes.hostUInt16(at: position + 2),
            Int(length) >= NetlinkAttribute.headerSize, Int(length) <= bytes.byteCount - position
        else {
            isMalformed = true
            position = bytes.byteCount
            return nil
        }
        let payload = bytes.extracting((position + NetlinkAttribute.headerSize)..<(position + Int(length)))
        position = min(bytes.byteCount, position + netlinkAligned(Int(length)))
        return NetlinkAttribute(
            type: type & ~(NetlinkAttribute.nestedFlag | NetlinkAttribute.networkOrderFlag), payload: payload)
    }

    /// The first attribute of a type, from the present place on.
    /// - Parameter type: which one.
    @_lifetime(copy self)
    public func first(_ type: UInt16) -> NetlinkAttribute? {
        var reader = NetlinkAttributes(bytes.extracting(position..<bytes.byteCount))
        while let attribute = reader.next() {
            if attribute.type == type { return attribute }
        }
        return nil
    }
}

extension NetlinkAttributes {
    /// A reader of the same attributes, from the present place on.
    @_lifetime(copy self)
    public func again() -> NetlinkAttributes { self }
}
