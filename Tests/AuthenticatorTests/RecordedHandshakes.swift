import Authenticator
import Testing
import Wire

/// A 4-way and a group key handshake between hostapd 2.10 and wpa_supplicant 2.10 in mac80211_hwsim, from their logs.
struct RecordedHandshake: Sendable, CustomTestStringConvertible {
    var keyManagement: KeyManagement
    var pmk: [UInt8]
    var ptk: [UInt8]
    var stationElements: [UInt8]
    var apElements: [UInt8]
    var gtk: [UInt8]
    var igtk: [UInt8]
    var nextGTK: [UInt8]
    var nextIGTK: [UInt8]
    /// The PMKID that message 1 names.
    var pmkid: [UInt8]
    /// Messages 1 to 4, then both of the group key handshake.
    var frames: [[UInt8]]

    var testDescription: String { "\(keyManagement)" }

    static let accessPoint = MACAddress(0x0200_0000_0000)
    static let station = MACAddress(0x0200_0000_0100)

    static let all = [
        RecordedHandshake(
            keyManagement: .psk, pmk: octets("ad7c7cb20204064094e1cce11b77cd6b9a85254a978e02cf1aacd09649ab2a8e"),
            ptk: octets(
                "1e9dc0711ab34a865a70d517241caaa282b03eda37dd2517299154b3c0982fbbdb1014a7358af60b33665c1f9da92618"),
            stationElements: octets("30140100000fac040100000fac040100000fac020000"),
            apElements: octets("30140100000fac040100000fac040100000fac020c00"),
            gtk: octets("e8771ecccdfe7dfba5ee7f60e3e92fb7"), igtk: octets(""),
            nextGTK: octets("666cb519534e92ab9e1b8586dbd2e4d4"), nextIGTK: octets(""), pmkid: octets(""),
            frames: [
                octets(
                    """
                    0203005f02008a0010000000000000000104d37d3fb6adff36808ace899f02bf0ce8f8f95e9a5ccbadb2cfb194ce4ddf
                    900000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
                    000000
                    """),
                octets(
                    """
                    0103007502010a000000000000000000014ed913686c339934c2044c94ce63c2f8455b0f1e9778b30c9751ef67e56f29
                    3e00000000000000000000000000000000000000000000000000000000000000002220dffa816bc94cb1bdbef005db87
                    2c001630140100000fac040100000fac040100000fac020000
                    """),
                octets(
                    """
                    020300970213ca0010000000000000000204d37d3fb6adff36808ace899f02bf0ce8f8f95e9a5ccbadb2cfb194ce4ddf
                    900000000000000000000000000000000000000000000000000000000000000000f0ee2582ffb06c9603fa19272cc2dd
                    cb00380b363af90b40e80d8f7eefd6203c4dfee51e11d51b29cf33caedd54c3295d93fcaac1998c47a69c9ccbe243de3
                    7ae94d33faef834b0b945a
                    """),
                octets(
                    """
                    0103005f02030a0000000000000000000200000000000000000000000000000000000000000000000000000000000000
                    00000000000000000000000000000000000000000000000000000000000000000032ce29a0e6e0dc973f460e7c3a3785
                    bb0000
                    """),
                octets(
                    """
                    0203007f0213820000000000000000000300000000000000000000000000000000000000000000000000000000000000
                    000000000000000000000000000000000000000000000000000000000000000000e048e31da4e8b3db84044b95ce5098
                    fa002004c64d4350c994763caef33c418a01a3dafa656d5613d50765041951c1bb68f8
                    """),
                octets(
                    """
                    0103005f0203020000000000000000000300000000000000000000000000000000000000000000000000000000000000
                    000000000000000000000000000000000000000000000000000000000000000000f081ee3b8c0c03e3fa9626dbbbce66
                    ee0000
                    """),
            ]),
        RecordedHandshake(
            keyManagement: .pskSHA256, pmk: octets("ad7c7cb20204064094e1cce11b77cd6b9a85254a978e02cf1aacd09649ab2a8e"),
            ptk: octets(
                "45a3314c2562e936eff0a895b95b29e4ab688071ded9a77a92e1caa1bdda050dddd7ca23015d831b491da3ea2a258371"),
            stationElements: octets("301a0100000fac040100000fac040100000fac06c0000000000fac06"),
            apElements: octets("30140100000fac040100000fac040100000fac06cc00"),
            gtk: octets("e34d18253fc2c0c70005cb8180928d6b"), igtk: octets("995fae1c8e58cc76b5abb327b9a2c1a5"),
            nextGTK: octets("63e9ea9725366b9c68d9bfc22ac81015"), nextIGTK: octets("f4861855ee87cf8e6f1fdd3a18920050"),
            pmkid: octets(""),
            frames: [
                octets(
                    """
                    0203005f02008b00100000000000000001f4e53455da0c809b4bb83735269167de62d7794bd9216c04e2a428ef06e9fe
                    1a0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
                    000000
                    """),
                octets(
                    """
                    0103007b02010b000000000000000000010eea0b5c5139e67e45b5673d1d2a7d401ccec42991d0c7ba42cd7295e9a839
                    dc0000000000000000000000000000000000000000000000000000000000000000bc8c44964a8d9ea38eae2b30568172
                    3c001c301a0100000fac040100000fac040100000fac06c0000000000fac06
                    """),
                octets(
                    """
                    020300b70213cb00100000000000000002f4e53455da0c809b4bb83735269167de62d7794bd9216c04e2a428ef06e9fe
                    1a0000000000000000000000000000000000000000000000000000000000000000ccac7e98e87b61a22a817d6e2c0b1d
                    4d0058b3e5fd8211ad9f05f5102116b34f93365fa82365058898eeae03750f62afcbb0d774cfeea48b472a57ca733f20
                    4a76205a59665e507d68806d70966ce08b7a251154a1b0b1d04f3fdbad71d492f075c4dff6c97d5cb89611
                    """),
                octets(
                    """
                    0103005f02030b0000000000000000000200000000000000000000000000000000000000000000000000000000000000
                    0000000000000000000000000000000000000000000000000000000000000000009936d0e3821749a57fff0eec46a341
                    450000
                    """),
                octets(
                    """
                    0203009f0213830000000000000000000300000000000000000000000000000000000000000000000000000000000000
                    00000000000000000000000000000000000000000000000000000000000000000039491c48d6d46c2f20a382fc360679
                    540040a3687a0015f721771ca8852ea4a3870694b78af0d416daff6a93f22c14b394420adf2b10de935e93cc96e3b126
                    26ad7bf647e785767baddfa15be79d37b64caf
                    """),
                octets(
                    """
                    0103005f0203030000000000000000000300000000000000000000000000000000000000000000000000000000000000
                    0000000000000000000000000000000000000000000000000000000000000000007c6ccfafd41bbf8e8ba27b8a7bc825
                    b00000
                    """),
            ]),
        RecordedHandshake(
            keyManagement: .sae, pmk: octets("a79c0469046ded6afeb02c58d7a94767c2834d16e7d11f1ae1ffce26697d80d2"),
            ptk: octets(
                "36323d88bf1148057c468b0ca94bdbcb9ecd4b861c4dec773ad1be4dbd6cedb7c55e119dc97343eab3da0b0b9da87577"),
            stationElements: octets("301a0100000fac040100000fac040100000fac08c0000000000fac06f40120"),
            apElements: octets("30140100000fac040100000fac040100000fac08cc00f40120"),
            gtk: octets("00166fcd03ff0a44c70ba06feafd48e8"), igtk: octets("61f699408145e93332f0e5b6aedea9cc"),
            nextGTK: octets("5e770e79eb71935a9b09b7f246d2458f"), nextIGTK: octets("54ad9d674fb891f7e3f7248a6520972f"),
            pmkid: octets("4ffe4ac1a2bd3edc050f6a511569a783"),
            frames: [
                octets(
                    """
                    0203007502008800100000000000000001f1e02be120e19a711dd59d9397caf3aa6009cff469b84500c549e4718c1b32
                    350000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
                    000016dd14000fac044ffe4ac1a2bd3edc050f6a511569a783
                    """),
                octets(
                    """
                    0103007e020108000000000000000000018ebc319deb309aad06f47029006db93c1f867f83e4ea6977272c1c69b6a250
                    1c0000000000000000000000000000000000000000000000000000000000000000593eab641a6e40fc8b00528981e9d2
                    29001f301a0100000fac040100000fac040100000fac08c0000000000fac06f40120
                    """),
                octets(
                    """
                    020300b70213c800100000000000000002f1e02be120e19a711dd59d9397caf3aa6009cff469b84500c549e4718c1b32
                    3500000000000000000000000000000000000000000000000000000000000000001a97c7e328c3e5dc92ccbaf7f3df27
                    f0005875b09f0f2adc9785a716967d4497696a6f1559c2f971375042e2088113bfd2759a46a406768e342e64b19e527a
                    b8fd10274e1fce4c4082cfb17c72ecdc8068e403fbb4b464bd542dd37d0054b311f7e957d09320a0c09e2b
                    """),
                octets(
                    """
                    0103005f0203080000000000000000000200000000000000000000000000000000000000000000000000000000000000
                    0000000000000000000000000000000000000000000000000000000000000000003ae044ed087190b1497faffbee6bf1
                    a90000
                    """),
                octets(
                    """
                    0203009f0213800000000000000000000300000000000000000000000000000000000000000000000000000000000000
                    00000000000000000000000000000000000000000000000000000000000000000069dd73464a68a5ee440fbf25e24b47
                    fe004062b11a90824f243205b5caa3e4bf6160801c1416aac006a9d0089420c019b25fddd4a610d033b50d798a749b2d
                    f558da2c7a9dbada9097b12677e61e8a79c5c4
                    """),
                octets(
                    """
                    0103005f0203000000000000000000000300000000000000000000000000000000000000000000000000000000000000
                    0000000000000000000000000000000000000000000000000000000000000000005bed0e50634fa63fcb074760f664d4
                    7e0000
                    """),
            ]),
    ]
}
