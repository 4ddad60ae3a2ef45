public import BoxState
import Glibc
public import Logging
import Synchronization
import Wire

/// What phones meet on the box's own Wi-Fi besides the radio: addresses, names, router advertisements, and a firewall that
/// keeps the Wi-Fi apart from every other network.
///
/// It begins with the access point and ends with it. What fails is tried again by itself and told by ``trouble``. Where the
/// firewall can't be set no addresses are given out: a Wi-Fi that is not kept apart is none.
public final class AccessNetwork: Sendable {
    /// From a failure to the next attempt.
    static let retryDelay = Duration.seconds(5)
    /// From one look at the firewall to the next. What else the machine runs may flush every rule there is, and the kernel
    /// tells only those who ask.
    static let watchInterval = Duration.seconds(30)
    private static let prefixFile = "lan"
    private static let configurationFile = "dnsmasq.conf"
    private static let leaseFile = "leases"

    /// An interface that is shut off from everything but the box's public ports.
    private struct Closed {
        var place: Place
        var ports: Ports
        var settings: InterfaceSettings
        /// What is not as the owner would want it.
        var warning: String?
    }

    /// What runs while the network is up.
    private struct Running {
        var closed: Closed
        var server: DnsmasqServer
        var serving: Task<Void, Never>
    }

    private struct Shown {
        var place: Place?
        var trouble: String?
        var server: DnsmasqServer?
        /// Counts calls of `start` and `stop`: an attempt from before the last one is given up.
        var wish = 0
    }

    private let subnet: Subnet?
    private let captivePortalAPI: @Sendable (Place) -> String
    private let state: StateDirectory
    private let logger: Logger
    private let onChange: @Sendable (Place?) -> Void
    private let onTrouble: @Sendable () -> Void
    private let shown = Mutex(Shown())
    private let turns = Turns()
    private let closed = Mutex<Closed?>(nil)
    private let running = Mutex<Running?>(nil)
    private let watching = Mutex<Task<Void, Never>?>(nil)

    /// Makes a network; nothing is changed yet.
    /// - Parameters:
    ///   - subnet: the addresses the owner wants, or nil for a network that is free.
    ///   - captivePortalAPI: the URL of the captive portal's API (RFC 8908), at a name or address that the box's
    ///     certificate holds.
    ///   - state: the state directory, where leases and the IPv6 prefix are kept.
    ///   - logger: gets what dnsmasq has to say, too.
    ///   - onChange: called with the place when the network is up, and with nil when it ends.
    ///   - onTrouble: called when ``trouble`` may have changed.
    public init(
        subnet: Subnet?, captivePortalAPI: @escaping @Sendable (Place) -> String, state: StateDirectory, logger: Logger,
        onChange: @escaping @Sendable (Place?) -> Void, onTrouble: @escaping @Sendable () -> Void
    ) {
        self.subnet = subnet
        self.captivePortalAPI = captivePortalAPI
        self.state = state
        self.logger = logger
        self.onChange = onChange
        self.onTrouble = onTrouble
    }

    /// Where the box is on its Wi-Fi; nil while there is none.
    public var place: Place? { shown.withLock { $0.place } }

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
            let isLost = ![place.address, place.addressV6].compactMap { $0 }.allSatisfy(held.contains)
            let isUsed =
                self.subnet == nil
                && Subnet(containing: place.address)?.isUsed(in: machine.networks(besides: place.interface)) == true
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
    private func newWish(after former: Int) -> Int? {
        shown.withLock { shown in
            guard shown.wish == former else { return nil }
            shown.wish += 1
            return shown.wish
        }
    }

    /// Tells what went wrong, in the log once.
    private func tell(_ trouble: Trouble) {
        let isNew = shown.withLock { shown in
            defer { shown.trouble = trouble.description }
            return shown.trouble != trouble.description
        }
        if isNew {
            logger.error("\(trouble.description)")
            onTrouble()
        }
    }

