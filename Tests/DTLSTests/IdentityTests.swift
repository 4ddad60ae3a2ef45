import DTLS
import Testing

@Suite struct IdentityTests {
    /// The well-known identity of the Kibitz LAN hub (kibitz-offline, relaycore/fixedid.go), whose private key is public.
    static let wellKnownCertificate = """
        -----BEGIN CERTIFICATE-----
        MIIBITCBx6ADAgECAgEBMAoGCCqGSM49BAMCMBoxGDAWBgNVBAMTD3dpdGJpdHot
        bGFuLWh1YjAeFw0yNTAxMDEwMDAwMDBaFw00NTAxMDEwMDAwMDBaMBoxGDAWBgNV
        BAMTD3dpdGJpdHotbGFuLWh1YjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHpo
        I8dNgYVDP+qv3iGyNqyghFAhqWSVL7PXamaYpLrII4ouPQXnl9qxY2z0eDXGQhud
        T6A+VaBOGD9WlS0xAlwwCgYIKoZIzj0EAwIDSQAwRgIhAPL/RjiRTN366G5/jC+d
        oUsXk/Hs/1GUbtCjPCnfqmFgAiEA0kudCGkhWx4m28XymYYGwSf75I/EJ8SlGtJU
        6gXsj2s=
        -----END CERTIFICATE-----

        """
    static let wellKnownKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgpNq8CRlfuvxiLqiK
        G8Dije691crQxiKt90qqpE2cG22hRANCAAR6aCPHTYGFQz/qr94hsjasoIRQIalk
        lS+z12pmmKS6yCOKLj0F55fasWNs9Hg1xkIbnU+gPlWgThg/VpUtMQJc
        -----END PRIVATE KEY-----

        """

    @Test func wellKnownFingerprint() throws {
        let identity = try DTLSIdentity(
            certificatePEM: Self.wellKnownCertificate, privateKeyPEM: Self.wellKnownKey)
        // iMQvZo7x61ukUXjDvSJnKmr3PFy6iDvHSa9XV3mb_kA in base64url.
        #expect(
            identity.fingerprint == [
                0x88, 0xC4, 0x2F, 0x66, 0x8E, 0xF1, 0xEB, 0x5B, 0xA4, 0x51, 0x78, 0xC3, 0xBD, 0x22, 0x67, 0x2A,
                0x6A, 0xF7, 0x3C, 0x5C, 0xBA, 0x88, 0x3B, 0xC7, 0x49, 0xAF, 0x57, 0x57, 0x79, 0x9B, 0xFE, 0x40,
            ])
    }

    @Test func generatedIdentitiesDifferAndCanBeKept() throws {
        let first = try DTLSIdentity.generate()
        let second = try DTLSIdentity.generate()
        #expect(first.fingerprint.count == 32)
        #expect(first.fingerprint != second.fingerprint)
        let kept = try DTLSIdentity(certificatePEM: first.certificatePEM, privateKeyPEM: first.privateKeyPEM)
        #expect(kept.fingerprint == first.fingerprint)
        #expect(first.certificatePEM.hasPrefix("-----BEGIN CERTIFICATE-----\n"))
        #expect(first.privateKeyPEM.hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
    }

    @Test func whatDoesNotFitIsRefused() throws {
        let first = try DTLSIdentity.generate()
        let second = try DTLSIdentity.generate()
        #expect(throws: DTLSError.privateKeyMismatch) {
            try DTLSIdentity(certificatePEM: first.certificatePEM, privateKeyPEM: second.privateKeyPEM)
        }
        #expect(throws: DTLSError.certificateUnreadable) {
            try DTLSIdentity(certificatePEM: "", privateKeyPEM: first.privateKeyPEM)
        }
        #expect(throws: DTLSError.certificateUnreadable) {
            try DTLSIdentity(certificatePEM: first.privateKeyPEM, privateKeyPEM: first.privateKeyPEM)
        }
        #expect(throws: DTLSError.privateKeyUnreadable) {
            try DTLSIdentity(certificatePEM: first.certificatePEM, privateKeyPEM: "-----BEGIN PRIVATE KEY-----\n")
        }
    }

    /// Every cut through the texts is refused.
    @Test func cutTextsAreRefused() throws {
        let identity = try DTLSIdentity.generate()
        for count in stride(from: 0, to: identity.certificatePEM.utf8.count - 1, by: 7) {
            #expect(throws: DTLSError.certificateUnreadable) {
                try DTLSIdentity(
                    certificatePEM: String(identity.certificatePEM.prefix(count)),
                    privateKeyPEM: identity.privateKeyPEM)
            }
        }
        for count in stride(from: 0, to: identity.privateKeyPEM.utf8.count - 1, by: 7) {
            #expect(throws: DTLSError.privateKeyUnreadable) {
                try DTLSIdentity(
                    certificatePEM: identity.certificatePEM,
                    privateKeyPEM: String(identity.privateKeyPEM.prefix(count)))
            }
        }
    }

    /// There is nobody to ask for a passphrase.
    @Test func encryptedKeysAreRefused() throws {
        let encrypted = """
            -----BEGIN ENCRYPTED PRIVATE KEY-----
            MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAih0ilu+aRulgICCAAw
            DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEDhO1D2Sk2PWL+9PPgQgAYQEgZAQ
            nqyLDfnyjxX2jU7yv99qdTutDlo9VJb4yMJbHN1RRN0ncowfs0jTRBOuRspqCvz7
            870TkRhEwKXmSG+yiHZmxFVrJd80ZQLJwjxr5L3jTr+3Fh/rghpNEnDrCCkzDWaq
            j9MKiQUWxUw90+n9Qjx842fhy7OzqIWX7boKUiyg184yYUxyrfiVpN4tmJdv18c=
            -----END ENCRYPTED PRIVATE KEY-----

