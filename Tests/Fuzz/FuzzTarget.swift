/// A parser or a core, fed whatever bytes a fuzzer comes up with.
///
/// `scripts/fuzz` feeds it new inputs without end; the tests replay those it has kept in `Tests/Fuzz/Corpus/<name>`.
public struct FuzzTarget: Sendable {
    /// What it is called on the command line, and its folder of the corpus.
    public let name: String
    /// Runs one input.
    /// - Throws: `FuzzFinding` when what must always hold does not. A trap is a finding too.
    public let run: @Sendable (_ input: [UInt8]) throws -> Void

    init(_ name: String, _ run: @escaping @Sendable (_ input: [UInt8]) throws -> Void) {
        self.name = name
        self.run = run
    }

    /// Every target there is.
    public static let all: [FuzzTarget] = [
        wire, stun, turn, json, broker, webSocket, ice, sctp, dcep, hub, endpoint,
    ]
}

/// What must always hold, and did not.
public struct FuzzFinding: Error, CustomStringConvertible {
    /// What was wrong.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// Throws a finding unless `condition` holds.
func always(_ condition: Bool, _ words: @autoclosure () -> String) throws {
    if !condition { throw FuzzFinding(words()) }
}
