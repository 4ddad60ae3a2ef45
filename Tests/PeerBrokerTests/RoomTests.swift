import Credentials
import SansIO
import Testing
import Wire

@testable import PeerBroker

/// Members of the room.
@Suite struct MemberTests {
    @Test func hearsOpenThenTheRoster() throws {
        let box = TestBox()
        let a = box.join("a")
        #expect(
            box.take(a) == [
                open,
                #"{"type":"ROOM","payload":{"generation":1,"you":"kl-a","people":[{"id":"kl-a","name":"","camera":false,"microphone":false,"away":false}]}}"#,
            ])
        box.pass(.milliseconds(200))
        let b = box.join("b")
        #expect(box.roster(b) == ["a", "b"])
        let roster = try #require(box.latestRoster(a))
        #expect(roster.names == ["a", "b"])
        #expect(roster.you == "kl-a")
        #expect(box.broker.peerIDs.isEmpty)
        #expect(box.broker.snapshot.people.map(\.id) == ["kl-a", "kl-b"])
        #expect(box.broker.snapshot.plainClients == 0)
    }

    @Test func needsATokenOfItsOwn() {
        let box = TestBox()
        let token = box.tokens.issue(SessionClaims(id: "kl-a", generation: 1))
        for (id, token) in [("kl-b", token), ("kl-a", "x"), ("kl-a", token + "x"), ("kl-", token)] {
            let connection = box.open(id, token: token)
            #expect(box.closing(connection) == .init(.forbidden, "forbidden"))
            let message = JSONText(Array((box.take(connection).first ?? "").utf8))
            #expect(message?.string("type") == "ERROR")
            #expect(box.sockets[connection]?.received.count == 0)
        }
        #expect(box.broker.snapshot.people.isEmpty)
        #expect(box.broker.snapshot.counters.refusals(.forbidden) == 4)
    }

    @Test func needsTheTokenOfThisGeneration() {
        let box = TestBox(generation: 2)
        let old = box.join("a", generation: 1)
        #expect(box.closing(old) == .init(.rotated, "rotated"))
        #expect(box.take(old).first?.contains(#""code":"rotated""#) == true)
        #expect(box.isOpen(box.join("a", generation: 2)))
    }

    @Test func roomHasAnEnd() {
        var limits = PeerBroker.Limits()
        limits.members = 2
        let box = TestBox(limits: limits)
        let a = box.join("a")
        box.join("b")
        let c = box.join("c")
        #expect(box.closing(c) == .init(.full, "full"))
        #expect(box.take(c).first?.contains(#""code":"full""#) == true)
        // Others are not of the room, and members come back to their own place.
        #expect(box.isOpen(box.open("x")))
        box.lose(a)
        #expect(box.closing(box.join("c"))?.code == .full)
        #expect(box.isOpen(box.join("a")))
    }

    @Test func heartbeatIsAnswered() {
        let box = TestBox()
        let a = box.join("a")
        box.takeAll()
        box.say(a, #"{"type":"HEARTBEAT"}"#)
        #expect(box.take(a) == [#"{"type":"HEARTBEAT"}"#])
    }

    @Test func signalsReachMembers() {
        let box = TestBox()
        let (a, b) = (box.join("a"), box.join("b"))
        box.takeAll()
        box.say(a, #"{"type":"CANDIDATE","dst":"kl-b","payload":{"restart":true}}"#)
        #expect(box.take(b) == [#"{"src":"kl-a","type":"CANDIDATE","dst":"kl-b","payload":{"restart":true}}"#])
    }

    /// The room is closed to those who have not its secret, in both directions.
    @Test func membersAndOthersDoNotHearEachOther() {
        let box = TestBox()
        let (member, plain) = (box.join("a"), box.open("x"))
        box.takeAll()
        box.say(plain, offer(to: "kl-a"))
        box.say(plain, #"{"type":"LEAVE","dst":"kl-a"}"#)
        box.say(member, offer(to: "x"))
        // The same answer whether there is such a member or not.
        box.say(plain, offer(to: "kl-nobody"))
        #expect(box.take(plain) == [expire("kl-a", to: "x"), expire("kl-nobody", to: "x")])
        #expect(box.take(member) == [expire("x", to: "kl-a")])
        #expect(box.drops(.forbidden) == 4)
        #expect(box.broker.snapshot.queuedMessages == 0)
    }
}

/// What members say of themselves.
@Suite struct PresenceTests {
    private func presence(_ payload: String) -> String { #"{"type":"PRESENCE","payload":\#(payload)}"# }

    @Test func reachesTheOthers() throws {
        let box = TestBox()
        let (a, b) = (box.join("a"), box.join("b"))
        box.pass(.seconds(1))
        box.takeAll()
        box.say(
            a,
            presence(#"{"name":" Ada ","camera":true,"microphone":false,"links":{"total":3,"healthy":2,"relayed":1}}"#))
        let roster = try #require(box.latestRoster(b))
        #expect(roster.people[0].name == "Ada")
        #expect(roster.people[0].camera == true)
        #expect(roster.people[0].microphone == false)
        #expect(box.take(a).count == 1)
        let person = try #require(box.broker.snapshot.people.first)
        #expect(person.links == .init(total: 3, healthy: 2, relayed: 1))
        #expect(person.address == TestBox.lan)
        // Links are no news to the others, and neither is the same again.
        box.pass(.seconds(1))
        box.takeAll()
        box.say(a, presence(#"{"name":"Ada","links":{"total":4}}"#))
        box.pass(.seconds(1))
        #expect(box.take(b) == [])
        #expect(box.broker.snapshot.people.first?.links == .init(total: 4))
        #expect(box.broker.snapshot.people.first?.camera == true)
    }

    @Test func nonsenseChangesNothing() {
        let box = TestBox()
        let a = box.join("a")
        box.say(a, presence(#"{"name":"Ada","camera":true}"#))
        for payload in [
            "{}", #"{"name":5,"camera":"yes","microphone":null}"#,
            #"{"links":{"total":-5,"healthy":1e99,"relayed":"x"}}"#,
            #"{"links":[1]}"#, #"{"links":{"total":99999999999999999999}}"#,
        ] {
            box.say(a, presence(payload))
        }
        let person = box.broker.snapshot.people.first
        #expect(person?.name == "Ada")
        #expect(person?.camera == true)
        #expect(person?.links == .init())
        for payload in ["1", "null", "[]", "\"x\""] { box.say(a, presence(payload)) }
        box.say(a, #"{"type":"PRESENCE"}"#)
        #expect(box.drops(.malformed) == 5)
    }

    @Test(
        arguments: [
            ("Ada", "Ada"), ("  Ada \u{A0}", "Ada"), ("A\u{0}d\u{7}a\n", "Ada"), ("\u{202E}adA\u{200F}", "adA"),
            ("👩‍👩‍👧", "👩‍👩‍👧"), ("\u{E000}x", "x"), ("", ""), (" \t ", ""),
            (String(repeating: "x", count: 100), String(repeating: "x", count: 64)),
            // Cut at the end of a character, never inside one.
            (String(repeating: "x", count: 62) + "é€", String(repeating: "x", count: 62) + "é"),
            (String(repeating: "x", count: 62) + "€", String(repeating: "x", count: 62)),
            ("a" + String(repeating: "\u{301}", count: 60_000), ""),
        ])
    func namesAreCleaned(_ text: String, _ expected: String) {
        #expect(Room.displayName(text, limit: 64) == expected)
    }

    @Test func changesGoOutTogether() {
        let box = TestBox()
        let (a, b) = (box.join("a"), box.join("b"))
        box.pass(.seconds(1))
        box.takeAll()
        for number in 0..<50 { box.say(a, presence(#"{"name":"\#(number)"}"#)) }
        #expect(box.take(b).count == 1)
        box.pass(.milliseconds(99))
        #expect(box.take(b).count == 0)
        box.pass(.milliseconds(1))
        let messages = box.take(b)
        #expect(messages.count == 1)
        #expect(messages.first.flatMap { Roster($0)?.people.first?.name } == "49")
    }
}

/// A member's lost connection.
@Suite struct AwayTests {
    @Test func isAwayThenGone() {
        let box = TestBox()
        let (a, b) = (box.join("a"), box.join("b"))
        box.pass(.seconds(1))
        box.lose(b)
        #expect(box.roster(a) == ["a", "b(away)"])
        for _ in 0..<11 {
            box.pass(.seconds(10))
            box.say(a, #"{"type":"HEARTBEAT"}"#)
        }
        box.pass(.milliseconds(9999))
        #expect(box.roster(a) == ["a", "b(away)"])
        box.pass(.milliseconds(1))
        #expect(box.roster(a) == ["a"])
        #expect(box.events.contains(.left(id: "kl-b")))
    }

    @Test func comesBackUnderTheSameName() {
        let box = TestBox()
        let (a, b) = (box.join("a"), box.join("b"))
        box.say(b, #"{"type":"PRESENCE","payload":{"name":"Bob","camera":true}}"#)
        box.pass(.seconds(1))
        box.lose(b)
        box.pass(.seconds(30))
        let again = box.join("b", from: .v4(0x0A00_0007))
        #expect(box.roster(again) == ["a", "b"])
        box.pass(.milliseconds(100))
        #expect(box.roster(a) == ["a", "b"])
        #expect(box.broker.snapshot.people.last?.name == "Bob")
        #expect(box.broker.snapshot.people.last?.address == .v4(0x0A00_0007))
        // The end of its time away, set when it was lost, means nothing now.
        for _ in 0..<20 {
            box.pass(.seconds(10))
            box.say(again, #"{"type":"HEARTBEAT"}"#)
        }
        #expect(box.roster(again)?.contains("b") == true)
    }

    /// A page reload: the new socket is there before the old one is known to be lost.
    @Test func reloadIsNoNews() {
        let box = TestBox()
        let (a, b) = (box.join("a"), box.join("b"))
        box.pass(.seconds(1))
        box.takeAll()
        let again = box.join("b")
        #expect(box.closing(b) == .init(.replaced, "replaced"))
        #expect(box.take(again).first == open)
        box.lose(b)
        box.pass(.seconds(1))
        #expect(box.take(a) == [])
    }

    @Test func messagesWaitForTheOneAway() {
        let box = TestBox()
        let (a, b) = (box.join("a"), box.join("b"))
        box.lose(b)
        box.say(a, offer(to: "kl-b"))
        box.pass(.seconds(3))
        let again = box.join("b")
        let messages = box.take(again)
        #expect(messages.count == 3)
        #expect(messages.first == open)
        // The roster stands before what has waited, so that the page knows the sender.
        #expect(Roster(messages[1])?.names == ["a", "b"])
        #expect(messages.last == offered(by: "kl-a", to: "kl-b"))
    }

    @Test func leaveRemovesAtOnce() {
        let box = TestBox()
        let (a, b) = (box.join("a"), box.join("b"))
        box.pass(.seconds(1))
        box.say(b, #"{"type":"LEAVE"}"#)
        #expect(box.roster(a) == ["a"])
        #expect(box.closing(b)?.code == .normal)
        #expect(box.broker.snapshot.people.count == 1)
    }

    @Test func deadMemberIsAwayInTwelveSeconds() {
        let box = TestBox()
        let a = box.join("a")
        let b = box.join("b", answersPings: false)
        box.pass(.seconds(12))
        #expect(box.closing(b)?.code == .unresponsive)
        #expect(box.roster(a) == ["a", "b(away)"])
    }
}

/// Rotation of the room's credentials.
@Suite struct RotationTests {
    @Test func sendsEveryoneOut() {
        let box = TestBox()
        let (member, plain) = (box.join("a"), box.open("x", token: "1", answersPings: false))
        let waiting = box.open("x", token: "2")
        box.lose(box.join("away"))
        box.say(member, offer(to: "kl-nobody"))
        box.takeAll()
        box.input(.rotated(generation: 2))
        #expect(
            box.take(member) == [
                #"{"type":"ROTATED","payload":{"msg":"The codes of this room were changed. Scan the new code on the box to come back."}}"#
            ])
        for connection in [member, plain, waiting] { #expect(box.closing(connection) == .init(.rotated, "rotated")) }
        #expect(box.take(plain) == [])
        let snapshot = box.broker.snapshot
        #expect(snapshot.generation == 2)
        #expect(snapshot.people.isEmpty)
        #expect(snapshot.plainClients == 0 && snapshot.waiting == 0 && snapshot.queuedMessages == 0)
        #expect(box.closing(box.join("a", generation: 1)) == .init(.rotated, "rotated"))
        let back = box.join("a", generation: 2)
        #expect(box.roster(back) == ["a"])
        #expect(box.isOpen(box.open("x", token: "3")))
    }

    @Test func toTheSameGenerationIsNothing() {
        let box = TestBox()
        let a = box.join("a")
        box.input(.rotated(generation: 1))
        #expect(box.isOpen(a))
    }

    @Test func plainClientsKeepNoMemberOut() {
        var limits = PeerBroker.Limits()
        limits.connections = 1
        let crowded = TestBox(limits: limits)
        #expect(crowded.closing(crowded.open("plain")) == nil)
        #expect(crowded.closing(crowded.open("other"))?.code == .tryAgainLater)
        #expect(crowded.closing(crowded.join("a")) == nil)

        limits.admitsPlainClients = false
        let closed = TestBox(limits: limits)
        #expect(closed.closing(closed.open("plain")) == .init(.forbidden, "forbidden"))
        #expect(closed.closing(closed.join("a")) == nil)
    }
}
