import Screens
import BoxPanel
import AccessPoint
public import BoxConfiguration
import BoxCertificates
import BoxHub
import BoxNetwork
import BoxRadio
import BoxRelay
import BoxRoom
import BoxState
import BoxWeb
import Credentials
import Glibc
public import Logging
import NIOCore
import NIOPosix
import PeerBroker
import ServiceLifecycle
import Synchronization
import UnixSignals
import Wire

/// One running box: everything `kibitz-local run` starts, and what the command line may ask of it.
///
/// Its sockets live on one event loop; nothing crosses threads for a packet or a frame.
public final class Box: Sendable {
    /// How long services have to end in order before the process ends all the same.
    static let shutdownTimeout = Duration.seconds(4)
    /// From the last words to those on the Wi-Fi to its change, at a rotation.
    private static let farewellTime = Duration.milliseconds(100)

    /// How long the panel waits for the beacon, where the radio is quick, and how long the rest of the box does after that: the
    /// codes are to be on their way to the panel 150 ms after the start all the same.
    private static let panelHead = Duration.milliseconds(20)
    private static let restHead = Duration.milliseconds(70)

    let configuration: BoxConfiguration
    private let state: StateDirectory
    private let logger: Logger
    private let manager: ServiceManager
    let authority: RoomAuthority
    let certificates: CertificateSource
    let signaling: SignalingServer
    private let gate: ConnectionGate
    private let relay: RelayServer
    private let web: WebConfiguration
    let hub: HubService?
    let ownNetwork: OwnNetwork?
    let radio: WiFiService?
    let rotation: Rotation
    /// The panel and the button.
    let face: Face
    /// An element when the box is to end.
    private let ending = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    /// What a reset leaves where it is.
    private let ownersFiles: [String]
    private let eventLoop: any EventLoop
    private let started = ContinuousClock.now
    let addresses: Mutex<[IPAddress]>

    /// Runs a box until it is told to end by SIGTERM or SIGINT. Its panel shows how it goes, to the end.
    /// - Parameters:
    ///   - configuration: how it runs.
    ///   - state: the path of its state directory.
    ///   - configurationFile: the file the configuration was read from, if any; a reset leaves it where it is.
    ///   - logger: where it logs.
    /// - Throws: errors whose description tells the owner what to do.
    public static func run(
        configuration: BoxConfiguration, state path: String, configurationFile: String? = nil, logger: Logger
    ) async throws {
        let state: StateDirectory
        do {
            state = try StateDirectory(path: path, group: StateDirectory.groupID(named: configuration.control.group))
        } catch {
            // Another box has the panel then.
            if case .inUse = error.reason { throw error }
            await Face(configuration: configuration, directory: path, logger: logger).finish(error)
            throw error
        }
        let authority: RoomAuthority
        do {
            authority = try RoomAuthority(state: state)
        } catch {
            await Face(configuration: configuration, directory: state.path, logger: logger).finish(error)
            throw error
        }
        // Whoever hears of the radio's troubles comes after it has begun.
        let witness = Mutex<Face?>(nil)
        let wifi = WiFi(
            configuration: configuration, state: state, authority: authority, logger: logger,
            onTrouble: { witness.withLock { $0 }?.changed() })
        let beginning = wifi.radio?.begin()
        await beginning?.end(within: panelHead)
        // Before the panel: who is told to end before all is up lets go of it as well.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let network = Result { try LocalNetwork.current() }
        let face = Face(
            configuration: configuration, directory: state.path,
            room: await room(configuration, authority, wifi.radio, in: try? network.get()), logger: logger)
        witness.withLock { $0 = face }
        // What is wrong by now nobody has told it.
        face.changed()
        await beginning?.end(within: restHead)
        // What ends when that is asked for; who asks once more does not wait for the panel.
        let running = Mutex<(box: Box?, isEnding: Bool)>((nil, false))
        let listening = Task {
            for await signal in signals {
                let (box, isEnding) = running.withLock { running in
                    defer { running.isEnding = true }
                    return running
                }
                if isEnding, signal == .sigint { face.hurry() }
                box?.end()
            }
        }
        defer { listening.cancel() }
        do {
            let box = try Box(
                configuration: configuration, state: state, authority: authority, wifi: wifi, network: network.get(),
                face: face, configurationFile: configurationFile, logger: logger)
            let isEnding = running.withLock { running in
                running.box = box
                return running.isEnding
            }
            if isEnding { box.end() }
            try await box.run()
        } catch {
            // It ends already.
            running.withLock { $0.isEnding = true }
            await wifi.radio?.end()
            await face.finish(error)
            throw error
        }
    }

