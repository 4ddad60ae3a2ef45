import Testing
import WebSocket

@Suite struct WebSocketFrameTests {
    @Test(arguments: [0, 1, 125, 126, 127, 65535, 65536, 1 << 40])
    func `a header is read as it was written, and no truncation of it is`(_ count: Int) throws {
        for (opcode, isFinal, mask) in [
            (WebSocketOpcode.text, true, nil), (.binary, false, 0x0102_0304), (.continuation, true, .max),
        ] as [(WebSocketOpcode, Bool, UInt32?)] {
            let header = WebSocketFrameHeader(opcode, isFinal: isFinal, mask: mask, payloadByteCount: count)
            var bytes: [UInt8] = []
            header.write(to: &bytes)
            #expect(bytes.count == header.byteCount && bytes.count <= WebSocketFrameHeader.maximumByteCount)
            #expect(try WebSocketFrameHeader(parsing: (bytes + [1, 2, 3]).span.bytes) == header)
            for end in bytes.indices {
                #expect(try WebSocketFrameHeader(parsing: bytes.span.bytes.extracting(0..<end)) == nil)
            }
        }
    }

    @Test func `a server's frames are whole and not masked`() {
        var bytes: [UInt8] = []
        bytes.appendWebSocketFrame(.text, Array("Hello".utf8).span.bytes)
        bytes.appendWebSocketFrame(.ping, [UInt8]().span.bytes)
        // RFC 6455 section 5.7.
        #expect(bytes == [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x89, 0x00])
    }

    @Test func `a close frame holds its code and as much of its reason as fits`() {
        var bytes: [UInt8] = []
        bytes.appendWebSocketClose(.normal, reason: "bye")
        #expect(bytes == [0x88, 0x05, 0x03, 0xE8] + Array("bye".utf8))
        bytes = []
        bytes.appendWebSocketClose(.messageTooBig, reason: String(repeating: "é", count: 100))
        #expect(bytes.count == 2 + 2 + 122, "no character is cut")
        #expect(bytes[1] == 124 && String(validating: bytes[4...], as: UTF8.self) != nil)
    }

    @Test func `every failure has a code that may be sent and words that fit`() {
        let failures: [WebSocketFailure] = [
            .unmaskedFrame, .reservedBits, .unknownOpcode, .malformedLength, .malformedControlFrame, .misplacedFragment,
            .malformedClose, .invalidUTF8, .messageTooBig(limit: .max),
        ]
        for failure in failures {
            #expect(failure.closeCode.isSendable)
            #expect((1...123).contains(failure.reason.utf8.count))
        }
        #expect(WebSocketFailure.invalidUTF8.closeCode.rawValue == 1007)
        #expect(WebSocketFailure.messageTooBig(limit: 1).closeCode.rawValue == 1009)
        #expect(WebSocketFailure.unmaskedFrame.closeCode.rawValue == 1002)
    }
}
