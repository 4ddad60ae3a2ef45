import SansIO
import Testing
import Wire

@testable import PeerBroker

/// What becomes of messages.
@Suite struct RelayTests {
    @Test(arguments: ["OFFER", "ANSWER", "CANDIDATE", "LEAVE", "EXPIRE"])
    func isPassedOnWithItsSourceOverwritten(_ type: String) {
        let box = TestBox()
        let (a, b) = (box.open("a"), box.open("b"))
        box.takeAll()
        box.say(a, #"{"type":"\#(type)","src":"victim","dst":"b","payload":{"x":[1, 2]},"extra":null}"#)
        #expect(box.take(b) == [#"{"type":"\#(type)","src":"a","dst":"b","payload":{"x":[1, 2]},"extra":null}"#])
        #expect(box.take(a) == [])
        #expect(box.broker.snapshot.counters.framesRelayed == 1)
    }

    /// A second `src`, or one written with escapes, must not reach anybody as it came.
    @Test func sourceCannotBeForged() {
        let box = TestBox()
        let (a, b) = (box.open("a"), box.open("b"))
        box.takeAll()
        box.say(a, #"{"src":"v","type":"OFFER","dst":"b","src":"v","\u0073\u0072c":"v"}"#)
        #expect(box.take(b) == [#"{"src":"a","type":"OFFER","dst":"b","src":"a","\u0073\u0072c":"a"}"#])
    }

    /// Where `type` or `dst` come twice the last one counts, as for every reader of the message.
    @Test func lastOfSeveralCounts() {
        let box = TestBox()
        let (a, b, c) = (box.open("a"), box.open("b"), box.open("c"))
        box.takeAll()
        box.say(a, #"{"type":"HEARTBEAT","dst":"b","type":"OFFER","dst":"c"}"#)
        #expect(box.take(b) == [])
        #expect(box.take(c).count == 1)
    }

    @Test func idsThatNeedEscapes() {
        let box = TestBox()
        let (a, b) = (box.open("a\"\\\u{1}é"), box.open("b"))
        box.takeAll()
        box.say(a, offer(to: "b"))
        #expect(box.take(b) == [#"{"src":"a\"\\\u0001é","type":"OFFER","dst":"b","payload":1}"#])
        box.say(b, #"{"type":"ANSWER","dst":"a\u0022\\\u0001\u00e9"}"#)
        #expect(box.take(a) == [#"{"src":"b","type":"ANSWER","dst":"a\u0022\\\u0001\u00e9"}"#])
    }

    @Test func toOneself() {
        let box = TestBox()
        let a = box.open("a")
        box.takeAll()
        box.say(a, offer(to: "a"))
        #expect(box.take(a) == [offered(by: "a", to: "a")])
    }

    @Test func leaveWithoutDestinationRemovesTheSender() {
        for message in [#"{"type":"LEAVE"}"#, #"{"type":"LEAVE","dst":null}"#, #"{"type":"LEAVE","dst":""}"#] {
            let box = TestBox()
            let a = box.open("a", token: "1")
            box.say(a, message)
            #expect(box.broker.peerIDs.isEmpty)
            #expect(box.closing(a)?.code == .normal)
            #expect(box.take(box.open("a", token: "2")) == [open])
        }
    }

    @Test func leaveAndExpireAreNeverQueued() {
        let box = TestBox()
        let a = box.open("a")
        box.say(a, #"{"type":"LEAVE","dst":"b"}"#)
        box.say(a, #"{"type":"EXPIRE","dst":"b"}"#)
        #expect(box.broker.snapshot.queuedMessages == 0)
        #expect(box.drops(.absent) == 2)
        #expect(box.take(box.open("b")) == [open])
        box.pass(.seconds(10))
        #expect(box.take(a) == [open])
        #expect(box.broker.peerIDs.contains("a"))
    }

    @Test func unknownTypesAreIgnored() {
        let box = TestBox()
        let (a, b) = (box.open("a"), box.open("b"))
        box.takeAll()
        for type in ["OPEN", "ID-TAKEN", "ERROR", "ROOM", "ROTATED", "offer", "", "PRESENCE"] {
            box.say(a, #"{"type":"\#(type)","dst":"b","payload":{}}"#)
        }
        #expect(box.take(b) == [])
        #expect(box.drops(.unknownType) == 8)
        #expect(box.isOpen(a))
    }

    @Test(
        arguments: [
            "", " ", "x", "{", "[]", "1", "null", #""OFFER""#, "{}", #"{"type":1}"#, #"{"type":null}"#, #"{"dst":"b"}"#,
            #"{"type":"OFFER","dst":5}"#, #"{"type":"OFFER","dst":{}}"#, #"{"type":"OFFER","dst":["b"]}"#,
            #"{"type":"OFFER","dst":"b","payload":}"#, #"{"type":"OFFER","dst":"b"}}"#,
            "{\"type\":\"OFFER\",\"dst\":\"b\n\"}",
            #"{"type":"OFFER","dst":true}"#,
        ])
    func malformedMessagesAreDropped(_ text: String) {
        let box = TestBox()
        let (a, b) = (box.open("a"), box.open("b"))
        box.takeAll()
        box.say(a, text)
        #expect(box.drops(.malformed) == 1)
        #expect(box.isOpen(a))
        #expect(box.take(b) == [])
        // The connection goes on as if nothing had been.
        box.say(a, offer(to: "b"))
        #expect(box.take(b) == [offered(by: "a", to: "b")])
    }

    @Test func tornMessagesAreDropped() {
        let box = TestBox()
        let (a, b) = (box.open("a"), box.open("b"))
        box.takeAll()
        let message = Array(offer(to: "b", #"{"sdp":"v=0\r\n😀"}"#).utf8)
        for length in 0..<message.count {
            box.pass(.milliseconds(20))
            box.say(a, bytes: Array(message[..<length]))
        }
        #expect(box.drops(.malformed) == UInt64(message.count))
        #expect(box.take(b) == [])
        #expect(box.isOpen(a))
    }

    @Test func offerWithoutDestinationIsDropped() {
        let box = TestBox()
        let a = box.open("a")
        for message in [#"{"type":"OFFER"}"#, #"{"type":"ANSWER","dst":""}"#, #"{"type":"EXPIRE","dst":null}"#] {
            box.say(a, message)
        }
        #expect(box.drops(.noDestination) == 3)
        #expect(box.broker.snapshot.queuedMessages == 0)
    }

    @Test func binaryMessagesAreDropped() {
        let box = TestBox()
        let a = box.open("a")
        box.input(.binary(a))
        #expect(box.drops(.binary) == 1)
        #expect(box.isOpen(a))
    }

    @Test func heartbeatOfAPlainClientIsNotAnswered() {
        let box = TestBox()
        let a = box.open("a")
        box.say(a, #"{"type":"HEARTBEAT"}"#)
        #expect(box.take(a) == [open])
    }
}

/// Messages for those who are not there.
@Suite struct QueueTests {
    @Test func waitsForItsDestination() {
        let box = TestBox()
        let a = box.open("a")
        for number in 0..<3 { box.say(a, offer(to: "b", "\(number)")) }
        box.pass(.milliseconds(4999))
        let b = box.open("b")
        #expect(box.take(b) == [open] + (0..<3).map { offered(by: "a", to: "b", "\($0)") })
        box.pass(.seconds(10))
        // Nothing has expired.
        #expect(box.take(a) == [open])
        #expect(box.drops(.expired) == 0)
    }

    @Test func expiresOnceForEachPair() {
        let box = TestBox()
        let (a, c) = (box.open("a"), box.open("c"))
        box.takeAll()
        for _ in 0..<4 { box.say(a, offer(to: "b")) }
        box.say(a, offer(to: "d"))
        box.pass(.seconds(3))
        box.say(c, offer(to: "b"))
        box.say(a, offer(to: "b"))
        box.pass(.milliseconds(1999))
        #expect(box.take(a) == [])
        box.pass(.milliseconds(1))
        #expect(box.take(a) == [expire("b", to: "a"), expire("d", to: "a")])
        // Another sender's time began later.
        #expect(box.take(c) == [])
        let b = box.open("b")
        #expect(box.take(b) == [open, offered(by: "c", to: "b")])
        box.pass(.seconds(10))
        #expect(box.take(c) == [])
        #expect(box.drops(.expired) == 6)
        #expect(box.broker.snapshot.queuedMessages == 0)
        #expect(box.broker.snapshot.queuedBytes == 0)
        // A new message of the pair starts anew.
        box.lose(b)
        box.say(a, offer(to: "b"))
        box.pass(.seconds(5))
        #expect(box.take(a) == [expire("b", to: "a")])
    }

    @Test func senderThatIsGoneHearsNothing() {
        let box = TestBox()
        let a = box.open("a")
        box.say(a, offer(to: "b"))
        box.lose(a)
        box.pass(.seconds(5))
        #expect(box.drops(.expired) == 1)
        // A new client under the sender's id does not hear of it later either.
        #expect(box.take(box.open("a", token: "2")) == [open])
    }

    @Test func isLimitedInCountForEachDestination() {
        let box = TestBox()
        let (a, c) = (box.open("a"), box.open("c"))
        box.takeAll()
        for number in 0..<40 { box.say(a, offer(to: "b", "\(number)")) }
        #expect(box.broker.snapshot.queuedMessages == 32)
        #expect(box.drops(.queueFull) == 8)
        // The sender hears of it when its time is over; one who has nothing in the queue hears at once.
        #expect(box.take(a) == [])
        box.say(c, offer(to: "b"))
        #expect(box.take(c) == [expire("b", to: "c")])
        // Once: a sender that goes on used to hear it for each message.
        for _ in 0..<20 { box.say(c, offer(to: "b")) }
        #expect(box.take(c) == [])
        box.pass(.seconds(5))
        #expect(box.take(a) == [expire("b", to: "a")])
        #expect(box.take(c) == [])
        box.say(c, offer(to: "b"))
        #expect(box.broker.snapshot.queuedMessages == 1)
    }

    @Test func isLimitedInBytes() {
        var limits = PeerBroker.Limits()
        limits.queuedBytes = 1000
        limits.queuedTotalBytes = 1500
        let box = TestBox(limits: limits)
        let a = box.open("a")
        let big = "\"" + String(repeating: "x", count: 700) + "\""
        box.say(a, offer(to: "b", big))
        box.say(a, offer(to: "b", big))
        box.say(a, offer(to: "c", big))
        box.say(a, offer(to: "d", big))
        #expect(box.broker.snapshot.queuedMessages == 2)
        #expect(box.broker.snapshot.queuedBytes < 1500)
        #expect(box.drops(.queueFull) == 2)
    }

    @Test func isLimitedInDestinationsAndForEachSender() {
        var limits = PeerBroker.Limits()
        limits.queuedDestinations = 10
        limits.queuedMessagesPerSender = 6
        let box = TestBox(limits: limits)
        let (a, b, c) = (box.open("a"), box.open("b"), box.open("c"))
        for number in 0..<20 { box.say(a, offer(to: "x\(number)")) }
        #expect(box.broker.snapshot.queuedMessages == 6)
        for number in 0..<20 { box.say(b, offer(to: "y\(number)")) }
        // The table of destinations is full; a destination that is in it is not.
        #expect(box.broker.snapshot.queuedMessages == 10)
        box.say(c, offer(to: "x0"))
        #expect(box.broker.snapshot.queuedMessages == 11)
        box.pass(.seconds(5))
        #expect(box.broker.snapshot.queuedMessages == 0)
        for number in 0..<20 { box.say(a, offer(to: "x\(number)")) }
        #expect(box.broker.snapshot.queuedMessages == 6)
    }
}

/// Limits on what one connection does to the others.
@Suite struct FloodTests {
    @Test func messagesOverTheRateAreDropped() {
        let box = TestBox()
        let (a, b) = (box.open("a"), box.open("b"))
        box.takeAll()
        for _ in 0..<700 { box.say(a, offer(to: "b")) }
        #expect(box.take(b).count == 600)
        #expect(box.drops(.rate) == 100)
        #expect(box.isOpen(a))
        box.pass(.seconds(1))
        for _ in 0..<300 { box.say(a, offer(to: "b")) }
        #expect(box.take(b).count == 200)
    }

    @Test func bytesOverTheRateAreDropped() {
        let box = TestBox()
        let (a, b) = (box.open("a"), box.open("b"))
        box.takeAll()
        let big = offer(to: "b", "\"" + String(repeating: "x", count: 60_000) + "\"")
        for _ in 0..<50 { box.say(a, big) }
        #expect((33...35).contains(box.take(b).count))
        #expect(box.isOpen(a))
    }

    @Test func floodIsClosed() {
        let box = TestBox()
        let a = box.open("a")
        for _ in 0..<1600 { box.say(a, "x") }
        #expect(box.isOpen(a))
        box.say(a, "x")
        #expect(box.closing(a)?.code == .policyViolation)
        #expect(box.events.last == .detached(a, id: "a", .flood))
        // Binary messages count too.
        let b = box.open("b")
        for _ in 0..<1601 { box.input(.binary(b)) }
        #expect(box.closing(b)?.code == .policyViolation)
    }

    /// A message that gets through now and then, because its time has come, used to start the count of those over
    /// the rate anew, so that no flood was ever one.
    @Test func steadyFloodIsClosed() {
        let box = TestBox()
        let (half, twice) = (box.open("a"), box.open("b"))
        for _ in 0..<20 where box.isOpen(twice) {
            for number in 0..<1000 {
                box.pass(.milliseconds(1))
                if number % 4 == 0 { box.say(half, "x") }
                box.say(twice, "x")
            }
        }
        #expect(box.closing(twice)?.code == .policyViolation)
        // A little over the rate is dropped and no more.
        #expect(box.isOpen(half))
    }

    @Test func tooBigMessageIsClosed() {
        let box = TestBox()
        let (a, b) = (box.open("a"), box.open("b"))
        box.takeAll()
        let fits = offer(
            to: "b", "\"" + String(repeating: "x", count: 65_536 - offer(to: "b", "\"\"").utf8.count) + "\"")
        box.say(a, fits)
        #expect(box.take(b).count == 1)
        box.say(a, fits + " ")
        #expect(box.closing(a)?.code == .messageTooBig)
        #expect(box.take(b).isEmpty)
        #expect(box.drops(.tooBig) == 1)
    }

    @Test func slowReaderIsClosedAndTheSenderHearsLeave() {
        let box = TestBox()
        let (a, b) = (box.open("a"), box.open("b"))
        box.takeAll()
        box.input(.writable(b, false))
        let big = offer(to: "b", "\"" + String(repeating: "x", count: 60_000) + "\"")
        for _ in 0..<4 { box.say(a, big) }
        #expect(box.take(b).count == 4)
        #expect(box.isOpen(b))
        box.say(a, big)
        #expect(box.closing(b)?.code == .policyViolation)
        #expect(box.take(a) == [#"{"type":"LEAVE","src":"b","dst":"a"}"#])
        #expect(box.drops(.slowReader) == 1)
    }

    @Test func readerThatCatchesUpIsKept() {
        let box = TestBox()
        let (a, b) = (box.open("a"), box.open("b"))
        let big = offer(to: "b", "\"" + String(repeating: "x", count: 60_000) + "\"")
        for _ in 0..<20 {
            box.input(.writable(b, false))
            for _ in 0..<4 { box.say(a, big) }
            box.pass(.milliseconds(500))
            box.input(.writable(b, true))
        }
        #expect(box.isOpen(b))
    }

    @Test func readerThatStaysStuckIsClosed() {
        let box = TestBox()
        let b = box.open("b")
        box.input(.writable(b, false))
        box.pass(.seconds(5))
        // Said twice, it is still the same stop.
        box.input(.writable(b, false))
        box.pass(.milliseconds(4999))
        #expect(box.isOpen(b))
        box.pass(.milliseconds(1))
        #expect(box.closing(b)?.code == .policyViolation)
    }

    @Test func otherLimitsHoldAtOnce() {
        let box = TestBox()
        let a = box.open("a")
        var limits = PeerBroker.Limits()
        limits.frameBytes = 10
        box.input(.limits(limits))
        box.say(a, offer(to: "b"))
        #expect(box.closing(a)?.code == .messageTooBig)
    }
}
