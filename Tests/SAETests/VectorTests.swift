import IEEE80211
import SAE
import Testing
import WiFiCrypto
import Wire

/// The standard's own numbers (IEEE 802.11-2020, J.10), and those of its amendment's draft for password identifiers (IEEE
/// P802.11-REVmd/D2.1, J.10), where hunting-and-pecking hashes an identifier behind the password.
@Suite struct VectorTests {
    private let curve: P256

    init() throws {
        curve = try P256()
    }

    /// One side's numbers.
    private func secrets(
        password: String, _ one: MACAddress, _ other: MACAddress, rand: String, mask: String
    ) throws -> SAESecrets {
        var generator = SystemRandomNumberGenerator()
        let password = try SAEPassword(SecretBytes(Array(password.utf8)), ssid: Array("byteme".utf8), curve: curve)
        let element = try password.element(by: .huntingAndPecking, for: one, other, using: &generator)
        let rand = try #require(try curve.scalar(bytes(rand).span.bytes))
        let mask = try #require(try curve.scalar(bytes(mask).span.bytes))
        return try #require(try SAESecrets(for: element, rand: rand, mask: mask))
    }

    private func commit(_ share: SAEShare) -> [UInt8] {
        var writer = ByteWriter()
        SAECommitBody.write(share, method: .huntingAndPecking, into: &writer)
        return writer.bytes
    }

