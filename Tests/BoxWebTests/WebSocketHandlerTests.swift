import BoxRoom
import BoxState
import Foundation
import Logging
import NIOCore
import NIOPosix
import PeerBroker
import Synchronization
import Testing

@testable import BoxWeb

/// Counts what a channel reads.
private final class ReadCounter: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    let count = Atomic(0)

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        count.add(1, ordering: .relaxed)
        context.fireChannelRead(data)
    }
}

/// A broker, and a client's end of one connection to it that reads when the test does.
private final class Connection {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let directory: String
    let signaling: SignalingServer
    let channel: any Channel
    let client: CInt
    let reads = ReadCounter()
    /// What the client has read and not looked at yet.
    private var received: [UInt8] = []

    init(id: String = "a") throws {
        var template = Array("/tmp/kibitz-websocket-XXXXXX".utf8CString)
        directory = String(cString: try #require(mkdtemp(&template)))
        let loop = group.next()
        let signaling = SignalingServer(
            configuration: .init(path: "/", key: "peerjs", limits: PeerBroker.Limits()),
            authority: try RoomAuthority(state: StateDirectory(path: directory)), eventLoop: loop,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        self.signaling = signaling
        var pair: [CInt] = [0, 0]
        try #require(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &pair) == 0)
        client = pair[1]
        let server = pair[0]
        // What the kernel holds is little, so that the channel must hold the rest.
        var size: CInt = 4096
        setsockopt(server, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        channel = try ClientBootstrap(group: loop).withConnectedSocket(server).wait()
        let (channel, reads) = (channel, reads)
        try loop.submit {
            try channel.pipeline.syncOperations.addHandler(reads)
            try channel.pipeline.syncOperations.addHandler(
                WebSocketHandler(
                    signaling: signaling, uri: "/peerjs?key=peerjs&id=\(id)&token=t", isSecure: false))
        }.wait()
    }

    deinit {
        close(client)
        try? group.syncShutdownGracefully()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Does something to the handler on its event loop.
    func onLoop(_ body: @escaping @Sendable (WebSocketHandler) -> Void) throws {
        let channel = channel
        try channel.eventLoop.submit {
            body(try channel.pipeline.syncOperations.handler(type: WebSocketHandler.self))
        }.wait()
    }
}

extension Connection {
    /// The payloads of the next frames.
    func frames(_ count: Int) throws -> [[UInt8]] { try (0..<count).map { _ in try frame() } }

    private func frame() throws -> [UInt8] {
        try receive(2)
        if received[1] == 126 { try receive(4) }
        let (start, length) =
            received[1] == 126 ? (4, Int(received[2]) << 8 | Int(received[3])) : (2, Int(received[1]))
        try receive(start + length)
        defer { received.removeFirst(start + length) }
        return Array(received[start..<start + length])
    }

    private func receive(_ count: Int) throws {
        var piece = [UInt8](repeating: 0, count: 4096)
        while received.count < count {
            var wanted = pollfd(fd: client, events: Int16(POLLIN), revents: 0)
            try #require(poll(&wanted, 1, 10_000) == 1, "nothing comes")
            let size = recv(client, &piece, piece.count, 0)
            try #require(size > 0, "the connection has ended")
            received += piece[..<size]
        }
    }

    /// Sends a frame with a mask of zeros.
    func say(_ opcode: UInt8, _ payload: String) {
        let bytes = [0x80 | opcode, 0x80 | UInt8(payload.utf8.count), 0, 0, 0, 0] + Array(payload.utf8)
        _ = bytes.withUnsafeBytes { send(client, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
    }
}

@Suite struct WebSocketHandlerTests {
    @Test func `what the socket takes, and what must wait, arrive in the order in which they were sent`() throws {
        let connection = try Connection()
        #expect(try connection.frames(1) == [Array(#"{"type":"OPEN"}"#.utf8)])
        let messages = (0..<600).map { number in
            [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
                + [UInt8](repeating: 0x61, count: 10 + number * 7 % 1500)
        }
        // Some are sent while nobody reads, so that most of them wait; the others while the client catches up.
        for batch in stride(from: 0, to: 300, by: 3) {
            try connection.onLoop { handler in
                for message in messages[batch..<batch + 3] { handler.send(message.span.bytes) }
                handler.flush()
            }
        }
        let channel = connection.channel
        #expect(try channel.eventLoop.submit { channel.isWritable }.wait() == false)
        var arrived = try connection.frames(150)
        for number in 300..<600 {
            let message = messages[number]
            try connection.onLoop { handler in
                handler.send(message.span.bytes)
                handler.flush()
            }
            if arrived.count < number { arrived += try connection.frames(2) }
        }
        arrived += try connection.frames(600 - arrived.count)
        for (index, message) in messages.enumerated() {
            try #require(arrived[index] == message, "message \(index) is another, or broken")
        }
    }

    @Test func `a ping is answered and a message passed on`() throws {
        let connection = try Connection()
        _ = try connection.frames(1)
        connection.say(9, "are you there?")
        connection.say(1, #"{"type":"OFFER","dst":"a","payload":1}"#)
        #expect(
            try connection.frames(2) == [
                Array("are you there?".utf8), Array(#"{"src":"a","type":"OFFER","dst":"a","payload":1}"#.utf8),
            ])
    }

    @Test func `messages that come thick and fast are read several at a time, and pass on in order`() throws {
        let connection = try Connection()
        _ = try connection.frames(1)
        let before = connection.reads.count.load(ordering: .relaxed)
        for number in 0..<500 {
            connection.say(1, #"{"type":"OFFER","dst":"a","payload":\#(number)}"#)
            usleep(10)
        }
        for (number, frame) in try connection.frames(500).enumerated() {
            try #require(
                String(decoding: frame, as: UTF8.self)
                    == #"{"src":"a","type":"OFFER","dst":"a","payload":\#(number)}"#)
        }
        #expect(connection.reads.count.load(ordering: .relaxed) - before < 250)
    }

    @Test func `a close by the broker is said, and then the connection is cut`() throws {
        let connection = try Connection()
        _ = try connection.frames(1)
        connection.say(1, #"{"type":"LEAVE"}"#)
        #expect(try connection.frames(1) == [[0x03, 0xE8] + Array("left".utf8)])
        connection.say(8, "")
        var byte: UInt8 = 0
        #expect(recv(connection.client, &byte, 1, 0) == 0, "the server ends the connection")
    }

    @Test func `a broken frame is answered with the code that says so`() async throws {
        let connection = try Connection()
        _ = try connection.frames(1)
        connection.say(5, "no such opcode")
        #expect(try connection.frames(1)[0].prefix(2) == [0x03, 0xEA])
        #expect(await connection.signaling.snapshot().protocolErrors == 1)
    }
}
