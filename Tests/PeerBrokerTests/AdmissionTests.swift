import Credentials
import SansIO
import Testing
import Wire

@testable import PeerBroker

/// The table of conditions at the opening of a WebSocket.
@Suite struct AdmissionTests {
    @Test(
        arguments: [
            (nil, "t", "peerjs"), ("a", nil, "peerjs"), ("a", "t", nil), ("", "t", "peerjs"), ("a", "", "peerjs"),
            ("a", "t", ""), (nil, nil, nil),
        ] as [(String?, String?, String?)])
    func missingParameter(_ id: String?, _ token: String?, _ key: String?) {
        let box = TestBox()
        let connection = box.open(id, token: token, key: key)
        #expect(box.take(connection) == [error("No id, token, or key supplied to websocket server")])
        #expect(box.closing(connection)?.code == .policyViolation)
        #expect(box.broker.snapshot.counters.refusals(.parameters) == 1)
        #expect(box.broker.peerIDs.isEmpty)
        #expect(box.wake == nil)
    }

    @Test func wrongKey() {
        let box = TestBox()
        let connection = box.open("a", key: "other")
        #expect(box.take(connection) == [error("Invalid key provided")])
        #expect(box.closing(connection)?.code == .policyViolation)
        #expect(box.broker.peerIDs.isEmpty)
    }

    @Test func newClient() {
        let box = TestBox()
        let connection = box.open("a")
        #expect(box.take(connection) == [open])
        #expect(box.broker.peerIDs == ["a"])
        #expect(box.broker.snapshot.plainClients == 1)
        #expect(box.events == [.attached(connection, id: "a", TestBox.lan, again: false)])
    }

    @Test func tooManyClients() {
        var limits = PeerBroker.Limits()
        limits.connections = 2
        let box = TestBox(limits: limits)
        let first = box.open("a")
        box.open("b")
        let third = box.open("c")
        #expect(box.take(third) == [error("Server has reached its concurrent user limit")])
        #expect(box.closing(third)?.code == .tryAgainLater)
        // A re-attach makes nothing grow and gets through.
        let again = box.open("a")
        #expect(box.take(again) == [open])
        #expect(box.closing(first)?.code == .replaced)
        box.lose(again)
        #expect(box.take(box.open("c")) == [open])
    }

    @Test func tooManyClientsFromOneAddress() {
        var limits = PeerBroker.Limits()
        limits.connectionsPerAddress = 2
        let box = TestBox(limits: limits)
        let first = box.open("a")
        box.open("b")
        let third = box.open("c")
        #expect(box.take(third) == [error("Server has reached its concurrent user limit")])
        #expect(box.take(box.open("d", from: .v4(0x0A00_0002))) == [open])
        for id in 0..<10 { #expect(box.take(box.open("l\(id)", from: .v4(0x7F00_0001))) == [open]) }
        box.lose(first)
        #expect(box.take(box.open("c")) == [open])
        // Refused connections don't count.
        #expect(box.closing(box.open("e")) != nil)
        #expect(box.closing(box.open(nil)) != nil)
        box.lose(third)
        #expect(box.broker.connectionsOfAddress[TestBox.lan] == 2)
    }

    @Test func tooLongParameters() {
        let box = TestBox()
        #expect(box.closing(box.open(String(repeating: "x", count: 129)))?.code == .policyViolation)
        #expect(box.closing(box.open("x", token: String(repeating: "x", count: 257)))?.code == .policyViolation)
        #expect(box.isOpen(box.open(String(repeating: "x", count: 128), token: String(repeating: "x", count: 256))))
    }

    /// PeerServer takes the new socket of a known client without a word, and PeerJS waits for its OPEN for ever.
    @Test func reattachGetsOpen() {
        let box = TestBox()
        let old = box.open("a")
        let new = box.open("a")
        #expect(box.take(new) == [open])
        #expect(box.closing(old) == .init(.replaced, "replaced"))
        // The end of the old socket, which the shell reports later, does not take the id with it.
        box.lose(old)
        #expect(box.broker.peerIDs == ["a"])
        let other = box.open("b")
        box.say(other, offer(to: "a"))
        #expect(box.take(new) == [offered(by: "b", to: "a")])
        #expect(box.events.contains(.attached(new, id: "a", TestBox.lan, again: true)))
        // What still comes from the old one is nobody's.
        box.say(old, offer(to: "b"))
        #expect(box.take(other) == [open])
    }

    @Test func idOfAnEndedConnectionIsFree() {
        let box = TestBox()
        box.lose(box.open("a", token: "1"))
        #expect(box.take(box.open("a", token: "2")) == [open])
    }

    @Test func freshIDs() {
        let box = TestBox()
        let ids = (0..<100).map { _ in box.broker.freshPeerID() }
        #expect(Set(ids).count == 100)
        #expect(ids.allSatisfy { $0.utf8.count == 36 })
        // The next id that would come is held already.
        var generator = box.broker.generator
        let next = Identifiers.freshPeer(using: &generator)
        box.open(next)
        #expect(box.broker.freshPeerID() != next)
    }

    @Test func shutdown() {
        let box = TestBox()
        let plain = box.open("a")
        let member = box.join("m")
        box.input(.shutdown)
        #expect(box.closing(plain)?.code == .goingAway)
        #expect(box.closing(member)?.code == .goingAway)
        let late = box.open("b")
        #expect(box.closing(late)?.code == .goingAway)
        #expect(box.wake == nil)
    }
}

/// An id that two clients want.
@Suite struct ProbeTests {
    @Test func livingHolderKeepsTheID() {
        let box = TestBox()
        let holder = box.open("a", token: "1")
        let newcomer = box.open("a", token: "2")
        #expect(box.take(newcomer) == [idTaken])
        #expect(box.closing(newcomer)?.code == .policyViolation)
        #expect(box.isOpen(holder))
        #expect(box.sockets[holder]?.pings == 1)
        // The probe is over: its time does not close the holder.
        box.pass(.seconds(4))
        #expect(box.isOpen(holder))
    }

