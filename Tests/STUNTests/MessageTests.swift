import STUN
import TestSupport
import Testing
import Wire

/// A message with every attribute this module can write.
private func everything() -> [UInt8] {
    var writer = STUNWriter(.error, .allocate, TransactionID(high: 1, low: 2))
    let v4 = TransportAddress(.v4(0x0A00_0001), port: 4096)
    let v6 = TransportAddress(.v6(0xFE80_0000_0000_0000, 7), port: 65535)
    writer.append(.mappedAddress, address: v4)
    writer.append(.alternateServer, address: v6)
    writer.append(.xorMappedAddress, xorAddress: v4)
    writer.append(.xorPeerAddress, xorAddress: v6)
    writer.append(.xorRelayedAddress, xorAddress: v4)
    writer.append(.username, text: "u")
    writer.append(.realm, text: "realm")
    writer.append(.nonce, text: "")
    writer.append(.software, text: "äö")
    writer.append(.staleNonce)
    writer.append(unknownAttributes: [.dontFragment, .evenPort, STUNAttributeType(rawValue: 0x7FFF)])
    writer.append(.passwordAlgorithms, algorithms: [.sha256, .md5])
    writer.append(.passwordAlgorithm, algorithms: [.sha256])
    writer.append(.userhash, bytes: STUNKey.userhash(username: "u", realm: "realm"))
    writer.append(.priority, uint32: 99)
    writer.append(.iceControlling, uint64: 1 << 63)
    writer.append(.useCandidate)
    writer.append(.channelNumber, bytes: [0x40, 0, 0, 0])
    writer.append(.requestedTransport, bytes: [17, 0, 0, 0])
    writer.append(.data, bytes: [1, 2, 3])
    writer.append(STUNAttributeType(rawValue: 0xBEEF), bytes: [9, 9, 9, 9, 9])
    writer.appendIntegrity(key: STUNKey(shortTerm: "secret"))
    writer.appendIntegritySHA256(key: STUNKey(shortTerm: "secret"), count: 20)
    writer.appendFingerprint()
    return writer.finish().bytes
}

