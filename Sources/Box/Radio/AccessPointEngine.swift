import AccessPoint
import IEEE80211
import Logging
import NIOCore
import NL80211
import Netlink
import SansIO
import Stations
import Wire

/// Carries out what an ``AccessPoint`` wants, on one event loop.
final class AccessPointEngine {
    /// From a failure to open the sockets to the next attempt.
    static let retryDelay = TimeAmount.seconds(5)
    /// Lines on phones that it may put into the log: each second, and at once. A stranger can try passwords all day.
    static let lineRate = (rate: 1.0, burst: 100.0)

    private let eventLoop: any EventLoop
    private let logger: Logger
    private let onEvent: (AccessPointEvent) -> Void
    private let onTrouble: () -> Void
    private var core: AccessPoint
    private var output = AccessPointOutput()
    /// Inputs that came while one was being carried out.
    private var waiting: [AccessPointInput] = []
    private var isBusy = false
    private var timer: (deadline: Timestamp, task: Scheduled<Void>)?

    private var radio: NetlinkSocket?
    private var route: NetlinkSocket?
    private var switches: RadioSwitches?
    private var eapol: EAPOLSocket?
    /// What keeps the sockets from being opened.
    private var openingTrouble: String?
    private var isWanted = false
    /// Whoever waits for the first beacon.
    private var beginning: EventLoopPromise<Void>?
    private var ending: EventLoopPromise<Void>?
    private var lastTrouble: [AccessPointTrouble] = []
    private var lines = TokenBucket(
        rate: AccessPointEngine.lineRate.rate, burst: AccessPointEngine.lineRate.burst, now: AccessPointEngine.now)

    init(
        configuration: AccessPointConfiguration, eventLoop: any EventLoop, logger: Logger,
        onEvent: @escaping (AccessPointEvent) -> Void, onTrouble: @escaping () -> Void
    ) {
        self.eventLoop = eventLoop
        self.logger = logger
        self.onEvent = onEvent
        self.onTrouble = onTrouble
        core = AccessPoint(configuration: configuration, generator: SystemRandomNumberGenerator())
    }

    var snapshot: AccessPointSnapshot { openingTrouble == nil ? core.snapshot : .waiting(.noRadio) }
}

// MARK: Beginning and ending

extension AccessPointEngine {
    /// Opens the sockets and begins; after a stop, again.
    /// - Parameter promise: is kept when the beacon is on the air, or waits for something else than the kernel.
    func start(_ promise: EventLoopPromise<Void>) {
        isWanted = true
        hasBegun()
        beginning = promise
        open()
    }

    private func hasBegun() {
        beginning?.succeed(())
        beginning = nil
    }

    private func open() {
        guard isWanted, ending == nil, radio == nil else { return }
        do {
            // Each at once in its place: `closeSockets()` closes what was opened before a failure.
            route = try NetlinkSocket(.route, on: eventLoop) { [weak self] in self?.hear($0) }
            radio = try NetlinkSocket(.nl80211, on: eventLoop) { [weak self] in self?.hear($0) }
        } catch {
            // Without a driver the kernel knows no nl80211 at all; one may come with an adapter.
            let isNew = openingTrouble == nil
            openingTrouble = error.description
            if isNew {
                logger.warning("no Wi-Fi: \(error)")
                onTrouble()
            }
            closeSockets()
            hasBegun()
            let engine = NIOLoopBound(self, eventLoop: eventLoop)
            eventLoop.scheduleTask(in: Self.retryDelay) { engine.value.open() }
            return
        }
        if openingTrouble != nil {
            openingTrouble = nil
            onTrouble()
        }
        // Those stay open when the sockets are opened anew: which switch was there before is known by them.
        if switches == nil { watchSwitches() }
        take(.start)
    }

    private func watchSwitches() {
        do {
            switches = try RadioSwitches(on: eventLoop) { [weak self] list in
                self?.take(
                    .switches(
                        list.map {
                            NamedSwitch(
                                index: $0.index, name: $0.name, isSoftBlocked: $0.isSoftBlocked,
                                isHardBlocked: $0.isHardBlocked)
                        }))
            }
        } catch {
            // A kernel without them has none that could be off.
            logger.debug("\(error)")
        }
    }

    /// Sends everyone away and ends.
    func stop(_ promise: EventLoopPromise<Void>) {
        guard ending == nil else { return promise.fail(ChannelError.alreadyClosed) }
        isWanted = false
        ending = promise
        guard radio != nil else { return finish() }
        take(.stop)
    }

