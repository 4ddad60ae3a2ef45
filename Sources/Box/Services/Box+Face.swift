import Synchronization
import Hub
import BoxWeb
import BoxHub
import BoxCertificates
import AccessPoint
import BoxConfiguration
import PeerBroker
import Screens
import Wire

// What there is to show.
extension Box {
    /// The panel's screen by the present state of every part.
    func screen() async -> Screen {
        let radio = await radio?.recent()
        let found = addresses.withLock { $0 }
        let isComing = wifi == nil && radio?.isOnItsWay == true
        // Its codes are known before the beacon, and by the time that a phone has them it is there.
        let coming = isComing ? ownNetwork?.coming : nil
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
            wifi: (coming == nil ? wifi : comingWiFi).map {
                RoomScreen.WiFi(ssid: $0.ssid, passphrase: $0.passphrase, code: $0.code)
            },
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
