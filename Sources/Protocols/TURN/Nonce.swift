import Crypto
import SansIO
import STUN
import Wire

/// Makes and checks nonces that carry their expiry and are bound to the client's address, so that nothing is stored.
struct NonceSource: Sendable {
    /// What every nonce starts with: the cookie of RFC 8489 section 9.2 and the base64 of the 24 security feature
    /// bits (section 18.1), of which the leftmost, password algorithms, is set.
    static let cookie = "obMatJos2gAAA"

    private let key: SymmetricKey
    private let lifetime: Duration
    private static let tagSize = 10

    /// Makes a source whose nonces no other one accepts.
    init(lifetime: Duration, using generator: inout some RandomNumberGenerator) {
        var bytes = ByteWriter(capacity: 32)
        for _ in 0..<4 { bytes.write(generator.next() as UInt64) }
        key = SymmetricKey(data: bytes.bytes)
        self.lifetime = lifetime
    }

    /// A nonce for a client, good for the source's lifetime from `now`.
    func make(for client: IPAddress, at now: Timestamp) -> [UInt8] {
        let expiry = (now + lifetime).nanoseconds
        var nonce = Array(Self.cookie.utf8)
        withUnsafeBytes(of: expiry.bigEndian) { nonce.appendHex($0) }
        nonce.appendHex(tag(client, expiry))
        return nonce
    }

    /// Whether this source made the nonce for the client and it has not expired.
    func isValid(_ nonce: RawSpan, for client: IPAddress, at now: Timestamp) -> Bool {
        var reader = ByteReader(nonce)
        guard reader.readBytes(Self.cookie.utf8.count)?.elementsEqual(Self.cookie.utf8) == true else { return false }
        var expiry: UInt64 = 0
        for _ in 0..<16 {
            guard let digit = reader.readUInt8().flatMap(Self.value(ofHex:)) else { return false }
            expiry = expiry << 4 | UInt64(digit)
        }
        guard reader.remaining == 2 * Self.tagSize else { return false }
        var difference: UInt8 = 0
        for octet in tag(client, expiry) {
            guard let high = reader.readUInt8().flatMap(Self.value(ofHex:)),
                let low = reader.readUInt8().flatMap(Self.value(ofHex:))
            else { return false }
            difference |= octet ^ (high << 4 | low)
        }
        return difference == 0 && Timestamp(nanoseconds: expiry) > now
    }

    private func tag(_ client: IPAddress, _ expiry: UInt64) -> ArraySlice<UInt8> {
        var message = ByteWriter(capacity: 24)
        switch client {
        case .v4(let value): message.write(value)
        case .v6(let high, let low):
            message.write(high)
            message.write(low)
        }
        message.write(expiry)
        return Array(HMAC<SHA256>.authenticationCode(for: message.bytes, using: key)).prefix(Self.tagSize)
    }

    private static func value(ofHex digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x61 + 10
        default: nil
        }
    }
}

extension [UInt8] {
    fileprivate mutating func appendHex(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            for digit in [byte >> 4, byte & 15] { append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10) }
        }
    }
}
