public import BoxState
import Glibc
public import Logging
import Synchronization
public import Wire

/// What phones meet on the box's own Wi-Fi besides the radio: addresses, names, router advertisements, and a firewall that
/// keeps the Wi-Fi apart from every other network.
///
/// It begins with the access point and ends with it. What fails is tried again by itself and told by ``trouble``. Where the
/// firewall can't be set no addresses are given out: a Wi-Fi that is not kept apart is none.
public final class AccessNetwork: Sendable {
    /// From a failure to the next attempt.
    static let retryDelay = Duration.seconds(5)
    private static let prefixFile = "lan"
    private static let configurationFile = "dnsmasq.conf"
    private static let leaseFile = "leases"

    /// The box's public ports, which phones on the Wi-Fi may reach.
    public struct Ports: Hashable, Sendable {
        /// TCP port of HTTP; port 80 leads there too.
        public var http: Int
        /// TCP port of HTTPS.
        public var https: Int
        /// UDP port of STUN and TURN.
        public var stun: Int
        /// UDP port of the LAN hub, or nil.
        public var hub: Int?
        /// UDP ports of relayed media, or nil.
        public var relay: ClosedRange<Int>?

        /// Makes a set of ports.
        public init(http: Int, https: Int, stun: Int, hub: Int?, relay: ClosedRange<Int>?) {
            self.http = http
            self.https = https
            self.stun = stun
            self.hub = hub
            self.relay = relay
        }
    }

    /// Where the box is on its own Wi-Fi.
    public struct Place: Hashable, Sendable {
        /// The access point's interface.
        public var interface: String
        /// The box's IPv4 address.
        public var address: IPAddress
        /// The IPv4 network.
        public var network: IPNetwork
        /// The box's IPv6 address; nil where the machine has no IPv6.
        public var addressV6: IPAddress?
        /// The IPv6 network.
        public var networkV6: IPNetwork?

        init(interface: String, subnet: Subnet, prefix: UniqueLocalPrefix?) {
            self.interface = interface
            address = subnet.box
            network = subnet.network
            addressV6 = prefix?.box
            networkV6 = prefix?.network
        }
    }

    /// What runs while the network is up.
    private struct Running {
        var place: Place
        var ports: Ports
        var settings: InterfaceSettings
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
    private let shown = Mutex(Shown())
    private let turns = Turns()
    private let running = Mutex<Running?>(nil)

    /// Makes a network; nothing is changed yet.
    /// - Parameters:
    ///   - subnet: the addresses the owner wants, or nil for a network that is free.
    ///   - captivePortalAPI: the URL of the captive portal's API (RFC 8908), at a name or address that the box's
    ///     certificate holds.
    ///   - state: the state directory, where leases and the IPv6 prefix are kept.
    ///   - logger: gets what dnsmasq has to say, too.
    ///   - onChange: called with the place when the network is up, and with nil when it ends.
    public init(
        subnet: Subnet?, captivePortalAPI: @escaping @Sendable (Place) -> String, state: StateDirectory, logger: Logger,
        onChange: @escaping @Sendable (Place?) -> Void
    ) {
        self.subnet = subnet
        self.captivePortalAPI = captivePortalAPI
        self.state = state
        self.logger = logger
        self.onChange = onChange
    }

    /// Where the box is on its Wi-Fi; nil while there is none.
    public var place: Place? { shown.withLock { $0.place } }

    /// What is wrong at present and how to mend it, in plain words; empty when all is well.
    public var trouble: [String] {
        let (trouble, server) = shown.withLock { ($0.trouble, $0.server) }
        return [trouble, server?.trouble].compactMap { $0 }
    }

