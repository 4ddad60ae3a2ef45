import BoxState
import Foundation
import Logging
import Testing

@testable import BoxHub

@Suite struct HubIDsTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func withState(_ body: (StateDirectory) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "kibitz-ids-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(StateDirectory(path: path))
    }

    private func number(in state: StateDirectory) throws -> String {
        try String(decoding: #require(try state.read("hub-ids")), as: UTF8.self)
    }

    @Test func eachStartBeginsAboveTheFormerOne() async throws {
        try await withState { state in
            let first = try HubIDs(in: state, logger: logger).first()
            #expect(try first == 1...1025 && number(in: state) == "1025\n")
            #expect(try HubIDs(in: state, logger: logger).first() == 1026...2050)
        }
    }

    /// A number at the end of the range stopped the box at every start (`+ 1` trapped). Whatever else can't be read was taken for 0, so that
    /// a newcomer got the id that somebody's token names, and was closed when that one came back.
    @Test(arguments: [
        "9223372036854775807", "9223372036854774784\n", "99999999999999999999", "-5", "", "\n", "12x", "\u{663}", "\0",
    ])
    func aDamagedCountGoesOnFarAboveTheFormerOne(text: String) async throws {
        try await withState { state in
            try state.write(Array(text.utf8), to: "hub-ids")
            let first = try HubIDs(in: state, logger: logger).first()
            #expect(first.lowerBound > 1 << 32 && first.upperBound < 1 << 49)
            #expect(try number(in: state) == "\(first.upperBound)\n")
            #expect(try HubIDs(in: state, logger: logger).first().lowerBound == first.upperBound + 1)
        }
    }

    /// A write that failed was never tried again, and the next start gave the same ids to others.
    @Test func aWriteThatFailsIsTriedAgain() async throws {
        try await withState { state in
            let ids = try HubIDs(in: state, logger: logger, retryAfter: .milliseconds(5))
            _ = try ids.first()
            let file = state.path + "/hub-ids"
            try FileManager.default.removeItem(atPath: file)
            try FileManager.default.createDirectory(atPath: file + "/in-the-way", withIntermediateDirectories: true)
            ids.reserve(through: 3000)
            ids.reserve(through: 4000)
            try await Task.sleep(for: .milliseconds(50))
            try FileManager.default.removeItem(atPath: file)
            for _ in 0..<1000 where !FileManager.default.fileExists(atPath: file) {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(try number(in: state) == "4000\n")
            ids.reserve(through: 5000)
            for _ in 0..<1000 where try number(in: state) != "5000\n" { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try number(in: state) == "5000\n")
        }
    }
}