    @Test func deadHolderLosesTheIDWithinASecond() {
        let box = TestBox()
        let holder = box.open("a", token: "1", answersPings: false)
        let newcomer = box.open("a", token: "2")
        box.pass(.milliseconds(999))
        #expect(box.take(newcomer) == [])
        #expect(box.isOpen(holder))
        box.pass(.milliseconds(1))
        #expect(box.take(newcomer) == [open])
        #expect(box.closing(holder)?.code == .unresponsive)
        #expect(box.broker.peerIDs == ["a"])
        #expect(box.broker.snapshot.waiting == 0)
    }

    @Test func aMessageProvesLifeToo() {
        let box = TestBox()
        let holder = box.open("a", token: "1", answersPings: false)
        let newcomer = box.open("a", token: "2")
        box.pass(.milliseconds(500))
        box.say(holder, #"{"type":"HEARTBEAT"}"#)
        #expect(box.take(newcomer) == [idTaken])
        box.pass(.seconds(2))
        #expect(box.isOpen(holder))
    }

    @Test func holderThatLeavesMakesRoomAtOnce() {
        let box = TestBox()
        let holder = box.open("a", token: "1", answersPings: false)
        let newcomer = box.open("a", token: "2")
        box.lose(holder)
        #expect(box.take(newcomer) == [open])
    }

    @Test func holderThatComesBackKeepsTheID() {
        let box = TestBox()
        let holder = box.open("a", token: "1", answersPings: false)
        let newcomer = box.open("a", token: "2")
        let again = box.open("a", token: "1")
        #expect(box.take(again) == [open])
        #expect(box.take(newcomer) == [idTaken])
        #expect(box.closing(holder)?.code == .replaced)
    }

    /// PeerJS sends what it has as soon as its socket is open, before it hears OPEN.
    @Test func messagesWhileWaitingAreKept() {
        let box = TestBox()
        let other = box.open("b")
        box.open("a", token: "1", answersPings: false)
        let newcomer = box.open("a", token: "2")
        for number in 0..<20 { box.say(newcomer, offer(to: "b", "\(number)")) }
        #expect(box.take(other) == [open])
        box.pass(.seconds(1))
        #expect(box.take(newcomer) == [open])
        #expect(box.take(other) == (0..<16).map { offered(by: "a", to: "b", "\($0)") })
        #expect(box.drops(.notOpen) == 4)
    }

    @Test func severalNewcomers() {
        let box = TestBox()
        let holder = box.open("a", token: "1", answersPings: false)
        let first = box.open("a", token: "2")
        box.pass(.milliseconds(600))
        let second = box.open("a", token: "3")
        let third = box.open("a", token: "2")
        // One probe serves all.
        #expect(box.sockets[holder]?.pings == 1)
        box.pass(.milliseconds(400))
        // The first one gets the id, the second one probes it in vain, and the third one is the first one again.
        #expect(box.take(first) == [open])
        #expect(box.closing(first)?.code == .replaced)
        #expect(box.take(second) == [idTaken])
        #expect(box.take(third) == [open])
        #expect(box.broker.snapshot.plainClients == 1)
        #expect(box.broker.snapshot.waiting == 0)
        #expect(box.broker.waiting.isEmpty)
    }

    @Test func newcomerThatGivesUp() {
        let box = TestBox()
        box.open("a", token: "1", answersPings: false)
        let newcomer = box.open("a", token: "2")
        box.lose(newcomer)
        #expect(box.broker.waiting.isEmpty)
        box.pass(.seconds(2))
        #expect(box.take(newcomer) == [])
    }

    @Test func waitingIsLimited() {
        var limits = PeerBroker.Limits()
        limits.waiting = 2
        let box = TestBox(limits: limits)
        box.open("a", token: "1", answersPings: false)
        let waiting = (0..<3).map { box.open("a", token: "x\($0)") }
        #expect(box.take(waiting[2]) == [idTaken])
        #expect(box.isOpen(waiting[0]) && box.isOpen(waiting[1]))
    }
}

/// Signs of life.
@Suite struct LivenessTests {
    @Test func silentConnectionIsDead() {
        let box = TestBox()
        let connection = box.open("a", answersPings: false)
        box.pass(.milliseconds(11_999))
        #expect(box.isOpen(connection))
        #expect(box.sockets[connection]?.pings == 2)
        box.pass(.milliseconds(1))
        #expect(box.closing(connection)?.code == .unresponsive)
        #expect(box.broker.peerIDs.isEmpty)
        box.pass(.seconds(100))
        #expect(box.wake == nil)
    }

