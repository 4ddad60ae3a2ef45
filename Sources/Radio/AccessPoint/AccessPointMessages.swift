public import NL80211
public import Netlink
public import Stations
public import Wire

/// A switch of a radio (rfkill), as the kernel shows it.
public struct NamedSwitch: Hashable, Sendable {
    /// The switch's number.
    public var index: UInt32
    /// What it belongs to: a radio's name such as `phy0`, or another device's.
    public var name: String
    /// Whether software has switched the radio off.
    public var isSoftBlocked: Bool
    /// Whether a switch of the machine has.
    public var isHardBlocked: Bool

    /// Makes a switch.
    public init(index: UInt32, name: String, isSoftBlocked: Bool, isHardBlocked: Bool) {
        self.index = index
        self.name = name
        self.isSoftBlocked = isSoftBlocked
        self.isHardBlocked = isHardBlocked
    }
}

/// Something that happens to ``AccessPoint``.
public enum AccessPointInput: Sendable {
    /// Begin; the answer to ``AccessPointAction/reopen``, too.
    case start
    /// Send everyone away and end; ``AccessPointEvent/stopped`` says when.
    case stop
    /// Something else is wanted from now on.
    case configure(AccessPointConfiguration)
    /// Everyone must come again, for other addresses for example.
    case sendEveryoneOff
    /// The kernel's answer to a request.
    case reply(NetlinkRequestID, Result<NetlinkReply, NetlinkFailure>)
    /// nl80211 tells something.
    case event(NL80211Event)
    /// rtnetlink tells something of a network interface.
    case link(RouteEvent)
    /// All switches of Wi-Fi radios, at the start and after each change.
    case switches([NamedSwitch])
    /// The answer to ``AccessPointEvent/preparing(interface:)``: whether phones may come onto the interface. Nobody
    /// is let in before, and a radio that answers phones by itself sends no beacon.
    case prepared(interface: String, Bool)
    /// The packet socket for EAPOL could not be opened.
    case eapolFailed(reason: String)
    /// An EAPOL frame came by the packet socket, from the 802.1X header on.
    case eapol(from: MACAddress, [UInt8])
    /// The kernel had more to tell than the socket could hold: something was missed.
    case eventsLost
    /// The time that ``AccessPoint/handle(_:at:into:)`` asked for has come.
    case wake
}

/// Something to be done, in the order in which it is said.
public enum AccessPointAction: Sendable {
    /// Ask the kernel; answer with ``AccessPointInput/reply(_:_:)``. Requests are carried out one after the other.
    case request(NetlinkRequestID, NetlinkRequest)
    /// Open a packet socket for EAPOL on the interface with this index; one that is open is closed before.
    case openEAPOL(interface: UInt32)
    /// Close the packet socket.
    case closeEAPOL
    /// Send an EAPOL frame by the packet socket, from the 802.1X header on.
    case sendEAPOL(to: MACAddress, [UInt8])
    /// Open the sockets to the kernel anew, as soon as it knows of Wi-Fi, and then ``AccessPointInput/start``. It does no
    /// longer by the number that was found when they were opened: its Wi-Fi (cfg80211) was unloaded, and loaded again perhaps.
    case reopen
    /// Lift the software block of a switch.
    case unblock(switch: UInt32)
}

/// Something to be told.
public enum AccessPointEvent: Hashable, Sendable {
    /// It will be on this interface, on which nobody is yet; ``AccessPointInput/prepared(interface:_:)`` answers.
    case preparing(interface: String)
    /// The access point sends beacons; told again after a rotation, and when its interface got another name.
    case up(interface: String, index: UInt32)
    /// There is none any more; it comes back by itself.
    case down(AccessPointTrouble)
    /// It has ended, as asked.
    case stopped
    /// Something of a station.
    case station(StationsEvent)
}

/// What ``AccessPoint`` wants done. One value is used again and again: empty it before each input.
public struct AccessPointOutput: Sendable {
    /// What to do, in this order.
    public internal(set) var actions: [AccessPointAction] = []
    /// What to tell.
    public internal(set) var events: [AccessPointEvent] = []

    /// Makes an empty output.
    public init() {}

    /// Empties the output and keeps its memory.
    public mutating func removeAll() {
        actions.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
    }
}
