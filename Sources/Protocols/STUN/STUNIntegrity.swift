import Crypto
import Wire

/// How a client and a server make the key of long-term credentials (RFC 8489 section 18.5).
public struct STUNPasswordAlgorithm: RawRepresentable, Hashable, Sendable {
    /// The algorithm's number.
    public let rawValue: UInt16

    /// Makes an algorithm, known or not.
    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// MD5, for clients of RFC 5389.
    public static let md5 = STUNPasswordAlgorithm(rawValue: 0x0001)
    /// SHA-256.
    public static let sha256 = STUNPasswordAlgorithm(rawValue: 0x0002)
}

/// The key of a message's integrity (RFC 8489 section 9).
///
/// Names and passwords are used as they are: the OpaqueString profile (RFC 8265) maps only characters outside ASCII, and
/// is the caller's to apply where such characters may occur.
public struct STUNKey: Sendable {
    private let key: SymmetricKey

    /// The key of short-term credentials: the password itself (RFC 8489 section 9.1.1).
    public init(shortTerm password: String) {
        key = SymmetricKey(data: Array(password.utf8))
    }

    /// The key of long-term credentials: a hash of `username:realm:password` (RFC 8489 sections 18.5.1.1 and 18.5.1.2).
    /// - Parameters:
    ///   - algorithm: which hash.
    ///   - username: who authenticates.
    ///   - realm: the server's realm.
    ///   - password: the secret.
    /// - Returns: nil for an algorithm that is not known.
    public init?(longTerm algorithm: STUNPasswordAlgorithm, username: String, realm: String, password: String) {
        let text = Array("\(username):\(realm):\(password)".utf8)
        switch algorithm {
        case .md5: key = SymmetricKey(data: Array(Insecure.MD5.hash(data: text)))
        case .sha256: key = SymmetricKey(data: Array(SHA256.hash(data: text)))
        default: return nil
        }
    }

    /// The HMAC-SHA1 of a message's first bytes, its header's length replaced by `length`.
    func sha1(_ message: RawSpan, announcing length: UInt16) -> [UInt8] {
        authenticate(Insecure.SHA1.self, message, announcing: length)
    }

    /// The HMAC-SHA256 of a message's first bytes, its header's length replaced by `length`.
    func sha256(_ message: RawSpan, announcing length: UInt16) -> [UInt8] {
        authenticate(SHA256.self, message, announcing: length)
    }

    private func authenticate<Hash: HashFunction>(
        _: Hash.Type, _ message: RawSpan, announcing length: UInt16
    ) -> [UInt8] {
        var code = HMAC<Hash>(key: key)
        message.withUnsafeBytes { bytes in
            guard bytes.count >= STUNHeader.size else { return }
            code.update(data: bytes[..<2])
            code.update(data: [UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length)])
            code.update(data: bytes[4...])
        }
        return Array(code.finalize())
    }

    /// What USERHASH holds for a user: SHA-256 of `username:realm` (RFC 8489 section 14.4).
    public static func userhash(username: String, realm: String) -> [UInt8] {
        Array(SHA256.hash(data: Array("\(username):\(realm)".utf8)))
    }
}

extension STUNMessage {
    /// Whether MESSAGE-INTEGRITY is there and right (RFC 8489 section 14.5). The time it takes tells nothing of the key.
    public func isIntact(key: STUNKey) -> Bool {
        guard hasIntegrity, let value = value(at: integrityOffset), value.byteCount == 20 else { return false }
        // Attributes behind this one are not covered: the length ends with it.
        let length = UInt16(truncatingIfNeeded: integrityOffset + 4 + 20 - STUNHeader.size)
        return value.equalsInConstantTime(key.sha1(bytes.extracting(0..<integrityOffset), announcing: length))
    }

    /// Whether MESSAGE-INTEGRITY-SHA256 is there and right (RFC 8489 section 14.6). The time it takes tells nothing of
    /// the key.
    public func isIntactSHA256(key: STUNKey) -> Bool {
        guard hasIntegritySHA256, let value = value(at: integritySHA256Offset),
            value.byteCount >= 16, value.byteCount <= 32, value.byteCount % 4 == 0
        else { return false }
        let length = UInt16(truncatingIfNeeded: integritySHA256Offset + 4 + value.byteCount - STUNHeader.size)
        let code = key.sha256(bytes.extracting(0..<integritySHA256Offset), announcing: length)
        return value.equalsInConstantTime(code.prefix(value.byteCount))
    }

    /// Whether FINGERPRINT is there, last, and right (RFC 8489 section 14.7).
    public var isFingerprintValid: Bool {
        guard hasFingerprint, fingerprintOffset + 8 == bytes.byteCount,
            let value = value(at: fingerprintOffset), value.byteCount == 4
        else { return false }
        var reader = ByteReader(value)
        let length = UInt16(truncatingIfNeeded: header.length)
        return reader.readUInt32()
            == STUNFingerprint.value(bytes.extracting(0..<fingerprintOffset), announcing: length)
    }

    @_lifetime(copy self)
    private func value(at offset: Int) -> RawSpan? {
        var reader = ByteReader(bytes)
        guard reader.skip(offset + 2), let length = reader.readUInt16() else { return nil }
        return reader.readBytes(Int(length))
    }
}

extension RawSpan {
    fileprivate func equalsInConstantTime(_ other: some Collection<UInt8>) -> Bool {
        guard byteCount == other.count else { return false }
        return withUnsafeBytes { bytes in
            zip(bytes, other).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
        }
    }
}

/// The checksum of FINGERPRINT (RFC 8489 section 14.7).
enum STUNFingerprint {
    /// The CRC-32 (ISO 3309) of a message's first bytes, its header's length replaced by `length`, XORed with "STUN".
    static func value(_ message: RawSpan, announcing length: UInt16) -> UInt32 {
        let crc = message.withUnsafeBytes { bytes in
            let table = Self.table
            var crc = UInt32.max
            for (index, byte) in bytes.enumerated() {
                let octet: UInt8 =
                    switch index {
                    case 2: UInt8(truncatingIfNeeded: length >> 8)
                    case 3: UInt8(truncatingIfNeeded: length)
                    default: byte
                    }
                crc = crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ octet)]
            }
            return ~crc
        }
        return crc ^ 0x5354_554E
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 0 ? crc >> 1 : crc >> 1 ^ 0xEDB8_8320 }
    }
}
