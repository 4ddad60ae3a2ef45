import Credentials
import SansIO
import TestSupport
import Testing
import Wire

@testable import PeerBroker

/// Many clients that do whatever they like, by chance, with what must hold all the same checked after each step.
@Suite struct SimulationTests {
    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func holdsWhateverClientsDo(_ seed: UInt64) {
        var limits = PeerBroker.Limits()
        limits.connections = 8
        limits.connectionsPerAddress = 10
        limits.members = 8
        limits.waiting = 4
        limits.queuedMessages = 6
        limits.queuedDestinations = 8
        limits.queuedTotalBytes = 3000
        limits.frameBurst = 40
        limits.framesPerSecond = 20
        limits.framesOverRate = 20
        limits.slowReaderBytes = 2000
        let box = TestBox(limits: limits)
        var simulation = Simulation(box: box, seed: seed)
        for _ in 0..<1500 { simulation.step() }
        simulation.drain()
    }
}

struct Simulation {
    let box: TestBox
    var generator: SeededGenerator
    var generation: UInt32 = 1
    /// Every connection ever opened, with its id and when its client's end went silent.
    var clients: [(connection: ConnectionID, id: String, silentSince: Timestamp?)] = []

    init(box: TestBox, seed: UInt64) {
        self.box = box
        generator = SeededGenerator(seed: seed)
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }

    private mutating func living() -> Int? {
        clients.indices.filter { box.isOpen(clients[$0].connection) && clients[$0].silentSince == nil }
            .randomElement(using: &generator)
    }

    private mutating func anyID() -> String {
        let number = Int.random(in: 0..<12, using: &generator)
        return chance(50) ? "kl-\(number)" : "p\(number)"
    }

