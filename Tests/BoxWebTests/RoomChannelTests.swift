import BoxCertificates
import BoxRoom
import BoxState
import Credentials
import Foundation
import Logging
import NIOCore
import NIOPosix
import PeerBroker
import Testing
import Wire

@testable import BoxWeb

/// What a phone on the LAN hub's channel `room` sees.
@Suite final class RoomChannelTests {
    private final class Link: RoomLink {
        var local = IPAddress.v4(0x0A00_0001)
        var frames: [String] = []
        var isClosed = false

        func send(_ text: RawSpan) {
            #expect(!isClosed, "nothing is sent on a closed channel")
            frames.append(text.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
        }
        func flush() {}
        func close() { isClosed = true }

        func take() throws -> [[String: Any]] {
            defer { frames = [] }
            return try frames.map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            }
        }
    }

    private let path = FileManager.default.temporaryDirectory.appending(path: "kibitz-channel-\(UUID())").path
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let authority: RoomAuthority
    private let signaling: SignalingServer
    private let entrance: RoomEntrance

    init() throws {
        let state = try StateDirectory(path: path)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        authority = try RoomAuthority(state: state)
        var limits = PeerBroker.Limits()
        limits.members = 2
        signaling = SignalingServer(
            configuration: .init(path: "/", key: "peerjs", limits: limits), authority: authority,
            eventLoop: group.next(), logger: logger)
        let certificates = try CertificateSource(
            owner: nil, hosts: ["localhost"], addresses: [.v4(0x7F00_0001)], state: state, logger: logger)
        entrance = RoomEntrance(
            configuration: WebConfiguration(
                name: "Test", version: "0", ports: .init(http: 80, https: 443, stun: 3478),
                broker: .init(path: "/", key: "peerjs", discovery: false), siteRoot: nil, offersTURN: true,
                turnLifetime: 600, certificates: certificates, linksAreSecure: { $0 }, hub: HubFacts()),
            authority: authority, signaling: signaling)
    }

    deinit {
        // The last reference may be given up on the loop itself.
        group.shutdownGracefully { _ in }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Everything of the broker happens on its event loop.
    private func onLoop(_ body: @escaping @Sendable (RoomChannelTests) throws -> Void) throws {
        nonisolated(unsafe) let test = self
        try group.next().submit { try body(test) }.wait()
    }

    private func dial(_ link: Link) -> RoomChannel {
        entrance.channel(over: link, from: .v4(0x0A00_0002))
    }

    private func send(_ text: String, _ channel: RoomChannel) {
        channel.received(Array(text.utf8))
        entrance.flush()
    }

    private func session(_ extra: String = "") -> String {
        #"{"type":"SESSION","payload":{"secret":"\#(authority.credentials.secret)"\#(extra)}}"#
    }

    @Test func aSessionOpensTheRoom() throws {
        try onLoop { test in
            let link = Link()
            let channel = test.dial(link)
            test.send(test.session(), channel)
            let frames = try link.take()
            #expect(frames.map { $0["type"] as? String } == ["SESSION", "OPEN", "ROOM"])
            let payload = try #require(frames[0]["payload"] as? [String: Any])
            let id = try #require(payload["id"] as? String)
            #expect(id.hasPrefix("kl-") && payload["token"] is String && payload["name"] as? String == "Test")
            let servers = try #require(payload["iceServers"] as? [[String: Any]])
            #expect(
                servers.map { $0["urls"] as? [String] } == [
                    ["stun:10.0.0.1:3478"], ["turn:10.0.0.1:3478?transport=udp"],
                ])
            #expect(servers[1]["username"] is String && servers[1]["credential"] is String)
            #expect((payload["room"] as? [String: Any])?["https"] as? Int == 443)
            // Again: fresh credentials, and nothing else.
            test.send(test.session(), channel)
            let again = try link.take()
            #expect(again.map { $0["type"] as? String } == ["SESSION"])
            #expect((again[0]["payload"] as? [String: Any])?["id"] as? String == id)
        }
    }

    /// A phone that had gone over to another network of the box was still told of ICE servers at the former address, at which the firewall
    /// lets it have none.
    @Test func afterAMoveTheServersAreWhereThePhoneIs() throws {
        try onLoop { test in
            let link = Link()
            let channel = test.dial(link)
            for local in [IPAddress.v4(0x0A00_0001), .v4(0x0A01_0001)] {
                link.local = local
                test.send(test.session(), channel)
                let payload = try #require(try link.take()[0]["payload"] as? [String: Any])
                let servers = try #require(payload["iceServers"] as? [[String: Any]])
                #expect(servers[0]["urls"] as? [String] == ["stun:\(local):3478"])
            }
        }
    }

