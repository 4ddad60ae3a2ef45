import BoxNetwork
import Glibc
import Synchronization
import Testing

@testable import BoxLAN

@Suite struct ChildProcessTests {
    @Test func tellsHowAProgramEnded() async {
        #expect(await ChildProcess.run(.init(arguments: ["/bin/true"])).end == .exited(0))
        #expect(await ChildProcess.run(.init(arguments: ["/bin/sh", "-c", "exit 7"])).end == .exited(7))
        #expect(await ChildProcess.run(.init(arguments: ["/bin/sh", "-c", "kill -9 $$"])).end == .killed(SIGKILL))
        #expect(await ChildProcess.run(.init(arguments: ["/nonexistent"])).end == .notStarted(ENOENT))
    }

    @Test func passesInputAndReadsWords() async {
        let command = ChildProcess.Command(
            arguments: ["/bin/sh", "-c", "cat >&2"], input: Array("one\ntwo\n\nthree".utf8))
        let (end, words) = await ChildProcess.run(command)
        #expect(end == .exited(0))
        #expect(words == ["one", "two", "three"])
    }

    /// What a pipe does not take at once would hold the thread up for ever.
    @Test func inputIsBounded() async {
        let input = [UInt8](repeating: 0x20, count: 1 << 20)
        #expect(await ChildProcess.run(.init(arguments: ["/bin/true"], input: input)).end == .notStarted(E2BIG))
    }

    @Test func linesAreCut() async {
        let script = "head -c 100000 /dev/zero | tr '\\0' x >&2; echo >&2; seq 1 100 >&2"
        let words = await ChildProcess.run(.init(arguments: ["/bin/sh", "-c", script])).words
        #expect(words.first?.utf8.count == ChildProcess.lineLimit)
        #expect(words.count == 8, "the first lines are enough to say what is wrong")
    }

    /// A child starts with a clean slate: no descriptor but its three, no signal ignored or blocked, and a group of its own.
    @Test func inheritsNothing() async throws {
        let file = open("/dev/null", O_RDONLY)
        defer { close(file) }
        let script = "ls /proc/self/fd >&2; grep -E '^Sig(Blk|Ign)' /proc/self/status >&2"
        let words = await ChildProcess.run(.init(arguments: ["/bin/sh", "-c", script])).words
        // `ls` itself opens the directory as number 3.
        #expect(words.prefix(4) == ["0", "1", "2", "3"])
        // The C library keeps signals 32 and 33 to itself.
        let signals = words.dropFirst(4).compactMap { UInt64($0.suffix(16), radix: 16) }
        #expect(signals.map { $0 & ~0x1_8000_0000 } == [0, 0], "\(words)")
        #expect(words.count == 6)
    }

    @Test func signalsReachIt() async {
        let holder = Mutex<ChildProcess?>(nil)
        let end = await withCheckedContinuation { continuation in
            // Held until the child is in it, however soon its first line comes.
            holder.withLock { held in
                held = ChildProcess.start(
                    .init(arguments: ["/bin/sh", "-c", "echo ready >&2; exec sleep 60"]),
                    onLine: { _ in holder.withLock { $0 }?.signal(SIGTERM) },
                    onEnd: { continuation.resume(returning: $0) })
            }
        }
        #expect(end == .killed(SIGTERM))
    }

    /// Told to end before it was started, a program is not started at all.
    @Test func aSignalBeforeTheStartCounts() async {
        for _ in 0..<50 {
            let end = await withCheckedContinuation { continuation in
                ChildProcess.start(
                    .init(arguments: ["/bin/sleep", "60"]), onLine: { _ in },
                    onEnd: { continuation.resume(returning: $0) }
                ).signal(SIGKILL)
            }
            #expect(end == .killed(SIGKILL) || end == .notStarted(ECANCELED))
        }
    }

    /// A program that hangs would hold up everything that waits for its turn.
    @Test func whatTakesTooLongIsKilled() async {
        let end = await ChildProcess.run(.init(arguments: ["/bin/sleep", "600"]), limit: .milliseconds(200)).end
        #expect(end == .tooLong)
    }

    @Test func programsAreFound() {
        #expect(Program.path(of: "sh") != nil)
        #expect(Program.path(of: "no-such-program-anywhere") == nil)
    }
}