            """
        let identity = try DTLSIdentity.generate()
        #expect(throws: DTLSError.privateKeyUnreadable) {
            try DTLSIdentity(certificatePEM: identity.certificatePEM, privateKeyPEM: encrypted)
        }
    }

    /// Browsers need not know any other curve (RFC 8827 section 6.5).
    @Test func otherCurvesAreRefused() throws {
        let certificate = """
            -----BEGIN CERTIFICATE-----
            MIIBqzCCATKgAwIBAgIUUYWifxb9OIbcSNWzUYlv7bVKS9UwCgYIKoZIzj0EAwIw
            DDEKMAgGA1UEAwwBeDAgFw0yNjExMjEwNDE1MDFaGA8yMDU0MDQwNzA0MTUwMVow
            DDEKMAgGA1UEAwwBeDB2MBAGByqGSM49AgEGBSuBBAAiA2IABEnKmZNY1MxLap7g
            P1TuW8B08IGvqy/c3wUPwPPDBh3lwxmV+Je1gLpKQzQTszspUs8r78cl4h0TIWjQ
            zj08qqfCIY+For4l7XfehPy17YVC1WnSpaeOg6KClKRRs8EwTaNTMFEwHQYDVR0O
            BBYEFGn3/pLX9vxOzXa66GL/AorFUywyMB8GA1UdIwQYMBaAFGn3/pLX9vxOzXa6
            6GL/AorFUywyMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDZwAwZAIwJp+m
            j1xe/VUkMSvOYAgvSX9rdVM3yzBu4PpC4FKaHv4l5wZ+gnfsKZjjbj0ekqUaAjBA
            WPOXiz5HAQRY8itbV2TkcNf2OF0IOqoMdNMZUZY3+s6lymaFWHRJ1XAcLbrC2Ks=
            -----END CERTIFICATE-----

            """
        let key = """
            -----BEGIN PRIVATE KEY-----
            MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDAQbdF0NvMao79GUYbn
            nhO8DBtYzWOgOH5lDqkZOxYSi2CpXjV2K07TXRo5BqCIaSKhZANiAARJypmTWNTM
            S2qe4D9U7lvAdPCBr6sv3N8FD8DzwwYd5cMZlfiXtYC6SkM0E7M7KVLPK+/HJeId
            EyFo0M49PKqnwiGPhaK+Je133oT8te2FQtVp0qWnjoOigpSkUbPBME0=
            -----END PRIVATE KEY-----

            """
        #expect(throws: DTLSError.privateKeyUnreadable) {
            try DTLSIdentity(certificatePEM: certificate, privateKeyPEM: key)
        }
    }
}