    /// Each frame was answered, however many came: a few phones' small messages took the whole processor.
    @Test func aFloodOfWhatTheChannelItselfAnswersIsClosed() throws {
        try onLoop { test in
            for frame in ["x", #"{"type":"SESSION","payload":{"secret":"wrong"}}"#, test.session()] {
                let link = Link()
                let channel = test.dial(link)
                for _ in 0..<1000 where !link.isClosed { test.send(frame, channel) }
                let types = try link.take().map { $0["type"] as? String }
                // A slow machine takes a few seconds for this, in which some more are answered.
                #expect(link.isClosed && types.last == "CLOSE" && types.count < 80, "\(types.count)")
                test.send(frame, channel)
                #expect(link.frames.isEmpty)
            }
        }
    }

    @Test func peopleOnChannelsMeet() throws {
        try onLoop { test in
            let (one, two) = (Link(), Link())
            let (ada, bob) = (test.dial(one), test.dial(two))
            test.send(test.session(), ada)
            let id = try #require((try one.take()[0]["payload"] as? [String: Any])?["id"] as? String)
            test.send(test.session(), bob)
            _ = try two.take()
            test.send(#"{"type":"OFFER","dst":"\#(id)","payload":{"sdp":"SESSION"}}"#, bob)
            let offer = try #require(try one.take().last)
            #expect(
                offer["type"] as? String == "OFFER"
                    && (offer["payload"] as? [String: Any])?["sdp"] as? String == "SESSION")
            // The room is full now: refused as on a WebSocket, with words and then the code.
            let three = Link()
            let eve = test.dial(three)
            test.send(test.session(), eve)
            let frames = try three.take()
            #expect(frames.map { $0["type"] as? String } == ["SESSION", "ERROR", "CLOSE"])
            #expect((frames[2]["payload"] as? [String: Any])?["code"] as? Int == 4005)
            #expect(three.isClosed)
            eve.closed()
            test.send(#"{"type":"HEARTBEAT"}"#, eve)
            #expect(three.frames.isEmpty)
        }
    }

    @Test func aWrongSecretIsRefusedAndTheRightOneStillTaken() throws {
        try onLoop { test in
            let link = Link()
            let channel = test.dial(link)
            test.send(#"{"type":"SESSION","payload":{"secret":"old"}}"#, channel)
            let refusal = try #require(try link.take().last?["payload"] as? [String: Any])
            #expect(refusal["code"] as? String == "rotated" && (refusal["msg"] as? String)?.isEmpty == false)
            for text in [
                "{", #"{"type":"SESSION"}"#, #"{"type":"SESSION","payload":{"secret":1}}"#, #"{"type":"OFFER"}"#,
            ] {
                test.send(text, channel)
                #expect(
                    (try link.take().last?["payload"] as? [String: Any])?["code"] as? String == "malformed", "\(text)")
            }
            test.send(test.session(), channel)
            let frames = try link.take()
            #expect(frames.count == 3)
        }
    }

    @Test func guessingIsSlowedDown() throws {
        try onLoop { test in
            // A channel has few answers; who opens others is known by the address.
            var codes: [String?] = []
            for _ in 0..<6 {
                let link = Link()
                let channel = test.dial(link)
                for _ in 0..<10 { test.send(#"{"type":"SESSION","payload":{"secret":"guess"}}"#, channel) }
                codes += try link.take().map { ($0["payload"] as? [String: Any])?["code"] as? String }
            }
            #expect(codes.count == 60 && codes.first == "rotated" && codes.last == "slow-down")
        }
    }

    @Test func theSameClientOnAnotherChannelTakesOver() throws {
        try onLoop { test in
            let (one, two) = (Link(), Link())
            let (first, second) = (test.dial(one), test.dial(two))
            test.send(test.session(), first)
            let payload = try #require(try one.take()[0]["payload"] as? [String: Any])
            let token = try #require(payload["token"] as? String)
            test.send(test.session(#","token":"\#(token)""#), second)
            let taken = try two.take()[0]["payload"] as? [String: Any]
            #expect(taken?["id"] as? String == payload["id"] as? String)
            let last = try #require(try one.take().last)
            #expect(last["type"] as? String == "CLOSE" && (last["payload"] as? [String: Any])?["code"] as? Int == 4002)
            #expect(one.isClosed && !two.isClosed)
        }
    }
}
