import Testing
import WebSocket

@Suite struct WebSocketHandshakeTests {
    /// RFC 6455 section 1.3.
    @Test func `the example of the standard is answered`() {
        #expect(WebSocketHandshake.accept(forKey: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test(arguments: [
        "", "short==", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZQ=A",
        "dGhlIHNhbXBs ZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZ-==", "dGhlIHNhbXBsZSBub25jZSBi",
    ])
    func `what is not 16 bytes in base64 is no key`(_ key: String) {
        #expect(WebSocketHandshake.accept(forKey: key) == nil)
    }
}
