import DTLS
import DataChannel
import ICE
import SansIO
import SCTP
import STUN
import Testing
import WebRTCClient
import WebRTCDirect
import Wire

@Suite("Endpoint: connections")
struct EndpointTests {
    @Test("A client connects, opens a channel, and messages pass both ways, empty ones too")
    func connects() throws {
        let rig = try Rig()
        let (client, id) = try rig.connect("phone", at: 5)
        #expect(
            rig.events.first
                == .connected(
                    id,
                    EndpointConnection(
                        address: rig.address(5), identity: .own,
                        fingerprint: try #require(Rig.clientIdentity).fingerprint)))
        #expect(
            rig.events.last
                == .channelOpened(id, channel: 0, DataChannelParameters(label: "hub"), isIncoming: true))
        rig.send("hello", from: client)
        rig.send("", from: client)
        rig.send(String(repeating: "x", count: 200_000), from: client)
        rig.send("world", to: id)
        rig.send("", to: id)
        rig.run(for: .seconds(2))
        #expect(rig.messages == ["hello", "", String(repeating: "x", count: 200_000)])
        #expect(client.messages == ["world", ""])
        #expect(rig.endpoint.counters.connections == 1)
        #expect(rig.endpoint.counters.messagesReceived == 3)
        #expect(rig.endpoint.counters.refusals.isEmpty)
        #expect(rig.stray.isEmpty)
    }

    @Test("The box opens a channel of its own, by an odd number")
    func outgoingChannel() throws {
        let rig = try Rig()
        let (client, id) = try rig.connect("phone", at: 5)
        rig.give(.openChannel(id, DataChannelParameters(label: "news")))
        rig.run(for: .milliseconds(10))
        #expect(
            rig.events.last == .channelOpened(id, channel: 1, DataChannelParameters(label: "news"), isIncoming: false))
        rig.send("headline", to: id, channel: 1)
        rig.give(.closeChannel(id, channel: 1))
        rig.run(for: .seconds(1))
        #expect(client.messages == ["headline"])
        #expect(rig.events.last == .channelClosed(id, channel: 1))
    }

    @Test("A phone that moves keeps its connection: another address, no new handshake, nothing lost")
    func moves() throws {
        let rig = try Rig()
        let (client, id) = try rig.connect("phone", at: 5)
        client.address = rig.address(77, port: 1_234)
        rig.send("to nowhere", to: id)
        rig.give(.moved, to: client)
        rig.run(for: .seconds(2))
        rig.send("here I am", from: client)
        rig.send("I see", to: id)
        rig.run(for: .seconds(2))
        #expect(rig.events.contains(.moved(id, rig.address(77, port: 1_234))))
        #expect(client.messages == ["to nowhere", "I see"])
        #expect(rig.messages == ["here I am"])
        #expect(rig.endpoint.counters.handshakes == 1)
        #expect(rig.endpoint.counters.moves == 1)
        #expect(rig.endpoint.peerCount == 1)
    }

    @Test("A phone that falls silent is gone after eight seconds, and not before")
    func silence() throws {
        let rig = try Rig()
        let (client, id) = try rig.connect("phone", at: 5)
        rig.run(for: .seconds(30))
        client.isUnplugged = true
        // Its last check may have come up to three seconds ago, so eight seconds from now are enough and five are not.
        rig.run(for: .milliseconds(4_900))
        #expect(!rig.events.contains(.disconnected(id, .silent)))
        rig.run(for: .milliseconds(3_200))
        #expect(rig.events.last == .disconnected(id, .silent))
        #expect(rig.endpoint.peerCount == 0)
        #expect(rig.endpoint.connectionCount == 0)
    }

    @Test("A phone that hardly ever checks is kept alive by probes")
    func probes() throws {
        let rig = try Rig()
        var configuration = rig.configuration()
        configuration.checkInterval = .seconds(10)
        let client = try rig.add(configuration, at: rig.address(5))
        rig.give(.start, to: client)
        rig.run(for: .seconds(120))
        #expect(rig.endpoint.connectionCount == 1)
        #expect(rig.endpoint.counters[.silent] == 0)
    }

    @Test("Either side closes, and the other hears of it at once")
    func closing() throws {
        let rig = try Rig()
        let (client, id) = try rig.connect("aaaa", at: 5)
        rig.give(.close, to: client)
        #expect(rig.events.last == .disconnected(id, .closedByPeer))
        let (other, otherID) = try rig.connect("bbbb", at: 6)
        rig.give(.close(otherID))
        #expect(rig.events.last == .disconnected(otherID, .closed))
        #expect(other.events.last == .ended(.transport(.closedByPeer)))
        #expect(rig.endpoint.peerCount == 0)
        let (third, _) = try rig.connect("cccc", at: 7)
        rig.give(.closeAll)
        #expect(third.events.last == .ended(.transport(.closedByPeer)))
        #expect(rig.endpoint.connectionCount == 0)
    }

