import Credentials
import Foundation
import Synchronization
import Testing

@testable import BoxRoom
@testable import BoxState

/// Rotations whose every system call fails, or is the last one before the power goes.
@Suite final class RotationTests {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("kibitz-room-\(UUID())").path

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A box that has changed its codes twice.
    private func begin() throws -> (room: String, secret: String, generation: UInt32) {
        try? FileManager.default.removeItem(atPath: path)
        let authority = try RoomAuthority(state: StateDirectory(path: path))
        _ = try authority.rotate()
        _ = try authority.rotate()
        return (try text(), authority.credentials.secret, authority.credentials.generation)
    }

    private func text() throws -> String { try String(contentsOfFile: "\(path)/room", encoding: .utf8) }

    /// What a box finds at its next start.
    private func found() throws -> (secret: String, generation: UInt32, former: [String]) {
        let authority = try RoomAuthority(state: StateDirectory(path: path))
        return (authority.credentials.secret, authority.credentials.generation, authority.retiredSecrets)
    }

    @Test func aCallThatFailsLeavesTheOldCodes() throws {
        var failures = 0
        for number in 0... {
            let old = try begin()
            let calls = FaultyCalls(failing: number, staysBroken: false)
            do {
                let authority = try RoomAuthority(state: StateDirectory(path: path, calls: calls))
                do throws(StateError) {
                    _ = try authority.rotate()
                } catch {
                    failures += 1
                    #expect(error.reason == .full && authority.credentials.secret == old.secret, "call \(number)")
                    #expect(authority.retiredSecrets.count == 2 && !authority.retiredSecrets.contains(old.secret))
                    // What is on the disk is what is valid, also where only the last call failed.
                    #expect(try text() == old.room, "call \(number)")
                    _ = try authority.rotate()
                }
                #expect(authority.credentials.generation == old.generation + 1)
            }
            let now = try found()
            #expect(now.generation == old.generation + 1 && now.former.last == old.secret && now.former.count == 3)
            if !calls.hasFailed { break }
        }
        #expect(failures == 6, "create, write, synchronize, close, rename, synchronize the directory")
    }

    @Test func anEndAtAnyCallLeavesOneGenerationWhole() throws {
        var outcomes: [UInt32] = []
        for number in 0... {
            let old = try begin()
            let calls = FaultyCalls(failing: number, staysBroken: true)
            do {
                let authority = try RoomAuthority(state: StateDirectory(path: path, calls: calls))
                _ = try? authority.rotate()
            }
            let now = try found()
            if now.generation == old.generation {
                #expect(try text() == old.room)
            } else {
                #expect(now.generation == old.generation + 1 && now.former.count == 3 && now.former.last == old.secret)
                #expect(now.secret != old.secret)
            }
            outcomes.append(now.generation)
            if !calls.hasFailed { break }
        }
        #expect(outcomes == outcomes.sorted() && Set(outcomes).count == 2, "old ones, and from one call on new ones")
    }

    /// Boxes kept the former secrets in a file of their own, written before the present ones: power lost in between left the
    /// present secret in it.
    @Test func anEarlierVersionsFormerSecretsAreTakenOver() throws {
        let old = try begin()
        let lines = old.room.split(separator: "\n").map(String.init)
        try (lines[0] + "\n").write(toFile: "\(path)/room", atomically: true, encoding: .utf8)
        try (lines[1...] + [old.secret]).map { $0 + "\n" }.joined()
            .write(toFile: "\(path)/retired", atomically: true, encoding: .utf8)
        let now = try found()
        #expect(now.secret == old.secret && now.former == Array(lines[1...]))
        #expect(try text() == old.room)
        #expect(!FileManager.default.fileExists(atPath: "\(path)/retired"))
        #expect(try found().former == now.former)
    }

    @Test func formerSecretsAreBounded() throws {
        let authority = try RoomAuthority(state: StateDirectory(path: path))
        var secrets: [String] = []
        for _ in 0..<70 { secrets.append(try authority.rotate().former.secret) }
        #expect(authority.retiredSecrets == secrets.suffix(64))
    }

    @Test func aFileThatIsNotWholeIsReported() throws {
        let old = try begin()
        for bad in [old.room + "x\n", String(old.room.dropLast(3)), old.room + old.room, ""] {
            try bad.write(toFile: "\(path)/room", atomically: true, encoding: .utf8)
            let error = #expect(throws: RoomAuthority.DamagedFile.self) { try self.found() }
            #expect(error?.description.contains("\(path)/room") == true)
        }
    }
}

/// The system's calls, one of which fails: the disk is full.
private final class FaultyCalls: StateFileCalls {
    private let failing: Int
    /// Whether all calls after it fail too, as when the power goes.
    private let staysBroken: Bool
    private let count = Mutex(0)
    private let system = SystemFileCalls()

    init(failing: Int, staysBroken: Bool) {
        self.failing = failing
        self.staysBroken = staysBroken
    }

    var hasFailed: Bool { count.withLock { $0 > failing } }

    private func next() throws(ErrorNumber) {
        let number = count.withLock { count in
            defer { count += 1 }
            return count
        }
        if staysBroken ? number >= failing : number == failing { throw ErrorNumber(ENOSPC) }
    }

    func create(_ name: String, in directory: Int32) throws(ErrorNumber) -> Int32 {
        try next()
        return try system.create(name, in: directory)
    }
    func write(_ bytes: ArraySlice<UInt8>, to file: Int32) throws(ErrorNumber) -> Int {
        try next()
        return try system.write(bytes, to: file)
    }
    func synchronize(_ file: Int32) throws(ErrorNumber) {
        try next()
        try system.synchronize(file)
    }
    func close(_ file: Int32) throws(ErrorNumber) {
        try system.close(file)
        try next()
    }
    func rename(_ old: String, to new: String, in directory: Int32) throws(ErrorNumber) {
        try next()
        try system.rename(old, to: new, in: directory)
    }
    func remove(_ name: String, in directory: Int32) throws(ErrorNumber) {
        // The start removes an earlier version's file; there is none.
        if name == "retired" { throw ErrorNumber(ENOENT) }
        try next()
        try system.remove(name, in: directory)
    }
}
