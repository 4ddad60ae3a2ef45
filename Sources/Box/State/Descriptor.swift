import Glibc

/// An open file or directory, closed when the value goes.
final class Descriptor: Sendable {
    let number: Int32

    /// Owns `number` from here on.
    init(_ number: Int32) {
        self.number = number
    }

    deinit {
        close(number)
    }

    /// Opens a file of this directory for reading; nil when there is none. A symbolic link is refused, and a pipe
    /// somebody put there does not hold the caller up.
    func open(_ name: String) throws(ErrorNumber) -> Descriptor? {
        do throws(ErrorNumber) {
            return Descriptor(
                try retrying { openat(number, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) })
        } catch {
            guard error.code == ENOENT else { throw error }
            return nil
        }
    }

    /// Reads from the present position to the end, `limit` bytes at most.
    func read(atMost limit: Int) throws(ErrorNumber) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        var count = 0
        while count < limit {
            let more = try retrying {
                bytes.withUnsafeMutableBytes { Glibc.read(number, $0.baseAddress! + count, limit - count) }
            }
            if more == 0 { break }
            count += more
        }
        bytes.removeLast(limit - count)
        return bytes
    }

    /// The names in this directory, without `.` and `..`; empty when it cannot be listed.
    func names() -> [String] {
        // fdopendir takes the descriptor and moves its position: it gets a fresh one.
        let copy = openat(number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { return [] }
        guard let stream = fdopendir(copy) else {
            close(copy)
            return []
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// What the system knows of the file.
    func status() throws(ErrorNumber) -> stat {
        var status = stat()
        _ = try retrying { fstat(number, &status) }
        return status
    }
}
