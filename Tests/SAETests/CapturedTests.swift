import IEEE80211
import Testing
import WiFiCrypto
import Wire

@testable import SAE

/// An exchange by hash-to-element between wpa_supplicant and hostapd 2.10, as they wrote it down. The standard's numbers have
/// no such exchange from password to confirm.
@Suite struct CapturedTests {
    private let station = MACAddress(0x0200_0000_0100)
    private let accessPoint = MACAddress(0x0200_0000_0000)
    private let curve: P256

    init() throws {
        curve = try P256()
    }

    @Test func passwordElement() throws {
        var generator = SystemRandomNumberGenerator()
        let password = try SAEPassword(
            SecretBytes(Array("correcthorse".utf8)), ssid: Array("rig".utf8), curve: curve)
        #expect(
            password.pt.secret
                == secret(
                    "f87f17e131530b0b922aae5f35212df76105257aaf43002277b10d671137fede"
                        + "7cf87ab0f425da18224575405465ddf998caef225476eff80bbd3703af635be5"))
        let element = try password.element(by: .hashToElement, for: station, accessPoint, using: &generator)
        let point = secret(
            "fc7f9b919c6e0ef36b1689fb441ba3115d4534904fc805896947bdb8f3853736"
                + "567c14f61c618b45d078d67e477b04c5d60ff9f0eec58d001a560bdef8003240")
        let pwe = try curve.point(point.bytes)
        let scalar = try curve.randomScalar(using: &generator)
        #expect(try element.multiplied(by: scalar) == curve.multiply(try #require(pwe), by: scalar))
    }

    @Test func keys() throws {
        let commit = bytes(
            "1300a6c265182037d8b3ea3c1ad5aa8271cd85cf86495dca366842026c58ef05c692"
                + "cc274ff06bb5af0da628492f3561054a2b6bf7eb21e35c4452a81bf15d6c9b57"
                + "252e3b3c209439034383ef644305ac6f71daaccf8f424c53fed3efa3f005f256")
        guard let body = SAECommitBody(commit.span.bytes, method: .hashToElement, tokenLength: 0) else {
            Issue.record("the station's commit cannot be read")
            return
        }
        let stationScalar = try curve.scalar(body.scalar)
        let stationElement = try curve.point(body.element)
        let ourScalar = try curve.scalar(
            bytes("d90c7d0fe585d4c593c28e1942c7af70823eb0fdd6b2125fdf7647c27c11d007").span.bytes)
        let ourElement = try curve.point(
            bytes(
                "7d9a6b22e42ab887be4762cd244b044bea65af0477b9b53d35f1d91c00bb52a5"
                    + "526508c2e474a7f71239e70c7de97c72c709491c0648c654fccc893dc9a5d390"
            ).span.bytes)
        let stationShare = SAEShare(scalar: try #require(stationScalar), element: try #require(stationElement))
        let ourShare = SAEShare(scalar: try #require(ourScalar), element: try #require(ourElement))
        let keys = try SAEKeys(
            shared: secret("34f195f684edaa64ce6061924aefc6502a9ee9e50870d6262125541d5e4ad73e"), salt: [],
            own: ourShare, peer: stationShare, sum: try curve.sum(ourShare.scalar, stationShare.scalar))
        #expect(keys.kck == secret("2e646376ce48056f006693d2c03f74c50a7841dec649b162fd49da81f9bed201"))
        #expect(keys.pmk == secret("6623a401a6cee9b44ca8e818126d46d3f90ab3d4c1f9eff24b055795b96ee541"))
        #expect(keys.pmkid == bytes("7fcee22905bdad787dfea8eeed4a213e"))
        let octets = bytes("01003e882fe26641c4310707d9b7661bc9adc50951f4047eaaae6db1c829e0b350df")
        let read = SAEConfirmBody(octets.span.bytes)
        let confirm = try #require(read)
        #expect(confirm.counter == 1)
        #expect(try keys.expectedConfirmation(confirm.counter) == confirm.code)
    }
}
