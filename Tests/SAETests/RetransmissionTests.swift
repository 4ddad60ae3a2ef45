import IEEE80211
import SAE
import SAEClient
import SansIO
import TestSupport
import Testing
import WiFiCrypto
import Wire

/// What comes again, late, or from somebody else (IEEE 802.11-2020, 12.4.8.6).
@Suite struct RetransmissionTests {
    @Test("The same commit gets the same answer, until it has come too often", arguments: SAEMethod.allCases)
    func commits(_ method: SAEMethod) throws {
        var network = try TestNetwork()
        var client = try network.client(1, method)
        let commit = client.start()
        let answer = network.receive(commit, from: client.address)
        for _ in 0..<SAELimits().retransmissions {
            #expect(network.receive(commit, from: client.address) == answer)
        }
        #expect(network.receive(commit, from: client.address).isEmpty)
        #expect(network.output.events == [.refused(client.address, .tooManyRetransmissions)])
        #expect(network.authenticator.exchangeCount == 0)
        // It begins anew, with other secrets of ours.
        let other = network.receive(commit, from: client.address)
        #expect(other.map(\.status) == [method.status])
        #expect(other != answer)
    }

    @Test(
        "The station did not hear our confirm: with a higher counter, or the very same again", arguments: [true, false])
    func confirms(_ countsConfirms: Bool) throws {
        var network = try TestNetwork()
        var client = try network.client(1)
        client.countsConfirms = countsConfirms
        let commit = try #require(network.receive(client.start(), from: client.address).first)
        let confirm = try #require(try client.receive(commit))
        let lost = network.receive(confirm, from: client.address)
        #expect(lost.first?.body.prefix(2) == [1, 0])
        for _ in 0..<SAELimits().retransmissions {
            let again = try #require(try client.retransmit())
            let answer = try #require(network.receive(again, from: client.address).first)
            #expect(network.output.events.isEmpty, "it is accepted once")
            #expect(answer.body.prefix(2) == (countsConfirms ? [255, 255] : [1, 0]))
            var hearing = client
            #expect(try hearing.receive(answer) == nil)
            guard case .accepted = hearing.state else {
                Issue.record("the client is \(hearing.state)")
                return
            }
        }
        // A station that never hears us is not answered for ever.
        let again = try #require(try client.retransmit())
        #expect(network.receive(again, from: client.address).isEmpty)
    }

    @Test("A confirm of the past, with the counter of one who has accepted, or altered, gets no answer")
    func staleConfirms() throws {
        var network = try TestNetwork()
        var client = try network.client(1)
        let commit = try #require(network.receive(client.start(), from: client.address).first)
        let first = try #require(try client.receive(commit))
        let second = try #require(try client.retransmit())
        #expect(network.receive(second, from: client.address).map(\.status) == [.success])
        #expect(network.receive(first, from: client.address).isEmpty)
        var altered = try #require(try client.retransmit())
        altered.body[7] ^= 1
        #expect(network.receive(altered, from: client.address).isEmpty)
        var last = second
        last.body.replaceSubrange(0..<2, with: [255, 255])
        #expect(network.receive(last, from: client.address).isEmpty)
        #expect(network.authenticator.counters.accepted == 1)
    }

    @Test(
        "The commit of an exchange that is done does not begin another; a new one does, and the key stays until it proves itself"
    )
    func comesAgain() throws {
        var network = try TestNetwork()
        var client = try network.client(1)
        let old = client.start()
        try network.run(&client)
        guard case .accepted(let pmk, let pmkid) = client.state else {
            Issue.record("the client is \(client.state)")
            return
        }
        #expect(network.receive(old, from: client.address).isEmpty)
        #expect(network.authenticator.halfOpenCount == 0)
        // Somebody forges the address; the station's key is still good.
        var forger = try network.client(1, password: "wrong horse")
        try network.run(&forger)
        #expect(forger.state == .failed(.challengeFailure))
        #expect(network.authenticator.key(for: client.address, pmkid: pmkid)?.pmk == pmk)
        // The station itself comes again.
        var again = try network.client(1)
        try network.run(&again)
        guard case .accepted(let newKey, let newName) = again.state else {
            Issue.record("the second time ends \(again.state)")
            return
        }
        #expect(newKey != pmk)
        #expect(network.authenticator.key(for: client.address, pmkid: newName)?.pmk == newKey)
        #expect(network.authenticator.key(for: client.address, pmkid: pmkid)?.pmk == nil)
    }

    @Test(
        "Commits that somebody forges before and behind the station's do not end its exchange",
        arguments: SAEMethod.allCases)
    func forgedCommits(_ method: SAEMethod) throws {
        var network = try TestNetwork()
        var client = try network.client(1, method)
        var forgers: [SAEClient] = []
        for forged in [method, .hashToElement, .huntingAndPecking] {
            forgers.append(try network.client(1, forged, password: "a guess"))
        }
        network.receive(forgers[0].start(), from: client.address)
        let commit = try #require(network.receive(client.start(), from: client.address).first)
        network.receive(forgers[1].start(), from: client.address)
        network.receive(forgers[2].start(), from: client.address)
        let confirm = try #require(try client.receive(commit))
        let answer = try #require(network.receive(confirm, from: client.address).first)
        _ = try client.receive(answer)
        guard case .accepted = client.state else {
            Issue.record("the client is \(client.state)")
            return
        }
        #expect(network.authenticator.halfOpenCount == 0)
    }

    @Test("A confirm of no exchange gets no answer")
    func strayConfirm() throws {
        var network = try TestNetwork()
        let confirm = SAEClient.Frame(transaction: 2, status: .success, body: [UInt8](repeating: 7, count: 34))
        #expect(network.receive(confirm, from: MACAddress(0x0200_0000_3000)).isEmpty)
        #expect(network.output.events.isEmpty)
        #expect(network.authenticator.counters.ignored == 1)
    }

    @Test("An exchange whose confirm does not come is forgotten")
    func expires() throws {
        var network = try TestNetwork()
        var client = try network.client(1)
        let commit = try #require(network.receive(client.start(), from: client.address).first)
        let confirm = try #require(try client.receive(commit))
        network.pass(SAELimits().exchangeLifetime)
        #expect(network.authenticator.exchangeCount == 0)
        #expect(network.authenticator.counters.expired == 1)
        #expect(network.wake == nil)
        #expect(network.receive(confirm, from: client.address).isEmpty)
    }
}
