import DataChannel
import ICE
import STUN
import SansIO
import TestSupport
import Testing
import WebRTCClient
import WebRTCDirect
import Wire

@Suite("Endpoint: what it refuses")
struct AbuseTests {
    /// The first datagram of a DTLS handshake, as a client sends it.
    private func clientHello(_ rig: Rig) throws -> [UInt8] {
        let client = try rig.add(rig.configuration("hello"), at: rig.address(200))
        client.isUnplugged = true
        rig.give(.start, to: client)
        // It begins DTLS when its check is answered.
        let request = try STUNMessage(client.output.written.bytes.span.bytes)
        let check = try ICECheck(client.output.written.bytes.span.bytes)
        let answer = ICEAnswer.success(
            to: check, from: rig.address(200), key: rig.credentials.key, appendingTo: ByteWriter()
        ).bytes
        _ = request
        client.output.removeAll()
        _ = client.core.handle(.datagram(answer.span.bytes), at: rig.now, into: &client.output)
        let range = try #require(client.output.datagrams.last)
        rig.clients.removeAll()
        return Array(client.output.written.bytes[range])
    }

    @Test("Nothing but a valid check makes state: neither noise nor DTLS nor wrong credentials")
    func noState() throws {
        let rig = try Rig()
        let hello = try clientHello(rig)
        #expect(hello.first == 22)
        rig.give(hello, from: rig.address(5))
        #expect(rig.endpoint.counters[.uncheckedAddress] == 1)
        for first in 0...UInt8.max {
            rig.give([first], from: rig.address(5))
            rig.give([first] + Array("GET / HTTP/1.1\r\n\r\n".utf8), from: rig.address(5))
        }
        rig.give([], from: rig.address(5))
        rig.give(rig.check(), from: rig.address(5, port: 0))
        rig.give(rig.check(password: "not the password"), from: rig.address(5))
        rig.give(rig.check("another:spray"), from: rig.address(5))
        #expect(rig.endpoint.peerCount == 0)
        #expect(rig.endpoint.counters.handshakes == 0)
        #expect(rig.endpoint.counters[.media] == 128)
        #expect(rig.endpoint.counters[.malformed] > 200)
        #expect(rig.stray.count == 2)
        #expect(rig.wake == nil)
    }

    @Test("A valid check allows DTLS from its own address only")
    func otherAddress() throws {
        let rig = try Rig()
        let hello = try clientHello(rig)
        rig.give(rig.check(), from: rig.address(5))
        #expect(try rig.lastError() == nil)
        #expect(rig.endpoint.peerCount == 1)
        rig.give(hello, from: rig.address(6))
        rig.give(hello, from: rig.address(5, port: 50_001))
        #expect(rig.endpoint.counters.handshakes == 0)
        rig.give(hello, from: rig.address(5))
        #expect(rig.endpoint.counters.handshakes == 1)
        // Whoever goes no further is forgotten.
        rig.run(for: .seconds(11))
        #expect(rig.endpoint.peerCount == 0)
        #expect(rig.connected.isEmpty)
    }

    @Test("Refusals have the code that is due, and are never longer than what they refuse")
    func refusals() throws {
        let rig = try Rig()
        let cases: [([UInt8], STUNErrorCode, EndpointRefusal)] = [
            (rig.check(password: "not the password"), .unauthenticated, .unauthenticated),
            (rig.check("boxfrag2:spray"), .unauthenticated, .unknownName),
            (rig.check("nocolon"), .badRequest, .badRequest),
            (rig.check(isControlled: true), .roleConflict, .roleConflict),
            (rig.check(unknown: 0x7123), .unknownAttribute, .unknownAttribute),
        ]
        for (bytes, code, cause) in cases {
            rig.give(bytes, from: rig.address(5))
            #expect(try rig.lastError() == code)
            #expect(rig.stray.last.map { $0.1.count <= bytes.count } == true)
            #expect(rig.endpoint.counters[cause] == 1)
        }
        // So short that any answer would be longer.
        var writer = STUNWriter(.request, .binding, TransactionID(high: 1, low: 1))
        writer.appendFingerprint()
        let count = rig.stray.count
        rig.give(Array(writer.bytes), from: rig.address(5))
        #expect(rig.stray.count == count)
        #expect(rig.endpoint.counters[.unansweredRefusal] == 1)
        #expect(rig.endpoint.peerCount == 0)
    }

