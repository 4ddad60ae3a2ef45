public import BoxState
import Glibc
public import Logging
public import NIOCore
import Synchronization
public import Wire

/// What phones meet on the box's own Wi-Fi besides the radio: addresses, names, router advertisements, and a firewall that
/// keeps the Wi-Fi apart from every other network.
///
/// It begins with the access point and ends with it; its interface is shut off from before the first beacon until the end of
/// all. What fails is tried again by itself and told by ``trouble``. Where the
/// firewall can't be set no addresses are given out: a Wi-Fi that is not kept apart is none.
public final class AccessNetwork: Sendable {
    /// From a failure to the next attempt.
    static let retryDelay = Duration.seconds(5)
    /// From one look at the firewall, and at what else nobody tells of, to the next.
    static let watchInterval = TimeAmount.seconds(30)
    /// From one look to the next at least, however often another program changes the firewall.
    static let lookInterval = Duration.milliseconds(500)
    static let prefixFile = "lan"
    private static let configurationFile = "dnsmasq.conf"
    private static let leaseFile = "leases"

    /// An interface that is shut off from everything but the box's public ports.
    struct Closed {
        var place: Place
        /// The interface's index, which no renaming changes; 0 while it is not there.
        var index: UInt32
        var ports: Ports
        var settings: InterfaceSettings
        /// The firewall's rules as the kernel had them after they were set; nil where that is not known.
        var rules: [UInt8]?
        /// The generation of the machine's rules in which they are known to have been so; nil where that is not known.
        var generation: UInt32?
        /// Whether the rules were set for the start that comes next.
        var isFresh = false
        /// What is not as the owner would want it.
        var warning: String?
    }

    /// What runs while the network is up.
    struct Running {
        var closed: Closed
        var server: DnsmasqServer
        var serving: Task<Void, Never>
    }

    struct Shown {
        var place: Place?
        var trouble: String?
        var server: DnsmasqServer?
        /// Counts calls of `start` and `stop`: an attempt from before the last one is given up.
        var wish = 0
    }

    let subnet: Subnet?
    private let captivePortalAPI: @Sendable (Place) -> String
    let state: StateDirectory
    let eventLoop: @Sendable () -> any EventLoop
    let logger: Logger
    private let onChange: @Sendable (Place?) -> Void
    private let onTrouble: @Sendable () -> Void
    let shown = Mutex(Shown())
    let turns = Turns()
    let closed = Mutex<Closed?>(nil)
    let running = Mutex<Running?>(nil)
    let watching = Mutex<Task<Void, Never>?>(nil)

    /// Makes a network; nothing is changed yet.
    /// - Parameters:
    ///   - subnet: the addresses the owner wants, or nil for a network that is free.
    ///   - captivePortalAPI: the URL of the captive portal's API (RFC 8908), at a name or address that the box's
    ///     certificate holds.
    ///   - state: the state directory, where leases and the IPv6 prefix are kept.
    ///   - eventLoop: makes a loop, of a `MultiThreadedEventLoopGroup`, by which changes of the firewall are heard of; not
    ///     called before the network's first ``prepare(interface:ports:)`` or ``start(interface:ports:)``.
    ///   - logger: gets what dnsmasq has to say, too.
    ///   - onChange: called with the place when the network is up, and with nil when it ends.
    ///   - onTrouble: called when ``trouble`` may have changed.
    public init(
        subnet: Subnet?, captivePortalAPI: @escaping @Sendable (Place) -> String, state: StateDirectory,
        eventLoop: @escaping @Sendable () -> any EventLoop, logger: Logger,
        onChange: @escaping @Sendable (Place?) -> Void, onTrouble: @escaping @Sendable () -> Void
    ) {
        self.subnet = subnet
        self.captivePortalAPI = captivePortalAPI
        self.state = state
        self.eventLoop = eventLoop
        self.logger = logger
        self.onChange = onChange
        self.onTrouble = onTrouble
    }

    /// Where the box is on its Wi-Fi; nil while there is none.
    public var place: Place? { shown.withLock { $0.place } }