    @Test("After a restart of the box, a phone learns by its next check that it must begin anew")
    func restart() throws {
        let old = try Rig()
        let (client, _) = try old.connect("phone", at: 5)
        let new = try Rig()
        new.now = old.now
        new.clients = [client]
        new.send("anybody there?", from: client)
        #expect(new.endpoint.counters[.uncheckedAddress] == 1)
        // Two records after a check tell, and SCTP sends again after 5.8 and 8.8 s; then the next check.
        new.run(for: .seconds(15))
        #expect(client.events.last == .ended(.refused(.forbidden)))
        #expect(new.endpoint.counters[.stale] == 1)
        #expect(new.connected.isEmpty)
    }

    @Test(
        "After a restart of the box, a phone that says nothing but checks learns it as well, and as long as it checks")
    func silentRestart() throws {
        let rig = try Rig()
        // Its checks are as those of a browser whose session goes on.
        for number in 0..<12 as Range<UInt64> {
            rig.give(rig.check(isNominating: true, transaction: number), from: rig.address(5))
            // Firefox: every five seconds.
            #expect(try rig.lastError() == (number < 2 ? nil : .forbidden), "check \(number)")
            rig.run(for: .seconds(5))
        }
        #expect(rig.endpoint.peerCount == 1)
        // When it begins anew, it is as good as any other.
        let (client, id) = try rig.connect("phone", at: 5)
        rig.send("welcome", to: id)
        #expect(client.messages == ["welcome"])
        rig.run(for: .seconds(40))
        #expect(rig.endpoint.peerCount == 1)
        #expect(rig.endpoint.connectionCount == 1)
    }

    @Test("A single stray record condemns nobody")
    func stray() throws {
        let rig = try Rig()
        let record: [UInt8] = [23, 254, 253, 0, 1, 0, 0, 0, 0, 0, 9, 0, 3, 1, 2, 3]
        let alert: [UInt8] = [21, 254, 253, 0, 1, 0, 0, 0, 0, 0, 9, 0, 3, 1, 2, 3]
        rig.give(rig.check(), from: rig.address(5))
        rig.give(record, from: rig.address(5))
        rig.give(record, from: rig.address(5))
        rig.run(for: .seconds(1))
        rig.give(alert, from: rig.address(5))
        rig.give(rig.check(transaction: 2), from: rig.address(5))
        #expect(try rig.lastError() == nil)
        rig.give(record, from: rig.address(5))
        rig.give(rig.check(transaction: 3), from: rig.address(5))
        #expect(try rig.lastError() == .forbidden)
    }

    @Test("A page loaded anew on the same port replaces the one before it")
    func reload() throws {
        let rig = try Rig()
        let (client, id) = try rig.connect("before", at: 5)
        client.isUnplugged = true
        let (later, laterID) = try rig.connect("after", at: 5)
        #expect(rig.events.contains(.disconnected(id, .replaced)))
        rig.send("hello", to: laterID)
        rig.run(for: .milliseconds(10))
        #expect(later.messages == ["hello"])
        #expect(rig.endpoint.peerCount == 1)
    }

    /// Whoever completed a handshake at an address that a phone once had threw it out, wherever it was by then.
    @Test("A phone that moved on lives on when another comes at the address it had")
    func formerAddress() throws {
        let rig = try Rig()
        let (first, firstID) = try rig.connect("first", at: 5)
        first.address = rig.address(77, port: 1_234)
        rig.give(.moved, to: first)
        rig.run(for: .seconds(2))
        #expect(rig.events.contains(.moved(firstID, first.address)))
        let (second, secondID) = try rig.connect("second", at: 5)
        rig.send("for the first", to: firstID)
        rig.send("for the second", to: secondID)
        rig.send("of the first", from: first)
        rig.send("of the second", from: second)
        rig.run(for: .seconds(20))
        #expect(first.messages == ["for the first"])
        #expect(second.messages == ["for the second"])
        #expect(rig.messages == ["of the first", "of the second"])
        #expect(rig.endpoint.connectionCount == 2)
        // Once gone, it leaves the address to whose it is.
        rig.give(.close, to: first)
        rig.send("still here", from: second)
        #expect(rig.messages.last == "still here")
    }

