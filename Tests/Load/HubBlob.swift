/// What the hub's blob says: `g1|<ufrag>|<pwd>|<fingerprint>|<addr>~<port>|…`, in a g2 blob with TURN before the addresses.
struct HubBlob {
    let fragment: String
    let password: String
    /// The SHA-256 of the certificate.
    let fingerprint: [UInt8]

    init(_ text: String) throws {
        let fields = text.split(separator: "|", omittingEmptySubsequences: false)
        guard fields.count >= 5, fields[0] == "g1" || fields[0] == "g2" else {
            throw Failure("'\(text)' is not a hub's blob")
        }
        fragment = String(fields[1])
        password = String(fields[2])
        fingerprint = Self.decode(fields[3])
        guard fingerprint.count == 32 else { throw Failure("'\(fields[3])' is not a fingerprint") }
    }

    /// Unpadded base64 with the URL-safe alphabet (RFC 4648 section 5).
    private static func decode(_ text: Substring) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for character in text.utf8 {
            guard let value = alphabet.firstIndex(of: character) else { return [] }
            bits = bits << 6 | UInt32(value)
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return bytes
    }
}
