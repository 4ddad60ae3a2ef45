import STUN
import Testing
import Wire

/// The test vectors of RFC 5769 section 2 and RFC 8489 appendix B.1, that one as erratum 6268 corrects it.
enum Vector {
    static let request: [UInt8] = bytes(
        """
        00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74 00240004 6e0001ff
        80290008 932ff9b1 51263b36 00060009 6576746a 3a683676 59202020 00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249
        c1b571a2 80280004 e57a3bcf
        """)
    static let ipv4Response: [UInt8] = bytes(
        """
        0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200008 0001a147 e112a643
        00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96
        """)
    static let ipv6Response: [UInt8] = bytes(
        """
        01010048 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200014 0002a147 0113a9fa
        a5d3f179 bc25f4b5 bed2b9d9 00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41 80280004 c8fb0b4c
        """)
    static let longTermRequest: [UInt8] = bytes(
        """
        00010060 2112a442 78ad3433 c6ad72c0 29da412e 00060012 e3839ee3 8388e383 aae38383 e382afe3 82b90000 0015001c
        662f2f34 39396b39 35346436 4f4c3334 6f4c3946 53547679 36347341 0014000b 6578616d 706c652e 6f726700 00080014
        f6702465 6dd64a3e 02b8e071 2e85c9a2 8ca89666
        """)
    static let userhashRequest: [UInt8] = bytes(
        """
        00010090 2112a442 78ad3433 c6ad72c0 29da412e 001e0020 4a3cf38f ef6992bd a952c678 0417da0f 24819415 569e60b2
        05c46e41 407f1704 00150029 6f624d61 744a6f73 32414141 43662f2f 3439396b 39353464 364f4c33 346f4c39 46535476
        79363473 41000000 0014000b 6578616d 706c652e 6f726700 001d0004 00020000 001c0020 b5c7bf00 5b6c52a2 1c51c5e8
        92f81924 136296cb 927c4314 9309278c c6518e65
        """)

    static let password = "VOkJxbRl1RmTxUk/WvJxBt"
    static let username = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}"

    static let all = [request, ipv4Response, ipv6Response, longTermRequest, userhashRequest]

    static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.utf8.compactMap { UInt8(String(UnicodeScalar($0)), radix: 16) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}

@Suite struct VectorTests {
    @Test func sampleRequest() throws {
        let message = try STUNMessage(Vector.request.span.bytes)
        #expect(message.method == .binding && message.messageClass == .request)
        #expect(message.transactionID == TransactionID(high: 0xB7E7_A701, low: 0xBC34_D686_FA87_DFAE))
        #expect(message.first(.software)?.text == "STUN test client")
        #expect(message.first(.priority)?.uint32 == 0x6E00_01FF)
        #expect(message.first(.iceControlled)?.uint64 == 0x932F_F9B1_5126_3B36)
        #expect(message.first(.username)?.text == "evtj:h6vY")
        #expect(message.isIntact(key: STUNKey(shortTerm: Vector.password)) == true)
        #expect(message.isIntact(key: STUNKey(shortTerm: Vector.password + " ")) == false)
        #expect(message.isIntactSHA256(key: STUNKey(shortTerm: Vector.password)) == false)
        #expect(message.isFingerprintValid == true)
    }

