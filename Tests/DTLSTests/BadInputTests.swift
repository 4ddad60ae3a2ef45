import COpenSSL
import DTLS
import SansIO
import TestSupport
import Testing

@Suite struct BadInputTests {
    /// The datagrams of a handshake in the order they arrived, with their destinations.
    private static func recorded() throws -> [(Link.Side, [UInt8])] {
        let link = Link(try Link.contexts())
        link.give(.start, to: .client)
        link.run()
        return [
            (.server, link.ofClient.sent[0]), (.client, link.ofServer.sent[0]), (.server, link.ofClient.sent[1]),
            (.client, link.ofServer.sent[1]),
        ]
    }

    private static func feed(_ bytes: [UInt8], to session: inout DTLSSession, _ output: inout DTLSOutput) {
        _ = session.handle(.datagram(bytes.span.bytes), at: .zero, into: &output)
    }

    /// Only a ClientHello makes a server set something aside or answer.
    @Test func otherDatagramsBeginNothing() throws {
        let contexts = try Link.contexts()
        var generator = SeededGenerator(seed: 7)
        var session = DTLSSession(context: contexts.server)
        var output = DTLSOutput()
        for round in 0..<20_000 {
            var bytes = (0..<Int.random(in: 0...200, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            if round.isMultiple(of: 2), bytes.count > 13 {
                // A plausible head.
                bytes.replaceSubrange(
                    0..<5, with: [UInt8.random(in: 20...26, using: &generator), 0xFE, 0xFD, 0, UInt8(round % 4)])
                bytes.replaceSubrange(11..<13, with: [0, UInt8(bytes.count - 13)])
                if bytes[13...].first == 1 { bytes[13] = 2 }
            }
            let deadline = session.handle(.datagram(bytes.span.bytes), at: .zero, into: &output)
            #expect(deadline == nil)
        }
        #expect(output.events.isEmpty && output.datagrams.isEmpty && output.records.isEmpty)
    }

    /// Every cut of the first datagram, then the whole: cut records are dropped without a trace.
    @Test func cutFirstFlights() throws {
        let contexts = try Link.contexts()
        let hello = try Self.recorded()[0].1
        for count in 0..<hello.count {
            var session = DTLSSession(context: contexts.server)
            var output = DTLSOutput()
            Self.feed(Array(hello[..<count]), to: &session, &output)
            #expect(output.datagrams.isEmpty && output.events.isEmpty, "\(count) octets")
            Self.feed(hello, to: &session, &output)
            #expect(!output.datagrams.isEmpty, "\(count) octets")
        }
    }

    /// A handshake during which every datagram arrives cut, and then whole.
    @Test func cutDatagramsDoNotHarm() throws {
        let contexts = try Link.contexts()
        for part in 1..<12 {
            let link = Link(contexts)
            link.give(.start, to: .client)
            var delivered = (0, 0)
            for _ in 0..<4 {
                while delivered.0 < link.ofClient.sent.count {
                    let bytes = link.ofClient.sent[delivered.0]
                    delivered.0 += 1
                    let cut = bytes.count * part / 12
                    link.give(.datagram(bytes.span.bytes.extracting(..<cut)), to: .server)
                    link.give(.datagram(bytes.span.bytes), to: .server)
                }
                while delivered.1 < link.ofServer.sent.count {
                    let bytes = link.ofServer.sent[delivered.1]
                    delivered.1 += 1
                    let cut = bytes.count * part / 12
                    link.give(.datagram(bytes.span.bytes.extracting(..<cut)), to: .client)
                    link.give(.datagram(bytes.span.bytes), to: .client)
                }
            }
            #expect(link.isConnected, "cut at \(part)/12")
        }
    }

    /// One bit of a handshake's datagrams is wrong: the sides connect all the same, or one says why not; they never trap,
    /// and leave no error to the next session.
    @Test func flippedBits() throws {
        let contexts = try Link.contexts()
        var generator = SeededGenerator(seed: 11)
        var connected = 0
        var failed = 0
        for round in 0..<600 {
            let link = Link(contexts)
            var flight = round % 4
            link.give(.start, to: .client)
            var delivered = (0, 0)
            for _ in 0..<4 {
                while delivered.0 < link.ofClient.sent.count {
                    var bytes = link.ofClient.sent[delivered.0]
                    delivered.0 += 1
                    if flight == 0 {
                        bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= 1 << UInt8(round % 8)
                    }
                    flight -= 1
                    link.give(.datagram(bytes.span.bytes), to: .server)
                }
                while delivered.1 < link.ofServer.sent.count {
                    var bytes = link.ofServer.sent[delivered.1]
                    delivered.1 += 1
                    if flight == 0 {
                        bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= 1 << UInt8(round % 8)
                    }
                    flight -= 1
                    link.give(.datagram(bytes.span.bytes), to: .client)
                }
            }
            // What was damaged comes again by the clocks.
            link.run()
            #expect(ERR_peek_error() == 0)
            if link.isConnected {
                connected += 1
            } else {
                let failures = (link.ofClient.events + link.ofServer.events).filter {
                    if case .failed = $0 { true } else { false }
                }
                #expect(!failures.isEmpty, "round \(round): nobody says that it failed")
                failed += 1
            }
        }
        #expect(connected > 20)
        #expect(failed > 100)
    }

    /// Whatever is damaged in a protected record, it is dropped, and the session goes on.
    @Test func damagedRecordsAreDropped() throws {
        let link = Link(try Link.contexts())
        link.give(.start, to: .client)
        link.run()
        link.loses = { _, _ in true }
        link.send("intact", from: .client)
        let record = try #require(link.ofClient.sent.last)
        for position in record.indices {
            for bit in 0..<8 {
                var bytes = record
                bytes[position] ^= 1 << UInt8(bit)
                link.give(.datagram(bytes.span.bytes), to: .server)
            }
        }
        for count in record.indices {
            link.give(.datagram(record.span.bytes.extracting(..<count)), to: .server)
        }
        #expect(link.ofServer.received.isEmpty)
        #expect(link.isConnected)
        for _ in 0..<3 { link.give(.datagram(record.span.bytes), to: .server) }
        #expect(link.ofServer.received == [Array("intact".utf8)])
        #expect(ERR_peek_error() == 0)
    }

    /// Everything a session ever got, again: no record passes twice, and the last flight is not sent again for ever.
    @Test func replayedDatagrams() throws {
        let link = Link(try Link.contexts())
        link.give(.start, to: .client)
        link.run()
        for number in 0..<20 { link.send("\(number)", from: .client) }
        link.run()
        let answers = link.ofServer.sent.count
        for _ in 0..<200 {
            for datagram in link.ofClient.sent { link.give(.datagram(datagram.span.bytes), to: .server) }
            link.run(for: .seconds(1))
        }
        #expect(link.ofServer.received.count == 20)
        #expect(link.ofServer.sent.count == answers + 16)
        #expect(link.isConnected)
    }

    /// Alerts that nobody vouches for end a handshake, as TLS has it, but no connection.
    @Test func forgedAlerts() throws {
        let link = Link(try Link.contexts())
        let alert: [UInt8] = [21, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40]
        link.give(.datagram(alert.span.bytes), to: .server)
        link.give(.start, to: .client)
        link.run()
        link.give(.datagram(alert.span.bytes), to: .server)
        link.give(.datagram(alert.span.bytes), to: .client)
        #expect(link.isConnected)
        let second = Link(try Link.contexts())
        second.give(.start, to: .client)
        second.give(.datagram(alert.span.bytes), to: .client)
        #expect(second.ofClient.events == [.failed(.alertReceived(40))])
    }

    /// Claims of large messages and of many, and protected records before their keys, of which OpenSSL would keep 100 in 17 kB
    /// each.
    @Test func floodsInAHandshakeAreNotAnswered() throws {
        let link = Link(try Link.contexts())
        link.loses = { _, _ in true }
        link.give(.start, to: .client)
        let hello = try #require(link.ofClient.sent.first)
        link.give(.datagram(hello.span.bytes), to: .server)
        for number: UInt8 in 1..<200 {
            // A fragment of one octet of a Certificate of 16 kB, and an early record of the longest kind.
            let fragment: [UInt8] = [11, 0, 0x40, 0, 0, number, 0, 0, 0, 0, 0, 1, 0]
            let head: [UInt8] = [22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 1, number, 0, UInt8(fragment.count)]
            link.give(.datagram((head + fragment).span.bytes), to: .server)
            let early: [UInt8] = [22, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 1, number, 4, 0]
            link.give(.datagram((early + [UInt8](repeating: 0, count: 1_024)).span.bytes), to: .server)
        }
        #expect(link.ofServer.sent.count == 1)
        #expect(link.ofServer.events.isEmpty && link.ofServer.deadline != nil)
    }
}
