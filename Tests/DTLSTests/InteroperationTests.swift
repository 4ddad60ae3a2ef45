import COpenSSL
import SansIO
import Testing

@testable import DTLS

/// Our sessions against OpenSSL's own records, timers aside.
@Suite struct InteroperationTests {
    /// One of ours and one of OpenSSL's, without loss.
    final class Pair {
        var session: DTLSSession
        let peer: LibraryPeer
        var events: [DTLSEvent] = []
        var received: [[UInt8]] = []

        init(_ options: LibraryPeer.Options = LibraryPeer.Options(), suites: [CipherSuite] = CipherSuite.byPreference)
            throws
        {
            let context = try DTLSContext(
                identity: .generate(), role: options.role == .client ? .server : .client,
                srtpProfiles: SRTPProfile.allCases, limits: DTLSLimits(), cipherSuites: suites)
            session = DTLSSession(context: context)
            peer = try LibraryPeer(options)
            if options.role == .client { peer.start() } else { give(.start) }
            exchange()
        }

        func give(_ input: borrowing DTLSInput) {
            var output = DTLSOutput()
            _ = session.handle(input, at: .zero, into: &output)
            events += output.events
            received += output.records.map { Array(output.applicationData[$0]) }
            for range in output.datagrams { peer.receive(Array(output.written[range])) }
        }

        func exchange() {
            for _ in 0..<20 {
                let datagrams = peer.takeDatagrams()
                guard !datagrams.isEmpty else { return }
                for datagram in datagrams { give(.datagram(datagram.span.bytes)) }
            }
        }

        var isOursConnected: Bool { session.isConnected }
        var isConnected: Bool { isOursConnected && peer.isConnected }
    }

    @Test(arguments: [DTLSRole.client, .server], [CipherSuite.aes128GCM, .aes256GCM, .chaCha20Poly1305])
    func everySuiteInBothRoles(_ role: DTLSRole, _ suite: CipherSuite) throws {
        let pair = try Pair(LibraryPeer.Options(role: role), suites: [suite])
        #expect(pair.isConnected)
        guard case .connected(let peer) = pair.events.first else { return }
        #expect(peer.cipherSuite == suite.rawValue)
        #expect(peer.fingerprint == pair.peer.fingerprint)
        #expect(peer.srtpProfile == .aes128CMSHA1_80)
        let messages = [1, 2, 15, 16, 17, 430, 1_163, 16_384].map { count in
            (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ count) }
        }
        for message in messages {
            pair.give(.send(message.span.bytes))
            pair.peer.send(message)
            pair.exchange()
        }
        #expect(pair.peer.received == messages)
        #expect(pair.received == messages)
        pair.give(.close)
        #expect(pair.peer.isClosed)
    }

    @Test(arguments: [DTLSRole.client, .server])
    func aPeerThatCloses(_ role: DTLSRole) throws {
        let pair = try Pair(LibraryPeer.Options(role: role))
        pair.peer.close()
        pair.exchange()
        #expect(pair.events.last == .closed)
    }

    @Test func theOtherGroup() throws {
        #expect(try Pair(LibraryPeer.Options(groups: [NID_X9_62_prime256v1])).isConnected)
    }

    @Test func smallFragments() throws {
        #expect(try Pair(LibraryPeer.Options(mtu: 256)).isConnected)
        #expect(try Pair(LibraryPeer.Options(role: .server, mtu: 256)).isConnected)
    }

    /// Certificates on P-384 and P-521, as Firefox makes them when asked to, were refused though their signatures were offered:
    /// OpenSSL looks for their curve among the groups.
    @Test(arguments: [LibraryPeer.Certificate.rsa, .p384, .p521, .ed25519])
    func otherKindsOfCertificates(_ kind: LibraryPeer.Certificate) throws {
        let pair = try Pair(
            LibraryPeer.Options(
                certificate: kind,
                groups: [NID_secp521r1, NID_secp384r1, NID_X9_62_prime256v1, NID_X25519]))
        #expect(pair.isConnected)
        guard case .connected(let peer) = pair.events.first else { return }
        #expect(peer.fingerprint == pair.peer.fingerprint)
    }

    /// What does not fit ends with a name, and the peer is told.
    @Test(arguments: [
        (LibraryPeer.Options(certificate: .none), DTLSFailure.noCertificate, UInt8(40)),
        (LibraryPeer.Options(certificate: .brainpool), .handshakeRefused(alert: 47), 47),
        (LibraryPeer.Options(ciphers: "ECDHE-RSA-AES128-GCM-SHA256"), .noCommonCipher, 40),
        (LibraryPeer.Options(ciphers: "ECDHE-ECDSA-AES128-SHA"), .noCommonCipher, 40),
        (LibraryPeer.Options(groups: [NID_secp384r1]), .noCommonCipher, 40),
        (LibraryPeer.Options(version: DTLS1_VERSION), .noCommonVersion, 70),
    ])
    func refusals(_ options: LibraryPeer.Options, _ failure: DTLSFailure, _ alert: UInt8) throws {
        let pair = try Pair(options)
        #expect(pair.events == [.failed(failure)])
        #expect(pair.peer.alert == alert)
        #expect(ERR_peek_error() == 0)
    }

    /// A server may do without our certificate; one without a certificate of its own has no suite for us.
    @Test func aServerWithoutACertificate() throws {
        let pair = try Pair(LibraryPeer.Options(role: .server, certificate: .none))
        #expect(pair.events == [.failed(.alertReceived(40))])
    }

    /// OpenSSL's client ends the session when it may not have a second handshake; there is none either way.
    @Test func aSecondHandshakeIsRefused() throws {
        let pair = try Pair()
        pair.peer.renegotiate()
        pair.exchange()
        #expect(pair.events.count == 2)
        #expect(pair.events.last == .failed(.alertReceived(40)))
    }
}
