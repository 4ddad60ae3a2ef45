import DTLS
import SansIO
import Testing

@Suite struct HandshakeTests {
    @Test func bothSidesLearnEachOthersFingerprints() throws {
        let client = try DTLSIdentity.generate()
        let server = try DTLSIdentity.generate()
        let link = Link(
            (
                try DTLSContext(identity: client, role: .client), try DTLSContext(identity: server, role: .server)
            ))
        link.give(.start, to: .client)
        link.run()
        #expect(link.ofServer.peer?.fingerprint == client.fingerprint)
        #expect(link.ofClient.peer?.fingerprint == server.fingerprint)
        #expect(link.ofServer.peer?.version == .dtls1_2)
        #expect(link.ofServer.peer?.srtpProfile == .aeadAES128GCM)
        #expect(link.ofClient.peer?.srtpProfile == .aeadAES128GCM)
        // Flights 1, 3 and 5 with 2 datagrams at most, and nothing to wait for afterwards.
        #expect(link.ofClient.sent.count == 2)
        #expect(link.ofServer.sent.count == 2)
        #expect(link.ofClient.deadline == nil)
        #expect(link.ofServer.deadline == nil)
    }

    @Test func dataPassesBothWaysAndEnds() throws {
        let link = Link(try Link.contexts())
        link.send("too early", from: .server)
        link.give(.start, to: .client)
        link.run()
        for number in 0..<100 {
            link.send("up \(number)", from: .client)
            link.send("down \(number)", from: .server)
        }
        link.send("", from: .client)
        link.run()
        #expect(
            link.ofServer.received.map { String(decoding: $0, as: UTF8.self) } == (0..<100).map { "up \($0)" } + [""])
        #expect(link.ofClient.received.map { String(decoding: $0, as: UTF8.self) } == (0..<100).map { "down \($0)" })

        link.give(.close, to: .client)
        link.run()
        #expect(link.ofServer.events.last == .closed)
        #expect(!link.isClientConnected && !link.isServerConnected)
        // An end is an end.
        let sent = link.ofServer.sent.count
        link.send("too late", from: .server)
        link.run()
        #expect(link.ofServer.sent.count == sent)
        #expect(link.ofServer.events.count == 2)
    }

    @Test func theLongestRecordFillsTheMTU() throws {
        let link = Link(try Link.contexts(), mtu: 900)
        let before = link.server.maximumPlaintext
        #expect(before == 863)
        link.give(.start, to: .client)
        link.run()
        let longest = [UInt8](repeating: 7, count: link.client.maximumPlaintext)
        link.give(.send(longest.span.bytes), to: .client)
        #expect(link.ofClient.sent.last?.count == 900)
        link.run()
        #expect(link.ofServer.received == [longest])
        // No record can hold this.
        let tooLong = [UInt8](repeating: 7, count: 16_385)
        link.give(.send(tooLong.span.bytes), to: .client)
        link.run()
        #expect(link.ofServer.received.count == 1)
        #expect(link.isConnected)
    }

    @Test func flightsAreFragmentedToTheMTU() throws {
        let link = Link(try Link.contexts(), mtu: 512)
        link.give(.start, to: .client)
        link.run()
        #expect(link.isConnected)
        #expect((link.ofClient.sent + link.ofServer.sent).allSatisfy { $0.count <= 512 })
        #expect(link.ofServer.sent.count > 2)
    }

    @Test(arguments: [
        ([SRTPProfile.aes128CMSHA1_80], SRTPProfile.aes128CMSHA1_80),
        ([.aeadAES128GCM], .aeadAES128GCM),
        ([], nil),
    ])
    func theCommonProfileIsChosen(_ offered: [SRTPProfile], _ chosen: SRTPProfile?) throws {
        let link = Link(
            (
                try DTLSContext(identity: .generate(), role: .client, srtpProfiles: offered),
                try DTLSContext(identity: .generate(), role: .server)
            ))
        link.give(.start, to: .client)
        link.run()
        #expect(link.isConnected)
        #expect(link.ofServer.peer?.srtpProfile == chosen)
        #expect(link.ofClient.peer?.srtpProfile == chosen)
    }

    @Test func whoHearsNothingGivesUp() throws {
        let link = Link(try Link.contexts())
        link.loses = { side, _ in side == .server }
        link.give(.start, to: .client)
        link.run(for: .seconds(29))
        // 0.4 s, then 0.8 and 1.6, again and again, between transmissions: the fourth after 2.8 s, the last after 28.4 s.
        #expect(link.ofClient.sent.count == 20)
        #expect(link.ofClient.events.isEmpty)
        link.run()
        #expect(link.ofClient.events == [.failed(.timedOut)])
        #expect(link.ofClient.deadline == nil)
        #expect(link.calls < 30)
    }

    /// A client that goes away in the middle of a handshake leaves nothing behind.
    @Test func aServerGivesUpToo() throws {
        let link = Link(try Link.contexts())
        link.loses = { side, number in side == .server && number > 0 || side == .client }
        link.give(.start, to: .client)
        link.run()
        #expect(link.ofServer.events == [.failed(.timedOut)])
        #expect(link.ofServer.deadline == nil)
    }

    @Test func aServerDoesNotBeginAndAClientDoesNotAnswer() throws {
        let link = Link(try Link.contexts())
        link.give(.start, to: .server)
        #expect(link.ofServer.sent.isEmpty && link.ofServer.deadline == nil)
        link.give(.start, to: .client)
        let hello = try #require(link.ofClient.sent.first)
        let second = Link(try Link.contexts())
        second.give(.datagram(hello.span.bytes), to: .client)
        #expect(second.ofClient.sent.isEmpty && second.ofClient.deadline == nil)
    }
}
