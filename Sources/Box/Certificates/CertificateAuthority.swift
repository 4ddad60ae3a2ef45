import Crypto
import FoundationEssentials
import SwiftASN1
import Wire
import X509

/// The box's own certificate authority: a key and a self-signed certificate that owners install on their phones.
struct CertificateAuthority: Sendable {
    let certificate: Certificate
    let key: Certificate.PrivateKey
    /// The certificate in DER.
    let der: [UInt8]

    /// Makes an authority with a new key (P-256, which every browser takes and which signs fastest on a small machine).
    init(validity: Validity) throws {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        // The name tells one box's authority from another's in a phone's list.
        let digest = SHA256.hash(data: key.publicKey.subjectPublicKeyInfoBytes).prefix(4)
        let code = hexadecimal(digest).uppercased()
        let name = try DistinguishedName {
            OrganizationName("Kibitz Local")
            CommonName("Kibitz Local \(code.prefix(4))-\(code.suffix(4))")
        }
        let constraints = NameConstraints(
            permittedDNSDomains: PermittedNames.domains,
            permittedIPRanges: PermittedNames.networks.map { ASN1OctetString(contentBytes: $0.constraint[...]) })
        let certificate = try Certificate(
            version: .v3, serialNumber: .unpredictable(), publicKey: key.publicKey,
            notValidBefore: Date(timeIntervalSince1970: Double(validity.notBefore)),
            notValidAfter: Date(timeIntervalSince1970: Double(validity.notAfter)),
            issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                // RFC 5280, section 4.2.1.9: no authority below this one.
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true))
                Critical(constraints)
                SubjectKeyIdentifier(hash: key.publicKey)
            },
            issuerPrivateKey: key)
        try self.init(certificate: certificate, key: key)
    }

    private init(certificate: Certificate, key: Certificate.PrivateKey) throws {
        self.certificate = certificate
        self.key = key
        der = try certificate.der()
    }

    /// The name in a phone's list.
    var name: String {
        let attribute = certificate.subject.lazy.joined().first { $0.type == .RDNAttributeType.commonName }
        return attribute.flatMap { String($0.value) } ?? "Kibitz Local"
    }

    /// Reads an authority as ``pem()`` wrote it; nil when it is damaged.
    init?(pem: [UInt8]) {
        guard let identity = CertificateIdentity(pem: pem),
            let authority = try? Self(certificate: identity.certificate, key: identity.key),
            authority.certificate.publicKey.isValidSignature(
                authority.certificate.signature, for: authority.certificate)
        else { return nil }
        self = authority
    }

    func pem() throws -> [UInt8] { try CertificateIdentity(certificate: certificate, key: key).pem() }

    var validity: Validity { certificate.validity }

    /// Issues a server's certificate with a new key.
    func issue(for names: CertificateNames, validity: Validity) throws -> CertificateIdentity {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let certificate = try Certificate(
            version: .v3, serialNumber: .unpredictable(), publicKey: key.publicKey,
            notValidBefore: Date(timeIntervalSince1970: Double(validity.notBefore)),
            notValidAfter: Date(timeIntervalSince1970: Double(validity.notAfter)),
            issuer: self.certificate.subject, subject: try DistinguishedName { CommonName("Kibitz Local") },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                // Apple requires the usage (support.apple.com/103769).
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(
                    names.hosts.map { .dnsName($0) }
                        + names.addresses.map { .ipAddress(ASN1OctetString(contentBytes: $0.octets[...])) })
                SubjectKeyIdentifier(hash: key.publicKey)
                AuthorityKeyIdentifier(
                    keyIdentifier: SubjectKeyIdentifier(hash: self.certificate.publicKey).keyIdentifier)
            },
            issuerPrivateKey: self.key)
        return CertificateIdentity(certificate: certificate, key: key)
    }

    /// Whether the authority issued `certificate`.
    func issued(_ certificate: Certificate) -> Bool {
        certificate.issuer == self.certificate.subject
            && self.certificate.publicKey.isValidSignature(certificate.signature, for: certificate)
    }
}

/// A certificate and its private key, kept together in one file so that they change together.
struct CertificateIdentity: Sendable {
    let certificate: Certificate
    let key: Certificate.PrivateKey

    init(certificate: Certificate, key: Certificate.PrivateKey) {
        self.certificate = certificate
        self.key = key
    }

    /// Reads what ``pem()`` wrote; nil when it is damaged.
    init?(pem: [UInt8]) {
        guard let documents = try? PEMDocument.parseMultiple(pemString: String(decoding: pem, as: UTF8.self)),
            documents.count == 2, let certificate = try? Certificate(pemDocument: documents[0]),
            let key = try? Certificate.PrivateKey(pemDocument: documents[1]), key.publicKey == certificate.publicKey
        else { return nil }
        self.init(certificate: certificate, key: key)
    }

    /// The certificate and then the key, in PEM.
    func pem() throws -> [UInt8] {
        let text = try certificate.serializeAsPEM().pemString + "\n" + key.serializeAsPEM().pemString + "\n"
        return Array(text.utf8)
    }
}

extension Certificate {
    /// The certificate in DER.
    func der() throws -> [UInt8] {
        var serializer = DER.Serializer()
        try serializer.serialize(self)
        return serializer.serializedBytes
    }

    var validity: Validity {
        Validity(
            notBefore: Int64(notValidBefore.timeIntervalSince1970), notAfter: Int64(notValidAfter.timeIntervalSince1970)
        )
    }

    /// The host names and addresses of the subject alternative names.
    var names: CertificateNames {
        var names = CertificateNames()
        for name in (try? extensions.subjectAlternativeNames) ?? SubjectAlternativeNames() {
            if case .dnsName(let host) = name {
                names.hosts.append(host.lowercased())
            } else if case .ipAddress(let octets) = name, let address = IPAddress(octets: octets.bytes) {
                names.addresses.append(address)
            }
        }
        return names
    }
}

extension Certificate.SerialNumber {
    /// 127 random bits: positive, and within the 20 octets that RFC 5280, section 4.1.2.2, allows, whatever they are.
    static func unpredictable() -> Self {
        var generator = SystemRandomNumberGenerator()
        var bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
        bytes[0] = bytes[0] & 0x7F | 0x40
        return Self(bytes: bytes)
    }
}

extension IPNetwork {
    /// The form of an address range in name constraints: the address, then the mask (RFC 5280, section 4.2.1.10).
    var constraint: [UInt8] {
        let octets = base.octets
        let mask = octets.indices.map { index in
            UInt8(truncatingIfNeeded: 0xFF00 >> min(max(prefixLength - index * 8, 0), 8))
        }
        return octets + mask
    }
}

/// Bytes as lower-case hexadecimal digits.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.reduce(into: "") { text, byte in
        if byte < 16 { text += "0" }
        text += String(byte, radix: 16)
    }
}