    @Test("Refusals are rationed, and so are checks from one address; others get in meanwhile")
    func rates() throws {
        var limits = EndpointLimits()
        limits.refusalsPerSecond = 20
        limits.newChecksPerSecondPerAddress = 10
        let rig = try Rig(limits: limits)
        for number in 0..<1_000 as Range<UInt64> {
            rig.give(rig.check("unknown:spray", transaction: number), from: rig.address(5))
        }
        #expect(rig.stray.count == 20)
        #expect(rig.endpoint.counters[.unansweredRefusal] == 980)
        for number in 0..<1_000 {
            rig.give(rig.check("boxfrag1:spray\(number)", password: "wrong"), from: rig.address(5))
        }
        #expect(rig.endpoint.counters[.checkRate] == 980)
        _ = try rig.connect("phone", at: 6)
        #expect(rig.endpoint.connectionCount == 1)
    }

    /// Checks were counted as a phone's by their USERNAME, before their integrity was looked at. Who had heard that name used the
    /// phone's share up from anywhere; its own checks were not answered then, and it took the box for gone.
    @Test("Checks without the password take nothing away from the phone they name, wherever they come from")
    func forgedChecks() throws {
        var limits = EndpointLimits()
        limits.newChecksPerSecondPerAddress = 100
        let rig = try Rig(limits: limits)
        let (client, _) = try rig.connect("phone", at: 5)
        // Two of other addresses, which have a second's share and another one at once, and the phone's own, forged.
        for (source, looked) in [(rig.address(6), 200), (rig.address(5, port: 9), 200), (client.address, 400)] {
            client.isUnplugged = true
            let refused = rig.endpoint.counters[.unauthenticated]
            for number in 0..<400 as Range<UInt64> {
                let forged = rig.check("boxfrag1:phone", password: "wrong", isNominating: true, transaction: number)
                rig.give(forged, from: source)
            }
            #expect(rig.endpoint.counters[.unauthenticated] == refused + UInt64(looked))
            let before = rig.stray.count
            for number in 0..<40 as Range<UInt64> {
                rig.give(rig.check("boxfrag1:phone", isNominating: true, transaction: number), from: client.address)
            }
            #expect(rig.stray.count == before + 40)
            #expect(try rig.lastError() == nil)
            client.isUnplugged = false
            rig.run(for: .seconds(2))
        }
        // Proven ones have a limit all the same: each is answered.
        client.isUnplugged = true
        let before = rig.stray.count
        for number in 0..<400 as Range<UInt64> {
            rig.give(rig.check("boxfrag1:phone", transaction: number), from: client.address)
        }
        #expect(rig.stray.count == before + limits.checksPerSecond)
    }

    @Test("Peers are limited for each address; beyond the limit for all, the newest get in")
    func peers() throws {
        var limits = EndpointLimits()
        limits.peersPerAddress = 4
        limits.halfOpen = 10
        let rig = try Rig(limits: limits)
        for number in 0..<8 {
            rig.give(rig.check("boxfrag1:many\(number)"), from: rig.address(5, port: UInt16(1_000 + number)))
        }
        #expect(rig.endpoint.peerCount == 4)
        #expect(rig.endpoint.counters[.tooManyPeers] == 4)
        for host in 10..<40 { rig.give(rig.check("boxfrag1:host\(host)"), from: rig.address(host)) }
        #expect(rig.endpoint.peerCount == 10)
        #expect(rig.endpoint.counters[.evicted] == 24)
        _ = try rig.connect("phone", at: 50)
        #expect(rig.endpoint.connectionCount == 1)
        rig.run(for: .seconds(12))
        #expect(rig.endpoint.peerCount == 1)
    }

    /// The oldest made room before the newcomer's own address was asked: one that had all its peers drove others out with every
    /// further check.
    @Test("Nobody makes room for a peer that its address may not have")
    func refusedNewcomers() throws {
        var limits = EndpointLimits()
        limits.peersPerAddress = 4
        limits.halfOpen = 10
        let rig = try Rig(limits: limits)
        for host in 10..<20 { rig.give(rig.check("boxfrag1:host\(host)"), from: rig.address(host)) }
        for number in 0..<20 {
            rig.give(rig.check("boxfrag1:many\(number)"), from: rig.address(5, port: UInt16(1_000 + number)))
        }
        #expect(rig.endpoint.counters[.evicted] == 4)
        #expect(rig.endpoint.counters[.tooManyPeers] == 16)
        #expect(rig.endpoint.peerCount == 10)
    }

    @Test("Handshakes are limited in number and rate for each address")
    func handshakes() throws {
        var limits = EndpointLimits()
        limits.handshakesPerAddress = 3
        let rig = try Rig(limits: limits)
        let hello = try clientHello(rig)
        for number in 0..<6 {
            let source = rig.address(5, port: UInt16(1_000 + number))
            rig.give(rig.check("boxfrag1:many\(number)"), from: source)
            rig.give(hello, from: source)
        }
        #expect(rig.endpoint.counters.handshakes == 3)
        #expect(rig.endpoint.counters[.handshakeRate] == 3)
        rig.run(for: .seconds(12))
        rig.give(rig.check("boxfrag1:later"), from: rig.address(5))
        rig.give(hello, from: rig.address(5))
        #expect(rig.endpoint.counters.handshakes == 4)
    }

