import AccessPoint
import BoxConfiguration
import BoxNetwork
import BoxRadio
import BoxRoom
import Credentials
import IEEE80211
import Logging
import Stations
import Synchronization
import Wire

/// The box's own Wi-Fi: the radio, and the network on it while it beacons.
final class WiFiService: Sendable {
    private let configuration: BoxConfiguration
    private let authority: RoomAuthority
    private let radio: AccessPointService
    private let network: OwnNetwork
    private let events: AsyncStream<AccessPointEvent>
    private let onTrouble: @Sendable () -> Void
    /// How the radio was when it was last asked.
    private let last = Mutex(AccessPointSnapshot.none)
    /// The interface that the radio has chosen.
    private let chosen = Chosen()

    private final class Chosen: Sendable {
        let interface = Mutex<String?>(nil)
    }

    /// Makes a Wi-Fi that is off.
    /// - Parameters:
    ///   - network: addresses, names and the portal on it.
    ///   - onTrouble: called when what is wrong with the radio has changed.
    init(
        configuration: BoxConfiguration, authority: RoomAuthority, network: OwnNetwork, logger: Logger,
        onTrouble: @escaping @Sendable () -> Void
    ) {
        self.configuration = configuration
        self.authority = authority
        self.network = network
        self.onTrouble = onTrouble
        let (events, continuation) = AsyncStream.makeStream(of: AccessPointEvent.self)
        self.events = events
        radio = AccessPointService(
            configuration: Self.accessPoint(configuration, authority.credentials.wifi), logger: logger,
            onEvent: { [chosen] in
                if case .preparing(let interface) = $0 { chosen.interface.withLock { $0 = interface } }
                // Phones may come and go without end while a step of the network takes its time.
                if case .station = $0 { return }
                continuation.yield($0)
            }, onTrouble: onTrouble)
    }

    private static func accessPoint(
        _ configuration: BoxConfiguration, _ credentials: WiFiCredentials
    ) -> AccessPointConfiguration {
        let wifi = configuration.wifi
        let security: AccessPointConfiguration.Security =
            switch wifi.security {
            case .wpa2: .wpa2
            case .wpa3: .wpa3
            case .transition: .transition
            }
        var result = AccessPointConfiguration(
            ssid: Array(credentials.ssid(name: wifi.name).utf8), passphrase: credentials.passphrase,
            security: security, interface: wifi.interface, country: configuration.country, channel: wifi.channel)
        result.stationLimit = wifi.stations
        result.silence = wifi.silence
        result.rekeyInterval = wifi.rekey
        return result
    }

    /// Begins; ``run(hubPort:)`` has to follow. What phones look for first is the beacon, so all else of the box comes after it
    /// unless that takes long.
    func begin() -> AccessPointBeginning { radio.start() }

    /// Leaves the radio as it was; ``run(hubPort:)`` does that too.
    func end() async { await radio.stop() }

    /// The box's address on it by what can be known before the network is begun.
    var likelyAddress: IPAddress? {
        network.likelyAddress(on: chosen.interface.withLock { $0 } ?? configuration.wifi.interface)
    }

    /// Runs until it is cancelled: beacons, and the network with them.
    /// - Parameter hubPort: the LAN hub's UDP port, which phones may reach.
    func run(hubPort: Int?) async {
        for await event in events {
            switch event {
            case .preparing(let interface):
                // A Wi-Fi that nothing keeps apart from the rest of the machine is worse than none.
                radio.prepared(
                    interface: interface, await network.prepare(interface: interface, hubPort: hubPort))
                // The way to the box is known from here on.
                onTrouble()
            case .up(let interface, _): await network.start(interface: interface, hubPort: hubPort)
            case .down: await network.suspend()
            case .stopped: await network.stop()
            case .station: break
            }
        }
        await radio.stop()
        await network.stop()
    }

    /// The room's codes were changed: everyone is sent off, and the new name and passphrase hold.
    func rotate() {
        radio.configure(Self.accessPoint(configuration, authority.credentials.wifi))
    }

    /// A network of the machine has changed: moves away from addresses that are now in use elsewhere.
    func networkChanged() async {
        if await network.networkChanged() { radio.sendEveryoneOff() }
    }

    /// How the radio is doing.
    func snapshot() async -> AccessPointSnapshot { await radio.snapshot() }

