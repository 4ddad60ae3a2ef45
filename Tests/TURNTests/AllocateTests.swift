import STUN
import SansIO
import TURN
import Testing
import Wire

@Suite struct AllocateTests {
    @Test func theFirstRequestIsChallengedTheSecondGranted() throws {
        let rig = Rig()
        let phone = Phone(rig)
        let answer = try phone.allocate()
        #expect(answer.messageClass == .success && answer.method == .allocate && answer.isIntact)
        #expect(answer.mapped == phone.address)
        let relayed = try #require(answer.relayed)
        #expect(relayed.address == .box && (50_000...50_099).contains(relayed.port))
        #expect(answer.lifetime == 600)
        #expect(rig.relays == [relayed] && rig.allocationCount == 1)
        #expect(rig.counters.allocations == 1 && rig.refusals(.challenged) == 1)
    }

    @Test func theChallengeOffersBothAlgorithmsAndCarriesTheNonceCookie() throws {
        let rig = Rig()
        let request = STUNWriter(.request, .allocate, TransactionID(high: 1, low: 2)).finish().bytes
        let answer = try answer(rig.send(request, from: TransportAddress(.phone, port: 9)))
        #expect(answer.error == .unauthenticated && answer.algorithms == [.sha256, .md5])
        #expect(answer.nonce?.starts(with: Array("obMatJos2gAAA".utf8)) == true)
        #expect(answer.nonce.map { $0.count < 128 } == true, "RFC 8489 section 14.10")
    }

    @Test func sha256ClientsAreAnsweredInKind() throws {
        let rig = Rig()
        let phone = Phone(rig)
        phone.usesSHA256 = true
        #expect(try phone.allocate().isIntact)
        #expect(try phone.request(.refresh).isIntact)
        #expect(try phone.permit(TransportAddress(.laptop, port: 1)).messageClass == .success)
    }

