public import Wire

/// Writes netlink messages and their attributes in the machine's byte order, with lengths and padding in place.
public struct NetlinkWriter: Sendable {
    /// Octets of one message at most; more than any request of this project needs, less than a socket's buffer.
    public static let maximumMessageSize = 16 * 1024

    private var storage: [UInt8] = []
    private var messageStart: Int?
    private var openNests: [Int] = []
    /// Whether something did not fit: an attribute longer than its length can say, or a message beyond
    /// ``maximumMessageSize``. Such a message must not be sent.
    public private(set) var isOverfull = false

    /// Makes an empty writer.
    public init() {}

    /// What has been written; complete once ``endMessage()`` was called.
    public var bytes: [UInt8] { storage }

    /// Forgets what has been written and keeps the memory.
    public mutating func removeAll() {
        storage.removeAll(keepingCapacity: true)
        openNests.removeAll(keepingCapacity: true)
        messageStart = nil
        isOverfull = false
    }

    /// Begins a message; ends one that is open.
    /// - Parameters:
    ///   - type: netlink's or the family's.
    ///   - flags: its flags.
    ///   - sequence: the number an answer repeats.
    public mutating func beginMessage(type: UInt16, flags: NetlinkFlags, sequence: UInt32) {
        endMessage()
        messageStart = storage.count
        writeInteger(UInt32(0))
        writeInteger(type)
        writeInteger(flags.rawValue)
        writeInteger(sequence)
        // The kernel fills in the sender's port.
        writeInteger(UInt32(0))
    }

    /// Ends the open message, and with it the nests that are open, and writes its length.
    public mutating func endMessage() {
        guard let start = messageStart else { return }
        while !openNests.isEmpty { endNest() }
        let length = storage.count - start
        if length > Self.maximumMessageSize { isOverfull = true }
        overwrite(UInt32(truncatingIfNeeded: length), at: start)
        messageStart = nil
    }

    /// Writes the generic header of a message.
    public mutating func write(_ header: GenericHeader) {
        storage.append(header.command)
        storage.append(header.version)
        writeInteger(UInt16(0))
    }

    /// Writes an integer of a family's fixed header, such as `struct ifinfomsg`.
    public mutating func write(_ value: UInt8) { storage.append(value) }

    /// Writes an integer of a family's fixed header.
    public mutating func write(_ value: UInt16) { writeInteger(value) }

    /// Writes an integer of a family's fixed header.
    public mutating func write(_ value: UInt32) { writeInteger(value) }

    /// Writes an attribute.
    /// - Parameters:
    ///   - type: which one.
    ///   - payload: its octets, at most ``NetlinkAttribute/maximumPayload``.
    public mutating func put(_ type: UInt16, _ payload: some Collection<UInt8>) {
        guard payload.count <= NetlinkAttribute.maximumPayload else {
            isOverfull = true
            return
        }
        writeInteger(UInt16(NetlinkAttribute.headerSize + payload.count))
        writeInteger(type)
        storage.append(contentsOf: payload)
        pad()
    }

    /// Writes an attribute of one octet.
    public mutating func put(_ type: UInt16, _ value: UInt8) { put(type, CollectionOfOne(value)) }

    /// Writes an attribute of two octets.
    public mutating func put(_ type: UInt16, _ value: UInt16) { putInteger(type, value) }

    /// Writes an attribute of four octets.
    public mutating func put(_ type: UInt16, _ value: UInt32) { putInteger(type, value) }

    /// Writes an attribute of four octets with a sign.
    public mutating func put(_ type: UInt16, _ value: Int32) { putInteger(type, UInt32(bitPattern: value)) }

    /// Writes an attribute of eight octets.
    public mutating func put(_ type: UInt16, _ value: UInt64) { putInteger(type, value) }

    /// Writes an attribute of four-octet integers.
    public mutating func putWords(_ type: UInt16, _ values: [UInt32]) {
        put(type, values.flatMap { value in withUnsafeBytes(of: value) { [UInt8]($0) } })
    }

    /// Writes an attribute that is a MAC address.
    public mutating func put(_ type: UInt16, _ address: MACAddress) { put(type, address.octets) }

    /// Writes an attribute of text with the zero octet behind it (`NLA_NUL_STRING`).
    public mutating func put(_ type: UInt16, _ text: String) { put(type, Array(text.utf8) + [0]) }

    /// Writes an attribute that says all by being there (`NLA_FLAG`).
    public mutating func putFlag(_ type: UInt16) { put(type, EmptyCollection()) }

    /// Writes an attribute that holds others.
    /// - Parameters:
    ///   - type: which one.
    ///   - body: writes the inner ones.
    public mutating func putNest(_ type: UInt16, _ body: (inout NetlinkWriter) -> Void) {
        beginNest(type)
        body(&self)
        endNest()
    }

    /// Begins an attribute that holds others.
    public mutating func beginNest(_ type: UInt16) {
        openNests.append(storage.count)
        writeInteger(UInt16(0))
        writeInteger(type | NetlinkAttribute.nestedFlag)
    }

    /// Ends the attribute begun last and writes its length.
    public mutating func endNest() {
        guard let start = openNests.popLast() else { return }
        let length = storage.count - start
        guard length <= 0xffff else {
            isOverfull = true
            return
        }
        overwrite(UInt16(length), at: start)
    }

    private mutating func putInteger<Value: FixedWidthInteger & BitwiseCopyable>(_ type: UInt16, _ value: Value) {
        writeInteger(UInt16(NetlinkAttribute.headerSize + MemoryLayout<Value>.size))
        writeInteger(type)
        writeInteger(value)
        pad()
    }

    private mutating func pad() {
        while storage.count & 3 != 0 { storage.append(0) }
    }

    private mutating func writeInteger<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
        withUnsafeBytes(of: value) { storage.append(contentsOf: $0) }
    }

    private mutating func overwrite<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at offset: Int) {
        withUnsafeBytes(of: value) { storage.replaceSubrange(offset..<(offset + $0.count), with: $0) }
    }
}