    @Test func pongsKeepAConnection() {
        let box = TestBox()
        let connection = box.open("a")
        box.pass(.seconds(89))
        #expect(box.isOpen(connection))
        #expect(box.sockets[connection]?.pings == 17)
        // PeerServer's own rule: whoever says nothing for 90 s is dropped, pongs or no pongs.
        box.pass(.seconds(1))
        #expect(box.closing(connection)?.code == .unresponsive)
    }

    @Test(arguments: [5, 25, 80])
    func heartbeatsKeepAClient(_ interval: Int) {
        let box = TestBox()
        let connection = box.open("a")
        for _ in 0..<(600 / interval) {
            box.pass(.seconds(interval))
            box.say(connection, #"{"type":"HEARTBEAT"}"#)
        }
        #expect(box.isOpen(connection))
        #expect(box.take(connection) == [open])
    }

    /// A client whose library answers no pings but that speaks is not dead.
    @Test func messagesKeepAConnectionWithoutPongs() {
        let box = TestBox()
        let connection = box.open("a", answersPings: false)
        for _ in 0..<20 {
            box.pass(.seconds(5))
            box.say(connection, #"{"type":"HEARTBEAT"}"#)
        }
        #expect(box.isOpen(connection))
    }

    /// After a stall of the box itself (a slow SD card) the timer may come before the pongs that wait to be read.
    @Test func stallOfTheBoxKillsNobody() {
        let box = TestBox()
        let living = box.open("a", answersPings: false)
        let dead = box.open("b", answersPings: false)
        box.pass(.seconds(6))
        #expect(box.sockets[living]?.pings == 1)
        let holder = box.open("c", token: "1", answersPings: false)
        let newcomer = box.open("c", token: "2")
        box.stall(.seconds(30))
        box.input(.timer)
        #expect(box.isOpen(living) && box.isOpen(dead) && box.isOpen(holder))
        box.input(.pong(living))
        box.input(.pong(holder))
        #expect(box.take(newcomer) == [idTaken])
        box.pass(.seconds(2))
        #expect(box.isOpen(living) && box.isOpen(holder))
        #expect(!box.isOpen(dead))
    }
}
