import IEEE80211
import KernelPolicy
import NL80211
import Netlink
import SansIO
import Stations
import TestSupport
import Wire

@testable import AccessPoint

/// An access point and the mock kernel in virtual time.
final class Rig {
    let kernel = MockKernel()
    var accessPoint: AccessPoint
    var now = Timestamp(nanoseconds: 1_000_000_000)
    var wake: Timestamp?
    var events: [AccessPointEvent] = []
    var openEAPOL: UInt32?
    var eapol: [(MACAddress, [UInt8])] = []
    /// Gets what goes out by the packet socket; without it that is kept in ``eapol``.
    var onEAPOL: ((MACAddress, [UInt8]) -> Void)?
    private var output = AccessPointOutput()
    /// By which number the socket knows nl80211; nil while it is closed.
    private var family: UInt16? = 0x1C
    private var radioClient = NetlinkClient(family: .nl80211(number: 0x1C))
    private var routeClient = NetlinkClient(family: .route)
    private var netlinkOutput = NetlinkOutput()
    private var clientWake: Timestamp?
    private var due: [(Timestamp, AccessPointInput)] = []
    /// How long a request takes.
    var latency = Duration.microseconds(200)
    /// What is answered when an interface is to be prepared, and after how long; nil for no answer.
    var preparation: Bool? = true
    var preparationTime = Duration.milliseconds(20)
    /// Commands of which the next answer is lost, with all that the kernel has to tell at that time; they are carried out.
    var lostAnswers: [UInt8] = []
    /// The switches as they were told last, and those whose block was lifted.
    private var switches: [NamedSwitch] = []
    private(set) var unblocked: [UInt32] = []
    /// How often the packet socket can't be opened.
    var eapolFaults = 0

    static let passphrase = "correct horse"
    static let ssid = Array("Kibitz-TEST".utf8)

    static func configuration(
        _ security: AccessPointConfiguration.Security = .transition, country: String? = "DE", channel: Int? = nil,
        interface: String? = nil
    ) -> AccessPointConfiguration {
        AccessPointConfiguration(
            ssid: ssid, passphrase: passphrase, security: security, interface: interface, country: country,
            channel: channel)
    }

    init(_ configuration: AccessPointConfiguration = Rig.configuration(), seed: UInt64 = 1) {
        accessPoint = AccessPoint(configuration: configuration, generator: SharedGenerator(seed: seed))
    }

    /// A rig with one radio.
    convenience init(
        _ chip: MockKernel.Chip, _ configuration: AccessPointConfiguration = Rig.configuration(),
        _ change: (inout MockKernel.Radio) -> Void = { _ in }
    ) {
        self.init(configuration)
        var radio = MockKernel.Radio(index: 0, name: "phy0", chip: chip)
        change(&radio)
        kernel.add(radio)
    }

    func give(_ input: AccessPointInput) {
        if case .switches(let list) = input { switches = list }
        output.removeAll()
        wake = accessPoint.handle(input, at: now, into: &output)
        let wanted = output
        events += wanted.events
        for case .preparing(let interface) in wanted.events {
            if let preparation { due.append((now + preparationTime, .prepared(interface: interface, preparation))) }
        }
        for action in wanted.actions { carryOut(action) }
        deliverEvents()
    }

    /// Something that happens in a moment.
    func queue(_ input: AccessPointInput) { due.append((now + latency, input)) }

