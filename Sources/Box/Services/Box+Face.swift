import Synchronization
import Hub
import BoxWeb
import BoxHub
import BoxCertificates
import BoxNetwork
import BoxRoom
import AccessPoint
import BoxConfiguration
import Credentials
import PeerBroker
import Screens
import Wire

// What there is to show.
extension Box {
    /// The room's codes as soon as they are known, long before it is open: who scans them takes longer than that.
    /// - Parameter network: the machine's own.
    /// - Returns: nil where they are not known yet, or may come to nothing.
    static func room(
        _ configuration: BoxConfiguration, _ authority: RoomAuthority, _ radio: WiFiService?, in network: LocalNetwork?
    ) async -> Screen? {
        // Whether an owner's certificate is good is not known; and a Wi-Fi of another make gets its address later.
        guard configuration.certificate == nil, configuration.wifi.mode != .wired, let network else { return nil }
        var addresses = reachableAddresses(configuration, in: network, own: nil)
        if let radio {
            guard await radio.recent().isOnItsWay, let own = radio.likelyAddress else { return nil }
            if configuration.addresses.isEmpty { addresses.insert(own, at: 0) }
        }
        let link = JoinLink(
            configuration: configuration, hasOwnersCertificate: false, addresses: addresses,
            secret: authority.credentials.secret)
        if link.isOnlyForThisMachine, configuration.addresses.isEmpty { return nil }
        return .room(
            RoomScreen(
                name: configuration.name, wifi: radio == nil ? nil : shown(wifi(configuration, authority)),
                link: link.description, address: link.typed, people: count([], hubClients: 0)))
    }

    private static func shown(_ wifi: Status.WiFi) -> RoomScreen.WiFi {
        RoomScreen.WiFi(ssid: wifi.ssid, passphrase: wifi.passphrase, code: wifi.code)
    }

    /// The panel's screen by the present state of every part.
    func screen() async -> Screen {
        let service = self.radio
        let radio = await service?.recent()
        let found = addresses.withLock { $0 }
        let isComing = wifi == nil && radio?.isOnItsWay == true
        // Its codes are known before the beacon, and by the time that a phone has them it is there.
        let coming = isComing ? ownNetwork?.coming ?? service?.likelyAddress : nil
        if let radio, wifi == nil, coming == nil, isComing || found.allSatisfy(\.isLoopback) {
            // Its own Wi-Fi is the only way to it, or will be the best.
            switch radio.state {
            case .starting, .up: return .starting(name: configuration.name)
            case .waiting, .stopped:
                return radio.trouble.lazy.compactMap(\.shown).first.map { .trouble($0) }
                    ?? .starting(name: configuration.name)
            }
        }
        let link = joinLink(first: coming)
        // At the terminal of a machine without a network somebody may want to try the page; and who has set an address means it.
        if link.isOnlyForThisMachine, configuration.addresses.isEmpty, configuration.panel.model != .terminal {
            return .trouble(.noNetwork)
        }
        let people = await signaling.snapshot().broker.people
        let clients = await hub?.snapshot().hub
        var room = RoomScreen(
            name: configuration.name,
            wifi: (coming == nil ? wifi : comingWiFi).map(Self.shown),
            link: link.description, address: link.typed, people: Self.count(people, hubClients: clients?.clients ?? 0),
            full: people.count >= configuration.room.people ? configuration.room.people : nil,
            troubles: troubles(link, radio))
        if room.full == nil, let limit = radio?.trouble.lazy.compactMap(\.limit).first { room.full = limit }
        return .room(room)
    }

    /// People of the room, and those whom Kibitz's hosted page has let in through the hub, who have a link to that.
    private static func count(_ people: [PeerBroker.Person], hubClients: Int) -> RoomScreen.People {
        let healthy = people.count { !$0.away && ($0.links.total == 0 || $0.links.healthy > 0) }
        return RoomScreen.People(count: people.count + hubClients, healthy: healthy + hubClients)
    }

    /// What is wrong though people can join; the worst first.
    private func troubles(_ link: JoinLink, _ radio: AccessPointSnapshot?) -> [Trouble] {
        var troubles: [Trouble] = []
        if let failure = face.failure { troubles.append(failure.trouble) }
        if rotation.trouble != nil { troubles.append(.storage) }
        if ownNetwork?.trouble.isEmpty == false { troubles.append(.wifiNetworkFails) }
        troubles += radio?.trouble.compactMap(\.shown) ?? []
        if link.scheme == "https" {
            let status = certificates.status
            if status.problems.count > (status.isClockBehind ? 1 : 0) { troubles.append(.certificate) }
            if status.isClockBehind { troubles.append(.clock) }
        }
        if link.isOnlyForThisMachine { troubles.append(.noNetwork) }
        return troubles
    }
}

extension JoinLink {
    /// Whether it leads nowhere from another machine.
    fileprivate var isOnlyForThisMachine: Bool { IPAddress(ipv4: host)?.isLoopback == true }

    /// What somebody can type who can't scan: the secret is for scanners.
    fileprivate var typed: String? { "\(self)".split(separator: "#").first.map(String.init) }
}

extension AccessPointSnapshot {
    /// Whether it begins for the first time, and nothing has failed.
    fileprivate var isOnItsWay: Bool {
        state == .starting && counters.starts == 0 && !trouble.contains { $0.isFatal }
    }
}

extension AccessPointTrouble {
    /// How the panel tells it; nil where it has a form of its own.
    fileprivate var shown: Trouble? {
        switch self {
        case .noRadio, .noCapableRadio: .noRadio
        case .switchedOff: .radioSwitchedOff
        case .countryUnset: .noCountry
        case .failed, .noChannel: .radioFails
        // Why it can't is another trouble, that of the Wi-Fi's network.
        case .full, .notPrepared: nil
        // Broken off each time, so people hardly notice: not worth smaller codes.
        case .disturbed: nil
        case .noInterface, .incapableInterface, .noSecurity, .noWPA3, .countryRefused, .channelRefused:
            .other(sentence)
        }
    }

    /// The limit that is reached.
    fileprivate var limit: Int? {
        if case .full(let limit) = self { limit } else { nil }
    }

    private var sentence: String { description.prefix(1).uppercased() + description.dropFirst() + "." }
}
