import SansIO
import TestSupport
import Testing
import Wire

@testable import SCTP

@Suite struct ChunkTests {
    private let handshake = Handshake(
        initiateTag: 0x0102_0304, window: 0x0008_0000, outgoingStreams: 0xFFFF, incomingStreams: 0x0400,
        initialTSN: TSN(0xA0B0_C0D0), capabilities: [.forwardTSN, .reconfiguration, .zeroChecksum])

    /// Runs `body` on the only chunk of the bytes.
    private func read<Result>(_ bytes: [UInt8], _ body: (borrowing Chunk) -> Result?) -> Result? {
        var reader = ChunkReader(ByteReader(bytes.span.bytes))
        guard let chunk = reader.next() else { return nil }
        return body(chunk)
    }

    @Test func initiationHasTheLayoutOfTheRFC() throws {
        var bytes: [UInt8] = []
        bytes.writeHandshake(.initiation, handshake, cookie: [], unrecognized: [])
        #expect(
            bytes == [
                1, 0, 0, 40, 1, 2, 3, 4, 0, 8, 0, 0, 0xFF, 0xFF, 4, 0, 0xA0, 0xB0, 0xC0, 0xD0,
                // Forward-TSN-Supported (RFC 3758 section 3.1).
                0xC0, 0, 0, 4,
                // Supported extensions (RFC 5061 section 4.2.7): RE-CONFIG and FORWARD-TSN, two octets of padding.
                0x80, 0x08, 0, 6, 130, 192, 0, 0,
                // Zero Checksum Acceptable over DTLS (RFC 9653 section 3).
                0x80, 0x01, 0, 8, 0, 0, 0, 1,
            ])
        let parsed = try #require(
            read(bytes) { chunk -> Handshake? in
                guard let parsed = HandshakeChunk(chunk) else { return nil }
                return parsed.handshake
            })
        #expect(parsed == handshake)
    }

    @Test func initiationAcknowledgementCarriesCookieAndReport() throws {
        let cookie = pattern(63)
        var bytes: [UInt8] = []
        let unknown: [UInt8] = [0xC0, 0x77, 0, 5, 9, 0, 0, 0, 0x40, 1, 0, 4]
        bytes.writeHandshake(.initiationAcknowledgement, handshake, cookie: cookie, unrecognized: unknown)
        #expect(bytes.count % 4 == 0 && Int(bytes[2]) << 8 | Int(bytes[3]) == bytes.count)
        let parsed = try #require(
            read(bytes) { chunk -> (Handshake, cookie: [UInt8])? in
                guard let parsed = HandshakeChunk(chunk), let cookie = parsed.cookie else { return nil }
                return (parsed.handshake, cookie.copied)
            })
        #expect(parsed.0 == handshake)
        #expect(parsed.cookie == cookie)
        var reports: [[UInt8]] = []
        _ = read(bytes) { chunk -> Bool? in
            var reader = ByteReader(chunk.value)
            _ = reader.skip(16)
            var parameters = ParameterReader(reader)
            while let parameter = parameters.next() {
                if parameter.type == 8 { reports.append(parameter.value.copied) }
            }
            return true
        }
        #expect(reports == [[0xC0, 0x77, 0, 5, 9], [0x40, 1, 0, 4]])
    }

    /// The two highest bits of an unknown parameter say whether it is reported, and whether the rest is read.
    @Test(
        arguments: [(0x3333, true, false), (0x7333, true, true), (0xB333, false, false), (0xF333, false, true)]
            as [(UInt16, Bool, Bool)])
    func unknownParametersAreTreatedByTheirHighestBits(_ type: UInt16, _ stops: Bool, _ reports: Bool) throws {
        var bytes: [UInt8] = []
        bytes.write(chunk: .initiation, length: 32)
        for word in [1, 2, 0x0003_0003, 4] as [UInt32] { bytes.write(word) }
        bytes.write(parameter: type, length: 6)
        bytes += [1, 2, 0, 0]
        bytes.write(parameter: 0xC000, length: 4)
        let parsed = try #require(
            read(bytes) { chunk -> (Handshake, [UInt8])? in
                guard let parsed = HandshakeChunk(chunk) else { return nil }
                return (parsed.handshake, parsed.unrecognized)
            })
        #expect(parsed.0.capabilities.contains(.forwardTSN) == !stops)
        #expect(parsed.1.isEmpty == !reports)
        if reports { #expect(parsed.1 == [UInt8(type >> 8), UInt8(type & 255), 0, 6, 1, 2, 0, 0]) }
    }

    @Test func dataHasTheLayoutOfTheRFC() throws {
        var bytes: [UInt8] = []
        bytes.writeDataHeader(
            flags: [.beginning, .unordered], tsn: TSN(0x0102_0304), stream: 0x0506, ssn: 0x0708, ppid: 51, length: 3)
        bytes += [9, 9, 9]
        #expect(bytes == [0, 6, 0, 19, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 51, 9, 9, 9])
        let payload = try #require(
            read(bytes) { chunk -> [UInt8]? in
                guard let data = DataChunk(chunk), data.flags == [.beginning, .unordered], data.tsn == TSN(0x0102_0304),
                    data.stream == 0x0506, data.ssn == 0x0708, data.ppid == 51
                else { return nil }
                return data.payload.copied
            })
        #expect(payload == [9, 9, 9])
    }

    private func sizes(_ bytes: [UInt8]) -> [Int]? {
        read(bytes) { chunk -> [Int]? in
            guard let sack = SelectiveAcknowledgement(chunk) else { return nil }
            return [sack.blocks.byteCount, sack.duplicates.byteCount]
        }
    }

    @Test func acknowledgementCountsMustFit() {
        let good: [UInt8] = [3, 0, 0, 24, 0, 0, 0, 9, 0, 0, 16, 0, 0, 1, 0, 1, 0, 2, 0, 3, 0, 0, 0, 7]
        #expect(sizes(good) == [4, 4])
        var bad = good
        bad[15] = 2
        #expect(sizes(bad) == nil)
    }

    @Test func resetRequestHasTheLayoutOfTheRFC() throws {
        var bytes: [UInt8] = []
        bytes.writeOutgoingReset(sequence: 1, responseSequence: 2, lastTSN: TSN(3), streams: [7, 8, 9])
        #expect(bytes == [130, 0, 0, 26, 0, 13, 0, 22, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 7, 0, 8, 0, 9, 0, 0])
        let streams = read(bytes) { chunk -> [UInt16]? in
            var parameters = ParameterReader(ByteReader(chunk.value))
            guard let parameter = parameters.next(), let request = OutgoingResetRequest(parameter) else { return nil }
            return request.streams.streamNumbers
        }
        #expect(streams == [7, 8, 9])
        bytes = []
        bytes.writeReconfigurationResponse(sequence: 5, result: .inProgress)
        #expect(bytes == [130, 0, 0, 16, 0, 16, 0, 12, 0, 0, 0, 5, 0, 0, 0, 6])
    }

    @Test func cookieIsTakenOnlyWithItsKey() throws {
        let key = SipHash(key0: 1, key1: 2)
        let cookie = Cookie(
            created: Timestamp(nanoseconds: 77), local: handshake, peer: .none,
            tieTags: Cookie.TieTags(local: 5, peer: 6))
        let bytes = cookie.signed(with: key)
        #expect(bytes.count == Cookie.size)
        #expect(Cookie(bytes.span.bytes, signedWith: key) == cookie)
        #expect(Cookie(bytes.span.bytes, signedWith: SipHash(key0: 1, key1: 3)) == nil)
        for index in bytes.indices {
            var forged = bytes
            forged[index] ^= 1
            #expect(Cookie(forged.span.bytes, signedWith: key) == nil)
            #expect(Cookie(Array(bytes[..<index]).span.bytes, signedWith: key) == nil)
        }
    }

    /// Whatever a chunk or a packet is cut to, reading it ends and an association takes it.
    @Test func everyTruncationIsSurvived() {
        var whole: [[CopiedChunk]] = [
            [data(tsn: 1, [1, 2, 3])], [sack(0, [2...3])], [forward(9, [(1, 2)])],
            [CopiedChunk(type: 4, flags: 0, value: [0, 1, 0, 8, 1, 2, 3, 4])],
            [CopiedChunk(type: 5, flags: 0, value: [0, 1, 0, 8, 1, 2, 3, 4])],
            [CopiedChunk(type: 9, flags: 0, value: [0, 3, 0, 8, 0, 0, 0, 1])],
            [CopiedChunk(type: 7, flags: 0, value: [0, 0, 0, 0])], [CopiedChunk(type: 8, flags: 0, value: [])],
            [CopiedChunk(type: 10, flags: 0, value: pattern(64))], [CopiedChunk(type: 11, flags: 0, value: [])],
            [CopiedChunk(type: 14, flags: 0, value: [])],
            [CopiedChunk(type: 130, flags: 0, value: [0, 13, 0, 18, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1])],
            [CopiedChunk(type: 130, flags: 0, value: [0, 16, 0, 12, 0, 0, 0, 1, 0, 0, 0, 1])],
            [CopiedChunk(type: 77, flags: 0, value: [1, 2, 3])], [CopiedChunk(type: 255, flags: 0, value: [1, 2, 3])],
        ]
        var initiation: [UInt8] = []
        initiation.writeHandshake(.initiation, handshake, cookie: [], unrecognized: [])
        whole.append([CopiedChunk(type: 1, flags: 0, value: Array(initiation.dropFirst(4)))])
        whole.append([CopiedChunk(type: 2, flags: 0, value: Array(initiation.dropFirst(4)) + [0, 7, 0, 4])])
        let link = Link.established { $0.omitsChecksums = false }
        let ours = link.second.association.local.initiateTag
        for chunks in whole {
            for tag in [ours, 0, 1] {
                let bytes = packet(tag: tag, chunks)
                for length in 0...bytes.count {
                    // Once as it is, which the checksum finds, and once with a right checksum and all lengths as they were.
                    var cut = Array(bytes[..<length])
                    link.second.receive(cut, at: link.now)
                    guard length >= 12 else { continue }
                    let checksum = cut.withUnsafeBytes { CRC32c.checksum(ofPacket: $0) }
                    for index in 0..<4 { cut[8 + index] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * index)) }
                    let endpoint = Link.established { $0.omitsChecksums = false }
                    endpoint.second.receive(cut, at: endpoint.now)
                }
            }
        }
        #expect(link.second.counters.malformed > 0)
    }

    @Test func whatIsWrittenIsReadAsItWas() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<300 {
            var made: [CopiedChunk] = []
            for _ in 0..<Int.random(in: 0...5, using: &generator) {
                let value = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }
                made.append(
                    CopiedChunk(
                        type: .random(in: 0...255, using: &generator), flags: .random(in: 0...255, using: &generator),
                        value: value))
            }
            #expect(chunks(of: packet(tag: 9, made)) == made)
        }
    }
}
