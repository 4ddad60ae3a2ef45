import Crypto
import Foundation
import SwiftASN1
import Testing
import Wire
import X509

@testable import BoxCertificates

@Suite struct CertificateAuthorityTests {
    let directory: TemporaryDirectory
    let authority: CertificateAuthority
    let now = Int64(Date().timeIntervalSince1970)

    init() throws {
        directory = try TemporaryDirectory()
        authority = try CertificateAuthority(
            validity: Dating.authority(at: ClockReading(seconds: now, isSynchronized: true)))
        _ = try directory.put(PEMDocument(type: "CERTIFICATE", derBytes: authority.der).pemString, at: "ca.pem")
    }

    /// Has OpenSSL judge a certificate of the authority for `names`.
    private func verify(
        _ names: CertificateNames, _ options: [String] = [], at validity: Validity? = nil
    ) throws -> (status: Int32, output: String) {
        let server = try authority.issue(
            for: names, validity: validity ?? Dating.server(at: now, within: authority.validity))
        let file = try directory.put(server.certificate.serializeAsPEM().pemString, at: "server.pem")
        let process = [
            "openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "\(directory.path)/ca.pem",
        ]
        return try run(process + options + [file])
    }

    @Test func openSSLAcceptsWhatTheAuthorityIsFor() throws {
        let wanted = PermittedNames.select(
            hosts: ["Kibitz.local", "box.kibitz.local."],
            addresses: [
                .v4(0x0A00_0001), .v4(0xAC10_0001), .v4(0xC0A8_0105), .v4(0xA9FE_0102),
                .v6(0xFD00_0000_0000_0000, 7), .v6(0xFE80_0000_0000_0000, 7),
            ])
        #expect(wanted.refused.isEmpty)
        for option in [
            ["-verify_hostname", "kibitz.local"], ["-verify_hostname", "box.kibitz.local"],
            ["-verify_hostname", "localhost"], ["-verify_ip", "192.168.1.5"], ["-verify_ip", "10.0.0.1"],
            ["-verify_ip", "127.0.0.1"], ["-verify_ip", "::1"], ["-verify_ip", "fd00::7"], ["-verify_ip", "fe80::7"],
        ] {
            let result = try verify(wanted.names, option)
            #expect(result.status == 0, "\(option): \(result.output)")
        }
        let other = try verify(wanted.names, ["-verify_hostname", "other.local"])
        #expect(other.status != 0 && other.output.contains("hostname mismatch"))
    }

    @Test(arguments: [
        CertificateNames(hosts: ["www.example.org"]), CertificateNames(hosts: ["notlocal"]),
        CertificateNames(hosts: ["local.example"]), CertificateNames(addresses: [.v4(0x0808_0808)]),
        CertificateNames(addresses: [.v4(0xAC20_0001)]), CertificateNames(addresses: [.v6(0x2001_0DB8_0000_0000, 1)]),
        CertificateNames(hosts: ["kibitz.local", "example.org"]),
    ])
    func evenWithTheKeyNothingElseCanBeVouchedFor(names: CertificateNames) throws {
        let result = try verify(names)
        #expect(result.status != 0)
        #expect(result.output.contains("permitted subtree violation"), "\(result.output)")
    }

    @Test func namesOutsideAreNotEvenTried() {
        let wanted = PermittedNames.select(
            hosts: ["box.example.org", "a b.local", "-a.local", ".local", "*.local", "localhost"],
            addresses: [.v4(0x0808_0808), .v4(0xC0A8_0105)])
        #expect(wanted.names.hosts == ["localhost"])
        #expect(wanted.names.addresses == [.v4(0x7F00_0001), .v6(0, 1), .v4(0xC0A8_0105)])
        #expect(wanted.refused == ["box.example.org", "a b.local", "-a.local", ".local", "*.local", "8.8.8.8"])
    }

    @Test func oneCertificateIsBounded() {
        let wanted = PermittedNames.select(
            hosts: (0..<1000).map { "h\($0).local" }, addresses: (0..<1000).map { .v4(0x0A00_0000 + $0) })
        #expect(wanted.names.hosts.count == PermittedNames.limit)
        #expect(wanted.names.addresses.count == PermittedNames.limit)
    }

    @Test func theAuthorityCannotMakeAnotherOne() throws {
        let text = try run("openssl", "x509", "-in", "\(directory.path)/ca.pem", "-noout", "-text").output
        #expect(text.contains("CA:TRUE, pathlen:0"))
        #expect(text.contains("X509v3 Name Constraints: critical"))
        #expect(text.contains("prime256v1"))
        #expect(text.contains("IP:192.168.0.0/255.255.0.0"))
        #expect(text.contains("IP:172.16.0.0/255.240.0.0"))
        #expect(text.contains("Not Before: Jan  1 00:00:00 2025 GMT"))
    }

