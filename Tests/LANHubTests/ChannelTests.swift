import DataChannel
import LANHub
import SansIO
import Testing
import WebRTCClient
import WebRTCDirect
import Wire

/// Who speaks on which channel, and how channels end.
@Suite struct ChannelTests {
    @Test func theLabelSaysWhoSpeaks() throws {
        let rig = try LANRig()
        let phone = try rig.dial("phone", from: 2, "hub", "room", "chess")
        #expect(phone.channels.count == 3 && phone.closed.isEmpty)
        #expect(phone.texts(phone.channels[0]).first?.hasPrefix(#"{"t":"id","id":1,"#) == true)
        #expect(rig.rooms.count == 1 && rig.events.contains(.roomOpened(rig.rooms[0], from: .v4(0xC0A8_0002))))
        rig.send("to the room", on: phone.channels[1], of: phone)
        #expect(rig.texts == ["to the room"])
        rig.sendToRoom("and back", on: rig.rooms[0])
        #expect(phone.texts(phone.channels[1]) == ["and back"])
        #expect(rig.hub.localAddress(of: rig.rooms[0]) == LANRig.boxAddress)
        // What the client does with a channel of its own is its affair: nobody answers, and it stays.
        rig.send("e4", on: phone.channels[2], of: phone)
        rig.run(for: .seconds(5))
        #expect(phone.texts(phone.channels[2]).isEmpty && phone.closed.isEmpty && rig.texts.count == 1)
    }

    @Test func whatIsSaidToAChannelThatIsGoneGoesNowhere() throws {
        let rig = try LANRig()
        let phone = try rig.dial("phone", from: 2, "room", "hub")
        let room = rig.rooms[0]
        rig.give(.closeChannel(phone.channels[0]), to: phone)
        rig.run(for: .milliseconds(100))
        #expect(rig.events.contains(.roomClosed(room)))
        rig.sendToRoom("late", on: room)
        rig.give(.closeRoom(room))
        #expect(rig.hub.localAddress(of: room) == nil && phone.texts(phone.channels[0]).isEmpty)
        // The phone closed it, so it stays with its other channel.
        rig.run(for: .seconds(10))
        #expect(rig.ends.isEmpty && !phone.isOver && phone.closed == [phone.channels[0]])
    }

    @Test func aPhoneHasSoManyChannels() throws {
        let rig = try LANRig()
        let limit = LANHub.Limits().channels
        let phone = try rig.dial("phone", from: 2, "hub")
        for number in 1..<limit { rig.open("own \(number)", on: phone) }
        #expect(phone.closed.isEmpty)
        rig.open("one too many", on: phone)
        #expect(phone.closed == phone.channels.suffix(1) && phone.channels.count == limit + 1)
        rig.run(for: .seconds(5))
        #expect(rig.ends.isEmpty, "the others stay")
    }

    /// Each is a client with an id, and leaves a place that is kept: without a limit one phone would have all places.
    @Test func aPhoneOpensOnlySoManyInATime() throws {
        let rig = try LANRig()
        let phone = try rig.dial("phone", from: 2, "hub")
        let burst = Int(LANHub.Limits().openingBurst)
        // The first one counts as well.
        for _ in 0..<(burst + 3) {
            rig.open("room", on: phone)
            rig.give(.closeChannel(try #require(phone.channels.last)), to: phone)
            rig.run(for: .milliseconds(10))
        }
        #expect(rig.rooms.count == burst - 1)
        rig.run(for: .seconds(1))
        rig.open("room", on: phone)
        #expect(rig.rooms.count == burst)
    }

    @Test func whoIsClosedByTheHubGoesWithItsLastChannel() throws {
        let rig = try LANRig()
        let phone = try rig.dial("phone", from: 2, "hub")
        rig.send(#"{"t":"join","room":"secret"}"#, on: phone.channels[0], of: phone)
        rig.give(.rotated(retired: "secret"))
        rig.run(for: .milliseconds(100))
        #expect(phone.texts(phone.channels[0]).last?.hasPrefix(#"{"t":"closed","reason":"rotated""#) == true)
        #expect(rig.ends == [.closed] && phone.isOver && rig.hub.snapshot.phones == 0)
    }

    /// A phone that read nothing kept 1.4 MB of what waited for it, for ever: its checks kept the connection alive, and the
    /// channel's end stood behind the rest.
    @Test func aChannelThatDoesNotEndInTimeEndsThePhone() throws {
        let rig = try LANRig()
        let phone = try rig.dial("phone", from: 2, "hub", "room")
        let other = try rig.dial("other", from: 3, "hub")
        phone.isUnplugged = true
        rig.give(.closeRoom(rig.rooms[0]))
        rig.run(for: .milliseconds(2_900))
        #expect(rig.ends.isEmpty)
        rig.run(for: .milliseconds(200))
        #expect(rig.ends == [.closed])
        #expect(rig.hub.snapshot.phones == 1 && !other.isOver)
    }

    /// Each closing stood in the list of those to look at until its time had come, however often one phone did it. Who closes in
    /// time stays, and is still watched for the next.
    @Test func onePhoneIsWatchedOnce() throws {
        let rig = try LANRig()
        let phone = try rig.dial("phone", from: 2, "own", "room")
        for number in 0..<8 {
            let room = try #require(rig.rooms.last)
            rig.give(.closeRoom(room))
            rig.run(for: .milliseconds(700))
            #expect(phone.closed.count == number + 1)
            rig.open("room", on: phone)
        }
        #expect(rig.ends.isEmpty && rig.rooms.count == 9)
        phone.isUnplugged = true
        rig.give(.closeRoom(rig.rooms[8]))
        rig.run(for: .milliseconds(3_100))
        #expect(rig.ends == [.closed], "3 s after the last one, whenever the first was")
    }

    // MARK: WebRTC Direct

    /// A frame as webrtc-direct writes it, in pieces.
    private func frame(_ length: Int) -> [UInt8] {
        [0, UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255)]
            + (0..<length).map { UInt8(truncatingIfNeeded: $0) }
    }

    @Test func theEchoGivesBackWhatComes() throws {
        let rig = try LANRig(hasEcho: true)
        let program = try rig.dialDirect()
        let bytes = frame(1000)
        rig.send(Array(bytes.prefix(3)), on: 0, of: program, .binary)
        rig.send(Array(bytes.dropFirst(3)), on: 0, of: program, .binary)
        #expect(program.messages[0]?.flatMap(\.self) == bytes && program.messages[0]?.count == 2)
    }

    @Test func aLengthThatNobodySendsEndsIt() throws {
        let rig = try LANRig(hasEcho: true)
        let program = try rig.dialDirect()
        rig.send([0, 0, 0, 0], on: 0, of: program, .binary)
        rig.run(for: .milliseconds(100))
        #expect(rig.ends == [.closed] && program.isOver)
    }
}
