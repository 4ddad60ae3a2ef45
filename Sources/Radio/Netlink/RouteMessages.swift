public import Wire

/// A network interface as the kernel tells of it (`RTM_NEWLINK`, rtnetlink(7), linux/if_link.h).
public struct Link: Hashable, Sendable {
    /// Whether packets can pass (`IFLA_OPERSTATE`, RFC 2863 section 3.1.14).
    public enum OperationalState: UInt8, Hashable, Sendable {
        /// Not known; drivers that tell nothing.
        case unknown = 0
        /// The hardware is missing.
        case notPresent = 1
        /// Down.
        case down = 2
        /// A lower interface is down.
        case lowerLayerDown = 3
        /// In a test.
        case testing = 4
        /// Waits for something, such as authentication.
        case dormant = 5
        /// Up.
        case up = 6
    }

    /// `IFF_UP` and its like (netdevice(7)).
    public struct Flags: OptionSet, Hashable, Sendable {
        /// The bits.
        public let rawValue: UInt32

        /// Makes flags of their bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// `IFF_UP`: someone wants it up.
        public static let up = Flags(rawValue: 0x1)
        /// `IFF_LOOPBACK`.
        public static let loopback = Flags(rawValue: 0x8)
        /// `IFF_RUNNING`: it can carry packets.
        public static let running = Flags(rawValue: 0x40)
        /// `IFF_LOWER_UP`: the driver says there is a carrier.
        public static let lowerUp = Flags(rawValue: 0x1_0000)
    }

    /// Its index.
    public var index: UInt32
    /// Its name; empty when the message has none.
    public var name: String
    /// Its address; nil when it has none of six octets.
    public var macAddress: MACAddress?
    /// Its flags.
    public var flags: Flags
    /// Whether packets can pass; nil when the kernel says nothing, or nothing known.
    public var operationalState: OperationalState?
    /// Octets of the largest packet.
    public var mtu: UInt32?
    /// The index of the bridge or bond it belongs to; nil when there is none.
    public var controller: UInt32?
    /// Its hardware type (`ARPHRD_ETHER` is 1).
    public var hardwareType: UInt16

    /// Makes a link.
    public init(
        index: UInt32, name: String, macAddress: MACAddress? = nil, flags: Flags = [],
        operationalState: OperationalState? = nil, mtu: UInt32? = nil, controller: UInt32? = nil,
        hardwareType: UInt16 = 1
    ) {
        self.index = index
        self.name = name
        self.macAddress = macAddress
        self.flags = flags
        self.operationalState = operationalState
        self.mtu = mtu
        self.controller = controller
        self.hardwareType = hardwareType
    }

    /// Whether an interface has become, or still is, a bridge's or bond's port, or another has its name.
    /// - Parameters:
    ///   - index: the interface's index.
    ///   - name: its name.
    ///   - datagram: what the kernel announced in `RTNLGRP_LINK`.
    /// - Returns: true as well when the datagram is cut off: what is missing may say so.
    public static func isDisplaced(_ index: UInt32, _ name: String, by datagram: RawSpan) -> Bool {
        var messages = NetlinkMessageReader(datagram)
        while let message = messages.next() {
            guard case .link(let link) = RouteEvent(message) else { continue }
            if link.index == index ? link.controller ?? 0 != 0 : link.name == name { return true }
        }
        return messages.isMalformed
    }

    enum Attribute {
        static let address: UInt16 = 1
        static let name: UInt16 = 3
        static let mtu: UInt16 = 4
        static let controller: UInt16 = 10
        static let operationalState: UInt16 = 16
    }
    /// Octets of `struct ifinfomsg`.
    static let headerSize = 16

