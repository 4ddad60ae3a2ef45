import SansIO
import TestSupport
import Testing
import WiFiCrypto
import WiFiSupplicant
import Wire

@testable import Authenticator

@Suite struct RecordedHandshakeTests {
    @Test("Keys and integrity codes are those of hostapd and wpa_supplicant", arguments: RecordedHandshake.all)
    func keys(_ recorded: RecordedHandshake) throws {
        let nonces = (try read(recorded.frames[1]).nonce, try read(recorded.frames[0]).nonce)
        let keys = try PairwiseTransientKey(
            pmk: SecretBytes(recorded.pmk), keyManagement: recorded.keyManagement,
            addresses: (RecordedHandshake.station, RecordedHandshake.accessPoint), nonces: nonces)
        #expect(keys.confirmationKey == SecretBytes(recorded.ptk[0..<16]))
        #expect(keys.encryptionKey == SecretBytes(recorded.ptk[16..<32]))
        #expect(keys.temporalKey == SecretBytes(recorded.ptk[32..<48]))
        for frame in recorded.frames.dropFirst() {
            #expect(try keys.verifies(frame.span.bytes))
            #expect(try keys.seal(read(frame)) == frame, "every octet is read, and written again")
        }
        #expect(try read(recorded.frames[0]).encoded == recorded.frames[0])
    }

    @Test(
        "Messages 1 and 3 and that of the group key handshake are hostapd's, octet by octet; wpa_supplicant's answers are taken",
        arguments: RecordedHandshake.all)
    func authenticator(_ recorded: RecordedHandshake) throws {
        func groupKeys(_ message: Int, _ gtk: [UInt8], _ igtk: [UInt8]) throws -> GroupKeys {
            let plain = try #require(
                try AESKeyWrap.unwrap(
                    read(recorded.frames[message]).keyData.span.bytes, key: SecretBytes(recorded.ptk[16..<32])))
            let index = try #require(try KeyData(parsing: plain.bytes).groupKey?.index)
            let igtkIndex = try KeyData(parsing: plain.bytes).integrityGroupKey?.index
            return GroupKeys(
                gtk: SecretBytes(gtk), gtkIndex: index, igtk: igtk.isEmpty ? nil : SecretBytes(igtk),
                igtkIndex: UInt8(igtkIndex ?? 4))
        }
        var generator = SeededGenerator(seed: 1)
        var authenticator = try PairwiseAuthenticator(
            pmk: SecretBytes(recorded.pmk), pmkid: recorded.pmkid.isEmpty ? nil : recorded.pmkid,
            keyManagement: recorded.keyManagement, station: RecordedHandshake.station,
            bss: RecordedHandshake.accessPoint, stationElements: recorded.stationElements.span.bytes,
            apElements: recorded.apElements.span.bytes, group: try groupKeys(2, recorded.gtk, recorded.igtk),
            usesManagementFrameProtection: !recorded.igtk.isEmpty, using: &generator)
        var output = HandshakeOutput()
        let (message2, message4, groupMessage2) = (recorded.frames[1], recorded.frames[3], recorded.frames[5])
        func sent() -> [[UInt8]] { output.frames.map { Array(output.written[$0.range]) } }

        authenticator.beginFourWay(nonce: try read(recorded.frames[0]).nonce, at: .zero, into: &output)
        #expect(sent() == [recorded.frames[0]])
        output.removeAll()
        _ = authenticator.handle(.eapol(message2.span.bytes, .plaintext), at: .zero, into: &output)
        #expect(sent() == [recorded.frames[2]])
        output.removeAll()
        _ = authenticator.handle(.eapol(message4.span.bytes, .plaintext), at: .zero, into: &output)
        #expect(output.events == [.installPairwise(SecretBytes(recorded.ptk[32..<48])), .authorized])
        output.removeAll()
        let next = try groupKeys(4, recorded.nextGTK, recorded.nextIGTK)
        _ = authenticator.handle(.groupRekey(next), at: .zero, into: &output)
        #expect(sent() == [recorded.frames[4]])
        #expect(output.frames.first?.isEncrypted == true)
        output.removeAll()
        _ = authenticator.handle(.eapol(groupMessage2.span.bytes, .encrypted), at: .zero, into: &output)
        #expect(output.events == [.groupKeysAcknowledged(gtkIndex: next.gtkIndex)])
    }

    @Test("The PSK of the recorded networks is that of their passphrase")
    func psk() throws {
        for recorded in RecordedHandshake.all where recorded.keyManagement != .sae {
            let psk = try KeyDerivation.psk(passphrase: "correcthorse", ssid: Array("rig".utf8))
            #expect(psk == SecretBytes(recorded.pmk))
        }
    }
}
