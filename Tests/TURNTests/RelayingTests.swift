import STUN
import SansIO
import TURN
import Testing
import Wire

@Suite struct RelayingTests {
    private let laptop = TransportAddress(.laptop, port: 7000)

    @Test func indicationsGoBothWays() throws {
        let rig = Rig()
        let phone = Phone(rig)
        let relayed = try #require(try phone.allocate().relayed)
        try phone.permit(laptop)
        #expect(
            phone.sendIndication([1, 2, 3], to: laptop)
                == [Sent(source: .relay(relayed), destination: laptop, bytes: [1, 2, 3])])
        let sent = rig.sendFromPeer([4, 5], from: laptop, to: relayed)
        #expect(sent.count == 1 && sent[0].source == .server(.box) && sent[0].destination == phone.address)
        let indication = try Answer(sent[0].bytes)
        #expect(indication.messageClass == .indication && indication.method == .data)
        #expect(indication.peer == laptop && indication.data == [4, 5])
        // Another port of a permitted address is as welcome (RFC 8656 section 9).
        #expect(rig.sendFromPeer([4], from: TransportAddress(.laptop, port: 1), to: relayed).count == 1)
        #expect(phone.sendIndication([], to: laptop).first?.bytes == [], "empty datagrams are data too")
        #expect(rig.counters.packetsToPeers == 2 && rig.counters.octetsToPeers == 3)
        #expect(rig.counters.packetsToClients == 2 && rig.counters.octetsToClients == 3)
        #expect(rig.counters.packetsBetweenClients == 0)
    }

    @Test func channelsGoBothWays() throws {
        let rig = Rig()
        let phone = Phone(rig)
        let relayed = try #require(try phone.allocate().relayed)
        try phone.bind(0x4321, laptop)
        let expected = [Sent(source: .relay(relayed), destination: laptop, bytes: [1, 2, 3])]
        #expect(phone.sendChannelData(0x4321, [1, 2, 3]) == expected)
        #expect(phone.sendChannelData(0x4321, [1, 2, 3], padding: 1) == expected)
        #expect(
            rig.sendFromPeer([4, 5], from: laptop, to: relayed)
                == [Sent(source: .server(.box), destination: phone.address, bytes: channelData(0x4321, [4, 5]))])
        // Bound to one port; another one's data comes as an indication.
        let sent = rig.sendFromPeer([4], from: TransportAddress(.laptop, port: 1), to: relayed)
        #expect(try answer(sent).data == [4])
    }

    @Test func betweenTwoAllocationsOneDatagramComesAndOneGoes() throws {
        let rig = Rig()
        let anna = Phone(rig)
        let ben = Phone(rig, .otherPhone, username: "ben")
        try anna.allocate()
        try ben.allocate()
        let (annasRelay, bensRelay) = (try #require(anna.relayed), try #require(ben.relayed))
        try anna.bind(0x4000, bensRelay)
        #expect(anna.sendChannelData(0x4000, [1]).isEmpty, "Ben has not let Anna in yet")
        #expect(rig.refusals(.noPermission) == 1)

        try ben.permit(annasRelay)
        let asIndication = anna.sendChannelData(0x4000, [1])
        #expect(asIndication.count == 1 && asIndication[0].source == .server(.box))
        #expect(asIndication[0].destination == ben.address)
        let indication = try Answer(asIndication[0].bytes)
        #expect(indication.peer == annasRelay && indication.data == [1])

        try ben.bind(0x4abc, annasRelay)
        let expected = [Sent(source: .server(.box), destination: ben.address, bytes: channelData(0x4abc, [1, 2]))]
        #expect(anna.sendChannelData(0x4000, [1, 2]) == expected)
        #expect(anna.sendIndication([1, 2], to: bensRelay) == expected)
        #expect(
            ben.sendChannelData(0x4abc, [9])
                == [Sent(source: .server(.box), destination: anna.address, bytes: channelData(0x4000, [9]))])
        #expect(rig.counters.packetsBetweenClients == 4)
        #expect(rig.counters.packetsToPeers == 4 && rig.counters.packetsToClients == 4)

        try ben.request(.refresh) { $0.append(.lifetime, uint32: 0) }
        #expect(anna.sendChannelData(0x4000, [1]).isEmpty)
        #expect(rig.refusals(.peerIsOwnService) == 1)
    }

    @Test func anAllocationCanSendToItself() throws {
        let rig = Rig()
        let phone = Phone(rig)
        let relayed = try #require(try phone.allocate().relayed)
        try phone.bind(0x4000, relayed)
        #expect(phone.sendChannelData(0x4000, [1]).first?.bytes == channelData(0x4000, [1]))
    }

    @Test func theBoxItselfIsNoPeer() throws {
        let rig = Rig()
        let phone = Phone(rig)
        let relayed = try #require(try phone.allocate().relayed)
        try phone.permit(TransportAddress(.box, port: 50_050))
        #expect(rig.sendFromPeer([1], from: TransportAddress(.box, port: 50_050), to: relayed).isEmpty)
        #expect(rig.sendFromPeer([1], from: TransportAddress(.box, port: 22), to: relayed).isEmpty)
        #expect(rig.refusals(.peerIsOwnService) == 2)
    }

    @Test func dataWithoutAllocationChannelOrPermissionIsDropped() throws {
        let rig = Rig()
        let phone = Phone(rig)
        #expect(phone.sendChannelData(0x4000, [1]).isEmpty)
        #expect(phone.sendIndication([1], to: laptop).isEmpty)
        #expect(rig.refusals(.noAllocation) == 2)
        let relayed = try #require(try phone.allocate().relayed)
        #expect(phone.sendChannelData(0x4000, [1]).isEmpty)
        #expect(rig.refusals(.noChannel) == 1)
        #expect(phone.sendIndication([1], to: laptop).isEmpty)
        #expect(rig.sendFromPeer([1], from: laptop, to: relayed).isEmpty)
        #expect(rig.refusals(.noPermission) == 2)
        #expect(rig.sendFromPeer([1], from: laptop, to: TransportAddress(.box, port: 50_099)).isEmpty)
        #expect(rig.refusals(.noAllocation) == 3)
    }

    @Test func damagedDataIsDropped() throws {
        let rig = Rig()
        let phone = Phone(rig)
        try phone.allocate()
        try phone.bind(0x4000, laptop)
        let whole = channelData(0x4000, [1, 2, 3, 4])
        for length in 1..<whole.count { #expect(rig.send(Array(whole[..<length]), from: phone.address).isEmpty) }
        #expect(rig.refusals(.malformed) == 7)
        #expect(rig.send([], from: phone.address).isEmpty)
        #expect(rig.send([0x80, 1, 2, 3], from: phone.address).isEmpty)
        #expect(rig.refusals(.malformed) == 9)

        var noData = STUNWriter(.indication, .send, TransactionID(high: 1, low: 1))
        noData.append(.xorPeerAddress, xorAddress: laptop)
        #expect(rig.send(noData.finish().bytes, from: phone.address).isEmpty)
        var noPeer = STUNWriter(.indication, .send, TransactionID(high: 1, low: 1))
        noPeer.append(.data, bytes: [1])
        #expect(rig.send(noPeer.finish().bytes, from: phone.address).isEmpty)
        #expect(rig.refusals(.badRequest) == 2)
        var whole420 = STUNWriter(.indication, .send, TransactionID(high: 1, low: 1))
        whole420.append(.xorPeerAddress, xorAddress: laptop)
        whole420.append(.dontFragment)
        whole420.append(.data, bytes: [1])
        #expect(rig.send(whole420.finish().bytes, from: phone.address).isEmpty)
        #expect(rig.refusals(.unknownAttribute) == 1)
    }

    @Test func strangersGetNoAnswer() throws {
        let rig = Rig()
        let stranger = Phone(rig, .stranger)
        stranger.nonce = [1]
        #expect(
            rig.send(
                STUNWriter(.request, .binding, TransactionID(high: 1, low: 2)).finish().bytes, from: stranger.address
            ).isEmpty)
        #expect(rig.send(try stranger.message(.allocate), from: stranger.address).isEmpty)
        #expect(stranger.sendChannelData(0x4000, [1]).isEmpty)
        #expect(stranger.sendIndication([1], to: laptop).isEmpty)
        #expect(rig.refusals(.clientNotAllowed) == 4)
        #expect(
            rig.send(
                STUNWriter(.request, .binding, TransactionID(high: 1, low: 2)).finish().bytes,
                from: TransportAddress(.phone, port: 0)
            ).isEmpty)
    }

    @Test func whatNoServerTakesIsCounted() throws {
        let rig = Rig()
        let client = TransportAddress(.phone, port: 1)
        for (messageClass, method) in [
            (STUNClass.success, STUNMethod.binding), (.error, .allocate), (.indication, .data),
            (.indication, .allocate),
            (.request, .send), (.request, STUNMethod(rawValue: 0x0FF)),
        ] {
            let bytes = STUNWriter(messageClass, method, TransactionID(high: 1, low: 2)).finish().bytes
            #expect(rig.send(bytes, from: client).isEmpty)
        }
        #expect(rig.refusals(.unexpected) == 6)
    }

    @Test func changedNetworksActAtOnceAndBothWays() throws {
        let rig = Rig()
        let inside = IPNetwork(.v4(0x0A00_0000), prefixLength: 24)
        let phone = Phone(rig)
        let relayed = try #require(try phone.allocate().relayed)
        try phone.bind(0x4000, laptop)
        rig.change(networks: [IPNetwork(.v4(0x0A01_0000), prefixLength: 24)])
        #expect(phone.sendChannelData(0x4000, [1]).isEmpty)
        #expect(phone.sendIndication([1], to: laptop).isEmpty)
        #expect(rig.sendFromPeer([1], from: laptop, to: relayed).isEmpty)
        #expect(rig.send(try phone.message(.refresh), from: phone.address).isEmpty)
        #expect(rig.refusals(.clientNotAllowed) == 4)
        // Both served, and in different networks: the relay is no way from one into the other.
        rig.change(networks: [IPNetwork(.phone, prefixLength: 32), IPNetwork(laptop.address, prefixLength: 32)])
        #expect(phone.sendChannelData(0x4000, [1]).isEmpty, "the peer is in another network")
        #expect(rig.sendFromPeer([1], from: laptop, to: relayed).isEmpty)
        #expect(rig.refusals(.noPermission) == 2)
        rig.change(networks: [IPNetwork(.phone, prefixLength: 32)])
        #expect(phone.sendChannelData(0x4000, [1]).isEmpty, "the peer is no longer served")
        #expect(rig.refusals(.noPermission) == 3)
        rig.change(networks: [inside])
        #expect(phone.sendChannelData(0x4000, [1]).count == 1, "the allocation outlived a loose cable")
        rig.change(networks: [inside], localAddresses: [.box, .laptop])
        #expect(phone.sendChannelData(0x4000, [1]).isEmpty, "the peer's address became the box's")
    }

    @Test func challengesAreLimitedForEachAddress() throws {
        let rig = Rig { $0.limits.challengesPerAddress = 5 }
        let allocate = STUNWriter(.request, .allocate, TransactionID(high: 1, low: 2)).finish().bytes
        let client = TransportAddress(.phone, port: 1)
        let answered = (0..<20).reduce(0) { count, _ in count + rig.send(allocate, from: client).count }
        #expect(answered == 5 && rig.refusals(.rateLimited) == 15)
        #expect(rig.send(allocate, from: TransportAddress(.otherPhone, port: 1)).count == 1)
        rig.advance(.seconds(1))
        #expect(rig.send(allocate, from: client).count == 1)
        // Binding amplifies nothing and goes on.
        let binding = STUNWriter(.request, .binding, TransactionID(high: 1, low: 2)).finish().bytes
        #expect((0..<50).allSatisfy { _ in rig.send(binding, from: client).count == 1 })
    }

    @Test func challengesAreLimitedInOctetsAndAddresses() throws {
        let allocate = STUNWriter(.request, .allocate, TransactionID(high: 1, low: 2)).finish().bytes
        let size = try #require(Rig().send(allocate, from: TransportAddress(.phone, port: 1)).first).bytes.count
        #expect(size < 160)
        let octets = Rig { $0.limits.challengeOctets = Double(3 * size + 1) }
        let answered = (2..<20 as Range<UInt32>).reduce(0) {
            $0 + octets.send(allocate, from: TransportAddress(.v4(0x0A00_0000 + $1), port: 1)).count
        }
        #expect(answered == 3)

        let addresses = Rig {
            $0.limits.addressesCounted = 4
            $0.limits.challengesPerAddress = 2
        }
        let few = (2..<200 as Range<UInt32>).reduce(0) {
            $0 + addresses.send(allocate, from: TransportAddress(.v4(0x0A00_0000 + $1), port: 1)).count
        }
        #expect(few == 4 + 2, "those beyond the table share one allowance")
    }

    @Test func provenClientsAreNotLimited() throws {
        let rig = Rig { $0.limits.challengesPerAddress = 2 }
        let phone = Phone(rig)
        try phone.allocate()
        for _ in 0..<50 { #expect(try phone.request(.refresh).messageClass == .success) }
    }
}