    /// Reads the payload of an `RTM_NEWLINK` or `RTM_DELLINK`; nil when its header is cut off, or when it is about a bridge's
    /// port (`AF_BRIDGE`): that a port goes, and not the interface, is told by an `RTM_DELLINK` too.
    public init?(_ payload: RawSpan) {
        guard payload.byteCount >= Self.headerSize, payload.uint8(at: 0) == 0,
            let hardwareType = payload.hostUInt16(at: 2),
            let index = payload.hostUInt32(at: 4), let flags = payload.hostUInt32(at: 8)
        else { return nil }
        self.init(index: index, name: "", flags: Flags(rawValue: flags), hardwareType: hardwareType)
        var attributes = NetlinkAttributes(payload.extracting(Self.headerSize..<payload.byteCount))
        while let attribute = attributes.next() {
            switch attribute.type {
            case Attribute.address: macAddress = attribute.macAddress
            case Attribute.name: name = attribute.string
            case Attribute.mtu: mtu = attribute.uint32
            case Attribute.controller: controller = attribute.uint32
            case Attribute.operationalState:
                operationalState = attribute.uint8.flatMap(OperationalState.init(rawValue:))
            default: break
            }
        }
    }
}

/// An address of an interface (`RTM_NEWADDR`, rtnetlink(7), linux/if_addr.h).
public struct InterfaceAddress: Hashable, Sendable {
    /// The interface's index.
    public var interface: UInt32
    /// The address.
    public var address: IPAddress
    /// Bits of its network.
    public var prefixLength: UInt8
    /// Whether it is only of this link (`RT_SCOPE_LINK`) or of this machine (`RT_SCOPE_HOST`), or else of everywhere (0).
    public var scope: UInt8
    /// `IFA_F_…`: permanent is 0x80, tentative 0x40, no duplicate address detection 0x02.
    public var flags: UInt32

    /// `IFA_F_NODAD`: an IPv6 address that is used without asking whether another has it.
    public static let noDuplicateAddressDetection: UInt32 = 0x02

    /// Makes an address.
    public init(
        interface: UInt32, address: IPAddress, prefixLength: UInt8, scope: UInt8 = 0, flags: UInt32 = 0
    ) {
        self.interface = interface
        self.address = address
        self.prefixLength = prefixLength
        self.scope = scope
        self.flags = flags
    }

    enum Attribute {
        static let address: UInt16 = 1
        static let local: UInt16 = 2
        static let broadcast: UInt16 = 4
        static let flags: UInt16 = 8
    }
    /// `AF_INET` and `AF_INET6`.
    enum Family {
        static let v4: UInt8 = 2
        static let v6: UInt8 = 10
    }
    /// Octets of `struct ifaddrmsg`.
    static let headerSize = 8

    /// Reads the payload of an `RTM_NEWADDR` or `RTM_DELADDR`; nil when it is cut off or of neither IPv4 nor IPv6.
    public init?(_ payload: RawSpan) {
        guard payload.byteCount >= Self.headerSize, let family = payload.uint8(at: 0),
            let prefixLength = payload.uint8(at: 1), let shortFlags = payload.uint8(at: 2),
            let scope = payload.uint8(at: 3), let interface = payload.hostUInt32(at: 4)
        else { return nil }
        var flags = UInt32(shortFlags)
        var address: IPAddress?
        var local: IPAddress?
        var attributes = NetlinkAttributes(payload.extracting(Self.headerSize..<payload.byteCount))
        while let attribute = attributes.next() {
            switch attribute.type {
            case Attribute.address: address = Self.address(attribute.payload, family: family)
            case Attribute.local: local = Self.address(attribute.payload, family: family)
            case Attribute.flags: flags = attribute.uint32 ?? flags
            default: break
            }
        }
        // On a point-to-point interface IFA_ADDRESS is the other end's.
        guard let own = local ?? address else { return nil }
        self.init(interface: interface, address: own, prefixLength: prefixLength, scope: scope, flags: flags)
    }

