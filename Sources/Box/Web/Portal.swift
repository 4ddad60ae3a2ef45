public import BoxRoom
public import BoxState
import Credentials
import Glibc
public import Logging
import NIOPosix
import Synchronization
public import Wire

/// The portal of the box's own Wi-Fi: which devices have seen its page and tapped its button.
///
/// A device is known by the hardware address that its IP address has at the moment, as the kernel's table of neighbours tells:
/// a lease that changes hands takes nothing along. Devices are forgotten when the room's codes change.
public final class Portal: Sendable {
    /// Where the box is on its own Wi-Fi.
    public struct Place: Hashable, Sendable {
        /// The Wi-Fi's IPv4 network.
        public var network: IPNetwork
        /// The box's address in it.
        public var address: IPAddress

        /// Makes a place.
        public init(network: IPNetwork, address: IPAddress) {
            self.network = network
            self.address = address
        }
    }

    /// Devices that are remembered; the one that tapped first makes room for the newest.
    static let deviceLimit = 512
    private static let file = "portal"
    private static let form = "kibitz-local portal 1"

    private struct State {
        var place: Place?
        /// In the order in which they tapped.
        var devices: [MACAddress] = []
        /// Which generation of the room's codes they belong to.
        var generation: UInt32 = 0
        /// Whether the file is behind, and whether somebody is at it.
        var isChanged = false
        var isWriting = false
    }

    private let present = Mutex(State())
    private let authority: RoomAuthority
    private let directory: StateDirectory
    private let ownNames: @Sendable () -> [String]
    private let hardwareAddress: @Sendable (IPAddress) -> MACAddress?
    private let logger: Logger

    /// Makes a portal; there is none for anybody until ``open(_:)``.
    /// - Parameters:
    ///   - authority: tells the generation of the room's codes.
    ///   - state: where devices are remembered, so that a restart of the box asks nobody again.
    ///   - names: the box's own names.
    ///   - logger: gets a line when they can't be stored.
    public convenience init(
        authority: RoomAuthority, state: StateDirectory, names: @escaping @Sendable () -> [String], logger: Logger
    ) {
        self.init(
            authority: authority, state: state, names: names, logger: logger,
            hardwareAddress: Neighbours.hardwareAddress)
    }

    init(
        authority: RoomAuthority, state: StateDirectory, names: @escaping @Sendable () -> [String], logger: Logger,
        hardwareAddress: @escaping @Sendable (IPAddress) -> MACAddress?
    ) {
        self.authority = authority
        self.logger = logger
        directory = state
        ownNames = names
        self.hardwareAddress = hardwareAddress
        // What can't be read costs everyone one tap.
        guard let bytes = try? state.read(Self.file) else { return }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard let head = lines.first, head.hasPrefix(Self.form + " "),
            let generation = UInt32(head.dropFirst(Self.form.count + 1))
        else { return }
        present.withLock { state in
            state.generation = generation
            state.devices = lines.dropFirst().prefix(Self.deviceLimit).compactMap { MACAddress($0) }
        }
    }

    /// The box has a Wi-Fi of its own from now on.
    public func open(_ place: Place) { present.withLock { $0.place = place } }

    /// It has none any more. Who tapped is remembered for when it comes back.
    public func close() { present.withLock { $0.place = nil } }

    /// Where the box is on its own Wi-Fi, for a request that came over it; nil for any other.
    /// - Parameter address: where the request comes from.
    func place(servingGuest address: IPAddress) -> Place? {
        present.withLock { state in
            guard let place = state.place, place.network.contains(address), address != place.address else { return nil }
            return place
        }
    }

    /// Whether a name in a request means the box itself.
    /// - Parameter host: in lower case and without a port.
    func isOwn(_ host: String, at place: Place) -> Bool {
        host == place.address.description || host == "localhost" || ownNames().contains(host)
    }

    /// Whether the device at an address has tapped the button.
    func hasPassed(_ address: IPAddress) -> Bool {
        guard let device = hardwareAddress(address) else { return false }
        let generation = authority.credentials.generation
        return present.withLock { $0.generation == generation && $0.devices.contains(device) }
    }

    /// The device at an address has tapped the button.
    /// - Returns: false when nothing is known of it, not even its hardware's address.
    @discardableResult func pass(_ address: IPAddress) -> Bool {
        guard let device = hardwareAddress(address) else { return false }
        let mustWrite = present.withLock { state in
            // Asked for in here, so that who is late does not bring a former generation back.
            let generation = authority.credentials.generation
            if state.generation != generation {
                state.generation = generation
                state.devices = []
            }
            guard !state.devices.contains(device) else { return false }
            if state.devices.count >= Self.deviceLimit { state.devices.removeFirst() }
            state.devices.append(device)
            state.isChanged = true
            defer { state.isWriting = true }
            return !state.isWriting
        }
        // A write waits for the disk; this may be the thread of every socket.
        if mustWrite { NIOThreadPool.singleton.submit { _ in self.write() } }
        return true
    }

    private func write() {
        while true {
            let text: String? = present.withLock { state in
                guard state.isChanged else {
                    state.isWriting = false
                    return nil
                }
                state.isChanged = false
                return "\(Self.form) \(state.generation)\n" + state.devices.map { "\($0)\n" }.joined()
            }
            guard let text else { return }
            do { try directory.write(Array(text.utf8), to: Self.file) } catch {
                logger.warning("\(error); after a restart of the box, phones are shown the portal again")
            }
        }
    }
}

/// The kernel's table of neighbours.
enum Neighbours {
    /// The hardware address that an IPv4 address of this network has at present; nil when the kernel knows none.
    static func hardwareAddress(of address: IPAddress) -> MACAddress? {
        let file = Glibc.open("/proc/thread-self/net/arp", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { Glibc.close(file) }
        // A line has some 80 octets, and a network 256 addresses.
        var text = [UInt8](repeating: 0, count: 64 * 1024)
        var count = 0
        while count < text.count {
            let more = text.withUnsafeMutableBytes { read(file, $0.baseAddress! + count, $0.count - count) }
            if more <= 0 { break }
            count += more
        }
        return hardwareAddress(of: address, in: String(decoding: text[..<count], as: UTF8.self))
    }

    /// Finds an address in the text of `/proc/net/arp`. Columns (proc_pid_net(5)): IP address, hardware type, flags (2: the
    /// entry is complete), hardware address, mask, device.
    static func hardwareAddress(of address: IPAddress, in text: String) -> MACAddress? {
        let wanted = address.description
        for line in text.split(separator: "\n").dropFirst() where line.hasPrefix(wanted) {
            let columns = line.split(separator: " ")
            guard columns.count >= 6, columns[0] == wanted, columns[2].hasPrefix("0x"),
                let flags = UInt8(columns[2].dropFirst(2), radix: 16), flags & 2 != 0
            else { continue }
            return MACAddress(columns[3])
        }
        return nil
    }
}
