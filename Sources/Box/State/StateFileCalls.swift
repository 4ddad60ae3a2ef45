import Glibc

/// The system calls by which a state file is replaced, apart so that tests can fail and reorder them.
protocol StateFileCalls: Sendable {
    /// Makes a new file, readable by its owner only; fails if the name exists.
    func create(_ name: String, in directory: Int32) throws(ErrorNumber) -> Int32
    /// Writes a part of `bytes` and returns how many went.
    func write(_ bytes: ArraySlice<UInt8>, to file: Int32) throws(ErrorNumber) -> Int
    /// Returns once a file's bytes, or a directory's names, are on the storage.
    func synchronize(_ file: Int32) throws(ErrorNumber)
    func close(_ file: Int32) throws(ErrorNumber)
    func rename(_ old: String, to new: String, in directory: Int32) throws(ErrorNumber)
    func remove(_ name: String, in directory: Int32) throws(ErrorNumber)
}

extension StateFileCalls {
    /// Replaces the file `name` by `bytes`, so that a loss of power at any moment leaves the old file or the new
    /// one, whole, and so that the new one stays once this returns.
    ///
    /// The bytes are on the storage before the name points at them (else a file of zeros could appear under the
    /// name), and the directory is, before the caller relies on it.
    /// - Parameters:
    ///   - temporary: a name in the same directory that nothing else uses.
    func replace(
        _ name: String, with bytes: [UInt8], by temporary: String, in directory: Int32
    ) throws(ErrorNumber) {
        let file = try create(temporary, in: directory)
        do throws(ErrorNumber) {
            do throws(ErrorNumber) {
                var rest = bytes[...]
                while !rest.isEmpty {
                    rest = rest.dropFirst(try write(rest, to: file))
                }
                try synchronize(file)
            } catch {
                try? close(file)
                throw error
            }
            // Some file systems report a late write error only here (close(2)).
            try close(file)
            try rename(temporary, to: name, in: directory)
        } catch {
            try? remove(temporary, in: directory)
            throw error
        }
        try synchronize(directory)
    }
}

/// The system's own calls.
struct SystemFileCalls: StateFileCalls {
    func create(_ name: String, in directory: Int32) throws(ErrorNumber) -> Int32 {
        try retrying {
            openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        }
    }

    func write(_ bytes: ArraySlice<UInt8>, to file: Int32) throws(ErrorNumber) -> Int {
        try retrying { bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) } }
    }

    func synchronize(_ file: Int32) throws(ErrorNumber) {
        _ = try retrying { fsync(file) }
    }

    func close(_ file: Int32) throws(ErrorNumber) {
        // The descriptor is gone whatever the answer (close(2)): EINTR is no failure, and there is no retry.
        guard Glibc.close(file) == 0 || errno == EINTR else { throw .last }
    }

    func rename(_ old: String, to new: String, in directory: Int32) throws(ErrorNumber) {
        _ = try retrying { renameat(directory, old, directory, new) }
    }

    func remove(_ name: String, in directory: Int32) throws(ErrorNumber) {
        _ = try retrying { unlinkat(directory, name, 0) }
    }
}

/// Makes a system call again for as long as a signal interrupts it.
func retrying<Value: SignedInteger>(_ call: () -> Value) throws(ErrorNumber) -> Value {
    while true {
        let value = call()
        if value >= 0 { return value }
        guard errno == EINTR else { throw .last }
    }
}