    @Test func huntingAndPecking() throws {
        let one = try #require(MACAddress("4d:3f:2f:ff:e3:87"))
        let other = try #require(MACAddress("a5:d8:aa:95:8e:3c"))
        let local = try secrets(
            password: "mekmitasdigoat", one, other,
            rand: "992465fd3daa3c60aa6565b7f62a2a7f2e12dd12f198faf4fbed89d7ff1ace94",
            mask: "9507a90f777a044d6a0830b91ea3d5dd70bece44e1acffb86983b5e1bf9fb322")
        let peer = try secrets(
            password: "mekmitasdigoat", other, one,
            rand: "bedfd9e4da33a4687778c0e2b9b878c7bae6d59579e6b6e6e0a392e8547259f5",
            mask: "9a3bbd0d5f4c14dd988f8804fb97db736920fd9b651f7b9a5d13a5d2887c1d7f")
        #expect(
            commit(local.share)
                == bytes(
                    "13002e2c0f0db52440ad146d967114ce005ce1eab0aa2c2e5c2871b774f6c2575c65d5ad9e00829707aa36ba8b859738"
                        + "fc961d08243505f47c035376d7ac4bc8d7b95083bf43827d0fc31ed778dd3671fd21a46d1091d64b6f9a1e1272621325"
                        + "dbe1"))
        #expect(
            commit(peer.share)
                == bytes(
                    "1300591b96f3397fb945100848e7b550543b6720d88337ee93fc49fd6df7e08b5223e71b9bb048d3873f20556953a96c"
                        + "91536fd8ee6ca9b4a68a148b056a909be03e83ae208f60f8ef5537858074db06687032399862999b511e0a1552a5fea3"
                        + "17c2"))
        for (own, other) in [(local, peer), (peer, local)] {
            let keys = try #require(try own.keys(with: other.share, salt: []))
            #expect(keys.kck == secret("1e733f6d9bd53256287304338831b09a39406d121017073a5c30db36f36cb81a"))
            #expect(keys.pmk == secret("4e4dfab1a2dd8ac1a91790f953faaa452ae5c6873ab75b63605ba663f8a7fe59"))
            #expect(keys.pmkid == bytes("8747a600eea3f9f22475df58ca1e5498"))
        }
    }

    @Test func confirms() throws {
        let one = try #require(MACAddress("82:7b:91:9d:d4:b9"))
        let other = try #require(MACAddress("1e:ec:49:ea:64:88"))
        let local = try secrets(
            password: "mekmitasdigoat" + "psk4internet", one, other,
            rand: "a906f61e4d3a5d4eb2965ff34cf917dd044445c878c17ca5d5b93786da9f83cf",
            mask: "4234b4fb17aa435c52fbfdebe64039b43478200e54ff7b6e07b69cad74153c15")
        #expect(
            commit(local.share)
                == bytes(
                    "1300eb3bab1964e4a0ab05925ddf3339519138bc65d6cdc0f813dd6fd4344eb4bfe44b5c21597658f4e3eddfb4b99f25"
                        + "b4d6540f32ff1fd5c530c60a794448610bc6de3d92bdbbd47d935980ca6cf8988ab6630be6764c885ceb9793970f6952"
                        + "17ee"))
        // The peer's commit carries the identifier in an element behind it.
        let frame = bytes(
            "13005564f045b2ea1e566cf1dd741f70d9be35d2df5b9a5502946ee03cf8dae27e1e05b8430eb7a99e24877ce69baf3dc580"
                + "e309633d6b385f83ee1c3ec3591f1a5393c06e805ddceb2fde50930dd7cfebb987c6ff9666af164eb5184d8e6662ed6aff0d"
                + "2170736b34696e7465726e6574")
        guard let body = SAECommitBody(frame.span.bytes, method: .huntingAndPecking, tokenLength: 0) else {
            Issue.record("the peer's commit cannot be read")
            return
        }
        let hasIdentifier = body.hasPasswordIdentifier
        #expect(hasIdentifier)
        let tokenLength = body.token.byteCount
        #expect(tokenLength == 0)
        let scalar = try curve.scalar(body.scalar)
        let element = try curve.point(body.element)
        let peer = SAEShare(scalar: try #require(scalar), element: try #require(element))
        let keys = try #require(try local.keys(with: peer, salt: []))
        #expect(keys.kck == secret("599d6f1e27548be8499dceed2feccf94818ce1c79f1b4eb3d6a53228a09bf3ed"))
        #expect(keys.pmk == secret("7aead86fba4c3221fc437f5f14d70d854ea5d5aac1690116793081eda4d557c5"))
        #expect(keys.pmkid == bytes("40a09b6017cebf0072843b5352aa2b4f"))
        #expect(
            try keys.confirmation(1) == secret("12d9d5c78c500526d36c41dbc56aedf2914cedddd7cad4a58c48f83dbde9fc77"))
        #expect(
            try keys.expectedConfirmation(1)
                == secret("02871cf906898b8060ec184143be77b8c08a8019b13eb6d0aef0d8383dfac2fd"))
    }

    @Test func hashToElement() throws {
        var generator = SystemRandomNumberGenerator()
        let one = try #require(MACAddress("00:09:5b:66:ec:1e"))
        let other = try #require(MACAddress("00:0b:6b:d9:02:46"))
        let password = try SAEPassword(
            SecretBytes(Array("mekmitasdigoatpsk4internet".utf8)), ssid: Array("byteme".utf8), curve: curve)
        #expect(
            password.pt.secret
                == secret(
                    "b6e38c98750c684b5d17c3d8c9a4100b39931279187ca6cced5f37ef46ddfa97"
                        + "5687e972e50f73e3898861e7edad21bea7d5f622df88243bb804920ae8e647fa"))
        for (one, other) in [(one, other), (other, one)] {
            let element = try password.element(by: .hashToElement, for: one, other, using: &generator)
            // Twice the half of the order plus one half is once: the element itself.
            let half = try #require(
                try curve.scalar(bytes("7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a9").span.bytes))
            let twice = try curve.sum(half, half)
            #expect(twice.isTrivial)
            let point = try #require(try element.multiplied(by: twice))
            #expect(
                point.secret
                    == secret(
                        "c93049b9e64000f848201649e999f2b5c22dea69b5632c9df4d633b8aa1f6c1e"
                            + "73634e94b53d82e7383a8d258199d9dc1a5ee8269d060382ccbf33e614ff59a0"))
        }
    }
}
