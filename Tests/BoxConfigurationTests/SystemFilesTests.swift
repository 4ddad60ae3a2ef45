import BoxConfiguration
import Foundation
import Testing

@Suite struct SystemFilesTests {
    private let directory = FileManager.default.temporaryDirectory.appending(path: "kibitz-files-\(UUID())").path

    private func withDirectory(_ body: () throws -> Void) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body()
    }

    @Test func aFileIsReadUpToItsLimit() throws {
        try withDirectory {
            let path = directory + "/file"
            for size in [0, 1, 4096, 65536] {
                let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
                try Data(bytes).write(to: URL(filePath: path))
                #expect(try SystemFiles().read(path, atMost: 65536) == bytes)
                #expect(try SystemFiles().read(path, atMost: size) == bytes)
                if size > 0 {
                    #expect(throws: FileAccessError.tooLarge(limit: size - 1)) {
                        try SystemFiles().read(path, atMost: size - 1)
                    }
                }
            }
        }
    }

    @Test func whatIsNoReadableFileIsNamed() throws {
        try withDirectory {
            let files = SystemFiles()
            #expect(throws: FileAccessError.missing) { try files.read(directory + "/none", atMost: 1) }
            #expect(throws: FileAccessError.isNot(.file)) { try files.read(directory, atMost: 1) }
            #expect(throws: FileAccessError.missing) { try files.check(directory + "/none", is: .directory) }
            try files.check(directory, is: .directory)
            let path = directory + "/file"
            try Data().write(to: URL(filePath: path))
            try files.check(path, is: .file)
            #expect(throws: FileAccessError.isNot(.directory)) { try files.check(path, is: .directory) }
            #expect(throws: FileAccessError.missing) { try files.check(path + "/below", is: .file) }
            if getuid() != 0 {
                try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
                #expect(throws: FileAccessError.notPermitted) { try files.check(path, is: .file) }
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func aPipeThatNobodyWritesDoesNotHoldUpTheStart() throws {
        try withDirectory {
            let path = directory + "/pipe"
            try #require(mkfifo(path, 0o600) == 0)
            #expect(throws: FileAccessError.isNot(.file)) { try SystemFiles().read(path, atMost: 1) }
        }
    }

    @Test func descriptorsAreClosed() throws {
        // More files than a process may have open by default, with and without errors.
        for _ in 0..<3000 {
            _ = try? SystemFiles().read("/dev/null", atMost: 1)
            _ = try? SystemFiles().read("/etc/passwd", atMost: 1)
            try SystemFiles().check("/", is: .directory)
        }
    }
}
