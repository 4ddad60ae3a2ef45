import Glibc

/// The number of a failed system call (`errno`).
struct ErrorNumber: Error, Equatable {
    let code: Int32

    init(_ code: Int32) {
        self.code = code
    }

    /// The number the last system call of this thread left behind.
    static var last: ErrorNumber { ErrorNumber(errno) }

    /// The system's words for it.
    var words: String { String(cString: strerror(code)) }
}

/// Why the state directory cannot be used, and what mends it. All of these are the environment's fault.
public struct StateError: Error, Hashable, Sendable {
    /// What went wrong.
    public enum Reason: Hashable, Sendable {
        /// Another box holds the directory; its process id, if it could be read.
        case inUse(processID: Int32?)
        /// The user this process runs as may not do it.
        case notPermitted
        /// The file system is mounted read-only.
        case readOnly
        /// The disk, or this user's share of it, is full.
        case full
        /// The storage itself failed (an I/O error: a worn SD card, for one).
        case storageFailed
        /// The path is not a directory.
        case notDirectory
        /// The directory belongs to another user, whose number this is.
        case foreignOwner(userID: UInt32)
        /// The directory is open to others and holds files that are not the box's.
        case notEmpty
        /// The file is larger than any the box writes; the limit, in bytes.
        case tooLarge(limit: Int)
        /// The directory has been emptied, and is used again by the next box only.
        case reset
        /// Any other failure of the system, by its number (`errno`).
        case system(Int32)
    }

    /// What went wrong.
    public let reason: Reason
    /// The file or directory it is about.
    public let path: String
    /// What was being done to it, for example `write`.
    public let operation: String

    init(_ reason: Reason, path: String, operation: String) {
        self.reason = reason
        self.path = path
        self.operation = operation
    }

    init(_ number: ErrorNumber, path: String, operation: String) {
        let reason: Reason =
            switch number.code {
            case EACCES, EPERM: .notPermitted
            case EROFS: .readOnly
            case ENOSPC, EDQUOT: .full
            case EIO: .storageFailed
            case ENOTDIR, ELOOP: .notDirectory
            default: .system(number.code)
            }
        self.init(reason, path: path, operation: operation)
    }
}

extension StateError: CustomStringConvertible {
    /// What happened and what to do, in one or two sentences.
    public var description: String {
        switch reason {
        case .inUse(let processID):
            let holder = processID.map { " (process \($0))" } ?? ""
            return "another Kibitz Local\(holder) is using the state directory \(path). Stop it, or give this one a "
                + "directory of its own with --state."
        case .notPermitted:
            return "cannot \(operation) \(path): this user may not. Run as the user who owns it, or choose another "
                + "directory with --state."
        case .readOnly:
            return "cannot \(operation) \(path): the file system is read-only. Mount it writable, or choose another "
                + "directory with --state."
        case .full:
            return "cannot \(operation) \(path): the disk is full. Free some space; the old file is unharmed."
        case .storageFailed:
            return "cannot \(operation) \(path): the storage failed. The card or disk may be worn out: replace it."
        case .notDirectory:
            return "\(path) is not a directory. Remove what is there, or choose another directory with --state."
        case .foreignOwner(let userID):
            return "the state directory \(path) belongs to the user number \(userID). Run as that user, or choose "
                + "another directory with --state."
        case .notEmpty:
            return "\(path) is open to others and holds files that are not Kibitz Local's. Choose an empty or a new "
                + "directory with --state."
        case .tooLarge(let limit):
            return "\(path) is larger than \(limit) bytes, so the box did not write it. Restore or remove it."
        case .reset:
            return "\(path) was emptied, and the box has to start anew."
        case .system(let code):
            return "cannot \(operation) \(path): \(ErrorNumber(code).words) (error \(code))."
        }
    }
}

/// Does `body`; its failure becomes a ``StateError`` about `path`.
func attempting<Value>(
    _ operation: String, _ path: String, _ body: () throws(ErrorNumber) -> Value
) throws(StateError) -> Value {
    do throws(ErrorNumber) {
        return try body()
    } catch {
        throw StateError(error, path: path, operation: operation)
    }
}
