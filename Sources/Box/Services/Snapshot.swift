import AccessPoint
import BoxCertificates
import BoxConfiguration
import BoxHub
import BoxNetwork
import BoxPanel
import BoxRelay
import BoxWeb
import Glibc
import Hub
import PeerBroker
import TURN
import WebRTCDirect
import Wire

/// The state of every part at one time, from which the status and the metrics are made.
struct Snapshot: Sendable {
    var broker: PeerBroker.Snapshot
    var protocolErrors: UInt64
    var gate: ConnectionGate.Counters
    var relay: RelayCounters
    var uptime: Duration
    var generation: UInt32
    var addresses: [IPAddress]
    var link: JoinLink
    /// Nil where the box makes no Wi-Fi.
    var wifi: Status.WiFi?
    /// Nil where the box makes no Wi-Fi.
    var radio: AccessPointSnapshot?
    /// Nil when there is no hub.
    var hub: HubServer.Snapshot?
    var hubPort: Int?
    var dialling: HubFacts.Dialling?
    var panel: PanelSnapshot
    var button: ButtonSnapshot
    var trouble: [String]
    var certificate: CertificateStatus
}

extension Status {
    init(configuration: BoxConfiguration, _ snapshot: Snapshot) {
        let people = snapshot.broker.people.map { person in
            var links = Links()
            links.total = person.links.total
            links.healthy = person.links.healthy
            links.relayed = person.links.relayed
            return Person(
                id: person.id, name: person.name, address: person.address.description, away: person.away,
                camera: person.camera, microphone: person.microphone, links: links)
        }
        // Both ends of a link report it.
        var links = Links()
        links.total = (people.reduce(0) { $0 + $1.links.total } + 1) / 2
        links.healthy = people.reduce(0) { $0 + $1.links.healthy } / 2
        links.relayed = people.reduce(0) { $0 + $1.links.relayed } / 2
        var traffic = Traffic()
        traffic.signalingFrames = snapshot.broker.counters.framesRelayed
        traffic.signalingDrops = PeerBroker.DropCause.allCases.reduce(0) { $0 + snapshot.broker.counters.drops($1) }
        traffic.stunAnswers = snapshot.relay.bindings
        traffic.turnAllocations = snapshot.relay.allocations
        traffic.turnPackets = snapshot.relay.relayedPackets
        traffic.turnBytes = snapshot.relay.relayedBytes
        traffic.turnRefusals = snapshot.relay.refusals
        if let hub = snapshot.hub {
            traffic.hubClients = hub.hub.clients
            traffic.hubAbsent = hub.hub.absent
            traffic.hubPeers = hub.peers
            traffic.hubFrames = hub.hub.counters.framesRouted
            traffic.hubDrops = Hub.DropCause.allCases.reduce(0) { $0 + hub.hub.counters.drops($1) }
            traffic.hubRefusals = hub.endpoint.refusals.values.reduce(0, &+)
        }
        self.init(
            pid: getpid(), version: boxVersion, name: configuration.name,
            uptime: Int(snapshot.uptime.components.seconds),
            http: Int(configuration.http.port), https: Int(configuration.https.port),
            stun: Int(configuration.stun.port),
            hub: OrNull(snapshot.hubPort), blob: OrNull(snapshot.dialling?.blob),
            hubLink: OrNull(snapshot.dialling?.link), discovery: configuration.discovery,
            addresses: snapshot.addresses.map(\.description), link: snapshot.link.description,
            wifi: OrNull(snapshot.wifi), room: Room(generation: snapshot.generation, limit: configuration.room.people),
            people: people, links: links,
            guests: snapshot.broker.plainClients, traffic: traffic, panel: Panel(snapshot.panel),
            button: Button(snapshot.button),
            certificate: snapshot.certificate.origin == .owner ? "owner" : "own",
            trouble: snapshot.trouble)
    }
}

extension Status.Panel {
    init(_ snapshot: PanelSnapshot) {
        self.init(
            model: snapshot.name, shows: OrNull(snapshot.screen?.word), pictures: snapshot.pictures,
            firstCodes: OrNull(snapshot.firstCodes.map { Int($0 / .milliseconds(1)) }),
            fault: OrNull(snapshot.trouble?.kind.rawValue))
    }
}

extension Status.Button {
    init(_ snapshot: ButtonSnapshot) {
        self.init(
            present: snapshot.isThere, light: OrNull(snapshot.light?.rawValue),
            fault: OrNull(snapshot.trouble?.kind.rawValue))
    }
}

extension Metrics {
    init(_ snapshot: Snapshot) {
        add("uptime_seconds", "Seconds since the start.", snapshot.uptime.components.seconds)
        add("room_generation", "Which generation of credentials is valid.", snapshot.generation)
        add(snapshot.broker, protocolErrors: snapshot.protocolErrors)
        add(snapshot.gate)
        add(snapshot.relay)
        if let radio = snapshot.radio { add(radio) }
        if let hub = snapshot.hub { add(hub) }
    }
}

extension BoxConfiguration {
    var brokerConfiguration: SignalingServer.Configuration {
        var limits = PeerBroker.Limits()
        limits.admitsPlainClients = self.broker.open
        limits.connections = self.broker.clients
        limits.members = room.people
        limits.awayTime = room.grace
        return SignalingServer.Configuration(path: self.broker.path, key: self.broker.key, limits: limits)
    }

    func webConfiguration(
        certificates: CertificateSource, hub: HubFacts, portal: Portal?,
        panel: @escaping @Sendable () async throws -> [UInt8]
    ) -> WebConfiguration {
        WebConfiguration(
            name: name, version: boxVersion,
            ports: .init(http: Int(http.port), https: Int(https.port), stun: Int(stun.port)),
            broker: .init(path: self.broker.path, key: self.broker.key, discovery: self.broker.discovery),
            siteRoot: web.root, offersTURN: turn.enabled, turnLifetime: UInt64(turn.lifetime.components.seconds),
            certificates: certificates,
            linksAreSecure: { [scheme = link.scheme] in scheme.isSecure(hasOwnersCertificate: $0) }, hub: hub,
            portal: portal, ownNames: { [names] in names + [LocalNetwork.localName()].compactMap(\.self) }, panel: panel
        )
    }

    var relayConfiguration: RelayServer.Configuration {
        // The networks are told as soon as they are known, and again when they change.
        var turn = TURNConfiguration(
            realm: "kibitz-local", software: "Kibitz Local", networks: [], localAddresses: [],
            relayPorts: self.turn.ports)
        turn.relays = self.turn.enabled
        return RelayServer.Configuration(port: stun.port, turn: turn)
    }
}