    @Test("A check forged from a phone's address takes nothing away from it")
    func forgedCheck() throws {
        let rig = try Rig()
        let (client, id) = try rig.connect("phone", at: 5)
        client.isUnplugged = true
        rig.give(rig.check("boxfrag1:liar", isNominating: true), from: client.address)
        client.isUnplugged = false
        rig.send("still here", to: id)
        rig.send("so am I", from: client)
        rig.run(for: .seconds(20))
        #expect(client.messages == ["still here"])
        #expect(rig.messages == ["so am I"])
        #expect(rig.endpoint.connectionCount == 1)
    }

    @Test("A phone that restarts ICE keeps its connection under its new name")
    func iceRestart() throws {
        let rig = try Rig()
        let (client, id) = try rig.connect("phone", at: 5)
        client.isUnplugged = true
        rig.give(rig.check("boxfrag1:renamed", isNominating: true), from: client.address)
        client.isUnplugged = false
        rig.send("it is me", from: client)
        #expect(rig.messages == ["it is me"])
        #expect(rig.endpoint.peerCount == 1)
        // By the new name it may move, once its last nomination is a second old.
        rig.run(for: .milliseconds(1_100))
        rig.give(rig.check("boxfrag1:renamed", isNominating: true), from: rig.address(9))
        #expect(rig.events.last == .moved(id, rig.address(9)))
    }

    @Test("Sending to a peer that is gone, or on a channel that is not there, is refused")
    func refusedSends() throws {
        let rig = try Rig()
        let (client, id) = try rig.connect("phone", at: 5)
        rig.send("x", to: id, channel: 8)
        #expect(rig.events.last == .sendRefused(id, channel: 8, .notConnected))
        rig.give(.close, to: client)
        rig.send("x", to: id)
        #expect(rig.events.last == .sendRefused(id, channel: 0, .notConnected))
        // The slot is used again, the name is not.
        let (_, next) = try rig.connect("other", at: 6)
        #expect(next != id)
        rig.send("x", to: id)
        #expect(rig.events.last == .sendRefused(id, channel: 0, .notConnected))
        #expect(rig.endpoint.counters.sendRefusals[.notConnected] == 3)
    }

    @Test("A phone that takes nothing is unwritable until it has caught up")
    func backPressure() throws {
        let rig = try Rig()
        let (client, id) = try rig.connect("phone", at: 5)
        client.isUnplugged = true
        for _ in 0..<3 { rig.send(String(repeating: "x", count: 100_000), to: id) }
        #expect(rig.events.last == .unwritable(id))
        #expect(rig.endpoint.bufferedBytes(of: id) == 300_000)
        client.isUnplugged = false
        rig.run(for: .seconds(5))
        #expect(rig.events.last == .writable(id))
        #expect(rig.endpoint.bufferedBytes(of: id) == 0)
        #expect(client.messages.count == 3)
    }

    @Test("A name that is no longer accepted is closed; the others stay")
    func names() throws {
        let rig = try Rig()
        let wellKnown = try #require(ICECredentials(fragment: "wellknown", password: String(repeating: "w", count: 24)))
        let own = EndpointIdentity(.own, credentials: rig.credentials, context: rig.context)
        rig.give(
            .accept(
                EndpointAcceptance(identities: [
                    own, EndpointIdentity(.wellKnown, credentials: wellKnown, context: rig.otherContext),
                ])))
        let (_, ownID) = try rig.connect("aaaa", at: 5)
        var configuration = ClientConfiguration(fragment: "bbbb", remote: wellKnown, context: rig.clientContext)
        configuration.fingerprint = try #require(Rig.otherIdentity).fingerprint
        let client = try rig.add(configuration, at: rig.address(6))
        rig.give(.start, to: client)
        rig.run(for: .milliseconds(100))
        let id = try #require(rig.connected.last)
        guard case .connected(_, let connection) = rig.events.last else { throw Missing.event }
        #expect(connection.identity == .wellKnown)
        rig.give(.accept(EndpointAcceptance(identities: [own])))
        #expect(rig.events.last == .disconnected(id, .closed))
        #expect(rig.endpoint.connectionCount == 1)
        rig.send("hello", to: ownID)
        #expect(rig.endpoint.counters.sendRefusals.isEmpty)
    }

    @Test("Two hundred phones on one endpoint, each with its own messages")
    func many() throws {
        let rig = try Rig()
        let phones = try (0..<200).map { try rig.connect("phone\($0)", at: 100 + $0) }
        for (index, phone) in phones.enumerated() { rig.send("for \(index)", to: phone.1) }
        rig.run(for: .seconds(12))
        for (index, phone) in phones.enumerated() { #expect(phone.0.messages == ["for \(index)"]) }
        #expect(rig.endpoint.connectionCount == 200)
    }

    private enum Missing: Error { case event }
}