    private func carryOut(_ action: AccessPointAction) {
        switch action {
        case .request(let id, let request):
            netlinkOutput.removeAll()
            switch request {
            case .nl80211: clientWake = radioClient.handle(.request(id, request), at: now, into: &netlinkOutput)
            case .route: _ = routeClient.handle(.request(id, request), at: now, into: &netlinkOutput)
            }
            let messages = netlinkOutput.messages
            for message in messages { answer(message.bytes, isRoute: request.isRoute) }
        case .openEAPOL(let interface):
            if eapolFaults > 0 {
                eapolFaults -= 1
                due.append((now, .eapolFailed(reason: "no memory")))
            } else {
                openEAPOL = interface
            }
        case .closeEAPOL: openEAPOL = nil
        case .sendEAPOL(let station, let frame):
            if let onEAPOL { onEAPOL(station, frame) } else { eapol.append((station, frame)) }
        case .reopen:
            radioClient = NetlinkClient(family: .nl80211(number: 0))
            clientWake = nil
            family = nil
            open()
        case .unblock(let index):
            unblocked.append(index)
            guard let place = switches.firstIndex(where: { $0.index == index }) else { return }
            switches[place].isSoftBlocked = false
            if !switches[place].isHardBlocked { kernel.unblock(switches[place].name) }
            due.append((now + latency, .switches(switches)))
        }
        deliverEvents()
    }

    /// Opens the socket as soon as there is what it is for.
    private func open() {
        guard family == nil, let number = kernel.family else { return }
        family = number
        radioClient = NetlinkClient(family: .nl80211(number: number))
        due.append((now + latency, .start))
    }

    /// Gives the mock a message as it goes to the kernel's socket, and its answer as it comes from there to the product.
    private func answer(_ bytes: [UInt8], isRoute: Bool) {
        let header = Attribute(type: 0, payload: bytes)
        let length = Int(header.u32)
        precondition(length == bytes.count, "a netlink message whose length is not its own")
        let flags = Attribute(type: 0, payload: Array(bytes[6..<8])).u16
        let sequence = Attribute(type: 0, payload: Array(bytes[8..<12])).u32
        let isDump = flags & 0x300 == 0x300
        // The driver of a chip takes its time for some requests, and nobody's answer comes meanwhile.
        let takesDown = isRoute && [16, 19].contains(bytes[4]) && bytes[24] & 1 == 0
        let pause = kernel.delay(ifItStops: isRoute ? takesDown : [C.stopAP, C.delInterface].contains(bytes[16]))
        let answer: MockKernel.Answer
        if isRoute {
            // struct ndmsg and struct ifinfomsg: the index, then the flags.
            let index = Int(Attribute(type: 0, payload: Array(bytes[20..<24])).u32)
            // IFLA_MASTER with no index.
            let isAlone = bytes.dropFirst(32).elementsEqual([8, 0, 10, 0, 0, 0, 0, 0])
            answer =
                switch bytes[4] {
                case 28: kernel.ask(index: index, Array(bytes[28...]))
                case 30: kernel.listMachines()
                default: kernel.setLink(index: index, isUp: bytes[24] & 1 != 0, isAlone: isAlone)
                }
        } else {
            // genl_rcv_msg: nobody is registered by this number.
            guard let family = kernel.family, Attribute(type: 0, payload: Array(bytes[4..<6])).u16 == family else {
                return refuse(bytes, sequence: sequence)
            }
            for objection in KernelPolicy.objections(to: bytes) {
                kernel.complaints.append("command \(bytes[16]): \(objection)")
            }
            answer = kernel.request(Array(bytes[16...]), isDump: isDump)
            if let place = lostAnswers.firstIndex(of: bytes[16]) {
                lostAnswers.remove(at: place)
                kernel.events = []
                netlinkOutput.removeAll()
                clientWake = radioClient.handle(.overrun, at: now, into: &netlinkOutput)
                return tellOutput()
            }
        }
        deliverEvents()
        latency += pause
        defer { latency -= pause }
        func message(_ type: UInt16, _ flags: UInt16, _ payload: [UInt8]) -> [UInt8] {
            Self.message(type, flags, sequence, payload)
        }
        switch answer {
        case .silence: break
        case .error(let code):
            hear(message(2, 0x100, Attribute.bytes(-code) + Array(bytes.prefix(16))), isRoute: isRoute)
        case .messages(let messages):
            for payload in messages { hear(message(family ?? 0, isDump ? 2 : 0, payload), isRoute: isRoute) }
            hear(
                isDump
                    ? message(3, 2, Attribute.bytes(Int32(0)))
                    : message(2, 0x100, Attribute.bytes(Int32(0)) + Array(bytes.prefix(16))),
                isRoute: isRoute)
        }
    }

