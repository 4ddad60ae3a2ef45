import IEEE80211
import SAE
import SAEClient
import SansIO
import TestSupport
import WiFiCrypto
import Wire

extension FuzzTarget {
    /// An access point's side of SAE: commits and confirms of honest stations, the same ones altered, late, of other
    /// addresses, and whatever bytes.
    static let sae = FuzzTarget("sae", longest: 512) { input in
        guard let start = saeStart else { throw FuzzFinding("the library does not work") }
        var run = SAERun(input, start)
        try run.play()
    }

    /// Deriving keys takes much longer than anything here: it is done once.
    private static let saeStart: SAEStart? = try? SAEStart()
}

private struct SAEStart {
    static let bss = MACAddress(0x0200_0000_0001)
    static let limits: SAELimits = {
        var limits = SAELimits()
        limits.halfOpenExchanges = 4
        limits.tokenThreshold = 2
        limits.commitsPerExchange = 2
        limits.cachedKeys = 3
        limits.exchangeLifetime = .seconds(2)
        limits.cachedKeyLifetime = .seconds(20)
        // Four of those who hunt and peck, then time has to pass.
        limits.workPerSecond = 4 * (limits.huntingWork + 3)
        return limits
    }()

    let authenticator: SAEAuthenticator
    /// Two with the password, and two without; of each kind one hunts and pecks.
    var clients: [SAEClient] = []

    init() throws {
        authenticator = try SAEAuthenticator(
            password: SecretBytes(Array("password".utf8)), ssid: Array("box".utf8), bss: Self.bss, limits: Self.limits,
            generator: SeededGenerator(seed: 1))
        let curve = try P256()
        var generator = SeededGenerator(seed: 2)
        for number in 0..<4 as Range<UInt64> {
            clients.append(
                try SAEClient(
                    password: number < 2 ? "password" : "wrong", ssid: "box",
                    address: MACAddress(0x0200_0000_0100 + number), bss: Self.bss,
                    method: number % 2 == 0 ? .hashToElement : .huntingAndPecking,
                    groups: number == 0 ? [20, 19] : [19],
                    curve: curve, using: &generator))
        }
    }
}

private struct SAERun: FuzzClock {
    private var script: FuzzScript
    private var authenticator: SAEAuthenticator
    private var clients: [SAEClient]
    private var output = SAEOutput()
    var now = Timestamp.zero + .seconds(1000)
    private(set) var wakeTime: Timestamp?
    /// What each client is to send next, and what was sent to it last.
    private var pending: [SAEClient.Frame?]
    private var heard: [SAEClient.Frame?]
    /// Those whose confirm was sent as it was made, from their own address.
    private var honest: Set<MACAddress> = []

    init(_ input: [UInt8], _ start: SAEStart) {
        script = FuzzScript(input)
        authenticator = start.authenticator
        clients = start.clients
        pending = start.clients.map { _ in nil }
        heard = pending
    }

    mutating func play() throws {
        while !script.isAtEnd {
            let index = script.number(below: clients.count)
            switch script.number(below: 10) {
            case 0:
                pending[index] = clients[index].start()
            case 1, 2:
                // What it has to say, as it is.
                if let frame = pending[index] { try receive(frame, from: clients[index].address, isHonest: true) }
            case 3:
                // It hears what was sent to it.
                if let frame = heard[index], let next = try clients[index].receive(frame) { pending[index] = next }
            case 4:
                // The same, altered, or of another address.
                guard let original = pending[index] ?? heard[index] else { continue }
                var frame = original
                alter(&frame)
                try receive(frame, like: original, of: index, from: script.number(below: clients.count))
            case 7, 8:
                guard let original = pending[index] ?? heard[index] else { continue }
                let sender = script.number(below: clients.count)
                for body in script.variants(of: original.body) {
                    var frame = original
                    frame.body = body
                    try receive(frame, like: original, of: index, from: sender)
                }
            case 5:
                let frame = SAEClient.Frame(
                    transaction: UInt16(script.number(below: 4)),
                    status: script.element(of: [.success, .saeHashToElement, .antiCloggingTokenRequired]),
                    body: (script.byte() & 1 == 0 ? [19, 0] : []) + script.run())
                try receive(frame, from: MACAddress(UInt64(script.byte()) << 40 | 7), isHonest: false)
            case 6:
                try pass(.milliseconds(Int(script.uint16()) * 4), limit: 100)
            default:
                switch script.number(below: 4) {
                case 0: try handle(.forget(clients[index].address))
                case 1: try handle(.forgetAll)
                default: if let frame = try clients[index].retransmit() { pending[index] = frame }
                }
            }
        }
        try pass(.seconds(100), limit: 100)
        try always(authenticator.exchangeCount == 0, "an exchange outlives its time")
        try always(authenticator.cachedKeyCount == 0, "a key outlives its time")
        try always(wakeTime == nil, "it wants to be called for nothing")
    }

