import DTLS
import Testing
import Wire

@testable import BoxHub

@Suite struct HubLinkTests {
    private func identity(port: UInt16? = 4711) throws -> HubIdentity {
        var identity = try WellKnownIdentity.identity()
        identity.port = port
        return identity
    }

    private let addresses: [IPAddress] = [.v4(0xC0A8_0105), .v6(1, 2), .v4(0x0A00_0001)]

    @Test func theBlobIsAsTheAppReadsIt() throws {
        let identity = try identity()
        let plain = try #require(HubBlob(identity: identity, addresses: addresses, names: ["box.local"], turn: nil))
        #expect(
            "\(plain)"
                == "g1|wbxlanhub01|774B1GNZgs48OidH45A7DZx|iMQvZo7x61ukUXjDvSJnKmr3PFy6iDvHSa9XV3mb_kA|192.168.1.5~4711"
                + "|10.0.0.1~4711|box.local~4711")
        let turn = HubBlob.TURN(port: 3478, username: "hub-1", password: "p_-0")
        let relayed = try #require(HubBlob(identity: identity, addresses: addresses, names: [], turn: turn))
        #expect(
            "\(relayed)"
                == "g2|wbxlanhub01|774B1GNZgs48OidH45A7DZx|iMQvZo7x61ukUXjDvSJnKmr3PFy6iDvHSa9XV3mb_kA|3478,hub-1,p_-0"
                + "|192.168.1.5~4711|10.0.0.1~4711")
    }

    @Test func withoutAPortOrAnAddressThereIsNone() throws {
        #expect(HubBlob(identity: try identity(port: nil), addresses: addresses, names: [], turn: nil) == nil)
        #expect(HubBlob(identity: try identity(), addresses: [], names: [], turn: nil) == nil)
        #expect(HubBlob(identity: try identity(), addresses: [.v6(1, 2)], names: [], turn: nil) == nil)
    }

    @Test(arguments: ["https://kibitz.chat", "https://kibitz.chat/", "https://kibitz.chat//"])
    func theLinkHasItsPartsInPlace(base: String) throws {
        let blob = try #require(HubBlob(identity: try identity(), addresses: addresses, names: [], turn: nil))
        #expect("\(HubLink(base: base, blob: blob, room: "s3cret"))" == "https://kibitz.chat/?galaxy=\(blob)#s3cret")
    }
}