    private func attempt(_ interface: String, _ ports: Ports, _ wish: Int) async {
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
        } catch {
            tell(error)
            Task {
                try? await Task.sleep(for: Self.retryDelay)
                await self.turns.take { await self.attempt(interface, ports, wish) }
            }
        }
    }

    private struct Trouble: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    private func up(_ interface: String, _ ports: Ports) async throws(Trouble) -> Place {
        // When something fails from here on, the interface stays shut off: phones may be on it.
        let closed = try await close(interface, ports)
        let place = closed.place
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

    /// Chooses the addresses, and puts firewall and settings in place. What an earlier call did is replaced without a moment
    /// in between, and stays when this one fails.
    private func close(_ interface: String, _ ports: Ports) async throws(Trouble) -> Closed {
        let used = MachineAddresses.current().networks(besides: interface)
        let present = closed.withLock { $0 }
        var next: Closed
        if let present, present.place.interface == interface,
            Subnet(containing: present.place.address)?.isUsed(in: used) == false
        {
            next = present
            next.ports = ports
        } else {
            let (subnet, warning) = try chooseSubnet(used)
            let place = Place(
                interface: interface, subnet: subnet, prefix: InterfaceSettings.hasIPv6 ? try prefix() : nil)
            next = Closed(place: place, ports: ports, settings: InterfaceSettings(), warning: warning)
        }
        if let trouble = await Firewall(place: next.place, ports: ports).apply() {
            throw Trouble(trouble)
        }
        if var present {
            if present.place.interface == interface {
                next.settings = present.settings
            } else {
                present.settings.restore()
                removeAddresses(present.place)
            }
        }
        let trouble = next.settings.apply(to: interface)
        closed.withLock { [next] in $0 = next }
        watch()
        if let trouble { throw Trouble(trouble) }
        return next
    }

    /// Undoes what ``close(_:_:)`` and what followed did. The rules are taken away even where none are known: an attempt that
    /// failed may have left them.
    private func open() async {
        watching.withLock { $0.take() }?.cancel()
        if var former = closed.withLock({ $0.take() }) {
            removeAddresses(former.place)
            former.settings.restore()
        }
        await Firewall.remove()
    }

    /// Looks after the firewall until ``open()``.
    private func watch() {
        watching.withLock { watching in
            guard watching == nil else { return }
            watching = Task {
                while true {
                    do { try await Task.sleep(for: Self.watchInterval) } catch { return }
                    let wish = self.shown.withLock { $0.wish }
                    await self.turns.take { await self.mendFirewall(wish) }
                }
            }
        }
    }

    /// Puts the firewall back if somebody took it away, with `nft flush ruleset` for example. Where that fails the network
    /// ends, and is tried again as at a start.
    private func mendFirewall(_ before: Int) async {
        let isRunning = running.withLock { $0 != nil }
        guard let present = running.withLock({ $0?.closed }) ?? closed.withLock({ $0 }),
            await !Firewall.isInPlace()
        else { return }
        logger.notice("another program took the firewall of the Wi-Fi away; it is put back")
        guard let trouble = await Firewall(place: present.place, ports: present.ports).apply() else { return }
        guard isRunning else { return tell(Trouble(trouble)) }
        guard let wish = newWish(after: before) else { return }
        await down(opens: false)
        await attempt(present.place.interface, present.ports, wish)
    }

    private func chooseSubnet(_ used: [IPNetwork]) throws(Trouble) -> (Subnet, warning: String?) {
        if let wanted = subnet {
            guard wanted.isUsed(in: used) else { return (wanted, nil) }
            return (wanted, "\(wanted), the Wi-Fi's, is in use on another network too; set wifi.subnet to another one")
        }
        guard let free = Subnet.free(of: used) else {
            throw Trouble("no network is left for the Wi-Fi; set wifi.subnet")
        }
        return (free, nil)
    }

    private func setAddresses(_ place: Place) throws(Trouble) {
        let former = MachineAddresses.current().addresses(of: place.interface)
        do throws(InterfaceAddresses.Failure) {
            let addresses = try InterfaceAddresses(interface: place.interface)
            try addresses.switchOn()
            // What other programs gave the interface would lead phones and the box astray.
            for (address, prefixLength) in former where address != place.address && address != place.addressV6 {
                try addresses.remove(address, prefixLength: prefixLength)
            }
            try addresses.add(place.address, prefixLength: Subnet.prefixLength)
            if let address = place.addressV6 {
                try addresses.add(address, prefixLength: UniqueLocalPrefix.prefixLength)
            }
        } catch {
            throw Trouble("\(place.interface) can't be given the address \(place.address): \(error)")
        }
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

    /// The box's IPv6 prefix, made at the first start.
    private func prefix() throws(Trouble) -> UniqueLocalPrefix {
        do throws(StateError) {
            if let bytes = try state.read(Self.prefixFile) {
                if let known = UniqueLocalPrefix(text: String(decoding: bytes, as: UTF8.self)) { return known }
                // Nothing hangs on it but what phones remember.
                logger.warning("\(state.path(of: Self.prefixFile)) is damaged; a new prefix is made")
            }
            var generator = SystemRandomNumberGenerator()
            let fresh = UniqueLocalPrefix(using: &generator)
            try state.write(Array(fresh.text.utf8), to: Self.prefixFile)
            return fresh
        } catch {
            throw Trouble("\(error)")
        }
    }

    /// Ends what runs.
    /// - Parameter opens: whether the interface is as it was before, too. Without that it stays shut off from everything but
    ///   the box's public ports.
    private func down(opens: Bool = true) async {
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
            removeAddresses(former.closed.place)
        }
        if opens { await open() }
    }

    private func removeAddresses(_ place: Place) {
        // An interface that is gone took its addresses along.
        guard let addresses = try? InterfaceAddresses(interface: place.interface) else { return }
        try? addresses.remove(place.address, prefixLength: Subnet.prefixLength)
        if let address = place.addressV6 {
            try? addresses.remove(address, prefixLength: UniqueLocalPrefix.prefixLength)
        }
    }
}