    @Test func appleSystemsTakeTheServersCertificate() throws {
        let server = try authority.issue(
            for: CertificateNames(hosts: ["kibitz.local"]), validity: Dating.server(at: now, within: authority.validity)
        )
        let span = server.certificate.validity.notAfter - server.certificate.validity.notBefore
        #expect(span <= 825 * Validity.day)
        #expect(try server.certificate.extensions.extendedKeyUsage == ExtendedKeyUsage([.serverAuth]))
        #expect(server.certificate.signatureAlgorithm == .ecdsaWithSHA256)
    }

    /// Firefox's library and, on Linux, the trust store of Chromium.
    @Test
    func networkSecurityServicesAgree() throws {
        func judge(_ names: CertificateNames) throws -> (status: Int32, output: String) {
            let database = try TemporaryDirectory()
            let server = try authority.issue(
                for: names, validity: Dating.server(at: now, within: authority.validity))
            let file = try database.put(server.certificate.serializeAsPEM().pemString, at: "server.pem")
            try run("certutil", "-d", "sql:\(database.path)", "-N", "--empty-password")
            let added = try run(
                "certutil", "-d", "sql:\(database.path)", "-A", "-n", "ca", "-t", "C,,", "-i",
                "\(directory.path)/ca.pem")
            #expect(added.status == 0, "\(added.output)")
            try run("certutil", "-d", "sql:\(database.path)", "-A", "-n", "server", "-t", ",,", "-i", file)
            return try run("certutil", "-d", "sql:\(database.path)", "-V", "-n", "server", "-u", "V", "-e")
        }
        let good = try judge(
            CertificateNames(hosts: ["kibitz.local", "localhost"], addresses: [.v4(0xC0A8_0105), .v6(0, 1)]))
        #expect(good.status == 0, "\(good.output)")
        let bad = try judge(CertificateNames(hosts: ["www.example.org"]))
        #expect(
            bad.status != 0 && bad.output.contains("not permitted to issue a certificate with this name"),
            "\(bad.output)")
    }

    @Test func itOutlivesARestart() throws {
        let again = try #require(CertificateAuthority(pem: try authority.pem()))
        #expect(again.der == authority.der)
        let server = try again.issue(
            for: CertificateNames(hosts: ["kibitz.local"]), validity: Dating.server(at: now, within: again.validity))
        #expect(authority.issued(server.certificate))
        #expect(CertificateIdentity(pem: try server.pem())?.certificate == server.certificate)
    }

    @Test func aDamagedFileIsNotAnAuthority() throws {
        let pem = try authority.pem()
        for length in stride(from: 0, to: pem.count - 3, by: 7) {
            #expect(CertificateAuthority(pem: Array(pem[..<length])) == nil)
        }
        let other = try CertificateAuthority(validity: authority.validity)
        let mixed = try authority.certificate.serializeAsPEM().pemString + "\n" + other.key.serializeAsPEM().pemString
        #expect(CertificateAuthority(pem: Array(mixed.utf8)) == nil)
    }

    @Test func theAppleProfileHoldsTheAuthorityUnderLastingNames() throws {
        let published = AuthorityCertificate(der: authority.der, name: authority.name)
        let profile = published.appleProfile()
        #expect(profile == published.appleProfile())
        let list = try #require(
            try PropertyListSerialization.propertyList(from: Data(profile), format: nil) as? [String: Any])
        let payload = try #require((list["PayloadContent"] as? [[String: Any]])?.first)
        #expect(payload["PayloadType"] as? String == "com.apple.security.root")
        #expect(payload["PayloadContent"] as? Data == Data(authority.der))
        #expect(list["PayloadType"] as? String == "Configuration")
        #expect(list["PayloadVersion"] as? Int == 1)
        let identifiers = [list["PayloadUUID"], payload["PayloadUUID"]].compactMap {
            ($0 as? String).flatMap(UUID.init)
        }
        #expect(Set(identifiers).count == 2)
        let other = try CertificateAuthority(validity: authority.validity)
        #expect(AuthorityCertificate(der: other.der, name: other.name).appleProfile() != profile)
        #expect(authority.name.wholeMatch(of: /Kibitz Local [0-9A-F]{4}-[0-9A-F]{4}/) != nil)
        #expect(published.fingerprint == Array(SHA256.hash(data: authority.der)))
    }
}
