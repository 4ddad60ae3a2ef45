import IEEE80211
import SAE
import SAEClient
import SansIO
import TestSupport
import Testing
import WiFiCrypto
import Wire

/// Phones and an access point on a bad channel: frames are lost, come twice, and overtake each other.
@Suite struct SimulationTests {
    private struct Flying {
        let arrival: Timestamp
        let client: Int
        let frame: SAEClient.Frame
        let isDownlink: Bool
    }

    /// How long a phone waits for an answer (dot11RSNASAERetransPeriod), and how often it asks before it begins anew.
    private static let patience = Duration.milliseconds(40)
    private static let tries = 5

    @Test(
        "Everyone with the password comes in, with the same key on both sides; nobody else does",
        arguments: 0..<25 as Range<UInt64>)
    func play(_ seed: UInt64) throws {
        var limits = SAELimits()
        limits.tokenThreshold = Int(seed % 5)
        var network = try TestNetwork(seed: seed, limits: limits)
        var dice = SeededGenerator(seed: seed &+ 77)
        let loss = Double(seed % 6) * 0.06
        let count = 8
        var clients: [SAEClient] = []
        for number in 0..<count {
            clients.append(try newClient(number, &network))
        }
        var deadlines = (0..<count).map { network.now + .milliseconds($0 * 3) }
        var tries = [Int](repeating: 0, count: count)
        var flying: [Flying] = []
        var ours: [MACAddress: Set<[UInt8]>] = [:]

        func send(_ frame: SAEClient.Frame, _ client: Int, isDownlink: Bool, at now: Timestamp) {
            let copies = Double.random(in: 0..<1, using: &dice) < 0.1 ? 2 : 1
            for _ in 0..<copies where Double.random(in: 0..<1, using: &dice) >= loss {
                let delay = Duration.microseconds(Int.random(in: 500..<12_000, using: &dice))
                flying.append(Flying(arrival: now + delay, client: client, frame: frame, isDownlink: isDownlink))
            }
        }

        let end = network.now + .seconds(20)
        while network.now < end, clients.contains(where: { !Self.isDone($0) }) {
            let nextFrame = flying.indices.min { flying[$0].arrival < flying[$1].arrival }
            let nextDeadline = deadlines.indices.filter { !Self.isDone(clients[$0]) }.min {
                deadlines[$0] < deadlines[$1]
            }
            if let index = nextFrame, nextDeadline.map({ flying[index].arrival <= deadlines[$0] }) ?? true {
                let event = flying.remove(at: index)
                network.now = max(network.now, event.arrival)
                if event.isDownlink {
                    if let answer = try clients[event.client].receive(event.frame) {
                        tries[event.client] = 0
                        deadlines[event.client] = network.now + Self.patience
                        send(answer, event.client, isDownlink: false, at: network.now)
                    }
                } else {
                    let address = clients[event.client].address
                    for answer in network.receive(event.frame, from: address) {
                        send(answer, event.client, isDownlink: true, at: network.now)
                    }
                    for case .accepted(let station, let pmk, _, _) in network.output.events {
                        #expect(station == address)
                        ours[station, default: []].insert(pmk.withUnsafeBytes { [UInt8]($0) })
                    }
                }
            } else if let client = nextDeadline {
                network.now = max(network.now, deadlines[client])
                deadlines[client] = network.now + Self.patience
                tries[client] += 1
                if tries[client] > Self.tries, clients[client].state != .idle {
                    clients[client] = try newClient(client, &network)
                    tries[client] = 0
                }
                let frame = clients[client].state == .idle ? clients[client].start() : try clients[client].retransmit()
                if let frame { send(frame, client, isDownlink: false, at: network.now) }
            }
            #expect(network.authenticator.halfOpenCount <= limits.halfOpenExchanges)
        }
        for (number, client) in clients.enumerated() {
            switch client.state {
            case .accepted(let pmk, let pmkid):
                #expect(number % 4 != 3, "seed \(seed): one without the password came in")
                #expect(ours[client.address]?.contains(pmk.withUnsafeBytes { [UInt8]($0) }) == true, "seed \(seed)")
                #expect(pmkid.count == 16)
            case .failed(let status):
                #expect(number % 4 == 3, "seed \(seed): phone \(number) was refused: \(status)")
                #expect(ours[client.address] == nil, "seed \(seed)")
            case .idle, .committed, .confirmed:
                Issue.record("seed \(seed): phone \(number) is stuck in \(client.state)")
            }
        }
        network.pass(.seconds(30))
        #expect(network.authenticator.exchangeCount == 0, "seed \(seed)")
    }

    /// Every fourth has a wrong password, every second hunts and pecks.
    private func newClient(_ number: Int, _ network: inout TestNetwork) throws -> SAEClient {
        var client = try network.client(
            UInt64(number), number % 2 == 0 ? .hashToElement : .huntingAndPecking,
            password: number % 4 == 3 ? "wrong horse" : TestNetwork.password,
            groups: number == 0 ? [20, 19] : [19])
        client.countsConfirms = number % 3 != 0
        return client
    }

    private static func isDone(_ client: SAEClient) -> Bool {
        switch client.state {
        case .accepted, .failed: true
        case .idle, .committed, .confirmed: false
        }
    }
}
