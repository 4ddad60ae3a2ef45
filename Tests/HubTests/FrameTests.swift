import Hub
import SansIO
import TestSupport
import Testing

/// What the deployed client sees: compatibility with the hub of kibitz-offline v0.2.
@Suite struct FrameTests {
    @Test func idsCountUpFromOne() throws {
        var test = TestHub()
        for id in 1...3 {
            let connection = test.open()
            let frames = test.take(connection)
            #expect(frames.count == 1)
            #expect(frames[0].hasPrefix(#"{"t":"id","id":\#(id),"#), "\(frames)")
            #expect(try Frame(frames[0]).id == id)
        }
    }

    @Test func peersAreThoseOfTheSameRoomWithOneself() throws {
        var test = TestHub()
        let lobby = test.open()
        _ = test.take(lobby)
        let ada = try test.join("r")
        let bob = try test.join("r")
        _ = try test.join("other")
        test.send(#"{"t":"peers"}"#, on: ada.connection)
        #expect(test.take(ada.connection) == [#"{"t":"peers","ids":[2,3]}"#])
        test.send(#"{"t":"peers"}"#, on: lobby)
        #expect(test.take(lobby) == [#"{"t":"peers","ids":[1]}"#], "who never joined is in the room \"\"")
        test.close(bob.connection)
        test.send(#"{"t":"peers"}"#, on: ada.connection)
        #expect(test.take(ada.connection) == [#"{"t":"peers","ids":[2]}"#], "an older client that is gone is gone")
    }

    @Test(arguments: [
        #"{"a":[1, 2.50, "\u00e9é\n"], "b":null}"#, "1e400", "-0", "12345678901234567890123", "null", "true", #""""#,
        #""\ud800""#, "[]", #"{ "x" : {} , "x":1 }"#, #"[[[[["deep"]]]]]"#,
    ])
    func aPayloadPassesByteForByte(payload: String) throws {
        var test = TestHub()
        let ada = try test.join("r")
        let bob = try test.join("r")
        test.send(#"{"t":"to","id":\#(bob.id),"payload":\#(payload)}"#, on: ada.connection)
        #expect(test.take(bob.connection) == [#"{"t":"from","id":1,"payload":\#(payload)}"#])
        test.send(#" { "payload" : \#(payload) , "id" : \#(bob.id) , "more": [0], "t" : "to" } "#, on: ada.connection)
        #expect(test.take(bob.connection) == [#"{"t":"from","id":1,"payload":\#(payload)}"#])
        test.send(#"{"t":"echo","x":\#(payload)}"#, on: ada.connection)
        #expect(test.take(ada.connection) == [#"{"t":"echo","x":\#(payload)}"#])
    }

    @Test func whatIsLeftOutIsNull() throws {
        var test = TestHub()
        let ada = try test.join("r")
        let bob = try test.join("r")
        test.send(#"{"t":"to","id":2}"#, on: ada.connection)
        #expect(test.take(bob.connection) == [#"{"t":"from","id":1,"payload":null}"#])
        test.send(#"{"t":"echo"}"#, on: ada.connection)
        #expect(test.take(ada.connection) == [#"{"t":"echo","x":null}"#])
    }

    @Test func oneCanSendToOneself() throws {
        var test = TestHub()
        let ada = try test.join("r")
        test.send(#"{"t":"to","id":1,"payload":1}"#, on: ada.connection)
        #expect(test.take(ada.connection) == [#"{"t":"from","id":1,"payload":1}"#])
    }

    @Test func nothingPassesFromRoomToRoom() throws {
        var test = TestHub()
        let ada = try test.join("r")
        let eve = try test.join("s")
        test.send(#"{"t":"to","id":1,"payload":1}"#, on: eve.connection)
        test.send(#"{"t":"to","id":99,"payload":1}"#, on: eve.connection)
        #expect(test.take(ada.connection).isEmpty)
        #expect(test.take(eve.connection).isEmpty, "to nobody: nothing, not even an answer")
        #expect(test.drops(.absent) == 2)
        test.send(#"{"t":"join","room":"r"}"#, on: eve.connection)
        test.send(#"{"t":"to","id":1,"payload":1}"#, on: eve.connection)
        #expect(test.take(ada.connection).count == 1)
    }

    @Test(arguments: [
        "", " ", "{", "[]", "1", "null", #"{"t":1}"#, #"{"t":"to","id":"2","payload":1}"#, #"{"t":"to","payload":1}"#,
        #"{"t":"to","id":2.0,"payload":1}"#, #"{"t":"join","room":5}"#, #"{"t":"join"}"#, #"{"t":"join","room":null}"#,
        #"{"t":"join","room":"r","resume":7}"#,
        #"{"t":"to","id":2,"payload":}"#, #"{"t":"to","id":2,"payload":1}x"#, "\u{0}", #"{"t":"ack","seq":-1}"#,
        #"{"t":"ack"}"#, #"{"t":"to","id":2,"payload":[01]}"#,
    ])
    func whatIsMalformedIsDroppedAndTheConnectionKept(text: String) throws {
        var test = TestHub()
        let ada = try test.join("r")
        let bob = try test.join("r")
        test.send(text, on: ada.connection)
        #expect(test.drops(.malformed) == 1)
        #expect(test.take(bob.connection).isEmpty)
        test.send(#"{"t":"to","id":2,"payload":1}"#, on: ada.connection)
        #expect(test.take(bob.connection).count == 1)
    }

    @Test func aBinaryMessageIsDropped() throws {
        var test = TestHub()
        let ada = try test.join("r")
        test.handle(.binary(ada.connection))
        #expect(test.drops(.malformed) == 1)
        #expect(test.closed.isEmpty && test.take(ada.connection).isEmpty)
    }

    @Test func everyTruncationOfEveryFrameIsDropped() throws {
        var test = TestHub()
        let ada = try test.join("r", resumable: true)
        let frames = [
            #"{"t":"to","id":1,"payload":{"a":"é"}}"#, #"{"t":"peers"}"#, #"{"t":"echo","x":[1]}"#,
            #"{"t":"join","room":"r","resume":"\#(ada.token)","last":3}"#, #"{"t":"ack","seq":1}"#,
        ]
        var count: UInt64 = 0
        for frame in frames {
            let bytes = Array(frame.utf8)
            for length in 0..<bytes.count {
                let part = Array(bytes[..<length])
                test.handle(.frame(ada.connection, part.span.bytes))
                count += 1
            }
        }
        #expect(test.drops(.malformed) == count)
        #expect(test.take(ada.connection).isEmpty)
    }

    @Test func anUnknownKindIsDropped() throws {
        var test = TestHub()
        let ada = try test.join("r")
        test.send(#"{"t":"nonsense"}"#, on: ada.connection)
        #expect(test.drops(.unknownType) == 1)
        #expect(test.closed.isEmpty)
    }

    @Test func bytesAtRandomNeitherTrapNorClose() throws {
        var test = TestHub()
        let ada = try test.join("r", resumable: true)
        var generator = SeededGenerator(seed: 7)
        let alphabet = Array(#"{}[]",:\tidjonrespmcklaq0123456789-. "#.utf8) + [0, 0x80, 0xFF]
        for _ in 0..<5000 {
            let bytes = (0..<Int.random(in: 0..<60, using: &generator)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
            }
            test.handle(.frame(ada.connection, bytes.span.bytes))
        }
        #expect(test.closed.isEmpty)
        test.send(#"{"t":"peers"}"#, on: ada.connection)
        #expect(test.take(ada.connection).last == #"{"t":"peers","ids":[1]}"#)
    }
}
