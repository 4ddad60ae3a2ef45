import Glibc
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Box

/// The control socket, by the client that the commands have.
@Suite(.timeLimit(.minutes(1))) final class ControlTests: Sendable {
    private let folder: String
    private let asked = Mutex<[ControlRequest]>([])
    private let ended = Mutex<[ControlRequest]>([])

    init() throws {
        var template = Array("/tmp/kibitz-control-XXXXXX".utf8CString)
        folder = String(cString: try #require(mkdtemp(&template)))
    }

    deinit {
        unlink(folder + "/" + controlSocketName)
        rmdir(folder)
    }

    private func serve() async throws -> any Channel {
        try await ControlServer(
            path: folder + "/" + controlSocketName, group: "nobody-has-this-group",
            loop: MultiThreadedEventLoopGroup.singleton.next(), logger: Logger(label: "test"),
            answer: { request, end in
                self.asked.withLock { $0.append(request) }
                end.whenComplete { _ in self.ended.withLock { $0.append(request) } }
                return ControlResponse(error: request == .reset ? "the disk is full" : nil)
            }
        ).start()
    }

    /// Asks as a process of its own would: the client waits on its thread.
    private func ask<Answer: Sendable>(
        _ question: @escaping @Sendable (ControlClient) throws -> Answer
    ) async throws -> Answer {
        let folder = folder
        return try await NIOThreadPool.singleton.runIfActive { try question(ControlClient(state: folder)) }
    }

    private func waitUntil(_ isSo: () -> Bool) async throws {
        for _ in 0..<400 where !isSo() { try await Task.sleep(for: .milliseconds(5)) }
    }

    /// An updater has to be seen to end however it ends, so its connection is what tells.
    @Test func anUpdateLastsUntilItsConnectionIsClosedEverywhere() async throws {
        let server = try await serve()
        let connection = try await ask { try $0.updating() }
        #expect(asked.withLock { $0 } == [.updating])
        #expect(fcntl(connection, F_GETFD) == 0, "a program that takes this one's place has it too")
        let second = dup(connection)
        close(connection)
        try await Task.sleep(for: .milliseconds(50))
        #expect(ended.withLock { $0.isEmpty })
        close(second)
        try await waitUntil { ended.withLock { !$0.isEmpty } }
        #expect(ended.withLock { $0 } == [.updating])
        try await server.close()
    }

    @Test func everyOtherConnectionEndsWithItsAnswer() async throws {
        let server = try await serve()
        await #expect(throws: ControlClient.Failure.self) { try await ask { try $0.reset() } }
        try await waitUntil { ended.withLock { !$0.isEmpty } }
        #expect(ended.withLock { $0 } == [.reset])
        try await server.close()
        await #expect(throws: ControlClient.Failure.self) { try await ask { try $0.updating() } }
    }
}
