import Glibc
import Synchronization
import Testing

@testable import BoxState

/// Power loss, played on a model of the storage that keeps no more than POSIX promises: bytes that were not
/// synchronized may be there, partly there or gone, and names changed since the directory was synchronized may be
/// the old ones or the new ones.
@Suite struct PowerLossTests {
    @Test(arguments: [[UInt8](), [9], [UInt8](repeating: 9, count: 50)])
    func anyMomentLeavesTheOldFileOrTheNewOne(new: [UInt8]) throws {
        let old: [UInt8] = [1, 1, 1]
        let storage = StorageModel(name: "key", content: old)
        try storage.replace("key", with: new, by: ".new", in: StorageModel.directory)
        let count = storage.steps.withLock { $0.count }
        for moment in 0...count {
            let outcomes = storage.outcomes(of: "key", after: moment)
            #expect(outcomes.isSubset(of: [old, new]), "after step \(moment)")
        }
        #expect(storage.outcomes(of: "key", after: count) == [new])
    }

    /// The model must see what it is for: the same steps without the file's synchronization lose the content.
    @Test func theModelFindsAMissingSynchronization() throws {
        let storage = StorageModel(name: "key", content: [1], ignoringSynchronization: true)
        try storage.replace("key", with: [9, 9], by: ".new", in: StorageModel.directory)
        let count = storage.steps.withLock { $0.count }
        #expect(!storage.outcomes(of: "key", after: count).isSubset(of: [[1], [9, 9]]))
    }
}

/// One directory on storage that may lose power.
final class StorageModel: StateFileCalls {
    static let directory: Int32 = 3

    enum Step {
        case create(name: String, file: Int32)
        case write(file: Int32, bytes: [UInt8])
        case synchronizeFile(Int32)
        case synchronizeDirectory
        case rename(String, String)
        case remove(String)
    }
    let steps = Mutex<[Step]>([])
    private let start: (name: String, content: [UInt8])
    private let ignoringSynchronization: Bool

    init(name: String, content: [UInt8], ignoringSynchronization: Bool = false) {
        start = (name, content)
        self.ignoringSynchronization = ignoringSynchronization
    }

    private func add(_ step: Step) { steps.withLock { $0.append(step) } }

    func create(_ name: String, in directory: Int32) throws(ErrorNumber) -> Int32 {
        add(.create(name: name, file: 10))
        return 10
    }
    func write(_ bytes: ArraySlice<UInt8>, to file: Int32) throws(ErrorNumber) -> Int {
        // Writes may be short.
        add(.write(file: file, bytes: Array(bytes.prefix(7))))
        return min(bytes.count, 7)
    }
    func synchronize(_ file: Int32) throws(ErrorNumber) {
        if file == Self.directory {
            add(.synchronizeDirectory)
        } else if !ignoringSynchronization {
            add(.synchronizeFile(file))
        }
    }
    func close(_ file: Int32) throws(ErrorNumber) {}
    func rename(_ old: String, to new: String, in directory: Int32) throws(ErrorNumber) { add(.rename(old, new)) }
    func remove(_ name: String, in directory: Int32) throws(ErrorNumber) { add(.remove(name)) }

    /// What may be read under `name` when the power goes after the first `moment` steps.
    func outcomes(of name: String, after moment: Int) -> Set<[UInt8]> {
        let done = steps.withLock { Array($0.prefix(moment)) }
        var contents: [Int32: [UInt8]] = [0: start.content]
        var safe: Set<Int32> = [0]
        // Every state the names may be in: the last durable one, and each one since.
        var names: [[String: Int32]] = [[start.name: 0]]
        for step in done {
            var latest = names[names.count - 1]
            switch step {
            case .create(let name, let file):
                latest[name] = file
                contents[file] = []
                names.append(latest)
            case .write(let file, let bytes):
                contents[file, default: []] += bytes
                safe.remove(file)
            case .synchronizeFile(let file): safe.insert(file)
            case .synchronizeDirectory: names = [latest]
            case .rename(let old, let new):
                latest[new] = latest.removeValue(forKey: old)
                names.append(latest)
            case .remove(let name):
                latest[name] = nil
                names.append(latest)
            }
        }
        var outcomes: Set<[UInt8]> = []
        for state in names {
            guard let file = state[name], let content = contents[file] else {
                outcomes.insert(Array("missing".utf8))
                continue
            }
            outcomes.insert(content)
            if !safe.contains(file) {
                outcomes.insert([])
                outcomes.insert([UInt8](repeating: 0, count: content.count))
            }
        }
        return outcomes
    }
}

/// A process that is killed while it writes, again and again.
@Suite struct KilledWriterTests {
    static let pathVariable = "KIBITZ_STATE_TEST_PATH"

    @Test func aKillAtAnyMomentLeavesAWholeFileAndNothingThatWasPromisedIsLost() async throws {
        let base = try TemporaryDirectory()
        setenv(Self.pathVariable, base.path, 1)
        defer { unsetenv(Self.pathVariable) }
        for _ in 0..<25 {
            await #expect(processExitsWith: .signal(SIGKILL)) {
                try KilledWriterTests.writeUntilKilled()
            }
            let state = try StateDirectory(path: "\(base.path)/state")
            let content = try #require(try state.read("key"))
            #expect(content.count == Self.size)
            #expect(Set(content).count == 1, "parts of two writes")
            let promised = try #require(try Descriptor(open(base.path, O_RDONLY)).open("promised")).read(atMost: 1)
            // The last write may have finished without its promise, none may be missing.
            #expect(content[0] == promised[0] || content[0] == promised[0] &+ 1)
            #expect(Descriptor(open(state.path, O_RDONLY)).names().sorted() == ["key", "lock"])
        }
    }

    static let size = 30_000

    /// Writes the file with one byte after another, and notes each finished write outside, until the kill comes.
    static func writeUntilKilled() throws {
        let base = String(cString: getenv(pathVariable))
        let state = try StateDirectory(path: "\(base)/state")
        let promised = open("\(base)/promised", O_WRONLY | O_CREAT, 0o600)
        var byte = try state.read("key")?[0] ?? 0
        var killer = pthread_t()
        func write() throws {
            byte &+= 1
            try state.write([UInt8](repeating: byte, count: size), to: "key")
            pwrite(promised, &byte, 1, 0)
        }
        try write()
        pthread_create(
            &killer, nil,
            { _ in
                usleep(UInt32.random(in: 0...20_000))
                kill(getpid(), SIGKILL)
                return nil
            }, nil)
        while true { try write() }
    }
}
