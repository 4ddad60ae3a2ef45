import DTLS

/// Both ends of DTLS, whose sessions share what takes time.
enum FuzzIdentity {
    // Written down: `DTLSIdentity.generate()` can't be had here. Built with optimisation and AddressSanitizer, Swift 6.3.1 makes a
    // program of two lines crash that asks swift-crypto for a P-256 signature's `derRepresentation`: the code that it generates to
    // destroy the pair of array slices in there (two functions merged) is called without the type's metadata. Builds of the box
    // have no AddressSanitizer.
    private static let identity = try? DTLSIdentity(
        certificatePEM: """
            -----BEGIN CERTIFICATE-----
            MIIBdTCCARugAwIBAgIUQU3xoSk2AJ8dcrq3fqU1joeb0gAwCgYIKoZIzj0EAwIw
            DzENMAsGA1UEAwwEZnV6ejAgFw0yNjExMjEwNTI5MzdaGA8yMTI2MTAyODA1Mjkz
            N1owDzENMAsGA1UEAwwEZnV6ejBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPzc
            1991LWFBM4DfYxZviaRmk9+h/vsyOcOiioQ6vvco+a0U6Ro6HxgAvZjp3nSMjyz+
            H4KNnWIPR4a6b6Ae6pyjUzBRMB0GA1UdDgQWBBT/cbYTGQDbpcKIiFmKmnQUaC82
            jjAfBgNVHSMEGDAWgBT/cbYTGQDbpcKIiFmKmnQUaC82jjAPBgNVHRMBAf8EBTAD
            AQH/MAoGCCqGSM49BAMCA0gAMEUCIQDgdJrEI/cW1Ww2u77Lwp6BoFgRCdTHlCV3
            D6Nokroy0wIgJ+AZMxxNl5NyHXm9KPz6kV5GJ0j9qXsCqGSf2Ayrof4=
            -----END CERTIFICATE-----

            """,
        privateKeyPEM: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+cmuEuH25ahKPh+K
            CdkS7sbE+lptOVsmBMpcjjLIFy+hRANCAAT83NffdS1hQTOA32MWb4mkZpPfof77
            MjnDooqEOr73KPmtFOkaOh8YAL2Y6d50jI8s/h+CjZ1iD0eGum+gHuqc
            -----END PRIVATE KEY-----

            """)
    static let server = identity.flatMap { try? DTLSContext(identity: $0, role: .server) }
    static let client = identity.flatMap { try? DTLSContext(identity: $0, role: .client) }
}