    /// The box's own Wi-Fi, which begins before the rest.
    private struct WiFi {
        let loop = MainLoop()
        var network: OwnNetwork?
        var radio: WiFiService?

        init(
            configuration: BoxConfiguration, state: StateDirectory, authority: RoomAuthority, logger: Logger,
            onTrouble: @escaping @Sendable () -> Void
        ) {
            guard configuration.wifi.mode != .none else { return }
            let network = OwnNetwork(
                configuration: configuration, state: state, authority: authority,
                names: { Box.names(configuration) }, eventLoop: { [loop] in loop.value }, logger: logger,
                onTrouble: onTrouble)
            self.network = network
            guard configuration.wifi.mode == .auto else { return }
            radio = WiFiService(
                configuration: configuration, authority: authority, network: network, logger: logger,
                onTrouble: onTrouble)
        }
    }

    private init(
        configuration: BoxConfiguration, state: StateDirectory, authority: RoomAuthority, wifi: WiFi,
        network: LocalNetwork, face: Face, configurationFile: String?, logger: Logger
    ) throws {
        self.configuration = configuration
        self.logger = logger
        ownersFiles = configuration.ownersFiles + [configurationFile].compactMap(\.self)
        manager = ServiceManager(environment: processEnvironment())
        self.state = state
        self.face = face
        self.authority = authority
        ownNetwork = wifi.network
        radio = wifi.radio
        let found = Self.reachableAddresses(configuration, in: network, own: nil)
        addresses = Mutex(found)
        certificates = try CertificateSource(
            owner: configuration.certificate.map { OwnerCertificateFiles(chain: $0.chain, key: $0.key) },
            hosts: Self.names(configuration), addresses: found, state: state, logger: logger)
        eventLoop = wifi.loop.value
        gate = ConnectionGate(eventLoop: eventLoop)
        signaling = SignalingServer(
            configuration: configuration.brokerConfiguration, authority: authority, eventLoop: eventLoop,
            logger: logger,
            onPeople: { face.changed() })
        relay = RelayServer(
            configuration: configuration.relayConfiguration, eventLoop: eventLoop, logger: logger,
            passwords: configuration.turnPasswords(authority))
        rotation = Rotation(authority: authority, logger: logger, onTrouble: { face.changed() })
        web = configuration.webConfiguration(
            certificates: certificates, hub: HubFacts(), portal: wifi.network?.portal,
            panel: { try await face.panel.picture() })
        if configuration.hub.enabled {
            hub = try HubService(
                configuration: configuration, web: web, state: state, authority: authority, signaling: signaling,
                addresses: found, eventLoop: eventLoop, logger: logger, onClients: { face.changed() })
        } else {
            hub = nil
            // A link of earlier would lead nowhere.
            try state.remove(HubService.linkFile)
        }
    }

    private func run() async throws {
        try await relay.start()
        try await hub?.start()
        // Whom the relay serves is told to it once it runs.
        let watcher = try NetworkWatcher(on: eventLoop, logger: logger) { self.networkChanged(to: $0) }
        networkChanged(to: watcher.network)
        ownNetwork?.onChange { self.networkChanged(to: watcher.network) }
        if configuration.wifi.mode == .wired, let interface = configuration.wifi.interface {
            await ownNetwork?.start(interface: interface, hubPort: hub?.port)
        }
        let (portsReady, portIsReady) = AsyncStream.makeStream(of: Void.self)
        let server = WebServer(
            configuration: web, authority: authority, signaling: signaling, gate: gate,
            eventLoop: eventLoop, logger: logger, metrics: { await Metrics(self.snapshot()).text },
            onReady: { portIsReady.yield() })
        var services: [any Service] = [
            server, WatchdogService(manager: manager, eventLoop: eventLoop),
            CertificateService(certificates: certificates),
            FrontDesk(ports: portsReady, open: openFrontDesk),
        ]
        if let radio { services.append(RadioService(radio: radio, hubPort: hub?.port)) }
        services.append(FaceService(face: face))
        var group = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) } + [
                .init(
                    service: Ending(wishes: ending.stream), successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .cancelGroup)
            ],
            gracefulShutdownSignals: [], logger: logger)
        group.maximumGracefulShutdownDuration = Self.shutdownTimeout
        do {
            try await ServiceGroup(configuration: group).run()
        } catch {
            manager.stopping()
            // The machine would stay shut off behind a firewall of a box that is gone.
            await ownNetwork?.stop()
            throw error
        }
        manager.stopping()
        await ownNetwork?.stop()
        await hub?.stop()
        await relay.stop()
        try? await watcher.stop().get()
        // The last that anybody sees of the box.
        await face.finish()
        // If that was asked for; it waits until nobody needs what goes.
        try state.reset()
    }

    /// Opens the control socket and shows the code: what they tell holds from now on.
    private func openFrontDesk() async throws -> any Channel {
        let control = ControlServer(
            path: state.path(of: controlSocketName), group: configuration.control.group, loop: eventLoop,
            logger: logger,
            answer: { await self.answer($0, until: $1) })
        let channel = try await control.start()
        let link = joinLink
        logger.info("ready: \(link.scheme)://\(link.host):\(link.port)/ in \(ContinuousClock.now - started)")
        await face.open(
            screen: { await self.screen() },
            actions: Face.Actions(rotate: { try await self.rotate() }, reset: { try await self.reset() }))
        manager.ready(status: "Room open at \(link.scheme)://\(link.host):\(link.port)/")
        return channel
    }
}