    /// What an address may not have was taken from everybody's share all the same.
    @Test("Handshakes that are refused to one address leave the others theirs")
    func othersHandshakes() throws {
        var limits = EndpointLimits()
        limits.handshakesPerSecondPerAddress = 1
        limits.handshakesPerSecond = 4
        let rig = try Rig(limits: limits)
        let hello = try clientHello(rig)
        for number in 0..<20 {
            let source = rig.address(5, port: UInt16(1_000 + number))
            rig.give(rig.check("boxfrag1:many\(number)"), from: source)
            rig.give(hello, from: source)
        }
        #expect(rig.endpoint.counters.handshakes == 2)
        rig.give(rig.check("boxfrag1:other"), from: rig.address(6))
        rig.give(hello, from: rig.address(6))
        #expect(rig.endpoint.counters.handshakes == 3)
    }

    /// A peer that restarted ICE was given more addresses than it kept track of. They stayed its own when it was gone, and a
    /// handshake from one of them brought it back, into a place that was somebody else's.
    @Test("All addresses of a peer that restarted ICE are free when it is gone")
    func addressesOfTheRenamed() throws {
        let rig = try Rig()
        let hello = try clientHello(rig)
        let (client, id) = try rig.connect("aaaa", at: 5)
        for host in 20..<40 { rig.give(rig.check("boxfrag1:aaaa"), from: rig.address(host)) }
        for host in 60..<80 { rig.give(rig.check("boxfrag1:bbbb"), from: rig.address(host)) }
        rig.give(rig.check("boxfrag1:bbbb"), from: client.address)
        rig.send("still here", from: client)
        #expect(rig.messages == ["still here"])
        #expect(rig.endpoint.peerCount == 1)
        rig.give(.close, to: client)
        #expect(rig.events.last == .disconnected(id, .closedByPeer))
        #expect(rig.endpoint.peerCount == 0)
        let before = rig.endpoint.counters[.uncheckedAddress]
        for host in Array(20..<40) + Array(60..<80) { rig.give(hello, from: rig.address(host)) }
        #expect(rig.endpoint.counters[.uncheckedAddress] == before + 40)
        let (_, first) = try rig.connect("cccc", at: 90)
        let (_, second) = try rig.connect("dddd", at: 91)
        #expect(first != second && rig.endpoint.connectionCount == 2)
    }

    @Test("One phone's flood of datagrams is cut, and costs nobody else a thing")
    func flood() throws {
        var limits = EndpointLimits()
        limits.datagramsPerSecond = 100
        let rig = try Rig(limits: limits)
        let (flooder, _) = try rig.connect("flooder", at: 5)
        let (other, id) = try rig.connect("other", at: 6)
        let noise: [UInt8] = [23, 254, 253, 0, 1, 0, 0, 0, 0, 0, 9, 0, 3, 1, 2, 3]
        for _ in 0..<1_000 { rig.give(noise, from: flooder.address) }
        #expect(rig.endpoint.counters[.datagramRate] > 850)
        rig.send("hello", to: id)
        #expect(other.messages == ["hello"])
    }

    @Test("Random and damaged datagrams change nothing for a phone that is connected")
    func damage() throws {
        let rig = try Rig()
        let (client, id) = try rig.connect("phone", at: 5)
        var generator = SeededGenerator(seed: 11)
        client.isUnplugged = true
        for round in 0..<3_000 {
            // What the phone would send, with some octets changed, or noise that begins like DTLS or STUN.
            var bytes: [UInt8]
            if round % 2 == 0 {
                rig.send("message \(round)", from: client)
                rig.give(.wake, to: client)
                bytes = client.output.written.bytes
                if bytes.isEmpty { bytes = rig.check() }
                for _ in 0...Int.random(in: 0...3, using: &generator) {
                    bytes[Int.random(in: bytes.indices, using: &generator)] ^= UInt8.random(
                        in: 1...255, using: &generator)
                }
            } else {
                bytes = (0..<Int.random(in: 1...80, using: &generator)).map { _ in generator.next() }
                bytes[0] = [0, 1, 20, 21, 22, 23, 24, 25, 26, 40, 60].randomElement(using: &generator) ?? 0
            }
            rig.give(bytes, from: client.address)
            if round % 100 == 0 { rig.now = rig.now + .milliseconds(1) }
        }
        client.isUnplugged = false
        rig.send("still there?", to: id)
        rig.run(for: .seconds(20))
        #expect(client.messages == ["still there?"])
        #expect(rig.endpoint.connectionCount == 1)
        #expect(!rig.messages.isEmpty)
        #expect(rig.messages.allSatisfy { $0.starts(with: "message ") })
    }
}
