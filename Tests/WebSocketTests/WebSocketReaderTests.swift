import Testing
import TestSupport
import WebSocket

@Suite struct WebSocketReaderTests {
    @Test(arguments: [0, 1, 3, 7, 8, 9, 125, 126, 127, 1500, 65535, 65536, 70000])
    func `a message of any length arrives with its mask taken off`(_ count: Int) {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) & 0x7F }
        let frame = ClientFrame(payload: payload)
        #expect(read(frame.bytes) == [.text(payload)])
        #expect(read(ClientFrame(opcode: .binary, payload: payload).bytes) == [.binary(payload)])
    }

    /// RFC 6455 section 5.7.
    @Test func `the example of the standard is read`() {
        #expect(
            read([0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]) == [.text("Hello")])
    }

    /// Everything a reader knows: short and long frames, control frames between fragments, then the end.
    private static let conversation: (bytes: [UInt8], arrivals: [Arrival]) = {
        let long = String(repeating: "long ", count: 60)
        let frames: [ClientFrame] = [
            .text("first"), ClientFrame(opcode: .ping, payload: [1, 2, 3]), .text(long), .text("Grüße 👋"),
            .text("one ", isFinal: false), ClientFrame(opcode: .pong, payload: []),
            .continuation("two ", isFinal: false), ClientFrame(opcode: .ping, payload: []), .continuation("three"),
            ClientFrame(opcode: .binary, isFinal: false, payload: [0xFF]),
            ClientFrame(opcode: .continuation, payload: [0xFE]), .text(""), .close(1001, "gone"),
        ]
        return (
            frames.flatMap(\.bytes),
            [
                .text("first"), .ping([1, 2, 3]), .text(long), .text("Grüße 👋"), .pong([]), .ping([]),
                .text("one two three"), .binary([0xFF, 0xFE]), .text(""),
                .close(1001, [0x03, 0xE9] + Array("gone".utf8)),
            ]
        )
    }()

    @Test func `what comes in one piece, cut anywhere, or byte by byte is the same`() {
        let (bytes, arrivals) = Self.conversation
        #expect(read(bytes) == arrivals)
        for cut in 0...bytes.count { #expect(read(bytes, endingAt: [cut]) == arrivals, "cut at \(cut)") }
        #expect(read(bytes, endingAt: Array(0..<bytes.count)) == arrivals)
    }

    @Test func `what has come is told at once, and what has not is waited for`() {
        let (bytes, arrivals) = Self.conversation
        for count in 0..<bytes.count {
            let early = read(Array(bytes[..<count]))
            #expect(early.count < arrivals.count && early.elementsEqual(arrivals[..<early.count]), "\(count) bytes")
        }
    }

    @Test(arguments: 0..<200)
    func `random cuts change nothing`(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let (bytes, arrivals) = Self.conversation
        let cuts = (0..<Int.random(in: 1...40, using: &generator))
            .map { _ in Int.random(in: 0...bytes.count, using: &generator) }.sorted()
        #expect(read(bytes, endingAt: cuts) == arrivals, "seed \(seed)")
    }

    /// Bytes that are no WebSocket must end it or be waited for, and never trap.
    @Test(arguments: 0..<500)
    func `random bytes end in a failure, a close, or silence`(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var bytes = ClientFrame.text("a beginning").bytes
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
        bytes += (0..<200).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let whole = read(bytes, limit: 1000)
        #expect(read(bytes, endingAt: Array(0..<bytes.count), limit: 1000) == whole, "seed \(seed)")
        for arrival in whole.dropLast() {
            switch arrival {
            case .close, .failed: Issue.record("something came after the end, seed \(seed)")
            case .text, .binary, .ping, .pong: break
            }
        }
    }

    // MARK: What ends a connection

    @Test(arguments: [
        (ClientFrame(mask: nil, payload: [1]).bytes, WebSocketFailure.unmaskedFrame),
        ([0xC1, 0x80, 0, 0, 0, 0], .reservedBits), ([0xA1, 0x80, 0, 0, 0, 0], .reservedBits),
        ([0x91, 0x80, 0, 0, 0, 0], .reservedBits),
        ([0x83, 0x80, 0, 0, 0, 0], .unknownOpcode), ([0x8B, 0x80, 0, 0, 0, 0], .unknownOpcode),
        ([0x81, 0xFE, 0, 125, 0, 0, 0, 0], .malformedLength),
        ([0x81, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0], .malformedLength),
        ([0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], .malformedLength),
        ([0x89, 0xFE, 0, 126], .malformedControlFrame),
        (ClientFrame(opcode: .ping, isFinal: false).bytes, .malformedControlFrame),
        (ClientFrame.continuation("piece").bytes, .misplacedFragment),
        (ClientFrame.text("a", isFinal: false).bytes + ClientFrame.text("b").bytes, .misplacedFragment),
        (
            ClientFrame.text("a", isFinal: false).bytes + ClientFrame(opcode: .binary, payload: []).bytes,
            .misplacedFragment
        ),
        (ClientFrame(opcode: .close, payload: [3]).bytes, .malformedClose),
        (ClientFrame.close(999).bytes, .malformedClose), (ClientFrame.close(1005).bytes, .malformedClose),
        (ClientFrame.close(1006).bytes, .malformedClose), (ClientFrame.close(1015).bytes, .malformedClose),
        (ClientFrame.close(2999).bytes, .malformedClose), (ClientFrame.close(5000).bytes, .malformedClose),
        (ClientFrame(opcode: .close, payload: [3, 0xE8, 0xFF]).bytes, .invalidUTF8),
    ])
    func `a broken frame ends the connection, and nothing comes after it`(
        _ bytes: [UInt8], _ failure: WebSocketFailure
    ) {
        let rest = ClientFrame.text("more").bytes
        #expect(read(bytes + rest) == [.failed(failure)])
        #expect(read(bytes + rest, endingAt: Array(0...bytes.count)) == [.failed(failure)])
    }

    @Test(
        arguments: [
            [0xFF], [0xC3], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82],
            Array("fine until ".utf8) + [0x80],
        ] as [[UInt8]])
    func `text that is not UTF-8 ends the connection, in one piece and in several`(_ text: [UInt8]) {
        #expect(read(ClientFrame(payload: text).bytes) == [.failed(.invalidUTF8)])
        let pieces =
            ClientFrame(isFinal: false, payload: text).bytes + ClientFrame(opcode: .continuation, payload: []).bytes
        #expect(read(pieces) == [.failed(.invalidUTF8)])
        #expect(read(ClientFrame(opcode: .binary, payload: text).bytes) == [.binary(text)])
    }

    @Test func `a character may be cut by a fragment's end`() {
        let euro = Array("€".utf8)
        let bytes =
            ClientFrame(isFinal: false, payload: Array(euro[..<1])).bytes
            + ClientFrame(opcode: .continuation, payload: Array(euro[1...])).bytes
        #expect(read(bytes) == [.text("€")])
    }

    @Test(arguments: [1000, 1001, 1002, 1003, 1007, 1011, 3000, 4999] as [UInt16])
    func `a close frame is told with its code`(_ code: UInt16) {
        let frame = ClientFrame.close(code, "words")
        #expect(read(frame.bytes) == [.close(code, frame.payload)])
    }

    @Test func `a close frame may have no code`() {
        #expect(read(ClientFrame(opcode: .close).bytes) == [.close(nil, [])])
    }

    // MARK: Limits

    @Test func `a message may have as many bytes as it may, and no more`() {
        let failure = Arrival.failed(.messageTooBig(limit: 10))
        #expect(read(ClientFrame.text("0123456789").bytes, limit: 10) == [.text("0123456789")])
        #expect(read(ClientFrame.text("0123456789a").bytes, limit: 10) == [failure])
        let pieces = ClientFrame.text("01234", isFinal: false).bytes
        #expect(read(pieces + ClientFrame.continuation("56789").bytes, limit: 10) == [.text("0123456789")])
        #expect(read(pieces + ClientFrame.continuation("56789a").bytes, limit: 10) == [failure])
    }

    @Test func `an announcement of too much is refused before it comes`() {
        // 2^63 - 1 bytes.
        let header: [UInt8] = [0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]
        #expect(read(header) == [.failed(.messageTooBig(limit: 1 << 20))])
    }

    @Test func `control frames have a limit of their own`() {
        let payload = [UInt8](repeating: 7, count: 125)
        #expect(read(ClientFrame(opcode: .ping, payload: payload).bytes, limit: 10) == [.ping(payload)])
    }
}