// MARK: Addresses

extension Box {
    /// - Parameter own: the box's address on its own Wi-Fi, which is where people are.
    static func reachableAddresses(
        _ configuration: BoxConfiguration, in network: LocalNetwork, own: IPAddress?
    ) -> [IPAddress] {
        guard configuration.addresses.isEmpty else { return configuration.addresses }
        guard let own else { return network.addresses.map(\.address) }
        return [own] + network.addresses.map(\.address).filter { $0 != own && !$0.isLoopback }
    }

    private static func names(_ configuration: BoxConfiguration) -> [String] {
        [LocalNetwork.localName(), "localhost"].compactMap { $0 } + configuration.names
    }

    private func networkChanged(to network: LocalNetwork) {
        relay.update(
            networks: network.neighbourhoods.map(\.network), localAddresses: network.neighbourhoods.map(\.address))
        if let radio {
            Task { await radio.networkChanged() }
        } else if let ownNetwork {
            Task { _ = await ownNetwork.networkChanged() }
        }
        // Found in here, so that of two changes at once the later one's addresses stay.
        let (now, changed) = addresses.withLock { old in
            let now = Self.reachableAddresses(configuration, in: network, own: ownNetwork?.address)
            defer { old = now }
            return (now, old != now)
        }
        if changed {
            logger.notice("the addresses are now \(now.map(\.description).joined(separator: ", "))")
            certificates.update(hosts: Self.names(configuration), addresses: now)
            hub?.update(addresses: now)
        }
        // The owner may have set the addresses: then the Wi-Fi comes and goes without a change of them.
        face.changed()
    }

    /// How phones get onto the box's own Wi-Fi, while there is one.
    var wifi: Status.WiFi? {
        configuration.wifi.mode == .auto && ownNetwork?.address != nil ? comingWiFi : nil
    }

    /// How they will get onto it.
    var comingWiFi: Status.WiFi { Self.wifi(configuration, authority) }

    /// How phones get onto a box's Wi-Fi.
    static func wifi(_ configuration: BoxConfiguration, _ authority: RoomAuthority) -> Status.WiFi {
        let wifi = authority.credentials.wifi
        return Status.WiFi(ssid: wifi.ssid(name: configuration.wifi.name), passphrase: wifi.passphrase)
    }

    var joinLink: JoinLink { joinLink(first: nil) }

    /// - Parameter own: an address that will be the best one in a moment.
    func joinLink(first own: IPAddress?) -> JoinLink {
        let coming = configuration.addresses.isEmpty ? [own].compactMap(\.self) : []
        return JoinLink(
            configuration: configuration, hasOwnersCertificate: certificates.status.origin == .owner,
            addresses: coming + addresses.withLock { $0 }, secret: authority.credentials.secret)
    }
}

// MARK: What the command line asks

extension Box {
    private func answer(_ request: ControlRequest, until end: EventLoopFuture<Void>) async -> ControlResponse {
        switch request {
        case .status:
            return ControlResponse(status: Status(configuration: configuration, await snapshot()))
        case .panel:
            do {
                return ControlResponse(panel: try await face.picture())
            } catch {
                return ControlResponse(error: "\(error)")
            }
        case .wifi:
            return ControlResponse(wifi: await radio?.status() ?? WiFiStatus.none)
        case .rotate:
            do {
                try await rotate()
                return ControlResponse(status: Status(configuration: configuration, await snapshot()))
            } catch {
                return ControlResponse(error: "\(error)")
            }
        case .updating:
            face.updating(true)
            end.whenComplete { _ in self.face.updating(false) }
            return ControlResponse()
        case .reset:
            do {
                try await reset()
                return ControlResponse()
            } catch {
                return ControlResponse(error: "\(error)")
            }
        }
    }

