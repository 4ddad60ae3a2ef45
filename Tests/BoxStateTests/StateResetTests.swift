import Foundation
import Synchronization
import Testing

@testable import BoxState

/// Everything goes, or nothing.
@Suite struct StateResetTests {
    let base: TemporaryDirectory
    let files = ["key", "room", "hub", "portal", "leases", "control.sock"]

    init() throws { base = try TemporaryDirectory() }

    private func fill(_ directory: TemporaryDirectory) throws {
        _ = try StateDirectory(path: directory.path)
        for name in files { try directory.put(name, at: name) }
    }

    private func names(_ directory: TemporaryDirectory) -> [String] {
        Descriptor(open(directory.path, O_RDONLY)).names().sorted()
    }

    @Test func everythingGoesAndNothingIsWrittenAfterwards() throws {
        try fill(base)
        do {
            let state = try StateDirectory(path: base.path)
            try state.reset()
            #expect(base.exists("key"), "nobody decided on it")
            try state.prepareReset()
            // The box still runs.
            try state.write([1], to: "portal")
            #expect(try state.read("key") == Array("key".utf8))
            try state.reset()
            #expect(names(base) == ["lock"])
            let error = #expect(throws: StateError.self) { try state.write([1], to: "portal") }
            #expect(error?.reason == .reset)
            #expect(names(base) == ["lock"])
        }
        try StateDirectory(path: base.path).write([1], to: "portal")
        #expect(names(base) == ["lock", "portal"])
    }

    @Test func theNextBoxDoesWhatTheLastOneCouldNot() throws {
        try fill(base)
        try StateDirectory(path: base.path).prepareReset()
        #expect(base.exists("key"))
        _ = try StateDirectory(path: base.path)
        #expect(names(base) == ["lock"])
    }

    @Test func theOwnersFilesStay() throws {
        try fill(base)
        for name in ["config.yaml", "certificate.pem", "lan"] { try base.put("mine", at: name) }
        mkdir("\(base.path)/site", 0o700)
        try base.put("mine", at: "site/index.html")
        let state = try StateDirectory(path: base.path)
        // By another path; by name from within; and one that is elsewhere has only the name.
        try state.prepareReset(keeping: ["\(base.path)/site/../certificate.pem", "\(base.path)//lan", "/etc/hub"])
        try state.reset()
        #expect(names(base) == ["certificate.pem", "config.yaml", "lan", "lock", "site"])
        #expect(base.exists("site/index.html"))
    }

    /// The end of the process at each system call, in the decision and in what follows.
    @Test func anEndAtAnyCallLeavesAllOrNothing() throws {
        var kept = 0
        for number in 0... {
            let directory = try TemporaryDirectory()
            try fill(directory)
            let calls = CountedCalls(last: number)
            do {
                let state = try StateDirectory(path: directory.path, calls: calls)
                _ = try? state.prepareReset()
                _ = try? state.reset()
            }
            _ = try StateDirectory(path: directory.path)
            if directory.exists("key") {
                kept += 1
                #expect(names(directory) == (files + ["lock"]).sorted(), "call \(number)")
            } else {
                #expect(names(directory) == ["lock"], "call \(number)")
            }
            if calls.names.count <= number { break }
        }
        #expect(kept == 6, "until the decision has its name")
    }

    /// A loss of power may undo what is not synchronized: the decision is safe before anything goes, and all of that before the
    /// decision.
    @Test func eachStepIsOnTheStorageBeforeTheNext() throws {
        try fill(base)
        let calls = CountedCalls(last: .max)
        let state = try StateDirectory(path: base.path, calls: calls)
        try state.prepareReset(keeping: ["\(base.path)/key"])
        try state.reset()
        let steps = calls.names
        let decision = ["create .new-reset", "write", "synchronize", "close", "rename reset", "synchronize"]
        #expect(Array(steps.prefix(1)) == ["remove .new-reset"] && Array(steps.dropFirst().prefix(6)) == decision)
        #expect(steps.dropFirst(7).dropLast(3).sorted() == files.filter { $0 != "key" }.map { "remove \($0)" }.sorted())
        #expect(Array(steps.suffix(3)) == ["synchronize", "remove reset", "synchronize"])
    }

    @Test func aDecisionThatCannotBeStoredIsNone() throws {
        for step in FailingFileCalls.Step.allCases {
            let directory = try TemporaryDirectory()
            try fill(directory)
            do {
                let state = try StateDirectory(
                    path: directory.path, calls: FailingFileCalls(step: step, number: ErrorNumber(ENOSPC)))
                let error = #expect(throws: StateError.self) { try state.prepareReset() }
                #expect(error?.reason == .full)
                try state.reset()
            }
            _ = try StateDirectory(path: directory.path)
            #expect(names(directory) == (files + ["lock"]).sorted(), "\(step)")
        }
    }

    /// A file of the name `lock` was enough: `reset --state /var/lib/dpkg` would have emptied that.
    @Test func aBoxsStateIsKnownByWhatItsFilesSay() throws {
        #expect(!StateDirectory.isState(at: base.path))
        #expect(!StateDirectory.isState(at: "\(base.path)/nowhere"))
        for name in ["lock", "status", "key", "room"] { try base.put("somebody else's", at: name) }
        #expect(!StateDirectory.isState(at: base.path))
        try base.put("kibitz-local room 2 1 AAAA", at: "room")
        #expect(StateDirectory.isState(at: base.path))
        // A reset that was decided on and not finished.
        let other = try TemporaryDirectory()
        try StateDirectory(path: other.path).prepareReset()
        #expect(StateDirectory.isState(at: other.path))
    }

    @Test func whatTheBoxDoesNotWriteStays() throws {
        try fill(base)
        for name in ["status", "key.bak", ".bashrc", "portal.txt"] { try base.put("somebody else's", at: name) }
        try base.put("half", at: ".new-7-room")
        let state = try StateDirectory(path: base.path)
        try state.prepareReset()
        try base.put("half", at: ".new-8-room")
        try state.reset()
        #expect(names(base) == [".bashrc", "key.bak", "lock", "portal.txt", "status"])
    }
}

/// The system's calls, told by name; after a number of them nothing happens any more.
private final class CountedCalls: StateFileCalls {
    private let last: Int
    private let told = Mutex<[String]>([])
    private let system = SystemFileCalls()

    init(last: Int) { self.last = last }

    var names: [String] { told.withLock { $0 } }

    private func tell(_ name: String) throws(ErrorNumber) {
        let count = told.withLock { told in
            told.append(name)
            return told.count
        }
        if count > last { throw ErrorNumber(EIO) }
    }

    func create(_ name: String, in directory: Int32) throws(ErrorNumber) -> Int32 {
        try tell("create \(name)")
        return try system.create(name, in: directory)
    }
    func write(_ bytes: ArraySlice<UInt8>, to file: Int32) throws(ErrorNumber) -> Int {
        try tell("write")
        return try system.write(bytes, to: file)
    }
    func synchronize(_ file: Int32) throws(ErrorNumber) {
        try tell("synchronize")
        try system.synchronize(file)
    }
    func close(_ file: Int32) throws(ErrorNumber) {
        try system.close(file)
        try tell("close")
    }
    func rename(_ old: String, to new: String, in directory: Int32) throws(ErrorNumber) {
        try tell("rename \(new)")
        try system.rename(old, to: new, in: directory)
    }
    func remove(_ name: String, in directory: Int32) throws(ErrorNumber) {
        try tell("remove \(name)")
        try system.remove(name, in: directory)
    }
}
