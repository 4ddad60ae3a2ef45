import STUN
import SansIO
import TURN
import TestSupport
import Testing
import Wire

@Suite struct RobustnessTests {
    /// Every request of a session, cut at every length and with every octet changed, in a server that knows the session.
    @Test func damagedRequestsAreNeverGranted() throws {
        let rig = Rig { $0.limits.challengesPerAddress = 1e9 }
        let phone = Phone(rig)
        try phone.allocate()
        let laptop = TransportAddress(.laptop, port: 7000)
        let messages = [
            try phone.message(.refresh) { $0.append(.lifetime, uint32: 0) },
            try phone.message(.createPermission) { $0.append(.xorPeerAddress, xorAddress: laptop) },
            try phone.message(.channelBind) {
                $0.append(.channelNumber, uint32: 0x4000_0000)
                $0.append(.xorPeerAddress, xorAddress: laptop)
            },
        ]
        for message in messages {
            for length in 0..<message.count {
                #expect(rig.send(Array(message[..<length]), from: phone.address).isEmpty)
            }
            for index in message.indices {
                var damaged = message
                damaged[index] ^= 0x10
                for sent in rig.send(damaged, from: phone.address) {
                    let answer = try Answer(sent.bytes)
                    #expect(answer.messageClass == .error, "octet \(index)")
                }
            }
        }
        #expect(rig.allocationCount == 1)
        #expect(phone.sendIndication([1], to: laptop).isEmpty)
    }

    @Test(arguments: 0..<16 as Range<UInt64>)
    func randomBytesNeverTrapNorGrowAnything(seed: UInt64) throws {
        let rig = Rig(seed: seed)
        let phone = Phone(rig)
        let relayed = try #require(try phone.allocate().relayed)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            var bytes = (0..<Int.random(in: 0...120, using: &generator)).map { _ in
                UInt8.random(in: .min ... .max, using: &generator)
            }
            if bytes.count >= 20, Bool.random(using: &generator) {
                bytes.removeLast(bytes.count % 4)
                bytes.replaceSubrange(
                    0..<8,
                    with: [
                        0, UInt8.random(in: 0...0x1F, using: &generator), 0, UInt8(bytes.count - 20), 0x21, 0x12, 0xA4,
                        0x42,
                    ])
            }
            let port = UInt16.random(in: 0...3, using: &generator)
            rig.send(bytes, from: port == 0 ? phone.address : TransportAddress(.phone, port: port))
            rig.sendFromPeer(bytes, from: TransportAddress(.laptop, port: port), to: relayed)
        }
        #expect(rig.allocationCount == 1 && rig.relays.count == 1)
    }

    /// A model beside the server: who holds what until when. Random actions, checked after each one.
    @Test(arguments: 0..<24 as Range<UInt64>)
    func randomSessionsFollowTheModel(seed: UInt64) throws {
        let rig = Rig(seed: seed) {
            $0.relayPorts = 50_000...50_003
            $0.limits.challengesPerAddress = 1e9
            $0.limits.challengeOctets = 1e9
        }
        var generator = SeededGenerator(seed: seed ^ 0xABCD)
        let phones = (1...6 as ClosedRange<UInt16>).map { Phone(rig, port: $0) }
        let laptop = TransportAddress(.laptop, port: 7000)
        var allocated: [UInt16: Timestamp] = [:]
        var permitted: [UInt16: Timestamp] = [:]
        var bound: [UInt16: Timestamp] = [:]
        for _ in 0..<400 {
            let phone = try #require(phones.randomElement(using: &generator))
            let port = phone.address.port
            func isLive(_ table: [UInt16: Timestamp]) -> Bool { table[port].map { $0 > rig.now } ?? false }
            let hasAllocation = isLive(allocated)
            // Nonces last an hour; a client renews them when told.
            phone.nonce = []
            try phone.challenge()
            switch Int.random(in: 0..<8, using: &generator) {
            case 0:
                let full = phones.count { allocated[$0.address.port].map { $0 > rig.now } ?? false } == 4
                let answer = try phone.allocate()
                #expect(
                    answer.error == (hasAllocation ? .allocationMismatch : full ? .insufficientCapacity : nil))
                if answer.error == nil {
                    allocated[port] = rig.now + .seconds(600)
                    permitted[port] = nil
                    bound[port] = nil
                }
            case 1:
                let lifetime = UInt32([0, 600, 900].randomElement(using: &generator) ?? 0)
                let answer = try phone.request(.refresh) { $0.append(.lifetime, uint32: lifetime) }
                #expect((answer.error == nil) == hasAllocation)
                if hasAllocation { allocated[port] = lifetime == 0 ? nil : rig.now + .seconds(Int(lifetime)) }
            case 2:
                #expect((try phone.permit(laptop).error == nil) == hasAllocation)
                if hasAllocation { permitted[port] = rig.now + .seconds(300) }
            case 3:
                #expect((try phone.bind(0x4000, laptop).error == nil) == hasAllocation)
                if hasAllocation {
                    permitted[port] = rig.now + .seconds(300)
                    bound[port] = rig.now + .seconds(600)
                }
            case 4:
                let passes = hasAllocation && isLive(permitted)
                #expect(phone.sendIndication([1], to: laptop).count == (passes ? 1 : 0))
            case 5:
                let passes = hasAllocation && isLive(permitted) && isLive(bound)
                #expect(phone.sendChannelData(0x4000, [1]).count == (passes ? 1 : 0))
            case 6:
                guard hasAllocation, let relayed = phone.relayed else { break }
                let sent = rig.sendFromPeer([2], from: laptop, to: relayed)
                #expect(sent.count == (isLive(permitted) ? 1 : 0))
                if let bytes = sent.first?.bytes { #expect((bytes == channelData(0x4000, [2])) == isLive(bound)) }
            default:
                rig.advance(.seconds(Int.random(in: 1...200, using: &generator)))
            }
            let live = allocated.values.count { $0 > rig.now }
            #expect(rig.allocationCount == live && rig.relays.count == live)
        }
    }
}