    private func finish() {
        timer?.task.cancel()
        timer = nil
        close()
        hasBegun()
        let promise = ending
        ending = nil
        promise?.succeed(())
    }

    private func close() {
        eapol?.close()
        eapol = nil
        switches?.close()
        switches = nil
        closeSockets()
    }

    private func closeSockets() {
        radio?.close()
        radio = nil
        route?.close()
        route = nil
    }
}

// MARK: The machine

extension AccessPointEngine {
    /// What a socket tells.
    private func hear(_ event: NetlinkOutput.Event) {
        switch event {
        case .reply(let id, let result): take(.reply(id, result))
        case .nl80211(let event): take(.event(event))
        case .route(let event): take(.link(event))
        case .eventsLost: take(.eventsLost)
        }
    }

    /// Gives the machine an input and carries out what it wants.
    func take(_ input: AccessPointInput) {
        waiting.append(input)
        guard !isBusy else { return }
        isBusy = true
        defer { isBusy = false }
        var wake: Timestamp?
        while !waiting.isEmpty {
            let next = waiting.removeFirst()
            output.removeAll()
            wake = core.handle(next, at: Self.now, into: &output)
            let wanted = output
            for action in wanted.actions { carryOut(action) }
            for event in wanted.events { tell(event) }
        }
        if beginning != nil, core.isSettled { hasBegun() }
        tellTrouble()
        schedule(wake)
    }

    private func carryOut(_ action: AccessPointAction) {
        switch action {
        case .request(let id, let request):
            switch request {
            case .nl80211: radio?.send(id, request)
            case .route: route?.send(id, request)
            }
        case .openEAPOL(let interface):
            eapol?.close()
            do {
                eapol = try EAPOLSocket(interface: interface, on: eventLoop) { [weak self] station, frame in
                    self?.take(.eapol(from: station, frame))
                }
            } catch {
                take(.eapolFailed(reason: error.description))
            }
        case .closeEAPOL:
            eapol?.close()
            eapol = nil
        case .sendEAPOL(let station, let frame): eapol?.send(to: station, frame)
        case .reopen:
            logger.notice("the kernel's Wi-Fi was unloaded; looking for it anew")
            closeSockets()
            open()
        case .unblock(let index):
            logger.notice("the Wi-Fi was switched off by software; switching it on")
            switches?.unblock(index)
        }
    }

    private func schedule(_ wake: Timestamp?) {
        guard wake != timer?.deadline else { return }
        timer?.task.cancel()
        timer = nil
        guard let wake else { return }
        let engine = NIOLoopBound(self, eventLoop: eventLoop)
        let task = eventLoop.scheduleTask(deadline: .uptimeNanoseconds(wake.nanoseconds)) {
            engine.value.timer = nil
            engine.value.take(.wake)
        }
        timer = (wake, task)
    }

    private static var now: Timestamp { Timestamp(nanoseconds: NIODeadline.now().uptimeNanoseconds) }

    // MARK: Telling

    private func tell(_ event: AccessPointEvent) {
        switch event {
        case .up(let interface, _):
            if let beacon = core.snapshot.beacon {
                logger.notice(
                    "the Wi-Fi \(String(decoding: beacon.ssid, as: UTF8.self)) is on \(interface) (\(beacon.radio)), channel \(beacon.channel.number), after \(core.counters.lastStart)"
                )
            }
        // Why it is down is told with what is wrong.
        case .down, .preparing, .stopped: break
        case .station(let event): tell(event)
        }
        onEvent(event)
        if event == .stopped, ending != nil { finish() }
    }

    private func tell(_ event: StationsEvent) {
        let line: String
        switch event {
        case .joined(let station): return logger.debug("\(station) joins the Wi-Fi")
        case .authorized(let station, let akm): line = "\(station) is on the Wi-Fi, by \(akm.isSAE ? "WPA3" : "WPA2")"
        case .left(let station, let departure): line = "\(station) is off the Wi-Fi: \(departure)"
        case .refused(let station, let cause): line = "\(station) was refused: \(cause.explanation)"
        case .full: return  // Told as a trouble, until there is a place.
        case .emptied: line = "everyone is off the Wi-Fi"
        }
        logger.log(level: lines.take(at: Self.now) ? .info : .debug, "\(line)")
    }

    private func tellTrouble() {
        let trouble = core.trouble
        guard trouble != lastTrouble else { return }
        for one in trouble where !lastTrouble.contains(one) { logger.warning("\(one)") }
        lastTrouble = trouble
        onTrouble()
    }
}
