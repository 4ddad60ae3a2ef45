import BoxConfiguration
import BoxLAN
import BoxRoom
import BoxState
import BoxWeb
import Logging
import NIOCore
import Synchronization
import Wire

/// The network of the box's own Wi-Fi, besides the radio: addresses, names, the firewall and the portal. The same for an access
/// point of another make on a cable.
final class OwnNetwork: Sendable {
    /// What phones on it meet at the web server.
    let portal: Portal
    private let configuration: BoxConfiguration
    private let network: AccessNetwork
    private let listener: Listener

    /// Who is told when the network has come or gone.
    private final class Listener: Sendable {
        let call = Mutex<(@Sendable () -> Void)?>(nil)
    }

    /// Makes the network; nothing is changed yet.
    /// - Parameters:
    ///   - names: the box's names.
    ///   - eventLoop: makes a loop, once it is needed.
    ///   - onTrouble: called when ``trouble`` may have changed.
    init(
        configuration: BoxConfiguration, state: StateDirectory, authority: RoomAuthority,
        names: @escaping @Sendable () -> [String], eventLoop: @escaping @Sendable () -> any EventLoop, logger: Logger,
        onTrouble: @escaping @Sendable () -> Void
    ) {
        let portal = Portal(authority: authority, state: state, names: names, logger: logger)
        let listener = Listener()
        self.portal = portal
        self.configuration = configuration
        self.listener = listener
        network = AccessNetwork(
            subnet: configuration.wifi.subnet.flatMap { Subnet(containing: $0.base) },
            captivePortalAPI: { Self.captivePortalAPI(configuration, at: $0.address) }, state: state,
            eventLoop: eventLoop, logger: logger,
            onChange: { place in
                if let place {
                    portal.open(Portal.Place(network: place.network, address: place.address))
                } else {
                    portal.close()
                }
                listener.call.withLock { $0 }?()
            }, onTrouble: onTrouble)
    }

    /// Calls `listener` whenever the network has come or gone.
    func onChange(_ listener: @escaping @Sendable () -> Void) {
        self.listener.call.withLock { $0 = listener }
    }

    /// The URL of the captive portal's API, by the owner's name for the box if there is one. RFC 8910 section 2 would rather
    /// have no address in it; but where there is no name, an address is what the box's own certificate vouches for.
    private static func captivePortalAPI(_ configuration: BoxConfiguration, at address: IPAddress) -> String {
        let port = configuration.https.port == 443 ? "" : ":\(configuration.https.port)"
        return "https://\(configuration.names.first ?? address.description)\(port)\(captivePortalAPIPath)"
    }

    /// The box's address on it; nil while there is none.
    var address: IPAddress? { network.place?.address }

    /// The box's address on it while it is on its way.
    var coming: IPAddress? { network.coming?.address }

    /// The box's address on it by what can be known before anything is done for it.
    /// - Parameter interface: the interface's name; nil: it is not known yet.
    func likelyAddress(on interface: String?) -> IPAddress? { network.likelyAddress(on: interface) }

    /// What is wrong with it and how to mend it.
    var trouble: [String] { network.trouble }

    /// Brings it up.
    /// - Parameters:
    ///   - interface: an interface that is up.
    ///   - hubPort: the UDP port of the LAN hub, if there is one.
    func start(interface: String, hubPort: Int?) async {
        await network.start(interface: interface, ports: ports(hub: hubPort))
    }

    /// Shuts an interface off from everything but the box's public ports, before anybody can be on it.
    /// - Returns: whether it is shut off; if not, nobody may come onto it.
    func prepare(interface: String, hubPort: Int?) async -> Bool {
        await network.prepare(interface: interface, ports: ports(hub: hubPort))
    }

    private func ports(hub: Int?) -> AccessNetwork.Ports {
        let turn = configuration.turn
        return AccessNetwork.Ports(
            http: Int(configuration.http.port), https: Int(configuration.https.port),
            stun: Int(configuration.stun.port), hub: hub,
            relay: turn.enabled ? Int(turn.ports.lowerBound)...Int(turn.ports.upperBound) : nil)
    }

    /// Ends it until the next start; its interface stays shut off.
    func suspend() async { await network.suspend() }

    /// Ends it, and leaves the machine as it was.
    func stop() async { await network.stop() }

    /// Moves to other addresses when another network uses the present ones.
    /// - Returns: whether it moved: phones have to come again for new addresses.
    func networkChanged() async -> Bool { await network.networkChanged() }
}
