import DTLS
import DataChannel
import ICE
import SCTP
import STUN
import SansIO
import Testing
import WebRTCClient
import WebRTCDirect

@Suite("Endpoint: WebRTC Direct")
struct DirectTests {
    private static let password = "abcdefghijklmnopqrstuv"
    private static let hexadecimal = String(repeating: "0123456789abcdef", count: 4)

    /// Names as clients make them, with the fragment of the client, and what the endpoint calls them.
    private static let names: [(fragment: String, client: String, kind: EndpointIdentityKind)] = [
        ("libp2p+webrtc+v1/random12", "libp2p+webrtc+v1/random12", .libp2pV1),
        ("libp2p+webrtc+v2/\(password)", "browser1", .libp2pV2),
        (hexadecimal, hexadecimal, .hexadecimal),
    ]

    @Test("Clients that choose the password connect and have channel 0 without DCEP")
    func connects() throws {
        for name in Self.names {
            let rig = try Rig(direct: true)
            let remote = try #require(ICECredentials(fragment: name.fragment, password: name.fragment))
            var configuration = ClientConfiguration(fragment: name.client, remote: remote, context: rig.clientContext)
            configuration.fingerprint = try #require(Rig.otherIdentity).fingerprint
            let client = try rig.add(configuration, at: rig.address(5))
            rig.give(.start, to: client)
            rig.run(for: .milliseconds(100))
            rig.give(.negotiateChannel(0, DataChannelParameters(label: "rpc")), to: client)
            let id = try #require(rig.connected.last)
            guard case .connected(_, let connection) = rig.events.first else { throw Missing.event }
            #expect(connection.identity == name.kind)
            #expect(
                rig.events.last == .channelOpened(id, channel: 0, DataChannelParameters(label: ""), isIncoming: false))
            rig.send("ping", from: client)
            rig.send("pong", to: id)
            rig.run(for: .milliseconds(100))
            #expect(rig.messages == ["ping"])
            #expect(client.messages == ["pong"])
        }
    }

    /// Channel 0 was there only when all that came with the end of the handshake had been dealt with: a first message in the same
    /// datagram was acknowledged and dropped, and the framing behind it never found its place.
    @Test("A first message that comes with the end of SCTP's handshake is not lost")
    func messageWithCookie() throws {
        let rig = try Rig(direct: true)
        let fragment = Self.names[0].fragment
        var firstTSN: [UInt8] = []
        let phone = try RawPhone(rig, username: "\(fragment):\(fragment)", password: fragment) { packet in
            // The initial TSN of the INIT; behind the COOKIE ECHO, a DATA chunk with the text "first" on stream 0.
            if packet[12] == 1 { firstTSN = Array(packet[28..<32]) }
            guard packet[12] == 10 else { return packet }
            return packet + [0, 3, 0, 21] + firstTSN + [0, 0, 0, 0, 0, 0, 0, 51] + Array("first".utf8) + [0, 0, 0]
        }
        let id = try #require(rig.connected.last)
        #expect(rig.messages == ["first"])
        #expect(
            rig.events.prefix(2).last
                == .channelOpened(id, channel: 0, DataChannelParameters(label: ""), isIncoming: false))
        #expect(rig.endpoint.counters.channelRefusals.isEmpty)
        // What it never sent itself is acknowledged to it.
        #expect(phone.events.last == .closed(.protocolViolation(.acknowledgedUnsent)))
    }

    @Test("Names that are not quite right are refused, and all of them when nothing is served there")
    func refusals() throws {
        let wrong = [
            // Another version, none, too short to be a password, another fragment on the client's side.
            "libp2p+webrtc+v3/\(Self.password):libp2p+webrtc+v3/\(Self.password)", "\(Self.password):\(Self.password)",
            "libp2p+webrtc+v1/abcd:libp2p+webrtc+v1/abcd", "libp2p+webrtc+v1/random12:libp2p+webrtc+v1/other123",
            "libp2p+webrtc+v2/short:browser1", "libp2p+webrtc+v2/\(Self.password):abc",
            "libp2p+webrtc+v2/\(Self.password):has space",
            "libp2p+webrtc+v2/\(String(repeating: "p", count: 240)):browser1", "\(Self.hexadecimal):other",
            "\(Self.hexadecimal)0:\(Self.hexadecimal)0",
        ]
        for (isServed, names) in [
            (true, wrong), (false, wrong + Self.names.map { "\($0.fragment):\($0.client)" }),
        ] {
            let rig = try Rig(direct: isServed)
            for name in names {
                let password = try #require(name.split(separator: ":").first)
                rig.give(rig.check(name, password: String(password)), from: rig.address(5))
                #expect(try rig.lastError() == .unauthenticated, "\(name)")
            }
            #expect(rig.endpoint.peerCount == 0)
            #expect(rig.endpoint.counters[.unknownName] == UInt64(names.count))
        }
    }

    private enum Missing: Error { case event }
}
