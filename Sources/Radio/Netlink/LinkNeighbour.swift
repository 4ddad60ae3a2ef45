public import Wire

/// A machine that the kernel knows on an interface, by one of its addresses (`RTM_NEWNEIGH`, rtnetlink(7),
/// linux/neighbour.h).
public struct LinkNeighbour: Hashable, Sendable {
    /// The interface's index.
    public var interface: UInt32
    /// The machine's address.
    public var address: IPAddress
    /// The hardware address behind it.
    public var macAddress: MACAddress

    /// Makes a neighbour.
    public init(interface: UInt32, address: IPAddress, macAddress: MACAddress) {
        self.interface = interface
        self.address = address
        self.macAddress = macAddress
    }

    enum Attribute {
        static let destination: UInt16 = 1
        static let linkAddress: UInt16 = 2
    }
    /// Octets of `struct ndmsg`.
    static let headerSize = 12
    /// `NUD_PROBE`: it is asked whether it is still there, at its hardware address and some times.
    static let probe: UInt16 = 0x10

    /// Reads the payload of an `RTM_NEWNEIGH`; nil when it is cut off, of neither IPv4 nor IPv6, or of a machine whose
    /// hardware address is not known.
    public init?(_ payload: RawSpan) {
        guard payload.byteCount >= Self.headerSize, let family = payload.uint8(at: 0),
            let interface = payload.hostUInt32(at: 4)
        else { return nil }
        var address: IPAddress?
        var macAddress: MACAddress?
        var attributes = NetlinkAttributes(payload.extracting(Self.headerSize..<payload.byteCount))
        while let attribute = attributes.next() {
            switch attribute.type {
            case Attribute.destination: address = InterfaceAddress.address(attribute.payload, family: family)
            case Attribute.linkAddress: macAddress = attribute.macAddress
            default: break
            }
        }
        guard let address, let macAddress else { return nil }
        self.init(interface: interface, address: address, macAddress: macAddress)
    }

    /// `struct ndmsg`.
    static func writeHeader(
        family: UInt8, interface: UInt32, state: UInt16, into writer: inout NetlinkWriter
    ) {
        writer.write(family)
        writer.write(UInt8(0))
        writer.write(UInt16(0))
        writer.write(interface)
        writer.write(state)
        writer.write(UInt16(0))
    }
}
