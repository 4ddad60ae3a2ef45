/// The flags of a netlink message (`nlmsg_flags`, linux/netlink.h).
public struct NetlinkFlags: OptionSet, Hashable, Sendable {
    /// The bits.
    public let rawValue: UInt16

    /// Makes flags of their bits.
    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// `NLM_F_REQUEST`: asks the kernel for something.
    public static let request = NetlinkFlags(rawValue: 0x01)
    /// `NLM_F_MULTI`: one of several messages that end with `NLMSG_DONE`.
    public static let multi = NetlinkFlags(rawValue: 0x02)
    /// `NLM_F_ACK`: the kernel is to confirm also what went well.
    public static let acknowledge = NetlinkFlags(rawValue: 0x04)
    /// `NLM_F_DUMP_INTR`: what is listed changed while it was, so the list is not one of any one moment.
    public static let dumpInterrupted = NetlinkFlags(rawValue: 0x10)
    /// `NLM_F_DUMP`: asks for all there are (`NLM_F_ROOT | NLM_F_MATCH`).
    public static let dump = NetlinkFlags(rawValue: 0x300)
    /// `NLM_F_REPLACE`: a new object takes the place of one that exists.
    public static let replace = NetlinkFlags(rawValue: 0x100)
    /// `NLM_F_EXCL`: fails when the object exists.
    public static let exclusive = NetlinkFlags(rawValue: 0x200)
    /// `NLM_F_CREATE`: makes the object when it does not exist.
    public static let create = NetlinkFlags(rawValue: 0x400)
    /// `NLM_F_CAPPED`, of an `NLMSG_ERROR`: of the request only its header is repeated.
    public static let capped = NetlinkFlags(rawValue: 0x100)
    /// `NLM_F_ACK_TLVS`, of an `NLMSG_ERROR`: attributes follow that say more.
    public static let acknowledgementHasAttributes = NetlinkFlags(rawValue: 0x200)
}

/// The header of a netlink message (`struct nlmsghdr`, linux/netlink.h), in the machine's byte order.
public struct NetlinkHeader: Hashable, Sendable {
    /// Octets of it.
    public static let size = 16
    /// `NLMSG_NOOP`: a message to pass over.
    public static let noop: UInt16 = 1
    /// `NLMSG_ERROR`: an error, or a confirmation when its number is 0.
    public static let error: UInt16 = 2
    /// `NLMSG_DONE`: the end of several messages.
    public static let done: UInt16 = 3
    /// `NLMSG_MIN_TYPE`: types below are of netlink itself.
    public static let firstFamilyType: UInt16 = 0x10

    /// Octets of the message, this header included.
    public var length: UInt32
    /// What it is: one of netlink's own, or the family's.
    public var type: UInt16
    /// Its flags.
    public var flags: NetlinkFlags
    /// The number that an answer repeats.
    public var sequence: UInt32
    /// The sender's port; 0 is the kernel.
    public var port: UInt32

    /// Makes a header.
    public init(length: UInt32, type: UInt16, flags: NetlinkFlags, sequence: UInt32, port: UInt32 = 0) {
        self.length = length
        self.type = type
        self.flags = flags
        self.sequence = sequence
        self.port = port
    }

    /// Reads a header; nil when the bytes are too few.
    /// - Parameter bytes: a message, from its first octet.
    public init?(_ bytes: RawSpan) {
        guard let length = bytes.hostUInt32(at: 0), let type = bytes.hostUInt16(at: 4),
            let flags = bytes.hostUInt16(at: 6), let sequence = bytes.hostUInt32(at: 8),
            let port = bytes.hostUInt32(at: 12)
        else { return nil }
        self.init(
            length: length, type: type, flags: NetlinkFlags(rawValue: flags), sequence: sequence, port: port)
    }
}

/// One message of a datagram, borrowed.
public struct NetlinkMessage: ~Escapable {
    /// Its header.
    public let header: NetlinkHeader
    /// What follows the header.
    public let payload: RawSpan

    @_lifetime(copy payload)
    init(header: NetlinkHeader, payload: RawSpan) {
        self.header = header
        self.payload = payload
    }
}

/// Reads the messages of one datagram of a netlink socket, front to back.
public struct NetlinkMessageReader: ~Escapable {
    private let bytes: RawSpan
    private var position = 0
    /// Whether the bytes ended within a message, or a header said nonsense; what came before it was read.
    public private(set) var isMalformed = false

    /// Makes a reader.
    /// - Parameter bytes: the datagram.
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) {
        self.bytes = bytes
    }

    /// The next message; nil after the last, or when the rest cannot be read.
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    public mutating func next() -> NetlinkMessage? {
        guard position < bytes.byteCount else { return nil }
        let rest = bytes.extracting(position..<bytes.byteCount)
        guard let header = NetlinkHeader(rest), header.length >= NetlinkHeader.size,
            header.length <= rest.byteCount
        else {
            isMalformed = true
            position = bytes.byteCount
            return nil
        }
        let length = Int(header.length)
        // The last message of a datagram need not be padded.
        position = min(bytes.byteCount, position + netlinkAligned(length))
        return NetlinkMessage(header: header, payload: rest.extracting(NetlinkHeader.size..<length))
    }
}

/// The header of a generic netlink message (`struct genlmsghdr`, linux/genetlink.h).
public struct GenericHeader: Hashable, Sendable {
    /// Octets of it.
    public static let size = 4

    /// The family's command.
    public var command: UInt8
    /// The version of the family's interface.
    public var version: UInt8

    /// Makes a header.
    public init(command: UInt8, version: UInt8) {
        self.command = command
        self.version = version
    }

    /// Reads a header; nil when the bytes are too few.
    /// - Parameter payload: what follows the netlink header.
    public init?(_ payload: RawSpan) {
        guard payload.byteCount >= Self.size, let command = payload.uint8(at: 0), let version = payload.uint8(at: 1)
        else { return nil }
        self.init(command: command, version: version)
    }

    /// The attributes of a generic message: all that follows this header.
    @_lifetime(copy payload)
    public static func attributes(of payload: RawSpan) -> NetlinkAttributes {
        NetlinkAttributes(payload.extracting(last: max(0, payload.byteCount - Self.size)))
    }
}

/// `NLMSG_ALIGN` and `NLA_ALIGN`: the next multiple of four.
@inlinable
func netlinkAligned(_ count: Int) -> Int { (count + 3) & ~3 }

extension RawSpan {
    /// The octet at an offset; nil beyond the end.
    @inlinable
    public func uint8(at offset: Int) -> UInt8? { hostInteger(at: offset) }

    /// Two octets in the machine's order; nil beyond the end.
    @inlinable
    public func hostUInt16(at offset: Int) -> UInt16? { hostInteger(at: offset) }

    /// Four octets in the machine's order; nil beyond the end.
    @inlinable
    public func hostUInt32(at offset: Int) -> UInt32? { hostInteger(at: offset) }

    /// Eight octets in the machine's order; nil beyond the end.
    @inlinable
    public func hostUInt64(at offset: Int) -> UInt64? { hostInteger(at: offset) }

    @inlinable
    func hostInteger<Value: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> Value? {
        guard offset >= 0, byteCount - offset >= MemoryLayout<Value>.size else { return nil }
        return unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self)
    }
}
