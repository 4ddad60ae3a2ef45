import SansIO
import TestSupport
import Testing

@testable import SCTP

/// Two associations and a bad link between them. Each seed is a run of its own, and the same each time.
@Suite struct SimulationTests {
    @Test(arguments: 1...24 as ClosedRange<UInt64>)
    func everythingArrivesOnceAndInOrder(_ seed: UInt64) {
        var simulation = Simulation(seed: seed)
        simulation.run()
    }
}

/// What one side sent, and what of it must and may arrive.
private struct Sent {
    let message: Message
    let isReliable: Bool
}

private struct Simulation {
    let seed: UInt64
    let link: Link
    var generator: SeededGenerator
    /// What each side has sent.
    var sent: [[Sent]] = [[], []]
    /// What each side has received.
    var received: [[Message]] = [[], []]
    var number = 0

    init(seed: UInt64) {
        self.seed = seed
        generator = SeededGenerator(seed: seed &* 7919)
        var conditions = Link.Conditions()
        if seed % 4 != 0 { conditions.loss = Double.random(in: 0...0.25, using: &generator) }
        if seed % 3 != 0 { conditions.duplication = Double.random(in: 0...0.2, using: &generator) }
        let delay = Double.random(in: 0.2...60, using: &generator)
        conditions.delay = delay...(seed % 2 == 0 ? delay : delay + Double.random(in: 0...60, using: &generator))
        let small = seed % 5 == 0
        let omitsChecksums = seed % 7 != 0
        link = Link(seed: seed, conditions) { configuration in
            configuration.omitsChecksums = omitsChecksums
            if small {
                configuration.limits.reassemblyBytes = 40_000
                configuration.limits.reassemblyRuns = 40
                configuration.limits.gaps = 8
                configuration.limits.outstandingChunks = 50
                configuration.maximumMessageSize = 30_000
            }
        }
    }

    mutating func run() {
        link.first.connect(at: link.now)
        if seed % 3 == 0 { link.second.connect(at: link.now) }
        link.run(for: .seconds(60))
        guard link.sides.allSatisfy(\.isEstablished) else {
            // At a quarter lost, one handshake in a thousand runs out of retries.
            #expect(link.conditions.loss > 0.2 && isReportedDead, "seed \(seed): not established")
            return
        }
        for _ in 0..<Int.random(in: 1...60, using: &generator) { step() }
        // At a quarter lost, a megabyte takes minutes.
        for _ in 0..<30 where link.sides.contains(where: { $0.association.bufferedBytes > 0 }) {
            link.run(for: .seconds(30))
        }
        link.run(for: .seconds(1))
        take()
        let isDead = isReportedDead
        for side in 0..<2 { checkAll(from: side, isDead: isDead) }
        guard !isDead else {
            #expect(link.conditions.loss > 0.2, "seed \(seed): \(link.first.events) \(link.second.events)")
            return
        }
        #expect(link.first.association.bufferedBytes == 0, "seed \(seed)")
        #expect(link.second.association.bufferedBytes == 0, "seed \(seed)")
        end()
    }

    /// Whether a side has said that the other one is gone.
    private var isReportedDead: Bool {
        link.sides.contains { side in side.events.contains { if case .closed = $0 { true } else { false } } }
    }

    private mutating func step() {
        let side = Int.random(in: 0..<2, using: &generator)
        for _ in 0..<Int.random(in: 1...12, using: &generator) { send(from: side) }
        link.run(for: .milliseconds(Int64.random(in: 0...400, using: &generator)))
        take()
    }

    private mutating func send(from side: Int) {
        number += 1
        let limit = link.sides[side].association.configuration.maximumMessageSize
        let length =
            switch Int.random(in: 0..<10, using: &generator) {
            case 0: Int.random(in: 1...min(limit, 60_000), using: &generator)
            case 1...3: Int.random(in: 1...5_000, using: &generator)
            default: Int.random(in: 1...500, using: &generator)
            }
        let reliability: SCTPReliability =
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: .retransmits(UInt16.random(in: 0...2, using: &generator))
            case 1: .lifetime(.milliseconds(Int64.random(in: 0...500, using: &generator)))
            default: .reliable
            }
        let message = Message(
            stream: UInt16.random(in: 0..<4, using: &generator), ppid: UInt32(number), bytes: pattern(length, number),
            isUnordered: Bool.random(using: &generator))
        let before = link.sides[side].events.count
        link.sides[side].send(message, reliability, at: link.now)
        if link.sides[side].events.count == before {
            sent[side].append(Sent(message: message, isReliable: reliability == .reliable))
        }
    }

    private mutating func take() {
        for side in 0..<2 { received[side] += link.sides[side].fetchMessages() }
    }

    /// Everything reliable arrived, nothing twice or changed, and each stream in order.
    private func checkAll(from side: Int, isDead: Bool) {
        let arrived = received[1 - side]
        let bySent = Dictionary(uniqueKeysWithValues: sent[side].map { ($0.message.ppid, $0.message) })
        #expect(Set(arrived.map(\.ppid)).count == arrived.count, "seed \(seed): something arrived twice")
        let unchanged = arrived.allSatisfy { bySent[$0.ppid] == $0 }
        #expect(unchanged, "seed \(seed): something arrived that wasn't sent so")
        let numbers = Set(arrived.map(\.ppid))
        let missing = sent[side].filter { $0.isReliable && !numbers.contains($0.message.ppid) }.map(\.message.ppid)
        #expect(missing == [] || isDead, "seed \(seed): of \(sent[side].count)")
        for stream in 0..<4 as Range<UInt16> {
            let order = arrived.filter { $0.stream == stream && !$0.isUnordered }.map(\.ppid)
            #expect(order == order.sorted(), "seed \(seed): stream \(stream) is out of order")
        }
    }

    /// Ends the association in one of the ways it can end.
    private mutating func end() {
        switch seed % 4 {
        case 0:
            link.first.shutdown(at: link.now)
        case 1:
            link.second.shutdown(at: link.now)
        case 2:
            link.first.shutdown(at: link.now)
            link.second.shutdown(at: link.now)
        default:
            link.conditions.loss = 1
            link.first.send(Message(bytes: [1]), at: link.now)
        }
        link.run(for: .seconds(120))
        for (index, side) in link.sides.enumerated() where seed % 4 != 3 || index == 0 {
            let reasons = side.events.compactMap { if case .closed(let reason) = $0 { reason } else { nil } }
            #expect(reasons.count == 1, "seed \(seed): side \(index) ended \(reasons.count) times")
            if seed % 4 == 3 { #expect(reasons == [.unreachable], "seed \(seed)") }
        }
    }
}
