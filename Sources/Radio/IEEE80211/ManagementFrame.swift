public import Wire

/// What a management frame is (IEEE 802.11-2020, Table 9-1).
public enum ManagementSubtype: UInt8, Hashable, Sendable {
    /// A station asks to be associated.
    case associationRequest = 0
    /// The answer to it.
    case associationResponse = 1
    /// A station asks to be associated again, or comes from another access point.
    case reassociationRequest = 2
    /// The answer to it.
    case reassociationResponse = 3
    /// A station asks who is there.
    case probeRequest = 4
    /// The answer to it.
    case probeResponse = 5
    /// Timing advertisement.
    case timingAdvertisement = 6
    /// Reserved.
    case reserved7 = 7
    /// The access point says that it is there.
    case beacon = 8
    /// An announcement within an IBSS.
    case atim = 9
    /// The end of an association.
    case disassociation = 10
    /// A step of an authentication.
    case authentication = 11
    /// The end of an authentication.
    case deauthentication = 12
    /// An action, its category in the first octet.
    case action = 13
    /// An action that wants no acknowledgement.
    case actionNoAcknowledgement = 14
    /// Reserved.
    case reserved15 = 15

    /// The frame control's first octet: version 0, type management, this subtype. nl80211 registers for frames by it.
    public var frameControl: UInt8 { rawValue << 4 }
}

/// The flags in a frame control's second octet (IEEE 802.11-2020, 9.2.4.1).
public struct FrameFlags: OptionSet, Hashable, Sendable {
    /// The octet.
    public let rawValue: UInt8

    /// Makes flags of their octet.
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Sent before, and not acknowledged.
    public static let retry = FrameFlags(rawValue: 0x08)
    /// The sender dozes after it.
    public static let powerManagement = FrameFlags(rawValue: 0x10)
    /// The body is encrypted on the air. A driver that decrypts may leave the flag: then it says that it was protected.
    public static let protected = FrameFlags(rawValue: 0x40)
    /// An HT control field follows the header.
    public static let highThroughputControl = FrameFlags(rawValue: 0x80)
}

/// The header of a management frame (IEEE 802.11-2020, 9.3.3.1).
public struct ManagementHeader: Hashable, Sendable {
    /// How many octets it has, without HT control.
    public static let byteCount = 24

    /// What the frame is.
    public var subtype: ManagementSubtype
    /// Its flags.
    public var flags: FrameFlags
    /// Whom it is for: address 1.
    public var destination: MACAddress
    /// Who sent it: address 2.
    public var source: MACAddress
    /// The BSS it is about: address 3.
    public var bss: MACAddress
    /// Fragment and sequence number. The driver writes the one of a frame that is sent.
    public var sequenceControl: UInt16

    /// Makes a header.
    public init(
        subtype: ManagementSubtype, flags: FrameFlags = [], destination: MACAddress, source: MACAddress,
        bss: MACAddress, sequenceControl: UInt16 = 0
    ) {
        self.subtype = subtype
        self.flags = flags
        self.destination = destination
        self.source = source
        self.bss = bss
        self.sequenceControl = sequenceControl
    }

    /// Appends the header; its duration is 0, which the driver replaces.
    public func write(into writer: inout ByteWriter) {
        writer.write(subtype.frameControl)
        writer.write(flags.rawValue)
        writer.write(UInt16(0))
        writer.write(destination)
        writer.write(source)
        writer.write(bss)
        writer.write(little: sequenceControl)
    }
}

/// A management frame in memory it only borrows.
public struct ManagementFrame: ~Escapable {
    /// The header.
    public let header: ManagementHeader
    /// What is after the header, and after HT control if there is one.
    public let body: RawSpan

    /// Reads a frame.
    /// - Parameter bytes: the frame from its frame control, without check sequence.
    /// - Throws: ``FrameError/truncated``, and ``FrameError/wrongKind`` for what is no management frame of version 0.
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) throws(FrameError) {
        var reader = ByteReader(bytes)
        guard let control = reader.readUInt8(), let flags = reader.readUInt8().map(FrameFlags.init), reader.skip(2),
            let destination = reader.readMACAddress(), let source = reader.readMACAddress(),
            let bss = reader.readMACAddress(), let sequenceControl = reader.readLittleUInt16()
        else { throw .truncated }
        guard control & 0x0F == 0, let subtype = ManagementSubtype(rawValue: control >> 4) else { throw .wrongKind }
        if flags.contains(.highThroughputControl) {
            guard reader.skip(4) else { throw .truncated }
        }
        guard let body = reader.readBytes(reader.remaining) else { throw .truncated }
        header = ManagementHeader(
            subtype: subtype, flags: flags, destination: destination, source: source, bss: bss,
            sequenceControl: sequenceControl)
        self.body = body
    }
}