    static func address(_ payload: RawSpan, family: UInt8) -> IPAddress? {
        var reader = ByteReader(payload)
        switch family {
        case Family.v4:
            guard payload.byteCount == 4, let value = reader.readUInt32() else { return nil }
            return .v4(value)
        case Family.v6:
            guard payload.byteCount == 16, let high = reader.readUInt64(), let low = reader.readUInt64() else {
                return nil
            }
            return .v6(high, low)
        default: return nil
        }
    }
}

/// What is asked of the kernel's routing family (rtnetlink(7)).
public enum RouteRequest: Hashable, Sendable {
    /// All interfaces; answered by a ``RouteEvent/link(_:)`` each.
    case getLinks
    /// One interface.
    /// - index: its index.
    case getLink(index: UInt32)
    /// Takes an interface up or down.
    /// - isAlone: whether it also leaves the bridge or bond it belongs to, if there is one.
    case setLink(index: UInt32, isUp: Bool, isAlone: Bool = false)
    /// All addresses.
    case getAddresses
    /// Gives an interface an address; one that it has already is no error.
    case addAddress(InterfaceAddress)
    /// Takes an address from an interface.
    case deleteAddress(InterfaceAddress)
    /// All machines that are known on any interface.
    case getNeighbours
    /// Asks a machine that is known whether it is still there, by ARP or neighbour discovery.
    case askNeighbour(interface: UInt32, IPAddress)
}

/// The numbers of routing messages (linux/rtnetlink.h).
public enum RouteMessageType {
    /// `RTM_NEWLINK`.
    public static let newLink: UInt16 = 16
    /// `RTM_DELLINK`.
    public static let deleteLink: UInt16 = 17
    /// `RTM_GETLINK`.
    public static let getLink: UInt16 = 18
    /// `RTM_NEWADDR`.
    public static let newAddress: UInt16 = 20
    /// `RTM_DELADDR`.
    public static let deleteAddress: UInt16 = 21
    /// `RTM_GETADDR`.
    public static let getAddress: UInt16 = 22
    /// `RTM_NEWNEIGH`.
    public static let newNeighbour: UInt16 = 28
    /// `RTM_GETNEIGH`.
    public static let getNeighbour: UInt16 = 30
}

/// What the kernel tells of links and addresses, in answers and unasked.
public enum RouteEvent: Hashable, Sendable {
    /// A link is new or changed.
    case link(Link)
    /// A link is gone.
    case linkRemoved(Link)
    /// An address is new or changed.
    case address(InterfaceAddress)
    /// An address is gone.
    case addressRemoved(InterfaceAddress)

    /// `RTNLGRP_LINK`, `RTNLGRP_IPV4_IFADDR` and `RTNLGRP_IPV6_IFADDR`: the multicast groups in which these are told.
    public static let groups: [UInt32] = [1, 5, 9]

    /// Reads a message; nil when it is of another kind, or cut off.
    public init?(_ message: borrowing NetlinkMessage) {
        let payload = message.payload
        switch message.header.type {
        case RouteMessageType.newLink:
            guard let link = Link(payload) else { return nil }
            self = .link(link)
        case RouteMessageType.deleteLink:
            guard let link = Link(payload) else { return nil }
            self = .linkRemoved(link)
        case RouteMessageType.newAddress:
            guard let address = InterfaceAddress(payload) else { return nil }
            self = .address(address)
        case RouteMessageType.deleteAddress:
            guard let address = InterfaceAddress(payload) else { return nil }
            self = .addressRemoved(address)
        default: return nil
        }
    }
}

extension RouteRequest {
    /// Whether the answer is many messages, with a last one that says so.
    public var isDump: Bool {
        switch self {
        case .getLinks, .getAddresses, .getNeighbours: true
        case .getLink, .setLink, .addAddress, .deleteAddress, .askNeighbour: false
        }
    }

