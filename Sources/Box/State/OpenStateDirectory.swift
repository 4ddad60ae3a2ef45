import Glibc

/// The lock file. It is never removed: a new file under the same name would be a second lock.
let lockName = "lock"

/// Opens a directory that is this user's own and closed to others, and makes it if it is missing.
/// - Parameter group: a group that may pass through it.
func openStateDirectory(_ path: String, group: UInt32?) throws(StateError) -> Descriptor {
    try attempting("make", path) { () throws(ErrorNumber) in
        // XDG Base Directory Specification: missing directories are made with mode 0700. A group must be able to
        // pass through them to the socket.
        try makeDirectories(path, mode: group == nil ? 0o700 : 0o711)
    }
    let directory = try attempting("open", path) { () throws(ErrorNumber) in
        Descriptor(try retrying { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
    }
    let status = try attempting("open", path) { () throws(ErrorNumber) in try directory.status() }
    guard status.st_uid == geteuid() else {
        throw StateError(.foreignOwner(userID: status.st_uid), path: path, operation: "open")
    }
    let mode: mode_t = group == nil ? 0o700 : 0o710
    if status.st_mode & 0o7777 != mode {
        // A mistyped --state must not close /tmp or somebody's home to all others.
        let names = directory.names()
        guard
            directory.holdsState
                || names.allSatisfy({ $0 == "lost+found" || $0 == lockName || StateDirectory.isOwn($0) })
        else {
            throw StateError(.notEmpty, path: path, operation: "open")
        }
    }
    try attempting("restrict", path) { () throws(ErrorNumber) in
        var mode = mode
        if let group, status.st_gid != group {
            do throws(ErrorNumber) {
                _ = try retrying { fchown(directory.number, .max, group) }
            } catch {
                // A person who is not in the group cannot give it anything: then nobody else passes.
                guard error.code == EPERM else { throw error }
                mode = 0o700
            }
        }
        if status.st_mode & 0o7777 != mode {
            _ = try retrying { fchmod(directory.number, mode) }
        }
    }
    return directory
}

/// Makes a directory and the missing ones above it, each on the storage before the next.
private func makeDirectories(_ path: String, mode: mode_t) throws(ErrorNumber) {
    if mkdir(path, mode) == 0 {
        let parent = Descriptor(try retrying { open(path + "/..", O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
        _ = try retrying { fsync(parent.number) }
        return
    }
    switch errno {
    case EEXIST: return
    case ENOENT:
        let components = path.utf8.split(separator: UInt8(ascii: "/"))
        guard components.count > 1 else { throw ErrorNumber(ENOENT) }
        let parent = components.dropLast().map { String(Substring($0)) }.joined(separator: "/")
        try makeDirectories((path.hasPrefix("/") ? "/" : "") + parent, mode: mode)
        try makeDirectories(path, mode: mode)
    default: throw .last
    }
}

/// Takes the directory's lock and writes this process's number into it, for the next box's error.
///
/// The lock is the kernel's (flock(2)): it goes with the process, however that ends. A child does not inherit it.
func takeLock(in directory: Descriptor, path: String) throws(StateError) -> Descriptor {
    let file = try attempting("lock", path) { () throws(ErrorNumber) in
        Descriptor(
            try retrying { openat(directory.number, lockName, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600) })
    }
    let taken = try attempting("lock", path) { () throws(ErrorNumber) -> Bool in
        do throws(ErrorNumber) {
            _ = try retrying { flock(file.number, LOCK_EX | LOCK_NB) }
            return true
        } catch {
            guard error.code == EWOULDBLOCK else { throw error }
            return false
        }
    }
    guard taken else {
        // A holder that has the lock but has not yet written its number shows a dead one's, or none.
        let processID = (try? file.read(atMost: 32)).flatMap { bytes in
            Int32(String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
        }
        let alive = processID.map { $0 > 0 && (kill($0, 0) == 0 || errno == EPERM) } ?? false
        throw StateError(.inUse(processID: alive ? processID : nil), path: path, operation: "lock")
    }
    try attempting("lock", path) { () throws(ErrorNumber) in
        // Not durable, and need not be: after a loss of power nobody holds the lock.
        let text = Array("\(getpid())\n".utf8)
        _ = try retrying { ftruncate(file.number, 0) }
        _ = try retrying { text.withUnsafeBytes { pwrite(file.number, $0.baseAddress, $0.count, 0) } }
    }
    return file
}
