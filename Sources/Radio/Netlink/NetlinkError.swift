/// A number by which the kernel says what went wrong (errno(3)), as Linux has them on every machine of this project.
public struct ErrorNumber: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number, above 0.
    public let rawValue: Int32

    /// Makes one of its number.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// `EPERM`: the process may not.
    public static let notPermitted = ErrorNumber(rawValue: 1)
    /// `ENOENT`: there is none such.
    public static let notFound = ErrorNumber(rawValue: 2)
    /// `EIO`: the device failed.
    public static let inputOutput = ErrorNumber(rawValue: 5)
    /// `ENXIO`: no such device or address.
    public static let noSuchDeviceOrAddress = ErrorNumber(rawValue: 6)
    /// `EAGAIN`: not now.
    public static let tryAgain = ErrorNumber(rawValue: 11)
    /// `ENOMEM`: no memory.
    public static let noMemory = ErrorNumber(rawValue: 12)
    /// `EACCES`: forbidden.
    public static let accessDenied = ErrorNumber(rawValue: 13)
    /// `EBUSY`: in use.
    public static let busy = ErrorNumber(rawValue: 16)
    /// `EEXIST`: there already.
    public static let exists = ErrorNumber(rawValue: 17)
    /// `ENODEV`: no such device.
    public static let noDevice = ErrorNumber(rawValue: 19)
    /// `EINVAL`: the request is wrong.
    public static let invalid = ErrorNumber(rawValue: 22)
    /// `ENFILE`: no room for one more.
    public static let tooMany = ErrorNumber(rawValue: 23)
    /// `ENOSPC`: no room left.
    public static let noSpace = ErrorNumber(rawValue: 28)
    /// `ERANGE`: out of range.
    public static let outOfRange = ErrorNumber(rawValue: 34)
    /// `ENOLINK`: the link is gone.
    public static let noLink = ErrorNumber(rawValue: 67)
    /// `EPROTO`: the other side broke the protocol.
    public static let protocolError = ErrorNumber(rawValue: 71)
    /// `EMSGSIZE`: the message is too long.
    public static let messageTooLong = ErrorNumber(rawValue: 90)
    /// `EOPNOTSUPP`: the device cannot do this.
    public static let notSupported = ErrorNumber(rawValue: 95)
    /// `EADDRNOTAVAIL`: the address cannot be had.
    public static let addressNotAvailable = ErrorNumber(rawValue: 99)
    /// `ENETDOWN`: the interface is down.
    public static let networkDown = ErrorNumber(rawValue: 100)
    /// `ENOBUFS`: the socket's buffer was too small, or the kernel's.
    public static let noBuffers = ErrorNumber(rawValue: 105)
    /// `ENOTCONN`: not connected.
    public static let notConnected = ErrorNumber(rawValue: 107)
    /// `ETIMEDOUT`: no answer in time.
    public static let timedOut = ErrorNumber(rawValue: 110)
    /// `EALREADY`: it is so already.
    public static let already = ErrorNumber(rawValue: 114)
    /// `EINPROGRESS`: it is being done.
    public static let inProgress = ErrorNumber(rawValue: 115)
    /// `ERFKILL`: a switch keeps the radio off.
    public static let radioKilled = ErrorNumber(rawValue: 132)

    private static let texts: [Int32: String] = [
        1: "not permitted", 2: "not found", 5: "the device failed", 6: "no such device or address",
        11: "try again later", 12: "out of memory", 13: "forbidden", 16: "busy", 17: "exists already",
        19: "no such device", 22: "invalid request", 23: "no room for one more", 28: "no room left",
        34: "out of range", 67: "the link is gone", 71: "protocol error", 90: "message too long",
        95: "not supported by the device", 99: "address not available", 100: "the interface is down",
        105: "no buffer space", 107: "not connected", 110: "timed out", 114: "already so", 115: "in progress",
        132: "the radio is switched off (rfkill)",
    ]

    /// What it means, in a few words, with the number.
    public var description: String {
        Self.texts[rawValue].map { "\($0) (error \(rawValue))" } ?? "error \(rawValue)"
    }
}