    /// How the radio is doing, or was: a driver may keep its thread for half a second. `onTrouble` is called when that is over.
    func recent() async -> AccessPointSnapshot {
        let present = await answer(within: .milliseconds(20)) {
            (give: @escaping @Sendable (AccessPointSnapshot) -> Bool) in
            Task {
                let snapshot = await radio.snapshot()
                last.withLock { $0 = snapshot }
                if !give(snapshot) { onTrouble() }
            }
        }
        return present ?? last.withLock { $0 }
    }

    /// What is wrong with the radio and with the network on it, in sentences.
    func troubles() async -> [String] { troubles(await snapshot()) }

    private func troubles(_ snapshot: AccessPointSnapshot) -> [String] {
        // That it waits for the network is no news where the network says what it lacks.
        let network = network.trouble
        return snapshot.trouble.filter { $0 != .notPrepared || network.isEmpty }.map(\.description) + network
    }

    /// What `kibitz-local wifi` tells.
    func status() async -> WiFiStatus {
        let snapshot = await snapshot()
        let credentials = authority.credentials.wifi
        let beacon = snapshot.beacon
        let troubles = troubles(snapshot)
        return WiFiStatus(
            state: WiFiStatus.State(snapshot.state), troubles: troubles, trouble: OrNull(troubles.first),
            interface: OrNull(beacon?.interface), radio: OrNull(beacon?.radio), chip: OrNull(beacon.map(\.kind.name)),
            bssid: OrNull(beacon?.bss.description), channel: OrNull(beacon.map { Int($0.channel.number) }),
            frequency: OrNull(beacon?.channel.frequency), width: OrNull(beacon?.channel.width.megahertz),
            country: OrNull(beacon?.country), ssid: OrNull(credentials.ssid(name: configuration.wifi.name)),
            passphrase: OrNull(credentials.passphrase), security: OrNull(beacon.map { Self.words($0.akms) }),
            address: OrNull(network.address?.description), starts: Int(clamping: snapshot.counters.starts),
            startTime: OrNull(
                snapshot.counters.starts == 0
                    ? nil : Int(snapshot.counters.lastStart / .milliseconds(1))),
            limit: OrNull(snapshot.stationLimit), stations: snapshot.stations.map(WiFiStatus.Station.init),
            refused: snapshot.refusals.map(WiFiStatus.Refused.init))
    }

    private static func words(_ akms: [AKMSuite]) -> String {
        let names = [akms.contains(.psk) ? "WPA2" : nil, akms.contains(.sae) ? "WPA3" : nil].compactMap { $0 }
        return names.joined(separator: " and ")
    }
}

extension WiFiStatus {
    /// What is told of a box without a Wi-Fi of its own.
    static let none = WiFiStatus(
        state: .none, troubles: [], trouble: OrNull(nil), interface: OrNull(nil), radio: OrNull(nil), chip: OrNull(nil),
        bssid: OrNull(nil), channel: OrNull(nil), frequency: OrNull(nil), width: OrNull(nil), country: OrNull(nil),
        ssid: OrNull(nil), passphrase: OrNull(nil), security: OrNull(nil), address: OrNull(nil), starts: 0,
        startTime: OrNull(nil), limit: OrNull(nil), stations: [], refused: [])
}

extension WiFiStatus.State {
    init(_ state: AccessPointSnapshot.State) {
        self =
            switch state {
            case .stopped: .stopped
            case .starting: .starting
            case .waiting: .waiting
            case .up: .up
            }
    }
}

extension WiFiStatus.Station {
    init(_ station: AccessPointSnapshot.Station) {
        self.init(
            address: station.address.description, authorized: station.isAuthorized, signal: OrNull(station.signal),
            rate: OrNull(station.rate.map { Double($0) / 10 }), akm: station.akm.isSAE ? "WPA3" : "WPA2",
            protected: station.usesMFP, idle: OrNull(station.inactive.map { Int($0.components.seconds) }))
    }
}

extension WiFiStatus.Refused {
    init(_ refusal: Refusal) {
        self.init(
            address: refusal.station.description, reason: refusal.cause.explanation, count: refusal.count)
    }
}

extension StationsConfiguration.Kind {
    /// The word for it.
    fileprivate var name: String {
        switch self {
        case .softMAC: "soft-mac"
        case .fullMAC: "full-mac"
        case .offloaded: "offloaded"
        }
    }
}
