import Credentials
import SansIO
import Testing

@testable import Hub

@Suite struct ResumeTests {
    private func payloads(_ frames: [String]) throws -> [Int] {
        try frames.map { try Frame($0) }.filter { $0.t == "from" }.map { try #require($0.object["payload"] as? Int) }
    }

    @Test func afterADropTheSameIdInTheSameRoomAndNothingLost() throws {
        var test = TestHub()
        let ada = try test.join("r")
        let bob = try test.join("r", resumable: true)
        func send(_ number: Int) { test.send(#"{"t":"to","id":2,"payload":\#(number)}"#, on: ada.connection) }
        for number in 1...5 { send(number) }
        let got = test.take(bob.connection)
        #expect(try payloads(got) == [1, 2, 3, 4, 5])
        #expect(try got.map { try Frame($0).seq } == [1, 2, 3, 4, 5])
        // Of these five, two were still on their way when the link broke.
        test.pass(.seconds(3))
        test.close(bob.connection)
        for number in 6...9 { send(number) }
        test.send(#"{"t":"peers"}"#, on: ada.connection)
        #expect(test.take(ada.connection).last == #"{"t":"peers","ids":[1,2]}"#, "its place is kept")
        test.pass(.seconds(10))
        let back = test.resume(bob.token, room: "r", last: 3)
        let frames = test.take(back)
        let answer = try Frame(#require(frames.first))
        #expect(answer.t == "id" && answer.id == 2 && answer.next == 4)
        #expect(try payloads(frames) == [4, 5, 6, 7, 8, 9], "once and in order")
        send(10)
        #expect(try payloads(test.take(back)) == [10])
        test.send(#"{"t":"peers"}"#, on: ada.connection)
        #expect(test.take(ada.connection).last == #"{"t":"peers","ids":[1,2]}"#, "its other id is gone")
        #expect(test.hub.snapshot.absent == 0)
    }

    @Test func theOldConnectionStillLooksAlive() throws {
        var test = TestHub()
        let ada = try test.join("r")
        let bob = try test.join("r", resumable: true)
        for number in 1...4 { test.send(#"{"t":"to","id":2,"payload":\#(number)}"#, on: ada.connection) }
        _ = test.take(bob.connection)
        let back = test.resume(bob.token, room: "r", last: 1)
        #expect(try payloads(test.take(back)) == [2, 3, 4])
        #expect(test.closed == [bob.connection: .replaced])
        #expect(try test.lastFrame(bob.connection).reason == "replaced")
        // The old connection's end, when it comes, is nothing to the new one.
        test.close(bob.connection)
        test.send(#"{"t":"to","id":1,"payload":"from the old one"}"#, on: bob.connection)
        test.send(#"{"t":"to","id":2,"payload":5}"#, on: ada.connection)
        #expect(try payloads(test.take(back)) == [5])
        #expect(test.take(ada.connection).isEmpty)
    }

    @Test func aPageThatWasReloadedKnowsNoNumber() throws {
        var test = TestHub()
        let ada = try test.join("r")
        let bob = try test.join("r", resumable: true)
        test.send(#"{"t":"to","id":2,"payload":1}"#, on: ada.connection)
        test.close(bob.connection)
        test.send(#"{"t":"to","id":2,"payload":2}"#, on: ada.connection)
        let back = test.resume(bob.token, room: "r")
        let frames = test.take(back)
        #expect(try payloads(frames) == [2], "what came while it was away, and nothing twice")
        #expect(try Frame(frames[0]).next == 2)
    }

    @Test func afterAReboot() throws {
        var test = TestHub()
        let ada = try test.join("r", resumable: true)
        let bob = try test.join("r", resumable: true)
        for number in 1...3 { test.send(#"{"t":"to","id":2,"payload":\#(number)}"#, on: ada.connection) }
        test.reboot()
        let newcomer = test.open()
        #expect(try (test.firstFrame(newcomer).id ?? 0) > 2, "no id that a token holds")
        let adaAgain = test.resume(ada.token, room: "r", last: 0)
        let bobAgain = test.resume(bob.token, room: "r", last: 3)
        #expect(try test.firstFrame(adaAgain).id == 1)
        let answer = try test.firstFrame(bobAgain)
        #expect(answer.id == 2 && answer.next == 5, "it is told that there may be a gap")
        test.send(#"{"t":"peers"}"#, on: bobAgain)
        #expect(test.take(bobAgain) == [#"{"t":"peers","ids":[1,2]}"#])
        test.send(#"{"t":"to","id":2,"payload":4}"#, on: adaAgain)
        #expect(try payloads(test.take(bobAgain)) == [4])
    }

    @Test func idsAreSetAsideBeforeTheyAreGivenOut() throws {
        var test = TestHub()
        for _ in 0..<3000 {
            let connection = test.open()
            let id = Int64(try #require(try test.firstFrame(connection).id))
            #expect(id <= test.reserved)
            test.close(connection)
        }
        // A box that has lost its count, but not its key, gives nobody the id of another either.
        var fresh = TestHub()
        let back = fresh.resume(TestHub.tokens.issue(id: 2000), room: "r")
        #expect(try fresh.firstFrame(back).id == 2000)
        let next = fresh.open()
        #expect(try (fresh.firstFrame(next).id ?? 0) == 2001)
        #expect(fresh.reserved > 2001)
    }

    @Test(arguments: ["", "x", "2", "2.", ".", "2.AAAAAAAAAAAAAAAAAAAAAA", "-1.x", "2.x.y"])
    func aTokenNobodyIssuedGivesNothing(token: String) throws {
        var test = TestHub()
        _ = try test.join("r")
        let bob = try test.join("r", resumable: true)
        let eve = test.resume(token, room: "r")
        #expect(try test.firstFrame(eve).id == 3)
        #expect(test.closed.isEmpty)
        test.send(#"{"t":"to","id":2,"payload":1}"#, on: eve)
        #expect(test.take(bob.connection).count == 1)
    }

    @Test func whatWasAcknowledgedIsNotKept() throws {
        var test = TestHub()
        let ada = try test.join("r")
        let bob = try test.join("r", resumable: true)
        for number in 1...100 {
            test.send(#"{"t":"to","id":2,"payload":\#(number)}"#, on: ada.connection)
            test.send(#"{"t":"ack","seq":\#(number)}"#, on: bob.connection)
        }
        #expect(test.hub.snapshot.keptBytes == 0)
        test.send(#"{"t":"ack","seq":9999999}"#, on: bob.connection)
        test.send(#"{"t":"to","id":2,"payload":101}"#, on: ada.connection)
        #expect(test.hub.snapshot.keptBytes > 0)
        test.close(bob.connection)
        let back = test.resume(bob.token, room: "r", last: 100)
        #expect(try payloads(test.take(back)) == [101])
    }

    @Test func whoNeverAcknowledgesIsToldOfAGap() throws {
        var limits = Hub.Limits()
        limits.keptMessages = 10
        var test = TestHub(limits: limits)
        let ada = try test.join("r")
        let bob = try test.join("r", resumable: true)
        for number in 1...30 { test.send(#"{"t":"to","id":2,"payload":\#(number)}"#, on: ada.connection) }
        test.close(bob.connection)
        let back = test.resume(bob.token, room: "r", last: 5)
        let frames = test.take(back)
        #expect(try Frame(frames[0]).next == 21)
        #expect(try payloads(frames) == Array(21...30))
    }

    /// Numbers began at 1 again. Who had got nothing yet was told of no gap after it was forgotten; nor was one that lost its link
    /// again before it was told, once as many messages had come as before: they were taken for the former ones.
    @Test func whoIsForgottenIsToldOfAGap() throws {
        var test = TestHub()
        let ada = try test.join("r")
        let bob = try test.join("r", resumable: true)
        test.close(bob.connection)
        test.send(#"{"t":"to","id":2,"payload":1}"#, on: ada.connection)
        test.pass(test.limits.absentTime)
        let back = test.resume(bob.token, room: "r", last: 0)
        #expect(try test.firstFrame(back).next == 2)
        for number in 2...4 { test.send(#"{"t":"to","id":2,"payload":\#(number)}"#, on: ada.connection) }
        #expect(try test.take(back).map { try Frame($0).seq } == [2, 3, 4])
        test.close(back)
        test.pass(test.limits.absentTime)
        let lost = test.resume(bob.token, room: "r", last: 4)
        for number in 5...8 { test.send(#"{"t":"to","id":2,"payload":\#(number)}"#, on: ada.connection) }
        test.close(lost)
        let frames = test.take(test.resume(bob.token, room: "r", last: 4))
        #expect(try Frame(frames[0]).next == 6)
        #expect(try payloads(frames) == [5, 6, 7, 8])
        // A number from which JavaScript can't count on is nobody's.
        test.reboot()
        let strange = test.resume(bob.token, room: "r", last: .max)
        #expect(try test.firstFrame(strange).next == 1)
    }

    /// The message for which a slow reader's connection had no room was taken for one that it had got.
    @Test func aPageThatWasTooSlowAndIsReloadedGetsWhatItWasNotSent() throws {
        var limits = Hub.Limits()
        limits.slowReaderBytes = 100
        var test = TestHub(limits: limits)
        let ada = try test.join("r")
        let bob = try test.join("r", resumable: true)
        test.handle(.writable(bob.connection, false))
        for number in 1...4 { test.send(#"{"t":"to","id":2,"payload":\#(number)}"#, on: ada.connection) }
        #expect(try payloads(test.take(bob.connection)) == [1, 2])
        #expect(try payloads(test.take(test.resume(bob.token, room: "r"))) == [3, 4])
    }

    @Test func whoDoesNotComeBackInTimeIsForgotten() throws {
        var test = TestHub()
        let ada = try test.join("r")
        let bob = try test.join("r", resumable: true)
        test.close(bob.connection)
        test.pass(test.limits.absentTime - .nanoseconds(1))
        #expect(test.hub.snapshot.absent == 1)
        test.pass(.nanoseconds(1))
        #expect(test.hub.snapshot.absent == 0)
        test.send(#"{"t":"peers"}"#, on: ada.connection)
        #expect(test.take(ada.connection) == [#"{"t":"peers","ids":[1]}"#])
        let back = test.resume(bob.token, room: "r", last: 0)
        #expect(try test.firstFrame(back).id == 2, "its id is its own all the same")
    }

    @Test func messagesOfOneRoomDoNotReachAnother() throws {
        var test = TestHub()
        let ada = try test.join("r")
        let bob = try test.join("r", resumable: true)
        test.close(bob.connection)
        test.send(#"{"t":"to","id":2,"payload":1}"#, on: ada.connection)
        let back = test.resume(bob.token, room: "s", last: 0)
        let frames = test.take(back)
        #expect(frames.count == 1)
        #expect(try Frame(frames[0]).id == 2)
        #expect(test.hub.snapshot.keptBytes == 0)
    }

    @Test func aRotationClosesTheOldRoomWithAReasonAndKeepsItClosed() throws {
        var test = TestHub()
        let ada = try test.join("secret-1")
        let bob = try test.join("secret-1", resumable: true)
        let other = try test.join("elsewhere")
        test.close(bob.connection)
        test.retire("secret-1")
        #expect(test.closed == [ada.connection: .rotated])
        let farewell = try test.lastFrame(ada.connection)
        #expect(farewell.t == "closed" && farewell.reason == "rotated")
        #expect((farewell.object["message"] as? String)?.contains("Scan the code") == true)
        #expect(test.hub.snapshot.absent == 0)
        test.send(#"{"t":"peers"}"#, on: other.connection)
        #expect(test.take(other.connection) == [#"{"t":"peers","ids":[3]}"#], "other rooms go on")
        for _ in 0..<2 {
            let back = test.resume(bob.token, room: "secret-1", last: 0)
            let refusal = try test.firstFrame(back)
            #expect(refusal.t == "refused" && refusal.reason == "rotated")
            test.send(#"{"t":"join","room":"secret-2"}"#, on: back)
            #expect(test.take(back).isEmpty)
            test.send(#"{"t":"peers"}"#, on: back)
            #expect(test.take(back).count == 1)
            test.reboot()
        }
    }

    /// Kibitz's page joins under the secret in small letters, without what its broker does not take. A rotation took no notice of
    /// that room: whoever was in it stayed, and the old link let everybody in.
    @Test func aRotationClosesTheRoomAsKibitzsPageNamesIt() throws {
        var test = TestHub()
        let ada = try test.join("ab-cd-9")
        let bob = try test.join("_aB__Cd-9-")
        let other = try test.join("ab-cd-8")
        test.retire("_aB__Cd-9-")
        #expect(test.closed == [ada.connection: .rotated, bob.connection: .rotated])
        for name in ["ab-cd-9", "_aB__Cd-9-"] {
            let late = test.resume(other.token, room: name, last: 0)
            #expect(try test.firstFrame(late).reason == "rotated")
            test.reboot()
        }
    }

    /// Cases of `normalizeRoom` in kibitz-chat/kibitz `transport.ts`.
    @Test(arguments: [
        ("", ""), ("plain", "plain"), ("Game Night!", "game-night"), ("--a--b--", "a-b"), ("_-_", ""),
        ("\u{C9}t\u{E9} 9", "t-9"), (String(repeating: "aB", count: 30), String(repeating: "ab", count: 20)),
        (String(repeating: "x", count: 39) + "-y", String(repeating: "x", count: 39) + "-"),
    ])
    func roomsAreNamedAsThePageDoes(_ name: String, _ expected: String) {
        #expect(RoomName.asPageSays(name) == expected)
    }
}