    private static func message(_ type: UInt16, _ flags: UInt16, _ sequence: UInt32, _ payload: [UInt8]) -> [UInt8] {
        Attribute.bytes(UInt32(16 + payload.count)) + Attribute.bytes(type) + Attribute.bytes(flags)
            + Attribute.bytes(sequence) + Attribute.bytes(UInt32(0)) + payload
    }

    private func refuse(_ bytes: [UInt8], sequence: UInt32) {
        hear(Self.message(2, 0x100, sequence, Attribute.bytes(Int32(-2)) + Array(bytes.prefix(16))), isRoute: false)
    }

    /// A datagram of the kernel's.
    private func hear(_ bytes: [UInt8], isRoute: Bool) {
        netlinkOutput.removeAll()
        if isRoute {
            _ = routeClient.handle(.datagram(bytes.span.bytes), at: now, into: &netlinkOutput)
        } else {
            clientWake = radioClient.handle(.datagram(bytes.span.bytes), at: now, into: &netlinkOutput)
        }
        tellOutput()
    }

    private func tellOutput() {
        let told = netlinkOutput
        for message in told.messages { answer(message.bytes, isRoute: false) }
        for event in told.events {
            switch event {
            case .reply(let id, let result): due.append((now + latency, .reply(id, result)))
            case .nl80211(let event): due.append((now + latency, .event(event)))
            case .route(let event): due.append((now + latency, .link(event)))
            case .eventsLost: due.append((now + latency, .eventsLost))
            }
        }
    }

    /// Hands over what the kernel has told since.
    func deliverEvents() {
        // A socket is in no group of a family that came after it.
        for bytes in kernel.events where family != nil && [family, nil].contains(kernel.family) {
            hear(Self.message(family ?? 0, 0, 0, bytes), isRoute: false)
        }
        kernel.events = []
        for link in kernel.linkEvents {
            let bridge = kernel.interfaces.first { $0.index == link.index }?.bridge
            let value = Link(
                index: UInt32(link.index), name: link.name, flags: link.isUp ? .up : [], controller: bridge)
            due.append((now + latency, .link(link.isDeleted ? .linkRemoved(value) : .link(value))))
        }
        kernel.linkEvents = []
    }

    /// Lets time pass.
    func run(for time: Duration) {
        deliverEvents()
        let end = now + time
        open()
        while true {
            let next = due.enumerated().min { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }
            if let next, next.element.0 <= min(end, wake ?? end) {
                due.remove(at: next.offset)
                now = max(now, next.element.0)
                give(next.element.1)
            } else if let client = clientWake, client <= min(end, wake ?? end) {
                now = max(now, client)
                netlinkOutput.removeAll()
                clientWake = radioClient.handle(.wake, at: now, into: &netlinkOutput)
                tellOutput()
            } else if let wake, wake <= end {
                now = max(now, wake)
                give(.wake)
            } else {
                break
            }
        }
        now = end
    }

    /// Starts, and lets time pass until the access point is up.
    /// - Returns: how long it took; nil when it did not come up.
    @discardableResult
    func start(within limit: Duration = .seconds(5)) -> Duration? {
        give(.start)
        return runUntilUp(within: limit)
    }

    @discardableResult
    func runUntilUp(within limit: Duration = .seconds(5)) -> Duration? {
        let began = now
        while now < began + limit {
            if case .up = accessPoint.snapshot.state { return now - began }
            run(for: .milliseconds(1))
        }
        if case .up = accessPoint.snapshot.state { return now - began }
        return nil
    }

    var isUp: Bool {
        if case .up = accessPoint.snapshot.state { true } else { false }
    }
}

extension NetlinkRequest {
    fileprivate var isRoute: Bool { if case .route = self { true } else { false } }
}
