import NIOCore
import NIOEmbedded
import Testing

@testable import BoxWeb

@Suite struct ConnectionGateTests {
    private let loop = EmbeddedEventLoop()

    private func makeGate(_ change: (inout ConnectionGate.Limits) -> Void = { _ in }) -> ConnectionGate {
        var limits = ConnectionGate.Limits()
        change(&limits)
        return ConnectionGate(limits: limits, eventLoop: loop)
    }

    private func connect(from address: String) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(loop: loop)
        try channel.connect(to: SocketAddress(ipAddress: address, port: 40000)).wait()
        return channel
    }

    @Test func `the oldest silent connection makes room for the newest`() throws {
        let gate = makeGate { $0.halfOpen = 2 }
        let channels = try (1...3).map { try connect(from: "10.0.0.\($0)") }
        let admissions = channels.map { gate.admit($0) }
        loop.run()
        #expect(!channels[0].isActive)
        #expect(channels[1].isActive && channels[2].isActive)
        #expect(gate.countersOnLoop.evicted == 1)
        #expect(gate.countersOnLoop.halfOpen == 2)
        #expect(gate.promote(admissions[2]))
        #expect(!gate.promote(admissions[0]), "a connection that was closed can't come in any more")
    }

    @Test func `a flood of silent connections leaves room for whoever sends a request`() throws {
        let gate = makeGate { $0.halfOpen = 16 }
        var open: [EmbeddedChannel] = []
        for round in 0..<5000 {
            let channel = try connect(from: "10.0.0.1")
            _ = gate.admit(channel)
            open.append(channel)
            if round % 100 == 99 {
                let guest = try connect(from: "10.0.0.2")
                let admission = gate.admit(guest)
                #expect(gate.promote(admission))
                guest.close(promise: nil)
                loop.run()
            }
        }
        loop.run()
        // The last guest took the place of one, and has gone.
        #expect(open.count(where: \.isActive) == 15)
        #expect(gate.countersOnLoop.halfOpen == 15)
        #expect(gate.countersOnLoop.established == 0)
    }

    @Test func `a request that does not come in time ends its connection and no other`() throws {
        let gate = makeGate { $0.requestTimeout = .seconds(10) }
        let silent = try connect(from: "10.0.0.1")
        _ = gate.admit(silent)
        loop.advanceTime(by: .seconds(5))
        let later = try connect(from: "10.0.0.1")
        _ = gate.admit(later)
        let talking = try connect(from: "10.0.0.1")
        #expect(gate.promote(gate.admit(talking)))
        loop.advanceTime(by: .seconds(6))
        #expect(!silent.isActive)
        #expect(later.isActive && talking.isActive)
        loop.advanceTime(by: .seconds(5))
        #expect(!later.isActive)
        #expect(talking.isActive)
        #expect(gate.countersOnLoop.timedOut == 2)
    }

    @Test func `an address has a limit, and gets its places back`() throws {
        let gate = makeGate { $0.established = 2 }
        let channels = try (1...3).map { _ in try connect(from: "10.0.0.1") }
        let admissions = channels.map { gate.admit($0) }
        #expect(gate.promote(admissions[0]))
        #expect(gate.promote(admissions[1]))
        #expect(!gate.promote(admissions[2]))
        let other = try connect(from: "10.0.0.2")
        #expect(gate.promote(gate.admit(other)), "another address is not affected")
        channels[0].close(promise: nil)
        loop.run()
        let next = try connect(from: "10.0.0.1")
        #expect(gate.promote(gate.admit(next)))
        #expect(gate.countersOnLoop.refused == 1)
    }

    @Test func `the box's own programs count only for the whole`() throws {
        let gate = makeGate {
            $0.established = 1
            $0.establishedInAll = 3
        }
        let admitted = try (1...4).map { _ in gate.promote(gate.admit(try connect(from: "127.0.0.1"))) }
        #expect(admitted == [true, true, true, false])
    }
}