    mutating func step() {
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<15: dial()
        case 15..<60: speak()
        case 60..<64:
            if let index = living() {
                box.input(.writable(clients[index].connection, chance(40)))
            }
        case 64..<70:
            if let index = living() {
                // The client's end dies without a word, or the shell sees it go.
                if chance(50) {
                    clients[index].silentSince = box.now
                    box.sockets[clients[index].connection]?.answersPings = false
                } else {
                    box.lose(clients[index].connection)
                    if box.isOpen(clients[index].connection) {
                        box.sockets[clients[index].connection]?.closing = .init(.normal, "lost")
                    }
                }
            }
        case 70..<72:
            if let connection = clients.randomElement(using: &generator)?.connection, !box.isOpen(connection) {
                // Late news of a connection that is closed already.
                box.input(.pong(connection))
                box.input(.closed(connection))
                box.say(connection, offer(to: "p1"))
            }
        case 72 where chance(10):
            generation += 1
            box.input(.rotated(generation: generation))
            #expect(box.sockets.values.allSatisfy { $0.closing != nil })
        default: box.pass(.milliseconds(Int.random(in: 0...1500, using: &generator)))
        }
        check()
    }

    private mutating func dial() {
        let id = anyID()
        let address = IPAddress.v4(0x0A00_0000 + UInt32.random(in: 1...4, using: &generator))
        let isMember = id.hasPrefix("kl-")
        let claims = SessionClaims(id: id, generation: chance(90) ? generation : generation &- 1)
        let token = isMember ? box.tokens.issue(claims) : "t\(Int.random(in: 0..<3, using: &generator))"
        let answers = chance(85)
        let since = box.now
        let connection = box.open(id, token: token, from: address, answersPings: answers)
        clients.append((connection, id, answers ? nil : since))
    }

    private mutating func speak() {
        guard let index = living() else { return }
        let type =
            ["OFFER", "ANSWER", "CANDIDATE", "EXPIRE", "HEARTBEAT", "PRESENCE", "NONSENSE"]
            .randomElement(using: &generator) ?? "OFFER"
        let filler = String(repeating: "x", count: Int.random(in: 0...400, using: &generator))
        var message =
            #"{"type":"\#(type)","src":"forged","dst":"\#(anyID())","payload":{"name":"\#(filler.prefix(8))","x":"\#(filler)"}}"#
        if chance(2) { message = #"{"type":"LEAVE"}"# }
        if chance(3) { message = String(message.dropLast(Int.random(in: 1...20, using: &generator))) }
        box.say(clients[index].connection, message)
    }

    /// What must hold at any time.
    private mutating func check() {
        let broker = box.broker
        let limits = broker.limits
        // The tables agree with each other.
        let open = Set(box.sockets.filter { $0.value.closing == nil }.keys)
        #expect(open == Set(broker.connections.keys))
        #expect(broker.connections.count == broker.holders.count + broker.waiting.values.reduce(0) { $0 + $1.count })
        for (id, connection) in broker.holders {
            #expect(broker.connections[connection]?.id == id)
            #expect(broker.connections[connection]?.isWaiting == false)
        }
        for (id, connections) in broker.waiting {
            #expect(!connections.isEmpty && broker.holders[id] != nil)
            for connection in connections { #expect(broker.connections[connection]?.isWaiting == true) }
        }
        var addresses: [IPAddress: Int] = [:]
        for connection in broker.connections.values { addresses[connection.address, default: 0] += 1 }
        #expect(addresses == broker.connectionsOfAddress)
        #expect(broker.freed.isEmpty)

        // A member is present exactly if its id is held.
        for member in broker.room.members.values {
            switch member.presence {
            case .present(let connection): #expect(broker.holders[member.id] == connection)
            case .away(let deadline): #expect(broker.holders[member.id] == nil && deadline > box.now)
            }
        }
        for (id, connection) in broker.holders where id.hasPrefix("kl-") {
            #expect(broker.room.members[id] != nil, "\(connection) is a member without a place")
        }

        // Nothing is beyond its limit.
        let members = broker.holders.keys.count { $0.hasPrefix("kl-") }
        #expect(broker.holders.count - members <= limits.connections && members <= limits.members)
        #expect(broker.room.members.count <= limits.members)
        #expect(broker.snapshot.waiting <= limits.waiting)
        #expect(broker.queues.byteCount <= limits.queuedTotalBytes && broker.queues.byteCount >= 0)
        #expect(broker.queues.count <= limits.queuedMessages * limits.queuedDestinations && broker.queues.count >= 0)
        if let deadline = broker.queues.nextDeadline {
            #expect(broker.wake.map { $0 <= deadline } == true)
        } else {
            #expect(broker.queues.count == 0)
        }

        // Nobody silent is taken for alive beyond its time.
        for client in clients {
            guard let since = client.silentSince, box.isOpen(client.connection) else { continue }
            #expect(box.now - since <= limits.deadTime + limits.pongTime, "\(client.id) is dead and not closed")
        }

        // Whoever has not been sent the latest roster will be, at a time that is set.
        for member in broker.room.members.values where !member.isAway && member.seen != broker.room.revision {
            #expect(broker.room.nextPush != nil)
        }
        // No message came to anybody with a source that is not its sender's.
        for (connection, socket) in box.sockets where !socket.received.isEmpty {
            #expect(socket.received.allSatisfy { !$0.contains("forged") })
            if let last = box.roster(connection), socket.closing == nil { #expect(last.count <= limits.members) }
            box.sockets[connection]?.received = []
        }
    }

    /// When everyone is gone nothing is left.
    mutating func drain() {
        for index in clients.indices where box.isOpen(clients[index].connection) {
            box.lose(clients[index].connection)
            box.sockets[clients[index].connection]?.closing = .init(.normal, "lost")
        }
        check()
        box.pass(.seconds(125))
        check()
        let snapshot = box.broker.snapshot
        #expect(snapshot.people.isEmpty && snapshot.plainClients == 0 && snapshot.waiting == 0)
        #expect(snapshot.queuedMessages == 0 && snapshot.queuedBytes == 0)
        #expect(box.broker.connectionsOfAddress.isEmpty)
        #expect(box.wake == nil)
    }
}
