import Glibc

/// Tells one version of a file from another: what the system says of it, through symbolic links.
///
/// A file that was replaced, written in place, or reached by a link that was turned has another stamp; so has one whose
/// permissions were mended, because the change time is in it.
public struct FileStamp: Hashable, Sendable {
    private let numbers: [Int]

    /// Takes the stamp of the file at `path`; a file that is not there has one too.
    public init(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            numbers = []
            return
        }
        numbers = [
            Int(truncatingIfNeeded: status.st_dev), Int(truncatingIfNeeded: status.st_ino), Int(status.st_size),
            status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
        ]
    }
}
