import Foundation
import FuzzTargets
import Testing

/// The inputs that the fuzzer has kept: together they take every path that it has found.
@Suite struct ReplayTests {
    @Test(arguments: FuzzTarget.all.map(\.name))
    func holds(_ name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fuzz/Corpus/\(name)", directoryHint: .isDirectory)
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(files.count >= 5, "the corpus of \(name) is missing")
        for file in files {
            let input = Array(try Data(contentsOf: file))
            #expect(throws: Never.self, "\(name)/\(file.lastPathComponent)") { try target.run(input) }
        }
    }
}
