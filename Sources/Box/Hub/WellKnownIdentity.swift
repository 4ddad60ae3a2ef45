public import DTLS

/// The identity by which Kibitz's app looks for a hub without a code: the same for every hub, its private key public by
/// design (kibitz-offline, `relaycore/fixedid.go`). Anyone on the network can pose as it.
public enum WellKnownIdentity {
    /// The UDP port where the app looks for it.
    public static let port: UInt16 = 4711
    /// The UDP port where the app expects TURN with it.
    public static let turnPort: UInt16 = 3478
    /// The user name for TURN.
    public static let turnUsername = "wblan"
    /// The password for TURN.
    public static let turnPassword = "Sp64SHsXMZOdzT6rgYcF"

    /// The identity itself.
    /// - Throws: `DTLSError` when the library lacks memory.
    public static func identity() throws(DTLSError) -> HubIdentity {
        HubIdentity(
            ufrag: "wbxlanhub01", pwd: "774B1GNZgs48OidH45A7DZx", port: port,
            certificate: try DTLSIdentity(certificatePEM: certificatePEM, privateKeyPEM: privateKeyPEM))
    }

    private static let certificatePEM = """
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

    private static let privateKeyPEM = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgpNq8CRlfuvxiLqiK
        G8Dije691crQxiKt90qqpE2cG22hRANCAAR6aCPHTYGFQz/qr94hsjasoIRQIalk
        lS+z12pmmKS6yCOKLj0F55fasWNs9Hg1xkIbnU+gPlWgThg/VpUtMQJc
        -----END PRIVATE KEY-----

        """
}