    /// Writes the request as one message.
    /// - Parameters:
    ///   - sequence: the number its answer repeats.
    ///   - writer: takes the message.
    public func encode(sequence: UInt32, into writer: inout NetlinkWriter) {
        switch self {
        case .getLinks:
            writer.beginMessage(type: RouteMessageType.getLink, flags: [.request, .dump], sequence: sequence)
            Self.writeLinkHeader(index: 0, flags: [], change: [], into: &writer)
        case .getLink(let index):
            writer.beginMessage(
                type: RouteMessageType.getLink, flags: [.request, .acknowledge], sequence: sequence)
            Self.writeLinkHeader(index: index, flags: [], change: [], into: &writer)
        case .setLink(let index, let isUp, let isAlone):
            writer.beginMessage(
                type: RouteMessageType.newLink, flags: [.request, .acknowledge], sequence: sequence)
            Self.writeLinkHeader(index: index, flags: isUp ? .up : [], change: .up, into: &writer)
            if isAlone { writer.put(Link.Attribute.controller, UInt32(0)) }
        case .getAddresses:
            writer.beginMessage(type: RouteMessageType.getAddress, flags: [.request, .dump], sequence: sequence)
            // struct ifaddrmsg: any family, any interface.
            writer.write(UInt32(0))
            writer.write(UInt32(0))
        case .addAddress(let address):
            writer.beginMessage(
                type: RouteMessageType.newAddress, flags: [.request, .acknowledge, .create, .replace],
                sequence: sequence)
            address.write(into: &writer)
        case .deleteAddress(let address):
            writer.beginMessage(
                type: RouteMessageType.deleteAddress, flags: [.request, .acknowledge], sequence: sequence)
            address.write(into: &writer)
        case .getNeighbours:
            writer.beginMessage(type: RouteMessageType.getNeighbour, flags: [.request, .dump], sequence: sequence)
            LinkNeighbour.writeHeader(family: 0, interface: 0, state: 0, into: &writer)
        case .askNeighbour(let interface, let address):
            writer.beginMessage(
                type: RouteMessageType.newNeighbour, flags: [.request, .acknowledge], sequence: sequence)
            let (family, octets) = InterfaceAddress.octets(of: address)
            LinkNeighbour.writeHeader(
                family: family, interface: interface, state: LinkNeighbour.probe, into: &writer)
            writer.put(LinkNeighbour.Attribute.destination, octets)
        }
        writer.endMessage()
    }

    /// `struct ifinfomsg`.
    private static func writeLinkHeader(
        index: UInt32, flags: Link.Flags, change: Link.Flags, into writer: inout NetlinkWriter
    ) {
        writer.write(UInt32(0))
        writer.write(index)
        writer.write(flags.rawValue)
        writer.write(change.rawValue)
    }
}

extension InterfaceAddress {
    /// An address as messages have it, and its family.
    static func octets(of address: IPAddress) -> (family: UInt8, octets: [UInt8]) {
        switch address {
        case .v4(let value): (Family.v4, withUnsafeBytes(of: value.bigEndian) { [UInt8]($0) })
        case .v6(let high, let low):
            (
                Family.v6,
                withUnsafeBytes(of: high.bigEndian) { [UInt8]($0) } + withUnsafeBytes(of: low.bigEndian) { [UInt8]($0) }
            )
        }
    }

    func write(into writer: inout NetlinkWriter) {
        let (family, octets) = Self.octets(of: address)
        writer.write(family)
        writer.write(prefixLength)
        writer.write(UInt8(truncatingIfNeeded: flags))
        writer.write(scope)
        writer.write(interface)
        writer.put(Attribute.local, octets)
        writer.put(Attribute.address, octets)
        if case .v4(let value) = address, prefixLength < 31 {
            let broadcast = value | (UInt32.max >> UInt32(prefixLength))
            writer.put(Attribute.broadcast, withUnsafeBytes(of: broadcast.bigEndian) { [UInt8]($0) })
        }
        if flags != 0 { writer.put(Attribute.flags, flags) }
    }
}
