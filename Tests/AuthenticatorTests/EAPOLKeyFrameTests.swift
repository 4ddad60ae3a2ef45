import TestSupport
import Testing
import WiFiCrypto
import Wire

@testable import Authenticator

@Suite struct EAPOLKeyFrameTests {
    static let sample: EAPOLKeyFrame = {
        var frame = EAPOLKeyFrame(
            information: KeyInformation(rawValue: 0xfff9), replayCounter: 0x0102_0304_0506_0708,
            nonce: Array(0..<32), keyData: [0x30, 2, 1, 0, 0xdd, 0])
        frame.protocolVersion = 3
        frame.keyLength = 16
        frame.receiveSequence = 0xa1a2_a3a4_a5a6
        frame.integrityCode = Array(100..<116)
        return frame
    }()

    @Test("Every field is where 12.7.2 has it")
    func layout() {
        #expect(
            Self.sample.encoded
                == octets(
                    """
                    03 03 0065 02 fff9 0010 0102030405060708
                    000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
                    00000000000000000000000000000000 a6a5a4a3a2a10000 0000000000000000
                    6465666768696a6b6c6d6e6f70717273 0006 30020100dd00
                    """))
    }

    @Test("Read, written and read again, it is the same; what follows it is passed over")
    func roundTrip() throws {
        let octets = Self.sample.encoded
        #expect(try read(octets) == Self.sample)
        #expect(try read(octets + [1, 2, 3]) == Self.sample)
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<200 {
            var frame = EAPOLKeyFrame(
                information: KeyInformation(rawValue: .random(in: .min ... .max, using: &generator)),
                replayCounter: .random(in: .min ... .max, using: &generator),
                nonce: (0..<32).map { _ in .random(in: .min ... .max, using: &generator) },
                keyData: (0..<Int.random(in: 0...300, using: &generator)).map { UInt8($0 & 255) })
            frame.receiveSequence = .random(in: .min ... .max, using: &generator)
            #expect(try read(frame.encoded) == frame)
        }
    }

    @Test("Every truncation is an error, and no octet behind the packet's length is read")
    func truncated() {
        let octets = Self.sample.encoded
        for count in 0..<octets.count {
            #expect(throws: EAPOLError.truncated) { try read(Array(octets.prefix(count))) }
        }
        // The octets are there, but the packet's length leaves them out.
        for length in 0..<(octets.count - 4) {
            var short = octets
            short[2] = UInt8(length >> 8)
            short[3] = UInt8(length & 255)
            #expect(throws: EAPOLError.truncated) { try read(short) }
        }
    }

    @Test("Random octets never trap and never verify")
    func noise() throws {
        var generator = SeededGenerator(seed: 6)
        let keys = try PairwiseTransientKey(
            pmk: SecretBytes([1]), keyManagement: .psk, addresses: (Harness.bss, Harness.station), nonces: ([1], [2]))
        for _ in 0..<2_000 {
            var noise = (0..<Int.random(in: 0...200, using: &generator)).map { _ in
                UInt8.random(in: .min ... .max, using: &generator)
            }
            // Most of it gets past the head.
            for (index, octet) in [2, 3, 0, UInt8.random(in: 90...120, using: &generator), 2].enumerated()
            where index < noise.count {
                noise[index] = octet
            }
            _ = try? read(noise)
            #expect(try !keys.verifies(noise.span.bytes))
        }
    }

    // MARK: Key data

    static let keyData: KeyData = {
        var keyData = KeyData()
        keyData.rsn = Harness.rsn(.sae, capabilities: 0xcc)
        keyData.rsnExtension = [0xf4, 1, 0x20]
        keyData.groupKey = KeyData.GroupKey(index: 2, key: SecretBytes([UInt8](repeating: 0x11, count: 16)))
        keyData.integrityGroupKey = KeyData.IntegrityGroupKey(
            index: 5, sequence: 0x0102_0304_0506, key: SecretBytes([UInt8](repeating: 0x22, count: 16)))
        keyData.pmkid = [UInt8](repeating: 0x33, count: 16)
        return keyData
    }()

    @Test("KDEs are where 12.7.2 has them, and read the same")
    func keyData() throws {
        let encoded = Self.keyData.encoded.bytes.copied
        #expect(
            encoded
                == Harness.rsn(.sae, capabilities: 0xcc)
                + octets(
                    """
                    f4 01 20
                    dd 14 000fac04 33333333333333333333333333333333
                    dd 16 000fac01 02 00 11111111111111111111111111111111
                    dd 1c 000fac09 0500 060504030201 22222222222222222222222222222222
                    """))
        #expect(try KeyData(parsing: encoded.span.bytes) == Self.keyData)
        #expect(try KeyData(parsing: (encoded + [0xdd]).span.bytes) == Self.keyData, "one octet of filling")
        #expect(try KeyData(parsing: (encoded + [0xdd, 0, 0, 0, 0]).span.bytes) == Self.keyData)
    }

    @Test("Unknown elements and KDEs are passed over, and the first of a kind counts")
    func unknown() throws {
        let foreign = octets("dd040050f201 dd05000fac4d01 dd0100 ff00 0700")
        let other = Harness.rsn(.psk, capabilities: 0)
        let encoded = Self.keyData.encoded.bytes.copied
        #expect(try KeyData(parsing: (foreign + encoded + other).span.bytes) == Self.keyData)
    }

    @Test("Every truncation is an error or has less in it, and a key data of noise does not trap")
    func truncatedKeyData() {
        let encoded = Self.keyData.encoded.bytes.copied
        for count in 0..<encoded.count {
            let parsed = try? KeyData(parsing: Array(encoded.prefix(count)).span.bytes)
            #expect(parsed != Self.keyData)
        }
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<5_000 {
            // Octets that lead far into the parser.
            let likely: [UInt8] = [0xdd, 0, 0x0f, 0xac, 1, 9, 4, 22, 48, 7]
            let noise = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
                likely[Int.random(in: likely.indices, using: &generator)]
            }
            _ = try? KeyData(parsing: noise.span.bytes)
        }
    }

    @Test("Wrapped, it is filled up to 16 octets and a multiple of 8")
    func wrapped() throws {
        let key = SecretBytes([UInt8](repeating: 1, count: 16))
        for count in [0, 1, 5, 6, 7, 13, 14, 30] {
            var keyData = KeyData()
            keyData.rsn = [48, UInt8(count)] + [UInt8](repeating: 7, count: count)
            let wrapped = try keyData.wrapped(key: key)
            #expect(wrapped.count % 8 == 0 && wrapped.count >= 24)
            let plain = try #require(try AESKeyWrap.unwrap(wrapped.span.bytes, key: key))
            #expect(try KeyData(parsing: plain.bytes) == keyData)
        }
    }

    @Test("A GTK or IGTK without a key, or a PMKID of another length, is none")
    func emptyKeys() throws {
        let empty = octets("dd06000fac010100 dd0c000fac090400000000000000 dd05000fac0401")
        #expect(try KeyData(parsing: empty.span.bytes) == KeyData())
    }
}