    /// What the machine lacks for a Wi-Fi of its own, in plain words.
    public static func missing() -> [String] {
        var lines: [String] = []
        if Program.path(of: "nft") == nil { lines.append(Firewall.missing) }
        for (program, package) in [("dnsmasq", "dnsmasq-base"), ("setpriv", "util-linux")]
        where Program.path(of: program) == nil {
            lines.append("\(program) is missing, so phones on the Wi-Fi get no address; apt install \(package)")
        }
        return lines
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

    /// Looks whether the Wi-Fi's addresses have come into use on another network, a cable's for example, and moves away
    /// from them.
    /// - Returns: whether it moved. Phones then hold addresses that lead nowhere, and must be sent off to come back.
    public func networkChanged() async -> Bool {
        await turns.take {
            guard self.subnet == nil,
                let (place, ports) = self.running.withLock({ $0.map { ($0.place, $0.ports) } }),
                let present = Subnet(containing: place.address),
                present.isUsed(in: MachineAddresses.current().networks(besides: place.interface))
            else { return false }
            self.logger.notice("\(present) is in use on another network; the Wi-Fi moves to other addresses")
            let wish = self.newWish()
            await self.down()
            await self.attempt(place.interface, ports, wish)
            return true
        }
    }

    // MARK: One at a time

    private func newWish() -> Int {
        shown.withLock { shown in
            shown.wish += 1
            return shown.wish
        }
    }

    private func attempt(_ interface: String, _ ports: Ports, _ wish: Int) async {
        guard shown.withLock({ $0.wish == wish }) else { return }
        if let present = running.withLock({ $0?.place }) {
            if present.interface == interface { return }
            await down()
        }
        do throws(Trouble) {
            let place = try await up(interface, ports)
            logger.info("the Wi-Fi's addresses are \(place.network) on \(interface)")
            onChange(place)
        } catch {
            logger.error("\(error.description)")
            shown.withLock { $0.trouble = error.description }
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
        let machine = MachineAddresses.current()
        let used = machine.networks(besides: interface)
        var warning: String?
        let subnet: Subnet
        if let wanted = self.subnet {
            subnet = wanted
            if wanted.isUsed(in: used) {
                warning = "\(wanted), the Wi-Fi's, is in use on another network too; set wifi.subnet to another one"
            }
        } else if let free = Subnet.free(of: used) {
            subnet = free
        } else {
            throw Trouble("no network is left for the Wi-Fi; set wifi.subnet")
        }
        let place = Place(
            interface: interface, subnet: subnet, prefix: InterfaceSettings.hasIPv6 ? try prefix() : nil)

        // The firewall is there before the first address.
        if let trouble = await Firewall(interface: interface, place: place, ports: ports).apply() {
            throw Trouble(trouble)
        }
        var settings = InterfaceSettings()
        do throws(Trouble) {
            if let trouble = settings.apply(to: interface) { throw Trouble(trouble) }
            try setAddresses(place, instead: machine.addresses(of: interface))
            let server = try makeServer(place, subnet)
            let serving = Task { await server.run() }
            running.withLock {
                $0 = Running(place: place, ports: ports, settings: settings, server: server, serving: serving)
            }
            shown.withLock { shown in
                shown.place = place
                shown.trouble = warning
                shown.server = server
            }
            return place
        } catch {
            settings.restore()
            await Firewall.remove()
            throw error
        }
    }

    private func setAddresses(
        _ place: Place, instead former: [(address: IPAddress, prefixLength: Int)]
    ) throws(Trouble) {
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

    private func makeServer(_ place: Place, _ subnet: Subnet) throws(Trouble) -> DnsmasqServer {
        let configuration = DnsmasqConfiguration(
            interface: place.interface, place: place, pool: subnet.pool,
            captivePortalAPI: captivePortalAPI(place), leases: DnsmasqServer.leases)
        do throws(StateError) {
            try state.write(Array(configuration.text.utf8), to: Self.configurationFile)
        } catch {
            throw Trouble("\(error)")
        }
        return DnsmasqServer(
            configuration: configuration.text, leasePath: state.path(of: Self.leaseFile), logger: logger)
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

    private func down() async {
        let former = running.withLock { $0.take() }
        shown.withLock { shown in
            shown.place = nil
            shown.trouble = nil
            shown.server = nil
        }
        guard var former else { return }
        onChange(nil)
        former.server.stop()
        await former.serving.value
        former.settings.restore()
        // An interface that is gone took its addresses along.
        if let addresses = try? InterfaceAddresses(interface: former.place.interface) {
            try? addresses.remove(former.place.address, prefixLength: Subnet.prefixLength)
            if let address = former.place.addressV6 {
                try? addresses.remove(address, prefixLength: UniqueLocalPrefix.prefixLength)
            }
        }
        await Firewall.remove()
    }
}

/// Runs one piece of work after the other, in the order in which they came.
private final class Turns: Sendable {
    private let last = Mutex<Task<Void, Never>?>(nil)

    func take<Result: Sendable>(_ work: @escaping @Sendable () async -> Result) async -> Result {
        let mine = last.withLock { last in
            let former = last
            let task = Task {
                await former?.value
                return await work()
            }
            last = Task { _ = await task.value }
            return task
        }
        return await mine.value
    }
}
