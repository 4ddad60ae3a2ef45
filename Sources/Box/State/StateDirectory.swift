import Glibc
import Synchronization

/// The directory where a box keeps what must outlive it: its keys, its room, its certificates. A few small files.
///
/// The directory is the box's alone: its mode is 0700, or 0710 when a group may reach the control socket in it
/// (0710 and not 0750, because whoever knows the socket's name needs no list of the others), and every file's is
/// 0600. While the value lives it holds a lock, so two boxes never share one state.
public final class StateDirectory: Sendable {
    /// The largest file, in bytes, that is written or read when no other limit is given.
    public static let defaultLimit = 64 * 1024

    /// The directory's path.
    public let path: String

    let directory: Descriptor
    private let lock: Descriptor
    let calls: any StateFileCalls
    private let temporaries = Atomic<UInt64>(0)
    /// Whether everything has been removed. Held while a file is written, so that none comes after that.
    let isReset = Mutex(false)

    /// How the names of unfinished files begin.
    static let temporaryPrefix = ".new-"

    /// Opens the state directory, makes it if it is missing, takes its lock and removes unfinished files, and everything
    /// where ``prepareReset(keeping:)`` asked for it.
    /// - Parameters:
    ///   - path: the directory; its parents are made too.
    ///   - group: the number of a group whose members may pass through the directory to the control socket; nobody may
    ///     when this user is neither root nor in the group.
    /// - Throws: ``StateError`` when the directory cannot be used or another box holds it.
    public convenience init(path: String, group: UInt32? = nil) throws(StateError) {
        try self.init(path: path, group: group, calls: SystemFileCalls())
    }

    init(path: String, group: UInt32? = nil, calls: any StateFileCalls) throws(StateError) {
        let directory = try openStateDirectory(path, group: group)
        lock = try takeLock(in: directory, path: path)
        self.path = path
        self.directory = directory
        self.calls = calls
        // Best effort: what cannot be removed is in nobody's way.
        for name in directory.names() where name.hasPrefix(Self.temporaryPrefix) {
            try? calls.remove(name, in: directory.number)
        }
        try finishReset()
    }

    deinit {
        // Closing alone would leave the lock to a child process that is between fork and exec.
        flock(lock.number, LOCK_UN)
    }

    /// The path of a file in the directory, for what is not written by ``write(_:to:limit:)``: the control socket.
    /// - Parameter name: the file's name.
    public func path(of name: String) -> String { "\(path)/\(name)" }

    /// Reads a whole file.
    /// - Parameters:
    ///   - name: the file's name.
    ///   - limit: how many bytes it may have; a larger file was not written by the box.
    /// - Returns: its bytes, nil when there is no such file.
    /// - Throws: ``StateError``.
    public func read(_ name: String, limit: Int = defaultLimit) throws(StateError) -> [UInt8]? {
        Self.check(name)
        let bytes = try attempting("read", path(of: name)) { () throws(ErrorNumber) -> [UInt8]? in
            guard let file = try directory.open(name) else { return nil }
            // One byte more than the limit tells a file of exactly that size from a larger one.
            return try file.read(atMost: limit + 1)
        }
        if let bytes, bytes.count > limit {
            throw StateError(.tooLarge(limit: limit), path: path(of: name), operation: "read")
        }
        return bytes
    }

    /// Replaces a file, or makes it. A loss of power at any moment leaves the old file or the new one, whole; once
    /// this returns, it is the new one.
    /// - Parameters:
    ///   - bytes: the new content.
    ///   - name: the file's name.
    ///   - limit: how many bytes it may have, the same as for reading it.
    /// - Throws: ``StateError``; the old file is then still there, except when only the last step failed (making the
    ///   new name durable): then the new one is, but a loss of power may bring the old one back.
    public func write(_ bytes: [UInt8], to name: String, limit: Int = defaultLimit) throws(StateError) {
        Self.check(name)
        guard bytes.count <= limit else {
            throw StateError(.tooLarge(limit: limit), path: path(of: name), operation: "write")
        }
        let number = temporaries.wrappingAdd(1, ordering: .relaxed).newValue
        let temporary = "\(Self.temporaryPrefix)\(number)-\(name)"
        try isReset.withLock { isReset throws(StateError) in
            guard !isReset else { throw StateError(.reset, path: path, operation: "write") }
            try attempting("write", path(of: name)) { () throws(ErrorNumber) in
                try calls.replace(name, with: bytes, by: temporary, in: directory.number)
            }
        }
    }

    /// Removes a file; no error when there is none.
    /// - Parameter name: the file's name.
    /// - Throws: ``StateError``.
    public func remove(_ name: String) throws(StateError) {
        Self.check(name)
        try attempting("remove", path(of: name)) { () throws(ErrorNumber) in
            do throws(ErrorNumber) {
                try calls.remove(name, in: directory.number)
            } catch {
                guard error.code == ENOENT else { throw error }
                return
            }
            try calls.synchronize(directory.number)
        }
    }

    /// Names come from the box's own code, never from a peer: a bad one is a mistake in it.
    private static func check(_ name: String) {
        precondition(
            (1...200).contains(name.utf8.count) && !name.utf8.contains(UInt8(ascii: "/"))
                && name.utf8.first != UInt8(ascii: ".") && name != lockName && name != resetMarker,
            "not a name for a state file: \(name)")
    }
}
