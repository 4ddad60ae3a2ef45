import Synchronization

/// A parser or a core, fed whatever bytes a fuzzer comes up with.
///
/// `scripts/fuzz` feeds it new inputs without end; the tests replay those it has kept in `Tests/Fuzz/Corpus/<name>`.
public struct FuzzTarget: Sendable {
    /// How often cores were fed: a script is one input and many datagrams, messages or ticks of the clock.
    public static var fed: Int { counter.load(ordering: .relaxed) }
    private static let counter = Atomic(0)

    /// Counts what a core is fed.
    static func feed() { counter.add(1, ordering: .relaxed) }

    /// What it is called on the command line, and its folder of the corpus.
    public let name: String
    /// The most bytes of an input: enough for a script to get everywhere, and no more, since a long one takes long.
    public let longest: Int
    /// Runs one input.
    /// - Throws: `FuzzFinding` when what must always hold does not. A trap is a finding too.
    public let run: @Sendable (_ input: [UInt8]) throws -> Void

    init(_ name: String, longest: Int = 4_096, _ run: @escaping @Sendable (_ input: [UInt8]) throws -> Void) {
        self.name = name
        self.longest = longest
        self.run = run
    }

    /// Every target there is.
    public static let all: [FuzzTarget] =
        [
            wire, percent, stun, turn, json, yaml, broker, session, webSocket, ice, dtls, sctp, dcep, hub, echo,
            endpoint, endpointPeer, lanHub,
        ] + radio
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