    /// Where the box will be on its Wi-Fi, from ``prepare(interface:ports:)`` until it is there; nil while nobody knows.
    public var coming: Place? { closed.withLock { $0?.place } }

    /// Where the box will be on its Wi-Fi if nothing changes on the machine's other networks until ``prepare(interface:ports:)``;
    /// nil where no network is left. Nothing is done for it.
    /// - Parameter interface: the interface's name, whose own addresses are of no account; nil: it is not known yet.
    public func likelyAddress(on interface: String?) -> IPAddress? {
        try? chooseSubnet(MachineAddresses.current().networks(besides: interface ?? "")).0.box
    }

    /// What is wrong at present and how to mend it, in plain words; empty when all is well.
    public var trouble: [String] {
        let (trouble, server) = shown.withLock { ($0.trouble, $0.server) }
        return [trouble, server?.trouble].compactMap { $0 }
    }

    /// What the machine lacks for a Wi-Fi of its own: each thing with what follows from it, and what to install.
    public static func missing() -> [(detail: String, package: String)] {
        [
            ("nft", "nftables", "the Wi-Fi can't be kept apart from other networks"),
            ("dnsmasq", "dnsmasq-base", "phones on the Wi-Fi get no address"),
            ("setpriv", "util-linux", "phones on the Wi-Fi get no address"),
        ].filter { Program.path(of: $0.0) == nil }.map { ("\($0.0) is missing, so \($0.2)", $0.1) }
    }

    /// Shuts an interface off from everything but the box's public ports, before anybody can be on it. ``start(interface:ports:)``
    /// does it too; the sooner the better.
    /// - Parameters:
    ///   - interface: the interface's name.
    ///   - ports: the box's public ports.
    /// - Returns: whether it is shut off now. Where it is not, nobody should be let on it; ``trouble`` tells why.
    public func prepare(interface: String, ports: Ports) async -> Bool {
        await turns.take {
            if let present = self.running.withLock({ $0?.closed.place.interface }) {
                if present == interface { return true }
                await self.down(opens: false)
            }
            do throws(Trouble) {
                let warning = try await self.close(interface, ports).warning
                self.closed.withLock { $0?.isFresh = true }
                self.shown.withLock { $0.trouble = warning }
                return true
            } catch {
                self.tell(error)
                return false
            }
        }
    }

    /// Brings the network up on the access point's interface. Where it is up already, nothing happens; another interface
    /// takes the place of the former. When something fails, it is tried again until ``stop()``.
    /// - Parameters:
    ///   - interface: the interface's name.
    ///   - ports: the box's public ports.
    public func start(interface: String, ports: Ports) async {
        let wish = newWish()
        await turns.take { await self.attempt(interface, ports, wish) }
    }

    /// Ends the network; what was changed on the machine is as it was before.
    public func stop() async {
        _ = newWish()
        await turns.take { await self.down() }
    }

    /// Ends the network until the next ``start(interface:ports:)``. Its interface stays shut off: somebody may be on it who
    /// was not sent away.
    public func suspend() async {
        _ = newWish()
        await turns.take { await self.down(opens: false) }
    }

    /// Looks at the network after a change of the machine's addresses. Where the interface has lost its own, it is brought up
    /// again. Where they have come into use on another network, a cable's for example, the network moves away from them.
    /// - Returns: whether it moved. Phones then hold addresses that lead nowhere, and must be sent off to come back.
    public func networkChanged() async -> Bool {
        let before = shown.withLock { $0.wish }
        return await turns.take {
            guard let (place, ports) = self.running.withLock({ $0.map { ($0.closed.place, $0.closed.ports) } }) else {
                return false
            }
            let machine = MachineAddresses.current()
            let held = Set(machine.addresses(of: place.interface).map(\.address))
            let isLost = !held.contains(place.address)
            let isUsed =
                self.subnet == nil
                && Subnet(containing: place.address)?.isUsed(in: machine.networks(besides: place.interface)) == true
            if !isLost, !isUsed { self.mendIPv6(machine) }
            guard isLost || isUsed, let wish = self.newWish(after: before) else { return false }
            self.logger.notice(
                isLost
                    ? "\(place.interface) has lost the Wi-Fi's addresses"
                    : "\(place.network) is in use on another network; the Wi-Fi moves to other addresses")
            // Phones may be on it all the while, so it stays shut off.
            await self.down(opens: false)
            await self.attempt(place.interface, ports, wish)
            return isUsed
        }
    }

