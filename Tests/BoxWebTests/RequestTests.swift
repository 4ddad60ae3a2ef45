import NIOCore
import NIOEmbedded
import NIOWebSocket
import Testing

@testable import BoxWeb

@Suite struct RequestTests {
    @Test(arguments: [
        ("plain", "plain"), ("a%20b+c", "a b c"), ("%C3%A9", "é"), ("", ""), ("%2b%2B", "++"),
    ])
    func `percent-encoded text is decoded`(_ encoded: String, _ decoded: String) {
        #expect(percentDecoded(encoded[...]) == decoded)
    }

    @Test(arguments: ["%", "%4", "%zz", "%+1", "%C3", "%ff%fe"])
    func `wrong percent-encoding is refused`(_ encoded: String) {
        #expect(percentDecoded(encoded[...]) == nil)
    }

    @Test func `an address is limited on its own, and remembered addresses are bounded`() {
        let limiter = AddressRateLimiter(rate: 0.001, burst: 3)
        #expect((0..<5).map { _ in limiter.allows("10.0.0.1") } == [true, true, true, false, false])
        #expect(limiter.allows("10.0.0.2"))
        for number in 0...AddressRateLimiter.maxAddresses { _ = limiter.allows("\(number)") }
        #expect(limiter.allows("10.0.0.1"), "beyond the limit all are forgotten")
    }

    @Test func `every file of the page has a type browsers accept`() {
        #expect(mediaType(of: "app/main.js").hasPrefix("text/javascript"))
        #expect(mediaType(of: "manifest.webmanifest") == "application/manifest+json")
        #expect(mediaType(of: "unknown") == "application/octet-stream")
    }
}

@Suite struct WebSocketFramingTests {
    @Test(arguments: [0, 1, 3, 4, 7, 8, 9, 15, 16, 17, 1500])
    func `a mask comes off at every length, behind what is there already`(_ count: Int) {
        let key = WebSocketMaskingKey([0x37, 0xFA, 0x21, 0x3D])!
        let plain = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let masked = ByteBuffer(bytes: plain.enumerated().map { $1 ^ key[$0 & 3] })
        var buffer = ByteBuffer(string: "before")
        buffer.writeUnmasked(masked, key)
        #expect(Array(buffer.readableBytesView) == Array("before".utf8) + plain)
    }

    @Test(arguments: [0, 1, 125, 126, 127, 65535, 65536, 70000])
    func `a text frame is read by the library's decoder`(_ count: Int) throws {
        let text = [UInt8](repeating: 0x61, count: count)
        var buffer = ByteBuffer()
        buffer.writeTextFrame(text[...])
        buffer.writeTextFrame([0x62])
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: 1 << 20)))
        try channel.writeInbound(buffer)
        let first = try #require(try channel.readInbound(as: WebSocketFrame.self))
        #expect(first.fin && first.opcode == .text && first.maskKey == nil)
        #expect(Array(first.data.readableBytesView) == text)
        let second = try #require(try channel.readInbound(as: WebSocketFrame.self))
        #expect(Array(second.data.readableBytesView) == [0x62])
    }
}
