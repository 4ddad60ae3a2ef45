import BoxConfiguration
import BoxHub
import BoxNetwork
import BoxRoom
import BoxState
import BoxWeb
import Credentials
import DTLS
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Wire

/// The LAN hub in the box: its links, kept up to date where people and programs find them.
final class HubService: Sendable {
    /// The hub's link in the state directory, for programs that look for it there.
    static let linkFile = "relay-link.txt"

    private let configuration: BoxConfiguration
    private let state: StateDirectory
    private let authority: RoomAuthority
    private let server: HubServer
    private let facts: HubFacts
    private let logger: Logger
    /// Held while the links are made anew.
    private let addresses: Mutex<[IPAddress]>
    /// The link that is in the file; held while it is written.
    private let storedLink = Mutex<String?>(nil)

    /// Makes the hub and, at the first start, its identity.
    /// - Parameters:
    ///   - web: what phones are told; its `hub` is kept up to date from here.
    ///   - addresses: the box's addresses, best first.
    ///   - onClients: called on the event loop when clients of the hub have come or gone.
    /// - Throws: errors whose description tells the owner what to do.
    init(
        configuration: BoxConfiguration, web: WebConfiguration, state: StateDirectory, authority: RoomAuthority,
        signaling: SignalingServer, addresses: [IPAddress], eventLoop: any EventLoop, logger: Logger,
        onClients: @escaping @Sendable () -> Void
    ) throws {
        self.configuration = configuration
        self.state = state
        self.authority = authority
        self.logger = logger
        self.addresses = Mutex(addresses)
        facts = web.hub
        server = try HubServer(
            configuration: HubServer.Configuration(
                port: configuration.hub.port, discovery: configuration.discovery,
                echoes: configuration.direct == .echo),
            state: state, authority: authority,
            room: RoomEntrance(configuration: web, authority: authority, signaling: signaling), eventLoop: eventLoop,
            logger: logger, onClients: onClients)
    }

    /// Opens the hub's port, and tells how to dial it.
    /// - Throws: errors whose description tells the owner what to do.
    func start() async throws {
        try await server.start()
        if configuration.discovery { logger.warning("\(HubWords.discovery)") }
        refresh()
        await storeLink()
    }

    /// Closes every connection and the port.
    func stop() async {
        facts.dialling = nil
        await server.stop()
    }

    /// The box is found elsewhere now.
    func update(addresses now: [IPAddress]) {
        addresses.withLock { $0 = now }
        refresh()
        Task { await storeLink() }
    }

    /// The room's codes were changed: whoever is in the room of the former secret is told so and closed. ``storeLink()`` may
    /// follow when nobody waits any more.
    func retire(_ secret: String) async {
        await server.retire(secret)
        refresh()
    }

    /// The present state.
    func snapshot() async -> HubServer.Snapshot { await server.snapshot() }

    /// The UDP port; nil before the hub runs.
    var port: Int? { server.identity.port.map(Int.init) }

    /// What is wrong, in words.
    var trouble: [String] {
        guard configuration.discovery else { return [] }
        return [HubWords.discovery] + HubWords.discoveryProblems(configuration, port: server.identity.port)
    }

    /// Makes the links anew.
    private func refresh() {
        addresses.withLock { addresses in
            let identity = server.identity
            let credential = authority.hubTURNCredential
            let turn =
                configuration.turn.enabled
                ? HubBlob.TURN(
                    port: configuration.stun.port, username: credential.username, password: credential.password) : nil
            guard let port = identity.port,
                let blob = HubBlob(
                    identity: identity, addresses: addresses, names: [LocalNetwork.localName()].compactMap(\.self),
                    turn: turn)
            else { return }
            let link = HubLink(base: configuration.hub.base, blob: blob, room: authority.credentials.secret)
            let direct =
                configuration.direct == .echo
                ? HubFacts.Direct(
                    fingerprint: hexadecimal(identity.certificate.fingerprint), port: Int(port),
                    addresses: addresses.map(\.description)) : nil
            let dialling = HubFacts.Dialling(
                blob: "\(blob)", link: "\(link)", base: link.base, direct: direct, discovery: configuration.discovery)
            guard facts.dialling != dialling else { return }
            facts.dialling = dialling
        }
    }

    /// Brings the file with the link up to date. It waits for the disk, on no thread that others need.
    func storeLink() async {
        try? await NIOThreadPool.singleton.runIfActive { self.writeLink() }
    }

    private func writeLink() {
        storedLink.withLock { stored in
            guard let link = facts.dialling?.link, link != stored else { return }
            do {
                try state.write(Array("\(link)\n".utf8), to: Self.linkFile)
                stored = link
            } catch {
                logger.error("the hub's link could not be stored: \(error)")
            }
        }
    }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}

/// What people are told of the hub.
enum HubWords {
    /// What `discovery: true` means.
    static let discovery =
        "discovery is on: anyone on this network can pose as this box's hub to Kibitz's app, and listen in; "
        + "set discovery to false where not everyone is trusted"

    /// Why the app would not find the hub by its well-known identity.
    static func discoveryProblems(_ configuration: BoxConfiguration, port: UInt16?) -> [String] {
        var lines: [String] = []
        if let port, port != WellKnownIdentity.port {
            lines.append(
                "Kibitz's app looks for a hub on UDP port \(WellKnownIdentity.port) only, and this one is on \(port); "
                    + "free that port and set hub.port to \(WellKnownIdentity.port)")
        }
        if configuration.turn.enabled, configuration.stun.port != WellKnownIdentity.turnPort {
            lines.append(
                "Kibitz's app expects the TURN of a hub it finds by itself on UDP port \(WellKnownIdentity.turnPort), and "
                    + "stun.port is \(configuration.stun.port)")
        }
        return lines
    }
}

extension BoxConfiguration {
    /// The password of a user name for TURN, nil when it is unknown or has expired.
    func turnPasswords(_ authority: RoomAuthority) -> @Sendable (String) -> String? {
        // The well-known credential is valid only while the well-known identity is.
        guard discovery else { return { authority.turnPassword(forUsername: $0) } }
        return { username in
            username == WellKnownIdentity.turnUsername
                ? WellKnownIdentity.turnPassword : authority.turnPassword(forUsername: username)
        }
    }
}