    @Test func sampleIPv4Response() throws {
        let message = try STUNMessage(Vector.ipv4Response.span.bytes)
        #expect(message.method == .binding && message.messageClass == .success)
        #expect(message.first(.software)?.text == "test vector")
        #expect(
            message.first(.xorMappedAddress)?.xorAddress(message.transactionID)
                == TransportAddress(.v4(0xC000_0201), port: 32853))
        #expect(message.isIntact(key: STUNKey(shortTerm: Vector.password)) == true)
        #expect(message.isFingerprintValid == true)
    }

    @Test func sampleIPv6Response() throws {
        let message = try STUNMessage(Vector.ipv6Response.span.bytes)
        #expect(
            message.first(.xorMappedAddress)?.xorAddress(message.transactionID)
                == TransportAddress(.v6(0x2001_0DB8_1234_5678, 0x0011_2233_4455_6677), port: 32853))
        #expect(message.isIntact(key: STUNKey(shortTerm: Vector.password)) == true)
        #expect(message.isFingerprintValid == true)
    }

    @Test func sampleRequestWithLongTermAuthentication() throws {
        let message = try STUNMessage(Vector.longTermRequest.span.bytes)
        #expect(message.first(.username)?.text == Vector.username)
        #expect(message.first(.nonce)?.text == "f//499k954d6OL34oL9FSTvy64sA")
        #expect(message.first(.realm)?.text == "example.org")
        // The RFC gives the password before and after SASLprep; preparing it is the caller's.
        let key = STUNKey(longTerm: .md5, username: Vector.username, realm: "example.org", password: "TheMatrIX")
        #expect(message.isIntact(key: try #require(key)) == true)
        #expect(message.hasFingerprint == false && message.isFingerprintValid == false)
    }

    @Test func sampleRequestWithUserhash() throws {
        let message = try STUNMessage(Vector.userhashRequest.span.bytes)
        let hash = STUNKey.userhash(username: Vector.username, realm: "example.org")
        #expect(message.first(.userhash)?.value.copied == hash)
        #expect(message.first(.passwordAlgorithm)?.passwordAlgorithms == [.sha256])
        #expect(message.first(.nonce)?.text == "obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA")
        let key = STUNKey(longTerm: .sha256, username: Vector.username, realm: "example.org", password: "TheMatrIX")
        #expect(message.isIntactSHA256(key: try #require(key)) == true)
        #expect(message.isIntact(key: try #require(key)) == false)
    }

    @Test func theWriterMakesTheVectorsAgain() throws {
        let id = TransactionID(high: 0xB7E7_A701, low: 0xBC34_D686_FA87_DFAE)
        // The RFC pads with spaces, the writer with zeros; these attributes need none.
        var response = STUNWriter(.success, .binding, id)
        response.append(.software, bytes: Array("test vector ".utf8))
        response.append(.xorMappedAddress, xorAddress: TransportAddress(.v4(0xC000_0201), port: 32853))
        let mapped = Vector.ipv4Response[36..<48]
        #expect(Array(response.bytes.suffix(12)) == Array(mapped))

        var v6 = STUNWriter(.success, .binding, id)
        v6.append(
            .xorMappedAddress,
            xorAddress: TransportAddress(.v6(0x2001_0DB8_1234_5678, 0x0011_2233_4455_6677), port: 32853))
        #expect(Array(v6.bytes.suffix(24)) == Array(Vector.ipv6Response[36..<60]))

        let nonce = "obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA"
        let longTerm = try #require(
            STUNKey(longTerm: .sha256, username: Vector.username, realm: "example.org", password: "TheMatrIX"))
        var request = STUNWriter(.request, .binding, TransactionID(high: 0x78AD_3433, low: 0xC6AD_72C0_29DA_412E))
        request.append(.userhash, bytes: STUNKey.userhash(username: Vector.username, realm: "example.org"))
        request.append(.nonce, text: nonce)
        request.append(.realm, text: "example.org")
        request.append(.passwordAlgorithm, algorithms: [.sha256])
        request.appendIntegritySHA256(key: longTerm)
        #expect(request.finish().bytes == Vector.userhashRequest)

        let md5 = try #require(
            STUNKey(longTerm: .md5, username: Vector.username, realm: "example.org", password: "TheMatrIX"))
        var old = STUNWriter(.request, .binding, TransactionID(high: 0x78AD_3433, low: 0xC6AD_72C0_29DA_412E))
        old.append(.username, text: Vector.username)
        old.append(.nonce, text: "f//499k954d6OL34oL9FSTvy64sA")
        old.append(.realm, text: "example.org")
        old.appendIntegrity(key: md5)
        #expect(old.finish().bytes == Vector.longTermRequest)
    }
}