    // MARK: One at a time

    private func newWish() -> Int {
        shown.withLock { shown in
            shown.wish += 1
            return shown.wish
        }
    }

    /// A new wish, unless somebody has wished for something else since `former`.
    func newWish(after former: Int) -> Int? {
        shown.withLock { shown in
            guard shown.wish == former else { return nil }
            shown.wish += 1
            return shown.wish
        }
    }

    /// Tells what went wrong, in the log once.
    func tell(_ trouble: Trouble) {
        let isNew = shown.withLock { shown in
            defer { shown.trouble = trouble.description }
            return shown.trouble != trouble.description
        }
        if isNew {
            logger.error("\(trouble.description)")
            onTrouble()
        }
    }

    func attempt(_ interface: String, _ ports: Ports, _ wish: Int) async {
        guard shown.withLock({ $0.wish == wish }) else { return }
        if let present = running.withLock({ $0?.closed.place }) {
            if present.interface == interface { return }
            await down(opens: false)
        }
        do throws(Trouble) {
            let place = try await up(interface, ports)
            logger.info("the Wi-Fi's addresses are \(place.network) on \(interface)")
            onChange(place)
            onTrouble()
            // Nobody waits for this one any more.
            let generation = Firewall.generation()
            remember(await Firewall.listing(), generation)
        } catch {
            tell(error)
            Task {
                try? await Task.sleep(for: Self.retryDelay)
                await self.turns.take { await self.attempt(interface, ports, wish) }
            }
        }
    }

    struct Trouble: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    private func up(_ interface: String, _ ports: Ports) async throws(Trouble) -> Place {
        // When something fails from here on, the interface stays shut off: phones may be on it.
        let closed = try await close(interface, ports, mayBeFresh: true)
        let place = closed.place
        if if_nametoindex(interface) == 0 {
            throw Trouble("there is no network interface \(interface); plug it in, or correct wifi.interface")
        }
        if InterfaceSettings.isPort(interface) {
            throw Trouble(
                "\(interface) is a port of a bridge, so it can't be kept apart from other networks; take it out of the bridge"
            )
        }
        try setAddresses(place)
        let server = try makeServer(place)
        let serving = Task { await server.run() }
        self.closed.withLock { $0 = nil }
        running.withLock { $0 = Running(closed: closed, server: server, serving: serving) }
        shown.withLock { shown in
            shown.place = place
            shown.trouble = closed.warning
            shown.server = server
        }
        return place
    }

    private func makeServer(_ place: Place) throws(Trouble) -> DnsmasqServer {
        let configuration = DnsmasqConfiguration(
            place: place, captivePortalAPI: captivePortalAPI(place), leases: DnsmasqServer.leases)
        do throws(StateError) {
            let bytes = Array(configuration.text.utf8)
            // It is mostly the same as at the start before, and a write waits for the disk.
            if try state.read(Self.configurationFile) != bytes {
                try state.write(bytes, to: Self.configurationFile)
            }
        } catch {
            throw Trouble("\(error)")
        }
        return DnsmasqServer(
            configuration: configuration.text, leasePath: state.path(of: Self.leaseFile), logger: logger,
            onTrouble: onTrouble)
    }

    /// Ends what runs.
    /// - Parameter opens: whether the interface is as it was before, too. Without that it stays shut off from everything but
    ///   the box's public ports.
    func down(opens: Bool = true) async {
        let former = running.withLock { $0.take() }
        if let former { closed.withLock { $0 = former.closed } }
        shown.withLock { shown in
            shown.place = nil
            shown.trouble = nil
            shown.server = nil
        }
        onTrouble()
        if let former {
            onChange(nil)
            former.server.stop()
            former.serving.cancel()
            await former.serving.value
            removeAddresses(former.closed)
        }
        if opens { await open() }
    }
}
