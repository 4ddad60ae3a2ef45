/// The ids the box gives out.
public enum Identifiers {
    /// What every member's id begins with, and no other client's may.
    public static let memberPrefix = "kl-"

    /// A fresh member's id: `kl-` and 80 random bits in lower-case base32.
    /// - Parameter generator: a cryptographically secure generator.
    public static func freshMember(using generator: inout some RandomNumberGenerator) -> String {
        memberPrefix + Base32.encode(randomBytes(10, using: &generator))
    }

    /// A fresh id for a PeerJS client: a version 4 UUID in text (RFC 9562 section 5.4), as PeerServer gives out.
    /// - Parameter generator: a cryptographically secure generator.
    public static func freshPeer(using generator: inout some RandomNumberGenerator) -> String {
        var bytes = randomBytes(16, using: &generator)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        var text = ""
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text.append("-") }
            if byte < 16 { text.append("0") }
            text += String(byte, radix: 16)
        }
        return text
    }
}