    private mutating func alter(_ frame: inout SAEClient.Frame) {
        switch script.number(below: 5) {
        case 0:
            guard !frame.body.isEmpty else { return }
            frame.body[Int(script.uint16()) % frame.body.count] ^= script.byte() | 1
        case 1: frame.body.append(contentsOf: script.run())
        case 2: frame.body.removeLast(min(frame.body.count, script.number(below: 140)))
        case 3: frame.status = StatusCode(rawValue: script.uint16())
        default: frame.body.insert(contentsOf: script.run(), at: min(2, frame.body.count))
        }
    }

    /// An altered frame of a client's, from the address of the same or of another.
    private mutating func receive(
        _ frame: SAEClient.Frame, like original: SAEClient.Frame, of index: Int, from sender: Int
    ) throws {
        // A confirm is honest as long as nothing but its tail is another.
        let isHonest = sender == index && frame.transaction == 2 && frame.body.prefix(34) == original.body.prefix(34)
        try receive(frame, from: clients[sender].address, isHonest: isHonest)
    }

    private mutating func receive(_ frame: SAEClient.Frame, from address: MACAddress, isHonest: Bool) throws {
        if isHonest, frame.transaction == 2 { honest.insert(address) }
        let body = frame.body
        try handle(
            .authentication(
                from: address, transaction: frame.transaction, status: frame.status, body: body.span.bytes))
        for sent in output.frames {
            try always(sent.destination == address, "an answer went to somebody else")
            if let index = clients.firstIndex(where: { $0.address == address }) {
                heard[index] = SAEClient.Frame(
                    transaction: sent.transaction, status: sent.status, body: Array(output.written.bytes[sent.body]))
            }
        }
    }

    mutating func wake() throws { try handle(.wake) }

    private mutating func handle(_ input: borrowing SAEInput) throws {
        FuzzTarget.feed()
        output.removeAll()
        wakeTime = authenticator.handle(input, at: now, into: &output)
        if let wakeTime { try always(wakeTime > now, "it wants to be called in the past") }
        try always(output.frames.count <= 1 && output.events.count <= 1, "one frame brings more than one answer")
        try always(authenticator.halfOpenCount <= SAEStart.limits.halfOpenExchanges, "more exchanges than the limit")
        try always(
            authenticator.exchangeCount <= 2 * SAEStart.limits.halfOpenExchanges, "more exchanges than the limit")
        try always(authenticator.cachedKeyCount <= SAEStart.limits.cachedKeys, "more keys than the limit")
        for event in output.events {
            switch event {
            case .accepted(let address, let pmk, let pmkid, _):
                try always(
                    clients.prefix(2).contains { $0.address == address } && honest.contains(address),
                    "\(address) was accepted and does not know the password")
                try always(authenticator.key(for: address, pmkid: pmkid)?.pmk == pmk, "the key is not kept")
            case .refused(_, let refusal):
                if case .libraryFailed(let error) = refusal { throw FuzzFinding("\(error)") }
            }
        }
    }
}