    @Test func biddingTheAlgorithmDownIsRefused() throws {
        let rig = Rig()
        let phone = Phone(rig)
        try phone.challenge()
        func attempt(_ body: (inout STUNWriter) -> Void) throws -> STUNErrorCode? {
            try phone.request(.allocate) {
                $0.append(.requestedTransport, bytes: [17, 0, 0, 0])
                body(&$0)
            }.error
        }
        #expect(try attempt { $0.append(.passwordAlgorithms, algorithms: [.md5]) } == .badRequest)
        #expect(try attempt { $0.append(.passwordAlgorithm, algorithms: [.md5]) } == .badRequest)
        #expect(
            try attempt {
                $0.append(.passwordAlgorithms, algorithms: [.md5])
                $0.append(.passwordAlgorithm, algorithms: [.md5])
            } == .badRequest, "the offer was changed on its way")
        #expect(
            try attempt {
                $0.append(.passwordAlgorithms, algorithms: [.sha256, .md5])
                $0.append(.passwordAlgorithm, algorithms: [STUNPasswordAlgorithm(rawValue: 7)])
            } == .badRequest)
        #expect(
            try attempt {
                $0.append(.passwordAlgorithms, algorithms: [.sha256, .md5])
                $0.append(.passwordAlgorithm, algorithms: [.md5])
            } == nil)
    }

    @Test func wrongCredentialsAreRefused() throws {
        let rig = Rig()
        let phone = Phone(rig)
        phone.password = "guess"
        #expect(try phone.allocate().error == .unauthenticated)
        phone.username = "nobody"
        #expect(try phone.allocate().error == .unauthenticated)
        #expect(rig.refusals(.unauthenticated) == 2 && rig.allocationCount == 0 && rig.relays.isEmpty)
    }

    @Test func integrityWithoutNameRealmOrNonceIsABadRequest() throws {
        let rig = Rig()
        let phone = Phone(rig)
        try phone.challenge()
        for missing in [STUNAttributeType.username, .realm, .nonce] {
            var writer = STUNWriter(.request, .allocate, TransactionID(high: 1, low: 1))
            if missing != .username { writer.append(.username, text: "anna") }
            if missing != .realm { writer.append(.realm, text: "box") }
            if missing != .nonce { writer.append(.nonce, bytes: phone.nonce) }
            writer.appendIntegrity(key: try phone.key)
            let sent = rig.send(writer.finish().bytes, from: phone.address)
            #expect(try answer(sent).error == .badRequest)
        }
        #expect(rig.refusals(.badRequest) == 3)
    }

    @Test func staleAndForgedNoncesAreReplaced() throws {
        let rig = Rig()
        let phone = Phone(rig)
        try phone.challenge()
        rig.advance(.seconds(3601))
        let stale = try phone.allocate()
        #expect(stale.error == .staleNonce)
        let fresh = try #require(stale.nonce)
        #expect(fresh != phone.nonce)

        var forged = fresh
        forged[20] ^= 1
        phone.nonce = forged
        #expect(try phone.allocate().error == .staleNonce)
        for cut in [0, 5, 13, fresh.count - 1] {
            phone.nonce = Array(fresh[..<cut]) + (cut == 0 ? [0x61] : [])
            #expect(try phone.allocate().error == .staleNonce)
        }

        let other = Phone(rig, .otherPhone)
        other.nonce = fresh
        #expect(try other.allocate().error == .staleNonce, "a nonce is good for the address that got it")

        phone.nonce = fresh
        #expect(try phone.allocate().messageClass == .success)
    }

    @Test func anotherServersNonceIsStale() throws {
        let phone = Phone(Rig(seed: 1))
        try phone.challenge()
        let afterRestart = Phone(Rig(seed: 2))
        afterRestart.nonce = phone.nonce
        #expect(try afterRestart.allocate().error == .staleNonce)
    }

    @Test func aRetransmissionGetsTheSameAnswer() throws {
        let rig = Rig()
        let phone = Phone(rig)
        try phone.challenge()
        let message = try phone.message(.allocate, id: TransactionID(high: 7, low: 7)) {
            $0.append(.requestedTransport, bytes: [17, 0, 0, 0])
        }
        let first = rig.send(message, from: phone.address)
        rig.advance(.seconds(2))
        let second = rig.send(message, from: phone.address)
        #expect(first == second && first.count == 1)
        #expect(rig.allocationCount == 1 && rig.counters.allocations == 1)
    }

    @Test func aSecondAllocationOnTheSameFiveTupleIsAMismatch() throws {
        let rig = Rig()
        let phone = Phone(rig)
        try phone.allocate()
        let second = try phone.allocate()
        #expect(second.error == .allocationMismatch && second.isIntact)
        // Sent to another of the machine's addresses it is another five-tuple.
        let third = rig.send(
            try phone.message(.allocate) { $0.append(.requestedTransport, bytes: [17, 0, 0, 0]) }, from: phone.address,
            to: .v4(0x0A00_0009))
        #expect(third.first?.source == .server(.v4(0x0A00_0009)))
        #expect(try answer(third).relayed?.address == .v4(0x0A00_0009))
    }

    @Test func theTransportMustBeUDP() throws {
        let rig = Rig()
        let phone = Phone(rig)
        try phone.challenge()
        #expect(try phone.request(.allocate).error == .badRequest)
        #expect(
            try phone.request(.allocate) { $0.append(.requestedTransport, bytes: [6, 0, 0, 0]) }.error
                == .unsupportedTransport)
        #expect(rig.refusals(.unsupportedTransport) == 1)
    }

    @Test func unknownAttributesAreNamed() throws {
        let rig = Rig()
        let phone = Phone(rig)
        let answer = try phone.allocate {
            $0.append(.dontFragment)
            $0.append(STUNAttributeType(rawValue: 0x7ABC), uint32: 1)
            $0.append(STUNAttributeType(rawValue: 0xFABC), uint32: 1)
        }
        #expect(answer.error == .unknownAttribute && answer.isIntact)
        #expect(answer.unknown == [.dontFragment, STUNAttributeType(rawValue: 0x7ABC)])
        #expect(rig.allocationCount == 0)
    }

    @Test(arguments: [(nil, 600), (0, 600), (1, 600), (599, 600), (777, 777), (3600, 3600), (100_000, 3600)])
    func theLifetimeStaysWithinItsLimits(asked: UInt32?, granted: UInt32) throws {
        let rig = Rig()
        let phone = Phone(rig)
        let answer = try phone.allocate { if let asked { $0.append(.lifetime, uint32: asked) } }
        #expect(answer.lifetime == granted)
        rig.advance(.seconds(Int(granted) - 1))
        #expect(rig.allocationCount == 1)
        rig.advance(.seconds(1))
        #expect(rig.allocationCount == 0 && rig.relays.isEmpty)
    }

    @Test func evenPortsAndReservations() throws {
        let rig = Rig()
        let first = Phone(rig)
        #expect(try #require(try first.allocate { $0.append(.evenPort, bytes: [0]) }.relayed).port % 2 == 0)

        let second = Phone(rig, port: 1001)
        let reserved = try second.allocate { $0.append(.evenPort, bytes: [0x80]) }
        let token = try #require(reserved.token)
        let even = try #require(reserved.relayed)
        #expect(even.port % 2 == 0)

        let third = Phone(rig, port: 1002)
        #expect(
            try third.allocate {
                $0.append(.reservationToken, uint64: token)
                $0.append(.evenPort, bytes: [0])
            }.error == .badRequest)
        #expect(
            try third.allocate {
                $0.append(.reservationToken, uint64: token)
                $0.append(.requestedAddressFamily, bytes: [1, 0, 0, 0])
            }.error == .badRequest)
        #expect(try third.allocate { $0.append(.reservationToken, bytes: [1]) }.error == .insufficientCapacity)
        let next = try third.allocate { $0.append(.reservationToken, uint64: token) }
        #expect(next.relayed == TransportAddress(.box, port: even.port + 1))

        let fourth = Phone(rig, port: 1003)
        #expect(
            try fourth.allocate { $0.append(.reservationToken, uint64: token) }.error == .insufficientCapacity,
            "a token is good once")
    }

    @Test func aReservationExpires() throws {
        let rig = Rig { $0.relayPorts = 50_000...50_001 }
        let token = try #require(try Phone(rig).allocate { $0.append(.evenPort, bytes: [0x80]) }.token)
        let other = Phone(rig, port: 1001)
        #expect(try other.allocate().error == .insufficientCapacity, "the odd port is set aside")
        rig.advance(.seconds(30))
        #expect(
            try other.allocate { $0.append(.reservationToken, uint64: token) }.error == .insufficientCapacity)
        #expect(try other.allocate().relayed?.port == 50_001)
    }

    @Test func reservationsAreLimited() throws {
        let rig = Rig { $0.limits.reservations = 1 }
        #expect(try Phone(rig).allocate { $0.append(.evenPort, bytes: [0x80]) }.token != nil)
        let other = Phone(rig, port: 1001)
        #expect(try other.allocate { $0.append(.evenPort, bytes: [0x80]) }.error == .insufficientCapacity)
        #expect(try other.allocate { $0.append(.evenPort, bytes: [0]) }.error == nil)
    }

    @Test func addressFamilies() throws {
        let rig = Rig()
        let phone = Phone(rig)
        #expect(
            try phone.allocate { $0.append(.requestedAddressFamily, bytes: [2, 0, 0, 0]) }.error
                == .addressFamilyNotSupported)
        #expect(
            try phone.allocate { $0.append(.requestedAddressFamily, bytes: [9, 0, 0, 0]) }.error
                == .addressFamilyNotSupported)
        #expect(
            try phone.allocate {
                $0.append(.requestedAddressFamily, bytes: [1, 0, 0, 0])
                $0.append(.additionalAddressFamily, bytes: [2, 0, 0, 0])
            }.error == .badRequest)
        #expect(try phone.allocate { $0.append(.additionalAddressFamily, bytes: [1, 0, 0, 0]) }.error == .badRequest)
        let both = try phone.allocate { $0.append(.additionalAddressFamily, bytes: [2, 0, 0, 0]) }
        #expect(both.messageClass == .success && both.addressError == [2, 0, 4, 40])
        #expect(
            try phone.request(.refresh) { $0.append(.requestedAddressFamily, bytes: [2, 0, 0, 0]) }.error
                == .peerAddressFamilyMismatch)
        #expect(try phone.permit(TransportAddress(.v6(1, 1), port: 1)).error == .peerAddressFamilyMismatch)
        #expect(try phone.bind(0x4000, TransportAddress(.v6(1, 1), port: 1)).error == .peerAddressFamilyMismatch)
    }

    @Test func anIPv6ClientGetsTheFamilyItAsksFor() throws {
        let boxV6 = IPAddress.v6(0xFD00_0000_0000_0000, 1)
        let rig = Rig {
            $0.networks.append(IPNetwork(.v6(0xFD00_0000_0000_0000, 0), prefixLength: 64))
            $0.localAddresses.append(boxV6)
        }
        let client = TransportAddress(.v6(0xFD00_0000_0000_0000, 2), port: 1000)
        let phone = Phone(rig)
        phone.address = client
        let challenge = rig.send(
            STUNWriter(.request, .allocate, TransactionID(high: 1, low: 2)).finish().bytes, from: client, to: boxV6)
        phone.nonce = try #require(try answer(challenge).nonce)
        let message = try phone.message(.allocate) {
            $0.append(.requestedTransport, bytes: [17, 0, 0, 0])
            $0.append(.requestedAddressFamily, bytes: [2, 0, 0, 0])
        }
        let answer = try answer(rig.send(message, from: client, to: boxV6))
        #expect(answer.relayed?.address == boxV6 && answer.mapped == client)
    }

    @Test func aBusyPortIsReplacedByAnotherAFewTimes() throws {
        let rig = Rig()
        rig.failures = 3
        #expect(try Phone(rig).allocate().messageClass == .success)
        #expect(rig.relays.count == 1)

        let busy = Rig { $0.limits.portAttempts = 4 }
        busy.failures = 4
        let phone = Phone(busy)
        #expect(try phone.allocate().error == .insufficientCapacity)
        #expect(busy.allocationCount == 0 && busy.relays.isEmpty && busy.refusals(.capacity) == 1)
        #expect(try phone.allocate().messageClass == .success)
    }

    @Test func aRequestRepeatedWhileItsSocketIsOpenedIsAnsweredOnce() throws {
        let rig = Rig()
        let phone = Phone(rig)
        try phone.challenge()
        rig.opensAtOnce = false
        let message = try phone.message(.allocate) { $0.append(.requestedTransport, bytes: [17, 0, 0, 0]) }
        #expect(rig.send(message, from: phone.address).isEmpty)
        #expect(rig.send(message, from: phone.address).isEmpty)
        #expect(try phone.request(.refresh).error == .allocationMismatch)
        #expect(rig.settle().count == 1)
        #expect(rig.relays.count == 1)
    }

    @Test func aSocketThatComesTooLateIsClosed() throws {
        let rig = Rig()
        let phone = Phone(rig)
        try phone.challenge()
        rig.opensAtOnce = false
        rig.send(
            try phone.message(.allocate) { $0.append(.requestedTransport, bytes: [17, 0, 0, 0]) },
            from: phone.address)
        rig.advance(.seconds(700))
        #expect(rig.allocationCount == 0)
        #expect(rig.settle().isEmpty && rig.relays.isEmpty)
    }

    /// It was asked for twice: the fuzzer found that an address was free again as soon as its allocation had ended,
    /// while the socket asked for was still to come.
    @Test func anAddressIsNotAskedForTwiceBeforeTheFirstAnswer() throws {
        let rig = Rig { $0.relayPorts = 50_000...50_000 }
        let phone = Phone(rig)
        try phone.challenge()
        rig.opensAtOnce = false
        let message = try phone.message(.allocate) { $0.append(.requestedTransport, bytes: [17, 0, 0, 0]) }
        rig.send(message, from: phone.address)
        rig.dropAll()
        #expect(try phone.allocate().error == .insufficientCapacity)
        #expect(rig.settle().isEmpty && rig.relays.isEmpty, "what nobody wants any more is closed")
        rig.opensAtOnce = true
        #expect(try phone.allocate().error == nil)
        // A socket that can't be had leaves the address free.
        rig.dropAll()
        rig.failures = .max
        #expect(try phone.allocate().error == .insufficientCapacity)
        rig.failures = 0
        #expect(try phone.allocate().error == nil)
    }

    @Test func quotas() throws {
        let rig = Rig {
            $0.limits.allocations = 4
            $0.limits.allocationsPerAddress = 2
            $0.limits.allocationsPerUser = 3
        }
        for port in 1...2 as ClosedRange<UInt16> { #expect(try Phone(rig, port: port).allocate().error == nil) }
        #expect(try Phone(rig, port: 3).allocate().error == .allocationQuotaReached, "two of one address")
        #expect(try Phone(rig, .otherPhone).allocate().error == nil)
        #expect(try Phone(rig, .laptop).allocate().error == .allocationQuotaReached, "three of one user")
        #expect(try Phone(rig, .laptop, username: "ben").allocate().error == nil)
        #expect(
            try Phone(rig, .laptop, port: 9, username: "carl").allocate().error == .insufficientCapacity, "four in all")
        #expect(rig.refusals(.quota) == 2 && rig.refusals(.capacity) == 1)

        rig.advance(.seconds(600))
        #expect(rig.allocationCount == 0)
        let again = Phone(rig, port: 3)
        #expect(try again.allocate().error == nil, "what has expired counts no longer")
    }

    @Test func noFreePortIsInsufficientCapacity() throws {
        let rig = Rig { $0.relayPorts = 50_000...50_000 }
        #expect(try Phone(rig).allocate().relayed?.port == 50_000)
        #expect(try Phone(rig, port: 2).allocate().error == .insufficientCapacity)
    }

    @Test func fingerprintsAreCheckedAndReturned() throws {
        let rig = Rig()
        let phone = Phone(rig)
        #expect(try phone.allocate(fingerprint: true).hasFingerprint)
        #expect(try phone.request(.refresh).hasFingerprint == false)
        var damaged = try phone.message(.refresh, fingerprint: true)
        damaged[damaged.count - 1] ^= 1
        #expect(rig.send(damaged, from: phone.address).isEmpty)
        #expect(rig.refusals(.malformed) == 1)
    }
}
