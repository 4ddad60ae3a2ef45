import SansIO
import Testing
import WebRTCClient
import Wire

@testable import WebRTCDirect

/// What an endpoint keeps of peers that come, go, and never get on.
@Suite struct BookkeepingTests {
    private func limits(_ change: (inout EndpointLimits) -> Void) -> EndpointLimits {
        var limits = EndpointLimits()
        change(&limits)
        return limits
    }

    /// One phone that checked and began nothing held its place at the head of the list of arrivals, and nothing behind it was
    /// ever forgotten.
    @Test("Who only checks, for ever, does not make the list of arrivals grow")
    func arrivals() throws {
        let rig = try Rig(limits: limits { $0.peers = 8 })
        for number in 0..<400 {
            rig.give(rig.check("boxfrag1:lingers"), from: rig.address(5))
            rig.give(rig.check("boxfrag1:passes\(number)"), from: rig.address(6 + number % 100))
            rig.run(for: .seconds(2))
        }
        #expect(rig.endpoint.peerCount > 1)
        #expect(rig.endpoint.arrivals.count <= 20)
    }

    /// What SCTP kept for one peer had a limit, and for all together none: a few phones that acknowledged nothing made the box use
    /// 1.4 MB for each of their connections, until it had no memory.
    @Test("Beyond a total of what is held of messages, the peer that holds most is closed, and nobody else")
    func held() throws {
        let rig = try Rig(limits: limits { $0.heldBytes = 2_200_000 })
        let hundred = String(repeating: "x", count: 100_000)
        let phones = try (0..<4).map { try rig.connect("phone\($0)", at: 10 + $0) }
        for (client, _) in phones { client.isUnplugged = true }
        // Memory is taken in powers of two: half a megabyte for each of two phones, one for the third.
        for (index, count) in [5, 9, 5].enumerated() {
            for _ in 0..<count { rig.send(hundred, to: phones[index].1) }
        }
        #expect(rig.endpoint.heldBytes > 2_090_000 && rig.endpoint.heldBytes < 2_200_000)
        #expect(rig.endpoint.connectionCount == 4)
        rig.send(hundred, to: phones[3].1)
        #expect(rig.events.last == .disconnected(phones[1].1, .heldMost))
        #expect(rig.endpoint.counters[.heldMost] == 1)
        #expect(rig.endpoint.connectionCount == 3)
        for (client, _) in phones { client.isUnplugged = false }
        rig.run(for: .seconds(10))
        #expect(phones.map { $0.0.messages.count } == [5, 0, 5, 1])
        #expect(rig.endpoint.connectionCount == 3)
        // Idle, a few octets for each stream.
        #expect(rig.endpoint.heldBytes < 100)
        rig.give(.closeAll)
        #expect(rig.endpoint.heldBytes == 0)
    }

    @Test("What is received of messages that are never finished counts, too")
    func unfinished() throws {
        let rig = try Rig(limits: limits { $0.heldBytes = 3_000 })
        let (client, id) = try rig.connect("phone", at: 5)
        rig.run(for: .seconds(2))
        client.isUnplugged = true
        rig.send(String(repeating: "x", count: 200_000), from: client)
        // The beginning is lost.
        for range in client.output.datagrams.dropFirst() {
            rig.give(Array(client.output.written.bytes[range]), from: client.address)
        }
        #expect(rig.events.last == .disconnected(id, .heldMost))
    }

    @Test("A phone that vanishes in the middle of what is sent to it leaves nothing behind, and nobody else notices")
    func vanished() throws {
        let rig = try Rig()
        let (other, stays) = try rig.connect("stays", at: 6)
        let (client, id) = try rig.connect("phone", at: 5)
        rig.run(for: .seconds(5))
        weak let peer = rig.endpoint.peer(id)
        #expect(peer != nil && rig.endpoint.timers.count == 2)
        client.isUnplugged = true
        for _ in 0..<4 { rig.send(String(repeating: "x", count: 100_000), to: id) }
        rig.give(rig.check("boxfrag1:phone"), from: rig.address(5, port: 9))
        var heard = 0
        while rig.events.last != .disconnected(id, .silent), heard < 100 {
            heard += 1
            rig.send("\(heard)", to: stays)
            rig.run(for: .milliseconds(100))
            #expect(other.messages.last == "\(heard)", "in time, all the while")
        }
        #expect(heard <= 81, "eight seconds at most")
        #expect(peer == nil, "its DTLS, its SCTP and their buffers are freed")
        #expect(rig.endpoint.peerCount == 1 && rig.endpoint.connectionCount == 1)
        #expect(rig.endpoint.byAddress.count == 1 && rig.endpoint.challengers.isEmpty)
        #expect(rig.endpoint.timers.count == 1)
        #expect(rig.endpoint.bufferedBytes(of: id) == 0)
        let datagrams = rig.endpoint.counters.datagramsSent
        let strays = rig.stray.count
        rig.run(for: .seconds(60))
        #expect(rig.stray.count == strays && rig.endpoint.counters.datagramsSent > datagrams, "it is sent nothing more")
        #expect(rig.endpoint.heldBytes < 100, "what the other's last messages needed is given back, too")
    }

    /// Each of the checks of a flood from made-up addresses walked through all accounts.
    @Test("A full ledger is swept once a second, however many ask for a place")
    func sweep() {
        var ledger = AddressLedger(limits: limits { $0.addresses = 8 })
        let start = Timestamp.zero + .seconds(100)
        for host in 0..<8 { _ = ledger.allowsCheck(from: .v4(0x0A00_0001 + UInt32(host)), at: start) }
        #expect(ledger.nextSweep == .zero)
        for host in 0..<100 {
            _ = ledger.allowsCheck(from: .v4(0x0B00_0000 + UInt32(host)), at: start + .milliseconds(9 * host))
            #expect(ledger.nextSweep == start + .seconds(1))
        }
        _ = ledger.allowsCheck(from: .v4(0x0C00_0000), at: start + .seconds(1))
        #expect(ledger.nextSweep == start + .seconds(2))
    }

    /// A peer counted with the others, since there were too many accounts, was taken off an account of its own once there was
    /// room for one; the others' stayed full.
    @Test("Peers counted together are released together, also when there is room again")
    func shared() {
        var ledger = AddressLedger(
            limits: limits {
                $0.addresses = 1
                $0.peersPerAddress = 1
            })
        let start = Timestamp.zero + .seconds(100)
        func address(_ host: UInt32) -> IPAddress { .v4(0x0A00_0000 + host) }
        _ = ledger.allowsCheck(from: address(1), at: start)
        let isTogether = ledger.addPeer(at: address(2), start)
        let isTooMany = ledger.addPeer(at: address(3), start)
        #expect(isTogether && !isTooMany)
        let later = start + .seconds(3)
        ledger.removePeer(at: address(2), later)
        let hasOwn = ledger.addPeer(at: address(4), later)
        let isTogetherAgain = ledger.addPeer(at: address(5), later)
        #expect(hasOwn && isTogetherAgain)
    }
}
