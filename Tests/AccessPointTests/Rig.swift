import IEEE80211
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
    private var output = AccessPointOutput()
    private var due: [(Timestamp, AccessPointInput)] = []
    /// How long a request takes.
    var latency = Duration.microseconds(200)

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
        output.removeAll()
        wake = accessPoint.handle(input, at: now, into: &output)
        let wanted = output
        events += wanted.events
        for action in wanted.actions { carryOut(action) }
        deliverEvents()
    }

    private func carryOut(_ action: AccessPointAction) {
        switch action {
        case .request(let id, let request):
            let answer: MockKernel.Answer
            switch request {
            case .radio(let request):
                var writer = NetlinkWriter()
                request.encode(family: 0x1C, sequence: 7, into: &writer)
                let bytes = writer.bytes
                let flags = UInt16(bytes[6]) | UInt16(bytes[7]) << 8
                answer = kernel.request(Array(bytes[16...]), isDump: flags & 0x300 == 0x300)
            case .link(let request):
                guard case .setLink(let index, let isUp) = request else { return }
                answer = kernel.setLink(index: Int(index), isUp: isUp)
            }
            switch answer {
            case .messages(let messages): due.append((now + latency, .reply(id, .done(messages))))
            case .error(let code):
                due.append((now + latency, .reply(id, .failed(NetlinkError(ErrorNumber(rawValue: code))))))
            case .silence: break
            }
        case .openEAPOL(let interface): openEAPOL = interface
        case .closeEAPOL: openEAPOL = nil
        case .sendEAPOL(let station, let frame): eapol.append((station, frame))
        case .unblock(let index):
            kernel.isBlocked = false
            due.append(
                (now + latency, .switches([RadioSwitch(index: index, name: "phy0", isSoftBlocked: false, isHardBlocked: false)])))
        }
    }

    /// Hands over what the kernel has told since.
    func deliverEvents() {
        for bytes in kernel.events {
            guard let event = NL80211Event(bytes.span.bytes) else { continue }
            due.append((now + latency, .event(event)))
        }
        kernel.events = []
        for link in kernel.linkEvents {
            let value = Link(index: UInt32(link.index), name: link.name, flags: link.isUp ? .up : [])
            due.append((now + latency, .link(link.isDeleted ? .linkRemoved(value) : .link(value))))
        }
        kernel.linkEvents = []
    }

    /// Lets time pass.
    func run(for time: Duration) {
        deliverEvents()
        let end = now + time
        while true {
            let next = due.enumerated().min { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }
            if let next, next.element.0 <= min(end, wake ?? end) {
                due.remove(at: next.offset)
                now = max(now, next.element.0)
                give(next.element.1)
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

/// One generator for all copies, as a seeded one must be.
final class SharedGenerator: RandomNumberGenerator, @unchecked Sendable {
    private var generator: SeededGenerator
    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }
    func next() -> UInt64 { generator.next() }
}
