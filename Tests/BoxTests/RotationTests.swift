import BoxRoom
import BoxState
import Credentials
import Foundation
import Logging
import Synchronization
import Testing

@testable import Box

/// One change of the codes at a time, and what is told of a disk that does not take it.
@Suite final class BoxRotationTests {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("kibitz-rotation-\(UUID())").path
    private let troubles = Count()
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    private func make(_ authority: RoomAuthority, retryDelay: Duration = .milliseconds(20)) -> Rotation {
        Rotation(authority: authority, logger: logger, retryDelay: retryDelay) { [troubles] in troubles.add() }
    }

    @Test func whoAsksDuringOneGetsTheSameCodes() async throws {
        let authority = try RoomAuthority(state: StateDirectory(path: path))
        let rotation = make(authority)
        let (hold, release) = AsyncStream.makeStream(of: Void.self)
        let (begun, begins) = AsyncStream.makeStream(of: Void.self)
        let followUps = Count()
        let followUp: Rotation.FollowUp = { former, present in
            #expect(former.generation == 1 && present.generation == 2)
            #expect(authority.credentials == present, "they are valid before anyone is told")
            followUps.add()
            begins.yield()
            for await _ in hold { break }
        }
        let beginnings = Count()
        let first = Task { try await rotation.run(begin: { beginnings.add() }, followUp) }
        for await _ in begun { break }
        // The new codes are on the disk, and everyone is being told.
        let others = (0..<20).map { _ in Task { try await rotation.run(begin: { beginnings.add() }, followUp) } }
        try await Task.sleep(for: .milliseconds(50))
        release.yield()
        let codes = try await first.value
        for other in others { #expect(try await other.value == codes) }
        #expect(codes.generation == 2 && authority.credentials == codes && followUps.value == 1)
        #expect(beginnings.value == 1, "who joins begins nothing")
        #expect(try await rotation.run { _, _ in }.generation == 3, "a later one is another one")
        #expect(rotation.trouble == nil && troubles.value == 0)
    }

    @Test(.enabled(if: geteuid() == 0, "only root may mount"))
    func aFullDiskIsToldUntilItHasRoomAgain() async throws {
        mkdir(path, 0o700)
        try #require(mount("none", path, "tmpfs", 0, "size=64k,mode=0700") == 0)
        defer { umount2(path, 2 /* MNT_DETACH */) }
        let authority = try RoomAuthority(state: StateDirectory(path: path))
        let rotation = make(authority)
        let old = authority.credentials
        let filling = try #require(fopen("\(path)/filling", "w"))
        let chunk = [UInt8](repeating: 1, count: 4096)
        while fwrite(chunk, 1, chunk.count, filling) == chunk.count, fflush(filling) == 0 {}
        for _ in 0..<2 {
            await #expect(throws: StateError.self) {
                try await rotation.run { _, _ in Issue.record("nobody is sent out") }
            }
        }
        #expect(rotation.trouble?.reason == .full && authority.credentials == old)
        #expect(troubles.value == 1, "told once")
        try await Task.sleep(for: .milliseconds(100))
        #expect(rotation.trouble?.reason == .full, "it is still full")
        ftruncate(fileno(filling), 0)
        fclose(filling)
        for _ in 0..<200 where rotation.trouble != nil { try await Task.sleep(for: .milliseconds(10)) }
        #expect(rotation.trouble == nil && troubles.value == 2 && authority.credentials == old)
        #expect(try await rotation.run { _, _ in }.generation == 2)
    }

    /// Each failure after a success started another loop that wrote to the card for as long as it failed.
    @Test(.enabled(if: geteuid() == 0, "only root may mount"))
    func howeverOftenItFailsOneLooksAtTheStorage() async throws {
        mkdir(path, 0o700)
        try #require(mount("none", path, "tmpfs", 0, "size=64k,mode=0700") == 0)
        defer { umount2(path, 2 /* MNT_DETACH */) }
        let authority = try RoomAuthority(state: StateDirectory(path: path))
        let rotation = make(authority, retryDelay: .milliseconds(300))
        let filling = try #require(fopen("\(path)/filling", "w"))
        defer { fclose(filling) }
        let chunk = [UInt8](repeating: 1, count: 4096)
        for _ in 0..<4 {
            while fwrite(chunk, 1, chunk.count, filling) == chunk.count, fflush(filling) == 0 {}
            await #expect(throws: StateError.self) { try await rotation.run { _, _ in } }
            try #require(rotation.trouble != nil)
            ftruncate(fileno(filling), 0)
            rewind(filling)
            try await rotation.run { _, _ in }
            try #require(rotation.trouble == nil)
        }
        #expect(rotation.watchers == 1)
        for _ in 0..<200 where rotation.watchers > 0 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(rotation.watchers == 0, "nobody looks while nothing is wrong")
    }
}

private final class Count: Sendable {
    private let number = Mutex(0)
    var value: Int { number.withLock { $0 } }
    func add() { number.withLock { $0 += 1 } }
}