    /// Changes the room's codes; who asks while that is being done waits for the same new ones.
    func rotate() async throws {
        do {
            // Who joins one that is almost done shows nothing: nobody would take it away again.
            try await rotation.run(begin: { await self.face.show(instead: .rotating) }) { former, _ in
                await self.rotated(former)
            }
        } catch {
            await face.show(instead: nil)
            throw error
        }
    }

    /// The room's codes were changed, and are on the disk. In this order: everyone is told why and closed; the Wi-Fi
    /// changes; the panel shows the new ones.
    private func rotated(_ former: RoomCredentials) async {
        await signaling.rotate()
        await hub?.retire(former.secret)
        relay.dropAll()
        if let radio {
            // Who is sent off the Wi-Fi hears nothing more, so what they are told has to be on the air before.
            try? await Task.sleep(for: Self.farewellTime)
            radio.rotate()
        }
        // The radio may be busy with that for half a second; the panel does not wait for it.
        await face.show(instead: nil)
        await hub?.storeLink()
    }

    /// Makes the box as it was when it was new: everything it keeps goes, the owner's settings stay. Once this returns no loss
    /// of power changes that. The box ends in order, and whoever started it may start it again.
    /// - Throws: `StateError` when that can't be stored; nothing happens then.
    func reset() async throws {
        face.resetting()
        do {
            try await NIOThreadPool.singleton.runIfActive {
                try self.state.prepareReset(keeping: self.ownersFiles)
            }
        } catch {
            face.resetFailed(error)
            throw error
        }
        logger.notice("the box is made as it was when it was new")
        end()
    }

    /// Ends the box in order, as SIGTERM does.
    func end() { ending.continuation.yield() }

    /// The present state of every part.
    private func snapshot() async -> Snapshot {
        let (panel, button) = await face.snapshot()
        let (broker, protocolErrors) = await signaling.snapshot()
        return Snapshot(
            broker: broker, protocolErrors: protocolErrors, gate: await gate.counters(), relay: await relay.counters(),
            uptime: ContinuousClock.now - started, generation: authority.credentials.generation,
            addresses: addresses.withLock { $0 }, link: joinLink, wifi: wifi, radio: await radio?.snapshot(),
            hub: await hub?.snapshot(), hubPort: hub?.port, dialling: web.hub.dialling, panel: panel, button: button,
            trouble: await trouble() + [panel.trouble, button.trouble].compactMap { $0?.description },
            certificate: certificates.status)
    }

    private func trouble() async -> [String] {
        var lines = certificates.status.problems + storageTroubles + [face.failure?.sentence].compactMap(\.self)
        if addresses.withLock({ $0.allSatisfy(\.isLoopback) }) {
            lines.append("this machine is on no network; connect it, or only programs on it can join")
        }
        return lines + (await wifiTroubles()) + (hub?.trouble ?? [])
    }

    /// Why the room's codes can't be changed.
    private var storageTroubles: [String] {
        rotation.trouble.map { ["the room's codes could not be changed, the old ones are valid: \($0)"] } ?? []
    }

    private func wifiTroubles() async -> [String] {
        await radio?.troubles() ?? ownNetwork?.trouble ?? []
    }
}

/// Keeps what the panel shows up to date.
private struct FaceService: Service {
    let face: Face

    func run() async throws {
        await cancelWhenGracefulShutdown { await face.follow() }
        face.ending()
    }
}

/// The box's own Wi-Fi.
private struct RadioService: Service {
    let radio: WiFiService
    let hubPort: Int?

    func run() async throws {
        await cancelWhenGracefulShutdown { await radio.run(hubPort: hubPort) }
    }
}

/// Ends the box when that is asked for.
private struct Ending: Service {
    let wishes: AsyncStream<Void>

    func run() async throws {
        for await _ in wishes.cancelOnGracefulShutdown() { return }
    }
}

/// Keeps the certificate up to date.
private struct CertificateService: Service {
    let certificates: CertificateSource

    func run() async throws {
        await cancelWhenGracefulShutdown { await certificates.run() }
    }
}

/// Waits until both web ports are open, then opens what people meet first: the code on the panel, and the control socket.
private struct FrontDesk: Service {
    /// An element for each port that is open.
    let ports: AsyncStream<Void>
    /// Opens the desk; the answer is the control socket.
    let open: @Sendable () async throws -> any Channel

    func run() async throws {
        var missing = 2
        for await _ in ports.cancelOnGracefulShutdown() {
            missing -= 1
            if missing == 0 { break }
        }
        guard missing == 0 else { return }
        let control = try await open()
        try? await gracefulShutdown()
        try? await control.close()
    }
}
