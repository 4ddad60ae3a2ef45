import Crypto
import SwiftASN1

/// A certificate of ECDSA on P-256 with its private key: who an endpoint is.
///
/// OpenSSL has no part in it before the first handshake: its libraries take 4 MB of memory once they are used.
public final class DTLSIdentity: Sendable {
    /// The certificate, in PEM.
    public let certificatePEM: String
    /// The private key, in PEM: PKCS #8 (RFC 5958) or SEC 1.
    public let privateKeyPEM: String
    /// The SHA-256 of the certificate in DER, 32 octets (RFC 8122 section 5).
    public let fingerprint: [UInt8]
    let certificate: [UInt8]
    /// The key on its own, in SEC 1's form (RFC 5915).
    let privateKey: [UInt8]

    /// Takes a certificate and its key.
    /// - Parameters:
    ///   - certificatePEM: an X.509 certificate with a key on P-256.
    ///   - privateKeyPEM: the private key, in PKCS #8 or SEC 1, not encrypted.
    /// - Throws: ``DTLSError`` when they are unreadable or do not belong together.
    public init(certificatePEM: String, privateKeyPEM: String) throws(DTLSError) {
        guard let document = try? PEMDocument(pemString: certificatePEM), document.discriminator == "CERTIFICATE" else {
            throw .certificateUnreadable
        }
        guard let key = try? P256.Signing.PrivateKey(pemRepresentation: privateKeyPEM) else {
            throw .privateKeyUnreadable
        }
        // The public key is a run of octets of its own in a certificate (RFC 5480 section 2).
        guard document.derBytes.contains(run: Array(key.publicKey.x963Representation)) else {
            throw .privateKeyMismatch
        }
        self.certificatePEM = certificatePEM
        self.privateKeyPEM = privateKeyPEM
        certificate = document.derBytes
        privateKey = Array(key.derRepresentation)
        fingerprint = Array(SHA256.hash(data: document.derBytes))
    }

    /// Makes a new key and a self-signed certificate of it that is valid from 2000 to 2049.
    ///
    /// A peer compares the fingerprint and nothing else (RFC 8827 section 6.5). The dates are the same always, because a box
    /// without a clock does not know today's.
    /// - Throws: ``DTLSError/signingFailed``.
    public static func generate() throws(DTLSError) -> DTLSIdentity {
        let key = P256.Signing.PrivateKey()
        let certificate = try selfSignedCertificate(of: key)
        return try DTLSIdentity(
            certificatePEM: PEMDocument(type: "CERTIFICATE", derBytes: certificate).pemString + "\n",
            privateKeyPEM: key.pemRepresentation + "\n")
    }

    /// RFC 5280 section 4.1, without extensions. The name is the same always: a WebRTC certificate says nothing of who made
    /// it.
    private static func selfSignedCertificate(of key: P256.Signing.PrivateKey) throws(DTLSError) -> [UInt8] {
        // ecdsa-with-SHA256, 1.2.840.10045.4.3.2 (RFC 5758 section 3.2).
        let algorithm = DER.sequence([0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02])
        // The common name, 2.5.4.3, as a UTF8String.
        let name = DER.sequence(
            DER.encode(0x31, DER.sequence([0x06, 0x03, 0x55, 0x04, 0x03], DER.encode(0x0C, Array("WebRTC".utf8)))))
        // A positive number of eight octets whose first one is not 0 (RFC 5280 section 4.1.2.2).
        let serial = UInt64.random(in: 1 << 56..<1 << 63)
        let body = DER.sequence(
            // Version 3, whose number is 2.
            DER.encode(0xA0, DER.encode(0x02, [2])),
            DER.encode(0x02, withUnsafeBytes(of: serial.bigEndian) { Array($0) }),
            algorithm,
            name,
            DER.sequence(
                DER.encode(0x17, Array("000101000000Z".utf8)), DER.encode(0x17, Array("491231235959Z".utf8))),
            name,
            Array(key.publicKey.derRepresentation))
        guard let signature = try? key.signature(for: body).derRepresentation else { throw .signingFailed }
        // A bit string begins with the number of bits that do not count.
        return DER.sequence(body, algorithm, DER.encode(0x03, [0] + signature))
    }
}

/// Values in the encoding of certificates (ITU-T X.690, DER).
private enum DER {
    static func encode(_ tag: UInt8, _ parts: [UInt8]...) -> [UInt8] {
        encode(tag, parts)
    }

    static func sequence(_ parts: [UInt8]...) -> [UInt8] {
        encode(0x30, parts)
    }

    private static func encode(_ tag: UInt8, _ parts: [[UInt8]]) -> [UInt8] {
        let content = Array(parts.joined())
        let low = UInt8(truncatingIfNeeded: content.count)
        let length =
            switch content.count {
            case ..<0x80: [low]
            case ..<0x100: [0x81, low]
            default: [0x82, UInt8(truncatingIfNeeded: content.count >> 8), low]
            }
        return [tag] + length + content
    }
}

extension [UInt8] {
    fileprivate func contains(run: [UInt8]) -> Bool {
        guard run.count <= count else { return false }
        return (0...count - run.count).contains { self[$0..<$0 + run.count].elementsEqual(run) }
    }
}
