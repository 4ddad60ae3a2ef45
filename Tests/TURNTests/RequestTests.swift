import STUN
import SansIO
import TURN
import TestSupport
import Testing
import Wire

@Suite struct RequestTests {
    private let laptop = TransportAddress(.laptop, port: 7000)

    @Test func bindingIsAnswered() throws {
        let rig = Rig()
        let client = TransportAddress(.phone, port: 4321)
        var writer = STUNWriter(.request, .binding, TransactionID(high: 1, low: 2))
        #expect(try answer(rig.send(writer.bytes.map { $0 }, from: client)).mapped == client)
        writer.appendFingerprint()
        #expect(try answer(rig.send(writer.finish().bytes, from: client)).hasFingerprint)
        #expect(rig.counters.bindings == 2)
        #expect(
            rig.send(STUNWriter(.indication, .binding, TransactionID(high: 1, low: 2)).finish().bytes, from: client)
                .isEmpty)
    }

    @Test func bindingWithAnAttributeThatMustBeKnownIsRefused() throws {
        let rig = Rig()
        var writer = STUNWriter(.request, .binding, TransactionID(high: 1, low: 2))
        writer.append(STUNAttributeType(rawValue: 0x0003), uint32: 6)
        let sent = rig.send(writer.finish().bytes, from: TransportAddress(.phone, port: 1))
        let answer = try answer(sent)
        #expect(answer.error == .unknownAttribute && answer.unknown == [STUNAttributeType(rawValue: 0x0003)])
        #expect(rig.counters.bindings == 0)
    }

    @Test func withoutRelayingOnlyBindingIsAnswered() throws {
        let rig = Rig { $0.relays = false }
        let phone = Phone(rig)
        #expect(rig.send(try phone.message(.allocate), from: phone.address).isEmpty)
        #expect(rig.refusals(.unexpected) == 1)
        let binding = STUNWriter(.request, .binding, TransactionID(high: 1, low: 2)).finish().bytes
        #expect(rig.send(binding, from: phone.address).count == 1)
    }

    @Test func refreshProlongsAndEnds() throws {
        let rig = Rig()
        let phone = Phone(rig)
        try phone.allocate()
        rig.advance(.seconds(599))
        #expect(try phone.request(.refresh).lifetime == 600)
        rig.advance(.seconds(599))
        #expect(rig.allocationCount == 1)
        #expect(try phone.request(.refresh) { $0.append(.lifetime, uint32: 1200) }.lifetime == 1200)
        #expect(try phone.request(.refresh) { $0.append(.lifetime, bytes: [1]) }.error == .badRequest)
        rig.advance(.seconds(1199))
        #expect(rig.allocationCount == 1)
        let ended = try phone.request(.refresh) { $0.append(.lifetime, uint32: 0) }
        #expect(ended.messageClass == .success && ended.lifetime == 0 && ended.isIntact)
        #expect(rig.allocationCount == 0 && rig.relays.isEmpty)
        #expect(try phone.request(.refresh) { $0.append(.lifetime, uint32: 0) }.error == .allocationMismatch)
        phone.nonce = []
        #expect(try phone.allocate().messageClass == .success)
    }

    @Test func requestsWithoutAnAllocationAreAMismatch() throws {
        let rig = Rig()
        let phone = Phone(rig)
        try phone.challenge()
        #expect(try phone.request(.refresh).error == .allocationMismatch)
        #expect(try phone.permit(laptop).error == .allocationMismatch)
        #expect(try phone.bind(0x4000, laptop).error == .allocationMismatch)
        #expect(rig.refusals(.allocationMismatch) == 3)
    }

    @Test func anotherUserCannotTouchAnAllocation() throws {
        let rig = Rig()
        let phone = Phone(rig)
        try phone.allocate()
        let thief = Phone(rig, username: "ben")
        thief.nonce = phone.nonce
        #expect(try thief.request(.refresh).error == .wrongCredentials)
        #expect(try thief.permit(laptop).error == .wrongCredentials)
        #expect(try thief.bind(0x4000, laptop).error == .wrongCredentials)
        #expect(try thief.allocate().error == .allocationMismatch)
        #expect(rig.refusals(.wrongCredentials) == 3)
    }

    @Test func aNameThatExpiresCutsNoCall() throws {
        let names = Names()
        var configuration = TURNConfiguration(
            realm: "box", networks: [IPNetwork(.v4(0x0A00_0000), prefixLength: 24)], localAddresses: [.box])
        configuration.relayPorts = 50_000...50_010
        var server = TURNServer(configuration: configuration, generator: SeededGenerator(seed: 1)) {
            names.isExpired ? nil : Rig.passwords[$0]
        }
        var output = TURNOutput()
        func exchange(_ bytes: [UInt8], port: UInt16) throws -> Answer {
            output.removeAll()
            let client = TransportAddress(.phone, port: port)
            _ = server.handle(.datagram(bytes.span.bytes, client: client, server: .box), at: .zero, into: &output)
            if case .open(let relay) = output.commands.first {
                _ = server.handle(.relayOpened(relay), at: .zero, into: &output)
            }
            return try Answer(output.written.bytes)
        }
        let phone = Phone(Rig())
        func allocation() throws -> [UInt8] {
            try phone.message(.allocate) { $0.append(.requestedTransport, bytes: [17, 0, 0, 0]) }
        }
        phone.nonce = try #require(
            try exchange(STUNWriter(.request, .allocate, TransactionID(high: 1, low: 2)).finish().bytes, port: 1).nonce)
        #expect(try exchange(try allocation(), port: 1).error == nil)
        names.isExpired = true
        #expect(try exchange(try phone.message(.refresh), port: 1).messageClass == .success)
        #expect(try exchange(try allocation(), port: 2).error == .unauthenticated)
    }

    /// Passwords that can expire in the middle of a test.
    private final class Names: @unchecked Sendable {
        var isExpired = false
    }

    @Test func permissionsAreForAllPeersOrNone() throws {
        let rig = Rig()
        let phone = Phone(rig)
        try phone.allocate()
        #expect(try phone.request(.createPermission).error == .badRequest)
        let stranger = TransportAddress(.stranger, port: 53)
        #expect(try phone.permit(laptop, stranger).error == .forbidden)
        #expect(phone.sendIndication([1], to: laptop).isEmpty)
        #expect(try phone.permit(laptop, TransportAddress(.otherPhone, port: 1)).messageClass == .success)
        #expect(phone.sendIndication([1], to: laptop).count == 1)
        var damaged = STUNWriter(.request, .createPermission, TransactionID(high: 1, low: 1))
        damaged.append(.xorPeerAddress, bytes: [0, 1, 2])
        #expect(
            try phone.request(.createPermission) { $0.append(.xorPeerAddress, bytes: [0, 1, 2]) }.error == .badRequest)
    }

    @Test(arguments: [
        IPAddress.stranger, .v4(0x0A00_0100), .v4(0x0A00_00FF), .v4(0xE000_0001), .v4(0xFFFF_FFFF), .v4(0),
    ])
    func peersOutsideTheNetworksAreForbidden(peer: IPAddress) throws {
        let rig = Rig()
        let phone = Phone(rig)
        try phone.allocate()
        #expect(try phone.permit(TransportAddress(peer, port: 53)).error == .forbidden)
        #expect(try phone.bind(0x4000, TransportAddress(peer, port: 53)).error == .forbidden)
        #expect(rig.refusals(.peerNotAllowed) == 2)
    }

    @Test(arguments: [IPAddress.box, .v4(0x7F00_0001), .v4(0x7F01_0203)])
    func theBoxsOwnServicesAreForbidden(peer: IPAddress) throws {
        let rig = Rig { $0.networks.append(IPNetwork(.v4(0x7F00_0000), prefixLength: 8)) }
        let phone = Phone(rig)
        try phone.allocate()
        for port in [22, 80, 3478] as [UInt16] {
            #expect(try phone.permit(TransportAddress(peer, port: port)).error == .forbidden)
            #expect(try phone.bind(0x4000, TransportAddress(peer, port: port)).error == .forbidden)
        }
        #expect(rig.refusals(.peerIsOwnService) == 6)
        // A permission for another allocation's address does not open the other ports of that address.
        #expect(try phone.permit(TransportAddress(peer, port: 50_001)).messageClass == .success)
        #expect(phone.sendIndication([1], to: TransportAddress(peer, port: 22)).isEmpty)
        #expect(phone.sendIndication([1], to: TransportAddress(peer, port: 50_001)).isEmpty, "nobody is there")
        #expect(rig.refusals(.peerIsOwnService) == 8)
    }

    @Test func aPermissionLastsFiveMinutes() throws {
        let rig = Rig()
        let phone = Phone(rig)
        try phone.allocate { $0.append(.lifetime, uint32: 3600) }
        let relayed = try #require(phone.relayed)
        try phone.permit(laptop)
        rig.advance(.seconds(299))
        #expect(phone.sendIndication([1], to: laptop).count == 1)
        #expect(rig.sendFromPeer([1], from: laptop, to: relayed).count == 1)
        rig.advance(.seconds(1))
        #expect(phone.sendIndication([1], to: laptop).isEmpty)
        #expect(rig.sendFromPeer([1], from: laptop, to: relayed).isEmpty)
        #expect(rig.refusals(.noPermission) == 2)
        try phone.permit(laptop)
        rig.advance(.seconds(200))
        try phone.permit(laptop)
        rig.advance(.seconds(200))
        #expect(phone.sendIndication([1], to: laptop).count == 1, "renewed in time it lasts five minutes more")
    }

    @Test func permissionsAreLimited() throws {
        let rig = Rig { $0.limits.permissionsPerAllocation = 2 }
        let phone = Phone(rig)
        try phone.allocate()
        func peer(_ number: UInt32) -> TransportAddress { TransportAddress(.v4(0x0A00_0010 + number), port: 1) }
        #expect(try phone.permit(peer(0), peer(1), peer(2)).error == .insufficientCapacity)
        #expect(try phone.permit(peer(0), peer(1)).error == nil)
        #expect(try phone.permit(peer(1), peer(0)).error == nil, "renewing takes no new place")
        #expect(try phone.permit(peer(2)).error == .insufficientCapacity)
        #expect(try phone.bind(0x4000, peer(2)).error == .insufficientCapacity)
        #expect(try phone.bind(0x4000, peer(1)).error == nil)
        rig.advance(.seconds(300))
        #expect(try phone.permit(peer(2)).error == nil)
    }

    @Test func channelsAreBoundOneToOne() throws {
        let rig = Rig()
        let phone = Phone(rig)
        try phone.allocate()
        let other = TransportAddress(.laptop, port: 7001)
        #expect(try phone.bind(0x4000, laptop).messageClass == .success)
        #expect(try phone.bind(0x4000, laptop).messageClass == .success, "a refresh")
        #expect(try phone.bind(0x4000, other).error == .badRequest)
        #expect(try phone.bind(0x4001, laptop).error == .badRequest)
        #expect(try phone.bind(0x4001, other).messageClass == .success)
        for number in [0x3FFF, 0x8000, 0xFFFF, 0] as [UInt16] {
            #expect(try phone.bind(number, TransportAddress(.laptop, port: 7002)).error == .badRequest)
        }
        #expect(try phone.bind(0x7FFF, TransportAddress(.laptop, port: 7002)).messageClass == .success)
        #expect(try phone.bind(0x4002, TransportAddress(.laptop, port: 0)).error == .badRequest)
        #expect(try phone.request(.channelBind) { $0.append(.xorPeerAddress, xorAddress: other) }.error == .badRequest)
        #expect(
            try phone.request(.channelBind) { $0.append(.channelNumber, uint32: 0x4003_0000) }.error == .badRequest)
    }

    @Test func channelsAreLimited() throws {
        let rig = Rig { $0.limits.channelsPerAllocation = 1 }
        let phone = Phone(rig)
        try phone.allocate()
        #expect(try phone.bind(0x4000, laptop).error == nil)
        #expect(try phone.bind(0x4001, TransportAddress(.laptop, port: 1)).error == .insufficientCapacity)
        #expect(try phone.bind(0x4000, laptop).error == nil)
    }

    @Test func aChannelLastsTenMinutesItsPermissionFive() throws {
        let rig = Rig()
        let phone = Phone(rig)
        try phone.allocate { $0.append(.lifetime, uint32: 3600) }
        let relayed = try #require(phone.relayed)
        try phone.bind(0x4000, laptop)
        rig.advance(.seconds(299))
        #expect(phone.sendChannelData(0x4000, [1]).count == 1)
        rig.advance(.seconds(1))
        #expect(phone.sendChannelData(0x4000, [1]).isEmpty, "the permission has run out")
        #expect(rig.sendFromPeer([1], from: laptop, to: relayed).isEmpty)
        try phone.permit(laptop)
        #expect(phone.sendChannelData(0x4000, [1]).count == 1)
        #expect(rig.sendFromPeer([5], from: laptop, to: relayed).first?.bytes == channelData(0x4000, [5]))
        rig.advance(.seconds(299))
        #expect(phone.sendChannelData(0x4000, [1]).count == 1)
        try phone.permit(laptop)
        rig.advance(.seconds(1))
        #expect(phone.sendChannelData(0x4000, [1]).isEmpty, "the channel has run out")
        #expect(rig.refusals(.noChannel) == 1)
        let sent = rig.sendFromPeer([5], from: laptop, to: relayed)
        #expect(try answer(sent).data == [5], "the permission has not")
        #expect(try phone.bind(0x4000, TransportAddress(.laptop, port: 1)).error == nil, "the number is free")
    }

    @Test func forgettingAllAllocations() throws {
        let rig = Rig()
        let phones = try (1...3 as ClosedRange<UInt16>).map { port in
            let phone = Phone(rig, port: port)
            try phone.allocate { $0.append(.evenPort, bytes: [port == 1 ? 0x80 : 0]) }
            return phone
        }
        #expect(rig.relays.count == 3)
        rig.dropAll()
        #expect(rig.allocationCount == 0 && rig.relays.isEmpty)
        #expect(try phones[0].request(.refresh).error == .allocationMismatch)
        #expect(phones[1].sendIndication([1], to: laptop).isEmpty)
        #expect(try phones[2].allocate().messageClass == .success)
    }
}
