import Glibc

/// The files that settings name, as the loader sees them.
public protocol FileAccess: Sendable {
    /// Reads a whole file.
    /// - Parameters:
    ///   - path: the file's path.
    ///   - limit: the most bytes to read; a larger file is an error.
    func read(_ path: String, atMost limit: Int) throws(FileAccessError) -> [UInt8]

    /// Makes sure that this process may read what is at `path`.
    /// - Parameters:
    ///   - path: the path.
    ///   - kind: what must be there.
    func check(_ path: String, is kind: FileKind) throws(FileAccessError)
}

/// What a path leads to.
public enum FileKind: Sendable {
    /// A regular file.
    case file
    /// A directory.
    case directory
}

/// Why a file cannot be read.
public enum FileAccessError: Error, Equatable, CustomStringConvertible {
    /// There is nothing at the path.
    case missing
    /// This process may not read it.
    case notPermitted
    /// Something else than a regular file or directory, whichever was wanted, is there.
    case isNot(FileKind)
    /// The file has more bytes than the limit.
    case tooLarge(limit: Int)
    /// Anything else, in the system's words.
    case other(String)

    /// The reason in words that follow the path.
    public var description: String {
        switch self {
        case .missing: "no such file or directory"
        case .notPermitted: "may not be read by this process"
        case .isNot(.file): "is not a file"
        case .isNot(.directory): "is not a directory"
        case .tooLarge(let limit): "is larger than \(limit) bytes"
        case .other(let words): "cannot be read: \(words)"
        }
    }
}

/// The files of the system.
public struct SystemFiles: FileAccess {
    /// Makes access to the system's files.
    public init() {}

    /// Reads a whole regular file by `read(2)`.
    public func read(_ path: String, atMost limit: Int) throws(FileAccessError) -> [UInt8] {
        let file = try OpenFile.at(path, .file)
        // One byte more than allowed tells a file that is too large from one that just fits.
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let length = try file.fill(&bytes, from: count)
            if length == 0 { break }
            count += length
        }
        guard count <= limit else { throw .tooLarge(limit: limit) }
        return Array(bytes.prefix(count))
    }

    /// Opens what is at `path` and closes it again.
    public func check(_ path: String, is kind: FileKind) throws(FileAccessError) {
        _ = try OpenFile.at(path, kind)
    }
}

/// A file descriptor open for reading, closed with this value.
private struct OpenFile: ~Copyable {
    private let descriptor: Int32

    private init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Opens what is at `path`, which must be of `kind`.
    static func at(_ path: String, _ kind: FileKind) throws(FileAccessError) -> OpenFile {
        // O_NONBLOCK: opening a FIFO that nobody writes would wait for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw error() }
        let file = OpenFile(descriptor: descriptor)
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw error() }
        let wanted =
            switch kind {
            case .file: S_IFREG
            case .directory: S_IFDIR
            }
        guard status.st_mode & S_IFMT == wanted else { throw .isNot(kind) }
        return file
    }

    /// Reads what is there into `bytes` from index `start` on.
    /// - Returns: how many bytes; 0 at the end of the file.
    func fill(_ bytes: inout [UInt8], from start: Int) throws(FileAccessError) -> Int {
        let length = bytes.withUnsafeMutableBytes { buffer in
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[start...])
            while true {
                let length = read(descriptor, rest.baseAddress, rest.count)
                if length >= 0 || errno != EINTR { return length }
            }
        }
        guard length >= 0 else { throw Self.error() }
        return length
    }

    private static func error() -> FileAccessError {
        switch errno {
        case ENOENT, ENOTDIR: .missing
        case EACCES, EPERM: .notPermitted
        case let code: .other(String(cString: strerror(code)))
        }
    }

    deinit { close(descriptor) }
}