@Suite struct MessageTests {
    @Test func everyAttributeIsReadBack() throws {
        let bytes = everything()
        let message = try STUNMessage(bytes.span.bytes)
        let id = message.transactionID
        #expect(message.method == .allocate && message.messageClass == .error)
        #expect(message.first(.mappedAddress)?.address == TransportAddress(.v4(0x0A00_0001), port: 4096))
        #expect(
            message.first(.alternateServer)?.address == TransportAddress(.v6(0xFE80_0000_0000_0000, 7), port: 65535))
        #expect(message.first(.xorMappedAddress)?.xorAddress(id) == TransportAddress(.v4(0x0A00_0001), port: 4096))
        #expect(
            message.first(.xorPeerAddress)?.xorAddress(id)
                == TransportAddress(.v6(0xFE80_0000_0000_0000, 7), port: 65535))
        #expect(message.first(.username)?.text == "u")
        #expect(message.first(.nonce)?.text == "")
        #expect(message.first(.software)?.text == "äö")
        #expect(message.first(.errorCode)?.errorCode == .staleNonce)
        #expect(message.first(.errorCode)?.errorReason == "Stale Nonce")
        #expect(
            message.first(.unknownAttributes)?.attributeTypes
                == [.dontFragment, .evenPort, STUNAttributeType(rawValue: 0x7FFF)])
        #expect(message.first(.passwordAlgorithms)?.passwordAlgorithms == [.sha256, .md5])
        #expect(message.first(.passwordAlgorithm)?.passwordAlgorithms == [.sha256])
        #expect(message.first(.priority)?.uint32 == 99)
        #expect(message.first(.iceControlling)?.uint64 == 1 << 63)
        #expect(message.first(.useCandidate)?.value.byteCount == 0)
        #expect(message.first(.channelNumber)?.channelNumber == 0x4000)
        #expect(message.first(.requestedTransport)?.leadingOctet == 17)
        #expect(message.first(.data)?.value.copied == [1, 2, 3])
        #expect(message.first(STUNAttributeType(rawValue: 0xBEEF))?.value.byteCount == 5)
        #expect(message.first(.lifetime)?.type == nil)
        #expect(message.isIntact(key: STUNKey(shortTerm: "secret")) == true)
        #expect(message.isIntactSHA256(key: STUNKey(shortTerm: "secret")) == true)
        #expect(message.isFingerprintValid == true)
    }

    @Test func aMessageCutAtAnyLengthIsRefused() {
        for whole in Vector.all + [everything()] {
            for length in 0..<whole.count {
                let cut = Array(whole[..<length])
                #expect(throws: STUNParseError.truncated) { _ = try STUNMessage(cut.span.bytes).header }
            }
            let longer = whole + [0, 0, 0, 0]
            #expect(throws: STUNParseError.trailingBytes) { _ = try STUNMessage(longer.span.bytes).header }
        }
    }

    /// A cut that also mends the header's length must stop in the middle of an attribute, or between two.
    @Test func aMessageCutWithItsLengthMendedNeverReadsBeyond() {
        for whole in Vector.all + [everything()] {
            for length in stride(from: 20, to: whole.count, by: 4) {
                var cut = Array(whole[..<length])
                cut[2] = UInt8((length - 20) >> 8)
                cut[3] = UInt8((length - 20) & 255)
                do {
                    let message = try STUNMessage(cut.span.bytes)
                    exerciseEverything(message)
                } catch {
                    #expect(error == .attributeOverrun)
                }
            }
        }
    }

    @Test func parsedAndWrittenAgainItIsTheSame() throws {
        for whole in [everything(), Vector.userhashRequest, Vector.longTermRequest] {
            let message = try STUNMessage(whole.span.bytes)
            var writer = STUNWriter(message.messageClass, message.method, message.transactionID)
            var attributes = message.attributes
            while let attribute = attributes.next() { writer.append(attribute.type, attribute.value) }
            #expect(writer.finish().bytes == whole)
        }
    }

    @Test func everyClassAndMethodKeepsItsBits() throws {
        for messageClass in STUNClass.allCases {
            for number in UInt16(0)..<0x1000 {
                let method = STUNMethod(rawValue: number)
                var bytes = ByteWriter()
                bytes.write(STUNHeader.type(messageClass, method))
                bytes.write(bytes: [0, 0, 0x21, 0x12, 0xA4, 0x42] + [UInt8](repeating: 7, count: 12))
                let header = try STUNHeader(bytes.bytes.span.bytes)
                #expect(header.messageClass == messageClass && header.method == method)
            }
        }
        #expect(STUNHeader.type(.error, .channelBind) == 0x0119)
        #expect(STUNHeader.type(.indication, .send) == 0x0016)
    }

    @Test func otherProtocolsAreNotSTUN() {
        var bytes = Vector.request
        bytes[0] |= 0x40
        #expect(throws: STUNParseError.notSTUN) { _ = try STUNMessage(bytes.span.bytes).header }
        bytes = Vector.request
        bytes[4] ^= 1
        #expect(throws: STUNParseError.notSTUN) { _ = try STUNMessage(bytes.span.bytes).header }
        bytes = Vector.request
        bytes[3] += 1
        #expect(throws: STUNParseError.unalignedLength) { _ = try STUNMessage(bytes.span.bytes).header }
    }

    @Test func anyChangedBitBreaksIntegrity() throws {
        let key = STUNKey(shortTerm: Vector.password)
        for index in 20..<Vector.request.count - 8 {
            var bytes = Vector.request
            bytes[index] ^= 1
            // A changed length may make the attributes overrun; what parses must not pass for intact.
            if let intact = try? STUNMessage(bytes.span.bytes).isIntact(key: key) { #expect(!intact, "\(index)") }
            if let valid = try? STUNMessage(bytes.span.bytes).isFingerprintValid { #expect(!valid, "\(index)") }
        }
    }

    @Test func whatFollowsTheIntegrityIsIgnored() throws {
        let key = STUNKey(shortTerm: "secret")
        var writer = STUNWriter(.request, .binding, TransactionID(high: 0, low: 0))
        writer.append(.username, text: "before")
        writer.appendIntegrity(key: key)
        writer.append(.realm, text: "behind")
        writer.append(.messageIntegrity, bytes: [UInt8](repeating: 0, count: 20))
        let bytes = writer.finish().bytes
        let message = try STUNMessage(bytes.span.bytes)
        #expect(message.first(.username)?.text == "before")
        #expect(message.first(.realm)?.type == nil)
        #expect(message.isIntact(key: key) == true, "the first of two counts")
        var count = 0
        var attributes = message.attributes
        while attributes.next() != nil { count += 1 }
        #expect(count == 4, "ignored attributes are kept for those who walk all of them")
    }

    @Test func sha256IntegrityOfOddLengthsIsRefused() throws {
        let key = STUNKey(shortTerm: "secret")
        for count in [0, 4, 12, 15, 17, 33, 36] {
            var writer = STUNWriter(.request, .binding, TransactionID(high: 0, low: 0))
            writer.append(.messageIntegritySHA256, bytes: [UInt8](repeating: 0, count: count))
            let bytes = writer.finish().bytes
            let intact = try STUNMessage(bytes.span.bytes).isIntactSHA256(key: key)
            #expect(!intact)
        }
    }

    @Test func aMessageThatWouldOutgrowItsLengthLeavesTheAttributeOut() throws {
        var writer = STUNWriter(.indication, .data, TransactionID(high: 0, low: 0))
        writer.append(.data, bytes: [UInt8](repeating: 1, count: 65_000))
        #expect(!writer.isFull)
        writer.append(.software, bytes: [UInt8](repeating: 1, count: 600))
        #expect(writer.isFull)
        let bytes = writer.finish().bytes
        #expect(try STUNMessage(bytes.span.bytes).first(.software)?.type == nil)
    }

    @Test(arguments: 0..<64 as Range<UInt64>)
    func randomBytesNeverTrap(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            var bytes = (0..<Int.random(in: 0...200, using: &generator)).map { _ in
                UInt8.random(in: .min ... .max, using: &generator)
            }
            if let message = try? STUNMessage(bytes.span.bytes) { exerciseEverything(message) }
            // The same with a header that lets the parser come to the attributes.
            guard bytes.count >= 20 else { continue }
            bytes.removeLast(bytes.count % 4)
            bytes.replaceSubrange(
                0..<8,
                with: [0, 1, UInt8((bytes.count - 20) >> 8), UInt8((bytes.count - 20) & 255), 0x21, 0x12, 0xA4, 0x42])
            if let message = try? STUNMessage(bytes.span.bytes) { exerciseEverything(message) }
        }
        // A valid message with a few octets changed.
        for _ in 0..<200 {
            var bytes = everything()
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                bytes[Int.random(in: 20..<bytes.count, using: &generator)] =
                    UInt8.random(in: .min ... .max, using: &generator)
            }
            if let message = try? STUNMessage(bytes.span.bytes) { exerciseEverything(message) }
        }
    }
}

/// Reads every attribute in every way; the point is that nothing traps.
private func exerciseEverything(_ message: borrowing STUNMessage) {
    var total = 0
    var attributes = message.attributes
    while let attribute = attributes.next() {
        total += attribute.value.byteCount
        _ = (attribute.leadingOctet, attribute.uint32, attribute.uint64, attribute.channelNumber, attribute.text)
        _ = (attribute.address, attribute.xorAddress(message.transactionID), attribute.errorCode)
        _ = (attribute.errorReason, attribute.attributeTypes, attribute.passwordAlgorithms)
        #expect(attribute.valueOffset + attribute.value.byteCount <= message.bytes.byteCount)
    }
    #expect(total <= message.bytes.byteCount)
    let key = STUNKey(shortTerm: "secret")
    _ = (message.isIntact(key: key), message.isIntactSHA256(key: key), message.isFingerprintValid)
}
