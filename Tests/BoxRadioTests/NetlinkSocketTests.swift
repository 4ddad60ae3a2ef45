import Glibc
import NIOCore
import NIOPosix
import NL80211
import Netlink
import Testing
import Wire

@testable import BoxRadio

/// What a socket told, on its event loop.
private final class Log {
    var replies: [UInt64: Result<NetlinkReply, NetlinkFailure>] = [:]
    var isWithinCall = false
    var socket: NetlinkSocket?
}

/// Against this machine's kernel, with questions only: what changes things is tried in the rig.
@Suite(.timeLimit(.minutes(1)))
struct NetlinkSocketTests {
    private let loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()

    private func open() async throws -> NIOLoopBoundBox<Log> {
        let loop = loop
        return try await loop.submit {
            let log = NIOLoopBoundBox(Log(), eventLoop: loop)
            log.value.socket = try NetlinkSocket(.route, on: loop) { event in
                #expect(!log.value.isWithinCall)
                if case .reply(let id, let result) = event { log.value.replies[id.rawValue] = result }
            }
            return log
        }.get()
    }

    private func ask(
        _ log: NIOLoopBoundBox<Log>, _ requests: [NetlinkRequest]
    ) async throws -> [UInt64: Result<NetlinkReply, NetlinkFailure>] {
        try await loop.submit {
            log.value.isWithinCall = true
            for (number, request) in requests.enumerated() {
                log.value.socket?.send(NetlinkRequestID(rawValue: UInt64(number)), request)
            }
            log.value.isWithinCall = false
        }.get()
        while true {
            let replies = try await loop.submit { log.value.replies }.get()
            if replies.count == requests.count { return replies }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    @Test func `links and addresses are those of the machine, asked for all at once`() async throws {
        let log = try await open()
        let lists = [NetlinkRequest.route(.getLinks), .route(.getAddresses)]
        let replies = try await ask(log, lists + lists + [.route(.getLink(index: 1))])
        for number in [0, 2] as [UInt64] {
            guard case .success(.links(let links)) = replies[number] else {
                Issue.record("no links: \(String(describing: replies[number]))")
                continue
            }
            let loopback = try #require(links.first { $0.flags.contains(.loopback) })
            #expect(loopback.name == "lo" && loopback.index == if_nametoindex("lo"))
        }
        for number in [1, 3] as [UInt64] {
            guard case .success(.addresses(let addresses)) = replies[number] else {
                Issue.record("no addresses: \(String(describing: replies[number]))")
                continue
            }
            #expect(addresses.contains { $0.address == .v4(0x7F00_0001) && $0.prefixLength == 8 })
        }
        guard case .success(.links(let one)) = replies[4] else {
            Issue.record("no link")
            return
        }
        #expect(one.map(\.index) == [1])
        try await loop.submit { log.value.socket?.close() }.get()
    }

    @Test func `a refusal comes with the kernel's number`() async throws {
        let log = try await open()
        let replies = try await ask(log, [.route(.getLink(index: 0x7FFF_FFFF)), .nl80211(.getWiphys)])
        #expect(replies[0] == .failure(.refused(NetlinkError(.noDevice))))
        #expect(replies[1] == .failure(.notSent(.notSupported)))
        try await loop.submit { log.value.socket?.close() }.get()
    }

    @Test func `a closed socket answers, and never from within a call`() async throws {
        let log = try await open()
        try await loop.submit {
            log.value.isWithinCall = true
            log.value.socket?.send(NetlinkRequestID(rawValue: 0), .route(.getLinks))
            log.value.socket?.close()
            log.value.isWithinCall = false
        }.get()
        let replies = try await ask(log, [.route(.getLinks), .route(.getAddresses)])
        #expect(replies == [0: .failure(.closed), 1: .failure(.closed)])
    }

    @Test func `an interface that is not there has no EAPOL`() async throws {
        let loop = loop
        let text = try await loop.submit {
            do throws(RadioSocketError) {
                _ = try EAPOLSocket(interface: 0x7FFF_FFFF, on: loop) { _, _ in }
                return ""
            } catch {
                return error.description
            }
        }.get()
        // Without the right to packet sockets it is the first that fails.
        #expect(
            text.hasPrefix("cannot watch the interface for EAPOL: ") || text.hasPrefix("cannot open a packet socket: "))
    }
}
