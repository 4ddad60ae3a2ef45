import Crypto

/// The server's part of the opening handshake (RFC 6455, section 4.2).
public enum WebSocketHandshake {
    /// The one version of the protocol there is (section 4.1).
    public static let version = "13"

    /// Answers a client's key, which proves that the server speaks WebSocket (section 4.2.2, item 5.4).
    /// - Parameter key: the value of `Sec-WebSocket-Key`.
    /// - Returns: the value of `Sec-WebSocket-Accept`; nil when the key is not 16 bytes in base64 (section 4.2.1).
    public static func accept(forKey key: String) -> String? {
        let characters = Array(key.utf8)
        // 16 bytes are 22 characters, of which the last stands for two bits, and the padding.
        guard characters.count == 24, characters.suffix(2).elementsEqual("==".utf8),
            characters.dropLast(2).allSatisfy(alphabet.contains)
        else { return nil }
        var hash = Insecure.SHA1()
        hash.update(data: characters)
        hash.update(data: Array("258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))
        return base64(Array(hash.finalize()))
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Base64 with padding (RFC 4648, section 4).
    private static func base64(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                let isPadding = place > group.count
                text.append(isPadding ? UInt8(ascii: "=") : alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
