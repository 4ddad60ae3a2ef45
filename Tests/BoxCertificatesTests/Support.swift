import Foundation
import Logging
import Synchronization
import Testing

@testable import BoxCertificates
@testable import BoxState

/// A directory of one test, removed with all in it when the value goes.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "kibitz-certificates-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        chmod(path, 0o700)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func put(_ bytes: [UInt8], at name: String) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        return "\(path)/\(name)"
    }

    func put(_ text: String, at name: String) throws -> String { try put(Array(text.utf8), at: name) }

    func read(_ name: String) throws -> String { try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }
}

/// Runs a program and returns its status and all it wrote.
@discardableResult
func run(_ arguments: String..., in directory: String? = nil) throws -> (status: Int32, output: String) {
    try run(arguments, in: directory)
}

/// Runs a program and returns its status and all it wrote.
@discardableResult
func run(_ arguments: [String], in directory: String? = nil) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
    let pipe = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}

/// A clock that a test sets.
final class TestClock: Sendable {
    private let reading: Mutex<ClockReading>
    init(_ seconds: Int64, isSynchronized: Bool = true) {
        reading = Mutex(ClockReading(seconds: seconds, isSynchronized: isSynchronized))
    }
    func set(_ seconds: Int64, isSynchronized: Bool) {
        reading.withLock { $0 = ClockReading(seconds: seconds, isSynchronized: isSynchronized) }
    }
    var now: ClockReading { reading.withLock { $0 } }
}

/// A logger that keeps its lines.
final class LogLines: LogHandler, Sendable {
    private let kept = Mutex<[String]>([])
    var lines: [String] { kept.withLock { $0 } }
    var logger: Logger { Logger(label: "test") { _ in self } }

    func log(event: LogEvent) {
        kept.withLock { $0.append("\(event.level) \(event.message)") }
    }
    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .debug }
        set {}
    }
}