/// The kernel's refusal of a request (`NLMSG_ERROR`), with what it says of the reason.
public struct NetlinkError: Error, Hashable, Sendable {
    /// What kind of failure.
    public var number: ErrorNumber
    /// The kernel's own words (`NLMSGERR_ATTR_MSG`); nil when it gave none.
    public var message: String?
    /// Where in the request the attribute at fault begins, in octets (`NLMSGERR_ATTR_OFFS`).
    public var offset: Int?
    /// The type of an attribute that is missing (`NLMSGERR_ATTR_MISS_TYPE`).
    public var missingAttribute: UInt32?

    /// Makes an error.
    public init(
        _ number: ErrorNumber, message: String? = nil, offset: Int? = nil, missingAttribute: UInt32? = nil
    ) {
        self.number = number
        self.message = message
        self.offset = offset
        self.missingAttribute = missingAttribute
    }
}

extension NetlinkError: CustomStringConvertible {
    /// What happened, in one line.
    public var description: String {
        var text = number.description
        if let message { text += ": \(message)" }
        if let missingAttribute { text += ", attribute \(missingAttribute) is missing" }
        if let offset { text += ", at octet \(offset) of the request" }
        return text
    }
}

/// What an `NLMSG_ERROR` or an `NLMSG_DONE` says (linux/netlink.h, `struct nlmsgerr` and `enum nlmsgerr_attrs`).
public struct NetlinkAcknowledgement: Hashable, Sendable {
    /// Why it failed; nil when it went well.
    public var error: NetlinkError?
    /// What a request that went well is called from now on (`NLMSGERR_ATTR_COOKIE`), such as a frame that was sent.
    public var cookie: UInt64?

    private enum Attribute {
        static let message: UInt16 = 1
        static let offset: UInt16 = 2
        static let cookie: UInt16 = 3
        static let missingType: UInt16 = 5
    }

    /// Reads an `NLMSG_ERROR` or `NLMSG_DONE`; nil for any other message and for one that is cut off.
    /// - Parameter message: the message.
    public init?(_ message: borrowing NetlinkMessage) {
        let payload = message.payload
        let header = message.header
        let attributesStart: Int
        switch header.type {
        case NetlinkHeader.error:
            guard payload.byteCount >= 4 + NetlinkHeader.size,
                let request = NetlinkHeader(payload.extracting(4..<payload.byteCount))
            else { return nil }
            // The request is repeated in full, unless the flag says that it was cut to its header.
            let repeated =
                header.flags.contains(.capped) || request.length < NetlinkHeader.size
                ? NetlinkHeader.size : netlinkAligned(Int(request.length))
            attributesStart = 4 + repeated
        case NetlinkHeader.done:
            attributesStart = 4
        default:
            return nil
        }
        // A DONE of an old kernel has no number.
        let code = payload.hostUInt32(at: 0).map { Int32(bitPattern: $0) } ?? 0
        var text: String?
        var offset: Int?
        var missing: UInt32?
        if header.flags.contains(.acknowledgementHasAttributes), attributesStart < payload.byteCount {
            var attributes = NetlinkAttributes(payload.extracting(attributesStart..<payload.byteCount))
            while let attribute = attributes.next() {
                switch attribute.type {
                case Attribute.message: text = attribute.string
                case Attribute.offset: offset = attribute.uint32.map(Int.init)
                case Attribute.cookie: cookie = attribute.uint64
                case Attribute.missingType: missing = attribute.uint32
                default: break
                }
            }
        }
        if code < 0, code > Int32.min {
            error = NetlinkError(
                ErrorNumber(rawValue: -code), message: text, offset: offset, missingAttribute: missing)
        }
    }
}
