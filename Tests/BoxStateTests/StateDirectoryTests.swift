import Foundation
import Testing

@testable import BoxState

@Suite struct StateDirectoryTests {
    let base: TemporaryDirectory

    init() throws { base = try TemporaryDirectory() }

    @Test func defaultPaths() {
        #expect(StateDirectory.defaultPath(userID: 0, environment: ["HOME": "/root"]) == "/var/lib/kibitz-local")
        #expect(
            StateDirectory.defaultPath(userID: 1000, environment: ["HOME": "/home/a"])
                == "/home/a/.local/state/kibitz-local")
        #expect(
            StateDirectory.defaultPath(userID: 1000, environment: ["HOME": "/home/a", "XDG_STATE_HOME": "/s"])
                == "/s/kibitz-local")
        #expect(
            StateDirectory.defaultPath(userID: 1000, environment: ["HOME": "/home/a", "XDG_STATE_HOME": "s"])
                == "/home/a/.local/state/kibitz-local")
        #expect(StateDirectory.defaultPath(userID: 1000, environment: [:]) == nil)
    }

    @Test func groupNumbers() {
        #expect(StateDirectory.groupID(named: "root") == 0)
        #expect(StateDirectory.groupID(named: "no-such-group-here") == nil)
    }

    @Test func madeWithItsParentsForItsUserOnly() throws {
        let path = "\(base.path)/a/b/state"
        _ = try StateDirectory(path: path)
        #expect(try base.mode(of: "a") == 0o700)
        #expect(try base.mode(of: "a/b/state") == 0o700)
        #expect(try base.mode(of: "a/b/state/lock") == 0o600)
    }

    @Test func aGroupMayPassThroughToTheSocketButNotList() throws {
        let state = try StateDirectory(path: "\(base.path)/state", group: getegid())
        #expect(try base.mode(of: "state") == 0o710)
        #expect(state.path(of: "control") == "\(base.path)/state/control")
    }

    /// A person on a machine that has the group, but who is not in it, could not start a box.
    @Test(.enabled(if: geteuid() == 0, "only root may become another user"))
    func aPersonOutsideTheGroupHasTheDirectoryAlone() async {
        await #expect(processExitsWith: .success) {
            let base = try TemporaryDirectory()
            chmod(base.path, 0o777)
            let root = getegid()
            setgroups(0, nil)
            setegid(65_534)
            seteuid(65_534)
            let state = try StateDirectory(path: "\(base.path)/state", group: root)
            try state.write([1], to: "key")
            #expect(try base.mode(of: "state") == 0o700)
            _ = consume state
            _ = try StateDirectory(path: "\(base.path)/state", group: root)
            seteuid(0)
        }
    }

    @Test func aLooseDirectoryOfTheBoxIsClosed() throws {
        _ = try StateDirectory(path: base.path)
        chmod(base.path, 0o777)
        _ = try StateDirectory(path: base.path)
        #expect(try base.mode(of: ".") == 0o700)
    }

    @Test func aMistypedPathDoesNotCloseSomebodyElsesDirectory() throws {
        try base.put("mine", at: "letter.txt")
        chmod(base.path, 0o755)
        let error = #expect(throws: StateError.self) { try StateDirectory(path: base.path) }
        #expect(error?.reason == .notEmpty)
        #expect(try base.mode(of: ".") == 0o755)
        #expect(!base.exists("lock"))
    }

    /// A file of the name `lock` was enough to take a directory for a box's.
    @Test func aDirectoryOfAnotherProgramIsNotClosed() throws {
        for name in ["lock", "status"] { try base.put("mine", at: name) }
        chmod(base.path, 0o755)
        let error = #expect(throws: StateError.self) { try StateDirectory(path: base.path) }
        #expect(error?.reason == .notEmpty)
        #expect(try base.mode(of: ".") == 0o755)
        try base.put("kibitz-local box key 1 AAAA", at: "key")
        _ = try StateDirectory(path: base.path)
        #expect(try base.mode(of: ".") == 0o700)
    }

    @Test func writtenBytesAreReadBack() throws {
        let state = try StateDirectory(path: base.path)
        #expect(try state.read("key") == nil)
        try state.write([1, 2, 3], to: "key")
        try state.write([], to: "empty")
        #expect(try state.read("key") == [1, 2, 3])
        #expect(try state.read("empty") == [])
        try state.write([4], to: "key")
        #expect(try state.read("key") == [4])
        #expect(try base.mode(of: "key") == 0o600)
        try state.remove("key")
        try state.remove("key")
        #expect(try state.read("key") == nil)
    }

    @Test func theLimitIsExact() throws {
        let state = try StateDirectory(path: base.path)
        try state.write([1, 2, 3], to: "key", limit: 3)
        #expect(try state.read("key", limit: 3) == [1, 2, 3])
        let tooLarge = StateError.Reason.tooLarge(limit: 2)
        #expect(#expect(throws: StateError.self) { try state.read("key", limit: 2) }?.reason == tooLarge)
        #expect(
            #expect(throws: StateError.self) { try state.write([1, 2, 3], to: "key", limit: 2) }?.reason == tooLarge)
        #expect(try state.read("key") == [1, 2, 3])
    }

    @Test func twoBoxesNeverShareOneState() throws {
        let first = try StateDirectory(path: base.path)
        let error = #expect(throws: StateError.self) { try StateDirectory(path: base.path) }
        #expect(error?.reason == .inUse(processID: getpid()))
        #expect(error?.description.contains("process \(getpid())") == true)
        try withExtendedLifetime(first) { try first.write([1], to: "key") }
    }

    @Test func theLockGoesWithItsHolder() throws {
        _ = try StateDirectory(path: base.path)
        _ = try StateDirectory(path: base.path)
    }

    /// The lock stayed with whatever copy of its descriptor a child process had between fork and exec.
    @Test func theLockDoesNotStayWithAChild() throws {
        var copies: [Int32] = []
        do {
            let state = try StateDirectory(path: base.path)
            copies = Descriptor(open("/proc/self/fd", O_RDONLY)).names().compactMap { name in
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")
                return target == state.path(of: "lock") ? Int32(name).map { dup($0) } : nil
            }
        }
        #expect(!copies.isEmpty)
        _ = try StateDirectory(path: base.path)
        for copy in copies { close(copy) }
    }

    @Test func unfinishedFilesAreRemovedAtTheStartAndNothingElse() throws {
        try base.put("half", at: ".new-7-key")
        try base.put("whole", at: "key")
        let state = try StateDirectory(path: base.path)
        #expect(!base.exists(".new-7-key"))
        #expect(try state.read("key") == Array("whole".utf8))
    }

    @Test func aSymbolicLinkInAFilesPlaceIsNotFollowed() throws {
        let state = try StateDirectory(path: base.path)
        symlink("/etc/hostname", "\(base.path)/key")
        #expect(throws: StateError.self) { try state.read("key") }
        try state.write([1], to: "key")
        #expect(try state.read("key") == [1])
    }

    @Test func aFileInTheDirectorysPlace() throws {
        try base.put("", at: "state")
        let error = #expect(throws: StateError.self) { try StateDirectory(path: "\(base.path)/state") }
        #expect(error?.reason == .notDirectory)
    }

    @Test(arguments: [
        (ENOSPC, StateError.Reason.full), (EDQUOT, .full), (EROFS, .readOnly), (EACCES, .notPermitted),
        (EIO, .storageFailed), (EMFILE, .system(EMFILE)),
    ])
    func everyFailureSaysWhatItIsAndLeavesTheOldFile(number: Int32, reason: StateError.Reason) throws {
        for step in FailingFileCalls.Step.allCases {
            let directory = try TemporaryDirectory()
            try StateDirectory(path: directory.path).write([1], to: "key")
            let state = try StateDirectory(
                path: directory.path, calls: FailingFileCalls(step: step, number: ErrorNumber(number)))
            let error = #expect(throws: StateError.self) { try state.write([2], to: "key") }
            #expect(error?.reason == reason)
            #expect(try state.read("key") == (step == .synchronizeDirectory ? [2] : [1]))
            #expect(Descriptor(open(directory.path, O_RDONLY)).names().sorted() == ["key", "lock"])
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root may mount"))
    func aFullDiskIsReportedByTheSystemItself() throws {
        try #require(mount("none", base.path, "tmpfs", 0, "size=64k,mode=0700") == 0)
        defer { umount2(base.path, 2 /* MNT_DETACH */) }
        let state = try StateDirectory(path: base.path)
        try state.write([1], to: "key")
        let large = [UInt8](repeating: 7, count: 80_000)
        let error = #expect(throws: StateError.self) { try state.write(large, to: "key", limit: 100_000) }
        #expect(error?.reason == .full)
        #expect(try state.read("key") == [1])
        #expect(!base.exists(".new-2-key"))
    }
}

/// The system's calls, one of which fails.
struct FailingFileCalls: StateFileCalls {
    enum Step: CaseIterable { case create, write, synchronizeFile, close, rename, synchronizeDirectory }
    let step: Step
    let number: ErrorNumber
    private let system = SystemFileCalls()

    init(step: Step, number: ErrorNumber) {
        self.step = step
        self.number = number
    }

    func create(_ name: String, in directory: Int32) throws(ErrorNumber) -> Int32 {
        if step == .create { throw number }
        return try system.create(name, in: directory)
    }
    func write(_ bytes: ArraySlice<UInt8>, to file: Int32) throws(ErrorNumber) -> Int {
        if step == .write { throw number }
        return try system.write(bytes, to: file)
    }
    func synchronize(_ file: Int32) throws(ErrorNumber) {
        var status = stat()
        fstat(file, &status)
        let isDirectory = status.st_mode & S_IFMT == S_IFDIR
        if step == (isDirectory ? .synchronizeDirectory : .synchronizeFile) { throw number }
        try system.synchronize(file)
    }
    func close(_ file: Int32) throws(ErrorNumber) {
        try system.close(file)
        if step == .close { throw number }
    }
    func rename(_ old: String, to new: String, in directory: Int32) throws(ErrorNumber) {
        if step == .rename { throw number }
        try system.rename(old, to: new, in: directory)
    }
    func remove(_ name: String, in directory: Int32) throws(ErrorNumber) {
        try system.remove(name, in: directory)
    }
}
