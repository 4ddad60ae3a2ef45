import Hub
import SansIO
import Testing

@Suite struct LimitTests {
    @Test func beyondTheLimitOfClientsOneIsToldSo() throws {
        var limits = Hub.Limits()
        limits.clients = 2
        var test = TestHub(limits: limits)
        let ada = try test.join("r", resumable: true)
        _ = try test.join("r")
        let third = test.open()
        let frame = try test.firstFrame(third)
        #expect(frame.t == "closed" && frame.reason == "full")
        #expect(test.closed[third] == .full)
        #expect(test.hub.snapshot.clients == 2)
        // Who is away makes room for who is there.
        test.close(ada.connection)
        let fourth = test.open()
        #expect(try test.firstFrame(fourth).id != nil)
        #expect(test.hub.snapshot.absent == 0)
    }

    @Test func aFullRoomRefusesButLetsItsOwnBack() throws {
        var limits = Hub.Limits()
        limits.members = 2
        var test = TestHub(limits: limits)
        let ada = try test.join("r", resumable: true)
        let bob = try test.join("r")
        let eve = test.open()
        _ = test.take(eve)
        test.send(#"{"t":"join","room":"r"}"#, on: eve)
        let refusal = try test.firstFrame(eve)
        #expect(refusal.t == "refused" && refusal.reason == "full")
        #expect(test.closed.isEmpty, "it is kept, and may join another room")
        test.send(#"{"t":"to","id":1,"payload":1}"#, on: eve)
        test.send(#"{"t":"to","id":3,"payload":1}"#, on: bob.connection)
        #expect(test.take(ada.connection).isEmpty && test.take(eve).isEmpty, "it is in no room")
        test.send(#"{"t":"peers"}"#, on: eve)
        #expect(test.take(eve) == [#"{"t":"peers","ids":[3]}"#])
        let back = test.resume(ada.token, room: "r", last: 0)
        #expect(try test.firstFrame(back).id == 1)
        #expect(test.closed == [ada.connection: .replaced])
    }

    @Test func thereAreOnlySoManyRooms() throws {
        var limits = Hub.Limits()
        limits.rooms = 2
        var test = TestHub(limits: limits)
        _ = try test.join("a")
        let b = try test.join("b")
        let eve = test.open()
        _ = test.take(eve)
        test.send(#"{"t":"join","room":"c"}"#, on: eve)
        #expect(try test.firstFrame(eve).reason == "full")
        test.close(b.connection)
        test.send(#"{"t":"join","room":"c"}"#, on: eve)
        #expect(test.take(eve).isEmpty, "an empty room is forgotten, and another may be opened")
        #expect(test.hub.snapshot.rooms == 2)
    }

    @Test func aNameThatIsTooLongIsMalformed() throws {
        var test = TestHub()
        let ada = test.open()
        _ = test.take(ada)
        test.send(#"{"t":"join","room":"\#(String(repeating: "é", count: 128))"}"#, on: ada)
        #expect(test.drops(.malformed) == 0)
        test.send(#"{"t":"join","room":"\#(String(repeating: "é", count: 128) + "x")"}"#, on: ada)
        #expect(test.drops(.malformed) == 1)
    }

    @Test func framesHaveALargestSizeInAndOut() throws {
        var test = TestHub()
        let ada = try test.join("r")
        func frame(_ head: String, _ size: Int) -> String {
            head + "\"" + String(repeating: "x", count: size - head.utf8.count - 3) + "\"}"
        }
        test.send(frame(#"{"t":"echo","x":"#, 262_144), on: ada.connection)
        #expect(test.take(ada.connection).first?.utf8.count == 262_144)
        test.send(frame(#"{"t":"echo","x":"#, 262_145), on: ada.connection)
        #expect(test.drops(.tooBig) == 1)
        // A frame `from` is longer than the frame `to`: what does not fit is dropped whole.
        test.send(frame(#"{"t":"to","id":1,"payload":"#, 262_144), on: ada.connection)
        #expect(test.drops(.tooBig) == 2)
        test.send(frame(#"{"t":"to","id":1,"payload":"#, 262_142), on: ada.connection)
        #expect(test.take(ada.connection).map(\.utf8.count) == [262_144])
    }

    @Test func aFloodIsDroppedThenClosedAndOthersGoOn() throws {
        var limits = Hub.Limits()
        limits.framesPerSecond = 100
        limits.frameBurst = 50
        limits.framesOverRate = 200
        var test = TestHub(limits: limits)
        let ada = try test.join("r")
        let eve = try test.join("r")
        for _ in 0..<49 { test.send(#"{"t":"to","id":1,"payload":1}"#, on: eve.connection) }
        #expect(test.take(ada.connection).count == 49)
        for _ in 0..<100 { test.send(#"{"t":"to","id":1,"payload":1}"#, on: eve.connection) }
        #expect(test.take(ada.connection).isEmpty)
        #expect(test.drops(.rate) == 100)
        test.pass(.seconds(1))
        test.send(#"{"t":"to","id":1,"payload":1}"#, on: eve.connection)
        #expect(test.take(ada.connection).count == 1, "after a while it may speak again")
        for _ in 0..<300 { test.send(#"{"t":"to","id":1,"payload":1}"#, on: eve.connection) }
        #expect(test.closed == [eve.connection: .flood])
        #expect(try test.lastFrame(eve.connection).reason == "flood")
        test.send(#"{"t":"peers"}"#, on: ada.connection)
        #expect(test.take(ada.connection).last == #"{"t":"peers","ids":[1]}"#)
    }

    @Test func aSlowReaderLosesWhatIsTooMuchAndIsClosedInTheEnd() throws {
        var limits = Hub.Limits()
        limits.slowReaderBytes = 1000
        var test = TestHub(limits: limits)
        let ada = try test.join("r")
        let bob = try test.join("r")
        test.handle(.writable(bob.connection, false))
        for _ in 0..<100 { test.send(#"{"t":"to","id":2,"payload":1}"#, on: ada.connection) }
        let size = #"{"t":"from","id":1,"payload":1}"#.utf8.count
        #expect(test.take(bob.connection).count == 1000 / size)
        #expect(test.drops(.slowReader) == UInt64(100 - 1000 / size))
        test.handle(.writable(bob.connection, true))
        test.send(#"{"t":"to","id":2,"payload":1}"#, on: ada.connection)
        #expect(test.take(bob.connection).count == 1)
        test.handle(.writable(bob.connection, false))
        test.pass(limits.slowReaderTime - .milliseconds(1))
        #expect(test.closed.isEmpty)
        test.pass(.milliseconds(1))
        #expect(test.closed == [bob.connection: .slowReader])
        #expect(test.hub.snapshot.clients == 1)
    }

    @Test func whatTheTransportRefusesIsNotLostToThoseWhoComeBack() throws {
        var test = TestHub()
        let ada = try test.join("r")
        let bob = try test.join("r", resumable: true)
        let eve = try test.join("r")
        for id in [2, 3] { test.send(#"{"t":"to","id":\#(id),"payload":1}"#, on: ada.connection) }
        _ = test.take(bob.connection)
        test.handle(.sendRefused(bob.connection))
        test.handle(.sendRefused(eve.connection))
        #expect(test.closed == [bob.connection: .slowReader])
        #expect(test.drops(.slowReader) == 2)
        let back = test.resume(bob.token, room: "r", last: 0)
        let frames = test.take(back)
        #expect(frames.count == 2 && frames.last == #"{"t":"from","id":1,"payload":1,"seq":1}"#, "\(frames)")
    }

    /// The newest were dropped, and the numbers of those that came afterwards went on as if nothing were missing.
    @Test func whatIsTooMuchForOneThatIsAwayShowsInTheNumbers() throws {
        var limits = Hub.Limits()
        limits.keptMessages = 10
        var test = TestHub(limits: limits)
        let ada = try test.join("r")
        let bob = try test.join("r", resumable: true)
        test.close(bob.connection)
        for number in 1...25 { test.send(#"{"t":"to","id":2,"payload":\#(number)}"#, on: ada.connection) }
        #expect(test.drops(.keptFull) == 15)
        let frames = test.take(test.resume(bob.token, room: "r", last: 0)).map { try? Frame($0) }
        #expect(frames.first??.next == 16, "15 are missing")
        #expect(frames.dropFirst().map { $0?.seq } == Array(16...25))
    }

    /// They were dropped one by one between others that arrived, and no number was missing.
    @Test func oneWhoCanComeBackDoesSoRatherThanMissSome() throws {
        var limits = Hub.Limits()
        limits.slowReaderBytes = 1000
        var test = TestHub(limits: limits)
        let ada = try test.join("r")
        let bob = try test.join("r", resumable: true)
        test.handle(.writable(bob.connection, false))
        for number in 1...100 { test.send(#"{"t":"to","id":2,"payload":\#(number)}"#, on: ada.connection) }
        let got = test.take(bob.connection)
        #expect(test.closed == [bob.connection: .slowReader] && test.drops(.slowReader) == 1)
        let last = got.count - 1
        #expect(try got.dropLast().map { try Frame($0).seq } == Array(1...last), "and the farewell")
        let frames = test.take(test.resume(bob.token, room: "r", last: last))
        #expect(try Frame(frames[0]).next == last + 1)
        #expect(try frames.dropFirst().map { try Frame($0).seq } == Array(last + 1...100))
    }

    /// A few clients that acknowledged nothing had all the room there was, and nothing was kept for others.
    @Test func whoKeepsAllThereIsLeavesOthersTheirShare() throws {
        var limits = Hub.Limits()
        limits.keptTotalBytes = 1000
        var test = TestHub(limits: limits)
        let eve = try test.join("e", resumable: true)
        for _ in 0..<100 { test.send(#"{"t":"to","id":1,"payload":"e"}"#, on: eve.connection) }
        #expect(test.hub.snapshot.keptBytes > 400)
        let ada = try test.join("r")
        let bob = try test.join("r", resumable: true)
        test.close(bob.connection)
        for number in 1...5 { test.send(#"{"t":"to","id":3,"payload":\#(number)}"#, on: ada.connection) }
        for _ in 0..<100 { test.send(#"{"t":"to","id":1,"payload":"e"}"#, on: eve.connection) }
        #expect(test.hub.snapshot.keptBytes <= 1000 && test.drops(.keptFull) == 0)
        let frames = test.take(test.resume(bob.token, room: "r", last: 0))
        #expect(try frames.dropFirst().map { try Frame($0).seq } == Array(1...5))
    }

    @Test func whatIsKeptIsBounded() throws {
        var limits = Hub.Limits()
        limits.keptBytes = 400
        limits.keptTotalBytes = 600
        var test = TestHub(limits: limits)
        let ada = try test.join("r")
        let one = try test.join("r", resumable: true)
        let two = try test.join("r", resumable: true)
        test.close(one.connection)
        test.close(two.connection)
        for _ in 0..<100 {
            test.send(#"{"t":"to","id":2,"payload":1}"#, on: ada.connection)
            test.send(#"{"t":"to","id":3,"payload":1}"#, on: ada.connection)
        }
        #expect(test.hub.snapshot.keptBytes <= 600 && test.hub.snapshot.keptBytes > 300)
        #expect(test.drops(.keptFull) > 150)
        test.pass(limits.absentTime)
        #expect(test.hub.snapshot.keptBytes == 0 && test.hub.snapshot.absent == 0)
    }
}
